# SPDX-License-Identifier: MIT
"""Users, and bearer tokens: JWT, RS256 with x5c, as real registries verify them."""

import base64
import hashlib
import json
import re
import secrets
import subprocess
import threading
import time

USERS = {"alice": "wonder:land", "bob": "builder"}
ISSUER = "oras-test-issuer"
SERVICE = "oras-test"
# DER of the DigestInfo of SHA-256 without the hash (RFC 8017, 9.2, note 1).
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def read_der(data, offset):
    """One DER element: its content, and where the next begins."""
    size = data[offset + 1]
    offset += 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[offset:offset + count], "big")
        offset += count
    return data[offset:offset + size], offset + size


class Signer:
    """RSA signing by plain integers: the standard library has no RSA."""

    def __init__(self, stem):
        key = subprocess.run(["openssl", "rsa", "-in", stem + ".key", "-traditional", "-outform",
                              "DER"], capture_output=True, check=True).stdout
        fields, offset = read_der(key, 0)[0], 0
        numbers = []
        while offset < len(fields):
            number, offset = read_der(fields, offset)
            numbers.append(int.from_bytes(number, "big"))
        self.modulus, self.exponent = numbers[1], numbers[3]
        with open(stem + ".pem", encoding="ascii") as pem:
            self.x5c = "".join(re.findall(r"(?m)^[A-Za-z0-9+/=]+$", pem.read()))

    def sign(self, data):
        size = (self.modulus.bit_length() + 7) // 8
        tail = DIGEST_INFO + hashlib.sha256(data).digest()
        block = b"\x00\x01" + b"\xff" * (size - 3 - len(tail)) + b"\x00" + tail
        number = pow(int.from_bytes(block, "big"), self.exponent, self.modulus)
        return number.to_bytes(size, "big")

    def jwt(self, claims):
        head = {"typ": "JWT", "alg": "RS256", "x5c": [self.x5c]}
        text = ".".join(b64url(json.dumps(part).encode()) for part in (head, claims))
        return text + "." + b64url(self.sign(text.encode()))


def parse_scopes(scopes):
    """From ["repository:a:pull,push repository:b:pull"] to [(type, name, {actions})]."""
    found = []
    for text in " ".join(scopes).split():
        kind, _, rest = text.partition(":")
        name, _, actions = rest.rpartition(":")
        if name:
            found.append((kind, name, set(actions.split(","))))
    return found


class Tokens:
    def __init__(self, stem):
        self.signer = Signer(stem)
        self.lock = threading.Lock()
        self.given = {}
        self.refresh = {}
        self.n_aws = 0

    def mint(self, user, access, ttl, service=SERVICE):
        now = int(time.time())
        claims = {
            "iss": ISSUER, "sub": user, "aud": service, "exp": now + max(int(ttl), 1),
            "nbf": now - 10, "iat": now, "jti": secrets.token_hex(8),
            "access": [{"type": t, "name": n, "actions": sorted(a)} for t, n, a in access],
        }
        text = self.signer.jwt(claims)
        with self.lock:
            self.given[text] = (access, time.monotonic() + ttl)
        return text

    def mint_refresh(self, user):
        text = secrets.token_urlsafe(24)
        with self.lock:
            self.refresh[text] = user
        return text

    def rotate_refresh(self, text):
        """A new refresh token in place of one, which is good no more."""
        with self.lock:
            user = self.refresh.pop(text)
        return self.mint_refresh(user)

    def mint_aws(self, name):
        """A new password of the user AWS."""
        with self.lock:
            self.n_aws += 1
            USERS["AWS"] = "%s-%d" % (name, self.n_aws)
            return USERS["AWS"]

    def expire(self):
        with self.lock:
            self.given = {text: (access, 0) for text, (access, _) in self.given.items()}

    def forget(self):
        with self.lock:
            self.given, self.refresh, self.n_aws = {}, {}, 0
            USERS.pop("AWS", None)

    def judge(self, text, wanted):
        """None when the token serves `wanted` [(type, name, actions)], else the error's name."""
        with self.lock:
            access, until = self.given.get(text, (None, 0))
        if access is None or time.monotonic() >= until:
            return "invalid_token"
        for kind, name, actions in wanted:
            have = set()
            for k, n, a in access:
                if (k, n) == (kind, name):
                    have |= a
            if "*" not in have and not actions <= have:
                return "insufficient_scope"
        return None


def basic_user(value):
    """The user of a Basic header when the password is right; else None."""
    scheme, _, encoded = (value or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return user if USERS.get(user) == password else None
