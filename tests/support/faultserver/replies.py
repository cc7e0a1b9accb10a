# SPDX-License-Identifier: MIT
"""Replies with JSON, and errors as distribution-spec words them."""

import json

from .wire import Reply


def json_reply(status, value, headers=None, kind="application/json"):
    body = json.dumps(value).encode()
    return Reply(status, [("Content-Type", kind)] + (headers or []), body)


class Refused(Exception):
    """Raised anywhere below Registry.handle: the request ends with this reply."""

    def __init__(self, status, code, message, detail=None, headers=()):
        super().__init__(message)
        error = {"code": code, "message": message}
        if detail is not None:
            error["detail"] = detail
        self.reply = json_reply(status, {"errors": [error]}, list(headers))


def no_method(allow):
    return Refused(405, "UNSUPPORTED", "the operation is unsupported", headers=[("Allow", allow)])
