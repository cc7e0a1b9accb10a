--- sha512 from end to end: what is stored by it, is read, copied, attached and deleted by it.
local oras = require "oras"
local core = require "oras.core"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local referring = require "tests.spec.referring"

local SHA512 <const> = { algorithm = "sha512" }

local registry, dir, place

local function of(bytes)
  return oras.digest.of(bytes, "sha512")
end

-- The files of one artifact: a file, a directory, bytes, a reader.
local function files()
  helper.write(dir .. "/f", "file\n")
  assert(os.execute(("mkdir -p '%s/d' && echo deep >'%s/d/x'"):format(dir, dir)))
  local n = 0
  return {
    { path = dir .. "/f", title = "f" }, { path = dir .. "/d", title = "d" }, { data = "bytes", title = "b" },
    { title = "r", reader = function()
      n = n + 1
      return n < 40 and ("z"):rep(70000) or nil
    end },
  }
end

before_each(function()
  faults.reset()
  registry = helper.registry()
  dir = helper.directory()
end)
after_each(helper.clean)

local PLACES <const> = {
  ["a registry"] = function() return faults.host "http" .. "/s512/app" end,
  ["a layout"] = function() return "oci:" .. dir .. "/layout" end,
  ["a layout in a tar"] = function() return "oci:" .. dir .. "/layout.tar" end,
}

