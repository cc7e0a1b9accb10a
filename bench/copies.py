# SPDX-License-Identifier: MIT
"""From one docker-registry to another: 1 GiB, and 1000 blobs of 10 KiB."""

import big
import clients
import contents
from harness import Case
from servers import Registry


def compare(bench, question, source, target, name, rounds):
    commands = clients.copy(bench, source.host, target.host)
    cases = [Case(client, make(f"{source.host}/bench/{name}:v1", f"{target.host}/bench/{name}:v1"),
                  prepare=target.clear) for client, make in commands.items()]
    bench.compare(question, cases, rounds)


def run(bench):
    source, target = Registry(bench, "copy_from"), Registry(bench, "copy_to")
    folder = bench.dir / "copy_files"
    source.push("bench/many:v1", folder, contents.small_files(folder))
    compare(bench, "copy: 1000 x 10 KiB", source, target, "many", bench.rounds(5))
    big.write_blob(folder / "big", 1 << 30)
    source.push("bench/big:v1", folder, ["big"])
    (folder / "big").unlink()
    compare(bench, "copy: 1 GiB", source, target, "big", bench.rounds(5))
    source.clear()
    target.clear()
