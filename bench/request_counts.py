# SPDX-License-Identifier: MIT
"""Requests that a push makes, counted by the fault server: a new small blob, a bigger one, and
blobs that are there."""

import collections
import json
import os
import subprocess
import sys
import time
import urllib.request

import clients
import contents
from harness import ROOT, Skip

NAMES = ("oras-lua", "oras", "regctl", "oras-py")


DOCKER_REGISTRY = {"post_monolithic": False, "append": True, "referrers": False,
                   "mount_anonymous": False, "oci_subject": False}


class Counter:
    """The fault server, with nothing scripted: it behaves as docker-registry does and counts."""

    def __init__(self, bench):
        directory = bench.dir / "faults"
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-m", "faultserver", "--dir", str(directory)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "tests" / "support")})
        bench.stops.append(self.stop)
        state = directory / "state.json"
        while not state.exists():
            if self.process.poll() is not None:
                raise Skip("the fault server did not start")
            time.sleep(0.02)
        self.state = json.loads(state.read_text())
        self.host = "localhost:%d" % self.state["listeners"]["http"]["port"]

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def control(self, name, value=None):
        data = None if value is None else json.dumps(value).encode()
        with urllib.request.urlopen(f"{self.state['control']}/{name}", data) as reply:
            return json.load(reply)

    def count(self, argv, folder):
        """Requests of one run, in words: {"PUT blob": 2}. A redirect or a 401 counts, too."""
        self.control("reset", {"content": False})
        self.control("config", DOCKER_REGISTRY)
        done = subprocess.run([str(word) for word in argv], cwd=folder, stdin=subprocess.DEVNULL,
                              capture_output=True, check=False)
        if done.returncode:
            said = " ".join(done.stderr.decode(errors="replace").split())
            raise Skip(f"exit {done.returncode}: {said[-200:]}")
        counts = collections.Counter()
        for entry in self.control("log"):
            kind = "blob" if "/blobs/" in entry["path"] else entry["path"].split("/")[-2]
            counts[f"{entry['method']} {kind}"] += 1
        return counts


def shown(counts):
    return ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))


def counter(bench):
    if not hasattr(bench, "counter"):
        bench.counter = Counter(bench)
    return bench.counter


def count(bench, question, name, folder, files, repository):
    one = counter(bench)
    argv = clients.push(bench)[name](one.host, f"{one.host}/{repository}:v1", files)
    if str(argv[0]) == "None":
        raise Skip("not installed")
    counts = one.count(argv, folder)
    bench.counts.append([question, name, shown(counts)])


def count_twice(bench, name, folder, files):
    """A push, and the same again."""
    try:
        for question in ("push_again: the first", "push_again: the second"):
            count(bench, question, name, folder, files, f"again/{name}")
            time.sleep(1.1)  # as push_again does between its runs
    except Skip as reason:
        bench.notes.append(f"push_again: {name} not counted: {reason}")


def run(bench):
    folder = bench.dir / "requests_files"
    contents.small_files(folder, 1, 10 << 10)
    contents.write(folder, "big", bytes(1 << 20))
    for name in NAMES:
        try:
            for question, file in (("requests: a new blob of 10 KiB", "f0"),
                                   ("requests: a new blob of 1 MiB", "big"),
                                   ("requests: the same again", "big")):
                count(bench, question, name, folder, [file], f"requests/{name}-{file}")
        except Skip as reason:
            bench.notes.append(f"requests: {name} not counted: {reason}")
