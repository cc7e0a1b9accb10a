# SPDX-License-Identifier: MIT
"""Who may do what: Basic, or a bearer token whose scopes serve the request."""

from .replies import Refused
from .tokens import basic_user

BUILT_IN = [
    {"repo": "basic/", "mode": "basic"},
    {"repo": "bearer/", "mode": "bearer"},
    {"repo": "public/", "mode": "bearer", "anonymous": ["pull"]},
]


def entry_for(config, listener, name):
    for entry in list(config["auth"]) + BUILT_IN:
        if entry.get("listener", listener) != listener:
            continue
        prefix = entry.get("repo")
        if prefix is None or (name is not None and name.startswith(prefix)):
            return entry
    return {"mode": "none"}


def wanted(request, name):
    """Scopes as distribution demands them (DELETE wants only delete; `from` wants pull)."""
    if name is None:
        return [("registry", "catalog", {"*"})] if request.path == "/v2/_catalog" else []
    if request.method in ("GET", "HEAD"):
        actions = {"pull"}
    elif request.method == "DELETE" and "/blobs/uploads/" not in request.path:
        actions = {"delete"}
    else:
        actions = {"pull", "push"}
    scopes = [("repository", name, actions)]
    source = request.arg("from")
    if source:
        scopes.append(("repository", source, {"pull"}))
    return scopes


def guard(reg, request, where, name):
    """None when the request may pass, else a 401."""
    mode = entry_for(reg.config, where.name, name)["mode"]
    value = request.get("authorization")
    if mode == "basic":
        return None if basic_user(value) else refuse('Basic realm="oras-test"')
    if mode != "bearer":
        return None
    scopes = wanted(request, name)
    scheme, _, token = (value or "").partition(" ")
    error = None
    if scheme.lower() == "bearer":
        error = reg.tokens.judge(token, scopes)
        if error is None:
            return None
    return refuse(bearer(reg, request, scopes, error))


def bearer(reg, request, scopes, error):
    realm = reg.config["realm"] or "%s://%s/token" % (request.scheme, request.get("host"))
    text = 'Bearer realm="%s",service="%s"' % (realm, reg.config["service"])
    if scopes:
        named = ("%s:%s:%s" % (k, n, ",".join(sorted(a))) for k, n, a in scopes)
        text += ',scope="%s"' % " ".join(named)
    return text + (',error="%s"' % error if error else "")


def refuse(challenge):
    refused = Refused(401, "UNAUTHORIZED", "authentication required",
                      headers=[("WWW-Authenticate", challenge)])
    return refused.reply
