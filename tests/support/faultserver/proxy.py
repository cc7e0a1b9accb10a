# SPDX-License-Identifier: MIT
"""A forward proxy: CONNECT and absolute-form requests."""

import base64
import http.client
import select
import socket
from urllib.parse import urlsplit

from .wire import Reply

USER, PASSWORD = "proxyuser", "proxypass"
HOP_FIELDS = {"connection", "proxy-connection", "proxy-authorization", "keep-alive", "te",
              "transfer-encoding", "content-length", "upgrade"}


def dial(hosts, authority, timeout=10):
    """Connect to "host:port", by way of the table of names that only tests know."""
    host, _, port = hosts.get(authority, authority).rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout)


def forward(address, request, path, fields):
    """Send the request to a real server and take the whole answer."""
    upstream = http.client.HTTPConnection(*address, timeout=30)
    try:
        upstream.putrequest(request.method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in fields:
            upstream.putheader(name, value)
        if request.has_body() or request.method in ("PUT", "POST", "PATCH"):
            upstream.putheader("Content-Length", str(len(request.body)))
        upstream.endheaders(bytes(request.body) or None)
        answer = upstream.getresponse()
        body = answer.read()
    finally:
        upstream.close()
    headers = [(k, v) for k, v in answer.getheaders()
               if k.lower() not in HOP_FIELDS or (k.lower() == "content-length" and not body)]
    return Reply(answer.status, headers, body, answer.reason)


class Proxy:
    def __init__(self, server, auth=False):
        self.server = server
        self.auth = auth

    def handle(self, request, where):
        if self.auth and not self.known(request.get("proxy-authorization")):
            return Reply(407, [("Proxy-Authenticate", 'Basic realm="test proxy"')])
        try:
            if request.method == "CONNECT":
                reply = Reply(200, reason="Connection established")
                reply.tunnel = self.server.dial(request.target)
                return reply
            if "://" not in request.target:
                return self.server.registry.handle(request, where)
            return self.relay(request)
        except (OSError, ValueError, http.client.HTTPException) as error:
            return Reply(502, [("Content-Type", "text/plain")], str(error).encode())

    def known(self, value):
        wanted = base64.b64encode(("%s:%s" % (USER, PASSWORD)).encode()).decode()
        return value == "Basic " + wanted

    def relay(self, request):
        url = urlsplit(request.target)
        authority = "%s:%d" % (url.hostname, url.port or 80)
        host, _, port = self.server.config["hosts"].get(authority, authority).rpartition(":")
        path = request.path + ("?" + request.query if request.query else "")
        fields = [(k, v) for k, v in request.headers if k.lower() not in HOP_FIELDS]
        return forward((host, int(port)), request, path, fields)

    def splice(self, connection, upstream):
        """Carry bytes both ways until one side ends."""
        client = connection.wire.sock
        if connection.wire.buffer:
            upstream.sendall(connection.wire.buffer)
        upstream.settimeout(None)
        pairs = {client: upstream, upstream: client}
        try:
            while copy_some(pairs):
                pass
        finally:
            upstream.close()


def copy_some(pairs):
    pending = [s for s in pairs if getattr(s, "pending", lambda: 0)()]
    ready = pending or select.select(list(pairs), [], [])[0]
    for sock in ready:
        data = sock.recv(65536)
        if not data:
            return False
        pairs[sock].sendall(data)
    return True
