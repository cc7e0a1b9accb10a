# SPDX-License-Identifier: MIT
"""What is moved: files and a tree, always the same; in a registry and in a layout, put there
without oras-lua."""

import gzip
import hashlib
import io
import json
import os
import random
import shutil
import tarfile

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
TAR = "application/vnd.oci.image.layer.v1.tar+gzip"
TITLE = "org.opencontainers.image.title"
REF_NAME = "org.opencontainers.image.ref.name"
UNPACK, UNPACKED = "io.deis.oras.content.unpack", "io.deis.oras.content.digest"


def noise(size, seed):
    return random.Random(seed).randbytes(size)


FILES = {
    "big.bin": noise(3 << 20, 1), "empty": b"", "notes.txt": b"one line\n",
    "deep/er/middle.bin": noise(300 << 10, 2), "deep/small": noise(1000, 3),
}
TREE = {"tree/f%02d/%d" % (i % 7, i): noise(200 + 2000 * i, 100 + i) for i in range(40)}


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def write_files(root, files):
    for name, data in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(data)


def read_files(root):
    """{relative path: bytes} of everything below; a link is the text of its target."""
    found = {}
    for directory, folders, names in os.walk(root):
        for name in names + [f for f in folders if os.path.islink(os.path.join(directory, f))]:
            path = os.path.join(directory, name)
            if os.path.islink(path):
                found[os.path.relpath(path, root)] = "-> " + os.readlink(path)
                continue
            with open(path, "rb") as source:
                found[os.path.relpath(path, root)] = source.read()
    return found


def tar_of(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        folders = {os.path.dirname(name) for name in files}
        folders |= {f.split("/")[0] for f in folders}
        for folder in sorted(folders):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            tar.addfile(entry, io.BytesIO(files[name]))
    return out.getvalue()


class Artifact:
    """A manifest with its blobs: `files` as layers, `tree` as one packed directory."""

    def __init__(self, files=None, tree=None):
        self.blobs = {}
        layers = [self.add(data, "application/octet-stream", {TITLE: name})
                  for name, data in (files or {}).items()]
        if tree:
            tar = tar_of(tree)
            notes = {TITLE: "tree", UNPACK: "true", UNPACKED: digest_of(tar)}
            layers.append(self.add(gzip.compress(tar, 1, mtime=0), TAR, notes))
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/x.test",
            "config": self.add(b"{}", EMPTY), "layers": layers}).encode()
        self.digest = digest_of(self.manifest)

    def add(self, data, kind, annotations=None):
        self.blobs[digest_of(data)] = data
        one = {"mediaType": kind, "digest": digest_of(data), "size": len(data)}
        return {**one, "annotations": annotations} if annotations else one

    def push(self, registry, repository, tag):
        """By a layoutpush.Registry."""
        for digest, data in self.blobs.items():
            registry.push_blob(repository, digest, data)
        registry.request(repository, "PUT", "/v2/%s/manifests/%s" % (repository, tag),
                         self.manifest, Content_Type=MANIFEST)

    def write_layout(self, root, tag):
        folder = os.path.join(root, "blobs", "sha256")
        os.makedirs(folder)
        for digest, data in {**self.blobs, self.digest: self.manifest}.items():
            with open(os.path.join(folder, digest[7:]), "wb") as out:
                out.write(data)
        entry = {"mediaType": MANIFEST, "digest": self.digest, "size": len(self.manifest),
                 "annotations": {REF_NAME: tag}}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
        for name, value in (("index.json", index), ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
            with open(os.path.join(root, name), "w", encoding="utf-8") as out:
                json.dump(value, out)


def copy_tree(source, target):
    shutil.copytree(source, target, symlinks=True)
