# SPDX-License-Identifier: MIT
"""The directory of push_dir from docker-registry, as oras has pushed it (and as oras-lua has)."""

import shutil
import subprocess

import clients
import contents
from harness import Case, Skip, empty
from servers import Registry


def push(bench, registry, folder, name, reference):
    argv = [str(word) for word in clients.push(bench)[name](registry.host, reference, ["tree"])]
    if argv[0] == "None":
        raise Skip(f"no {name} to push with")
    done = subprocess.run(argv, cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise Skip(f"{name} does not push: {done.stderr.decode(errors='replace')[-200:]}")


def compare(bench, question, name, make, rounds):
    registry = Registry(bench, name)
    folder = bench.dir / f"{name}_files"
    make(folder / "tree")
    target = bench.dir / f"{name}_out"
    reference = f"{registry.host}/bench/dir:v1"
    push(bench, registry, folder, "oras", reference)
    cases = [Case(client, command(reference, target), prepare=empty(target))
             for client, command in clients.pull(bench).items()]
    try:
        ours = f"{registry.host}/bench/ours:v1"
        push(bench, registry, folder, "oras-lua", ours)
        cases.append(Case("oras-lua, its own", clients.pull(bench)["oras-lua"](ours, target),
                          prepare=empty(target)))
    except Skip as reason:
        bench.notes.append(f"{question}: {reason}")
    bench.compare(question, cases, rounds)
    registry.clear()
    shutil.rmtree(folder)
    shutil.rmtree(target)


def run(bench):
    compare(bench, "pull_dir: 440 MB, 12,000 files", "pull_dir", contents.mixed_tree,
            bench.rounds(5))
