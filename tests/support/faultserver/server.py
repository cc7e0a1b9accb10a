# SPDX-License-Identifier: MIT
"""Everything that the listeners share."""

import threading

from .listeners import Listener, make_contexts
from .log import Log
from .proxy import Proxy, dial
from .registry import Registry
from .rules import Rules
from .store import Store
from .tokens import SERVICE, Tokens

DEFAULTS = {
    "auth": [], "realm": None, "service": SERVICE, "token_ttl": 300,
    "token_fields": ["token", "access_token", "expires_in", "issued_at"], "hosts": {},
    "token_get": True, "token_post": True, "rotate_refresh": False, "aws_ttl": 43200,
    "tags_page": None, "catalog_page": 100, "referrers_page": None, "referrers": True,
    "oci_subject": True, "tag_param": True, "conditions": False, "manifest_limit": 4 << 20,
    "delete_tags": True, "delete_manifests": True, "delete_blobs": True, "read_only": False,
    "ranges": True, "dcd": True, "blob_redirect": None,
    # uploads
    "mount": True, "mount_anonymous": True, "post_monolithic": True, "chunk_min": None,
    "append": False, "patch_cap": None, "patch_status": 202, "upload_range": "true",
    "chunked_coding": True, "keep_broken": True,
    "location": "absolute", "location_state": True, "location_extra": "",
}


class Holds:
    """Named gates at which replies wait for the test."""

    def __init__(self):
        self.changed = threading.Condition()
        self.released = set()

    def wait(self, name, alive):
        with self.changed:
            while alive() and name not in self.released:
                self.changed.wait(0.1)

    def release(self, name):
        with self.changed:
            self.released.add(name)
            self.changed.notify_all()

    def clear(self):
        with self.changed:
            self.released = set()
            self.changed.notify_all()


class Server:
    def __init__(self, certs):
        self.certs = certs
        self.epoch = 0
        self.rules, self.log, self.holds = Rules(), Log(), Holds()
        self.store = Store()
        self.tokens = Tokens(certs["token"])
        self.config = dict(DEFAULTS)
        self.registry = Registry(self.store, self.tokens, self.config)
        self.contexts = make_contexts(certs)
        self.listeners = {}

    def add(self, name, handler=None, context=None, **where):
        chosen = self.contexts[context] if context else None
        listener = Listener(self, name, handler or self.registry, chosen, **where)
        self.listeners[name] = listener
        return listener

    def listen(self):
        for name in ("http", "cdn", "evil", "token"):
            self.add(name)
        try:
            self.add("http6", host="::1")
        except OSError:
            pass
        for name in ("https", "https_cdn", "https_evil"):
            self.add(name, context="good")
        self.add("h2", context="h2")
        self.add("mtls", context="mtls")
        for name in ("old", "expired", "wronghost", "selfsigned"):
            self.add("tls_" + name, context=name)
        self.add("proxy", Proxy(self))
        self.add("proxy_auth", Proxy(self, auth=True))
        self.add("proxy_tls", Proxy(self), context="good")

    def start(self):
        for listener in self.listeners.values():
            listener.start()

    def dial(self, authority):
        return dial(self.config["hosts"], authority)

    def configure(self, values):
        for key in values:
            if key not in DEFAULTS:
                raise ValueError("unknown setting '%s'" % key)
        self.config.update(values)

    def reset(self, content=True):
        """Start afresh; replies that stall or wait are ended."""
        self.rules.clear()
        self.epoch += 1
        self.holds.clear()
        self.log.clear()
        self.tokens.forget()
        self.config.update(DEFAULTS)
        if content:
            self.store.clear()
