# SPDX-License-Identifier: MIT
"""100 concurrent calls through a C program's loop beside the same by oras.map, in one process,
against nginx's static files."""

import os
import subprocess

from harness import SCRIPTS
from servers import LAYER, Static


def run(bench):
    server = Static(bench, "calls")
    server.add_manifest("bench/one", "latest", [server.add_blob("bench/one", os.urandom(2048), LAYER)])
    server.start()
    words = subprocess.run(
        [bench.find("bench-calls"), SCRIPTS / "digests.lua", f"{server.host}/bench/one:latest"],
        check=True, capture_output=True, text=True,
    ).stdout.split()
    for question, microseconds in zip(("oras_call_start, 100 at once", "oras.map, 100 at once"), words):
        bench.rows.append([f"calls: {question}", "oras-lua", f"{float(microseconds) / 1000:.2f}", "-", "-", "-"])
