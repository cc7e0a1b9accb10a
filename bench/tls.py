# SPDX-License-Identifier: MIT
"""The same over TLS with the system's CA certificates: the distribution's own store with one
more CA in it. The store is a copy, bound over /etc/ssl/certs in a mount namespace of this
run (so are the hosts), and gone with it: the machine's own files are never touched."""

import os
import shutil
import ssl
import subprocess

import cold
from harness import Skip
from servers import Registry

NAME = "registry.bench.test"
STORE = "/etc/ssl/certs"


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def make_certificates(where):
    """A CA and a certificate for NAME; gives (ca, certificate, key)."""
    where.mkdir()
    ca, ca_key = where / "ca.pem", where / "ca.key"
    key, request, certificate = where / "key.pem", where / "request.pem", where / "cert.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", 2, "-subj", "/CN=oras-lua bench CA")
    openssl("req", *curve, "-keyout", key, "-out", request, "-subj", f"/CN={NAME}")
    (where / "san").write_text(f"subjectAltName=DNS:{NAME}\n")
    openssl(
        "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial",
        "-days", 2, "-extfile", where / "san", "-out", certificate,
    )
    return ca, certificate, key


def bind(source, target):
    done = subprocess.run(["mount", "--bind", source, target], capture_output=True, check=False)
    if done.returncode != 0:
        raise Skip("no mount namespace of our own (needs root and unshare)")


def trust(bench, ca):
    store = bench.dir / "certs"
    shutil.copytree(STORE, store, symlinks=True)
    name = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", ca], check=True, capture_output=True, text=True
    ).stdout.strip()
    shutil.copy(ca, store / f"{name}.0")
    with open(store / "ca-certificates.crt", "ab") as bundle:
        bundle.write(ca.read_bytes())
    hosts = bench.dir / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {NAME}\n")
    bind(store, STORE)
    bind(hosts, "/etc/hosts")


def run(bench):
    if "ORAS_BENCH_NAMESPACE" not in os.environ:
        raise Skip("no mount namespace of our own (needs root and unshare)")
    ca, certificate, key = make_certificates(bench.dir / "tls")
    trust(bench, ca)
    registry = Registry(bench, "tls-registry", (str(certificate), str(key)))
    host = f"{NAME}:{registry.port}"
    registry.seed(f"https://{host}", ssl.create_default_context(cafile=str(ca)))
    env = {"REQUESTS_CA_BUNDLE": f"{STORE}/ca-certificates.crt"}
    bench.compare(
        "tls: one manifest", cold.cases(bench, host, f"https://{host}", False, env), bench.rounds(31)
    )
