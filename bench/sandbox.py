# SPDX-License-Identifier: MIT
"""In one process: an empty method, the first call of a runtime and the next, plain and sandboxed."""

import subprocess

from harness import SCRIPTS

QUESTIONS = ("first call", "first call, sandboxed", "next call", "next call, sandboxed")


def run(bench):
    words = subprocess.run(
        [bench.find("bench-sandbox"), SCRIPTS / "empty.lua"], check=True, capture_output=True, text=True
    ).stdout.split()
    for question, microseconds in zip(QUESTIONS, words):
        bench.rows.append([f"sandbox: {question}", "oras-lua", f"{float(microseconds) / 1000:.4f}", "-", "-", "-"])
