# SPDX-License-Identifier: MIT
"""`python3 -m faultserver --dir STATE`: start, write STATE/state.json, serve until ended."""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading

from . import certs, control
from .front import Front
from .server import Server
from .tokens import ISSUER, SERVICE, USERS


def parse():
    parser = argparse.ArgumentParser(prog="faultserver", description=__doc__)
    parser.add_argument("--dir", required=True, help="where state.json and the certificates go")
    parser.add_argument("--front", action="append", default=[], metavar="NAME:UPSTREAMPORT:CDNURL")
    parser.add_argument("--delay-proxy", action="append", default=[], metavar="PORT:TARGETPORT:MS")
    parser.add_argument("--cuts", metavar="SEED:BYTES", help="for the delay proxies")
    return parser.parse_args()


def start_delay(spec, cuts):
    """A process of its own, ended with ours. Gives (process, port)."""
    command = [sys.executable, "-m", "faultserver.delay", spec]
    command += ["--cuts", cuts] if cuts else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


def describe(server, directory, door, delays):
    return {
        "pid": os.getpid(), "control": "http://127.0.0.1:%d" % door.server_address[1],
        "listeners": {name: one.describe() for name, one in server.listeners.items()},
        "certs": {
            "ca": server.certs["ca"] + ".pem", "client_ca": server.certs["client_ca"] + ".pem",
            "client_cert": server.certs["client"] + ".pem",
            "client_key": server.certs["client"] + ".key",
            "good_cert": server.certs["good"] + ".pem", "good_key": server.certs["good"] + ".key",
            "token_cert": server.certs["token"] + ".pem",
        },
        "users": USERS, "issuer": ISSUER, "service": SERVICE, "dir": directory,
        "proxy_user": "proxyuser", "proxy_password": "proxypass", "delays": delays,
    }


def write_state(path, state):
    with open(path + ".new", "w", encoding="utf-8") as out:
        json.dump(state, out, indent=1)
    os.rename(path + ".new", path)


def main():
    options = parse()
    directory = os.path.abspath(options.dir)
    os.makedirs(directory, exist_ok=True)
    server = Server(certs.make(os.path.join(directory, "certs")))
    server.listen()
    for spec in options.front:
        name, port, cdn = spec.split(":", 2)
        server.add(name, Front(server, port, cdn), "good")
    door = control.make(server)
    threading.Thread(target=door.serve_forever, daemon=True).start()
    server.start()
    delays = [start_delay(spec, options.cuts) for spec in options.delay_proxy]
    write_state(os.path.join(directory, "state.json"),
                describe(server, directory, door, [port for _, port in delays]))
    wait_for_end()
    for process, _ in delays:
        process.terminate()


def wait_for_end():
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


if __name__ == "__main__":
    main()
