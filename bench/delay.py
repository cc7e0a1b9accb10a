# SPDX-License-Identifier: MIT
"""The small blobs again, with 20 ms of round trip added by the fault server's delay proxy."""

import os
import subprocess
import sys

import small
from harness import ROOT
from servers import free_port, wait_port

DELAY_MS = 20


def start_proxy(bench, target):
    port = free_port()
    words = ["-m", "faultserver.delay", f"{port}:{target}:{DELAY_MS}"]
    process = subprocess.Popen(
        [sys.executable, "-B", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests" / "support")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def stop():
        process.terminate()
        process.wait()

    bench.stops.append(stop)
    wait_port(port, process)
    return port


def run(bench):
    server, layers = small.serve(bench, "delay")
    port = start_proxy(bench, server.port)
    bench.compare(
        f"delay: the same, {DELAY_MS} ms away", small.cases(bench, port, layers), bench.rounds(5)
    )
