# SPDX-License-Identifier: MIT
"""Pushes artifacts with every other client that is there, and writes down what lies where.

    push_artifacts.py OUT.json      under services.sh: takes the registries from ORAS_TEST_*

OUT.json: {"artifacts": [{name, by, registry, repository, tag, reference, digest, media_type,
size}], "skipped": [{name, reason}]}. A client that is absent, or that failed, is in "skipped".
The open registry gets all; the token-protected one behind TLS and a CDN gets the layouts.
"""

import io
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

from layoutpush import Registry, layout_entries, push_layout

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = os.path.join(HERE, "..", "..", "examples", "layout")
MTIME = 1735689600
IMAGE = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
PYTHON_PUSH = """
import sys, oras.client
target, *files = sys.argv[1:]
client = oras.client.OrasClient(insecure=True, tls_verify=False)
client.push(target=target, files=files, manifest_annotations={"made.by": "oras-py"}, quiet=True)
"""


class Absent(Exception):
    pass


def program(name):
    places = [os.environ.get("ORAS_TEST_PEERS"), os.environ.get("PATH")]
    found = shutil.which(name, path=":".join(p for p in places if p))
    if not found:
        raise Absent("no '%s'" % name)
    return found


class Pusher:
    def __init__(self, work):
        self.work = work
        self.open = Registry("http", os.environ["ORAS_TEST_REGISTRY"])
        self.artifacts, self.skipped = [], []
        self.write_files()
        # No configuration of the user's may leak in, and no peer may write to it.
        self.env = {**os.environ, "DOCKER_CONFIG": work, "HOME": work, "no_proxy": "*"}

    # -- what is pushed

    def write_files(self):
        for name, text in (("hello.txt", "hello\n"), ("data.json", '{"answer": 42}\n'),
                           ("tree/a.txt", "a\n"), ("tree/deep/b.txt", "b\n"),
                           ("sbom.json", '{"spdxVersion": "SPDX-2.3"}\n')):
            path = os.path.join(self.work, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
        with open(os.path.join(self.work, "annotations.json"), "w", encoding="utf-8") as out:
            json.dump({"$manifest": {"org.example.kind": "test", "empty": ""},
                       "hello.txt": {"org.example.file": "ünïcödé"}}, out)
        self.write_tar(os.path.join(self.work, "layer.tar"))

    def write_tar(self, path):
        with tarfile.open(path, "w") as tar:
            for name, data in (("etc/motd", b"welcome\n"), ("bin/run", b"#!/bin/sh\n")):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mtime = len(data), MTIME
                tar.addfile(entry, io.BytesIO(data))

    def write_image_layout(self):
        """An OCI layout with one plain image, for clients that copy."""
        root = os.path.join(self.work, "image")
        blobs = os.path.join(root, "blobs", "sha256")
        os.makedirs(blobs)

        def put(data, kind):
            name = hashlib.sha256(data).hexdigest()
            with open(os.path.join(blobs, name), "wb") as out:
                out.write(data)
            return {"mediaType": kind, "digest": "sha256:" + name, "size": len(data)}

        with open(os.path.join(self.work, "layer.tar"), "rb") as source:
            tar = source.read()
        config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
            "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]}}
        manifest = {"schemaVersion": 2, "mediaType": IMAGE,
                    "config": put(json.dumps(config).encode(), CONFIG),
                    "layers": [put(gzip.compress(tar, mtime=0), LAYER)]}
        entry = put(json.dumps(manifest).encode(), IMAGE)
        entry["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
        for name, value in (("oci-layout", {"imageLayoutVersion": "1.0.0"}),
                            ("index.json", {"schemaVersion": 2, "manifests": [entry]})):
            with open(os.path.join(root, name), "w", encoding="utf-8") as out:
                json.dump(value, out)
        return root

    # -- how

    def run(self, *command):
        done = subprocess.run(command, cwd=self.work, env=self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise RuntimeError("%s gave %d: %s" % (
                os.path.basename(command[0]), done.returncode, done.stderr.strip()[-500:]))

    def reference(self, repository, tag):
        return "%s/%s:%s" % (self.open.host, repository, tag)

    def record(self, name, by, registry, repository, tag):
        digest, kind, size = registry.head_manifest(repository, tag)
        self.artifacts.append({
            "name": name, "by": by, "registry": registry.host, "repository": repository,
            "tag": tag, "reference": "%s/%s:%s" % (registry.host, repository, tag),
            "digest": digest, "media_type": kind, "size": size})

    def attempt(self, name, by, repository, tag, push):
        try:
            push(self.reference(repository, tag))
            self.record(name, by, self.open, repository, tag)
        except Absent as absent:
            self.skipped.append({"name": name, "reason": "%s (scripts/peers installs it)" % absent})
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            self.skipped.append({"name": name, "reason": "failed: %s" % error})

    # -- who

    def oras_files(self, ref):
        self.run(program("oras"), "push", "--plain-http", "--artifact-type", "application/vnd.test",
                 "--annotation-file", "annotations.json", ref, "hello.txt:text/plain",
                 "data.json:application/json", "tree")

    def oras_attach(self, ref):
        subject = self.reference("peers/oras", "files")
        self.run(program("oras"), "attach", "--plain-http", "--artifact-type",
                 "application/spdx+json", subject, "sbom.json")
        digest = self.open.head_manifest("peers/oras", "files")[0]
        self.run(program("oras"), "tag", "--plain-http",
                 "%s/peers/oras:%s" % (self.open.host, digest.replace(":", "-")),
                 ref.rpartition(":")[2])

    def oras_index(self, ref):
        oras = program("oras")
        for arch in ("amd64", "arm64"):
            self.run(oras, "push", "--plain-http", "--artifact-platform", "linux/" + arch,
                     self.reference("peers/oras", arch), "hello.txt")
        self.run(oras, "manifest", "index", "create", "--plain-http", ref, "amd64", "arm64")

    def crane_image(self, ref):
        self.run(program("crane"), "append", "--insecure", "--oci-empty-base", "-f", "layer.tar",
                 "-t", ref)

    def regctl(self, *words):
        self.run(program("regctl"), "--host", "reg=%s,tls=disabled" % self.open.host, *words)

    def regctl_artifact(self, ref):
        self.regctl("artifact", "put", "--artifact-type", "application/vnd.test",
                    "--annotation", "made.by=regctl", "--file-title", "-f", "hello.txt",
                    "-m", "text/plain", "-f", "data.json", "-m", "application/json", ref)

    def regctl_referrer(self, ref):
        subject = self.reference("peers/regctl", "artifact")
        self.regctl("artifact", "put", "--artifact-type", "application/spdx+json",
                    "-f", "sbom.json", "--subject", subject)
        digest = self.open.head_manifest("peers/regctl", "artifact")[0]
        self.regctl("image", "copy", "%s/peers/regctl:%s" % (
            self.open.host, digest.replace(":", "-")), ref)

    def skopeo_image(self, ref):
        self.run(program("skopeo"), "--insecure-policy", "copy", "--dest-tls-verify=false",
                 "oci:%s:v1" % os.path.join(self.work, "image"), "docker://" + ref)

    def skopeo_docker(self, ref):
        self.run(program("skopeo"), "--insecure-policy", "copy", "--dest-tls-verify=false",
                 "--format", "v2s2", "oci:%s:v1" % os.path.join(self.work, "image"),
                 "docker://" + ref)

    def oras_py(self, ref):
        self.run(program("oras-py"), "-c", PYTHON_PUSH, ref, "hello.txt:text/plain", "tree")

    def peers(self):
        self.write_image_layout()
        self.attempt("oras-files", "oras", "peers/oras", "files", self.oras_files)
        self.attempt("oras-attach", "oras", "peers/oras", "referrers", self.oras_attach)
        self.attempt("oras-index", "oras", "peers/oras", "index", self.oras_index)
        self.attempt("crane-image", "crane", "peers/crane", "image", self.crane_image)
        self.attempt("regctl-artifact", "regctl", "peers/regctl", "artifact", self.regctl_artifact)
        self.attempt("regctl-referrer", "regctl", "peers/regctl", "referrers", self.regctl_referrer)
        self.attempt("skopeo-image", "skopeo", "peers/skopeo", "image", self.skopeo_image)
        self.attempt("skopeo-docker", "skopeo", "peers/skopeo", "docker", self.skopeo_docker)
        self.attempt("oras-py-files", "oras-py", "peers/oras-py", "files", self.oras_py)

    # -- layouts, which need no other client

    def layout(self, name, directory, repository):
        tag = layout_entries(directory)[0][0]
        push_layout(self.open, directory, repository)
        self.record(name, "support", self.open, repository, tag)
        host = os.environ.get("ORAS_TEST_REGISTRY_CDN")
        if host:
            behind = Registry("https", host, os.environ["ORAS_TEST_CA"],
                              os.environ["ORAS_TEST_FAULTS"])
            push_layout(behind, directory, repository)
            self.record(name + "-cdn", "support", behind, repository, tag)

    def conda(self):
        """The real artifact: with oras where it is there, as its owners would."""
        root = os.environ.get("ORAS_TEST_DATA")
        if not root or not os.path.exists(os.path.join(root, "conda", "index.json")):
            self.skipped.append({"name": "conda", "reason": "ORAS_TEST_DATA has no conda layout"})
            return
        directory = os.path.join(root, "conda")
        tag = layout_entries(directory)[0][0]

        def copy(ref):
            self.run(program("oras"), "cp", "--from-oci-layout", "--to-plain-http",
                     "%s:%s" % (directory, tag), ref)
        self.attempt("conda-oras", "oras", "peers/conda", tag, copy)
        self.layout("conda", directory, "data/conda")


def main():
    with tempfile.TemporaryDirectory(prefix="oras-push-") as work:
        pusher = Pusher(work)
        pusher.peers()
        pusher.layout("example", EXAMPLE, "data/greeting")
        pusher.conda()
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        json.dump({"artifacts": pusher.artifacts, "skipped": pusher.skipped}, out, indent=1)


if __name__ == "__main__":
    main()
