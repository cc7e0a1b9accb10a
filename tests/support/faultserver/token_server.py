# SPDX-License-Identifier: MIT
"""The token endpoint: GET with Basic or anonymous, and the OAuth2 POST (distribution's docs)."""

import json
from datetime import datetime, timezone
from urllib.parse import parse_qsl

from .replies import Refused, json_reply, no_method
from .auth import entry_for
from .tokens import USERS, basic_user, parse_scopes


def token_endpoint(reg, request):
    setting = reg.config.get("token_" + request.method.lower())
    if setting not in (None, True):
        raise Refused(setting or 405, "UNSUPPORTED", "the operation is unsupported")
    if request.method == "POST":
        return oauth2(reg, dict(parse_qsl(request.body.decode("utf-8", "replace"))))
    if request.method != "GET":
        raise no_method("GET, POST")
    user = None
    if request.get("authorization") is not None:
        user = basic_user(request.get("authorization"))
        if user is None:
            raise Refused(401, "UNAUTHORIZED", "wrong user or password")
    scopes = [value for key, value in request.args() if key == "scope"]
    service = request.arg("service") or reg.config["service"]
    return grant(reg, user, scopes, service, request.arg("offline_token") == "true")


def oauth2(reg, form):
    user = None
    if form.get("grant_type") == "refresh_token":
        user = reg.tokens.refresh.get(form.get("refresh_token"))
    elif form.get("grant_type") == "password":
        name = form.get("username")
        user = name if name in USERS and USERS[name] == form.get("password") else None
    if user is None:
        raise Refused(401, "UNAUTHORIZED", "wrong user, password or refresh token")
    offline = form.get("access_type") == "offline"
    reply = grant(reg, user, [form.get("scope") or ""], form.get("service") or "", offline)
    if form["grant_type"] == "refresh_token" and reg.config["rotate_refresh"]:
        answer = json.loads(reply.body)
        answer["refresh_token"] = reg.tokens.rotate_refresh(form["refresh_token"])
        return json_reply(200, answer)
    return reply


def allowed(reg, user, kind, name, actions):
    """A known user may do everything; others what the repository's entry says."""
    if user is not None:
        return actions
    return actions & set(entry_for(reg.config, None, name).get("anonymous", ()))


def grant(reg, user, scopes, service, offline):
    access = []
    for kind, name, actions in parse_scopes(scopes):
        kept = allowed(reg, user, kind, name, actions)
        if kept:
            access.append((kind, name, kept))
    ttl = reg.config["token_ttl"]
    token = reg.tokens.mint(user or "", access, ttl, service)
    answer = {
        "token": token, "access_token": token, "expires_in": ttl,
        "issued_at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    answer = {key: answer[key] for key in reg.config["token_fields"] if key in answer}
    if offline and user:
        answer["refresh_token"] = reg.tokens.mint_refresh(user)
    return json_reply(200, answer)
