# SPDX-License-Identifier: MIT
"""Starts what the tests talk to, on free loopback ports, and stops it again.

    services.sh run [--only a,b] [--dir D] COMMAND...   start, run COMMAND, stop; its exit status
    services.sh start [--only a,b] --dir D              start; `. D/env` sets the environment
    services.sh stop --dir D

Parts: faults, registry, basic, token, tls, cdn, v3, ggcr, artifacts (all by default). A part whose
program is absent is left out; its variable is then not set, and tests say so.
"""

import argparse
import ctypes
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from servicefiles import NGINX, registry_config

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ["faults", "registry", "basic", "token", "tls", "cdn", "v3", "ggcr", "artifacts"]
USER, PASSWORD = "alice", "wonder:land"
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                     "oras-lua", "peers")


class Failed(Exception):
    pass


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def find_program(*names, places=()):
    for name in names:
        for place in places:
            path = os.path.join(place, name)
            if os.access(path, os.X_OK):
                return path
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
        if found:
            return found
    return None


def peer_places():
    places = [os.environ.get("ORAS_TEST_PEERS") or CACHE]
    places += [os.path.join(p, "bin") for p in os.environ.get("GOPATH", "").split(":") if p]
    return places + [os.path.expanduser("~/go/bin")]


def find_v3():
    """Distribution v3; a `registry` of another make is not taken for it."""
    path = find_program("registry", places=peer_places())
    if not path:
        return None
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return path if "distribution/v3" in done.stdout else None


