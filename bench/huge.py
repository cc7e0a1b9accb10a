# SPDX-License-Identifier: MIT
"""A blob of 10 GiB: is peak memory flat? Needs 10 GiB of free memory; only with --huge."""

import hashlib

import big
from harness import Skip, removed

SIZE = 10 << 30


def write_zeros(path, size):
    """A file that is all hole; gives its digest."""
    hasher = hashlib.sha256()
    block = bytes(1 << 24)
    for _ in range(size // len(block)):
        hasher.update(block)
    with open(path, "wb") as out:
        out.truncate(size)
    return "sha256:" + hasher.hexdigest()


def run(bench):
    if not bench.options.huge:
        raise Skip("only with --huge")
    server, digest = big.serve(bench, "huge", write_zeros, SIZE)
    wanted = ("oras-lua", "curl", "oras")
    cases = [case for case in big.cases(bench, server, digest) if case.name in wanted]
    bench.compare("huge: 10 GiB to a file", cases, 1)
    removed(bench.dir / "out")()
