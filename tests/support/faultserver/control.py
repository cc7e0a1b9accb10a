# SPDX-License-Identifier: MIT
"""The tests' own door: JSON over plain http on a port of its own."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from .seed import seed
from .tokens import parse_scopes


class Control:
    """One method for each request; gives what is sent back as JSON."""

    def __init__(self, server):
        self.server = server

    def script(self, _args, body):
        rules = body if isinstance(body, list) else [body]
        return {"ids": self.server.rules.add(rules)}

    def rules(self, _args, _body):
        return self.server.rules.public()

    def reset(self, _args, body):
        self.server.reset((body or {}).get("content", True))
        return {}

    def config(self, _args, body):
        self.server.configure(body)
        return {}

    def seed(self, _args, body):
        return seed(self.server.store, body)

    def release(self, _args, body):
        self.server.holds.release(body["name"])
        return {}

    def token(self, _args, body):
        access = parse_scopes([body.get("scope", "")])
        return {"token": self.server.tokens.mint(body.get("user", ""), access, body.get("ttl", 300))}

    def expire(self, _args, _body):
        self.server.tokens.expire()
        return {}

    def chosen(self, args):
        return self.server.log.select(args.get("listener"), args.get("method"), args.get("path"),
                                      int(args.get("since", 0)), args.get("finished") == "1")

    def log(self, args, _body):
        return self.chosen(args)

    def wait(self, args, _body):
        log, timeout = self.server.log, float(args.get("timeout", 5))
        if "open" in args:
            few = int(args["open"])
            log.wait(lambda: log.count_open(args.get("listener")) <= few, timeout)
            return self.connections(args, None)
        count = int(args.get("count", 1))
        log.wait(lambda: len(self.chosen(args)) >= count, timeout)
        return self.chosen(args)

    def connections(self, args, _body):
        log, name = self.server.log, args.get("listener")
        return {"open": log.count_open(name), "total": log.count_total(name)}

    def content(self, args, _body):
        repo = self.server.store.get(args["repo"])
        if repo is None:
            return {"blobs": {}, "manifests": {}, "tags": {}, "uploads": 0}
        return {
            "blobs": {d: len(b) for d, b in repo.blobs.items()},
            "manifests": {d: kind for d, (kind, _) in repo.manifests.items()},
            "tags": repo.tags, "uploads": len(repo.uploads),
        }


POSTS = {"script", "reset", "config", "seed", "release", "token", "expire"}
GETS = {"rules", "log", "wait", "connections", "content"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    control = None

    def log_message(self, *_args):
        pass

    def answer(self, names):
        url = urlsplit(self.path)
        name = url.path.strip("/")
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            if name not in names:
                raise ValueError("no such request: %s %s" % (self.command, url.path))
            body = json.loads(data) if data else None
            status, value = 200, getattr(self.control, name)(dict(parse_qsl(url.query)), body)
        except Exception as error:  # a test's mistake is answered, not a reason to die
            status, value = 400, {"error": "%s: %s" % (type(error).__name__, error)}
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self.answer(GETS)

    def do_POST(self):
        self.answer(POSTS)


class ControlServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def make(server):
    handler = type("BoundHandler", (Handler,), {"control": Control(server)})
    return ControlServer(("127.0.0.1", 0), handler)
