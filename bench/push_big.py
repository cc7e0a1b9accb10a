# SPDX-License-Identifier: MIT
"""1 GiB that the registry does not have, to docker-registry."""

import big
import clients
from harness import SCRIPTS, Case
from servers import Registry

FILE = "blob"


def run(bench):
    registry = Registry(bench, "push_big")
    folder = bench.dir / "push_big_files"
    folder.mkdir()
    big.write_blob(folder / FILE, 1 << 30)
    cases = [
        Case(name, make(registry.host, f"{registry.host}/bench/big:v1", [FILE]),
             prepare=registry.clear, cwd=folder)
        for name, make in clients.push(bench).items()
    ]
    put = ["sh", SCRIPTS / "put.sh", registry.host, "bench/big", FILE]
    cases.append(Case("curl, sha256sum", put, prepare=registry.clear, cwd=folder))
    bench.compare("push_big: 1 GiB", cases, bench.rounds(5))
    registry.clear()
    (folder / FILE).unlink()
