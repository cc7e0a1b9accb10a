# SPDX-License-Identifier: MIT
"""One client connection: requests in, replies out, until somebody ends it."""

import itertools
import socket
import ssl

from . import http2, uploads
from .deliver import NOTHING, Cut, Delivery, scripted, text_of
from .log import describe
from .wire import BadRequest, Gone, Reply, Wire, read_body, read_head, read_slowly

IDS = itertools.count(1)
LINGER = 1.0


class Connection:
    def __init__(self, server, listener, sock):
        self.server = server
        self.listener = listener
        self.name = listener.name
        self.id = next(IDS)
        self.count = 0
        self.epoch = server.epoch
        self.tls = None
        self.wire = Wire(sock)

    # -- life

    def run(self):
        self.server.log.connected(self.name, 1)
        try:
            if self.open():
                self.serve()
        except Cut as cut:
            self.end(cut.how)
        except (Gone, OSError):
            self.end("rst")
        finally:
            self.wire.sock.close()
            self.server.log.connected(self.name, -1)

    def end(self, how):
        """fin: an orderly close; tls: without close_notify; rst: a reset."""
        sock = self.wire.sock
        try:
            if how == "rst":
                self.wire.reset()
                return
            if how == "fin" and isinstance(sock, ssl.SSLSocket):
                sock.settimeout(0.05)
                sock = unwrap(sock)
            sock.shutdown(socket.SHUT_WR)
            self.drain(sock)
        except (OSError, ValueError):
            pass

    def drain(self, sock):
        """Read what still comes, so that closing does not become a reset."""
        sock.settimeout(LINGER)
        while sock.recv(65536):
            pass

    # -- opening

    def open(self):
        rule = self.server.rules.for_connection(self.name) or NOTHING
        delivery = Delivery(self, rule)
        delivery.wait_before()
        if "drop" in rule:
            raise Cut(rule.get("drop"))
        if "stall" in rule:
            delivery.wait_gone()
        raw = text_of(rule, "raw")
        if raw is not None:
            self.wire.sock.settimeout(LINGER)
            self.wire.sock.recv(65536)
            self.wire.send(raw)
            raise Cut("tls")
        return self.listener.context is None or self.handshake(rule)

    def handshake(self, rule):
        if "tls" in rule:
            self.wire.sock.recv(65536)
            raise Cut("tls")
        context = self.listener.context
        if "cert" in rule:
            context = self.server.contexts[rule.get("cert")]
        try:
            sock = context.wrap_socket(self.wire.sock, server_side=True)
        except (OSError, ValueError) as error:
            self.server.log.add(failed_handshake(self, error))
            return False
        self.wire = Wire(sock)
        self.tls = {"version": sock.version(), "client_cert": sock.getpeercert(True) is not None,
                    "sni": getattr(sock, "asked_name", None), "alpn": sock.selected_alpn_protocol()}
        return True

    # -- serving

    def serve(self):
        if self.tls and self.tls["alpn"] == "h2":
            http2.Session(self).serve()
        while True:
            try:
                request = read_head(self.wire)
            except BadRequest:
                self.wire.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                raise Cut("fin") from None
            if request is None:
                return
            self.epoch = self.server.epoch  # a reset of the tests leaves idle connections alone
            self.count += 1
            if not self.exchange(request):
                raise Cut("fin")

    def exchange(self, request):
        """Answer one request; may the connection be used again?"""
        request.scheme = "https" if self.tls else "http"
        rule = self.server.rules.for_request(self.name, request, self.count > 1)
        acting = rule or NOTHING
        complete = self.receive(request, acting, rule)
        entry = self.server.log.add(describe(self, request, rule))
        try:
            reply = self.answer(request, acting, entry)
            self.finish(entry, "complete")
        except Cut:
            self.finish(entry, "cut")
            raise
        except Gone:
            self.finish(entry, "gone")
            raise
        if reply.tunnel:
            self.listener.handler.splice(self, reply.tunnel)
            return False
        if "abrupt" in acting:
            raise Cut("rst")
        return complete and not closes(request, acting, reply)

    def finish(self, entry, outcome):
        self.server.log.update(entry, outcome=outcome)

    def receive(self, request, acting, rule):
        """Read the request's body as far as the rule lets us; was it all?"""
        if "early" in acting:
            return not request.has_body()
        if (request.get("expect") or "").lower() == "100-continue" and "expect" not in acting:
            self.wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if acting.get("expect") == "417":
            return False
        try:
            if "read_slowly" in acting:
                self.read_slowly(request, acting)
            else:
                read_body(self.wire, request, acting.get("read"))
        except Gone:
            entry = describe(self, request, rule)
            self.server.log.add({**entry, "outcome": "request cut"})
            uploads.keep_partial(self.server.registry, request)
            raise
        return "read" not in acting

    def read_slowly(self, request, rule):
        speed, delivery = rule.get("read_slowly"), Delivery(self, rule)
        read_slowly(self.wire, request, speed.get("bytes", 1024),
                    lambda: delivery.pause(speed.get("every", 0.01)))

    def answer(self, request, rule, entry):
        if rule.get("expect") == "417":
            reply = Reply(417)
            Delivery(self, NOTHING).send(reply, False)
            return reply
        if "expire" in rule:
            self.server.tokens.expire()
        reply = scripted(rule, request, self.listener)
        raw = text_of(rule, "raw")
        if reply is None and raw is None and "drop" not in rule or "process" in rule:
            real = self.process(request, rule)
            reply = reply or real
        delivery = Delivery(self, rule)
        if "drop" in rule:
            delivery.wait_before()
            raise Cut(rule.get("drop"))
        if raw is not None:
            return self.send_raw(delivery, raw, rule)
        reply.status = rule.get("set_status", reply.status)
        self.server.log.update(entry, status=reply.status)
        if "say_close" in rule:
            reply.set("Connection", "close")
        if request.method == "CONNECT" and reply.status == 200 and not reply.tunnel:
            reply.tunnel = self.server.dial(request.target)
        delivery.send(reply, request.method == "HEAD" or reply.tunnel is not None)
        return reply

    def process(self, request, rule):
        if "ignore_range" in rule:
            request.headers = [f for f in request.headers if f[0].lower() != "range"]
        if "lose" in rule:
            uploads.forget(self.server.registry, request)
        if "read" in rule:
            uploads.keep_partial(self.server.registry, request)
        return self.listener.handler.handle(request, self.listener)

    def send_raw(self, delivery, raw, rule):
        delivery.wait_before()
        delivery.send_limited(raw, "", rule.get("trickle"))
        if "keep" not in rule:
            raise Cut("fin")
        return Reply(0)


def closes(request, rule, reply):
    if "close" in rule or "no_length" in rule or "early" in rule or request.wants_close():
        return True
    return (reply.get("connection") or "").lower() == "close"


def unwrap(sock):
    """Send close_notify; the client's own need not come."""
    try:
        return sock.unwrap()
    except (TimeoutError, ssl.SSLError):
        return sock


def failed_handshake(connection, error):
    return {
        "listener": connection.name, "connection": connection.id, "n": 0, "method": "TLS",
        "target": None, "path": None, "query": None, "version": None, "headers": [],
        "body_size": 0, "body_digest": None, "body": "", "tls": None, "rule": None,
        "status": None, "outcome": "cut", "error": str(error),
    }
