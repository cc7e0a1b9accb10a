# SPDX-License-Identifier: MIT
"""Lists that come in pages: tags, catalog, referrers."""

from urllib.parse import urlencode

from .replies import Refused, json_reply, no_method
from .store import INDEX, digest_ok
from .wire import Reply


def cut_page(request, items, default):
    """The page that `n` and `last` ask for, and whether more follows."""
    last = request.arg("last")
    if last is not None:
        items = [item for item in items if item > last]
    size = request.arg("n")
    if size is None:
        size = default
    elif not size.isdigit():
        raise Refused(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
    if size is None:
        return items, False
    size = int(size)
    return items[:size], 0 < size < len(items)


def link(path, page, request, default):
    size = request.arg("n") or default
    return [("Link", '<%s?%s>; rel="next"' % (path, urlencode({"n": size, "last": page[-1]})))]


def tags_list(reg, request, name, arg):
    if arg != "list" or request.method not in ("GET", "HEAD"):
        raise no_method("GET, HEAD")
    tags = sorted(reg.existing(name).tags)
    page, more = cut_page(request, tags, reg.config["tags_page"])
    headers = link(request.path, page, request, reg.config["tags_page"]) if more else []
    return json_reply(200, {"name": name, "tags": page}, headers)


def catalog(reg, request):
    page, more = cut_page(request, reg.store.names(), reg.config["catalog_page"])
    headers = link(request.path, page, request, reg.config["catalog_page"]) if more else []
    return json_reply(200, {"repositories": page}, headers)


def referrers(reg, request, name, digest):
    if not reg.config["referrers"]:
        return Reply(404, [("Content-Type", "text/plain")], b"404 page not found\n")
    if not digest_ok(digest):
        raise Refused(400, "DIGEST_INVALID", "invalid digest", digest)
    wanted = request.arg("artifactType")
    repo = reg.store.get(name)
    found = repo.referrers(digest, wanted) if repo else []
    headers = [("OCI-Filters-Applied", "artifactType")] if wanted else []
    size, start = reg.config["referrers_page"], int(request.arg("start") or 0)
    if size and start + size < len(found):
        query = urlencode({"start": start + size, **({"artifactType": wanted} if wanted else {})})
        headers.append(("Link", '<%s?%s>; rel="next"' % (request.path, query)))
    index = {"schemaVersion": 2, "mediaType": INDEX,
             "manifests": found[start:start + size] if size else found}
    return json_reply(200, index, headers, INDEX)