class Services:
    def __init__(self, directory, parts, bound):
        self.dir = os.path.abspath(directory)
        self.parts = parts
        self.bound = bound  # our children end with us
        self.children = []  # (name, process)
        self.env = {"ORAS_TEST_USER": USER, "ORAS_TEST_PASSWORD": PASSWORD}
        self.state = None
        self.upstream = free_port()  # the registry behind the front
        self.cdn_port, self.cdn_tls_port = free_port(), free_port()
        self.distribution = find_program("docker-registry")
        os.makedirs(self.dir, exist_ok=True)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def spawn(self, name, command, **env):
        log = open(self.path(name + ".log"), "wb")
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env={**os.environ, **env}, start_new_session=True,
                                 preexec_fn=die_with_parent if self.bound else None)
        log.close()
        self.children.append((name, child))
        return child

    def await_ready(self, name, child, ready):
        end = time.monotonic() + 20
        while not ready():
            if child.poll() is not None or time.monotonic() > end:
                with open(self.path(name + ".log"), encoding="utf-8", errors="replace") as log:
                    raise Failed("%s did not start:\n%s" % (name, log.read()[-2000:]))
            time.sleep(0.02)

    def await_port(self, name, child, port):
        def ready():
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            except OSError:
                return False
        self.await_ready(name, child, ready)

    # -- the parts

    def start(self):
        try:
            self.start_faults()
            for part in self.parts:
                if part != "faults":
                    getattr(self, "start_" + part)()
        except BaseException:
            self.stop()
            raise
        self.write_env()

    def start_faults(self):
        """Always: the registries need its certificates and its token endpoint."""
        directory = self.path("faults")
        state = os.path.join(directory, "state.json")
        if os.path.exists(state):
            os.remove(state)
        command = [sys.executable, "-B", "-m", "faultserver", "--dir", directory]
        if self.have_cdn():
            command += ["--front", "front:%d:https://localhost:%d" % (
                self.upstream, self.cdn_tls_port)]
        child = self.spawn("faults", command, PYTHONPATH=HERE)
        self.await_ready("faults", child, lambda: os.path.exists(state))
        with open(state, encoding="utf-8") as source:
            self.state = json.load(source)
        self.env["ORAS_TEST_FAULTS"] = state
        self.env["ORAS_TEST_CA"] = self.state["certs"]["ca"]
        self.set_peers()

    def set_peers(self):
        peers = os.environ.get("ORAS_TEST_PEERS") or CACHE
        if os.path.isdir(peers):
            self.env["ORAS_TEST_PEERS"] = peers

    def have_cdn(self):
        return "cdn" in self.parts and self.distribution and find_program("nginx")

    def start_distribution(self, name, variable, program=None, port=None, **options):
        program = program or self.distribution
        if not program:
            return
        port = port or free_port()
        config = self.path(name + ".yml")
        with open(config, "w", encoding="utf-8") as out:
            out.write(registry_config(port, **options))
        child = self.spawn(name, [program, "serve", config], OTEL_TRACES_EXPORTER="none")
        self.await_port(name, child, port)
        if variable:
            self.env[variable] = "127.0.0.1:%d" % port

    def token_auth(self, realm):
        return {"token": {"realm": realm, "service": self.state["service"],
                          "issuer": self.state["issuer"],
                          "rootcertbundle": self.state["certs"]["token_cert"]}}

    def start_registry(self):
        self.start_distribution("registry", "ORAS_TEST_REGISTRY",
                                storage=self.path("registry-storage"))

    def start_basic(self):
        program = find_program("htpasswd")
        if not program:
            return
        path = self.path("htpasswd")
        with open(path, "wb") as out:
            subprocess.run([program, "-Bbn", USER, PASSWORD], stdout=out, check=True)
        auth = {"htpasswd": {"realm": "oras-test", "path": path}}
        self.start_distribution("basic", "ORAS_TEST_REGISTRY_BASIC", auth=auth)

    def start_token(self):
        realm = self.state["listeners"]["token"]["url"] + "/token"
        self.start_distribution("token", "ORAS_TEST_REGISTRY_TOKEN", auth=self.token_auth(realm))

    def start_tls(self):
        certs = self.state["certs"]
        self.start_distribution("tls", "ORAS_TEST_REGISTRY_TLS",
                                tls=(certs["good_cert"], certs["good_key"]))

    def start_cdn(self):
        """A token-protected registry behind TLS whose blobs come from nginx."""
        if not self.have_cdn():
            return
        front = self.state["listeners"]["front"]
        self.start_distribution("front", None, port=self.upstream,
                                storage=self.path("cdn-storage"),
                                auth=self.token_auth(front["url"] + "/token"))
        self.env["ORAS_TEST_REGISTRY_CDN"] = "127.0.0.1:%d" % front["port"]
        self.start_nginx()

    def start_nginx(self):
        for name in ("nginx", "cdn-storage/static/blobs/sha256", "cdn-storage/static/manifests"):
            os.makedirs(self.path(name), exist_ok=True)
        config = self.path("nginx", "nginx.conf")
        certs = self.state["certs"]
        with open(config, "w", encoding="utf-8") as out:
            out.write(NGINX % {
                "user": "user root;" if os.getuid() == 0 else "", "dir": self.path("nginx"),
                "root": self.path("cdn-storage"), "port": self.cdn_port,
                "tls_port": self.cdn_tls_port, "cert": certs["good_cert"],
                "key": certs["good_key"]})
        child = self.spawn("nginx", [find_program("nginx"), "-p", self.path("nginx"), "-c", config,
                                     "-e", self.path("nginx", "error.log")])
        self.await_port("nginx", child, self.cdn_port)
        self.env["ORAS_TEST_CDN"] = "127.0.0.1:%d" % self.cdn_port
        self.env["ORAS_TEST_CDN_TLS"] = "127.0.0.1:%d" % self.cdn_tls_port
        self.env["ORAS_TEST_CDN_LOG"] = self.path("nginx", "access.log")
        self.env["ORAS_TEST_CDN_ROOT"] = self.path("cdn-storage", "static")

    def start_v3(self):
        program = find_v3()
        if program:
            self.start_distribution("v3", "ORAS_TEST_REGISTRY_V3", program)

    def start_ggcr(self):
        """go-containerregistry's registry, in memory, with the referrers API."""
        program = find_program("ggcr", places=peer_places())
        if program:
            port = free_port()
            child = self.spawn("ggcr", [program, "-addr", "127.0.0.1:%d" % port])
            self.await_port("ggcr", child, port)
            self.env["ORAS_TEST_REGISTRY_GGCR"] = "127.0.0.1:%d" % port

    def start_artifacts(self):
        if "ORAS_TEST_REGISTRY" not in self.env:
            return
        out = self.path("artifacts.json")
        command = [sys.executable, "-B", os.path.join(HERE, "push_artifacts.py"), out]
        with open(self.path("artifacts.log"), "wb") as log:
            done = subprocess.run(command, stdout=log, stderr=log, check=False,
                                  env={**os.environ, **self.env})
        if done.returncode != 0:
            with open(self.path("artifacts.log"), encoding="utf-8", errors="replace") as log:
                raise Failed("push_artifacts failed:\n%s" % log.read()[-2000:])
        self.env["ORAS_TEST_ARTIFACTS"] = out

    # -- the end

    def write_env(self):
        with open(self.path("env"), "w", encoding="utf-8") as out:
            for name, value in sorted(self.env.items()):
                out.write("export %s=%s\n" % (name, shlex.quote(value)))
        with open(self.path("pids"), "w", encoding="utf-8") as out:
            for name, child in self.children:
                out.write("%d %s\n" % (child.pid, name))

    def stop(self):
        for _, child in reversed(self.children):
            child.terminate()
        for _, child in self.children:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.children = []


