#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes that die, fail or meet: then nothing wrong may be seen, and the same write, made again,
must end well and leave no temporary. TAP on standard output.

    crash.py [--runs N] [--seed N] MODE [WORLD...]

Modes: random     SIGKILL at random times
       steps      SIGKILL at the K-th call that changes files; --runs: a sample of all K
       errors     that call fails with ENOSPC, EIO, EDQUOT in turn; the write says so and ends
       interrupt  SIGINT at random times
       together   two of them at the same time
       meet       one stops before its K-th call, another runs, the first goes on
       absent     calls that older systems lack, short and interrupted ones: it ends well all the same
       full       a file system of some size (a mount namespace of our own; needs root)
       limit      RLIMIT_FSIZE

Run it under tests/support/services.sh; ORAS_TEST_LUA is the program, ORAS_TEST_BUILD has faulty.so.
"""

import argparse
import concurrent.futures
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "support")]

import layoutpush  # noqa: E402
from worlds import WORLDS, Broken, demand  # noqa: E402

TIMEOUT = 60
PATIENCE = 2  # with a process that may be waiting for a lock
INTERRUPTED = 130
ERRORS = ["ENOSPC", "EIO", "EDQUOT"]
SAID = {"ENOSPC": "No space left", "EIO": "Input/output error", "EDQUOT": "quota"}


# Each of them must go unnoticed.
ABSENT = [
    "openat2=ENOSYS,renameat2=ENOSYS,copy_file_range=ENOSYS,fallocate=ENOSYS",
    "openat2=EPERM,renameat2=EPERM,copy_file_range=EPERM,fallocate=EPERM",
    "renameat2=EINVAL,copy_file_range=EXDEV,fallocate=EOPNOTSUPP",
    "pwrite=short,write=short",
    "pwrite=EINTR:1-3,write=EINTR:1-3,fsync=EINTR:1-2,fdatasync=EINTR:1-2",
]


class Skip(Exception):
    pass


class Registry:
    """Where the artifacts come from; each is put there once."""

    def __init__(self):
        self.host = os.environ.get("ORAS_TEST_REGISTRY")
        if not self.host:
            raise Skip("docker-registry is not there")
        self.http = layoutpush.Registry("http", self.host)
        self.seeded = set()
        self.lock = threading.Lock()

    def seed(self, artifact):
        name = "crash/a" + artifact.digest[7:19]
        with self.lock:
            if name not in self.seeded:
                artifact.push(self.http, name, "1")
            self.seeded.add(name)
        return "%s/%s:1" % (self.host, name)


def begin(limit):
    """In the child: whoever runs the tests in the background ignores SIGINT for all below."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if limit:
        limit()


class Run:
    """One process that writes in a world."""

    def __init__(self, world, command=None, limit=None, **env):
        path = os.path.join(HERE, "act.lua")
        self.world = world
        self.process = subprocess.Popen(
            [os.environ["ORAS_TEST_LUA"], path, *(command or world.command)], cwd=world.cwd,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000", **env},
            preexec_fn=lambda: begin(limit))

    def wait(self):
        """(exit status, negative: a signal; what it said)"""
        try:
            _, said = self.process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise Broken("it did not end within %d s" % TIMEOUT) from None
        return self.process.returncode, said.decode(errors="replace").strip()

    def is_stopped(self):
        """Waits until it stops or ends; its end is left for wait()."""
        event = os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return event.si_code == os.CLD_STOPPED

    def is_over(self, seconds):
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def kill_after(self, seconds, number):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(number)
        return self.wait()


def finish(world):
    """The same write again: it must end well."""
    status, said = Run(world).wait()
    demand(status == 0, "afterwards it fails (%d): %s", status, said)
    world.check(True)


def is_killed(status, said):
    demand(status in (0, -signal.SIGKILL), "exit status %d: %s", status, said)
    return status != 0


def is_refused(status, said, *words):
    """It failed, and said why in a line."""
    demand(status in (0, 1), "exit status %d: %s", status, said)
    if status == 1:
        demand(any(word in said for word in words), "it says: %s", said)
        demand("stack traceback" not in said, "it says: %s", said)
    return status == 1


