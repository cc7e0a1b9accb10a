# SPDX-License-Identifier: MIT
"""Every request, recorded before it is answered."""

import hashlib
import threading
import time
from fnmatch import fnmatchcase

BODY_SHOWN = 64 << 10


def describe(connection, request, rule):
    body = bytes(request.body)
    return {
        "listener": connection.name, "connection": connection.id, "n": connection.count,
        "method": request.method, "target": request.target, "path": request.path,
        "query": request.query, "version": request.version,
        "headers": [list(field) for field in request.headers],
        "body_size": len(body), "body_digest": "sha256:" + hashlib.sha256(body).hexdigest(),
        "body": body[:BODY_SHOWN].decode("utf-8", "replace"), "tls": connection.tls,
        "rule": rule.id if rule else None, "status": None, "outcome": None,
    }


class Log:
    def __init__(self):
        self.changed = threading.Condition()
        self.entries = []
        self.next = 1
        self.open = {}
        self.total = {}

    def add(self, entry):
        with self.changed:
            entry["id"] = self.next
            self.next += 1
            self.entries.append(entry)
            self.changed.notify_all()
        return entry

    def update(self, entry, **values):
        with self.changed:
            entry.update(values)
            self.changed.notify_all()

    def connected(self, listener, change):
        with self.changed:
            self.open[listener] = self.open.get(listener, 0) + change
            if change > 0:
                self.total[listener] = self.total.get(listener, 0) + 1
            self.changed.notify_all()

    def select(self, listener=None, method=None, path=None, since=0, finished=False):
        with self.changed:
            return [dict(e) for e in self.entries
                    if e["id"] > since and listener in (None, e["listener"])
                    and method in (None, e["method"])
                    and (path is None or fnmatchcase(e["path"] or "", path))
                    and (not finished or e["outcome"])]

    def count_open(self, listener):
        with self.changed:
            return self.open.get(listener, 0) if listener else sum(self.open.values())

    def count_total(self, listener):
        with self.changed:
            return self.total.get(listener, 0) if listener else sum(self.total.values())

    def wait(self, ready, timeout):
        end = time.monotonic() + timeout
        with self.changed:
            while not ready():
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(left)
        return True

    def clear(self):
        with self.changed:
            self.entries = []
            self.total = {}
            self.changed.notify_all()
