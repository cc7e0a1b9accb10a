# SPDX-License-Identifier: MIT
"""How big the program and the library are, stripped, without the libraries that they need."""

import shutil
import subprocess

from harness import Skip


def run(bench):
    if not shutil.which("strip"):
        raise Skip("strip is not installed")
    for path in (bench.oras_lua, bench.find("liboras.so")):
        copy = bench.dir / path.name
        subprocess.run(["strip", "-o", copy, path.resolve()], check=True)
        bench.counts.append(["sizes: bytes, stripped", path.name, str(copy.stat().st_size)])
