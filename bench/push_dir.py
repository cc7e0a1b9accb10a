# SPDX-License-Identifier: MIT
"""A directory of 440 MB in 12,000 files, 200 MB of it random, to docker-registry."""

import shutil

import clients
import contents
from harness import Case
from servers import Registry

REPOSITORY = "bench/dir"


def run(bench):
    registry = Registry(bench, "push_dir")
    folder = bench.dir / "push_dir_files"
    contents.mixed_tree(folder / "tree")
    sizes = {}

    def look(name):
        def note():
            sizes[name] = sum(layer["size"] for layer in registry.layers(f"{REPOSITORY}:v1"))
        return note

    wanted = clients.push(bench)
    cases = [
        Case(name, wanted[name](registry.host, f"{registry.host}/{REPOSITORY}:v1", ["tree"]),
             prepare=registry.clear, cwd=folder, look=look(name))
        for name in ("oras-lua", "oras", "oras-py")
    ]
    packed = bench.dir / "tree.tar.gz"

    def look_at_file():
        sizes["tar, gzip -6"] = packed.stat().st_size

    cases.append(Case("tar, gzip -6", ["sh", "-c", f"tar cf - tree | gzip -6 >{packed}"],
                      cwd=folder, look=look_at_file))
    bench.compare("push_dir: 440 MB, 12,000 files", cases, bench.rounds(3))
    for name, size in sizes.items():
        bench.counts.append(["push_dir: bytes", name, f"{size:,}"])
    registry.clear()
    shutil.rmtree(folder)
    packed.unlink(missing_ok=True)
