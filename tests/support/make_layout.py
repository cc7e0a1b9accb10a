#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_layout.py LAYOUT LAYER MEDIA_TYPE CONTENT_DIGEST TITLE: an OCI layout with an image of that
one layer, tagged `t`, which oras unpacks under the title."""
import hashlib
import json
import os
import sys


def put(layout, data):
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(layout, "blobs", "sha256", digest), "wb") as file:
        file.write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


def put_json(layout, media_type, value):
    return {"mediaType": media_type, **put(layout, json.dumps(value).encode())}


def main():
    layout, layer, media_type, content, title = sys.argv[1:]
    os.makedirs(os.path.join(layout, "blobs", "sha256"))
    with open(layer, "rb") as file:
        blob = put(layout, file.read())
    annotations = {
        "org.opencontainers.image.title": title,
        "io.deis.oras.content.digest": content,
        "io.deis.oras.content.unpack": "true",
    }
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [content]}}
    manifest = put_json(layout, "application/vnd.oci.image.manifest.v1+json", {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": put_json(layout, "application/vnd.oci.image.config.v1+json", config),
        "layers": [{"mediaType": media_type, **blob, "annotations": annotations}],
    })
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "t"}
    with open(os.path.join(layout, "index.json"), "w") as file:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, file)
    with open(os.path.join(layout, "oci-layout"), "w") as file:
        file.write('{"imageLayoutVersion": "1.0.0"}')


if __name__ == "__main__":
    main()
