#!/usr/bin/env python3
"""Archives of one small tree as real programs make them, and beside each NAME the lines NAME.txt
that a reader of it must give (sorted). Python's own modules always; tar, bsdtar, zip, zstd, bzip2,
xz and pigz where they are installed.

usage: make_archives.py DIRECTORY
"""
import bz2
import gzip
import hashlib
import io
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile

MTIME = 1600000000
LONG = "long/" + "d" * 100 + "/" + "e" * 100 + "/" + "f" * 100


def noise(size):
    """Bytes that do not shrink, the same on every run."""
    out, block = bytearray(), b"oras"
    while len(out) < size:
        block = hashlib.sha256(block).digest()
        out += block
    return bytes(out[:size])


# path, type (f, d, l, h), mode, data or target; a hard link stands behind what it names
TREE = [
    ("dir", "d", 0o755, None),
    ("dir/sub", "d", 0o700, None),
    ("a.txt", "f", 0o644, b"hello\n"),
    ("dir/empty", "f", 0o600, b""),
    ("dir/link", "l", 0o777, "../a.txt"),
    ("dir/run", "f", 0o755, b"#!/bin/sh\n" * 1000),
    ("dir/sub/\u00fcmlaut \u2603", "f", 0o644, "snow\n".encode()),
    ("noise", "f", 0o644, noise(200000)),
    ("hard", "h", 0o644, "a.txt"),
]
LONG_TREE = TREE + [
    (os.path.dirname(os.path.dirname(LONG)), "d", 0o755, None),
    (os.path.dirname(LONG), "d", 0o755, None),
    (LONG, "f", 0o644, b"far\n"),
    ("long/link", "l", 0o777, LONG),
]


def data_of(tree, target):
    return next(data for path, _, _, data in tree if path == target)


def line(path, kind, mode, data, tree, zipped):
    if kind == "h" and zipped:
        kind, data = "f", data_of(tree, data)
    size = len(data) if kind == "f" else 0
    text = f"{kind} {mode:o} {size}" + ("" if zipped else f" {MTIME}") + f" {path}"
    if kind in "lh":
        text += f" -> {data}"
    if kind == "f":
        text += " sha256:" + hashlib.sha256(data).hexdigest()
    return text


def expect(path, tree, zipped=False):
    lines = sorted((line(*entry, tree, zipped) for entry in tree), key=lambda text: text.encode())
    with open(path + ".txt", "w", encoding="utf-8") as out:
        out.write("".join(text + "\n" for text in lines))


def write_tree(root, tree):
    for path, kind, mode, data in tree:
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if kind == "d":
            os.makedirs(full, exist_ok=True)
        elif kind == "l":
            os.symlink(data, full)
        elif kind == "h":
            os.link(os.path.join(root, data), full)
        else:
            with open(full, "wb") as out:
                out.write(data)
    for path, kind, mode, _ in reversed(tree):
        full = os.path.join(root, path)
        if kind != "l":
            os.chmod(full, mode)
        os.utime(full, (MTIME, MTIME), follow_symlinks=False)