def running(pid, directory):
    """Is it still the process that we started? (A pid may have been given to another.)"""
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as source:
            return directory.encode() in source.read()
    except OSError:
        return False


def stop(directory):
    directory = os.path.abspath(directory)
    path = os.path.join(directory, "pids")
    if not os.path.exists(path):
        return 0
    with open(path, encoding="utf-8") as source:
        pids = [int(line.split()[0]) for line in source]
    for pid in reversed(pids):
        if running(pid, directory):
            os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 5
    while any(running(pid, directory) for pid in pids) and time.monotonic() < end:
        time.sleep(0.02)
    os.remove(path)
    return 0


def run(services, command):
    services.start()
    try:
        child = subprocess.Popen(command, env={**os.environ, **services.env})
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # the child got the same signal and decides
    finally:
        services.stop()


def run_in(options):
    if options.dir:
        return run(Services(options.dir, options.only, True), options.rest)
    with tempfile.TemporaryDirectory(prefix="oras-test-") as directory:
        return run(Services(directory, options.only, True), options.rest)


def split_command(words):
    """Our own words, and the command to be run: what follows the options."""
    at = 1
    while at < len(words) and words[at].startswith("-"):
        at += 1 if "=" in words[at] or words[at] in ("-h", "--help") else 2
    return words[:at], words[at:]


def parse():
    own, rest = split_command(sys.argv[1:])
    parser = argparse.ArgumentParser(prog="services.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "start", "stop"])
    parser.add_argument("--only", type=lambda text: text.split(","), default=PARTS)
    parser.add_argument("--dir")
    options = parser.parse_args(own)
    options.rest = rest
    if options.command != "run" and not options.dir:
        parser.error("%s needs --dir" % options.command)
    if options.command == "run" and not options.rest:
        parser.error("run needs a command")
    for part in options.only:
        if part not in PARTS:
            parser.error("no part is called '%s': %s" % (part, ", ".join(PARTS)))
    return options


def main():
    options = parse()
    try:
        if options.command == "stop":
            return stop(options.dir)
        if options.command == "run":
            status = run_in(options)
            return status if status >= 0 else 128 - status
        Services(options.dir, options.only, False).start()
        return 0
    except Failed as failed:
        print("services.sh: %s" % failed, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
