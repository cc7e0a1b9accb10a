# SPDX-License-Identifier: MIT
"""1000 files of 10 KiB from docker-registry, 16 at a time; near, and 20 ms away."""

import clients
import contents
import delay
from harness import Case, empty
from servers import Registry

CONCURRENCY = 16


def cases(bench, port):
    target = bench.dir / "pull_small_out"
    commands = clients.pull(bench, CONCURRENCY)
    return [Case(name, commands[name](f"localhost:{port}/bench/small:v1", target),
                 prepare=empty(target)) for name in ("oras-lua", "oras")]


def run(bench):
    registry = Registry(bench, "pull_small")
    folder = bench.dir / "pull_small_files"
    registry.push("bench/small:v1", folder, contents.small_files(folder))
    bench.compare("pull_small: 1000 x 10 KiB", cases(bench, registry.port), bench.rounds(7))
    far = delay.start_proxy(bench, registry.port)
    bench.compare(f"pull_small: {delay.DELAY_MS} ms away", cases(bench, far), bench.rounds(3))
