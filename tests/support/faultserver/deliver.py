# SPDX-License-Identifier: MIT
"""Writes a reply to the client, with all that a rule does to it on the way."""

import base64
import gzip
import json
import select
import time

from .store import OCTETS
from .wire import Gone, Reply, REASONS

PART = 256 << 10
NO_BODY = (204, 304)


class Cut(Exception):
    """The rule ended the exchange; how: fin, rst or tls."""

    def __init__(self, how):
        super().__init__(how)
        self.how = how


def text_of(rule, name):
    """Bytes of `name` or `name_base64` in a rule, or None."""
    if name + "_base64" in rule:
        return base64.b64decode(rule.get(name + "_base64"))
    return rule.get(name).encode("utf-8") if name in rule else None


def pattern(size, seed=0):
    """Bytes that repeat only after 4 KiB and differ with the seed."""
    unit = bytes((i * 31 + (i >> 8) * 7 + seed * 13) & 0xFF for i in range(4096))
    return (unit * (size // 4096 + 1))[:size]


def scripted(rule, request, where):
    """The reply that a rule gives instead of the registry's, or None."""
    if "redirect" in rule or "redirect_to" in rule:
        target = rule.get("redirect")
        if "redirect_to" in rule:
            target = where.url_of(rule.get("redirect_to")) + request.target
        reply = Reply(rule.get("status", 307), [("Location", target)], scripted_body(rule)[0])
    elif "challenge" in rule:
        reply = Reply(rule.get("status", 401), [], scripted_body(rule)[0])
        name = "Proxy-Authenticate" if reply.status == 407 else "WWW-Authenticate"
        reply.set(name, rule.get("challenge"))
    elif "status" in rule:
        body, kind = scripted_body(rule)
        reply = Reply(rule.get("status"), [("Content-Type", kind)] if kind else [], body)
    else:
        return None
    reply.reason = rule.get("reason")
    add_headers(reply, rule.get("headers", []))
    return reply


def scripted_body(rule):
    if "json" in rule:
        return json.dumps(rule.get("json")).encode(), "application/json"
    if "body_size" in rule:
        return pattern(rule.get("body_size")), OCTETS
    body = text_of(rule, "body")
    return (body, "text/plain") if body is not None else (b"", None)


def add_headers(reply, headers):
    """A map replaces, a list of pairs is taken as it is."""
    if isinstance(headers, dict):
        for name, value in headers.items():
            reply.set(name, value)
    elif headers:
        names = {name.lower() for name, _ in headers}
        reply.headers = [(k, v) for k, v in reply.headers if k.lower() not in names]
        reply.headers += [(name, str(value)) for name, value in headers]


def change(rule, reply):
    """Alter the reply's body and fields; gives the bytes that follow the body."""
    if rule.get("encode") == "gzip":
        reply.body = gzip.compress(bytes(reply.body), mtime=0)
        reply.set("Content-Encoding", "gzip")
    if "corrupt" in rule and reply.body:
        body = bytearray(reply.body)
        body[rule.get("corrupt") % len(body)] ^= 1
        reply.body = bytes(body)
    extra = text_of(rule, "extra") or b""
    return extra + pattern(rule.get("extra_size", 0))


def frame(rule, reply, head_only):
    """Add the field that says where the body ends."""
    explicit = reply.get("content-length") is not None or reply.get("transfer-encoding") is not None
    if reply.status in NO_BODY or reply.status < 200 or explicit:
        return
    if "no_length" in rule or rule.get("endless") == "body":
        reply.set("Connection", "close")
    elif ("chunked" in rule or rule.get("endless") == "chunks") and not head_only:
        reply.set("Transfer-Encoding", "chunked")
    else:
        reply.set("Content-Length", rule.get("length", len(reply.body) + rule.get("length_add", 0)))


class Empty:
    """The rule that does nothing."""

    id = None

    def __contains__(self, key):
        return False

    def get(self, _key, default=None):
        return default


NOTHING = Empty()


class Delivery:
    def __init__(self, connection, rule):
        self.wire = connection.wire
        self.server = connection.server
        self.epoch = connection.epoch
        self.rule = rule

    # -- waiting

    def alive(self):
        return self.server.epoch == self.epoch

    def pause(self, seconds):
        end = time.monotonic() + seconds
        while self.alive() and time.monotonic() < end:
            time.sleep(min(0.1, max(end - time.monotonic(), 0)))

    def wait_gone(self):
        """Say nothing until the client leaves or the tests start afresh."""
        sock, poll = self.wire.sock, select.poll()
        poll.register(sock.fileno(), select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        while self.alive():
            if poll.poll(100):
                raise Gone("left while stalled")
        raise Cut("rst")

    def wait_before(self, suffix=""):
        if "delay" + suffix in self.rule:
            self.pause(self.rule.get("delay" + suffix))
        if "hold" + suffix in self.rule:
            self.server.holds.wait(self.rule.get("hold" + suffix), self.alive)

    # -- sending

    def send_limited(self, data, suffix, trickle):
        """Send, but stop where the rule cuts or stalls."""
        cut, stall = self.rule.get("cut" + suffix), self.rule.get("stall" + suffix)
        limits = [n for n in (cut, stall) if n is not None]
        self.send_slowly(data[:min(limits)] if limits else data, trickle)
        if stall is not None and stall <= len(data):
            self.wait_gone()
        if cut is not None and cut <= len(data):
            raise Cut(self.rule.get("how", "fin"))

    def send_slowly(self, data, trickle):
        if not trickle:
            for start in range(0, len(data), PART):
                self.wire.send(data[start:start + PART])
            return
        step, every = trickle.get("bytes", 1), trickle.get("every", 0.01)
        for start in range(0, len(data), step):
            self.wire.send(data[start:start + step])
            self.pause(every)

    def send_interim(self):
        spec = self.rule.get("interim")
        if not spec:
            return
        status = spec.get("status", 100)
        lines = "".join("%s: %s\r\n" % pair for pair in dict(spec.get("headers") or {}).items())
        block = "HTTP/1.1 %d %s\r\n%s\r\n" % (status, REASONS.get(status, "Interim"), lines)
        self.wire.send(block.encode("latin-1") * spec.get("count", 1))

    def forever(self, data):
        while self.alive():
            self.wire.send(data)
        raise Cut("rst")

    def send(self, reply, head_only):
        """The whole reply. Raises Cut where the rule ends the connection."""
        extra = change(self.rule, reply)
        frame(self.rule, reply, head_only)
        for name, value in self.rule.get("set", {}).items():
            reply.set(name, value)
        self.wait_before()
        self.send_interim()
        endless = self.rule.get("endless")
        if endless == "interim":
            self.forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 64)
        head = reply.head()
        if endless == "headers":
            self.wire.send(head[:-2])
            self.forever(b"X-Filler: " + b"x" * 1000 + b"\r\n")
        if self.plain(reply, head_only, extra):
            self.wire.send(head + bytes(reply.body))
            return
        self.send_limited(head, "_headers", self.rule.get("trickle_headers"))
        self.send_body(reply, head_only, extra)

    def plain(self, reply, head_only, extra):
        """Nothing special: one write is quicker."""
        return (self.rule is NOTHING and not head_only and not extra and len(reply.body) < PART
                and reply.status not in NO_BODY)

    def send_body(self, reply, head_only, extra):
        self.wait_before("_body" if "hold_at" not in self.rule else "_none")
        bodyless = (head_only or reply.status in NO_BODY) and not extra
        body = b"" if bodyless else bytes(reply.body)
        if self.rule.get("endless") == "body":
            self.forever(pattern(PART))
        if self.rule.get("endless") == "chunks":
            self.forever(b"10000\r\n" + pattern(65536) + b"\r\n")
        if reply.get("transfer-encoding") == "chunked" and "chunked" in self.rule:
            body = chunks(body, self.rule.get("chunked"), self.rule.get("trailers", []))
        if "hold_at" in self.rule:
            at = self.rule.get("hold_at")
            self.wire.send(body[:at])
            self.wait_before("_body")
            body = body[at:]
        self.send_limited(body + extra, "", self.rule.get("trickle"))


def chunks(body, size, trailers):
    parts = [body[i:i + size] for i in range(0, len(body), size)]
    coded = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    lines = "".join("%s: %s\r\n" % tuple(pair) for pair in trailers)
    return coded + b"0\r\n" + lines.encode("latin-1") + b"\r\n"