for name, find in pairs(PLACES) do
  describe("sha512 in " .. name, function()
    before_each(function()
      place = find()
    end)

    local function push()
      return registry:push(place .. ":v1", files(), SHA512)
    end

    it("W21: push stores all of it by sha512, and pull brings it back", function()
      local d, doc = push()
      assert.equal(of(doc:raw()), d.digest)
      assert.equal(d.digest, doc:descriptor().digest)
      assert.equal(d.digest, registry:resolve(place .. ":v1").digest)
      assert.equal(of "{}", doc.config.digest)
      for i, bytes in ipairs { [1] = "file\n", [3] = "bytes", [4] = ("z"):rep(39 * 70000) } do
        assert.equal(bytes and of(bytes), bytes and doc.layers[i].digest)
      end
      assert.matches("^sha512:", doc.layers[2].digest)
      for _, ref in ipairs { place .. ":v1", place .. "@" .. d.digest } do
        local out = helper.directory()
        registry:pull(ref, { outdir = out })
        assert.equal("file\n", helper.read(out .. "/f"))
        assert.equal("deep\n", helper.read(out .. "/d/x"))
        assert.equal("bytes", helper.read(out .. "/b"))
        assert.equal(39 * 70000, #helper.read(out .. "/r"))
      end
    end)

    it("W21: an empty artifact has the empty config by sha512", function()
      local d, doc = registry:push(place .. ":v1", {}, { algorithm = "sha512", artifact_type = "a/b" })
      assert.equal(of "{}", doc.config.digest)
      assert.equal(of "{}", doc.layers[1].digest)
      assert.equal(d.digest, registry:get_manifest(place .. ":v1"):descriptor().digest)
      assert.equal("{}", registry:get_blob(place, doc.config).content)
    end)

    it("W21: blobs get digests by it, whatever they are of", function()
      helper.write(dir .. "/f", "text")
      local function reader()
        local given = false
        return function()
          local piece = not given and "text" or nil
          given = true
          return piece
        end
      end
      registry:push(place .. ":v0", { { data = "x" } })
      for _, source in ipairs { dir .. "/f", { data = "text" }, { reader = reader() },
        { reader = reader(), size = 4 }, { source = core.source.string "text" } } do
        local d = registry:upload_blob(place, source, nil, SHA512)
        assert.equal(of "text", d.digest)
        assert.equal("text", registry:get_blob(place, of "text").content)
      end
    end)

    it("W21: manifests of our own, by name and by digest", function()
      registry:upload_blob(place, { data = "{}" }, nil, SHA512)
      local _, raw = registry:pack_manifest { artifact_type = "a/b", algorithm = "sha512" }
      local d = registry:upload_manifest(place .. ":one", raw, { algorithm = "sha512", tags = { "two" } })
      assert.equal(of(raw), d.digest)
      for _, ref in ipairs { ":one", ":two", "@" .. d.digest } do
        assert.equal(d.digest, registry:get_manifest(place .. ref):descriptor().digest)
      end
    end)

    it("W21: attach, referrers, discover and delete", function()
      local d = push()
      local note, doc = registry:attach(place .. ":v1", {}, {
        algorithm = "sha512", artifact_type = "a/b", annotations = { k = "v" },
      })
      assert.equal(d.digest, doc.subject.digest)
      assert.matches("^sha512:", note.digest)
      assert.same({ note.digest }, referring.digests(registry:referrers(place .. ":v1")))
      assert.equal(note.digest, registry:discover(place .. "@" .. d.digest).referrers[1].digest)
      registry:delete_manifest(place .. "@" .. note.digest)
      assert.same({}, registry:referrers(place .. ":v1"))
    end)

    it("W21: copies, with what refers to it", function()
      local d = push()
      local note = registry:attach(place .. ":v1", {}, {
        algorithm = "sha512", artifact_type = "a/b", annotations = { k = "v" },
      })
      for _, target in ipairs { faults.host "cdn" .. "/s512/copy", "oci:" .. dir .. "/copied" } do
        local copied = registry:copy(place .. ":v1", target .. ":v2", { recursive = true })
        assert.equal(d.digest, copied.digest)
        assert.equal(d.digest, registry:resolve(target .. ":v2").digest)
        assert.same({ note.digest }, referring.digests(registry:referrers(target .. ":v2")))
        local out = helper.directory()
        registry:pull(target .. ":v2", { outdir = out })
        assert.equal("deep\n", helper.read(out .. "/d/x"))
      end
    end)
  end)
end

describe("sha512 where a registry", function()
  before_each(function()
    place = faults.host "http" .. "/s512/app"
  end)

  it("takes no tags beside a digest: it is stored by its digest, and the tag by theirs", function()
    faults.config { tag_param = false }
    for _ = 1, 2 do
      local d, doc = registry:push(place .. ":v1", { { data = "x" } }, SHA512)
      assert.equal(doc:raw(), registry:get_manifest(place .. "@" .. d.digest):raw())
      assert.equal(oras.digest.of(doc:raw()), registry:resolve(place .. ":v1").digest)
      faults.reset()
      faults.config { tag_param = false } -- nothing is there any more, but what it takes is known
    end
  end)

  it("takes no manifests by it: the error says so, and no tag is set", function()
    faults.on { method = "PUT", path = "*/manifests/sha512*", status = 400, always = true,
      body = '{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}' }
    local err = helper.fails(registry, "push", place .. ":v1", { { data = "x" } }, SHA512)
    assert.equal("DIGEST_INVALID", err.code)
    assert.matches("many registries store manifests by sha256 only", err.message, 1, true)
    assert.is_nil(faults.content("s512/app").tags.v1)
  end)

  it("is told the algorithm before the bytes", function()
    registry:push(place .. ":v1", { { title = "r", size = 3 << 20, reader = coroutine.wrap(function()
      for _ = 1, 3 do
        coroutine.yield(("x"):rep(1 << 20))
      end
    end) } }, SHA512)
    for _, one in ipairs(faults.log { method = "POST" }) do
      assert.matches("digest-algorithm=sha512", one.target, 1, true)
    end
  end)

  it("has no API for referrers: the tag that lists them is cut to 64 digits", function()
    referring.without_api()
    local d = registry:push(place .. ":v1", { { data = "x" } }, SHA512)
    local subject = registry:get_container(place):with_digest(d.digest)
    local note = registry:attach(subject, {}, {
      algorithm = "sha512", artifact_type = "a/b", annotations = { k = "v" },
    })
    local tag = "sha512-" .. d.digest:sub(8, 71)
    assert.same({ note.digest }, referring.digests(registry:get_manifest(place .. ":" .. tag).manifests))
    assert.same({ note.digest }, referring.digests(registry:referrers(subject)))
    assert.same({ note.digest }, referring.digests(registry:discover(subject).referrers))
    registry:delete_manifest(place .. "@" .. note.digest)
    assert.same({}, registry:referrers(subject))
  end)

  it("lies about bytes of it: integrity", function()
    local d, doc = registry:push(place .. ":v1", { { data = "x" } }, SHA512)
    faults.on { path = "*/blobs/" .. doc.layers[1].digest, method = "GET", status = 200, body = "y", always = true }
    assert.equal("integrity", helper.fails(registry, "get_blob", place, doc.layers[1]).class)
    faults.on { path = "*/manifests/" .. d.digest, method = "GET", status = 200, always = true,
      headers = { ["Content-Type"] = referring.MANIFEST }, body = doc:raw() .. " " }
    assert.equal("integrity", helper.fails(registry, "get_manifest", place .. "@" .. d.digest).class)
  end)

  it("knows no other algorithm", function()
    for _, call in ipairs {
      { "push", place .. ":v1", { { data = "x" } } }, { "upload_blob", place, { data = "x" }, nil },
      { "upload_manifest", place, { layers = {}, config = oras.oci.empty_descriptor() } }, { "pack_manifest" },
    } do
      call[call[1] == "upload_blob" and 5 or #call + 1] = { algorithm = "md5" }
      local err = helper.fails(registry, table.unpack(call, 1, 5))
      assert.equal("usage", err.class)
      assert.matches('"sha256" or "sha512", not "md5"', err.message, 1, true)
    end
    assert.equal(0, #faults.log())
  end)
end)

describe("sha512 by flag", function()
  it("W21: push and attach store by it", function()
    place = faults.host "http" .. "/s512/app"
    helper.write(dir .. "/f", "file\n")
    local function run(...)
      local words = { ("cd %s && DOCKER_CONFIG=/nonexistent %s"):format(process.quote(dir),
        process.quote(process.oras_lua)) }
      for _, word in ipairs { ... } do
        words[#words + 1] = process.quote(word)
      end
      local status, out, err = process.shell(table.concat(words, " "))
      assert.same({ 0, "" }, { status, err })
      return out
    end
    assert.matches("^sha512:%x+\n$", run("push", place .. ":v1", "f", "--digest-algorithm", "sha512"))
    local note = run("attach", place .. ":v1", "f", "--digest-algorithm", "sha512", "--artifact-type", "a/b")
    assert.matches("^sha512:%x+\n$", note)
    assert.same({ note:sub(1, -2) }, referring.digests(registry:referrers(place .. ":v1")))
    assert.matches("── " .. note, run("discover", place .. ":v1"), 1, true)
  end)
end)
