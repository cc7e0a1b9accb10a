# SPDX-License-Identifier: MIT
"""Run programs side by side: one run of each, then again; medians; one table."""

import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
SCRIPTS = HERE / "scripts"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
PEERS = pathlib.Path(os.environ.get("ORAS_TEST_PEERS") or CACHE / "oras-lua" / "peers")


class Skip(Exception):
    """A question or a program that cannot run here, and why."""


class Case:
    """One program's answer to a question. `prepare` runs before each run and `look` after it,
    both unmeasured."""

    def __init__(self, name, argv, prepare=None, stdout=None, env=None, cwd=None, look=None):
        self.name, self.argv = name, [str(part) for part in argv]
        self.prepare, self.stdout, self.env = prepare, stdout, env
        self.cwd, self.look = cwd, look
        self.runs = []
        self.skipped = None


class Bench:
    def __init__(self, options):
        self.options = options
        self.notes, self.rows, self.counts = [], [], []
        base = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="oras-bench-", dir=base))
        self.dir.chmod(0o755)
        self.build = pathlib.Path(options.build).resolve()
        self.oras_lua = self.find("oras-lua")
        self.measure = self.find("bench-measure")
        self.stops = []

    def find(self, name):
        found = [p for p in self.build.rglob(name) if p.is_file() and os.access(p, os.X_OK)]
        if not found:
            raise SystemExit(f"bench: no {name} below {self.build}; build it or give --build")
        return found[0]

    def close(self):
        for stop in reversed(self.stops):
            stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def rounds(self, usual):
        return self.options.rounds or usual

    def peer(self, name):
        """A program of others: where scripts/peers puts them, else the PATH; None: absent."""
        return shutil.which(name, path=str(PEERS)) or shutil.which(name)

    def python_peer(self):
        """A Python that has oras-py."""
        path = PEERS / "venv" / "bin" / "python"
        return self.options.oras_py or (path if path.exists() else None)

    def run_once(self, case):
        """Give (wall us, CPU us, peak KiB), or raise Skip."""
        if case.prepare:
            case.prepare()
        report = self.dir / "report"
        with open(case.stdout or os.devnull, "wb") as out:
            done = subprocess.run(
                [self.measure, report, *case.argv],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                env={**os.environ, **(case.env or {})},
                cwd=case.cwd,
                check=False,
            )
        if done.returncode != 0:
            raise Skip("it could not be started")
        wall, cpu, peak, status = (int(word) for word in report.read_text().split())
        if status != 0:
            words = done.stderr.decode(errors="replace").strip().splitlines()
            raise Skip(f"exit {status}: {words[-1] if words else 'no message'}")
        if case.look:
            case.look()
        return wall, cpu, peak

    def compare(self, question, cases, rounds):
        """Warm each up once, then interleave; add the question's rows to the table."""
        for case in cases:
            if case.argv[0] in ("None", ""):
                case.skipped = "not installed"
                continue
            try:
                self.run_once(case)
            except Skip as reason:
                case.skipped = str(reason)
        for _ in range(rounds):
            for case in cases:
                if not case.skipped:
                    try:
                        case.runs.append(self.run_once(case))
                    except Skip as reason:
                        case.skipped = str(reason)
        self.add_rows(question, cases)

    def add_rows(self, question, cases):
        walls = {c.name: statistics.median(r[0] for r in c.runs) for c in cases if c.runs}
        for case in cases:
            if case.skipped or not case.runs:
                self.notes.append(f"{question}: {case.name} skipped: {case.skipped}")
                continue
            wall, cpu, peak = (statistics.median(r[i] for r in case.runs) for i in range(3))
            self.rows.append(
                [
                    question,
                    case.name,
                    f"{wall / 1000:.1f}",
                    f"{cpu / 1000:.1f}",
                    f"{peak / 1024:.1f}",
                    ratio(walls.get("oras-lua"), wall),
                ]
            )

    def table(self):
        head = ["question", "program", "wall ms", "CPU ms", "peak MB", "oras-lua : it (wall)"]
        lines = [head, ["---"] * len(head), *self.rows]
        text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        if self.counts:
            text += "\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in [
                ["counted", "program", "is"], ["---"] * 3, *self.counts])
        return text + "".join(f"\n- {note}" for note in self.notes)


def ratio(ours, theirs):
    return f"{ours / theirs:.2f}" if ours else "-"


def empty(directory):
    """A function that makes `directory` anew: what a case runs before each run."""

    def prepare():
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)

    return prepare


def removed(path):
    """A function that takes a file away."""

    def prepare():
        pathlib.Path(path).unlink(missing_ok=True)

    return prepare
