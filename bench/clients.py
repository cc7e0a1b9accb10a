# SPDX-License-Identifier: MIT
"""How each program pushes and pulls: command lines by one name and one order."""

from harness import SCRIPTS


def push(bench, concurrency=8):
    """name -> a function (host, reference, files) that gives the command line."""
    def regctl(host, reference, files):
        words = [word for name in files for word in ("-f", name, "-m", "application/octet-stream")]
        return [bench.peer("regctl"), "--host", f"reg={host},tls=disabled", "artifact", "put",
                "--artifact-type", "application/x.bench", "--file-title", *words, reference]

    return {
        "oras-lua": lambda _, reference, files: [
            bench.oras_lua, SCRIPTS / "push.lua", concurrency, reference, *files],
        "oras": lambda _, reference, files: [
            bench.peer("oras"), "push", "--plain-http", "--no-tty", "--concurrency", concurrency,
            reference, *files],
        "regctl": regctl,
        "oras-py": lambda _, reference, files: [
            bench.python_peer(), SCRIPTS / "push.py", reference, *files],
    }


def pull(bench, concurrency=8):
    """name -> a function (reference, directory)."""
    return {
        "oras-lua": lambda reference, directory: [
            bench.oras_lua, SCRIPTS / "pull.lua", concurrency, reference, directory],
        "oras": lambda reference, directory: [
            bench.peer("oras"), "pull", "--plain-http", "--no-tty", "--concurrency", concurrency,
            "-o", directory, reference],
        "oras-py": lambda reference, directory: [
            bench.python_peer(), SCRIPTS / "pull.py", reference, directory],
    }


def copy(bench, source, target):
    """name -> a function (source reference, target reference); the hosts are given."""
    return {
        "oras-lua": lambda a, b: [bench.oras_lua, SCRIPTS / "copy.lua", a, b],
        "oras cp": lambda a, b: [
            bench.peer("oras"), "cp", "--from-plain-http", "--to-plain-http", "--no-tty", a, b],
        "crane cp": lambda a, b: [bench.peer("crane"), "cp", "--insecure", a, b],
        "skopeo copy": lambda a, b: [
            bench.peer("skopeo"), "--insecure-policy", "copy", "-q", "--src-tls-verify=false",
            "--dest-tls-verify=false", f"docker://{a}", f"docker://{b}"],
        "regctl": lambda a, b: [
            bench.peer("regctl"), "--host", f"reg={source},tls=disabled", "--host",
            f"reg={target},tls=disabled", "image", "copy", a, b],
    }
