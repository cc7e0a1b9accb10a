# SPDX-License-Identifier: MIT
"""Pushes an OCI layout with nothing but the standard library, for tests without other clients."""

import json
import os
import ssl
import urllib.error
import urllib.request
from urllib.parse import urljoin

REF_NAME = "org.opencontainers.image.ref.name"
ACCEPT = ", ".join("application/vnd." + name for name in (
    "oci.image.manifest.v1+json", "oci.image.index.v1+json",
    "docker.distribution.manifest.v2+json", "docker.distribution.manifest.list.v2+json"))


class Registry:
    """Requests to one registry; tokens are minted by the fault server, when it signs for it."""

    def __init__(self, scheme, host, ca=None, faults=None):
        self.host = host
        self.base = "%s://%s" % (scheme, host)
        self.faults = faults
        self.tokens = {}
        context = ssl.create_default_context(cafile=ca) if ca else None
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))

    def token(self, repository):
        if self.faults and repository not in self.tokens:
            with open(self.faults, encoding="utf-8") as source:
                control = json.load(source)["control"]
            body = {"user": "alice", "scope": "repository:%s:pull,push" % repository}
            request = urllib.request.Request(control + "/token", json.dumps(body).encode())
            with self.opener.open(request) as answer:
                self.tokens[repository] = json.load(answer)["token"]
        return self.tokens.get(repository)

    def request(self, repository, method, url, data=None, **fields):
        request = urllib.request.Request(urljoin(self.base, url), data, method=method)
        for name, value in fields.items():
            request.add_header(name.replace("_", "-"), value)
        token = self.token(repository)
        if token:
            request.add_header("Authorization", "Bearer " + token)
        with self.opener.open(request, timeout=30) as answer:
            answer.read()
            return answer.headers

    def has_blob(self, repository, digest):
        try:
            self.request(repository, "HEAD", "/v2/%s/blobs/%s" % (repository, digest))
            return True
        except urllib.error.HTTPError:
            return False

    def push_blob(self, repository, digest, data):
        if self.has_blob(repository, digest):
            return
        started = self.request(repository, "POST", "/v2/%s/blobs/uploads/" % repository, b"")
        where = urljoin(self.base, started["Location"])
        where += ("&" if "?" in where else "?") + "digest=" + digest
        self.request(repository, "PUT", where, data, Content_Type="application/octet-stream")

    def head_manifest(self, repository, reference):
        """(digest, media type, size)"""
        fields = self.request(repository, "HEAD",
                              "/v2/%s/manifests/%s" % (repository, reference), Accept=ACCEPT)
        return (fields["Docker-Content-Digest"], fields["Content-Type"],
                int(fields["Content-Length"]))


def layout_entries(directory):
    """[(tag, descriptor)] of what a layout's index names."""
    with open(os.path.join(directory, "index.json"), encoding="utf-8") as source:
        entries = json.load(source)["manifests"]
    return [(entry["annotations"][REF_NAME], entry) for entry in entries
            if REF_NAME in (entry.get("annotations") or {})]


def read_blob(directory, digest):
    with open(os.path.join(directory, "blobs", *digest.split(":")), "rb") as source:
        return source.read()


def push_manifest(registry, directory, repository, descriptor, reference):
    """Children first."""
    data = read_blob(directory, descriptor["digest"])
    manifest = json.loads(data)
    for child in manifest.get("manifests") or []:
        push_manifest(registry, directory, repository, child, child["digest"])
    blobs = [manifest["config"]] if "config" in manifest else []
    for blob in blobs + list(manifest.get("layers") or []):
        registry.push_blob(repository, blob["digest"], read_blob(directory, blob["digest"]))
    registry.request(repository, "PUT", "/v2/%s/manifests/%s" % (repository, reference), data,
                     Content_Type=descriptor["mediaType"])


def push_layout(registry, directory, repository):
    for tag, descriptor in layout_entries(directory):
        push_manifest(registry, directory, repository, descriptor, tag)
