# SPDX-License-Identifier: MIT
"""A directory and 50 files that the registry has already, pushed once more."""

import time

import clients
import contents
import request_counts
from harness import Case
from servers import Registry

NAMES = ("oras-lua", "oras", "regctl")


def let_a_second_pass():
    """A manifest that says when it was made would else be the one that is there."""
    time.sleep(1.1)


def run(bench):
    folder = bench.dir / "push_again_files"
    names = contents.small_files(folder, 50, 100_000)
    contents.write(folder, "tree/a", b"a" * 1000)
    registry = Registry(bench, "push_again")
    cases = []
    for name in NAMES:
        files = names if name == "regctl" else [*names, "tree"]  # it takes no directories
        make = clients.push(bench)[name]
        cases.append(Case(name, make(registry.host, f"{registry.host}/bench/{name}:v1", files),
                          cwd=folder, prepare=let_a_second_pass))
        request_counts.count_twice(bench, name, folder, files)
    bench.compare("push_again: 51 layers", cases, bench.rounds(11))
