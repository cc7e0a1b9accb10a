--- Copies between registries and layouts: what moves, in how many requests.
local oras = require "oras"

local copying = require "tests.spec.copying"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local OCTETS <const> = "application/octet-stream"
local source <const>, target <const> = copying.source, copying.target
local seed <const>, multi <const> = copying.seed, copying.multi
local has <const>, no_session_left <const> = copying.has, copying.no_session_left
local size_of <const>, writes <const> = copying.size_of, copying.writes

local registry

before_each(function()
  faults.reset()
  registry = helper.registry()
end)

after_each(helper.clean)

describe("copy", function()
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

  it("goes where one may push but not look", function()
    local a = seed { { size = 300000 } }
    faults.on { listener = "http", method = "HEAD", status = 403, always = true }
    faults.on { listener = "http", method = "GET", status = 403, always = true }
    registry:copy(source(), target())
    assert.equal(a.digest, has("dst/app").tags["1"])
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
