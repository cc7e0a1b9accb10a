# SPDX-License-Identifier: MIT
"""Sockets that listen, their TLS contexts, and the names under which tests know them."""

import socket
import ssl
import threading

from .connection import Connection


def make_context(stem, client_ca=None, demand=False, old=False, alpn=("http/1.1",)):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stem + ".pem", stem + ".key")
    context.set_alpn_protocols(list(alpn))
    context.sni_callback = remember_name
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED if demand else ssl.CERT_OPTIONAL
    if old:
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def remember_name(sock, name, _context):
    sock.asked_name = name


class Listener:
    def __init__(self, server, name, handler, context=None, host="127.0.0.1", port=0):
        self.server = server
        self.name = name
        self.handler = handler
        self.context = context
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, port))
        self.sock.listen(512)
        self.host, self.port = self.sock.getsockname()[:2]
        scheme = "https" if context else "http"
        shown = "[%s]" % host if ":" in host else host
        self.url = "%s://%s:%d" % (scheme, shown, self.port)

    def url_of(self, name):
        return self.server.listeners[name].url

    def start(self):
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            sock, _ = self.sock.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self.server, self, sock)
            threading.Thread(target=connection.run, daemon=True).start()

    def describe(self):
        return {"host": self.host, "port": self.port, "url": self.url,
                "tls": self.context is not None}


def make_contexts(certs):
    ca = certs["client_ca"] + ".pem"
    return {
        "good": make_context(certs["good"], ca),
        "mtls": make_context(certs["good"], ca, demand=True),
        "h2": make_context(certs["good"], ca, alpn=("h2", "http/1.1")),
        "old": make_context(certs["good"], old=True),
        "expired": make_context(certs["expired"]),
        "wronghost": make_context(certs["wronghost"]),
        "selfsigned": make_context(certs["selfsigned"]),
    }
