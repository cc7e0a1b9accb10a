# SPDX-License-Identifier: MIT
"""200 tags of a repository into a layout and back: backup, the same again, restore."""

import shutil

from harness import Case, empty, removed
from servers import Registry

COUNT, SIZE = 200, 10 << 10
REPOSITORY = "bench/tags"


def fill(bench, registry):
    folder = bench.dir / "backup_files"
    folder.mkdir()
    for number in range(COUNT):
        name = f"f{number:03}"
        (folder / name).write_bytes(f"{number:09}\n".encode() * (SIZE // 10))
        registry.push(f"{REPOSITORY}:v{number}", folder, [name])
    shutil.rmtree(folder)


def saving(bench, reference, path):
    return {
        "oras-lua": [bench.oras_lua, "backup", "-o", path, reference],
        "oras": [bench.peer("oras"), "backup", "--plain-http", "--no-tty", "-o", path, reference],
    }


def restoring(bench, path, reference):
    return {
        "oras-lua": [bench.oras_lua, "restore", "--input", path, reference],
        "oras": [bench.peer("oras"), "restore", "--plain-http", "--no-tty", "--input", path, reference],
    }


def compare(bench, question, commands, prepare=None):
    cases = [Case(name, argv, prepare=prepare) for name, argv in commands.items()]
    bench.compare(f"{question}: {COUNT} tags", cases, bench.rounds(5))


def run(bench):
    source, target = Registry(bench, "backup_from"), Registry(bench, "backup_to")
    fill(bench, source)
    layout, tar = bench.dir / "backup_layout", bench.dir / "backup.tar"
    reference = f"{source.host}/{REPOSITORY}"
    compare(bench, "backup", saving(bench, reference, layout), empty(layout))
    compare(bench, "backup to a tar", saving(bench, reference, tar), removed(tar))
    compare(bench, "backup again", saving(bench, reference, layout))
    compare(bench, "restore", restoring(bench, layout, f"{target.host}/{REPOSITORY}"), target.clear)
    compare(bench, "restore again", restoring(bench, layout, f"{target.host}/{REPOSITORY}"))
    source.clear()
    target.clear()
