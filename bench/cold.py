# SPDX-License-Identifier: MIT
"""A cold process fetches one manifest from docker-registry, over plain http."""

from harness import SCRIPTS, Case
from servers import MANIFEST, Registry


def cases(bench, host, base, plain, env=None):
    """The same for http and TLS. `host` is host:port, `base` the URL of it."""
    reference = f"{host}/{Registry.REPOSITORY}:{Registry.TAG}"
    url = f"{base}/v2/{Registry.REPOSITORY}/manifests/{Registry.TAG}"
    crane = ["--insecure"] if plain else []
    python = bench.python_peer()
    return [
        Case("oras-lua", [bench.oras_lua, SCRIPTS / "manifest.lua", reference]),
        Case("curl", [bench.peer("curl"), "-sf", "-H", f"Accept: {MANIFEST}", url]),
        Case(
            "oras",
            [bench.peer("oras"), "manifest", "fetch", f"--plain-http={str(plain).lower()}", reference],
        ),
        Case("crane", [bench.peer("crane"), "manifest", *crane, reference]),
        Case(
            "skopeo",
            [
                bench.peer("skopeo"),
                "inspect",
                "--raw",
                f"--tls-verify={str(not plain).lower()}",
                f"docker://{reference}",
            ],
        ),
        Case(
            "oras-py",
            [python, SCRIPTS / "manifest.py", reference, "http" if plain else "https"],
            env=env,
        ),
    ]


def run(bench):
    registry = Registry(bench, "cold")
    host = f"localhost:{registry.port}"
    registry.seed(f"http://{host}")
    bench.compare("cold: one manifest", cases(bench, host, f"http://{host}", True), bench.rounds(31))
