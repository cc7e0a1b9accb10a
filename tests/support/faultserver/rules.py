# SPDX-License-Identifier: MIT
"""Rules: which request, how often, and what then. The keys are explained in README.md."""

import re
import threading
from fnmatch import fnmatchcase

WHICH = {"listener", "method", "path", "target", "has", "reused", "nth", "times", "always", "on"}
SOURCE = {
    "status", "reason", "headers", "body", "body_base64", "body_size", "json", "redirect",
    "redirect_to", "challenge", "raw", "raw_base64", "keep", "drop", "process", "lose", "expire",
}
CHANGES = {
    "set", "set_status", "ignore_range", "corrupt", "extra", "extra_size", "length", "length_add", "no_length",
    "chunked", "trailers", "encode",
}
SENDING = {
    "early", "read", "read_slowly", "abrupt", "expect", "delay", "delay_body", "hold", "hold_body", "hold_at", "interim",
    "trickle", "trickle_headers", "cut", "cut_headers", "how", "stall", "stall_headers",
    "endless", "close", "say_close",
}
CONNECTION = {"on", "listener", "nth", "times", "always", "drop", "stall", "delay", "hold", "raw",
              "raw_base64", "cert", "tls"}
STREAM = {"h2"}


class BadRule(ValueError):
    pass


def check(spec):
    """Refuse what would silently do nothing."""
    if not isinstance(spec, dict):
        raise BadRule("a rule is an object")
    on = spec.get("on", "request")
    known = CONNECTION if on == "connect" else WHICH | SOURCE | CHANGES | SENDING | STREAM
    for key in spec:
        if key not in known:
            raise BadRule("unknown key '%s' in a rule for a %s" % (key, on))
    choices = {"on": ("request", "connect"), "how": ("fin", "rst", "tls"), "drop": ("fin", "rst"),
               "endless": ("body", "chunks", "headers", "interim"), "encode": ("gzip",),
               "expect": ("ignore", "417"), "tls": ("cut",),
               "h2": ("goaway", "goaway_after", "rst", "stall"),
               "cert": ("good", "expired", "wronghost", "selfsigned")}
    for key, values in choices.items():
        if key in spec and spec[key] not in values:
            raise BadRule("'%s' must be one of %s" % (key, ", ".join(values)))


class Rule:
    def __init__(self, ident, spec):
        check(spec)
        self.id = ident
        self.spec = spec
        self.on = spec.get("on", "request")
        self.seen = 0
        self.hits = 0
        self.target = re.compile(spec["target"]) if "target" in spec else None

    def __contains__(self, key):
        return key in self.spec

    def get(self, key, default=None):
        return self.spec.get(key, default)

    def take(self):
        """Count one fitting event; does the rule fire?"""
        self.seen += 1
        if self.seen < self.get("nth", 1):
            return False
        if not self.get("always") and self.hits >= self.get("times", 1):
            return False
        self.hits += 1
        return True

    def fits_listener(self, listener):
        return self.get("listener", listener) == listener

    def fits(self, listener, request, reused):
        return (self.fits_listener(listener)
                and self.get("method", request.method) == request.method
                and ("path" not in self or fnmatchcase(request.path, self.get("path")))
                and (self.target is None or self.target.search(request.target) is not None)
                and self.get("reused", reused) == reused
                and all(has(request, *pair) for pair in self.get("has", {}).items()))

    def public(self):
        return {**self.spec, "id": self.id, "seen": self.seen, "hits": self.hits}


def has(request, name, pattern):
    value = request.get(name)
    if pattern is False or value is None:
        return pattern is False and value is None
    return pattern is True or re.search(pattern, value) is not None


class Rules:
    def __init__(self):
        self.lock = threading.Lock()
        self.all = []
        self.next = 1

    def add(self, specs):
        with self.lock:
            made = [Rule(self.next + i, spec) for i, spec in enumerate(specs)]
            self.next += len(made)
            self.all += made
        return [rule.id for rule in made]

    def find(self, on, fits):
        with self.lock:
            for rule in self.all:
                if rule.on == on and fits(rule) and rule.take():
                    return rule
        return None

    def for_request(self, listener, request, reused):
        return self.find("request", lambda rule: rule.fits(listener, request, reused))

    def for_connection(self, listener):
        return self.find("connect", lambda rule: rule.fits_listener(listener))

    def clear(self):
        with self.lock:
            self.all = []

    def public(self):
        with self.lock:
            return [rule.public() for rule in self.all]
