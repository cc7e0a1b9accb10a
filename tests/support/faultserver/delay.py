# SPDX-License-Identifier: MIT
"""A byte-level TCP proxy that adds latency, and may cut connections by a seeded dice.

Runs as a process of its own with one thread: `python3 -m faultserver.delay PORT:TARGET:MS`.
Half of MS is added in each direction, and MS once more before a connection's first bytes
(the handshake that a distant server would have cost).
"""

import argparse
import heapq
import itertools
import random
import selectors
import socket
import struct
import sys
import time

READ = 256 << 10
PENDING_LIMIT = 8 << 20  # bytes under way in one direction; TCP pushes back beyond it


class Side:
    """One socket of a pair: what is to be written to it."""

    def __init__(self, sock):
        self.sock = sock
        self.peer = None
        self.out = []  # (due, bytes), oldest first
        self.size = 0
        self.begun = False
        self.ended = False  # it will send no more
        self.finish = None  # when its own writing side is to be shut


class Proxy:
    def __init__(self, listen, target, delay_ms, cuts=None):
        self.target = target
        self.half, self.whole = delay_ms / 2000, delay_ms / 1000
        self.select = selectors.DefaultSelector()
        self.due, self.order = [], itertools.count()
        self.dice, self.mean = (random.Random(cuts[0]), cuts[1]) if cuts else (None, 0)
        self.budget = {}
        self.server = socket.socket()
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.bind(("127.0.0.1", listen))
        self.server.listen(512)
        self.server.setblocking(False)
        self.port = self.server.getsockname()[1]
        self.select.register(self.server, selectors.EVENT_READ, None)

    def run(self):
        while True:
            wait = max(self.due[0][0] - time.monotonic(), 0) if self.due else None
            for key, mask in self.select.select(wait):
                if key.data is None:
                    self.accept()
                    continue
                if mask & selectors.EVENT_READ and key.data.sock.fileno() >= 0:
                    self.read(key.data)
                if mask & selectors.EVENT_WRITE and key.data.sock.fileno() >= 0:
                    self.write(key.data)
            self.deliver()

    def accept(self):
        client, _ = self.server.accept()
        try:
            upstream = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            client.close()
            return
        a, b = Side(client), Side(upstream)
        a.peer, b.peer = b, a
        for side in (a, b):
            side.sock.setblocking(False)
            side.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.select.register(side.sock, selectors.EVENT_READ, side)
        if self.dice:
            self.budget[a] = self.budget[b] = [int(self.dice.expovariate(1 / self.mean)) + 1]
        a.begun = False
        b.begun = True

    def read(self, side):
        try:
            data = side.sock.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            self.close(side, reset=True)
            return
        due = time.monotonic() + self.half + (0 if side.begun else self.whole)
        side.begun = True
        if self.spent(side, len(data)):
            self.close(side, reset=True)
            return
        peer = side.peer
        if data:
            peer.out.append((due, data))
            peer.size += len(data)
        else:
            side.ended = True
            peer.finish = due
        heapq.heappush(self.due, (due, next(self.order), peer))
        self.watch(side)

    def spent(self, side, size):
        left = self.budget.get(side)
        if left is None:
            return False
        left[0] -= size
        return left[0] <= 0

    def deliver(self):
        now = time.monotonic()
        while self.due and self.due[0][0] <= now:
            side = heapq.heappop(self.due)[2]
            if side.sock.fileno() >= 0:
                self.write(side)

    def write(self, side):
        now = time.monotonic()
        try:
            while side.out and side.out[0][0] <= now:
                due, data = side.out[0]
                sent = side.sock.send(data)
                side.size -= sent
                if sent < len(data):
                    side.out[0] = (due, data[sent:])
                    break
                side.out.pop(0)
        except BlockingIOError:
            pass
        except OSError:
            self.close(side, reset=True)
            return
        self.settle(side, now)

    def settle(self, side, now):
        """Pass on an end of stream, and forget a pair that is through."""
        if not side.out and side.finish is not None and side.finish <= now:
            if side.ended:
                self.close(side)
                return
            try:
                side.sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            side.finish = None
            side.peer.ended = True
        self.watch(side, now)
        self.watch(side.peer, now)

    def watch(self, side, now=None):
        if side.sock.fileno() < 0:
            return
        mask = 0
        if not side.ended and side.peer.size < PENDING_LIMIT:
            mask |= selectors.EVENT_READ
        if side.out and side.out[0][0] <= (now or time.monotonic()):
            mask |= selectors.EVENT_WRITE
        known = side.sock in self.select.get_map()
        if known and mask:
            self.select.modify(side.sock, mask, side)
        elif known:
            self.select.unregister(side.sock)
        elif mask:
            self.select.register(side.sock, mask, side)

    def close(self, side, reset=False):
        for one in (side, side.peer):
            if one.sock.fileno() < 0:
                continue
            if one.sock in self.select.get_map():
                self.select.unregister(one.sock)
            if reset:
                one.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.sock.close()
            self.budget.pop(one, None)


def main():
    parser = argparse.ArgumentParser(prog="faultserver.delay", description=__doc__)
    parser.add_argument("spec", metavar="PORT:TARGETPORT:MS")
    parser.add_argument("--cuts", metavar="SEED:BYTES")
    options = parser.parse_args()
    listen, target, delay = options.spec.split(":")
    cuts = tuple(int(n) for n in options.cuts.split(":")) if options.cuts else None
    proxy = Proxy(int(listen), int(target), float(delay), cuts)
    print(proxy.port, flush=True)
    try:
        proxy.run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
