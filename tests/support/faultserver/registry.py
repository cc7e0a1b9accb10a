# SPDX-License-Identifier: MIT
"""The registry itself: OCI distribution 1.1 (and the tag parameter of main), without faults."""

import json
import re

from . import uploads
from .auth import guard
from .aws import aws_endpoint
from .pages import catalog, referrers, tags_list
from .replies import Refused, json_reply, no_method
from .store import OCTETS, TAG, NAME, digest_ok, digest_of
from .token_server import token_endpoint
from .wire import Reply

ROUTE = re.compile(r"/v2/(?P<name>.+)/"
                   r"(?P<kind>blobs/uploads|blobs|manifests|tags|referrers)/(?P<arg>[^/]*)")
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Registry:
    """handle(request, where) gives the reply; `where` has the listener and its origin."""

    def __init__(self, store, tokens, config):
        self.store = store
        self.tokens = tokens
        self.config = config

    def handle(self, request, where):
        request.where = where
        try:
            with self.store.lock:
                reply = self.route(request, where)
        except Refused as refused:
            reply = refused.reply
        reply.headers.append(("Docker-Distribution-Api-Version", "registry/2.0"))
        return reply

    def route(self, request, where):
        if request.path == "/token":
            return token_endpoint(self, request)
        if request.get("x-amz-target"):
            return aws_endpoint(self, request)
        if request.path == "/v2":
            return Reply(301, [("Location", "/v2/")])
        found = ROUTE.fullmatch(request.path)
        name = found["name"] if found else None
        if request.path.startswith("/v2/"):
            refusal = guard(self, request, where, name)
            if refusal:
                return refusal
        if request.path == "/v2/":
            return json_reply(200, {})
        if request.path == "/v2/_catalog":
            return catalog(self, request)
        if not found or not NAME.fullmatch(name) or len(name) > 255:
            return Reply(404, [("Content-Type", "text/plain")], b"404 page not found\n")
        if self.config["read_only"] and request.method not in ("GET", "HEAD"):
            return Reply(405, [("Content-Type", "text/plain"), ("Allow", "GET, HEAD")])
        return self.endpoint(request, where, name, found["kind"], found["arg"])

    def endpoint(self, request, where, name, kind, arg):
        table = {
            "blobs": self.blob, "manifests": self.manifest, "tags": tags_list,
            "referrers": referrers, "blobs/uploads": uploads.upload,
        }
        handler = table[kind]
        if kind in ("blobs", "manifests"):
            return handler(request, where, name, arg)
        return handler(self, request, name, arg)

    def existing(self, name):
        repo = self.store.get(name)
        if repo is None:
            raise Refused(404, "NAME_UNKNOWN", "repository unknown to registry", {"name": name})
        return repo

    def digest_header(self, digest):
        return [("Docker-Content-Digest", digest)] if self.config["dcd"] else []

    # -- blobs (end-2, end-10)

    def blob(self, request, where, name, digest):
        if not digest_ok(digest):
            raise Refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        repo = self.existing(name)
        if digest not in repo.blobs:
            raise Refused(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest})
        if request.method == "DELETE":
            self.check_delete("delete_blobs")
            del repo.blobs[digest]
            return Reply(202)
        if request.method not in ("GET", "HEAD"):
            raise no_method("GET, HEAD, DELETE")
        target = self.config["blob_redirect"]
        if target and target != where.name and request.method == "GET":
            return Reply(307, [("Location", where.url_of(target) + request.target)])
        return self.blob_content(request, digest, repo.blobs[digest])

    def blob_content(self, request, digest, data):
        etag = '"%s"' % digest
        headers = [("Content-Type", OCTETS), ("ETag", etag)] + self.digest_header(digest)
        if request.get("if-none-match") == etag:
            return Reply(304, headers)
        if not self.config["ranges"]:
            return Reply(200, headers, data)
        headers.append(("Accept-Ranges", "bytes"))
        wanted = RANGE.fullmatch(request.get("range") or "")
        if not wanted or wanted.groups() == ("", "") or request.get("if-range", etag) != etag:
            return Reply(200, headers, data)
        return ranged(headers, data, *wanted.groups())

    # -- manifests (end-3, end-7, end-9)

    def manifest(self, request, _where, name, reference):
        if request.method == "PUT":
            return self.put_manifest(request, name, reference)
        if ":" in reference and not digest_ok(reference):
            raise Refused(400, "DIGEST_INVALID", "invalid digest", reference)
        repo = self.existing(name)
        found = repo.find(reference)
        if not found:
            raise Refused(404, "MANIFEST_UNKNOWN", "manifest unknown", {"reference": reference})
        if request.method == "DELETE":
            self.check_delete("delete_manifests" if ":" in reference else "delete_tags")
            return self.delete_manifest(repo, reference, found[0])
        if request.method not in ("GET", "HEAD"):
            raise no_method("GET, HEAD, PUT, DELETE")
        digest, kind, data = found
        headers = [("Content-Type", kind), ("ETag", '"%s"' % digest)] + self.digest_header(digest)
        if request.get("if-none-match") == '"%s"' % digest:
            return Reply(304, headers)
        return Reply(200, headers, data)

    def check_delete(self, setting):
        """True: allowed; false: 405; a status: that one (400 for a tag, as distribution does)."""
        allowed = self.config[setting]
        if allowed == 400:
            raise Refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        if allowed is not True:
            raise Refused(allowed or 405, "UNSUPPORTED", "the operation is unsupported")

    def delete_manifest(self, repo, reference, digest):
        if reference in repo.tags:
            del repo.tags[reference]
        else:
            repo.delete_manifest(digest)
        return Reply(202)

    def put_manifest(self, request, name, reference):
        data, kind = bytes(request.body), (request.get("content-type") or "").split(";")[0].strip()
        manifest = self.check_manifest(data, kind)
        digest, tags = self.name_of(request, reference, data)
        self.check_conditions(request, name, reference)
        self.check_children(name, manifest)
        self.store.make(name).put_manifest(digest, kind, data, tags)
        headers = [("Location", "/v2/%s/manifests/%s" % (name, digest))] + self.digest_header(digest)
        if ":" in reference:
            headers += [("OCI-Tag", tag) for tag in tags]
        subject = manifest.get("subject")
        if subject and self.config["oci_subject"] and self.config["referrers"]:
            headers.append(("OCI-Subject", subject["digest"]))
        return Reply(201, headers)

    def name_of(self, request, reference, data):
        """Digest and tags that a PUT names; the digest is checked."""
        if ":" not in reference:
            if not TAG.fullmatch(reference):
                raise Refused(404, "MANIFEST_INVALID", "invalid tag", reference)
            return digest_of(data), [reference]
        if not digest_ok(reference) or digest_of(data, reference.split(":")[0]) != reference:
            raise Refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        tags = [value for key, value in request.args() if key == "tag"]
        return reference, [t for t in tags if TAG.fullmatch(t)] if self.config["tag_param"] else []

    def check_conditions(self, request, name, reference):
        """If-Match and If-None-Match: * (most registries do not look at them)."""
        repo = self.store.get(name)
        found = repo and repo.find(reference)
        wanted = request.get("if-match")
        fits = wanted is None or (found and wanted in ("*", '"%s"' % found[0]))
        absent = request.get("if-none-match") != "*" or not found
        if self.config["conditions"] and not (fits and absent):
            raise Refused(412, "MANIFEST_INVALID", "precondition failed")

    def check_manifest(self, data, kind):
        if len(data) > self.config["manifest_limit"]:
            raise Refused(413, "SIZE_INVALID", "manifest too large")
        try:
            manifest = json.loads(data)
        except ValueError as error:
            raise Refused(400, "MANIFEST_INVALID", "manifest invalid", str(error)) from error
        if not isinstance(manifest, dict) or not kind:
            raise Refused(400, "MANIFEST_INVALID", "manifest invalid")
        if manifest.get("mediaType", kind) != kind:
            raise Refused(400, "MANIFEST_INVALID", "mediaType is not the Content-Type", kind)
        return manifest

    def check_children(self, name, manifest):
        repo = self.store.make(name)
        blobs = list(manifest.get("layers") or [])
        if manifest.get("config"):
            blobs.append(manifest["config"])
        for one in blobs:
            foreign = "nondistributable" in one["mediaType"] or ".foreign." in one["mediaType"]
            if one["digest"] not in repo.blobs and not foreign:
                raise Refused(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown", one["digest"])
        for one in manifest.get("manifests") or []:
            if one["digest"] not in repo.manifests:
                raise Refused(400, "MANIFEST_BLOB_UNKNOWN", "manifest unknown", one["digest"])


def ranged(headers, data, first, last):
    """206 of a single range, or 416 (RFC 9110, 14.1.2)."""
    total = len(data)
    if first == "":
        start, end = max(total - int(last), 0), total - 1
    else:
        start, end = int(first), min(int(last), total - 1) if last else total - 1
    backwards = first != "" and last != "" and int(last) < int(first)
    if start >= total or backwards or (first == "" and int(last) == 0):
        raise Refused(416, "RANGE_INVALID", "invalid content range",
                      headers=[("Content-Range", "bytes */%d" % total)])
    where = ("Content-Range", "bytes %d-%d/%d" % (start, end, total))
    return Reply(206, headers + [where], data[start:end + 1])

