# SPDX-License-Identifier: MIT
"""Certificates for the tests, made by the openssl command: a CA, good and bad servers, clients."""

import os
import subprocess

NAMES = "DNS:localhost,DNS:registry.test,DNS:*.registry.test,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1"
CONFIG = """
[ca]
default_ca = local
[local]
dir = {dir}
database = $dir/index.txt
serial = $dir/serial
new_certs_dir = $dir
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
x509_extensions = leaf
[any]
commonName = supplied
[leaf]
basicConstraints = critical,CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign,digitalSignature
subjectKeyIdentifier = hash
"""
LONG_AGO = ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"]
FOR_YEARS = ["-startdate", "20240101000000Z", "-enddate", "20490101000000Z"]
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]


class Maker:
    def __init__(self, directory):
        self.dir = directory
        self.config = os.path.join(directory, "openssl.cnf")
        with open(self.config, "w", encoding="ascii") as out:
            out.write(CONFIG.format(dir=directory))
        for name, text in (("index.txt", ""), ("serial", "1000\n")):
            with open(os.path.join(directory, name), "w", encoding="ascii") as out:
                out.write(text)

    def path(self, name):
        return os.path.join(self.dir, name)

    def run(self, *args):
        done = subprocess.run(["openssl", *args], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError("openssl %s: %s" % (args[0], done.stderr))

    def root(self, name, subject, key=None):
        """A self-signed certificate that may sign."""
        self.run("req", "-x509", *(key or KEY), "-nodes", "-config", self.config, "-extensions",
                 "root", "-days", "7300", "-subj", "/CN=" + subject,
                 "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"))

    def leaf(self, name, ca, subject, alt=None, dates=None):
        ext = ["-addext", "subjectAltName=" + alt] if alt else []
        request = self.path(name + ".csr")
        self.run("req", "-new", *KEY, "-nodes", "-config", self.config, "-subj", "/CN=" + subject,
                 *ext, "-keyout", self.path(name + ".key"), "-out", request)
        self.run("ca", "-config", self.config, "-batch", "-notext", *(dates or FOR_YEARS),
                 "-cert", self.path(ca + ".pem"), "-keyfile", self.path(ca + ".key"),
                 "-in", request, "-out", self.path(name + ".pem"))

    def self_signed(self, name):
        self.run("req", "-x509", *KEY, "-nodes", "-config", self.config, "-days", "7300",
                 "-subj", "/CN=localhost", "-addext", "subjectAltName=" + NAMES,
                 "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"))


def make(directory):
    """Make what is missing; gives a map from name to path without suffix."""
    names = ["ca", "client_ca", "good", "expired", "wronghost", "client", "selfsigned", "token"]
    found = {name: os.path.join(directory, name) for name in names}
    if all(os.path.exists(p + ".pem") and os.path.exists(p + ".key") for p in found.values()):
        return found
    os.makedirs(directory, exist_ok=True)
    maker = Maker(directory)
    maker.root("ca", "oras-lua test CA")
    maker.root("client_ca", "oras-lua test client CA")
    maker.root("token", "oras-lua test token signer", ["-newkey", "rsa:2048"])
    maker.leaf("good", "ca", "localhost", NAMES)
    maker.leaf("expired", "ca", "localhost", NAMES, LONG_AGO)
    maker.leaf("wronghost", "ca", "elsewhere.test", "DNS:elsewhere.test")
    maker.leaf("client", "client_ca", "test client")
    maker.self_signed("selfsigned")
    return found
