# SPDX-License-Identifier: MIT
"""Cold processes of the command line: resolve, tags, manifest fetch over plain http; and --help."""

from harness import Case
from servers import Registry


def reading(bench, reference, repository):
    """question -> command lines by program."""
    ours, oras, crane = bench.oras_lua, bench.peer("oras"), bench.peer("crane")
    return {
        "resolve": {
            "oras-lua": [ours, "resolve", reference],
            "oras": [oras, "resolve", "--plain-http", reference],
            "crane": [crane, "digest", "--insecure", reference],
        },
        "tags": {
            "oras-lua": [ours, "tags", repository],
            "oras": [oras, "repo", "tags", "--plain-http", repository],
            "crane": [crane, "ls", "--insecure", repository],
        },
        "manifest fetch": {
            "oras-lua": [ours, "manifest", "fetch", reference],
            "oras": [oras, "manifest", "fetch", "--plain-http", reference],
            "crane": [crane, "manifest", "--insecure", reference],
        },
        "help": {
            "oras-lua": [ours, "--help"],
            "oras": [oras, "--help"],
            "crane": [crane, "--help"],
        },
        "help of a command": {
            "oras-lua": [ours, "push", "--help"],
            "oras": [oras, "push", "--help"],
            "crane": [crane, "push", "--help"],
        },
    }


def run(bench):
    registry = Registry(bench, "commands")
    registry.seed(f"http://{registry.host}")
    repository = f"{registry.host}/{Registry.REPOSITORY}"
    for question, programs in reading(bench, f"{repository}:{Registry.TAG}", repository).items():
        cases = [Case(name, argv) for name, argv in programs.items()]
        bench.compare(f"command: {question}", cases, bench.rounds(31))
