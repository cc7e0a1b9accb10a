# SPDX-License-Identifier: MIT
"""Tests of the fault server: each action once, on real sockets.

Run: python3 -m unittest tests/support/test_faultserver.py
"""

import base64
import gzip
import hashlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from urllib.parse import urlencode, urlsplit

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from faultserver import aws  # noqa: E402
from faultserver.wire import Request  # noqa: E402

BLOB = b"0123456789" * 100
DIGEST = "sha256:" + hashlib.sha256(BLOB).hexdigest()
PATH = "/v2/app/blobs/" + DIGEST


class Fixture:
    """One server for all tests of a run."""

    shared = None

    def __init__(self, *options):
        self.dir = tempfile.TemporaryDirectory(prefix="faultserver-")
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-m", "faultserver", "--dir", self.dir.name, *options],
            env={**os.environ, "PYTHONPATH": HERE})
        path = os.path.join(self.dir.name, "state.json")
        while not os.path.exists(path):
            if self.process.poll() is not None:
                raise RuntimeError("the fault server did not start")
            time.sleep(0.02)
        with open(path, encoding="utf-8") as source:
            self.state = json.load(source)

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.dir.cleanup()


def setUpModule():
    Fixture.shared = Fixture()


def tearDownModule():
    Fixture.shared.close()


class Answer:
    def __init__(self, data):
        self.bytes = data
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.status = int(lines[0].split()[1]) if lines[0].startswith("HTTP/") else None
        self.fields = [line.split(": ", 1) for line in lines[1:]]

    def get(self, name):
        return next((v for k, v in self.fields if k.lower() == name.lower()), None)


class Case(unittest.TestCase):
    def setUp(self):
        self.state = Fixture.shared.state
        self.control("reset", {})
        blobs = [{"base64": base64.b64encode(BLOB).decode()}]
        self.control("seed", {"repo": "app", "tag": "v1", "blobs": blobs, "layers": blobs})

    def control(self, name, value=None, **query):
        url = urlsplit(self.state["control"])
        with_query = "/" + name + ("?" + urlencode(query) if query else "")
        link = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
        link.request("GET" if value is None else "POST", with_query,
                     None if value is None else json.dumps(value))
        answer = link.getresponse()
        result = json.loads(answer.read())
        link.close()
        if answer.status != 200:
            raise ValueError(result["error"])
        return result

    def on(self, **rule):
        return self.control("script", rule)["ids"][0]

    def connect(self, listener="http", context=None, timeout=5):
        one = self.state["listeners"][listener]
        sock = socket.create_connection((one["host"], one["port"]), timeout)
        self.addCleanup(sock.close)
        if one["tls"]:
            sock = (context or self.trusting()).wrap_socket(sock, server_hostname="localhost")
            self.addCleanup(sock.close)
        return sock

    def trusting(self, client=False):
        context = ssl.create_default_context(cafile=self.state["certs"]["ca"])
        if client:
            context.load_cert_chain(self.state["certs"]["client_cert"],
                                    self.state["certs"]["client_key"])
        return context

    def send(self, sock, method="GET", path=PATH, body=b"", close=True, **fields):
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: localhost"]
        lines += ["%s: %s" % (k.replace("_", "-"), v) for k, v in fields.items()]
        lines += ["Content-Length: %d" % len(body)] if body or method != "GET" else []
        lines += ["Connection: close"] if close else []
        sock.sendall("\r\n".join(lines + ["", ""]).encode() + body)

    def read_all(self, sock):
        data = bytearray()
        while True:
            part = sock.recv(65536)
            if not part:
                return bytes(data)
            data += part

    def fetch(self, method="GET", path=PATH, listener="http", body=b"", **fields):
        sock = self.connect(listener)
        self.send(sock, method, path, body, **fields)
        return Answer(self.read_all(sock))

    def is_reset(self, sock):
        with self.assertRaises(ConnectionResetError):
            self.read_all(sock)


