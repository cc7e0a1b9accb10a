# SPDX-License-Identifier: MIT
"""Plants content without any of the checks that a push would meet."""

import base64
import json
import os

from .deliver import pattern
from .store import IMAGE, OCTETS, digest_of

EMPTY = {"data": "{}", "media_type": "application/vnd.oci.empty.v1+json"}
TITLE = "org.opencontainers.image.title"
REF_NAME = "org.opencontainers.image.ref.name"


def content_bytes(spec):
    if "base64" in spec:
        return base64.b64decode(spec["base64"])
    if "size" in spec:
        return pattern(spec["size"], spec.get("seed", 0))
    if "file" in spec:
        with open(spec["file"], "rb") as source:
            return source.read()
    return spec.get("data", "").encode("utf-8")


def plant(repo, spec):
    """Store one content; gives its descriptor."""
    data = content_bytes(spec)
    digest = spec.get("as") or digest_of(data, spec.get("algorithm", "sha256"))
    repo.blobs[digest] = data
    descriptor = {"mediaType": spec.get("media_type", OCTETS), "digest": digest, "size": len(data)}
    annotations = dict(spec.get("annotations") or {})
    if "title" in spec:
        annotations[TITLE] = spec["title"]
    if annotations:
        descriptor["annotations"] = annotations
    return descriptor


def compose(repo, spec):
    """An image manifest of the layers and the config in `spec`."""
    manifest = {"schemaVersion": 2, "mediaType": spec.get("media_type", IMAGE)}
    if spec.get("artifact_type"):
        manifest["artifactType"] = spec["artifact_type"]
    manifest["config"] = plant(repo, spec.get("config") or EMPTY)
    manifest["layers"] = [plant(repo, layer) for layer in spec.get("layers") or []]
    subject = spec.get("subject")
    if subject:
        kind, data = repo.manifests.get(subject, (IMAGE, b""))
        manifest["subject"] = {"mediaType": kind, "digest": subject, "size": len(data)}
    if spec.get("annotations"):
        manifest["annotations"] = spec["annotations"]
    return manifest


def manifest_of(repo, spec):
    """(bytes, parsed or {}) of the manifest that is asked for, or (None, {})."""
    if "manifest_base64" in spec:
        return base64.b64decode(spec["manifest_base64"]), {}
    given = spec.get("manifest")
    if isinstance(given, str):
        return given.encode("utf-8"), {}
    if given is None:
        if not any(key in spec for key in ("layers", "config", "tag", "tags", "subject")):
            return None, {}
        given = compose(repo, spec)
    return json.dumps(given, separators=(",", ":")).encode(), given


def seed(store, spec):
    known = {"repo", "tag", "tags", "layers", "config", "annotations", "artifact_type", "subject",
             "media_type", "manifest", "manifest_base64", "blobs", "layout", "as"}
    for key in spec:
        if key not in known:
            raise ValueError("unknown key '%s' in a seed" % key)
    with store.lock:
        repo = store.make(spec["repo"])
        if "layout" in spec:
            return seed_layout(repo, spec["layout"])
        answer = {"blobs": [plant(repo, one) for one in spec.get("blobs") or []]}
        data, manifest = manifest_of(repo, spec)
        if data is not None:
            answer.update(plant_manifest(repo, spec, data, manifest))
    return answer


def plant_manifest(repo, spec, data, manifest):
    kind = spec.get("media_type") or manifest.get("mediaType") or IMAGE
    digest = spec.get("as") or digest_of(data)
    tags = list(spec.get("tags") or []) + ([spec["tag"]] if "tag" in spec else [])
    repo.put_manifest(digest, kind, data, tags)
    return {
        "digest": digest, "size": len(data), "media_type": kind,
        "manifest": data.decode("utf-8", "replace"), "config": manifest.get("config"),
        "layers": manifest.get("layers") or [],
        "subject_descriptor": {"mediaType": kind, "digest": digest, "size": len(data)},
    }


def seed_layout(repo, directory):
    """Take in an OCI layout: what index.json reaches is a manifest, all files are blobs."""
    blobs = {}
    root = os.path.join(directory, "blobs")
    for algorithm in os.listdir(root):
        for name in os.listdir(os.path.join(root, algorithm)):
            with open(os.path.join(root, algorithm, name), "rb") as source:
                blobs[algorithm + ":" + name] = source.read()
    repo.blobs.update(blobs)
    with open(os.path.join(directory, "index.json"), encoding="utf-8") as source:
        index = json.load(source)
    tags = {}
    for entry in index["manifests"]:
        take_manifest(repo, blobs, entry)
        name = (entry.get("annotations") or {}).get(REF_NAME)
        if name:
            repo.tags[name] = tags[name] = entry["digest"]
    return {"tags": tags, "blobs": [{"digest": d, "size": len(b)} for d, b in blobs.items()]}


def take_manifest(repo, blobs, entry):
    data = blobs.get(entry["digest"])
    if data is None:
        return
    repo.put_manifest(entry["digest"], entry["mediaType"], data)
    for child in json.loads(data).get("manifests") or []:
        take_manifest(repo, blobs, child)
