#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gateway.py SCENARIO PROGRAM PROVIDER REGISTRY PATH SHA256 SIZE

Run examples/embed/gateway and be its clients. Says what went wrong and exits 1, or nothing."""
import concurrent.futures
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time

TIMEOUT = 60  # of whatever is waited for


def connect(port):
    client = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
    return client


def ask(client, path):
    client.sendall(f"GET /v1/{path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n".encode())


def read_all(client):
    parts = []
    while True:
        part = client.recv(1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)


def answer(data):
    head, _, body = data.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1]) if head else 0
    return status, head.decode("latin-1"), body


def fetch(port, path):
    with connect(port) as client:
        ask(client, path)
        return answer(read_all(client))


class Gateway:
    def __init__(self, program, provider, registry):
        self.process = subprocess.Popen([program, "0", provider, registry], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[-1])

    def peak(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))

    def sockets(self):
        folder = f"/proc/{self.process.pid}/fd"
        found = 0
        for name in os.listdir(folder):
            try:
                found += os.readlink(f"{folder}/{name}").startswith("socket:")
            except FileNotFoundError:
                pass
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(TIMEOUT)


class Scenario:
    def __init__(self, registry, path, digest, size):
        self.registry, self.path, self.digest, self.size = registry, path, digest, int(size)

    def is_right(self, got):
        status, _, body = got
        return status == 200 and hashlib.sha256(body).hexdigest() == self.digest

    def serves(self, gateway):
        got = fetch(gateway.port, self.path)
        assert self.is_right(got), got[1]
        assert f"Content-Length: {self.size}" in got[1], got[1]
        reference = self.path.rsplit("/", 1)[0]
        for path, status in ((f"{reference}/none", 404), (f"{reference}0/none", 404), ("other.test/a:1/b", 404),
                             (reference, 404), (f"{self.registry}/A:1/b", 400),
                             (f"{self.registry}/%22%5c%0a:1/b", 400), (f"{self.registry}x/a:1/b", 404)):
            assert fetch(gateway.port, path)[0] == status, path

    def many(self, gateway):
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            for got in pool.map(lambda _: self.is_right(fetch(gateway.port, self.path)), range(50)):
                assert got, "wrong bytes"
        peak = gateway.peak()
        assert peak < 160 * 1024, f"peak memory is {peak} KiB"

    def slow(self, gateway):
        clients = [connect(gateway.port) for _ in range(40)]
        begun = []
        for client in clients:  # each takes a few bytes and then no more
            ask(client, self.path)
            begun.append(client.recv(100))
        for _ in range(5):
            assert self.is_right(fetch(gateway.port, self.path)), "a client that is not slow"
        for client, first in zip(clients, begun):
            assert self.is_right(answer(first + read_all(client))), "a client that was slow"
            client.close()

    def leaves(self, gateway):
        fetch(gateway.port, self.path)
        before = gateway.sockets()
        clients = [connect(gateway.port) for _ in range(10)]
        for client in clients:
            ask(client, self.path)
            client.recv(100)
        during = gateway.sockets()
        assert during >= before + 15, f"{during} sockets"
        for client in clients:
            client.close()
        end = time.monotonic() + TIMEOUT
        while gateway.sockets() > before + 8 and time.monotonic() < end:  # idle connections are kept
            time.sleep(0.01)
        assert gateway.sockets() <= before + 8, f"{gateway.sockets()} sockets"
        assert self.is_right(fetch(gateway.port, self.path))

    def broken(self, gateway):
        status, head, body = fetch(gateway.port, self.path)
        assert status == 200 and f"Content-Length: {self.size}" in head, head
        assert len(body) < self.size, "what is wrong was given as a whole"


def main():
    name, program, provider = sys.argv[1:4]
    gateway = Gateway(program, provider, sys.argv[4])
    try:
        getattr(Scenario(*sys.argv[4:]), name)(gateway)
        status = gateway.stop()
        assert status == 0, f"the gateway ended with {status}"
    finally:
        if gateway.process.poll() is None:
            gateway.process.kill()
            gateway.process.wait()


if __name__ == "__main__":
    try:
        main()
    except AssertionError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