class Driver:
    def __init__(self, options):
        self.options = options
        self.registry = Registry()
        self.random = random.Random(options.seed)
        self.dir = tempfile.mkdtemp(prefix="oras-crash-")

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    # -- one case, in a fresh world

    def case(self, kind, act, name):
        """Gives whether the fault came; raises Broken."""
        root = tempfile.mkdtemp(dir=self.dir)
        try:
            world = WORLDS[kind](root, self.registry)
            hit = act(world)
            world.check(False)
            finish(world)
            return hit
        except Broken as broken:
            raise Broken("%s: %s" % (name, broken)) from broken
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def cases(self, kind, acts):
        """[(name, act)]: two at a time. Gives how many faults came."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(self.case, kind, act, name) for name, act in acts]
            return sum(job.result() for job in jobs)

    # -- measuring

    def seconds(self, kind):
        """How long it takes when nothing is wrong."""
        times = []

        def act(world):
            before = time.monotonic()
            status, said = Run(world).wait()
            times.append(time.monotonic() - before)
            demand(status == 0, "without any fault it fails (%d): %s", status, said)
            world.check(True)

        for _ in range(3):
            self.case(kind, act, "without a fault")
        return sorted(times)[1]

    def calls(self, kind):
        """How many calls change files."""
        counts = []

        def act(world):
            path = os.path.join(world.root, "..", os.path.basename(world.root) + ".calls")
            with open(path, "wb") as out:
                out.write(bytes(64))
            status, said = Run(world, ORAS_TEST_CALLS=path, LD_PRELOAD=faulty()).wait()
            demand(status == 0, "counting its calls it fails (%d): %s", status, said)
            with open(path, "rb") as source:
                counts.append(int.from_bytes(source.read(8), "little"))

        self.case(kind, act, "counting")
        demand(counts[0] > 0, "no call that changes files was seen")
        return counts[0]

    def sample(self, count):
        runs = self.options.runs
        return range(1, count + 1) if not runs or runs >= count else sorted(
            self.random.sample(range(1, count + 1), runs))

    # -- the modes; each gives a text about what was tried

    def random_kills(self, kind, number=signal.SIGKILL):
        span, runs = self.seconds(kind) * 1.1, self.options.runs or 1000
        hits = self.cases(kind, [self.killed_after(self.random.uniform(0, span), number)
                                 for _ in range(runs)])
        demand(hits > runs // 20, "of %d only %d were hit", runs, hits)
        return "%d runs, %d hit, in %.0f ms" % (runs, hits, span * 1000)

    def killed_after(self, seconds, number):
        def act(world):
            status, said = Run(world).kill_after(seconds, number)
            if number == signal.SIGINT:
                # a signal before there is anything to interrupt ends it as it ends any program
                demand(status in (0, INTERRUPTED, -signal.SIGINT), "%d: %s", status, said)
                return status != 0
            return is_killed(status, said)

        return "after %.2f ms" % (seconds * 1000), act

    def interrupts(self, kind):
        return self.random_kills(kind, signal.SIGINT)

    def steps(self, kind):
        def at(number):
            return "at call %d" % number, lambda world: is_killed(
                *Run(world, ORAS_TEST_DIE_AT=str(number), LD_PRELOAD=faulty()).wait())

        count = self.calls(kind)
        hits = self.cases(kind, [at(number) for number in self.sample(count)])
        demand(hits > 0, "not one died")
        return "%d of %d calls" % (hits, count)

    def errors(self, kind):
        def at(number, error):
            fault = "%d:%s" % (number, error)
            return "call %s" % fault, lambda world: is_refused(
                *Run(world, ORAS_TEST_FAIL_AT=fault, LD_PRELOAD=faulty()).wait(), SAID[error])

        count = self.calls(kind)
        hits = self.cases(kind, [at(number, ERRORS[i % len(ERRORS)])
                                 for i, number in enumerate(self.sample(count))])
        demand(hits > 0, "not one failed")
        return "%d of %d calls" % (hits, count)

    def together(self, kind):
        def act(world):
            runs = [Run(world, command) for command in world.pair()]
            failed = [is_refused(*run.wait(), "exists") for run in runs]
            demand(not all(failed), "neither ended well")
            return not any(failed)

        runs = self.options.runs or 50
        both = self.cases(kind, [("pair %d" % i, act) for i in range(runs)])
        return "%d pairs, of %d both ended well" % (runs, both)

    def meet(self, kind):
        def at(number):
            return "the first stopped at call %d" % number, lambda world: self.passed(world, number)

        count = self.calls(kind)
        hits = self.cases(kind, [at(number) for number in self.sample(count)])
        demand(hits > 0, "not one stopped")
        return "%d of %d calls" % (hits, count)

    @staticmethod
    def passed(world, number):
        """The second runs while the first stands still, unless it has to wait for its lock."""
        one, two = world.pair()
        first = Run(world, one, ORAS_TEST_STOP_AT=str(number), LD_PRELOAD=faulty())
        stopped = first.is_stopped()
        second = Run(world, two)
        if stopped:
            second.is_over(PATIENCE)
            world.check(False)
            first.process.send_signal(signal.SIGCONT)
        failed = [is_refused(*run.wait(), "exists") for run in (first, second)]
        demand(not all(failed), "neither ended well")
        return stopped

    def absent(self, kind):
        def without(failures):
            def act(world):
                status, said = Run(world, ORAS_TEST_FAIL=failures, LD_PRELOAD=faulty()).wait()
                demand(status == 0, "exit status %d: %s", status, said)
                world.check(True)
                return True

            return failures, act

        return "%d lists of calls" % self.cases(kind, map(without, ABSENT))

    def limit(self, kind):
        def at(size):
            def lower():
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

            return "files up to %d" % size, lambda world: is_refused(
                *Run(world, limit=lower).wait(), "File too large")

        sizes = [1, 100, 5000, 100000, 1 << 20]
        hits = self.cases(kind, [at(size) for size in sizes])
        demand(hits > 0, "not one met the limit")
        return "%d of %d sizes" % (hits, len(sizes))

    def full(self, kind):
        def at(options):
            return options, lambda world: self.on_small(world, options)

        sizes = ["size=16k", "size=256k", "size=1m", "size=3m", "nr_inodes=5", "nr_inodes=20"]
        hits = sum(self.case(kind, act, name) for name, act in map(at, sizes))
        demand(hits > 0, "not one was full")
        return "%d of %d file systems" % (hits, len(sizes))

    @staticmethod
    def on_small(world, options):
        """The target moves to a small file system; what it has then is checked, and moved back."""
        small = world.root + ".small"
        os.mkdir(small)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", small], check=True)
        try:
            try:
                shutil.copytree(world.target, small, symlinks=True, dirs_exist_ok=True)
            except (OSError, shutil.Error):
                return False  # what was there before does not fit
            subprocess.run(["mount", "--bind", small, world.target], check=True)
            try:
                hit = is_refused(*Run(world).wait(), "No space left")
                world.check(False)
            finally:
                subprocess.run(["umount", world.target], check=True)
            return hit
        finally:
            subprocess.run(["umount", small], check=True)
            os.rmdir(small)


def faulty():
    path = os.path.join(os.environ.get("ORAS_TEST_BUILD", ""), "tests", "torture", "faulty.so")
    if not os.path.exists(path):
        raise Skip("there is no %s" % path)
    return path


MODES = {"random": Driver.random_kills, "steps": Driver.steps, "errors": Driver.errors,
         "interrupt": Driver.interrupts, "together": Driver.together,
         "meet": Driver.meet, "absent": Driver.absent, "full": Driver.full,
         "limit": Driver.limit}


def parse():
    parser = argparse.ArgumentParser(prog="crash.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=0, help="of each world (0: all, or 1000)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("worlds", nargs="*", help=", ".join(WORLDS) + " (default: all)")
    options = parser.parse_args()
    for name in options.worlds:
        if name not in WORLDS:
            parser.error("no world %r; there are: %s" % (name, ", ".join(WORLDS)))
    return options


def enter_namespace():
    """For `full`: mounts that end with this process."""
    if os.environ.get("ORAS_TEST_NAMESPACE") or os.geteuid() != 0:
        return
    able = subprocess.run(["unshare", "--mount", "true"], check=False, stderr=subprocess.DEVNULL)
    if able.returncode == 0:
        os.environ["ORAS_TEST_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, "-B", __file__, *sys.argv[1:]])


def main():
    options = parse()
    if options.mode == "full":
        enter_namespace()
    names = options.worlds or list(WORLDS)
    try:
        driver = Driver(options)
        if options.mode == "full" and "ORAS_TEST_NAMESPACE" not in os.environ:
            raise Skip("no mount namespace of our own (needs root)")
    except Skip as skip:
        print("1..0 # skipped %s" % skip)
        return 0
    bad = 0
    for number, name in enumerate(names, 1):
        title = "%s, %s" % (name, options.mode)
        try:
            print("ok %d - %s: %s" % (number, title, MODES[options.mode](driver, name)))
        except Skip as skip:
            print("ok %d - %s # SKIP %s" % (number, title, skip))
        except Broken as broken:
            bad += 1
            print("not ok %d - %s (seed %d): %s" % (number, title, options.seed, broken))
        sys.stdout.flush()
    driver.close()
    print("1..%d" % len(names))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
