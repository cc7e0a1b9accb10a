# SPDX-License-Identifier: MIT
"""50 clients at once take a blob of 10 MB each: from examples/embed/gateway, which verifies what it
passes on, and from nginx, which proxies the same docker-registry."""

import os
import shutil
import subprocess

from harness import ROOT, Case, Skip
from servers import Registry, free_port, start, wait_port

CLIENTS, SIZE, COUNT = 50, 10_000_000, 10
NGINX = """
daemon off;
worker_processes auto;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  upstream registry {{ server 127.0.0.1:{registry}; keepalive {clients}; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://registry;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


def fill(bench, registry):
    folder = bench.dir / "blobs"
    folder.mkdir()
    names = [f"f{number}" for number in range(COUNT)]
    for name in names:
        (folder / name).write_bytes(os.urandom(SIZE))
    registry.push("bench/many:latest", folder, names)
    shutil.rmtree(folder)
    return registry.layers("bench/many:latest")


def start_gateway(bench, registry):
    port = free_port()
    argv = [bench.find("example_gateway"), str(port), ROOT / "examples" / "embed" / "gateway.lua", registry.host]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def stop():
        process.terminate()
        process.wait()

    bench.stops.append(stop)
    wait_port(port, process)
    return port


def start_nginx(bench, registry):
    folder, port = bench.dir / "proxy", free_port()
    folder.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    text = NGINX.format(dir=folder, port=port, registry=registry.port, clients=CLIENTS, user=user)
    (folder / "nginx.conf").write_text(text)
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    start(bench, [nginx, "-c", str(folder / "nginx.conf"), "-p", str(folder)], port)
    return port


def clients(bench, name, urls):
    """curl as all of the clients; a file that is not whole is a failure."""
    config = bench.dir / f"{name}.list"
    lines = [f'url = "{urls[i % COUNT]}"\noutput = "/dev/null"\n' for i in range(CLIENTS)]
    config.write_text("".join(lines))
    words = ["-sfZ", "--parallel-immediate", "--parallel-max", CLIENTS, "--fail-early", "-K", config]
    return Case(name, [bench.peer("curl"), *words])


def run(bench):
    if not bench.peer("curl"):
        raise Skip("curl is not installed")
    if not list(bench.build.rglob("example_gateway")):
        raise Skip("there is no example_gateway (-DORAS_BUILD_EXAMPLES=ON, libmicrohttpd)")
    registry = Registry(bench, "gateway")
    layers = fill(bench, registry)
    ours = f"http://127.0.0.1:{start_gateway(bench, registry)}/v1/{registry.host}/bench/many:latest"
    theirs = f"http://127.0.0.1:{start_nginx(bench, registry)}/v2/bench/many/blobs"
    cases = [
        clients(bench, "oras-lua", [f"{ours}/f{number}" for number in range(COUNT)]),
        clients(bench, "nginx", [f"{theirs}/{layer['digest']}" for layer in layers]),
    ]
    bench.compare(f"gateway: {CLIENTS} x 10 MB (CPU, peak: the clients')", cases, bench.rounds(7))
