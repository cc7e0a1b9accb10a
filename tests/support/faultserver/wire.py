# SPDX-License-Identifier: MIT
"""HTTP/1.1 as bytes on a socket: reading requests, building replies."""

import socket
import struct
from urllib.parse import urlsplit, parse_qsl

HEADER_LIMIT = 1 << 20
REASONS = {
    100: "Continue", 101: "Switching Protocols", 102: "Processing", 103: "Early Hints",
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content",
    301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
    307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    407: "Proxy Authentication Required", 408: "Request Timeout", 412: "Precondition Failed",
    413: "Content Too Large", 416: "Range Not Satisfiable", 417: "Expectation Failed",
    429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout",
}


class Gone(Exception):
    """The peer closed or reset the connection."""


class BadRequest(Exception):
    """What came is not HTTP."""


class Wire:
    """Buffered reading and plain writing on one (TLS or plain) socket."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()

    def fill(self):
        try:
            data = self.sock.recv(65536)
        except OSError as error:
            raise Gone(str(error)) from error
        if not data:
            raise Gone("end of stream")
        self.buffer += data

    def line(self):
        while True:
            end = self.buffer.find(b"\n")
            if end >= 0:
                break
            if len(self.buffer) > HEADER_LIMIT:
                raise BadRequest("line too long")
            self.fill()
        text = bytes(self.buffer[:end]).rstrip(b"\r").decode("latin-1")
        del self.buffer[:end + 1]
        return text

    def take(self, size, into):
        """Append exactly `size` bytes to `into`; on Gone it holds what had come."""
        while size > 0:
            if not self.buffer:
                self.fill()
            part = self.buffer[:size]
            del self.buffer[:len(part)]
            into += part
            size -= len(part)

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone(str(error)) from error

    def reset(self):
        """Close with a TCP reset."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.sock.close()


class Request:
    def __init__(self, method, target, version, headers):
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.body = bytearray()
        self.where = None  # the listener that it came to
        path = target
        if "://" in target and method != "CONNECT":
            parts = urlsplit(target)
            path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        self.path, _, self.query = path.partition("?")

    def get(self, name, default=None):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return default

    def args(self):
        return parse_qsl(self.query, keep_blank_values=True)

    def arg(self, name, default=None):
        return dict(reversed(self.args())).get(name, default)

    def wants_close(self):
        return (self.get("connection") or "").lower() == "close" or self.version == "HTTP/1.0"

    def has_body(self):
        return self.get("transfer-encoding") is not None or int(self.get("content-length") or 0) > 0


def read_head(wire):
    """The next request's head, or None when the client ended the connection between requests."""
    try:
        line = wire.line()
        while line == "":
            line = wire.line()
    except Gone:
        if wire.buffer:
            raise
        return None
    words = line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest("not a request line: %r" % line[:200])
    return Request(words[0], words[1], words[2], read_fields(wire))


def read_fields(wire):
    fields = []
    while True:
        line = wire.line()
        if line == "":
            return fields
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest("header without a colon: %r" % line[:200])
        fields.append((name, value.strip(" \t")))


def read_slowly(wire, request, step, pause):
    """The body in small steps, from a small buffer: the client has to wait."""
    wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    left = int(request.get("content-length") or 0)
    while left > 0:
        size = min(step, left)
        wire.take(size, request.body)
        left -= size
        pause()


def read_body(wire, request, limit=None):
    """Read the body into request.body, at most `limit` bytes of it."""
    coding = request.get("transfer-encoding")
    if coding is None:
        size = int(request.get("content-length") or 0)
        wire.take(size if limit is None else min(size, limit), request.body)
        return
    while limit is None or len(request.body) < limit:
        size = int(wire.line().split(";")[0].strip() or "0", 16)
        if size == 0:
            read_fields(wire)
            return
        wire.take(size, request.body)
        wire.line()


class Reply:
    """A response before it is written: the real one, or a scripted one."""

    def __init__(self, status, headers=None, body=b"", reason=None):
        self.status = status
        self.reason = reason
        self.headers = [(str(k), str(v)) for k, v in (headers or [])]
        self.body = body
        self.tunnel = None  # a connected socket, after CONNECT

    def get(self, name):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    def set(self, name, value):
        """Replace a field; a list gives several lines, False removes it."""
        low = name.lower()
        self.headers = [(k, v) for k, v in self.headers if k.lower() != low]
        if value is False:
            return
        for one in value if isinstance(value, list) else [value]:
            self.headers.append((name, str(one)))

    def head(self):
        reason = self.reason if self.reason is not None else REASONS.get(self.status, "Unknown")
        lines = ["HTTP/1.1 %s %s" % (self.status, reason)]
        lines += ["%s: %s" % field for field in self.headers]
        return "\r\n".join(lines + ["", ""]).encode("latin-1", "replace")
