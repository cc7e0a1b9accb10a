# SPDX-License-Identifier: MIT
"""A reverse proxy before a real registry: our token endpoint, and blobs by redirect to a CDN."""

import http.client
import re

from .proxy import HOP_FIELDS, forward
from .wire import Reply

BLOB = re.compile(r"/v2/.+/blobs/[a-z0-9]+:[a-f0-9]+")


class Front:
    def __init__(self, server, port, cdn):
        self.server = server
        self.address = ("127.0.0.1", int(port))
        self.cdn = cdn

    def handle(self, request, where):
        if request.path == "/token":
            return self.server.registry.handle(request, where)
        try:
            return self.relay(request)
        except (OSError, http.client.HTTPException) as error:
            return Reply(502, [("Content-Type", "text/plain")], str(error).encode())

    def relay(self, request):
        fields = [(k, v) for k, v in request.headers if k.lower() not in HOP_FIELDS]
        fields.append(("X-Forwarded-Proto", request.scheme))
        if request.method == "GET" and BLOB.fullmatch(request.path) and self.cdn:
            request.method = "HEAD"  # may this client have it, and is it there?
            asked = [(k, v) for k, v in fields if k.lower() != "range"]
            try:
                reply = forward(self.address, request, request.target, asked)
            finally:
                request.method = "GET"
            if reply.status == 200:
                return Reply(307, [("Location", self.cdn + request.path)])
        return forward(self.address, request, request.target, fields)
