# SPDX-License-Identifier: MIT
"""In one process: a runtime made, and an empty method called through JSON."""

import subprocess

from harness import SCRIPTS


def run(bench):
    words = subprocess.run(
        [bench.find("bench-start"), SCRIPTS / "empty.lua"], check=True, capture_output=True, text=True
    ).stdout.split()
    bench.notes.append(f"start: a runtime is made in {float(words[0]) / 1000:.2f} ms")
    bench.notes.append(f"start: an empty method through oras_call_json takes {words[1]} us")
