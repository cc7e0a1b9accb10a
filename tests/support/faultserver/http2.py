# SPDX-License-Identifier: MIT
"""Enough of HTTP/2 (RFC 9113) to serve the registry, and to break off in the ways that it has."""

import struct

from .deliver import NOTHING, Cut, Delivery, change, scripted
from .hpack import Decoder, encode
from .log import describe
from .wire import Request

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32
INITIAL_WINDOW_SIZE = 4
INTERNAL_ERROR, CANCEL = 2, 8
FRAME_SIZE = 16384
HOP_FIELDS = {"connection", "transfer-encoding", "keep-alive", "upgrade"}


class Stream:
    def __init__(self, ident, window):
        self.id = ident
        self.block = bytearray()
        self.request = None
        self.window = window
        self.out = None  # bytes of the reply that still wait for the window
        self.entry = None
        self.rule = NOTHING
        self.sent = 0
        self.ended = False


class Session:
    """One connection. A stream's reply is sent as the windows allow."""

    def __init__(self, connection):
        self.connection = connection
        self.server = connection.server
        self.wire = connection.wire
        self.decoder = Decoder()
        self.streams = {}
        self.window, self.initial = 65535, 65535

    # -- frames

    def frame(self, kind, flags, ident, payload=b""):
        head = struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, ident)
        self.wire.send(head + payload)

    def read(self):
        head = bytearray()
        self.wire.take(9, head)
        size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        payload = bytearray()
        self.wire.take(size, payload)
        return kind, flags, int.from_bytes(head[5:9], "big") & 0x7FFFFFFF, bytes(payload)

    def serve(self):
        preface = bytearray()
        self.wire.take(len(PREFACE), preface)
        self.frame(SETTINGS, 0, 0)
        handlers = {HEADERS: self.on_headers, CONTINUATION: self.on_continuation,
                    DATA: self.on_data, SETTINGS: self.on_settings, PING: self.on_ping,
                    WINDOW_UPDATE: self.on_window, RST_STREAM: self.on_reset}
        while True:
            kind, flags, ident, payload = self.read()
            if kind == GOAWAY:
                raise Cut("fin")
            if kind in handlers:
                handlers[kind](flags, ident, payload)
            self.flush()

    # -- what comes

    def on_settings(self, flags, _ident, payload):
        if flags & ACK:
            return
        for at in range(0, len(payload), 6):
            key, value = struct.unpack(">HI", payload[at:at + 6])
            if key == INITIAL_WINDOW_SIZE:
                for stream in self.streams.values():
                    stream.window += value - self.initial
                self.initial = value
        self.frame(SETTINGS, ACK, 0)

    def on_ping(self, flags, _ident, payload):
        if not flags & ACK:
            self.frame(PING, ACK, 0, payload)

    def on_window(self, _flags, ident, payload):
        size = int.from_bytes(payload, "big")
        if ident == 0:
            self.window += size
        elif ident in self.streams:
            self.streams[ident].window += size

    def on_reset(self, _flags, ident, _payload):
        stream = self.streams.pop(ident, None)
        if stream and stream.entry:
            self.server.log.update(stream.entry, outcome="gone")

    def on_headers(self, flags, ident, payload):
        if flags & PADDED:
            payload = payload[1:len(payload) - payload[0]]
        if flags & PRIORITY:
            payload = payload[5:]
        self.streams[ident] = Stream(ident, self.initial)
        self.streams[ident].ended = bool(flags & END_STREAM)
        self.on_continuation(flags, ident, payload)

    def on_continuation(self, flags, ident, payload):
        stream = self.streams[ident]
        stream.block += payload
        if flags & END_HEADERS:
            stream.request = make_request(self.decoder.decode(bytes(stream.block)))
            if stream.ended:
                self.answer(stream)

    def on_data(self, flags, ident, payload):
        stream = self.streams.get(ident)
        if payload:
            for target in (0, ident) if stream else (0,):
                self.frame(WINDOW_UPDATE, 0, target, struct.pack(">I", len(payload)))
        if stream is None:
            return
        stream.request.body += payload[1:len(payload) - payload[0]] if flags & PADDED else payload
        if flags & END_STREAM:
            self.answer(stream)

    # -- what goes

    def answer(self, stream):
        connection, request = self.connection, stream.request
        connection.count += 1
        connection.epoch = self.server.epoch
        rule = self.server.rules.for_request(connection.name, request, connection.count > 1)
        stream.rule = rule or NOTHING
        stream.entry = self.server.log.add(describe(connection, request, rule))
        fault = stream.rule.get("h2")
        if fault == "goaway":
            self.goaway(stream)
        if fault == "rst":
            self.reset(stream, INTERNAL_ERROR)
            return
        delivery = Delivery(connection, stream.rule)
        delivery.wait_before()
        if fault == "stall":
            return  # the stream stays open and silent
        reply = scripted(stream.rule, request, connection.listener)
        if reply is None or "process" in stream.rule:
            real = connection.process(request, stream.rule)
            reply = reply or real
        self.start(stream, reply)

    def start(self, stream, reply):
        reply.status = stream.rule.get("set_status", reply.status)
        extra = change(stream.rule, reply)
        if reply.status not in (204, 304) and "no_length" not in stream.rule:
            size = len(reply.body) + stream.rule.get("length_add", 0)
            reply.set("Content-Length", stream.rule.get("length", size))
        for name, value in stream.rule.get("set", {}).items():
            reply.set(name, value)
        self.server.log.update(stream.entry, status=reply.status)
        fields = [(":status", str(reply.status))] + [
            (k.lower(), v) for k, v in reply.headers if k.lower() not in HOP_FIELDS]
        bodyless = stream.request.method == "HEAD" or reply.status in (204, 304)
        body = b"" if bodyless else bytes(reply.body) + extra
        self.frame(HEADERS, END_HEADERS | (0 if body else END_STREAM), stream.id, encode(fields))
        stream.out = body
        if not body:
            self.done(stream)

    def flush(self):
        for stream in list(self.streams.values()):
            while stream.out and stream.window > 0 and self.window > 0:
                if not self.send_part(stream):
                    break

    def send_part(self, stream):
        """One DATA frame; False when the stream has ended or stands still."""
        cut, stall = stream.rule.get("cut"), stream.rule.get("stall")
        limits = [n - stream.sent for n in (cut, stall) if n is not None]
        size = min([FRAME_SIZE, stream.window, self.window, len(stream.out)] + limits)
        if size <= 0 and cut is not None and stream.sent >= cut:
            self.reset(stream, CANCEL)
            return False
        if size <= 0:
            return False
        part, stream.out = stream.out[:size], stream.out[size:]
        stream.sent += size
        stream.window -= size
        self.window -= size
        self.frame(DATA, 0 if stream.out else END_STREAM, stream.id, part)
        if not stream.out:
            self.done(stream)
        return bool(stream.out)

    def done(self, stream):
        del self.streams[stream.id]
        self.server.log.update(stream.entry, outcome="complete")
        if stream.rule.get("h2") == "goaway_after":
            self.frame(GOAWAY, 0, 0, struct.pack(">II", stream.id, 0))
            raise Cut("fin")

    def reset(self, stream, code):
        del self.streams[stream.id]
        self.frame(RST_STREAM, 0, stream.id, struct.pack(">I", code))
        self.server.log.update(stream.entry, outcome="cut")

    def goaway(self, stream):
        """No stream was processed: the client may repeat them all elsewhere."""
        self.frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0))
        self.server.log.update(stream.entry, outcome="cut")
        raise Cut("fin")


def make_request(fields):
    pseudo = {name: value for name, value in fields if name.startswith(":")}
    headers = [("host", pseudo.get(":authority", ""))]
    headers += [field for field in fields if not field[0].startswith(":")]
    request = Request(pseudo[":method"], pseudo.get(":path", ""), "HTTP/2", headers)
    request.scheme = pseudo.get(":scheme", "https")
    return request
