# SPDX-License-Identifier: MIT
"""In one process: a runtime made, and an empty method called through JSON."""

import subprocess

from harness import SCRIPTS


def run(bench):
    words = subprocess.run(
        [bench.find("bench-start"), SCRIPTS / "empty.lua"], check=True, capture_output=True, text=True
    ).stdout.split()
    for question, microseconds in zip(("a runtime made", "an empty oras_call_json"), words):
        wall = f"{float(microseconds) / 1000:.4f}"
        bench.rows.append([f"start: {question}", "oras-lua", wall, "-", "-", "-"])
