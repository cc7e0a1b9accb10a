--- pull: names, what is there already, what is left out; each file complete or absent.
local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local TITLE <const> = "org.opencontainers.image.title"

local function file(title, data, more)
  local content = { data = data or ("bytes of " .. tostring(title)), title = title, media_type = "text/plain" }
  for key, value in pairs(more or {}) do
    content[key] = value
  end
  return content
end

-- Plant an artifact; gives its reference and the layers' descriptors.
local function seed(layers, more)
  local spec = { repo = "p/app", tag = "1", layers = layers }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  local planted = faults.seed(spec)
  return ("%s/%s:%s"):format(faults.host "http", spec.repo, spec.tag), planted.layers, planted
end

local function blob_requests()
  return #faults.log { method = "GET", path = "/v2/p/app/blobs/*" }
end

local function paths(files)
  local list = {}
  for i, one in ipairs(files) do
    list[i] = one.path
  end
  return table.concat(list, " ")
end

local function reasons(files)
  local list = {}
  for i, one in ipairs(files.skipped) do
    list[i] = ("%s: %s"):format(one.title or one.descriptor.mediaType, one.reason)
  end
  return table.concat(list, "; ")
end

local registry, dir

describe("pull", function()
  before_each(function()
    faults.reset()
    registry, dir = helper.registry(), helper.directory()
  end)
  after_each(helper.clean)

  it("writes the titled layers in the manifest's order, and gives the manifest's descriptor", function()
    local ref, layers, planted = seed { file "b.txt", file "sub/dir/a.txt" }
    local files, descriptor = registry:pull(ref, { outdir = dir .. "/new/out" })

    assert.equal(planted.digest, descriptor.digest)
    assert.equal(("%s/new/out/b.txt %s/new/out/sub/dir/a.txt"):format(dir, dir), paths(files))
    assert.equal(layers[1].digest, files[1].descriptor.digest)
    assert.is_false(files[1].unpacked)
    assert.same({}, files.skipped)
    assert.equal("bytes of b.txt", helper.read(dir .. "/new/out/b.txt"))
    assert.equal("bytes of sub/dir/a.txt", helper.read(dir .. "/new/out/sub/dir/a.txt"))
    assert.equal("b.txt sub", helper.list(dir .. "/new/out"))
  end)

  it("L08 fetches nothing that is there with the same content, and replaces what differs", function()
    local ref = seed { file "a", file "b" }
    registry:pull(ref, { outdir = dir })
    helper.write(dir .. "/b", "BYTES of b")
    local before = blob_requests()
    local files = registry:pull(ref, { outdir = dir })

    assert.equal(dir .. "/b", paths(files))
    assert.equal("a: same content", reasons(files))
    assert.equal(before + 1, blob_requests())
    assert.equal("bytes of b", helper.read(dir .. "/b"))
  end)

  it("L08 leaves what is there, or refuses before the first download", function()
    local ref = seed { file "a", file "b" }
    helper.write(dir .. "/b", "mine")
    local err = helper.fails(registry, "pull", ref, { outdir = dir, keep_old_files = true })
    assert.equal("exists", err.class)
    assert.matches(dir .. "/b", err.message, 1, true)
    assert.equal("b", helper.list(dir))
    assert.equal(0, blob_requests())

    local files = registry:pull(ref, { outdir = dir, overwrite = false })
    assert.equal(dir .. "/a", paths(files))
    assert.equal("b: exists", reasons(files))
    assert.equal(dir .. "/b", files.skipped[1].path)
    assert.equal("mine", helper.read(dir .. "/b"))
  end)

  it("L08 does not replace a directory, a FIFO, or what is below a file", function()
    local ref = seed { file "a", file "b/c" }
    for _, prepare in ipairs { "mkdir a", "mkfifo a", "touch b", "mkdir b; mkdir b/c" } do
      assert(os.execute(("cd '%s' && rm -rf a b && %s"):format(dir, prepare)))
      local err = helper.fails(registry, "pull", ref, { outdir = dir })
      assert.equal(prepare == "touch b" and "path" or "exists", err.class, prepare)
    end
    assert.equal(0, blob_requests())
  end)

  it("C17 C19 C20 CVE-2024-25620 writes nothing at all when a title is no plain relative path", function()
    for _, title in ipairs {
      "/abs", "..", "../x", "a/../../b", "", ".", "dir/", "a//b", "\0", "a\0b", "a\nb", "a\27[2Jb", "a\255b",
      ("x"):rep(300), ("x/"):rep(2500) .. "x", "C:x", "a\\b", "NUL", "x:stream", "dot.", "space ",
    } do
      local ref = seed { file "good" }
      local doc = oras.json.decode(registry:get_manifest(ref):raw())
      local bad = doc.layers[1]
      doc.layers = { bad, oras.json.decode(oras.json.encode(bad)) }
      doc.layers[2].annotations[TITLE] = title
      local good, text = pcall(oras.json.encode, doc)
      if good then -- what is no UTF-8 has no place in JSON
        faults.seed { repo = "p/app", tag = "bad", manifest = text }
        local err = helper.fails(registry, "pull", faults.host "http" .. "/p/app:bad", { outdir = dir .. "/out" })
        assert.is_true(err.class == "path" or (title:find "%z" and err.class == "content") or false,
          ("%q: %s"):format(title, tostring(err)))
        assert.equal("", helper.list(dir))
      end
    end
    assert.equal(0, blob_requests())
  end)

  it("C20 takes names that only Windows refuses when it is told to", function()
    local ref = seed { file "a:b", file "c\\d", file "e", file "E" }
    assert.equal("path", helper.fails(registry, "pull", ref, { outdir = dir }).class)
    registry:pull(ref, { outdir = dir, portable = false })
    assert.equal("E a:b c\\d e", helper.list(dir))
  end)

  it("C18 GHSA-8xwf-rjm4-xvhv refuses a title through a symbolic link, and one that is one", function()
    local ref = seed { file "out/x", file "y" }
    local elsewhere = helper.directory()
    helper.write(elsewhere .. "/y", "theirs")
    assert(os.execute(("ln -s '%s' '%s/out'"):format(elsewhere, dir)))
    local err = helper.fails(registry, "pull", ref, { outdir = dir })
    assert.equal("path", err.class)
    os.remove(dir .. "/out")
    assert(os.execute(("ln -s '%s/y' '%s/y'"):format(elsewhere, dir)))
    err = helper.fails(registry, "pull", ref, { outdir = dir })
    assert.equal("path", err.class)
    assert.matches("symbolic link", err.message)
    assert.equal("y", helper.list(elsewhere))
    assert.equal("theirs", helper.read(elsewhere .. "/y"))
    assert.equal(0, blob_requests())
  end)

  it("writes into an output directory that is itself a link", function()
    local ref = seed { file "a" }
    assert(os.execute(("ln -s '%s' '%s/link'"):format(helper.directory(), dir)))
    registry:pull(ref, { outdir = dir .. "/link/" })
    assert.equal("bytes of a", helper.read(dir .. "/link/a"))
  end)

  it("C21 refuses titles that meet before the first download", function()
    for _, pair in ipairs { { "a", "a" }, { "A/b", "a/B" }, { "a", "a/b" }, { "x/y/z", "x" } } do
      local ref = seed { file(pair[1], "one"), file(pair[2], "two") }
      local err = helper.fails(registry, "pull", ref, { outdir = dir })
      assert.equal("exists", err.class)
      assert.matches(pair[2], err.message, 1, true)
    end
    assert.equal("", helper.list(dir))
    assert.equal(0, blob_requests())
  end)

  it("C13 downloads the same content under two titles once", function()
    local ref = seed { file("a", "same"), file("b/c", "same"), file("a", "same") }
    local files = registry:pull(ref, { outdir = dir })
    assert.equal(("%s/a %s/b/c"):format(dir, dir), paths(files))
    assert.equal("a: same title and content", reasons(files))
    assert.equal("same", helper.read(dir .. "/a"))
    assert.equal("same", helper.read(dir .. "/b/c"))
    assert.equal(1, blob_requests())
  end)

  it("C13 pulls nothing of no layers, and an empty file", function()
    assert.same({}, (function(files)
      files.skipped = nil
      return files
    end)(registry:pull(seed {}, { outdir = dir })))
    registry:pull(seed { file("empty", "") }, { outdir = dir })
    assert.equal("", helper.read(dir .. "/empty"))
  end)

  it("C22 lists what has no title, or writes it under the name that it is given", function()
    local ref, layers = seed { file(nil, "nameless"), file "a" }
    local files = registry:pull(ref, { outdir = dir })
    assert.equal("text/plain: no title", reasons(files))
    assert.equal(layers[1].digest, files.skipped[1].descriptor.digest)
    local hex = layers[1].digest:match ":(.*)"
    registry:pull(ref, { outdir = dir, name = function(layer, title)
      return title or layer.digest:match ":(.*)"
    end })
    assert.equal(("%s a"):format(hex), helper.list(dir))
    assert.equal("nameless", helper.read(dir .. "/" .. hex))
  end)

  it("takes only the media types and layers that are wanted, under the names that are given", function()
    local ref = seed { file "a", file("b", nil, { media_type = "image/png" }), file "c", file "d" }
    local files = registry:pull(ref, {
      outdir = dir,
      allowed_media_type = { "text/plain" },
      filter = function(layer)
        return layer.annotations[TITLE] ~= "c"
      end,
      name = function(_, title)
        return title ~= "d" and "x/" .. title
      end,
    })
    assert.equal(dir .. "/x/a", paths(files))
    assert.equal("b: media type; c: filter; d: name", reasons(files))
    assert.equal("bytes of a", helper.read(dir .. "/x/a"))
    local err = helper.fails(registry, "pull", ref, { outdir = dir, name = function() return "../up" end })
    assert.equal("path", err.class)
    assert.equal("a: media type; c: media type; d: media type",
      reasons(registry:pull(ref, { outdir = dir, allowed_media_type = "image/png" })))
  end)

  it("wants a platform for an index", function()
    local one = faults.seed { repo = "p/app", tag = "amd64", layers = { file "a" } }
    faults.seed { repo = "p/app", tag = "multi", manifest = {
      schemaVersion = 2,
      mediaType = oras.oci.media_types.index,
      manifests = { {
        mediaType = one.media_type, digest = one.digest, size = one.size,
        platform = { os = "linux", architecture = "amd64" },
      } },
    } }
    local ref = faults.host "http" .. "/p/app:multi"
    local err = helper.fails(registry, "pull", ref, { outdir = dir })
    assert.equal("content", err.class)
    assert.matches("linux/amd64", err.message, 1, true)
    assert.equal(dir .. "/a", paths(registry:pull(ref, { outdir = dir, platform = "linux/amd64" })))
    assert.equal("not_found", helper.fails(registry, "pull", ref, { outdir = dir, platform = "linux/s390x" }).class)
  end)

  it("brings the files of all that an index without platforms gathers, as oras does", function()
    local function gather(tag, ...)
      local entries = {}
      for i, one in ipairs { ... } do
        entries[i] = { mediaType = one.media_type, digest = one.digest, size = one.size }
      end
      return faults.seed { repo = "p/app", tag = tag, manifest = {
        schemaVersion = 2, mediaType = oras.oci.media_types.index, manifests = entries,
      } }
    end
    local a = faults.seed { repo = "p/app", tag = "a", layers = { file "a" } }
    local b = faults.seed { repo = "p/app", tag = "b", layers = { file "b" } }
    local inner = gather("inner", b, a)
    local outer = gather("outer", a, inner)
    local place = faults.host "http" .. "/p/app:"
    local files, descriptor = registry:pull(place .. "outer", { outdir = dir })
    assert.equal(("%s/a %s/b"):format(dir, dir), paths(files))
    assert.equal(outer.digest, descriptor.digest)
    assert.is_true(registry:verify(place .. "outer", dir).ok)
    local err = helper.fails(registry, "pull", place .. "outer", { outdir = dir, only = "none" })
    assert.matches(":outer", err.message, 1, true)
    local other = faults.seed { repo = "p/app", tag = "o", layers = { file("a", "other") } }
    gather("clash", a, other)
    assert.equal("exists", helper.fails(registry, "pull", place .. "clash", { outdir = dir .. "/c" }).class)
    local deep = inner
    for i = 1, 9 do
      deep = gather("deep" .. i, deep)
    end
    assert.equal("limit", helper.fails(registry, "pull", place .. "deep9", { outdir = dir }).class)
    gather "empty"
    assert.same({}, registry:pull(place .. "empty", { outdir = dir .. "/e" }).skipped)
  end)

  it("brings what the artifact is about, when asked", function()
    local _, _, subject = seed { file "app" }
    local ref = seed({ file "sbom" }, { tag = "2", subject = subject.digest })
    assert.equal(dir .. "/sbom", paths(registry:pull(ref, { outdir = dir })))
    local files = registry:pull(ref, { outdir = dir, include_subject = true })
    assert.equal(dir .. "/app", paths(files))
    assert.equal("sbom: same content", reasons(files))
  end)

  it("writes the config where asked, when it has the type", function()
    local ref = seed({ file "a" }, { config = { data = "{}", media_type = "application/vnd.c+json" } })
    registry:pull(ref, { outdir = dir, config = "conf/c.json:application/vnd.c+json" })
    assert.equal("{}", helper.read(dir .. "/conf/c.json"))
    local files = registry:pull(ref, { outdir = dir, config = "other:application/vnd.other" })
    assert.equal("application/vnd.c+json: media type; a: same content", reasons(files))
    assert.equal("path", helper.fails(registry, "pull", ref, { outdir = dir, config = "../c" }).class)
  end)

  it("has each file complete or not at all when one fails", function()
    local ref, layers = seed { file "a", file("b", ("b"):rep(1000)) }
    faults.on { path = "/v2/p/app/blobs/" .. layers[2].digest, corrupt = 10, always = true }
    local err = helper.fails(registry, "pull", ref, { outdir = dir, concurrency = 1 })
    assert.equal("integrity", err.class)
    assert.equal("a", helper.list(dir))
    faults.reset { content = false }
    registry:pull(ref, { outdir = dir })
    assert.equal(("b"):rep(1000), helper.read(dir .. "/b"))
    assert.equal("a b", helper.list(dir))
  end)

  it("brings everything through download_blob", function()
    local Own = oras.Registry:extend "Own"
    local seen = {}
    function Own:download_blob(ref, blob, path, opts)
      seen[#seen + 1] = path
      return Own.super.download_blob(self, ref, blob, path, opts)
    end
    function Own:get_manifest(ref, opts)
      seen[#seen + 1] = "manifest"
      return Own.super.get_manifest(self, ref, opts)
    end
    local ref = seed { file "a", file "b" }
    Own:new({ config_path = "/nonexistent" }):pull(ref, { outdir = dir, concurrency = 1 })
    assert.same({ "manifest", dir .. "/a", dir .. "/b" }, seen)
  end)

  it("pulls several layers at once", function()
    local ref, layers = seed { file "a", file "b", file "c" }
    faults.on { path = "/v2/p/app/blobs/*", hold = "all", always = true }
    local files
    oras.gather(function()
      files = registry:pull(ref, { outdir = dir })
    end, function()
      repeat
        core.clock.sleep(0.01)
      until blob_requests() == #layers
      faults.release "all"
      faults.reset { content = false }
    end)
    assert.equal(3, #files)
  end)

  it("refuses bad options at the caller's line, before any request", function()
    for _, opts in ipairs {
      { outdri = "x" }, { unpack = "some" }, { concurrency = 0 }, { outdir = "" }, { filter = 1 },
      { keep_old_files = true, overwrite = true }, { limits = { bytes = 1 } }, { allowed_media_type = { 1 } },
      { allowed_media_type = { a = "b" } },
    } do
      assert.equal("usage", helper.fails(registry, "pull", faults.host "http" .. "/p/none", opts).class)
    end
    assert.same({}, faults.log { listener = "http" })
    assert.matches("outdir%?", helper.fails(registry, "pull", "h/r", { outdri = "x" }).message)
  end)

  it("L02 says that the output directory cannot be made", function()
    local ref = seed { file "a" }
    helper.write(dir .. "/file", "")
    local err = helper.fails(registry, "pull", ref, { outdir = dir .. "/file/out" })
    assert.equal("io", err.class)
    assert.matches(dir .. "/file", err.message, 1, true)
    assert.equal(0, blob_requests())
  end)
end)
