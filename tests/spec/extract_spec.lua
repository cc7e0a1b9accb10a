--- oras.archive.extract: archives of everybody's become directories, bad ones nothing.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local services = require "tests.support.services"
local trees = require "tests.spec.trees"

local archive = oras.archive
local look <const> = trees.look

local sh <const> = process.sh

local dir

local function file(name)
  return name and dir .. "/" .. name or dir
end

-- A field of a header, filled with NULs.
local function field(text, size)
  return text .. ("\0"):rep(size - #text)
end

-- A tar of these entries: { name, content } or { name, type = "2", link = "target", mode = 493 }.
local function tar(entries)
  local blocks = {}
  for _, entry in ipairs(entries) do
    local content = entry[2] or ""
    local numbers = ("%07o\0%07o\0%07o\0%011o\0%011o\0"):format(entry.mode or 420, 0, 0, #content, 0)
    local front = field(entry[1], 100) .. numbers
    local back = (entry.type or "0") .. field(entry.link or "", 100) .. "ustar\0" .. "00"
    local sum = 8 * 32
    for byte in (front .. back):gmatch "." do
      sum = sum + byte:byte()
    end
    blocks[#blocks + 1] = field(front .. ("%06o\0 "):format(sum) .. back, 512)
    blocks[#blocks + 1] = content .. ("\0"):rep(-#content % 512)
  end
  return table.concat(blocks) .. ("\0"):rep(1024)
end

local function packed(entries, name)
  local path = helper.write(file(name or "packed.tar"), tar(entries))
  return helper.read((sh("gzip -kf %s && printf %s", path, path .. ".gz")))
end

local function refused(class, words, ...)
  local _, err = oras.try(archive.extract, ...)
  assert(err, "nothing was raised")
  assert.equal(class, err.class, tostring(err))
  assert.matches(words, tostring(err), 1, true)
  return err
end

describe("extract", function()
  before_each(function()
    dir = helper.directory()
  end)
  after_each(helper.clean)

  it("takes a path, bytes and a body that still arrives", function()
    local entries = { { "a", type = "5" }, { "a/f", ("f"):rep(100000) }, { "g", "g" } }
    local bytes = packed(entries)
    assert.equal(file "one", archive.extract({ data = bytes }, file "one"))
    archive.extract(file "packed.tar", file "two/deep/")
    archive.extract({ path = file "packed.tar.gz" }, file "three")
    faults.reset()
    local made = faults.seed { repo = "x/y", tag = "1", layers = { { data = bytes } } }
    local registry = helper.registry()
    local response = registry:get_blob(faults.host "http" .. "/x/y", made.layers[1].digest, { stream = true })
    archive.extract(response.body, file "four")
    for _, name in ipairs { "two/deep", "three", "four" } do
      assert.equal(look(file "one", true), look(file(name), true))
    end
    assert.equal("a g", helper.list(file "one"))
  end)

  it("tells why a body broke off or is bad, and leaves nothing", function()
    faults.reset()
    local bytes = packed { { "a", ("abcdefgh"):rep(100000) } }
    local made = faults.seed { repo = "x/y", tag = "1", layers = { { data = bytes } } }
    local half = #bytes // 2
    faults.on { method = "GET", path = "/v2/x/y/blobs/*", cut = half }
    local registry = helper.registry { retry = { tries = 1 } }
    local ref = faults.host "http" .. "/x/y"
    local response = registry:get_blob(ref, made.layers[1].digest, { stream = true })
    refused("network", "", response.body, file "out")
    made = faults.seed { repo = "x/z", tag = "1", layers = { { data = tar { { "a" }, { "../b" } } } } }
    response = registry:get_blob(faults.host "http" .. "/x/z", made.layers[1].digest, { stream = true })
    refused("path", "'..'", response.body, file "out")
    assert.equal("packed.tar packed.tar.gz", helper.list(file()))
  end)

  it("verifies both digests before anything shows (C37)", function()
    local bytes = packed { { "a", "a" } }
    local right, wrong = oras.digest.of(bytes), oras.digest.of "other"
    local content = oras.digest.of_file(file "packed.tar")
    archive.extract({ data = bytes }, file "good", { digest = right, content_digest = content, size = #bytes })
    refused("integrity", wrong, { data = bytes }, file "bad", { digest = wrong })
    refused("integrity", "unpacked", { data = bytes }, file "bad", { content_digest = wrong })
    refused("integrity", "bytes", { data = bytes }, file "bad", { size = #bytes + 1 })
    assert.equal("good packed.tar packed.tar.gz", helper.list(file()))
  end)

  it("takes up what is new in a directory that is there (L08)", function()
    helper.write(file "plain.tar", tar { { "d/a", "new" }, { "b", "new" } })
    os.execute(("mkdir -p '%s' && ln -s out '%s'"):format(file "out/d", file "link"))
    helper.write(file "out/d/a", "old")
    helper.write(file "out/d/kept", "kept")
    refused("exists", "./d/a", file "plain.tar", file "out", { overwrite = false })
    assert.equal("old", helper.read(file "out/d/a"))
    assert.equal("d", helper.list(file "out"))
    archive.extract(file "plain.tar", file "link") -- the user's own link
    assert.equal("new kept new", ("%s %s %s"):format(helper.read(file "out/d/a"), helper.read(file "out/d/kept"),
      helper.read(file "out/b")))
    helper.write(file "file", "x")
    refused("exists", "file", file "plain.tar", file "file")
  end)

  it("refuses what cannot be meant", function()
    refused("usage", "names no directory", { data = "" }, "..x/nothing/..")
    refused("usage", "expected", { data = "" }, file "out", { packing = "rar" })
    refused("usage", "an archive is", 7, file "out")
    refused("usage", "empty", { data = "" }, "")
    refused("usage", "out of range", { data = "" }, file "out", { max_entries = -1 })
    refused("io", "missing.tar", file "missing.tar", file "out")
    refused("content", "the archive is empty", { data = "" }, file "out")
    refused("content", "not a tar", { data = ("x"):rep(2000) }, file "out")
    refused("content", "zip", { data = packed { { "a" } } }, file "out", { packing = "zip" })
    assert.matches("^packed", helper.list(file()))
  end)

  it("refuses names, links, kinds and duplicates by class (C23 C24 C25 C31)", function()
    local link = { "l", type = "2", link = "../out" }
    refused("path", "..", { data = tar { { "../x", "x" } } }, file "out")
    refused("path", "absolute", { data = tar { { "/x", "x" } } }, file "out")
    refused("path", "symbolic link", { data = tar { { "a" }, { "l", type = "2", link = "a" } } }, file "out")
    refused("path", "leads out", { data = tar { link } }, file "out", { links = true })
    refused("path", "hard link", { data = tar { { "l", type = "1", link = "packed.tar" } } }, file "out")
    refused("path", "device", { data = tar { { "null", type = "3" } } }, file "out")
    refused("exists", "already", { data = tar { { "a", "1" }, { "a", "2" } } }, file "out")
    refused("exists", "case", { data = tar { { "a", "1" }, { "A", "2" } } }, file "out")
    assert.equal("", helper.list(file()))
    archive.extract({ data = tar { { "a", "1" }, { "A", "2" } } }, file "out", { any_case = true })
    assert.equal("A a", helper.list(file "out"))
  end)

  it("keeps its limits (C32 C33)", function()
    local bytes = packed { { "zeros", ("\0"):rep(1 << 20) }, { "b" } }
    refused("limit", "1 entries", { data = bytes }, file "out", { max_entries = 1 })
    refused("limit", "bytes", { data = bytes }, file "out", { max_bytes = 4096 })
    refused("limit", "deeper", { data = tar { { "a/b/c" } } }, file "out", { max_depth = 2 })
    assert.equal("packed.tar packed.tar.gz", helper.list(file()))
  end)

  it("drops set-id bits, others' rights to write, and keeps owners out (C26)", function()
    local data = tar { { "s", "s", mode = 2559 }, { "d", type = "5", mode = 1023 }, { "p", "p", mode = 384 } }
    archive.extract({ data = data }, file "out")
    assert.equal("755 d\n600 p\n755 s\n", sh("cd %s && umask 022 && stat -c '%%a %%n' *", file "out"))
  end)

  it("says who may not write, before anything is there (L02)", function()
    if process.shell "test $(id -u) = 0 && command -v setpriv" ~= 0 then
      return pending "setpriv is not there, or we are not root"
    end
    helper.write(file "plain.tar", tar { { "b", "b" }, { "d/a", "a" } })
    local script = helper.write(file "x.lua", 'require("oras").archive.extract(arg[1], arg[2])')
    sh("chmod 755 %s; mkdir -m 755 %s; mkdir -m 777 %s; mkdir -m 755 %s", dir, file "closed", file "open",
      file "open/d")
    local function as_nobody(target)
      local words = { "setpriv --reuid=65534 --regid=65534 --clear-groups" }
      for _, word in ipairs { process.oras_lua, script, file "plain.tar", target } do
        words[#words + 1] = process.quote(word)
      end
      local status, _, err = process.shell(table.concat(words, " "))
      assert.equal(1, status)
      assert.matches("io: ", err)
      assert.matches("Permission denied", err)
    end
    as_nobody(file "closed/out")
    as_nobody(file "open") -- its "d" is closed: not even "b" moves
    assert.equal("", helper.list(file "closed"))
    assert.equal("d", helper.list(file "open"))
    assert.equal("", helper.list(file "open/d"))
  end)

  it("leaves a full disk as it was (L01)", function()
    os.execute(("mkdir '%s'"):format(file "disk"))
    if process.shell(("mount -t tmpfs -o size=512k none '%s'"):format(file "disk")) ~= 0 then
      return pending "no tmpfs can be mounted here"
    end
    local good, err = pcall(function()
      local entries = {}
      for i = 1, 60 do
        entries[i] = { ("d%d/f%d"):format(i % 3, i), ("x"):rep(20000) }
      end
      helper.write(file "big.tar", tar(entries))
      local failed = refused("io", "No space left", file "big.tar", file "disk/out")
      assert.matches("d%d+/f%d+", tostring(failed))
      refused("io", "No space left", file "big.tar", file "disk")
      assert.equal("", helper.list(file "disk"))
      archive.extract({ data = tar { { "a", "a" } } }, file "disk/out")
    end)
    process.shell(("umount '%s'"):format(file "disk"))
    assert.is_true(good, tostring(err))
  end)

  it("needs no TMPDIR (L12)", function()
    helper.write(file "plain.tar", tar { { "b", ("b"):rep(100000) } })
    local script = helper.write(file "x.lua", 'require("oras").archive.extract(arg[1], arg[2])')
    for i, value in ipairs { "/nonexistent", "/proc" } do
      sh("TMPDIR=" .. value .. " %s %s %s %s", process.oras_lua, script, file "plain.tar", file("out" .. i))
      assert.equal(100000, #helper.read(file("out" .. i .. "/b")))
    end
  end)
end)

describe("archives of others", function()
  local tree <const> = trees.get

  before_each(function()
    dir = helper.directory()
  end)
  after_each(helper.clean)

  teardown(trees.clean)

  local function packed_by(name, title, kind, command)
    it(("%s: %s"):format(name, title), function()
      if process.shell("command -v " .. name) ~= 0 then
        return pending("no " .. name)
      end
      sh("cd %s && " .. command:gsub("OUT", file "packed"), tree(kind))
      archive.extract(file "packed", file "out", { links = true })
      assert.equal(look(tree(kind), kind == "plain"), look(file "out", kind == "plain"))
    end)
  end

  local PYTHON <const> = [[python3 -c 'import sys, tarfile
tar = tarfile.open(sys.argv[1], sys.argv[2], format=getattr(tarfile, sys.argv[3]), errors="surrogateescape")
tar.add("tree")
tar.close()' OUT %s %s]]

  packed_by("tar", "gnu", "hard bytes", "tar --format=gnu -cf OUT tree")
  packed_by("tar", "posix, with extended attributes", "hard bytes", "tar --format=posix --xattrs -cf OUT tree")
  packed_by("tar", "ustar", "plain", "tar --format=ustar -cf OUT tree")
  packed_by("tar", "v7", "plain", "tar --format=v7 -cf OUT tree")
  packed_by("tar", "gzip", "plain", "tar -czf OUT tree")
  packed_by("tar", "bzip2", "plain", "tar -cjf OUT tree")
  packed_by("tar", "zstd", "plain", "tar --zstd -cf OUT tree")
  packed_by("tar", "names that begin with ./", "plain", "tar -cf OUT ./tree")
  packed_by("bsdtar", "pax", "hard", "LC_ALL=C.UTF-8 bsdtar --format=pax -cf OUT tree")
  packed_by("bsdtar", "gnutar, gzip", "plain", "bsdtar --format=gnutar -czf OUT tree")
  packed_by("python3", "pax", "hard bytes", PYTHON:format("w", "PAX_FORMAT"))
  packed_by("python3", "gnu, gzip", "hard bytes", PYTHON:format("w:gz", "GNU_FORMAT"))
  packed_by("zip", "zip", "plain", "zip -qry OUT.zip tree && mv OUT.zip OUT")

  it("oras (Go's tar): its layer, under its title", function()
    local path, reason = services.peer "oras"
    if not path then
      return pending(reason)
    end
    sh("cd %s && %s push --no-tty --oci-layout %s tree", tree "plain", path, file "layout:1")
    local manifest = helper.registry():get_manifest(("oci:%s:1"):format(file "layout"))
    local layer = manifest.layers[1]
    archive.extract(file("layout/blobs/" .. layer.digest:gsub(":", "/")), file "out", {
      media_type = layer.mediaType, prefix = "tree", links = true, digest = layer.digest, size = layer.size,
      content_digest = layer.annotations["io.deis.oras.content.digest"],
    })
    assert.equal(look(tree "plain" .. "/tree", true), look(file "out", true))
  end)
end)
