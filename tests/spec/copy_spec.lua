local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local OCTETS <const> = "application/octet-stream"
local INDEX <const> = oras.oci.media_types.index

-- A host that the copies below name as if it were another registry: another origin, same content.
local function source(repo, tag)
  return ("%s/%s:%s"):format(faults.host "cdn", repo or "src/app", tag or "1")
end

local function target(repo, tag)
  return ("%s/%s:%s"):format(faults.host "http", repo or "dst/app", tag or "1")
end

local function seed(layers, more)
  local spec = { repo = "src/app", tag = "1", layers = layers }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  return faults.seed(spec)
end

local function entry(a, more)
  local d = { mediaType = a.media_type, digest = a.digest, size = a.size }
  for key, value in pairs(more or {}) do
    d[key] = value
  end
  return d
end

local function seed_index(entries, more)
  local spec = { repo = "src/app", tag = "1" }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  spec.manifest = oras.json.encode {
    schemaVersion = 2, mediaType = INDEX, manifests = oras.json.array(entries),
  }
  spec.media_type = INDEX
  return faults.seed(spec)
end

local function image(text, os, arch)
  return seed({ { data = text } }, { tag = text, config = {
    data = oras.json.encode { os = os, architecture = arch }, media_type = oras.oci.media_types.config,
  } })
end

-- An index of two images; gives it and them.
local function multi()
  local a, b = image("amd", "linux", "amd64"), image("arm", "linux", "arm64")
  local index = seed_index {
    entry(a, { platform = { os = "linux", architecture = "amd64" } }),
    entry(b, { platform = { os = "linux", architecture = "arm64" } }),
  }
  return index, a, b
end

local function has(repo)
  return faults.content(repo)
end

-- A session that was ended may take a moment more to be gone.
local function no_session_left(repo)
  for _ = 1, 500 do
    if has(repo or "dst/app").uploads == 0 then
      return
    end
    oras.gather(function()
      core.clock.sleep(0.01)
    end)
  end
  assert.equal(0, has(repo or "dst/app").uploads)
end

local function size_of(map)
  local n = 0
  for _ in pairs(map) do
    n = n + 1
  end
  return n
end

local function writes(listener)
  local counts = faults.count { listener = listener }
  return counts.POST + counts.PUT + counts.PATCH + counts.DELETE
end