class Registry(Case):
    """What conformance does not look at."""

    def test_blob_and_log(self):
        answer = self.fetch(Range="bytes=10-19")
        self.assertEqual((answer.status, answer.body), (206, b"0123456789"))
        self.assertEqual(answer.get("content-range"), "bytes 10-19/1000")
        entry = self.control("log", path="/v2/app/*")[0]
        self.assertEqual((entry["listener"], entry["status"], entry["outcome"]),
                         ("http", 206, "complete"))
        self.assertIn(["Range", "bytes=10-19"], entry["headers"])

    def test_if_range(self):
        answer = self.fetch(Range="bytes=10-19", If_Range='"other"')
        self.assertEqual((answer.status, answer.body), (200, BLOB))

    def test_pages(self):
        self.control("config", {"tags_page": 1})
        self.control("seed", {"repo": "app", "tags": ["v2"], "layers": []})
        answer = self.fetch(path="/v2/app/tags/list")
        self.assertEqual(json.loads(answer.body)["tags"], ["v1"])
        self.assertEqual(answer.get("link"), '</v2/app/tags/list?n=1&last=v1>; rel="next"')

    def test_upload_is_kept_when_it_breaks_off(self):
        where = self.fetch("POST", "/v2/app/blobs/uploads/").get("location")
        path = where.split("localhost", 1)[1]
        sock = self.connect()
        sock.sendall(("PATCH %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" % path).encode()
                     + b"x" * 40)
        sock.shutdown(socket.SHUT_WR)
        self.is_reset(sock)
        self.assertEqual(self.fetch("GET", path).get("range"), "0-39")
        self.assertEqual(self.control("log", method="PATCH")[0]["outcome"], "request cut")

    def test_basic(self):
        self.control("seed", {"repo": "basic/a", "tag": "v1", "layers": []})
        path = "/v2/basic/a/manifests/v1"
        self.assertIn("Basic realm", self.fetch(path=path).get("www-authenticate"))
        good = "Basic " + base64.b64encode(b"alice:wonder:land").decode()
        self.assertEqual(self.fetch(path=path, Authorization=good).status, 200)

    def test_bearer(self):
        self.control("seed", {"repo": "bearer/a", "tag": "v1", "layers": []})
        path, scope = "/v2/bearer/a/manifests/v1", "repository:bearer/a:pull"
        challenge = self.fetch(path=path).get("www-authenticate")
        self.assertIn('realm="http://localhost/token"', challenge)
        self.assertIn('scope="%s"' % scope, challenge)
        anonymous = json.loads(self.fetch(path="/token?scope=" + scope).body)["token"]
        refused = self.fetch(path=path, Authorization="Bearer " + anonymous)
        self.assertIn('error="insufficient_scope"', refused.get("www-authenticate"))
        good = "Basic " + base64.b64encode(b"alice:wonder:land").decode()
        given = json.loads(self.fetch(path="/token?scope=" + scope, Authorization=good).body)
        self.assertEqual(self.fetch(path=path, Authorization="Bearer " + given["token"]).status, 200)
        self.control("expire", {})
        late = self.fetch(path=path, Authorization="Bearer " + given["token"])
        self.assertIn('error="invalid_token"', late.get("www-authenticate"))

    def test_anonymous_pull_of_public(self):
        self.control("seed", {"repo": "public/a", "tag": "v1", "layers": []})
        token = json.loads(self.fetch(path="/token?scope=repository:public/a:pull,push").body)["token"]
        path = "/v2/public/a/manifests/v1"
        self.assertEqual(self.fetch(path=path, Authorization="Bearer " + token).status, 200)
        post = self.fetch("POST", "/v2/public/a/blobs/uploads/", Authorization="Bearer " + token)
        self.assertEqual(post.status, 401)

    def test_oauth2_refresh(self):
        form = urlencode({"grant_type": "password", "username": "bob", "password": "builder",
                          "service": "oras-test", "access_type": "offline"}).encode()
        refresh = json.loads(self.fetch("POST", "/token", body=form).body)["refresh_token"]
        form = urlencode({"grant_type": "refresh_token", "refresh_token": refresh}).encode()
        self.assertEqual(self.fetch("POST", "/token", body=form).status, 200)
        self.assertEqual(self.fetch("POST", "/token", body=form + b"x").status, 401)

    def test_aws_signature_is_that_of_the_documentation(self):
        """The example of "Create a signed AWS API request" in the IAM user guide."""
        request = Request("GET", "/?Action=ListUsers&Version=2010-05-08", "HTTP/1.1", [
            ("Host", "iam.amazonaws.com"),
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("X-Amz-Date", "20150830T123600Z")])
        given = aws.signature(request, aws.KEYS["AKIDEXAMPLE"], "20150830", "us-east-1", "iam",
                              ["content-type", "host", "x-amz-date"])
        self.assertEqual(
            given, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")

    def test_token_is_signed(self):
        token = self.control("token", {"user": "bob", "scope": "repository:a:pull"})["token"]
        signed, _, signature = token.rpartition(".")
        with tempfile.TemporaryDirectory() as directory:
            key, sig = os.path.join(directory, "key"), os.path.join(directory, "sig")
            with open(sig, "wb") as out:
                out.write(base64.urlsafe_b64decode(signature + "=="))
            with open(key, "wb") as out:
                subprocess.run(["openssl", "x509", "-pubkey", "-noout", "-in",
                                self.state["certs"]["token_cert"]], stdout=out, check=True)
            subprocess.run(["openssl", "dgst", "-sha256", "-verify", key, "-signature", sig],
                           input=signed.encode(), stdout=subprocess.DEVNULL, check=True)

    def test_blob_redirect(self):
        self.control("config", {"blob_redirect": "cdn"})
        answer = self.fetch()
        self.assertEqual(answer.get("location"), self.state["listeners"]["cdn"]["url"] + PATH)
        self.assertEqual(self.fetch(listener="cdn").body, BLOB)

    def test_seed_bad_digest_and_layout(self):
        false = "sha256:" + "0" * 64
        self.control("seed", {"repo": "bad", "blobs": [{"data": "x", "as": false}]})
        self.assertEqual(self.fetch(path="/v2/bad/blobs/" + false).body, b"x")
        with self.assertRaisesRegex(ValueError, "unknown key 'repos'"):
            self.control("seed", {"repos": "x"})

    def test_hundred_connections(self):
        results = []

        def one():
            results.append(self.fetch().body == BLOB)

        threads = [threading.Thread(target=one) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [True] * 100)


class Rules(Case):
    def test_unknown_key(self):
        with self.assertRaisesRegex(ValueError, "unknown key 'cutt'"):
            self.on(cutt=1)

    def test_nth_and_times(self):
        rule = self.on(path="/v2/*", nth=2, times=2, status=500)
        self.assertEqual([self.fetch().status for _ in range(4)], [200, 500, 500, 200])
        self.assertEqual(self.control("rules")[0]["hits"], 2)
        self.assertEqual(self.control("log")[1]["rule"], rule)

    def test_which(self):
        self.on(listener="cdn", status=500, always=True)
        self.on(method="HEAD", status=501, always=True)
        self.on(target=r"\?x=\d", status=502, always=True)
        self.on(has={"X-A": "^b", "X-C": False}, status=503, always=True)
        self.assertEqual(self.fetch(listener="cdn").status, 500)
        self.assertEqual(self.fetch("HEAD").status, 501)
        self.assertEqual(self.fetch(path=PATH + "?x=1").status, 502)
        self.assertEqual(self.fetch(X_A="bc").status, 503)
        self.assertEqual(self.fetch(X_A="bc", X_C="1").status, 200)

    def test_reply(self):
        self.on(status=418, reason="teapot", headers=[["Link", "<a>"], ["Link", "<b>"]], body="hm")
        answer = self.fetch()
        self.assertEqual((answer.line, answer.body), ("HTTP/1.1 418 teapot", b"hm"))
        self.assertEqual([v for k, v in answer.fields if k == "Link"], ["<a>", "<b>"])
        self.on(status=200, json={"a": [1]})
        self.assertEqual(json.loads(self.fetch().body), {"a": [1]})

    def test_redirect(self):
        self.on(redirect="//elsewhere/x", status=302)
        answer = self.fetch()
        self.assertEqual((answer.status, answer.get("location")), (302, "//elsewhere/x"))
        self.on(redirect_to="evil")
        where = self.fetch(path=PATH + "?q=1").get("location")
        self.assertEqual(where, self.state["listeners"]["evil"]["url"] + PATH + "?q=1")

    def test_challenge(self):
        self.on(challenge=['Basic realm="a"', "Negotiate"])
        answer = self.fetch()
        self.assertEqual(answer.status, 401)
        lines = [v for k, v in answer.fields if k == "WWW-Authenticate"]
        self.assertEqual(lines, ['Basic realm="a"', "Negotiate"])

    def test_raw(self):
        self.on(raw="220 smtp ready\r\n")
        self.assertEqual(self.fetch().bytes, b"220 smtp ready\r\n")

    def test_drop(self):
        self.on(drop="fin")
        self.assertEqual(self.fetch().bytes, b"")
        self.on(drop="rst")
        sock = self.connect()
        self.send(sock)
        self.is_reset(sock)

    def test_process(self):
        where = self.fetch("POST", "/v2/new/blobs/uploads/").get("location").split("localhost", 1)[1]
        self.on(method="PUT", drop="fin", process=True)
        self.assertEqual(self.fetch("PUT", where + "&digest=" + DIGEST, body=BLOB).bytes, b"")
        self.assertEqual(self.control("content", repo="new")["blobs"], {DIGEST: 1000})

    def test_changes(self):
        self.on(set={"Content-Type": False, "X-A": ["1", "2"]}, corrupt=0, extra="more")
        answer = self.fetch()
        self.assertEqual(answer.body, b"1" + BLOB[1:] + b"more")
        self.assertEqual(answer.get("content-length"), "1000")
        self.assertIsNone(answer.get("content-type"))
        self.assertEqual([v for k, v in answer.fields if k == "X-A"], ["1", "2"])

    def test_lengths(self):
        self.on(length="99999999999999999999")
        self.assertEqual(self.fetch().get("content-length"), "99999999999999999999")
        self.on(length_add=5)
        self.assertEqual(self.fetch().get("content-length"), "1005")
        self.on(no_length=True)
        answer = self.fetch()
        self.assertEqual((answer.get("content-length"), answer.body), (None, BLOB))

    def test_chunked_and_gzip(self):
        self.on(status=200, body="abcde", chunked=2, trailers=[["X-T", "1"]])
        self.assertEqual(self.fetch().body, b"2\r\nab\r\n2\r\ncd\r\n1\r\ne\r\n0\r\nX-T: 1\r\n\r\n")
        self.on(encode="gzip")
        answer = self.fetch()
        self.assertEqual(answer.get("content-encoding"), "gzip")
        self.assertEqual(gzip.decompress(answer.body), BLOB)

    def test_ignore_range(self):
        self.on(ignore_range=True)
        self.assertEqual(self.fetch(Range="bytes=1-2").status, 200)


class Sending(Case):
    def test_early(self):
        self.on(early=True, status=413)
        sock = self.connect()
        sock.sendall(b"PUT /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        self.assertTrue(sock.recv(100).startswith(b"HTTP/1.1 413"))

    def test_read_and_drop(self):
        self.on(method="PATCH", read=10, drop="rst")
        sock = self.connect()
        sock.sendall(b"PATCH /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"x" * 10)
        self.is_reset(sock)
        self.assertEqual(self.control("log")[0]["body_size"], 10)

    def test_expect(self):
        self.on(method="PUT", expect="417")
        sock = self.connect()
        sock.sendall(b"PUT /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                     b"Expect: 100-continue\r\n\r\n")
        self.assertTrue(sock.recv(100).startswith(b"HTTP/1.1 417"))
        sock = self.connect()
        sock.sendall(b"PUT /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                     b"Expect: 100-continue\r\n\r\n")
        self.assertEqual(sock.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")

    def test_hold(self):
        self.on(hold="gate")
        sock = self.connect()
        self.send(sock)
        self.control("wait", count=1)
        sock.settimeout(0.05)
        with self.assertRaises(TimeoutError):
            sock.recv(1)
        self.control("release", {"name": "gate"})
        sock.settimeout(5)
        self.assertEqual(Answer(self.read_all(sock)).body, BLOB)

    def test_hold_in_the_body(self):
        self.on(hold_body="gate", hold_at=7)
        sock = self.connect()
        self.send(sock)
        data = b""
        while not data.endswith(b"0123456"):
            data += sock.recv(1000)
        self.control("release", {"name": "gate"})
        self.assertEqual(Answer(data + self.read_all(sock)).body, BLOB)

    def test_delay(self):
        self.on(delay=0.05, delay_body=0.05)
        begin = time.monotonic()
        self.assertEqual(self.fetch().body, BLOB)
        self.assertGreaterEqual(time.monotonic() - begin, 0.1)

    def test_interim(self):
        self.on(interim={"status": 103, "count": 3, "headers": {"Link": "<a>"}})
        data = self.fetch().bytes
        self.assertEqual(data.count(b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"), 3)
        self.assertIn(b"HTTP/1.1 200 OK", data)

    def test_trickle(self):
        self.on(trickle={"bytes": 300, "every": 0}, trickle_headers={"bytes": 50, "every": 0})
        self.assertEqual(self.fetch().body, BLOB)

    def test_cut(self):
        self.on(cut=10)
        self.assertEqual(self.fetch().body, BLOB[:10])
        self.on(cut_headers=12)
        self.assertEqual(self.fetch().bytes, b"HTTP/1.1 200")
        self.on(cut=10, how="rst")
        sock = self.connect()
        self.send(sock)
        self.is_reset(sock)
        self.assertEqual(self.control("wait", count=3, finished=1)[2]["outcome"], "cut")

    def test_stall_until_the_client_goes(self):
        self.on(stall=10)
        sock = self.connect()
        self.send(sock)
        data = b""
        while not data.endswith(BLOB[:10]):
            data += sock.recv(1000)
        self.assertEqual(self.control("connections", listener="http")["open"], 1)
        sock.close()
        self.assertEqual(self.control("wait", open=0, listener="http")["open"], 0)
        self.assertEqual(self.control("log")[0]["outcome"], "gone")

    def test_stall_until_reset(self):
        self.on(stall_headers=0)
        sock = self.connect()
        self.send(sock)
        self.control("wait", count=1)
        self.control("reset", {})
        self.is_reset(sock)

    def test_endless(self):
        for kind in ("body", "chunks", "headers", "interim"):
            self.on(endless=kind)
            sock = self.connect()
            self.send(sock)
            size = 0
            while size < 1 << 20:
                size += len(sock.recv(65536))
            sock.close()
        self.assertEqual(self.control("wait", open=0, listener="http")["open"], 0)

    def test_close_on_reuse(self):
        self.on(reused=True, drop="fin")
        sock = self.connect()
        for expected in (BLOB, b""):
            self.send(sock, close=False)
            data = sock.recv(65536)
            self.assertTrue(data.endswith(expected))
        self.assertEqual(data, b"")
        self.assertEqual([e["n"] for e in self.control("log")], [1, 2])

    def test_close(self):
        self.on(close=True)
        sock = self.connect()
        self.send(sock, close=False)
        answer = Answer(self.read_all(sock))
        self.assertEqual((answer.body, answer.get("connection")), (BLOB, None))
        self.on(say_close=True)
        sock = self.connect()
        self.send(sock, close=False)
        self.assertEqual(Answer(self.read_all(sock)).get("connection"), "close")


class Transport(Case):
    def test_good(self):
        self.assertEqual(self.fetch(listener="https").body, BLOB)
        self.assertFalse(self.control("log", listener="https")[0]["tls"]["client_cert"])

    def test_client_certificate(self):
        for listener in ("https", "mtls"):
            sock = self.connect(listener, self.trusting(client=True))
            self.send(sock)
            self.assertEqual(Answer(self.read_all(sock)).body, BLOB)
            self.assertTrue(self.control("log", listener=listener)[0]["tls"]["client_cert"])
        sock = self.connect("mtls")
        with self.assertRaises(OSError):
            self.send(sock)
            self.read_all(sock)
        self.assertEqual(self.control("wait", listener="mtls", method="TLS")[0]["outcome"], "cut")

    def test_bad_certificates(self):
        texts = {"tls_expired": "expired", "tls_wronghost": "mismatch",
                 "tls_selfsigned": "self.signed"}
        for listener, text in texts.items():
            with self.assertRaisesRegex(ssl.SSLCertVerificationError, text):
                self.connect(listener)
        self.on(on="connect", listener="https", cert="expired")
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "expired"):
            self.connect("https")
        self.connect("https")

    def test_old_protocol(self):
        context = self.trusting()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaises(ssl.SSLError):
            self.connect("tls_old", context)

    def test_handshake_cut(self):
        self.on(on="connect", listener="https", tls="cut")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.connect("https")
        self.on(on="connect", listener="https", raw="HTTP/1.0 400 Bad Request\r\n\r\n")
        with self.assertRaises(ssl.SSLError):
            self.connect("https")

    def test_close_notify(self):
        context = self.trusting()
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        strict = context.wrap_socket(self.plain("https"), server_hostname="localhost",
                                     suppress_ragged_eofs=False)
        self.addCleanup(strict.close)
        self.send(strict)
        self.assertEqual(Answer(self.read_all(strict)).body, BLOB)
        self.on(cut=10, how="tls")
        strict = context.wrap_socket(self.plain("https"), server_hostname="localhost",
                                     suppress_ragged_eofs=False)
        self.addCleanup(strict.close)
        self.send(strict)
        with self.assertRaisesRegex(ssl.SSLError, "(?i)eof"):
            self.read_all(strict)

    def plain(self, listener):
        one = self.state["listeners"][listener]
        sock = socket.create_connection((one["host"], one["port"]), 5)
        self.addCleanup(sock.close)
        return sock

    def test_connection_rules(self):
        self.on(on="connect", listener="http", drop="rst")
        with self.assertRaises(ConnectionResetError):  # connect itself may be told already
            self.read_all(self.connect())
        self.on(on="connect", listener="http", stall=0)
        sock = self.connect()
        self.send(sock)
        sock.settimeout(0.05)
        with self.assertRaises(TimeoutError):
            sock.recv(1)


class Http2(Case):
    """By curl, which has an HTTP/2 of its own."""

    def curl(self, *options, path=PATH):
        url = "https://localhost:%d%s" % (self.state["listeners"]["h2"]["port"], path)
        done = subprocess.run(
            ["curl", "-sS", "--noproxy", "*", "--cacert", self.state["certs"]["ca"], *options, url],
            capture_output=True, check=False)
        return done.returncode, done.stdout

    def test_content(self):
        self.control("seed", {"repo": "big", "blobs": [{"size": 1000000}]})
        digest = next(iter(self.control("content", repo="big")["blobs"]))
        code, body = self.curl(path="/v2/big/blobs/" + digest)
        self.assertEqual((code, "sha256:" + hashlib.sha256(body).hexdigest()), (0, digest))
        self.assertEqual(self.curl("-r", "0-4"), (0, b"01234"))
        self.assertEqual(self.control("log")[0]["version"], "HTTP/2")

    def test_upload(self):
        path = "/v2/new/blobs/uploads/?digest=" + DIGEST
        code, _ = self.curl("--data-binary", BLOB.decode(), path=path)
        self.assertEqual((code, self.control("content", repo="new")["blobs"]), (0, {DIGEST: 1000}))

    def test_faults(self):
        for rule, code, size in (({"h2": "goaway"}, 16, 0), ({"h2": "rst"}, 92, 0),
                                 ({"cut": 100}, 92, 100), ({"h2": "goaway_after"}, 0, 1000),
                                 ({"stall": 100}, 28, 100), ({"h2": "stall"}, 28, 0)):
            self.on(**rule)
            found, body = self.curl("-m", "0.5")
            self.assertEqual((found, len(body)), (code, size), rule)


class Uploads(Case):
    """What registries do differently, and what happens to a body on its way."""

    WHERE = "/v2/new/blobs/uploads/"

    def start(self, query=""):
        return self.fetch("POST", self.WHERE + query)

    def path_of(self, answer):
        return answer.get("location").split("localhost", 1)[1]

    def patch(self, where, data, **fields):
        return self.fetch("PATCH", where, body=data, **fields)

    def put(self, where, data=b"", digest=DIGEST):
        return self.fetch("PUT", where + ("&" if "?" in where else "?") + "digest=" + digest, body=data)

    def blobs(self):
        return self.control("content", repo="new")["blobs"]

    def partly(self, method, path, sent, size):
        """Send a head and a part of the body; gives the socket."""
        sock = self.connect()
        head = "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
        sock.sendall((head % (method, path, size)).encode() + b"x" * sent)
        return sock

    def test_mounts(self):
        query = "?mount=%s&from=" % DIGEST
        for setting, own, other in ((True, 201, 201), (False, 202, 202), ("own", 201, 202),
                                    ("others", 202, 201)):
            self.control("config", {"mount": setting})
            self.assertEqual(self.fetch("POST", "/v2/app/blobs/uploads/" + query + "app").status, own)
            self.control("reset", {"content": False})
            self.control("config", {"mount": setting})
            self.assertEqual(self.fetch("POST", "/v2/n%d/blobs/uploads/%sapp" % (other, query)).status,
                             other, setting)
        self.control("config", {"mount": True, "mount_anonymous": False})
        self.assertEqual(self.start("?mount=" + DIGEST).status, 202)

    def test_docker_registry(self):
        """Appends whatever comes, wants no digest on POST, 400 for a tag's end."""
        self.control("config", {"append": True, "post_monolithic": False, "delete_tags": 400,
                                "delete_blobs": False, "keep_broken": False})
        answer = self.fetch("POST", self.WHERE + "?digest=" + DIGEST, body=BLOB)
        self.assertEqual((answer.status, self.blobs()), (202, {}))
        answer = self.patch(self.path_of(answer), BLOB[:600], Content_Range="5000-5599")
        self.assertEqual((answer.status, answer.get("range")), (202, "0-599"))
        where = self.path_of(answer)
        self.assertEqual(self.put(where, BLOB[600:]).status, 201)
        self.assertEqual(self.fetch("DELETE", "/v2/app/manifests/v1").status, 400)
        self.assertEqual(self.fetch("DELETE", PATH).status, 405)
        where = self.path_of(self.start())
        sock = self.partly("PATCH", where, 10, 100)
        sock.shutdown(socket.SHUT_WR)
        self.is_reset(sock)
        self.assertEqual(self.fetch(path=where).status, 404)

    def test_ranges(self):
        for style, first, then in (("true", "0-599", "0-599"), ("stale", "0-0", "0-599"),
                                   ("stale_always", "0-0", "0-0"), ("absent", None, None),
                                   ("bytes", "bytes=0-599", "bytes=0-599")):
            self.control("config", {"upload_range": style, "patch_status": 201})
            answer = self.patch(self.path_of(self.start()), BLOB[:600])
            self.assertEqual((answer.status, answer.get("range")), (201, first), style)
            self.assertEqual(self.fetch(path=self.path_of(answer)).get("range"), then, style)

    def test_out_of_order(self):
        where = self.path_of(self.patch(self.path_of(self.start()), BLOB[:600]))
        answer = self.patch(where, BLOB[:600], Content_Range="0-599")
        self.assertEqual((answer.status, answer.get("range")), (416, "0-599"))
        answer = self.patch(where, BLOB[600:], Content_Range="600-999")
        self.assertEqual(self.put(self.path_of(answer)).status, 201)

    def test_chunk_sizes(self):
        self.control("config", {"chunk_min": 100, "patch_cap": 500})
        answer = self.start()
        self.assertEqual(answer.get("oci-chunk-min-length"), "100")
        where = self.path_of(answer)
        answer = self.patch(where, BLOB[:600], Content_Range="0-599")
        self.assertEqual((answer.status, "too large" in answer.body.decode()), (416, True))
        answer = self.patch(where, BLOB[:50], Content_Range="0-49")
        self.assertEqual(answer.status, 202)
        answer = self.patch(self.path_of(answer), BLOB[50:500], Content_Range="50-499")
        self.assertEqual(answer.status, 416)

    def test_chunked_coding(self):
        coded = b"3e8\r\n" + BLOB + b"\r\n0\r\n\r\n"
        for setting, status in ((True, 202), (False, 411), (413, 413)):
            self.control("config", {"chunked_coding": setting})
            sock = self.connect()
            sock.sendall(("PATCH %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                          "Connection: close\r\n\r\n" % self.path_of(self.start())).encode() + coded)
            self.assertEqual(Answer(self.read_all(sock)).status, status)

    def test_locations(self):
        evil = self.state["listeners"]["evil"]["url"]
        for setting, start in (("absolute", "http://localhost/v2/new/blobs/uploads/"),
                               ("relative", self.WHERE), ("evil", evil + self.WHERE)):
            self.control("config", {"location": setting})
            self.assertTrue(self.start().get("location").startswith(start), setting)
        self.control("config", {"location": "sibling", "location_state": False,
                                "location_extra": "?a=b#c"})
        self.assertRegex(self.start().get("location"), r"^[0-9a-f]+\?a=b#c$")

    def test_old_location(self):
        where = self.path_of(self.start())
        self.patch(where, BLOB[:600])
        self.assertEqual(self.patch(where, BLOB[600:]).status, 404)
        self.control("config", {"location_state": False})
        where = self.path_of(self.start())
        self.patch(where, BLOB[:600])
        self.assertEqual(self.patch(where, BLOB[600:]).status, 202)

    def test_lost_session(self):
        where = self.path_of(self.start())
        self.on(method="PUT", lose=True)
        answer = self.put(where, BLOB)
        self.assertEqual((answer.status, b"BLOB_UPLOAD_UNKNOWN" in answer.body), (404, True))
        self.assertEqual(self.control("content", repo="new")["uploads"], 0)

    def test_other_status(self):
        self.on(set_status=200, set={"Location": False})
        answer = self.start()
        self.assertEqual((answer.status, answer.get("location")), (200, None))
        self.assertEqual(self.control("log", method="POST")[0]["status"], 200)

    def test_early_answer_while_the_client_sends(self):
        for rule in ({"read": 1000}, {"early": True}, {"read": 1000, "abrupt": True}):
            self.on(method="PUT", status=413, **rule)
            sock = self.partly("PUT", self.path_of(self.start()), 2000, 1 << 20)
            self.assertTrue(sock.recv(1000).startswith(b"HTTP/1.1 413"), rule)
            if "abrupt" in rule:
                self.is_reset(sock)

    def test_body_cut(self):
        self.on(method="PUT", read=1000, drop="rst")
        sock = self.partly("PUT", self.path_of(self.start()), 2000, 4000)
        self.is_reset(sock)

    def test_reader_that_stalls(self):
        self.on(method="PUT", read=1000, stall_headers=0)
        sock = self.partly("PUT", self.path_of(self.start()), 2000, 4000)
        entry = self.control("wait", method="PUT")[0]
        self.assertEqual((entry["body_size"], entry["outcome"]), (1000, None))
        sock.close()
        self.assertEqual(self.control("wait", method="PUT", finished=1)[0]["outcome"], "gone")

    def test_slow_reader(self):
        self.on(method="PUT", read_slowly={"bytes": 500, "every": 0.02})
        before = time.monotonic()
        self.assertEqual(self.put(self.path_of(self.start()), BLOB).status, 201)
        self.assertGreaterEqual(time.monotonic() - before, 0.04)

    def test_expire(self):
        scope = "repository:bearer/a:pull,push"
        token = self.control("token", {"user": "alice", "scope": scope})["token"]
        path, value = "/v2/bearer/a/blobs/uploads/", "Bearer " + token
        self.assertEqual(self.fetch("POST", path, Authorization=value).status, 202)
        self.on(method="POST", expire=True)
        self.assertEqual(self.fetch("POST", path, Authorization=value).status, 401)

    def test_read_only(self):
        self.control("config", {"read_only": True})
        self.assertEqual(self.start().status, 405)
        self.assertEqual(self.fetch().status, 200)

    def test_conditions(self):
        path, kind = "/v2/app/manifests/v1", "application/vnd.oci.image.manifest.v1+json"
        body = self.fetch(path=path).body

        def again(**fields):
            return self.fetch("PUT", path, body=body, Content_Type=kind, **fields).status

        self.assertEqual(again(If_None_Match="*"), 201)
        self.control("config", {"conditions": True})
        self.assertEqual(again(If_None_Match="*"), 412)
        self.assertEqual(again(If_Match='"sha256:0"'), 412)
        self.assertEqual(again(If_Match='"sha256:%s"' % hashlib.sha256(body).hexdigest()), 201)


class Proxies(Case):
    def test_absolute_form(self):
        self.control("config", {"hosts": {"registry.test:80": "127.0.0.1:%d"
                                          % self.state["listeners"]["http"]["port"]}})
        answer = self.fetch(path="http://registry.test" + PATH, listener="proxy")
        self.assertEqual(answer.body, BLOB)
        self.assertEqual([e["listener"] for e in self.control("log")], ["proxy", "http"])

    def tunnel(self, listener="proxy", **fields):
        sock = self.connect(listener)
        target = "localhost:%d" % self.state["listeners"]["https"]["port"]
        self.send(sock, "CONNECT", target, close=False, **fields)
        return sock

    def test_connect(self):
        sock = self.tunnel()
        self.assertTrue(sock.recv(1000).startswith(b"HTTP/1.1 200"))
        inner = self.trusting().wrap_socket(sock, server_hostname="localhost")
        self.addCleanup(inner.close)
        self.send(inner)
        self.assertEqual(Answer(self.read_all(inner)).body, BLOB)

    def test_authentication(self):
        self.assertTrue(self.tunnel("proxy_auth").recv(1000).startswith(b"HTTP/1.1 407"))
        good = "Basic " + base64.b64encode(b"proxyuser:proxypass").decode()
        sock = self.tunnel("proxy_auth", Proxy_Authorization=good)
        self.assertTrue(sock.recv(1000).startswith(b"HTTP/1.1 200"))

    def test_faults(self):
        self.on(method="CONNECT", challenge="Negotiate", status=407)
        self.assertIn(b"Proxy-Authenticate: Negotiate", self.tunnel().recv(1000))
        self.on(method="CONNECT", raw="garbage")
        self.assertEqual(self.read_all(self.tunnel()), b"garbage")


class Front(Case):
    """A reverse proxy that gives blobs away by redirect."""

    def fetch_front(self, method, path):
        port = self.state["listeners"]["http"]["port"]
        fixture = Fixture("--front", "front:%d:https://cdn.example" % port)
        self.addCleanup(fixture.close)
        one = fixture.state["listeners"]["front"]
        context = ssl.create_default_context(cafile=fixture.state["certs"]["ca"])
        sock = socket.create_connection((one["host"], one["port"]), 5)
        self.addCleanup(sock.close)
        sock = context.wrap_socket(sock, server_hostname="localhost")
        self.addCleanup(sock.close)
        self.send(sock, method, path)
        return Answer(self.read_all(sock))

    def test_redirects_blobs(self):
        answer = self.fetch_front("GET", PATH)
        self.assertEqual(answer.status, 307)
        self.assertEqual(answer.get("location"), "https://cdn.example" + PATH)

    def test_relays_the_rest(self):
        self.assertEqual(self.fetch_front("HEAD", PATH).status, 200)
        missing = self.fetch_front("GET", PATH[:-1] + ("0" if PATH[-1] != "0" else "1"))
        self.assertEqual(missing.status, 404)
        self.assertEqual(len(missing.body), int(missing.get("content-length")))
        self.assertIn("BLOB_UNKNOWN", missing.body.decode())


class Delay(Case):
    def start(self, *options):
        port = self.state["listeners"]["http"]["port"]
        child = subprocess.Popen(
            [sys.executable, "-B", "-m", "faultserver.delay", "0:%d:60" % port, *options],
            env={**os.environ, "PYTHONPATH": HERE}, stdout=subprocess.PIPE, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.terminate)
        return int(child.stdout.readline())

    def through(self, port):
        sock = socket.create_connection(("127.0.0.1", port), 5)
        self.addCleanup(sock.close)
        self.send(sock)
        return self.read_all(sock)

    def test_adds_latency(self):
        port = self.start()
        begin = time.monotonic()
        self.assertEqual(Answer(self.through(port)).body, BLOB)
        self.assertGreaterEqual(time.monotonic() - begin, 0.12)

    def test_large_and_many(self):
        self.control("seed", {"repo": "big", "blobs": [{"size": 20 << 20}]})
        digest = next(iter(self.control("content", repo="big")["blobs"]))
        port, results = self.start(), []

        def one():
            sock = socket.create_connection(("127.0.0.1", port), 30)
            self.send(sock, path="/v2/big/blobs/" + digest)
            body = Answer(self.read_all(sock)).body
            sock.close()
            results.append("sha256:" + hashlib.sha256(body).hexdigest() == digest)

        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [True] * 8)

    def test_cuts(self):
        port = self.start("--cuts", "7:500")
        ends = []
        for _ in range(8):
            try:
                ends.append(Answer(self.through(port)).body == BLOB)
            except ConnectionResetError:
                ends.append(None)
        self.assertIn(None, ends)


if __name__ == "__main__":
    unittest.main()
