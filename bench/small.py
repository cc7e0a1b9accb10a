# SPDX-License-Identifier: MIT
"""1000 blobs of 10 KiB from nginx's static files into files, 16 at a time."""

import os

from harness import SCRIPTS, Case, empty
from servers import LAYER, Static

REPOSITORY = "bench/small"
COUNT, SIZE = 1000, 10 << 10


def serve(bench, name):
    server = Static(bench, name)
    layers = [
        server.add_blob(REPOSITORY, os.urandom(SIZE), LAYER, f"f{number}") for number in range(COUNT)
    ]
    server.add_manifest(REPOSITORY, "latest", layers)
    server.start()
    return server, layers


def write_curl_list(path, port, layers, directory):
    lines = []
    for layer in layers:
        title = layer["annotations"]["org.opencontainers.image.title"]
        lines.append(f'url = "http://localhost:{port}/v2/{REPOSITORY}/blobs/{layer["digest"]}"\n')
        lines.append(f'output = "{directory}/{title}"\n')
    path.write_text("".join(lines))


def cases(bench, port, layers):
    directory, config = bench.dir / "files", bench.dir / "curl.list"
    write_curl_list(config, port, layers, directory)
    reference = f"localhost:{port}/{REPOSITORY}:latest"
    ready = empty(directory)
    return [
        Case("oras-lua", [bench.oras_lua, SCRIPTS / "layers.lua", reference, directory], prepare=ready),
        Case(
            "curl",
            [bench.peer("curl"), "-sfZ", "--parallel-max", 16, "-K", config],
            prepare=ready,
        ),
        Case(
            "oras",
            [
                bench.peer("oras"), "pull", "--plain-http", "--no-tty", "--concurrency", 16,
                "-o", directory, reference,
            ],
            prepare=ready,
        ),
    ]


def run(bench):
    server, layers = serve(bench, "small")
    bench.compare("small: 1000 x 10 KiB", cases(bench, server.port, layers), bench.rounds(11))
