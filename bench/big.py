# SPDX-License-Identifier: MIT
"""A blob of 1 GiB into a file, verified (curl: not verified), from nginx, in memory."""

import hashlib
import os

from harness import SCRIPTS, Case, empty, removed
from servers import LAYER, Static, descriptor

REPOSITORY = "bench/big"
CHUNK = 16 << 20


def write_blob(path, size):
    """Random bytes, `size` of them; gives their digest."""
    hasher = hashlib.sha256()
    block = os.urandom(CHUNK)
    with open(path, "wb") as out:
        for number in range(size // CHUNK):
            part = number.to_bytes(8, "big") + block[8:]
            hasher.update(part)
            out.write(part)
    return "sha256:" + hasher.hexdigest()


def serve(bench, name, write, size):
    server = Static(bench, name)
    plain = server.dir / "blob"
    digest = write(plain, size)
    os.rename(plain, server.blob_path(REPOSITORY, digest))
    server.add_manifest(REPOSITORY, "latest", [descriptor(digest, size, LAYER, "blob")])
    server.start()
    return server, digest


def cases(bench, server, digest):
    target = bench.dir / "out"
    gone = removed(target)
    reference = f"{server.host}/{REPOSITORY}"
    directory = bench.dir / "out.dir"
    return [
        Case(
            "oras-lua", [bench.oras_lua, SCRIPTS / "blob.lua", reference, digest, target], prepare=gone
        ),
        Case(
            "curl",
            [bench.peer("curl"), "-sf", "-o", target, f"http://{reference.replace('/', '/v2/', 1)}/blobs/{digest}"],
            prepare=gone,
        ),
        Case(
            "oras",
            [bench.peer("oras"), "blob", "fetch", "--plain-http", "-o", target, f"{reference}@{digest}"],
            prepare=gone,
        ),
        Case(
            "crane",
            [bench.peer("crane"), "blob", "--insecure", f"{reference}@{digest}"],
            prepare=gone,
            stdout=target,
        ),
        Case(
            "skopeo",
            [
                bench.peer("skopeo"),
                "--insecure-policy",
                "copy",
                "-q",
                "--src-tls-verify=false",
                f"docker://{reference}:latest",
                f"dir:{directory}",
            ],
            prepare=empty(directory),
        ),
    ]


def run(bench):
    server, digest = serve(bench, "big", write_blob, 1 << 30)
    bench.compare("big: 1 GiB to a file", cases(bench, server, digest), bench.rounds(5))
    for name in ("out", "out.dir"):
        removed(bench.dir / name)() if name == "out" else empty(bench.dir / name)()
    server.blob_path(REPOSITORY, digest).unlink()
