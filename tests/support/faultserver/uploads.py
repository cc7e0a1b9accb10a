# SPDX-License-Identifier: MIT
"""Blob uploads: end-4, 5, 6, 11, 13, 14 of the distribution specification."""

import re
from urllib.parse import quote

from .replies import Refused, no_method
from .store import Upload, SIZES, digest_of, digest_ok
from .wire import Reply


ROUTE = re.compile(r"/v2/(.+)/blobs/uploads/([^/]+)")


def refuse(status, code, message, headers=()):
    return Refused(status, code, message, headers=headers)


def location(name, session, request, config):
    state = quote("s=%d" % session.state, safe="")
    path = "/v2/%s/blobs/uploads/%s?_state=%s" % (name, session.id, state)
    host = request.get("host")
    if config["relative_location"] or not host:
        return path
    return "%s://%s%s" % (request.scheme, host, path)


def upload(reg, request, name, ident):
    if ident == "":
        if request.method != "POST":
            raise no_method("POST")
        return start(reg, request, name)
    session = reg.existing(name).uploads.get(ident)
    if session is None:
        raise refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
    handlers = {"PATCH": patch, "PUT": finish, "GET": status, "HEAD": status, "DELETE": cancel}
    if request.method not in handlers:
        raise no_method("GET, HEAD, PATCH, PUT, DELETE")
    if request.method in ("PATCH", "PUT"):
        check_state(session, request)
    return handlers[request.method](reg, request, name, session)


def check_state(session, request):
    """Only the newest Location is good (as distribution signs it into _state)."""
    if request.arg("_state") != "s=%d" % session.state:
        raise refuse(404, "BLOB_UPLOAD_INVALID", "blob upload invalid")


def progress(reg, request, name, session, code):
    return Reply(code, [
        ("Location", location(name, session, request, reg.config)),
        ("Range", session.range()), ("Docker-Upload-UUID", session.id),
    ])


def start(reg, request, name):
    repo = reg.store.make(name)
    mount, digest = request.arg("mount"), request.arg("digest")
    if mount and reg.config["mount"] and try_mount(reg, name, mount, request.arg("from")):
        return stored(reg, name, mount)
    if digest and reg.config["post_monolithic"] and not mount:
        session = Upload()
        session.data = request.body
        return store(reg, name, session, digest)
    algorithm = request.arg("digest-algorithm", "sha256")
    session = Upload(algorithm if algorithm in SIZES else "sha256")
    repo.uploads[session.id] = session
    reply = progress(reg, request, name, session, 202)
    if reg.config["chunk_min"]:
        reply.headers.append(("OCI-Chunk-Min-Length", str(reg.config["chunk_min"])))
    return reply


def try_mount(reg, name, digest, source):
    """Link a blob of `source` (or of any open repository, when it is not named)."""
    if source:
        candidates = [source]
    else:
        closed = ("basic/", "bearer/", "public/")
        candidates = [] if name.startswith(closed) else [
            n for n in reg.store.repos if not n.startswith(closed)]
    for one in candidates:
        repo = reg.store.get(one)
        if repo and digest in repo.blobs:
            reg.store.make(name).blobs[digest] = repo.blobs[digest]
            return True
    return False


def stored(reg, name, digest):
    where = [("Location", "/v2/%s/blobs/%s" % (name, digest))]
    return Reply(201, where + reg.digest_header(digest))


def store(reg, name, session, digest):
    algorithm = (digest or "").split(":")[0]
    if not digest_ok(digest) or digest_of(session.data, algorithm) != digest:
        raise refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
    repo = reg.store.make(name)
    repo.blobs[digest] = bytes(session.data)
    repo.uploads.pop(session.id, None)
    return stored(reg, name, digest)


def check_range(reg, request, name, session):
    """Content-Range must begin where the upload stands, and fit the body."""
    value = request.get("content-range")
    if value is None:
        return
    match = re.fullmatch(r"(\d+)-(\d+)", value)
    where = progress(reg, request, name, session, 416).headers
    if not match or int(match[1]) != len(session.data):
        raise refuse(416, "BLOB_UPLOAD_INVALID", "range is not the next one", where)
    if int(match[2]) - int(match[1]) + 1 != len(request.body):
        raise refuse(400, "SIZE_INVALID", "body is not as long as Content-Range says")


def patch(reg, request, name, session):
    check_range(reg, request, name, session)
    session.data += request.body
    session.state += 1
    return progress(reg, request, name, session, 202)


def finish(reg, request, name, session):
    check_range(reg, request, name, session)
    whole = Upload(session.algorithm)
    whole.id, whole.data = session.id, session.data + request.body
    return store(reg, name, whole, request.arg("digest"))


def status(reg, request, name, session):
    session.state += 1
    return progress(reg, request, name, session, 204)


def cancel(reg, _request, name, session):
    reg.store.get(name).uploads.pop(session.id, None)
    return Reply(204)


def keep_partial(reg, request):
    """A PATCH whose body broke off: what came is kept, as the specification allows."""
    found = ROUTE.fullmatch(request.path)
    if request.method != "PATCH" or not found:
        return
    with reg.store.lock:
        repo = reg.store.get(found[1])
        session = repo and repo.uploads.get(found[2])
        if session:
            session.data += request.body