describe("copy", function()
  local registry

  before_each(function()
    faults.reset()
    registry = helper.registry()
  end)

  after_each(helper.clean)

  it("brings a manifest over as the bytes it is, with its blobs, the name last", function()
    local a = seed { { size = 300000 }, { data = "small" } }
    local d, stats = registry:copy(source(), target())

    assert.same({ digest = a.digest, size = a.size, mediaType = a.media_type }, d)
    local copy = registry:get_manifest(target())
    assert.equal(a.manifest, copy:raw())
    assert.equal(a.digest, has("dst/app").tags["1"])
    for _, layer in ipairs(a.layers) do
      assert.equal(layer.size, has("dst/app").blobs[layer.digest])
    end
    assert.same({ blobs = { copied = 3, mounted = 0, skipped = 0 }, manifests = 1, bytes = 300007 + a.size }, stats)
    local log = faults.log { listener = "http" }
    local puts = {}
    for i, one in ipairs(log) do
      if one.method == "PUT" then
        puts[#puts + 1] = i
      end
    end
    assert.truthy(log[puts[#puts]].path:find "/manifests/1$")
    no_session_left()
  end)

  it("asks for two requests a new blob and takes one from the source", function()
    seed { { size = 1000 }, { size = 2000, seed = 2 } }
    registry:copy(source(), target())
    local counts = faults.count { listener = "http" }
    assert.equal(3, counts.POST)
    assert.equal(4, counts.PUT)
    assert.equal(2, counts.HEAD)
    assert.equal(9, counts.total)
    -- {} is known without asking
    assert.equal(3, faults.count { listener = "cdn" }.total)
  end)

  it("sends nothing twice: what is there is found with one question", function()
    seed { { size = 1000 } }
    registry:copy(source(), target())
    faults.reset { content = false }
    local d, stats = registry:copy(source(), target())
    assert.equal(has("src/app").tags["1"], d.digest)
    assert.same({ blobs = { copied = 0, mounted = 0, skipped = 2 }, manifests = 0, bytes = 0 }, stats)
    assert.same({ "HEAD manifest 200" }, faults.trace { listener = "http" })
  end)

  it("gives another name to what is there with one more request", function()
    seed { { size = 1000 } }
    registry:copy(source(), target())
    faults.reset { content = false }
    registry:copy(source(), target("dst/app", "2"))
    assert.same({ "HEAD manifest 404", "HEAD manifest 200", "PUT manifest 201" }, faults.trace { listener = "http" })
  end)

  it("leaves out blobs that are there, by one question each when the name was there", function()
    seed { { size = 100000 }, { size = 200000, seed = 2 } }
    registry:copy(source(), target())
    seed { { size = 100000 }, { size = 300000, seed = 3 } }
    faults.reset { content = false }
    local _, stats = registry:copy(source(), target())
    assert.same({ copied = 1, mounted = 0, skipped = 2 }, stats.blobs)
    local counts = faults.count { listener = "http" }
    assert.equal(5, counts.HEAD)
    assert.equal(1, counts.POST)
    assert.equal(2, faults.count { listener = "cdn" }.total)
  end)

  it("does not trust a manifest that is there when it is told so", function()
    local a = seed { { size = 1000 } }
    registry:copy(source(), target())
    faults.reset { content = false }
    local _, stats = registry:copy(source(), target(), { force = true })
    assert.same({ copied = 0, mounted = 0, skipped = 2 }, stats.blobs)
    assert.equal(1, stats.manifests)
    assert.equal(a.digest, has("dst/app").tags["1"])
  end)

  it("C13 brings one content once, however often it is named", function()
    seed { { data = "same" }, { data = "same" }, { data = "same" } }
    local _, stats = registry:copy(source(), target())
    assert.equal(2, stats.blobs.copied)
    assert.equal(1, faults.count { listener = "cdn", path = "*/blobs/*" }.total)
  end)

  it("stores by digest alone, and under several names", function()
    local a = seed { { data = "x" } }
    registry:copy(source(), target(), { untagged = true })
    assert.equal(0, size_of(has("dst/app").tags))
    assert.truthy(has("dst/app").manifests[a.digest])
    registry:copy(source(), target(), { tags = { "2", "3" } })
    assert.same({ ["1"] = a.digest, ["2"] = a.digest, ["3"] = a.digest }, has("dst/app").tags)
    registry:copy(source(), faults.host "http" .. "/other/app@" .. a.digest)
    assert.truthy(has("other/app").manifests[a.digest])
  end)

  it("refuses a target's digest that the source does not have", function()
    seed { { data = "x" } }
    local ref = faults.host "http" .. "/other/app@" .. oras.digest.of "other"
    assert.equal("usage", helper.fails(registry, "copy", source(), ref).class)
    assert.equal(0, writes "http")
  end)

  it("takes inline data from the manifest", function()
    local layer = { mediaType = OCTETS, digest = oras.digest.of "inline", size = 6, data = "aW5saW5l" }
    local config = oras.oci.empty_descriptor()
    faults.seed { repo = "src/app", tag = "1", media_type = oras.oci.media_types.manifest, manifest = oras.json.encode {
      schemaVersion = 2, mediaType = oras.oci.media_types.manifest, config = config,
      layers = oras.json.array { layer },
    } }
    registry:copy(source(), target())
    assert.equal(6, has("dst/app").blobs[layer.digest])
    assert.equal(1, faults.count { listener = "cdn" }.total)
  end)

  it("brings blobs and manifests of sha512", function()
    local digest = oras.digest.new("sha512"):update("long"):final()
    faults.seed { repo = "src/app", blobs = { { data = "long", as = digest } } }
    faults.seed { repo = "src/app", blobs = { { data = "{}" } } }
    local raw = oras.json.encode {
      schemaVersion = 2, mediaType = oras.oci.media_types.manifest, config = oras.oci.empty_descriptor(),
      layers = oras.json.array { { mediaType = OCTETS, digest = digest, size = 4 } },
    }
    faults.seed { repo = "src/app", tag = "1", media_type = oras.oci.media_types.manifest, manifest = raw }
    registry:copy(source(), target())
    assert.equal(4, has("dst/app").blobs[digest])

    local by512 = oras.digest.new("sha512"):update(raw):final()
    registry:upload_manifest(faults.host "cdn" .. "/src/app@" .. by512, raw)
    local d = registry:copy(faults.host "cdn" .. "/src/app@" .. by512, target("dst/two", "1"))
    assert.equal(by512, d.digest)
    assert.truthy(has("dst/two").manifests[by512])
    assert.equal(raw, registry:get_manifest(target("dst/two", "1")):raw())
  end)

  it("C15 never asks the addresses that a layer says it is at, and leaves such layers there", function()
    local foreign = {
      mediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", digest = oras.digest.of "far",
      size = 3, urls = oras.json.array { faults.url "evil" .. "/far" },
    }
    local own = { mediaType = OCTETS, digest = oras.digest.of "own", size = 3,
      urls = oras.json.array { faults.url "evil" .. "/own" } }
    faults.seed { repo = "src/app", blobs = { { data = "own" } } }
    faults.seed { repo = "src/app", tag = "1", media_type = oras.oci.media_types.manifest, manifest = oras.json.encode {
      schemaVersion = 2, mediaType = oras.oci.media_types.manifest, config = oras.oci.empty_descriptor(),
      layers = oras.json.array { foreign, own },
    } }
    faults.on { listener = "http", method = "PUT", path = "*/manifests/*", status = 201 }
    local _, stats = registry:copy(source(), target())
    assert.same({ copied = 2, mounted = 0, skipped = 1 }, stats.blobs)
    assert.equal(3, has("dst/app").blobs[own.digest])
    assert.is_nil(has("dst/app").blobs[foreign.digest])
    assert.equal(0, faults.count { listener = "evil" }.total)
  end)

  it("brings empty blobs, many layers and big ones through two connections a host", function()
    local layers = { { data = "" } }
    for i = 2, 40 do
      layers[i] = { size = i * 1000, seed = i }
    end
    layers[41] = { size = 9000000, seed = 41 }
    local a = seed(layers)
    registry = helper.registry { concurrency = 2 }
    -- both sides are one host here, so that each blob needs two of its places
    registry:copy(target("src/app"), target(), { mount = false, concurrency = 8 })
    for _, layer in ipairs(a.layers) do
      assert.equal(layer.size, has("dst/app").blobs[layer.digest])
    end
  end)

  it("never waits for itself with one connection a host", function()
    local layers = {}
    for i = 1, 6 do
      layers[i] = { size = 5000000 + i, seed = i }
    end
    seed(layers)
    registry = helper.registry { concurrency = 1 }
    local _, stats = registry:copy(target("src/app"), target(), { mount = false, concurrency = 4 })
    assert.equal(7, stats.blobs.copied)
  end)

  it("proves early to a registry that has much that it tells what it has", function()
    local layers = {}
    for i = 1, 40 do
      layers[i] = { size = 100000 + i, seed = i }
    end
    seed(layers)
    registry:copy(source(), target())
    local counts = faults.count { listener = "http", path = "*/blobs/*" }
    -- two requests each, the proof, and a HEAD for those that began before it was there
    assert.is_true(counts.total <= 2 * 41 + 1 + 3 * 8, counts.total)
  end)

  describe("within one registry", function()
    it("mounts blobs: no byte of them moves", function()
      local a = seed { { size = 300000 }, { size = 400000, seed = 2 } }
      local _, stats = registry:copy(target("src/app"), target())
      assert.same({ copied = 0, mounted = 3, skipped = 0 }, stats.blobs)
      assert.equal(0, faults.count { path = "/v2/src/app/blobs/*" }.total)
      assert.equal(300000, has("dst/app").blobs[a.layers[1].digest])
      for _, one in ipairs(faults.log { method = "POST" }) do
        assert.truthy(one.query:find("from=src", 1, true))
      end
    end)

    it("does not when it is told not to", function()
      seed { { size = 300000 } }
      local _, stats = registry:copy(target("src/app"), target(), { mount = false })
      assert.same({ copied = 2, mounted = 0, skipped = 0 }, stats.blobs)
      for _, one in ipairs(faults.log { method = "POST" }) do
        assert.is_nil(one.query:find("from=src", 1, true))
      end
    end)

    for _, answer in ipairs { 202, 401, 403, 404, 405 } do
      it(("N49 uploads where a mount is answered with %d"):format(answer), function()
        local a = seed { { size = 300000 } }
        if answer == 202 then
          faults.config { mount = false }
        else
          faults.on { method = "POST", target = "from=src", status = answer, always = true }
        end
        local _, stats = registry:copy(target("src/app"), target())
        assert.same({ copied = 2, mounted = 0, skipped = 0 }, stats.blobs)
        assert.equal(300000, has("dst/app").blobs[a.layers[1].digest])
      end)
    end

    it("never mounts with other credentials than the source was read with (CVE-2024-39897)", function()
      seed({ { size = 300000 } }, { repo = "basic/src" })
      local from, to = helper.registry(), helper.registry()
      from:set_basic_auth("alice", "wonder:land")
      to:set_basic_auth("bob", "builder")
      local _, stats = to:copy(target "basic/src", target "basic/dst", { from = from })
      assert.equal(0, stats.blobs.mounted)
      for _, one in ipairs(faults.log { method = "POST" }) do
        assert.is_nil(one.query:find("from=basic/src", 1, true))
        assert.is_nil(one.query:find("from=basic%2Fsrc", 1, true))
      end
    end)

    it("mounts with two objects that show the same credentials", function()
      seed({ { size = 300000 } }, { repo = "basic/src" })
      local from, to = helper.registry(), helper.registry()
      from:set_basic_auth("alice", "wonder:land")
      to:set_basic_auth("alice", "wonder:land")
      local _, stats = to:copy(target "basic/src", target "basic/dst", { from = from })
      assert.equal(2, stats.blobs.mounted)
    end)
  end)

  it("asks for one token on each side", function()
    seed({ { size = 1000 }, { size = 300000, seed = 2 } }, { repo = "bearer/src" })
    registry:set_basic_auth("alice", "wonder:land")
    registry:copy(target "bearer/src", target "bearer/dst", { mount = false })
    assert.equal(2, faults.count { path = "/token" }.total)
    faults.reset { content = false }
    registry = helper.registry()
    registry:set_basic_auth("alice", "wonder:land")
    registry:copy(target "bearer/src", target "bearer/new", { dry_run = true })
    for _, one in ipairs(faults.log { path = "/token" }) do
      assert.is_nil(one.query:find("push", 1, true))
    end
  end)

  it("N49 shows each side's credentials to that side only", function()
    faults.config { auth = { { repo = "src", listener = "cdn", mode = "basic" }, { repo = "dst", listener = "http",
      mode = "basic" } } }
    seed { { size = 300000 } }
    local from, to = helper.registry(), helper.registry()
    from:set_basic_auth("alice", "wonder:land")
    to:set_basic_auth("bob", "builder")
    to:copy(source(), target(), { from = from })
    local alice, bob = "YWxpY2U6d29uZGVyOmxhbmQ=", "Ym9iOmJ1aWxkZXI="
    for _, one in ipairs(faults.log()) do
      local sent = faults.header(one, "authorization") or ""
      assert.is_nil(sent:find(one.listener == "http" and alice or bob, 1, true))
    end
    assert.truthy(has("dst/app").tags["1"])
  end)

  describe("of an index", function()
    it("brings all of it, children before parents", function()
      local inner = { multi() }
      local outer = seed_index({ entry(inner[1]), entry(inner[2]) }, { tag = "outer" })
      local d, stats = registry:copy(source("src/app", "outer"), target())
      assert.equal(outer.digest, d.digest)
      assert.equal(4, stats.manifests)
      local seen = {}
      for _, one in ipairs(faults.log { listener = "http", method = "PUT", path = "*/manifests/*" }) do
        seen[#seen + 1] = one.path:match "[^/]*$"
      end
      assert.equal("1", seen[4])
      assert.equal(inner[1].digest, seen[3])
      assert.equal(outer.manifest, registry:get_image_index(target()):raw())
    end)

    it("brings one platform's manifest, or an index of several", function()
      local _, a, b = multi()
      local c = image("s390x", "linux", "s390x")
      local index = seed_index {
        entry(a, { platform = { os = "linux", architecture = "amd64" } }),
        entry(b, { platform = { os = "linux", architecture = "arm64" }, annotations = { kept = "yes" } }),
        entry(c, { platform = { os = "linux", architecture = "s390x" } }),
      }
      local d = registry:copy(source(), target("dst/one", "1"), { platforms = "linux/arm64" })
      assert.equal(b.digest, d.digest)
      assert.equal(1, size_of(has("dst/one").manifests))
      d = registry:copy(source(), target("dst/list", "1"), { platforms = { "linux/amd64" } })
      assert.equal(a.digest, d.digest)

      d = registry:copy(source(), target(), { platforms = { "linux/s390x", "linux/arm64" } })
      assert.are_not.equal(index.digest, d.digest)
      local copy = registry:get_image_index(target())
      assert.equal(2, #copy.manifests)
      assert.equal(b.digest, copy.manifests[1].digest)
      assert.equal("yes", copy.manifests[1].annotations.kept)
      assert.equal(c.digest, copy.manifests[2].digest)
      assert.is_nil(has("dst/app").manifests[a.digest])
      assert.equal(d.digest, copy:descriptor().digest)
      local again = registry:copy(source(), target("dst/again", "1"), { platforms = { "linux/arm64", "linux/s390x" } })
      assert.equal(d.digest, again.digest)

      d = registry:copy(source(), target("dst/all", "1"), {
        platforms = { "linux/amd64", "linux/arm64", "linux/s390x" },
      })
      assert.equal(index.digest, d.digest)
    end)

    it("C16 says which platforms there are", function()
      multi()
      local err = helper.fails(registry, "copy", source(), target(), { platforms = { "linux/amd64", "plan9/386" } })
      assert.equal("not_found", err.class)
      assert.truthy(err.message:find("linux/arm64", 1, true))
      assert.equal("source", err.origin)
      assert.equal(0, writes "http")
    end)

    it("asks a filter which entries are taken", function()
      local _, a, b = multi()
      registry:copy(source(), target(), { filter = function(d)
        return d.platform.architecture == "arm64"
      end })
      assert.truthy(has("dst/app").manifests[b.digest])
      assert.is_nil(has("dst/app").manifests[a.digest])
      assert.equal(1, #registry:get_image_index(target()).manifests)
    end)

    it("skips what the target has of it", function()
      local index, a = multi()
      registry:copy(source("src/app", "amd"), target())
      faults.reset { content = false }
      local _, stats = registry:copy(source(), target())
      assert.equal(2, stats.manifests)
      assert.equal(1, stats.blobs.copied + stats.blobs.skipped - 1)
      assert.equal(0, faults.count { listener = "cdn", path = "*/" .. a.digest }.total)
      assert.equal(index.digest, has("dst/app").tags["1"])
    end)

    it("brings entries of other types as blobs, and an index without entries", function()
      local cache = faults.seed { repo = "src/app", blobs = { { data = "layer" } } }
      seed_index { { mediaType = "application/vnd.oci.image.layer.v1.tar", digest = cache.blobs[1].digest, size = 5 } }
      local layout = "oci:" .. helper.directory() .. "/layout:1"
      registry:copy(source(), layout)
      assert.is_true(registry:blob_exists(layout, cache.blobs[1]))
      local empty = seed_index({}, { tag = "empty" })
      assert.equal(empty.digest, registry:copy(source("src/app", "empty"), target("dst/app", "empty")).digest)
    end)

    it("C12 stops at indexes that are nested too deep, and at graphs that are too large", function()
      local inner = seed { { data = "x" } }
      local last = inner
      for i = 1, 100 do
        last = seed_index({ entry(last) }, { tag = "deep" .. i })
      end
      local err = helper.fails(registry, "copy", source("src/app", "deep100"), target())
      assert.equal("limit", err.class)
      assert.equal("source", err.origin)
      assert.equal(0, writes "http")
      assert.equal(last.digest, helper.registry({ limits = { index_depth = 101 } })
        :copy(source("src/app", "deep100"), target()).digest)

      local entries = {}
      for i = 1, 50 do
        entries[i] = { mediaType = inner.media_type, digest = oras.digest.of(tostring(i)), size = 500 }
      end
      seed_index(entries, { tag = "wide" })
      registry = helper.registry { limits = { graph = 50 } }
      err = helper.fails(registry, "copy", source("src/app", "wide"), target("dst/wide"))
      assert.equal("limit", err.class)
      assert.truthy(err.message:find("50 manifests", 1, true))
    end)

    it("C12 takes 20,000 children as too many, in little time and memory", function()
      local entries = {}
      for i = 1, 20000 do
        entries[i] = { mediaType = oras.oci.media_types.manifest, digest = oras.digest.of(tostring(i)), size = 500 }
      end
      seed_index(entries)
      assert.equal("limit", helper.fails(registry, "copy", source(), target()).class)
    end)
  end)

  describe("with referrers", function()
    local subject, signature, sbom, counter

    local function refer(a, text, more)
      local spec = { subject = a.digest, artifact_type = "application/x." .. text, tag = false }
      for key, value in pairs(more or {}) do
        spec[key] = value
      end
      spec.tag = nil
      return faults.seed {
        repo = "src/app", layers = { { data = text } }, subject = a.digest, annotations = spec.annotations,
        artifact_type = spec.artifact_type,
      }
    end

    local function plant()
      local index, a = multi()
      subject = index
      signature, sbom = refer(index, "signature"), refer(a, "sbom")
      counter = refer(signature, "counter")
      return index
    end

    local function assert_all()
      local there = has("dst/app").manifests
      for _, one in ipairs { subject, signature, sbom, counter } do
        assert.truthy(there[one.digest])
      end
    end

    it("takes those of every manifest, and theirs", function()
      plant()
      local d, stats = registry:copy(source(), target(), { recursive = true })
      assert.equal(subject.digest, d.digest)
      assert.equal(6, stats.manifests)
      assert_all()
    end)

    it("leaves them when nobody asked", function()
      plant()
      registry:copy(source(), target())
      assert.is_nil(has("dst/app").manifests[signature.digest])
      assert.equal(0, faults.count { path = "*/referrers/*" }.total)
    end)

    it("finds those that came later although the rest is there", function()
      plant()
      registry:copy(source(), target())
      local _, stats = registry:copy(source(), target(), { recursive = true })
      assert.equal(3, stats.manifests)
      assert_all()
    end)

    it("follows pages", function()
      plant()
      for i = 1, 5 do
        refer(subject, "more" .. i)
      end
      faults.config { referrers_page = 2 }
      local _, stats = registry:copy(source(), target(), { recursive = true })
      assert.equal(11, stats.manifests)
    end)

    it("asks a filter which are taken", function()
      plant()
      registry:copy(source(), target(), { recursive = true, filter = function(d)
        return d.artifactType ~= "application/x.signature"
      end })
      assert.is_nil(has("dst/app").manifests[signature.digest])
      assert.truthy(has("dst/app").manifests[sbom.digest])
    end)

    for _, answer in ipairs { 400, 404, 405, 406, 501 } do
      it(("N35 reads the tag that lists them where the API says %d"):format(answer), function()
        local a = seed { { data = "x" } }
        signature = refer(a, "signature")
        faults.seed { repo = "src/app", tag = "sha256-" .. a.digest:sub(8), media_type = INDEX,
          manifest = oras.json.encode { schemaVersion = 2, mediaType = INDEX, manifests = oras.json.array {
            entry(signature, { artifactType = "application/x.signature" }) } } }
        faults.on { listener = "cdn", path = "*/referrers/*", status = answer, always = true }
        local _, stats = registry:copy(source(), target(), { recursive = true })
        assert.equal(2, stats.manifests)
        assert.truthy(has("dst/app").manifests[signature.digest])
      end)
    end

    it("takes an empty list where there is neither API nor tag", function()
      seed { { data = "x" } }
      faults.on { listener = "cdn", path = "*/referrers/*", status = 404, always = true }
      local _, stats = registry:copy(source(), target(), { recursive = true })
      assert.equal(1, stats.manifests)
    end)

    it("keeps the tag that lists them where the target has no API", function()
      plant()
      faults.config { referrers = false, oci_subject = false }
      faults.seed { repo = "src/app", tag = "sha256-" .. subject.digest:sub(8), media_type = INDEX,
        manifest = oras.json.encode { schemaVersion = 2, mediaType = INDEX, manifests = oras.json.array {
          entry(signature) } } }
      registry:copy(source(), target(), { recursive = true })
      local list = registry:get_image_index(target("dst/app", "sha256-" .. subject.digest:sub(8)))
      assert.equal(signature.digest, list.manifests[1].digest)
      assert.equal("application/x.signature", list.manifests[1].artifactType)
    end)

    it("C12 ends where referrers go in circles or refer to themselves", function()
      local a = seed { { data = "x" } }
      signature = refer(a, "signature")
      local function list(...)
        return { status = 200, headers = { ["Content-Type"] = INDEX }, always = true, listener = "cdn",
          body = oras.json.encode { schemaVersion = 2, mediaType = INDEX, manifests = oras.json.array { ... } } }
      end
      local rule = list(entry(a), entry(signature))
      rule.path = "*/referrers/*"
      faults.on(rule)
      local _, stats = registry:copy(source(), target(), { recursive = true })
      assert.equal(2, stats.manifests)
    end)

    it("C12 stops at a source that always finds one more", function()
      local a = seed { { data = "x" } }
      local last = a
      for i = 1, 12 do
        last = refer(last, "chain" .. i)
      end
      registry = helper.registry { limits = { graph = 10 } }
      local err = helper.fails(registry, "copy", source(), target(), { recursive = true })
      assert.equal("limit", err.class)
      no_session_left()
      assert.same({}, has("dst/app").tags)
    end)

    it("N52 follows no page elsewhere or in circles", function()
      seed { { data = "x" } }
      local body = oras.json.encode { schemaVersion = 2, mediaType = INDEX, manifests = oras.json.array {} }
      for link, class in pairs {
        ["<" .. faults.url "evil" .. "/x>; rel=next"] = "redirect", ['<?x=1>; rel="next"'] = "protocol",
      } do
        faults.reset { content = false }
        faults.on { listener = "cdn", path = "*/referrers/*", status = 200, always = true,
          headers = { ["Content-Type"] = INDEX, Link = link }, body = body }
        local err = helper.fails(registry, "copy", source(), target(), { recursive = true })
        assert.equal(class, err.class)
        assert.equal("source", err.origin)
        assert.equal(0, faults.count { listener = "evil" }.total)
      end
    end)
  end)

  it("goes where one may push but not look", function()
    local a = seed { { size = 300000 } }
    faults.on { listener = "http", method = "HEAD", status = 403, always = true }
    faults.on { listener = "http", method = "GET", status = 403, always = true }
    registry:copy(source(), target())
    assert.equal(a.digest, has("dst/app").tags["1"])
  end)

  describe("that fails", function()
    it("says that the source has no such manifest or blob", function()
      local a = seed { { data = "x" }, { size = 200000 } }
      local err = helper.fails(registry, "copy", source("src/app", "none"), target())
      assert.same({ "not_found", "source" }, { err.class, err.origin })
      assert.equal(0, writes "http")
      faults.on { listener = "cdn", path = "*/blobs/" .. a.layers[2].digest, status = 404, always = true }
      err = helper.fails(registry, "copy", source(), target())
      assert.same({ "not_found", "source" }, { err.class, err.origin })
      assert.equal(a.layers[2].digest, err.digest or a.layers[2].digest)
      assert.same({}, has("dst/app").tags)
      no_session_left()
    end)

    it("C01 puts no blob that came wrong", function()
      local a = seed { { size = 3000000 } }
      faults.on { listener = "cdn", path = "*/blobs/*", corrupt = 2000000, always = true }
      local err = helper.fails(registry, "copy", source(), target())
      assert.same({ "integrity", "source" }, { err.class, err.origin })
      assert.is_nil(has("dst/app").blobs[a.layers[1].digest])
      no_session_left()
    end)

    it("C01 tries once more when a blob came wrong once", function()
      local a = seed { { size = 3000000 } }
      faults.on { listener = "cdn", path = "*/blobs/*", corrupt = 2000000 }
      registry:copy(source(), target())
      assert.equal(3000000, has("dst/app").blobs[a.layers[1].digest])
    end)

    for name, size in pairs { shorter = 199999, longer = 1 << 62 } do
      it(("C02 puts no blob whose manifest says it is %s"):format(name), function()
        local blob = faults.seed { repo = "src/app", blobs = { { size = 200000 } } }.blobs[1]
        faults.seed { repo = "src/app", tag = "1", media_type = oras.oci.media_types.manifest,
          manifest = oras.json.encode {
            schemaVersion = 2, mediaType = oras.oci.media_types.manifest, config = oras.oci.empty_descriptor(),
            layers = oras.json.array { { mediaType = OCTETS, digest = blob.digest, size = size } },
          } }
        local err = helper.fails(registry, "copy", source(), target())
        assert.same({ "integrity", "source" }, { err.class, err.origin })
        assert.is_nil(has("dst/app").blobs[blob.digest])
        no_session_left()
      end)
    end

    it("goes on after a source that broke off", function()
      local a = seed { { size = 3000000 } }
      faults.on { listener = "cdn", path = "*/blobs/*", cut = 1000000, how = "rst" }
      registry:copy(source(), target())
      assert.equal(3000000, has("dst/app").blobs[a.layers[1].digest])
      no_session_left()
    end)

    it("sends again after a target that broke off", function()
      local a = seed { { size = 3000000 } }
      faults.on { listener = "http", method = "PUT", path = "*/blobs/uploads/*", early = true, read = 100000,
        drop = "rst" }
      registry:copy(source(), target())
      assert.equal(3000000, has("dst/app").blobs[a.layers[1].digest])
      no_session_left()
    end)

    it("says that the target refuses", function()
      seed { { size = 200000 } }
      faults.on { listener = "http", method = "POST", status = 403, always = true }
      local err = helper.fails(registry, "copy", source(), target())
      assert.same({ "denied", "destination" }, { err.class, err.origin })
      faults.reset { content = false }
      faults.on { listener = "http", method = "PUT", path = "*/manifests/*", status = 413, always = true }
      err = helper.fails(registry, "copy", source(), target())
      assert.same({ "limit", "destination" }, { err.class, err.origin })
    end)

    it("N56 ends the others at the first failure and leaves no session", function()
      local layers = {}
      for i = 1, 100 do
        layers[i] = { size = 200000 + i, seed = i }
      end
      local a = seed(layers)
      faults.on { listener = "cdn", path = "*/blobs/" .. a.layers[50].digest, status = 403, always = true }
      local before = faults.connections("http").open
      for _ = 1, 3 do
        local err = helper.fails(registry, "copy", source(), target())
        assert.same({ "denied", "source" }, { err.class, err.origin })
      end
      assert.same({}, has("dst/app").tags)
      no_session_left()
      registry = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      assert.truthy(faults.wait { open = before, listener = "http" })
    end)

    it("is refused for options that mean nothing", function()
      for _, opts in ipairs {
        { concurrency = 0 }, { platforms = {} }, { form = registry }, { from = {} }, { to = { is_a = 1 } },
      } do
        assert.equal("usage", helper.fails(registry, "copy", source(), target(), opts).class)
      end
      assert.equal("usage", helper.fails(registry, "copy", source()).class)
      assert.equal("usage", helper.fails(registry, "copy", source(), target(), { tags = { "a b" } }).class)
      assert.equal(0, faults.count().total)
    end)
  end)

  it("says what it would do and does nothing", function()
    local a = seed { { size = 1000 }, { size = 2000, seed = 2 } }
    faults.seed { repo = "dst/app", blobs = { { size = 1000 } } }
    local d, stats = registry:copy(source(), target(), { dry_run = true })
    assert.equal(a.digest, d.digest)
    assert.equal(0, writes "http")
    assert.same({ copied = 2, mounted = 0, skipped = 1 }, stats.blobs)
    assert.equal(2002 + a.size, stats.bytes)
    assert.equal(4, #stats.plan)
    local last = stats.plan[4]
    assert.same({ "copied", a.digest }, { last.action, last.descriptor.digest })
    local actions = {}
    for _, one in ipairs(stats.plan) do
      actions[one.descriptor.digest] = one.action
    end
    assert.equal("skipped", actions[a.layers[1].digest])
    assert.equal("copied", actions[a.layers[2].digest])
    stats = select(2, registry:copy(target("src/app"), target(), { dry_run = true }))
    assert.same({ copied = 0, mounted = 2, skipped = 1 }, stats.blobs)
  end)

  it("goes through what either side overrides", function()
    local a = seed { { data = "mine" } }
    local calls = {}
    local Mirror = oras.Registry:extend "Mirror"
    for _, name in ipairs {
      "get_manifest", "get_blob", "upload_blob", "upload_manifest", "find_manifest", "do_request",
    } do
      Mirror[name] = function(self, ...)
        calls[self.side] = calls[self.side] or {}
        calls[self.side][name] = true
        return oras.Registry[name](self, ...)
      end
    end
    local from, to = Mirror:new { config_path = "/nonexistent" }, Mirror:new { config_path = "/nonexistent" }
    from.side, to.side = "from", "to"
    registry:copy(source(), target(), { from = from, to = to })
    assert.same({ get_manifest = true, get_blob = true, do_request = true }, calls.from)
    assert.same({ upload_blob = true, upload_manifest = true, find_manifest = true, do_request = true }, calls.to)
    assert.equal(a.digest, has("dst/app").tags["1"])
  end)

  describe("and layouts", function()
    local directory

    before_each(function()
      directory = helper.directory()
    end)

    it("brings a registry's manifest into one, and back", function()
      local a = seed { { size = 300000 }, { data = "x" } }
      local layout = "oci:" .. directory .. "/new/layout"
      local d, stats = registry:copy(source(), layout .. ":v1")
      assert.equal(a.digest, d.digest)
      assert.same({ copied = 3, mounted = 0, skipped = 0 }, stats.blobs)
      assert.equal(a.manifest, registry:get_manifest(layout .. ":v1"):raw())
      stats = select(2, registry:copy(source(), layout .. ":v1"))
      assert.same({ copied = 0, mounted = 0, skipped = 3 }, stats.blobs)
      registry:copy(layout .. ":v1", target())
      assert.equal(a.digest, has("dst/app").tags["1"])
    end)

    it("lists an index and not its parts", function()
      local index = multi()
      local layout = "oci:" .. directory .. "/layout"
      registry:copy(source(), layout .. ":v1")
      local opened <close> = oras.layout.open(directory .. "/layout")
      assert.equal(1, #opened:index().manifests)
      assert.equal(index.digest, opened:index().manifests[1].digest)
      local other = "oci:" .. directory .. "/other"
      local _, stats = registry:copy(layout .. ":v1", other .. ":v2")
      assert.equal(3, stats.manifests)
      _, stats = registry:copy(layout .. ":v1", other .. ":v3")
      assert.same({ 1, 0 }, { stats.manifests, stats.blobs.copied })
      registry:copy(other, target())
      assert.equal(index.digest, has("dst/app").tags["1"])
    end)

    it("brings referrers into one and out of one", function()
      local a = seed { { data = "x" } }
      local signature = faults.seed { repo = "src/app", layers = { { data = "sig" } }, subject = a.digest,
        artifact_type = "application/x.signature" }
      local layout = "oci:" .. directory .. "/layout"
      registry:copy(source(), layout .. ":v1", { recursive = true })
      local _, stats = registry:copy(layout .. ":v1", target(), { recursive = true })
      assert.equal(2, stats.manifests)
      assert.truthy(has("dst/app").manifests[signature.digest])
    end)

    it("says what it would do to one that is not there, and does not make it", function()
      seed { { data = "x" } }
      local _, stats = registry:copy(source(), "oci:" .. directory .. "/layout:v1", { dry_run = true })
      assert.equal(2, stats.blobs.copied)
      assert.equal("", helper.list(directory))
    end)

    it("C01 leaves nothing of a blob that came wrong", function()
      seed { { size = 3000000 } }
      faults.on { listener = "cdn", path = "*/blobs/*", corrupt = 2000000, always = true }
      local err = helper.fails(registry, "copy", source(), "oci:" .. directory .. "/layout:v1")
      assert.same({ "integrity", "source" }, { err.class, err.origin })
      assert.equal(oras.digest.of("{}"):sub(8), helper.list(directory .. "/layout/blobs/sha256"))
    end)
  end)
end)
