# SPDX-License-Identifier: MIT
"""What the registry holds: repositories with blobs, manifests, tags and open uploads."""

import hashlib
import json
import re
import secrets
import threading

NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
SIZES = {"sha256": 64, "sha512": 128}
IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
OCTETS = "application/octet-stream"


def digest_of(data, algorithm="sha256"):
    return algorithm + ":" + hashlib.new(algorithm, data).hexdigest()


def digest_ok(text):
    """Is it a digest that this registry can verify?"""
    algorithm, _, encoded = (text or "").partition(":")
    size = SIZES.get(algorithm)
    return size is not None and re.fullmatch("[a-f0-9]{%d}" % size, encoded) is not None


class Upload:
    def __init__(self, algorithm="sha256"):
        self.id = secrets.token_hex(12)
        self.algorithm = algorithm
        self.data = bytearray()
        self.state = 0
        self.short = False  # a chunk below the minimum came: it must have been the last

    def range(self, stored=None):
        size = len(self.data) if stored is None else stored
        return "0-%d" % max(size - 1, 0)


class Repo:
    def __init__(self):
        self.blobs = {}
        self.manifests = {}  # digest -> (media type, bytes)
        self.tags = {}
        self.uploads = {}

    def find(self, reference):
        """(digest, type, bytes) of a manifest by tag or digest, or None."""
        digest = self.tags.get(reference, reference)
        if digest not in self.manifests:
            return None
        kind, data = self.manifests[digest]
        return digest, kind, data

    def put_manifest(self, digest, kind, data, tags=()):
        self.manifests[digest] = (kind, bytes(data))
        for tag in tags:
            self.tags[tag] = digest

    def delete_manifest(self, digest):
        del self.manifests[digest]
        self.tags = {tag: d for tag, d in self.tags.items() if d != digest}

    def referrers(self, subject, artifact_type=None):
        """Descriptors of all manifests that name `subject` (distribution-spec, referrers)."""
        found = []
        for digest, (kind, data) in self.manifests.items():
            descriptor = referrer_of(digest, kind, data, subject)
            if descriptor and artifact_type in (None, descriptor.get("artifactType")):
                found.append(descriptor)
        return found


def referrer_of(digest, kind, data, subject):
    manifest = load(data)
    target = manifest.get("subject")
    if not isinstance(target, dict) or target.get("digest") != subject:
        return None
    found = {"mediaType": kind, "digest": digest, "size": len(data)}
    config = manifest.get("config")
    artifact_type = manifest.get("artifactType")
    if not artifact_type and isinstance(config, dict):
        artifact_type = config.get("mediaType")
    if artifact_type:
        found["artifactType"] = artifact_type
    if manifest.get("annotations"):
        found["annotations"] = manifest["annotations"]
    return found


def load(data):
    """A JSON object, or an empty one."""
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


class Store:
    def __init__(self):
        self.lock = threading.RLock()
        self.repos = {}

    def get(self, name):
        with self.lock:
            return self.repos.get(name)

    def make(self, name):
        with self.lock:
            return self.repos.setdefault(name, Repo())

    def names(self):
        with self.lock:
            return sorted(name for name, r in self.repos.items() if r.blobs or r.manifests)

    def clear(self):
        with self.lock:
            self.repos = {}
