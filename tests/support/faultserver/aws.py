# SPDX-License-Identifier: MIT
"""Amazon's API of ECR, as far as tokens go. The signature is computed here once more, from the
request as it came (AWS Signature Version 4); a wrong one is refused as Amazon does."""

import base64
import hashlib
import hmac
import json
import re
import time
from datetime import datetime, timezone
from urllib.parse import parse_qsl, quote

from .replies import json_reply

KEYS = {"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
# Temporary keys are good with their session token only.
TEMPORARY = {"ASIAEXAMPLE": ("tempSecret/+KeyForTests0123456789abcdefgh", "IQoJb3JpZ2luX2VjE//+=session")}
SKEW = 300  # seconds
TARGETS = {
    "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken": "ecr",
    "SpencerFrontendService.GetAuthorizationToken": "ecr-public",
}
AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
                           r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})")
NEEDED = {"content-type", "host", "x-amz-date", "x-amz-target"}


class Bad(Exception):
    def __init__(self, kind, message):
        super().__init__(message)
        self.reply = json_reply(400, {"__type": kind, "message": message},
                                kind="application/x-amz-json-1.1")


def hmac_sha256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def canonical_query(query):
    pairs = sorted(parse_qsl(query or "", keep_blank_values=True))
    return "&".join("%s=%s" % (quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in pairs)


def canonical_request(request, signed):
    lines = [request.method, request.path, canonical_query(request.query)]
    for name in signed:
        values = [v for k, v in request.headers if k.lower() == name]
        lines.append("%s:%s" % (name, ",".join(re.sub(r" +", " ", v.strip()) for v in values)))
    return "\n".join(lines + ["", ";".join(signed), hashlib.sha256(request.body).hexdigest()])


def signature(request, secret, day, region, service, signed):
    scope = "%s/%s/%s/aws4_request" % (day, region, service)
    digest = hashlib.sha256(canonical_request(request, signed).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", request.get("x-amz-date") or "", scope, digest])
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac_sha256(key, part)
    return hmac_sha256(key, text).hex()


def secret_of(request, key_id):
    token = request.get("x-amz-security-token")
    if key_id in TEMPORARY and TEMPORARY[key_id][1] == token:
        return TEMPORARY[key_id][0]
    if key_id in KEYS and token is None:
        return KEYS[key_id]
    raise Bad("UnrecognizedClientException", "The security token included in the request is invalid.")


def check_time(request, day):
    text = request.get("x-amz-date") or ""
    try:
        then = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise Bad("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.") from None
    if text[:8] != day or abs(then.timestamp() - time.time()) > SKEW:
        raise Bad("InvalidSignatureException", "Signature expired")


def check_signature(request, service):
    """Region and key of a request whose signature is right."""
    found = AUTHORIZATION.fullmatch(request.get("authorization") or "")
    if not found:
        raise Bad("MissingAuthenticationTokenException", "Missing Authentication Token")
    key_id, day, region, named, signed, given = found.groups()
    signed = signed.split(";")
    needed = NEEDED | ({"x-amz-security-token"} if request.get("x-amz-security-token") else set())
    there = {name.lower() for name, _ in request.headers}
    if signed != sorted(signed) or not needed <= set(signed) <= there or named != service:
        raise Bad("InvalidSignatureException", "Credential or SignedHeaders should be others.")
    secret = secret_of(request, key_id)
    check_time(request, day)
    right = signature(request, secret, day, region, service, signed)
    if not hmac.compare_digest(right, given):
        raise Bad("InvalidSignatureException", "The request signature we calculated does not match "
                  "the signature you provided.")
    return region, key_id


def authorization(reg, region, key_id):
    """What docker login takes: the user AWS, and a password that replaces the one before."""
    password = reg.tokens.mint_aws("ecr-%s-%s" % (region, key_id.lower()))
    return {
        "authorizationToken": base64.b64encode(("AWS:" + password).encode()).decode(),
        "expiresAt": time.time() + reg.config["aws_ttl"],
    }


def aws_endpoint(reg, request):
    """A reply to a request with X-Amz-Target; None: it is none of those."""
    service = TARGETS.get(request.get("x-amz-target"))
    if not service:
        return json_reply(400, {"__type": "UnknownOperationException"})
    try:
        region, key_id = check_signature(request, service)
        json.loads(request.body)
    except Bad as bad:
        return bad.reply
    data = authorization(reg, region, key_id)
    if service == "ecr":
        data = [{**data, "proxyEndpoint": "https://012345678901.dkr.ecr.%s.amazonaws.com" % region}]
    return json_reply(200, {"authorizationData": data}, kind="application/x-amz-json-1.1")
