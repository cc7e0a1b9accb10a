# SPDX-License-Identifier: MIT
"""What the programs talk to: nginx with static files in the shape of a registry, a real
docker-registry, a certificate authority of our own."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request

from harness import Skip

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

NGINX = """
daemon off;
worker_processes 2;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  default_type application/octet-stream;
  include {dir}/digests.conf;
  server {{
    listen 127.0.0.1:{port};
    root {dir}/www;
    location = /v2/ {{ default_type application/json; return 200 '{{}}'; }}
    location ~ /manifests/ {{
      default_type {manifest};
      add_header Docker-Content-Digest $manifest_digest;
    }}
  }}
}}
"""


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_port(port, process):
    """Until somebody listens; the process's end is an error."""
    for _ in range(500):
        if process.poll() is not None:
            raise Skip(f"{process.args[0]} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Skip(f"{process.args[0]} does not listen")


def start(bench, argv, port, **more):
    if not shutil.which(argv[0]):
        raise Skip(f"{argv[0]} is not installed")
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more
    )

    def stop():
        process.terminate()
        process.wait()

    bench.stops.append(stop)
    wait_port(port, process)


class Static:
    """nginx over files laid out as a registry's URLs."""

    def __init__(self, bench, name):
        self.bench, self.dir, self.port = bench, bench.dir / name, free_port()
        self.www = self.dir / "www" / "v2"
        self.www.mkdir(parents=True)
        self.digests = {}

    @property
    def host(self):
        return f"localhost:{self.port}"

    def blob_path(self, repository, digest):
        path = self.www / repository / "blobs" / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def add_blob(self, repository, data, media_type, title=None):
        digest = sha256(data)
        self.blob_path(repository, digest).write_bytes(data)
        return descriptor(digest, len(data), media_type, title)

    def add_manifest(self, repository, tag, layers):
        manifest = manifest_of(self.add_blob(repository, b"{}", EMPTY), layers)
        digest = sha256(manifest)
        for name in (tag, digest):
            path = self.www / repository / "manifests" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(manifest)
            self.digests[f"/v2/{repository}/manifests/{name}"] = digest

    def start(self):
        rows = "".join(f'  "{path}" "{digest}";\n' for path, digest in self.digests.items())
        sizes = "map_hash_bucket_size 256;\n"
        (self.dir / "digests.conf").write_text(
            f'{sizes}map $uri $manifest_digest {{\n  default "";\n{rows}}}\n'
        )
        user = "user root;" if os.geteuid() == 0 else ""
        text = NGINX.format(dir=self.dir, port=self.port, manifest=MANIFEST, user=user)
        (self.dir / "nginx.conf").write_text(text)
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        start(self.bench, [nginx, "-c", str(self.dir / "nginx.conf"), "-p", str(self.dir)], self.port)


def descriptor(digest, size, media_type, title=None):
    value = {"mediaType": media_type, "digest": digest, "size": size}
    if title:
        value["annotations"] = {"org.opencontainers.image.title": title}
    return value


def manifest_of(config, layers):
    return json.dumps(
        {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    ).encode()


class Registry:
    """docker-registry, open, over http or TLS, with one small artifact `bench/one:latest`."""

    REPOSITORY, TAG = "bench/one", "latest"

    def __init__(self, bench, name, certificate=None):
        self.dir, self.port = bench.dir / name, free_port()
        self.dir.mkdir()
        config = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self.dir / "data")}},
            "http": {"addr": f"127.0.0.1:{self.port}"},
        }
        if certificate:
            config["http"]["tls"] = {"certificate": certificate[0], "key": certificate[1]}
        (self.dir / "config.yml").write_text(json.dumps(config))
        start(bench, ["docker-registry", "serve", str(self.dir / "config.yml")], self.port)

    @property
    def host(self):
        return f"localhost:{self.port}"

    def clear(self):
        """Forget everything; docker-registry keeps nothing in memory."""
        shutil.rmtree(self.dir / "data", ignore_errors=True)

    def layers(self, reference):
        """Descriptors of "repository:tag"."""
        repository, tag = reference.split(":")
        url = f"http://{self.host}/v2/{repository}/manifests/{tag}"
        return json.load(send(url, "GET", None, None, {"Accept": MANIFEST}))["layers"]

    def seed(self, base, context=None):
        """Put the artifact; `base` is where the registry is reached, "http://localhost:1"."""
        config, layer = b"{}", os.urandom(2048)
        for data in (config, layer):
            self.upload(f"{base}/v2/{self.REPOSITORY}", data, context)
        manifest = manifest_of(
            descriptor(sha256(config), len(config), EMPTY),
            [descriptor(sha256(layer), len(layer), LAYER, "layer.tar")],
        )
        url = f"{base}/v2/{self.REPOSITORY}/manifests/{self.TAG}"
        send(url, "PUT", manifest, context, {"Content-Type": MANIFEST})

    def push(self, reference, folder, names):
        """Files as layers of "repository:tag", without any of the programs that are compared."""
        repository, tag = reference.split(":")
        base = f"http://{self.host}/v2/{repository}"
        self.upload(base, b"{}", None)
        layers = []
        for name in names:
            data = (folder / name).read_bytes()
            self.upload(base, data, None)
            layers.append(descriptor(sha256(data), len(data), LAYER, name))
        manifest = manifest_of(descriptor(sha256(b"{}"), 2, EMPTY), layers)
        send(f"{base}/manifests/{tag}", "PUT", manifest, None, {"Content-Type": MANIFEST})

    def upload(self, base, data, context):
        with send(f"{base}/blobs/uploads/", "POST", b"", context) as reply:
            place = reply.headers["Location"]
        mark = "&" if "?" in place else "?"
        send(f"{place}{mark}digest={sha256(data)}", "PUT", data, context)


def send(url, method, data, context, headers=None):
    headers = {"Content-Type": "application/octet-stream", **(headers or {})}
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    return urllib.request.urlopen(request, context=context)


class Ggcr:
    """go-containerregistry's registry, in memory, with the referrers API."""

    def __init__(self, bench):
        program = bench.peer("ggcr")
        if not program:
            raise Skip("ggcr is not installed (scripts/peers)")
        self.port = free_port()
        start(bench, [str(program), "-addr", f"127.0.0.1:{self.port}"], self.port)

    @property
    def host(self):
        return f"localhost:{self.port}"
