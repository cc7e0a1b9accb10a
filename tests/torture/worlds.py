# SPDX-License-Identifier: MIT
"""Worlds in which a write dies: what stands there before, what may be seen after a death, what
must be there once the write was made again."""

import json
import os

import content
from content import Artifact, FILES, TREE, digest_of, read_files, write_files

SIBLING = Artifact({"sibling": b"of a sibling\n", "shared": FILES["deep/small"]})
MINE = {"mine.txt": b"nobody's business\n", "deep/mine": b"here neither\n"}
OLD = {"notes.txt": b"an older line\n", "deep/small": b"older\n"}


class Broken(Exception):
    """An invariant does not hold."""


def demand(holds, text, *values):
    if not holds:
        raise Broken(text % values)


def is_temporary(path):
    return any(part.startswith(".oras-") for part in path.split("/"))


class World:
    """A directory with `target`, where the write goes, and things around it that it must not
    touch. `command` is what act.lua gets."""

    title = ""

    def __init__(self, root, registry):
        self.root, self.registry = root, registry
        self.target = os.path.join(root, "target")
        self.cwd = root
        write_files(root, {"canary": b"outside\n", "around/canary": b"outside, too\n"})
        os.mkdir(self.target)
        self.prepare()
        self.around = self.outside()

    def outside(self):
        return {name: data for name, data in read_files(self.root).items()
                if not name.startswith("target/")}

    def prepare(self):
        raise NotImplementedError

    def pair(self):
        """Two commands that may run at the same time."""
        return [self.command, self.command]

    def check(self, done):
        """After a death, or (done) after a run that ended well."""
        now = self.outside()
        for name in sorted(set(now) | set(self.around)):
            demand(now.get(name) == self.around.get(name), "'%s' outside was touched", name)
        files = read_files(self.target)
        if done:
            left = [name for name in files if is_temporary(name)]
            demand(not left, "left behind: %s", ", ".join(sorted(left)))
            self.check_folders()
        self.check_files({k: v for k, v in files.items() if not is_temporary(k)}, done)

    def check_folders(self):
        for directory, folders, _ in os.walk(self.target):
            for name in folders:
                demand(not is_temporary(name), "left behind: %s/%s", directory, name)


class Pull(World):
    """Several files into a directory that has some of them already, in older versions."""

    title = "pull"
    artifact = Artifact(FILES)
    wanted = FILES

    def prepare(self):
        write_files(self.target, {**MINE, **OLD})
        self.command = ["pull", self.registry.seed(self.artifact), self.target]

    def old(self):
        return {**MINE, **OLD}

    def check_files(self, files, done):
        old = self.old()
        for name, data in files.items():
            demand(name in self.wanted or name in old, "'%s' came out of nowhere", name)
            fits = data == self.wanted.get(name) or (data == old.get(name) and
                                                     not (done and name in self.wanted))
            demand(fits, "'%s' is neither the old nor the new file (%d bytes)", name, len(data))
        for name in set(old) | (set(self.wanted) if done else set()):
            demand(name in files, "'%s' is gone", name)


class PullTree(Pull):
    """A directory that is not there yet: all of it, or none."""

    title = "directory"
    artifact = Artifact(tree=TREE)
    wanted = TREE

    def prepare(self):
        write_files(self.target, MINE)
        self.command = ["pull", self.registry.seed(self.artifact), self.target]

    def old(self):
        return MINE

    def check_files(self, files, done):
        super().check_files(files, done)
        there = [name for name in TREE if name in files]
        demand(len(there) in (0, len(TREE)), "%d of %d files of the tree are there", len(there),
               len(TREE))


class MergeTree(Pull):
    """A directory that is there, with files of its own and older versions of others."""

    title = "directory over another"
    artifact = Artifact(tree=TREE)
    wanted = TREE
    before = {"tree/f01/1": b"older\n", "tree/f03/mine": b"mine\n", "tree/own/mine": b"mine\n"}

    def prepare(self):
        write_files(self.target, {**MINE, **self.before})
        self.command = ["pull", self.registry.seed(self.artifact), self.target]

    def old(self):
        return {**MINE, **self.before}


class Layout(World):
    """Into a layout that has a tag already: `keep`."""

    def prepare(self):
        os.rmdir(self.target)
        SIBLING.write_layout(self.target, "keep")

    def pair(self):
        other = [self.reference("other") if word == self.reference() else word
                 for word in self.command]
        return [self.command, other]

    def reference(self, tag="new"):
        return "oci:%s:%s" % (self.target, tag)

    def check_files(self, files, done):
        tags = self.tags(files)
        for name, data in files.items():
            if name.startswith("blobs/"):
                demand(name == "blobs/sha256/" + digest_of(data)[7:], "'%s' is wrong or cut", name)
        demand(tags.get("keep") == SIBLING.digest, "the tag 'keep' was lost")
        for tag, digest in tags.items():
            self.check_complete(files, tag, digest)
        wanted = self.new_tags() if done else []
        for tag in wanted:
            demand(tag in tags, "there is no tag '%s'", tag)

    def new_tags(self):
        return ["new"]

    @staticmethod
    def tags(files):
        try:
            demand(json.loads(files["oci-layout"])["imageLayoutVersion"] == "1.0.0", "oci-layout")
            entries = json.loads(files["index.json"])["manifests"]
        except (ValueError, KeyError) as error:
            raise Broken("it is no layout any more: %r" % error) from error
        return {e["annotations"][content.REF_NAME]: e["digest"] for e in entries
                if content.REF_NAME in e.get("annotations", {})}

    def check_complete(self, files, tag, digest):
        blob = files.get("blobs/sha256/" + digest[7:])
        demand(blob is not None, "'%s' names a manifest that is not there", tag)
        manifest = json.loads(blob)
        for one in [manifest["config"], *manifest["layers"]]:
            demand("blobs/sha256/" + one["digest"][7:] in files, "'%s' lacks blob %s", tag,
                   one["digest"])
        if tag != "keep":
            self.check_titles(files, manifest)

    def check_titles(self, files, manifest):
        for layer in manifest["layers"]:
            name = layer.get("annotations", {}).get(content.TITLE)
            if name in FILES:
                demand(layer["digest"] == digest_of(FILES[name]), "'%s' has other bytes", name)


class Push(Layout):
    title = "push to a layout"

    def prepare(self):
        super().prepare()
        self.cwd = os.path.join(self.root, "source")
        write_files(self.cwd, {**FILES, **TREE})
        self.command = ["push", self.reference(), *FILES, "tree"]


class Copy(Layout):
    title = "copy to a layout"
    artifact = Artifact(FILES)

    def prepare(self):
        super().prepare()
        self.command = ["copy", self.registry.seed(self.artifact), self.reference()]

    def check_files(self, files, done):
        super().check_files(files, done)
        got = self.tags(files).get("new")
        demand(got in (None, self.artifact.digest), "other bytes of the manifest: %s", got)


WORLDS = {one.title: one for one in (Pull, PullTree, MergeTree, Push, Copy)}
