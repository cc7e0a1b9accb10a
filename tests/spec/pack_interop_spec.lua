--- Archives of ours, read by everybody else; and the same bytes as oras writes.
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local services = require "tests.support.services"
local trees = require "tests.spec.trees"

local sh <const> = process.sh

local function tree(kind)
  return trees.get(kind) .. "/tree"
end

-- Kinds, modes, links and contents of all there is below a directory.
local function look(directory)
  return trees.look(directory, true)
end

local function program(name)
  local found = process.shell("command -v " .. name .. " >/dev/null") == 0
  return found or services.peer(name)
end

--- A test of an archive of a tree, pending where the program is absent.
local function read_by(name, title, suffix, command, kind)
  kind = kind or "hard bytes"
  it(("%s: %s"):format(name, title), function()
    local path = program(name)
    if not path then
      return pending("no " .. name)
    end
    local dir = helper.directory()
    local made = oras.archive.pack(tree(kind), dir .. "/a." .. suffix)
    sh("mkdir %s/out", dir)
    sh(command, made.path, dir .. "/out")
    assert.equal(look(tree(kind)), look(dir .. "/out/tree"))
  end)
end

local PYTHON <const> = [[python3 -c 'import os, sys, tarfile
tar = tarfile.open(sys.argv[1], errors="surrogateescape", encoding="utf-8")
tar.extractall(sys.argv[2])' %s %s]]

describe("archives of ours", function()
  after_each(helper.clean)

  teardown(trees.clean)

  read_by("tar", "plain", "tar", "tar xpf %s -C %s")
  read_by("tar", "gzip", "tgz", "tar xpzf %s -C %s")
  read_by("tar", "zstd", "tar.zst", "tar xp --zstd -f %s -C %s")
  read_by("gzip", "all members", "tgz", "gzip -dc <%s | tar xpf - -C %s")
  read_by("pigz", "all members", "tgz", "pigz -dc <%s | tar xpf - -C %s")
  read_by("zstd", "all frames", "tar.zst", "zstd -qdc <%s | tar xpf - -C %s")
  read_by("bsdtar", "plain", "tar", "LC_ALL=C.UTF-8 bsdtar -xpf %s -C %s", "hard")
  read_by("bsdtar", "gzip", "tgz", "LC_ALL=C.UTF-8 bsdtar -xpf %s -C %s", "hard")
  read_by("bsdtar", "zstd", "tar.zst", "LC_ALL=C.UTF-8 bsdtar -xpf %s -C %s", "hard")
  read_by("python3", "gzip", "tgz", PYTHON)

  it("oras.archive.extract: every compression", function()
    local dir = helper.directory()
    for _, suffix in ipairs { "tar", "tgz", "tar.zst" } do
      local made = oras.archive.pack(tree "plain", dir .. "/a." .. suffix)
      oras.archive.extract(made.path, dir .. "/" .. suffix, { links = true })
      assert.equal(look(tree "plain"), look(dir .. "/" .. suffix .. "/tree"))
    end
  end)

  it("are tested whole by gzip and zstd", function()
    local dir = helper.directory()
    oras.archive.pack(tree "plain", dir .. "/a.tgz")
    oras.archive.pack(tree "plain", dir .. "/a.tar.zst")
    sh("gzip -t %s/a.tgz && zstd -qt %s/a.tar.zst", dir, dir)
  end)

  it("are not larger than gzip -6 makes them by more than 3 per cent", function()
    local dir = helper.directory()
    local made = oras.archive.pack(tree "plain", dir .. "/a.tgz")
    local gzip = tonumber(sh("zcat %s/a.tgz | gzip -6 | wc -c", dir))
    assert.is_true(made.size < gzip * 1.03, ("%d against %d"):format(made.size, gzip))
  end)

  -- A layout with an image of the tree, and what the layer is; or nil and why not.
  local function layout(name, kind, suffix)
    local path, reason = services.peer(name)
    if not path then
      return nil, reason
    end
    local dir = helper.directory()
    local made = oras.archive.pack(tree(kind), dir .. "/layer." .. (suffix or "tgz"))
    sh("python3 tests/support/make_layout.py %s %s %s %s tree", dir .. "/layout", made.path, made.media_type,
      made.content_digest)
    return { path = path, dir = dir, made = made }
  end

  it("oras unpacks it", function()
    local at, reason = layout("oras", "plain")
    if not at then
      return pending(reason)
    end
    sh("cd %s && %s pull --oci-layout layout:t -o out --no-tty", at.dir, at.path)
    assert.equal(look(tree "plain"), look(at.dir .. "/out/tree"))
  end)

  it("skopeo decompresses it, and the tar has the digest that we say", function()
    for _, suffix in ipairs { "tgz", "tar.zst" } do
      local at, reason = layout("skopeo", "plain", suffix)
      if not at then
        return pending(reason)
      end
      sh("cd %s && %s --insecure-policy copy -q --dest-decompress oci:layout:t dir:out", at.dir, at.path)
      local file = helper.read(("%s/out/%s"):format(at.dir, at.made.content_digest:match ":(.+)"))
      assert.equal(at.made.content_size, #assert(file))
    end
  end)

  it("crane exports it from a registry", function()
    local registry = services.get "registry"
    local at, reason = layout("crane", "plain")
    if not at or not registry then
      return pending(reason or services.missing "registry")
    end
    sh("cd %s && %s push layout %s 2>/dev/null", at.dir, at.path, registry .. "/pack-crane:t")
    sh("%s validate --remote %s 2>/dev/null", at.path, registry .. "/pack-crane:t")
    sh("cd %s && mkdir out && %s export %s - | tar xpf - -C out", at.dir, at.path, registry .. "/pack-crane:t")
    assert.equal(look(tree "plain"), look(at.dir .. "/out/tree"))
  end)

  it("oras writes the same tar when the times are kept", function()
    local path, reason = services.peer "oras"
    if not path then
      return pending(reason)
    end
    local dir = helper.directory()
    local ours = oras.archive.pack(tree "hard bytes", dir .. "/ours.tar", { mtime = -1 })
    sh("cd %s && %s push --oci-layout %s/layout:t tree >/dev/null", trees.get "hard bytes", path, dir)
    local theirs = sh("grep -l io.deis.oras.content.digest %s/layout/blobs/sha256/* | xargs cat", dir)
    assert.equal(ours.digest, theirs:match '"io.deis.oras.content.digest":%s*"([^"]+)"')
    assert.equal(ours.digest, ours.content_digest)
  end)
end)
