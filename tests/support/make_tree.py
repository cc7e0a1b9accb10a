#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_tree.py DIRECTORY [hard] [bytes]: a tree that is the same on every run, its times included.

With `hard`, names that the headers of tar have trouble with, odd modes and times, too; with `bytes`,
names that are no UTF-8.
"""
import os
import random
import sys

WORDS = ("layer", "blob", "manifest", "digest", "tag", "index", "registry", "bytes")
TIME = 1_600_000_000


class Tree:
    def __init__(self, root):
        self.root = os.fsencode(root)
        self.rest = []  # times of directories: set at the end

    def path(self, name):
        full = os.path.join(self.root, name if isinstance(name, bytes) else name.encode())
        os.makedirs(os.path.dirname(full), exist_ok=True)
        return full

    def file(self, name, data=b"x", mode=0o644, time=TIME * 10**9):
        full = self.path(name)
        with open(full, "wb") as file:
            file.write(data)
        os.chmod(full, mode)
        os.utime(full, ns=(time, time))

    def directory(self, name, mode=0o755):
        os.makedirs(self.path(name))
        os.chmod(self.path(name), mode)

    def link(self, name, target):
        full = self.path(name)
        os.symlink(target, full)
        os.utime(full, (TIME, TIME), follow_symlinks=False)

    def finish(self):
        for at, _, _ in os.walk(self.root, topdown=False):
            os.utime(at, (TIME, TIME))


def plain(tree):
    rng = random.Random(7)
    for i in range(40):
        text = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(4000)))
        tree.file(f"text/{i % 5}/{i}.txt", text.encode())
    tree.file("random", rng.randbytes(2_500_000))
    tree.file("big.txt", "\n".join(rng.choice(WORDS) for _ in range(400_000)).encode())
    tree.file("program", b"#!/bin/sh\n", mode=0o755)
    tree.file("empty", b"")
    tree.directory("nothing")
    tree.link("text/link", "../program")


def hard(tree):
    for n in (99, 100, 101, 102, 154, 155, 156, 157, 200, 220, 255):
        tree.file("n" * n)
    for n in (40, 99, 100, 101):
        for m in (54, 55, 99, 100, 101, 120):
            tree.file("d" * n + "/" + "f" * m)
    tree.file("a" * 155 + "/" + "b" * 100)
    tree.file("a" * 156 + "/" + "b" * 10)
    tree.file("a" * 97 + "/b/" + "c" * 97)
    tree.file("p/" * 40 + "q" * 90)
    tree.file("s" * 99 + "/" + "t" * 101)
    for name in ("h\u00e9llo", "\u65e5\u672c\u8a9e/\u30d5\u30a1\u30a4\u30eb", "new\nline", "tab\t", "sp ace", "-dash",
                 "\u00e9" * 60 + "/" + "y" * 120, "s" * 98 + "\u00e9/z", "PaxHeaders.0/x"):
        tree.file(name)
    tree.file("setuid", mode=0o4755)
    tree.file("setgid", mode=0o2755)
    tree.file("sticky", mode=0o1644)
    tree.directory("shared", mode=0o1777)
    tree.file("before", time=-1_500_000_000 * 10**9)
    tree.file("half", time=1_500_000_000_500_000_000)
    tree.file("under", time=1_500_000_000_499_999_999)
    tree.file("far", time=10_000_000_000 * 10**9)
    tree.file("padded", b"p" * 513)
    tree.link("to-\u00e9", "h\u00e9llo")
    tree.link("long-link", "./" * 60 + "setuid")
    os.link(tree.path("setuid"), tree.path("hard-link"))


def main():
    tree = Tree(sys.argv[1])
    plain(tree)
    if "hard" in sys.argv[2:]:
        hard(tree)
    if "bytes" in sys.argv[2:]:
        tree.file(b"not\xff\xfeutf8/\xe9")
    tree.finish()


if __name__ == "__main__":
    main()
