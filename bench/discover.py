# SPDX-License-Identifier: MIT
"""500 referrers of one artifact: where the registry has the API (go-containerregistry's), where a
tag lists them (docker-registry)."""

import os
import subprocess

from harness import SCRIPTS, Case
from servers import Ggcr, Registry

COUNT = 500


def compare(bench, question, host, api):
    reference = f"{host}/bench/referrers:v1"
    subprocess.run(
        [bench.oras_lua, SCRIPTS / "referrers.lua", reference, str(COUNT), api], check=True,
        env={**os.environ, "DOCKER_CONFIG": str(bench.dir)})
    regctl = [bench.peer("regctl"), "--host", f"reg={host},tls=disabled", "artifact", "tree", reference]
    bench.compare(question, [
        Case("oras-lua", [bench.oras_lua, "discover", "--format", "json", reference]),
        Case("oras", [bench.peer("oras"), "discover", "--plain-http", "--format", "json", reference]),
        Case("regctl", regctl),
    ], bench.rounds(7))


def run(bench):
    compare(bench, "discover: 500, by the API", Ggcr(bench).host, "api")
    compare(bench, "discover: 500, by the tag", Registry(bench, "discover").host, "tag")