def python_tar(path, tree, tar_format):
    types = {"f": tarfile.REGTYPE, "d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE, "h": tarfile.LNKTYPE}
    with tarfile.open(path, "w", format=tar_format) as tar:
        for name, kind, mode, data in tree:
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.mtime = types[kind], mode, MTIME
            if kind == "f":
                info.size = len(data)
            elif kind in "lh":
                info.linkname = data
            tar.addfile(info, io.BytesIO(data) if kind == "f" else None)
    expect(path, tree)


class Unseekable(io.RawIOBase):
    """A pipe, as far as zipfile can see: it then writes data descriptors."""

    def __init__(self, out):
        self.out = out

    def writable(self):
        return True

    def write(self, data):
        return self.out.write(data)


def python_zip(path, tree, method, stream=False, comment=b""):
    with open(path, "wb") as raw:
        out = Unseekable(raw) if stream else raw
        with zipfile.ZipFile(out, "w", method) as packed:
            packed.comment = comment
            for name, kind, mode, data in tree:
                if kind == "h":
                    kind, data = "f", data_of(tree, data)
                types = {"f": stat.S_IFREG, "d": stat.S_IFDIR, "l": stat.S_IFLNK}
                info = zipfile.ZipInfo(name + ("/" if kind == "d" else ""), (2020, 9, 13, 12, 0, 0))
                info.create_system = 3
                info.external_attr = (types[kind] | mode) << 16
                info.compress_type = zipfile.ZIP_STORED if kind != "f" else method
                content = {"d": b"", "l": (data or b"") if kind == "l" else b"", "f": data}[kind]
                packed.writestr(info, content)
    expect(path, tree, zipped=True)


def run(*command, **more):
    """Run a program if it is there; false if it is not."""
    if not shutil.which(command[0]):
        return False
    subprocess.run(command, check=True, **more)
    return True


def with_tools(out, root):
    names = os.path.join(out, "names")
    for tree, label, formats in ((LONG_TREE, "", ("gnu", "posix")), (TREE, "short-", ("ustar",))):
        with open(names, "w", encoding="utf-8") as listing:
            listing.write("".join(path + "\n" for path, *_ in tree))
        for tar_format in formats:
            path = os.path.join(out, f"gnutar-{tar_format}.tar")
            if run("tar", f"--format={tar_format}", "--no-recursion", "-cf", path, "-C", root, "-T", names):
                expect(path, tree)
    for tar_format in ("pax", "gnutar"):
        path = os.path.join(out, f"bsdtar-{tar_format}.tar")
        with open(names, "w", encoding="utf-8") as listing:
            listing.write("".join(path + "\n" for path, *_ in LONG_TREE))
        if run("bsdtar", f"--format={tar_format}", "-n", "-cf", path, "-C", root, "-T", names,
               env=dict(os.environ, LC_ALL="C.UTF-8")):
            expect(path, LONG_TREE)
    os.unlink(names)
    path = os.path.join(out, "infozip.zip")
    if run("zip", "-qXy", path, *(path for path, *_ in LONG_TREE), cwd=root):
        expect(path, LONG_TREE, zipped=True)


def packed(out):
    plain = os.path.join(out, "python-pax.tar")
    with open(plain, "rb") as source:
        tar = source.read()
    thirds = [tar[i * len(tar) // 3:(i + 1) * len(tar) // 3] for i in range(3)]
    made = {
        "python-gzip.tar.gz": gzip.compress(tar, mtime=0),
        "python-gzip-members.tar.gz": b"".join(gzip.compress(part, mtime=0) for part in thirds),
        "python-gzip-stored.tar.gz": gzip.compress(tar, 0, mtime=0),
        "python-bzip2.tar.bz2": bz2.compress(tar),
        "python-bzip2-streams.tar.bz2": b"".join(bz2.compress(part, 1) for part in thirds),
    }
    named = io.BytesIO()
    with gzip.GzipFile("a name.tar", "wb", 9, named, MTIME) as stream:
        stream.write(tar)
    made["python-gzip-named.tar.gz"] = named.getvalue()
    for name, data in made.items():
        with open(os.path.join(out, name), "wb") as target:
            target.write(data)
        expect(os.path.join(out, name), LONG_TREE)
    commands = {
        "gzip-1.tar.gz": ("gzip", "-1nc"),
        "gzip-9.tar.gz": ("gzip", "-9c"),
        "pigz.tar.gz": ("pigz", "-nc", "-b128"),
        "bzip2-9.tar.bz2": ("bzip2", "-9c"),
        "zstd-1.tar.zst": ("zstd", "-1qc"),
        "zstd-19-long.tar.zst": ("zstd", "-19qc", "--long=27"),
        "zstd-no-check.tar.zst": ("zstd", "-3qc", "--no-check"),
    }
    for name, command in commands.items():
        path = os.path.join(out, name)
        if not shutil.which(command[0]):
            continue
        with open(path, "wb") as target:
            subprocess.run([*command, plain], check=True, stdout=target)
        expect(path, LONG_TREE)


def main(out):
    shutil.rmtree(out, ignore_errors=True)
    root = os.path.join(out, "tree")
    os.makedirs(root)
    write_tree(root, LONG_TREE)
    python_tar(os.path.join(out, "python-pax.tar"), LONG_TREE, tarfile.PAX_FORMAT)
    python_tar(os.path.join(out, "python-gnu.tar"), LONG_TREE, tarfile.GNU_FORMAT)
    python_tar(os.path.join(out, "python-ustar.tar"), TREE, tarfile.USTAR_FORMAT)
    python_zip(os.path.join(out, "python-stored.zip"), LONG_TREE, zipfile.ZIP_STORED)
    python_zip(os.path.join(out, "python-deflated.zip"), LONG_TREE, zipfile.ZIP_DEFLATED, comment=b"PK\x05\x06")
    python_zip(os.path.join(out, "python-streamed.zip"), LONG_TREE, zipfile.ZIP_DEFLATED, stream=True)
    with_tools(out, root)
    packed(out)
    shutil.rmtree(root)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
