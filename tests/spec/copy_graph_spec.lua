--- Copies of indexes and with referrers: which manifests are taken.
local oras = require "oras"

local copying = require "tests.spec.copying"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local INDEX <const> = oras.oci.media_types.index
local source <const>, target <const> = copying.source, copying.target
local seed <const>, entry <const> = copying.seed, copying.entry
local seed_index <const>, image <const> = copying.seed_index, copying.image
local multi <const>, has <const> = copying.multi, copying.has
local no_session_left <const> = copying.no_session_left
local size_of <const>, writes <const> = copying.size_of, copying.writes

local registry

before_each(function()
  faults.reset()
  registry = helper.registry()
end)

after_each(helper.clean)

describe("copy of an index", function()
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

  it("refuses what is no list of platforms or names, at the caller's line", function()
    multi()
    for _, opts in ipairs {
      { platforms = { 5 } }, { platforms = { "linux/amd64", 5 } }, { platforms = {} }, { tags = { 5 } },
      { platforms = { a = "linux/amd64" } }, { platforms = { "linux/amd64", [3] = "linux/arm64" } },
      { platforms = "not/a/platform/x" }, { platforms = { { os = "linux" } } }, { tags = { a = "b" } },
      { platforms = { os = "linux", architecture = "amd64", os_features = 5 } },
    } do
      local err = helper.fails(registry, "copy", source(), target(), opts)
      assert.equal("usage", err.class, tostring(err))
      assert.matches("helper.lua:%d+$", err.where)
    end
    assert.equal(0, faults.count({}).total)
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

describe("copy with referrers", function()
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
