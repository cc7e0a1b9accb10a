# SPDX-License-Identifier: MIT
"""Blob uploads: end-4, 5, 6, 11, 13, 14 of the distribution specification, and the ways in which
real registries do them differently (settings, see README.md)."""

import re
from urllib.parse import quote

from .replies import Refused, no_method
from .store import Upload, SIZES, digest_of, digest_ok
from .wire import Reply

ROUTE = re.compile(r"/v2/(.+)/blobs/uploads/([^/]+)")
CLOSED = ("basic/", "bearer/", "public/")


def refuse(status, code, message, headers=()):
    return Refused(status, code, message, headers=headers)


def location(name, session, request, config):
    path = "/v2/%s/blobs/uploads/%s" % (name, session.id)
    if config["location_state"]:
        path += "?_state=" + quote("s=%d" % session.state, safe="")
    path += config["location_extra"]
    style, host = config["location"], request.get("host")
    if style == "sibling":  # relative to the path of the request itself
        return path.rpartition("/uploads/")[2]
    if style == "relative" or not host:
        return path
    if style == "absolute":
        return "%s://%s%s" % (request.scheme, host, path)
    return request.where.url_of(style) + path


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
        check_state(reg, session, request)
        check_coding(reg, request)
    return handlers[request.method](reg, request, name, session)


def check_state(reg, session, request):
    """Only the newest Location is good (as distribution signs it into _state)."""
    if reg.config["location_state"] and request.arg("_state") != "s=%d" % session.state:
        raise refuse(404, "BLOB_UPLOAD_INVALID", "blob upload invalid")


def check_coding(reg, request):
    """Some front ends want to know the length beforehand."""
    allowed = reg.config["chunked_coding"]
    if allowed is not True and request.get("transfer-encoding"):
        raise refuse(allowed or 411, "SIZE_INVALID", "length required")


def shown_range(session, config, stored):
    """The Range field as this registry words it, or nothing."""
    style = config["upload_range"]
    if style == "absent":
        return []
    return [("Range", ("bytes=" if style == "bytes" else "") + session.range(stored))]


def progress(reg, request, name, session, code, stored=None):
    return Reply(code, [("Location", location(name, session, request, reg.config)),
                        *shown_range(session, reg.config, stored),
                        ("Docker-Upload-UUID", session.id)])


# -- the first request


def start(reg, request, name):
    repo = reg.store.make(name)
    mount, digest = request.arg("mount"), request.arg("digest")
    if mount and try_mount(reg, name, mount, request.arg("from")):
        return stored(reg, name, mount)
    if digest and reg.config["post_monolithic"] and not mount:
        session = Upload()
        session.data = request.body
        return store(reg, name, session, digest)
    algorithm = request.arg("digest-algorithm", "sha256")
    session = Upload(algorithm if algorithm in SIZES else "sha256")
    repo.uploads[session.id] = session
    reply = progress(reg, request, name, session, 202)
    if reg.config["chunk_min"] is not None:
        reply.headers.append(("OCI-Chunk-Min-Length", str(reg.config["chunk_min"])))
    return reply


def mount_sources(reg, name, source):
    """The repository that is named; when none is, any open one."""
    allowed = reg.config["mount"]
    if not source:
        closed = name.startswith(CLOSED) or not reg.config["mount_anonymous"]
        return [n for n in reg.store.repos if allowed is True and not closed
                and not n.startswith(CLOSED)]
    fits = {True: True, False: False, "own": source == name, "others": source != name}
    return [source] if fits[allowed] else []


def try_mount(reg, name, digest, source):
    for one in mount_sources(reg, name, source):
        repo = reg.store.get(one)
        if repo and digest in repo.blobs:
            reg.store.make(name).blobs[digest] = repo.blobs[digest]
            return True
    return False


# -- the last


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


# -- those between


def check_range(reg, request, name, session):
    """Content-Range must begin where the upload stands, and fit the body."""
    value = request.get("content-range")
    if value is None or reg.config["append"]:
        return
    match = re.fullmatch(r"(\d+)-(\d+)", value)
    where = progress(reg, request, name, session, 416).headers
    if not match or int(match[1]) != len(session.data):
        raise refuse(416, "BLOB_UPLOAD_INVALID", "range is not the next one", where)
    if int(match[2]) - int(match[1]) + 1 != len(request.body):
        raise refuse(400, "SIZE_INVALID", "body is not as long as Content-Range says")


def check_size(reg, request, session):
    """Chunks that are too small (unless it is the last one) or too big."""
    size, least, most = len(request.body), reg.config["chunk_min"], reg.config["patch_cap"]
    if size and session.short:
        raise refuse(416, "BLOB_UPLOAD_INVALID", "the chunk before was too small")
    if request.method == "PATCH" and most and size > most:
        raise refuse(416, "BLOB_UPLOAD_INVALID", "request body is too large")
    if request.get("content-range") and isinstance(least, int) and size < least:
        session.short = True


def patch(reg, request, name, session):
    check_range(reg, request, name, session)
    check_size(reg, request, session)
    before = len(session.data)
    session.data += request.body
    session.state += 1
    lags = reg.config["upload_range"] in ("stale", "stale_always")
    return progress(reg, request, name, session, reg.config["patch_status"],
                    before if lags else None)


def finish(reg, request, name, session):
    check_range(reg, request, name, session)
    check_size(reg, request, session)
    whole = Upload(session.algorithm)
    whole.id, whole.data = session.id, session.data + request.body
    return store(reg, name, whole, request.arg("digest"))


def status(reg, request, name, session):
    session.state += 1
    lags = reg.config["upload_range"] == "stale_always"
    return progress(reg, request, name, session, 204, 0 if lags else None)


def cancel(reg, _request, name, session):
    reg.store.get(name).uploads.pop(session.id, None)
    return Reply(204)


# -- faults


def session_of(reg, request):
    """(repository, session) that a request's path names, or (None, None)."""
    found = ROUTE.fullmatch(request.path)
    repo = found and reg.store.get(found[1])
    session = repo and repo.uploads.get(found[2])
    return (repo, session) if session else (None, None)


def forget(reg, request):
    """The session is lost, as after a restart."""
    with reg.store.lock:
        repo, session = session_of(reg, request)
        if session:
            del repo.uploads[session.id]


def keep_partial(reg, request):
    """A PATCH whose body broke off: what came is kept, as the specification allows; or the
    session is of no use any more, as in distribution."""
    if request.method != "PATCH":
        return
    with reg.store.lock:
        repo, session = session_of(reg, request)
        if session and reg.config["keep_broken"]:
            session.data += request.body
        elif session:
            del repo.uploads[session.id]
