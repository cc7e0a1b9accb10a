# SPDX-License-Identifier: MIT
"""1000 files of 10 KiB to docker-registry, 16 at a time; near, and 20 ms away."""

import clients
import contents
import delay
from harness import Case
from servers import Registry

CONCURRENCY = 16


def cases(bench, registry, port, folder, names):
    host = f"localhost:{port}"
    commands = clients.push(bench, CONCURRENCY)
    return [Case(name, commands[name](host, f"{host}/bench/small:v1", names),
                 prepare=registry.clear, cwd=folder) for name in ("oras-lua", "oras", "regctl")]


def run(bench):
    registry = Registry(bench, "push_small")
    folder = bench.dir / "push_small_files"
    names = contents.small_files(folder)
    near = cases(bench, registry, registry.port, folder, names)
    bench.compare("push_small: 1000 x 10 KiB", near, bench.rounds(7))
    far = cases(bench, registry, delay.start_proxy(bench, registry.port), folder, names)
    bench.compare(f"push_small: {delay.DELAY_MS} ms away", far, bench.rounds(3))
