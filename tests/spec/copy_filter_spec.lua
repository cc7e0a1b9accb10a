--- Copies that take less: referrers by type and annotation, platforms, manifests without blobs.
local oras = require "oras"

local copying = require "tests.spec.copying"
local faults = require "tests.support.faults"
local filter = require "oras.registry.copy_filter"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local source <const>, target <const> = copying.source, copying.target
local entry <const>, has <const> = copying.entry, copying.has

local registry

before_each(function()
  faults.reset()
  registry = helper.registry()
end)

after_each(helper.clean)

local function referrer(subject, kind, annotations)
  return faults.seed {
    repo = "src/app", layers = { { data = kind .. subject } }, subject = subject,
    artifact_type = "application/x." .. kind, annotations = annotations,
  }
end

local function is_there(a)
  return has("dst/app").manifests[a.digest] ~= nil
end

describe("a filter of patterns", function()
  local function takes(given, d)
    d.mediaType = d.mediaType or oras.oci.media_types.manifest
    return filter.new(given)(d, "referrer")
  end

  it("knows types by pattern, and the manifest's own where there is no other", function()
    assert.is_true(takes({}, {}))
    assert.is_true(takes({ include_types = "application/x.*" }, { artifactType = "application/x.sig+json" }))
    assert.is_false(takes({ include_types = "application/x." }, { artifactType = "application/x.sig" }))
    assert.is_false(takes({ include_types = { "a/b", "applicationXx.*" } }, { artifactType = "application/x.sig" }))
    assert.is_true(takes({ include_types = "application/x.?ig" }, { artifactType = "application/x.sig" }))
    assert.is_false(takes({ exclude_types = "*sig*" }, { artifactType = "application/x.sig" }))
    assert.is_true(takes({ include_types = "*manifest.v1+json" }, {}))
    assert.is_true(takes({ include_types = "*manifest.v1+json" }, { artifactType = 7 }))
  end)

  it("knows annotations by key and by value", function()
    local d = { annotations = { ["a.b"] = "v1=x", c = "" } }
    assert.is_true(takes({ include_annotations = "a.b" }, d))
    assert.is_true(takes({ include_annotations = { "z", "a.b=v1*" } }, d))
    assert.is_false(takes({ include_annotations = "aXb" }, d))
    assert.is_false(takes({ include_annotations = "a.b=v1" }, d))
    assert.is_true(takes({ include_annotations = "c=" }, d))
    assert.is_false(takes({ exclude_annotations = "c" }, d))
    assert.is_false(takes({ include_annotations = "a" }, {}))
  end)

  it("wants one of each kind, and none of those that are excluded", function()
    local d = { artifactType = "t", annotations = { k = "v" } }
    assert.is_true(takes({ include_types = "t", include_annotations = "k" }, d))
    assert.is_false(takes({ include_types = "t", include_annotations = "z" }, d))
    assert.is_false(takes({ include_types = "t", exclude_annotations = "k=v" }, d))
  end)

  it("leaves the entries of an index alone", function()
    assert.is_true(filter.new { include_types = "nothing" }({ mediaType = "a/b" }, "entry"))
  end)

  it("refuses what is none", function()
    for _, given in ipairs {
      { include_types = "" }, { exclude_types = { 1 } }, { includes = "a" }, { include_types = 1 },
      { include_types = { a = "b" } }, { exclude_annotations = { "a", b = "c" } },
    } do
      assert.equal("usage", select(2, oras.try(filter.new, given)).class)
    end
  end)
end)

describe("a recursive copy", function()
  it("W18 takes referrers of some types only, and not what refers to the others", function()
    local a = copying.seed { { data = "x" } }
    local signature, sbom = referrer(a.digest, "signature"), referrer(a.digest, "sbom")
    local on_sbom, on_signature = referrer(sbom.digest, "sbom.note"), referrer(signature.digest, "sbom.note")
    registry:copy(source(), target(), { recursive = true, filter = { include_types = "application/x.sbom*" } })
    assert.same({ true, false, true, false },
      { is_there(sbom), is_there(signature), is_there(on_sbom), is_there(on_signature) })
    registry:copy(source(), target(), { recursive = true, filter = { exclude_types = "*note" } })
    assert.same({ true, false }, { is_there(signature), is_there(on_signature) })
  end)

  it("W18 takes referrers by annotation, out of a layout, too", function()
    local a = copying.seed { { data = "x" } }
    local good = referrer(a.digest, "one", { stage = "release" })
    local bad, none = referrer(a.digest, "two", { stage = "test" }), referrer(a.digest, "three")
    local wanted = { recursive = true, filter = { include_annotations = { "stage=rel*" } } }
    registry:copy(source(), target(), wanted)
    assert.same({ true, false, false }, { is_there(good), is_there(bad), is_there(none) })

    local layout = "oci:" .. helper.directory() .. "/layout:v1"
    registry:copy(source(), layout, { recursive = true })
    registry:copy(layout, target "dst/two", wanted)
    assert.truthy(has("dst/two").manifests[good.digest])
    assert.is_nil(has("dst/two").manifests[bad.digest])
    assert.is_nil(has("dst/two").manifests[none.digest])
  end)

  it("asks a function what kind of thing it is", function()
    local index, x = copying.multi()
    local sig = referrer(x.digest, "sig")
    local kinds = {}
    registry:copy(source(), target(), { recursive = true, filter = function(d, kind)
      kinds[d.digest] = kind
      return kind == "referrer" or d.platform.architecture == "amd64"
    end })
    assert.equal("entry", kinds[x.digest])
    assert.equal("referrer", kinds[sig.digest])
    assert.is_nil(has("dst/app").manifests[index.digest])
    assert.is_true(is_there(sig))
  end)
end)

describe("a copy of some platforms", function()
  local index, amd, arm, v6

  before_each(function()
    amd = copying.image("amd", "linux", "amd64")
    arm, v6 = copying.image("arm", "linux", "arm64"), copying.image("v6", "linux", "arm")
    local about = copying.seed({ { data = "provenance" } }, { tag = "about" })
    index = copying.seed_index {
      entry(amd, { platform = { os = "linux", architecture = "amd64" } }),
      entry(arm, { platform = { os = "linux", architecture = "arm64" } }),
      entry(v6, { platform = { os = "linux", architecture = "arm", variant = "v6" } }),
      entry(about, { platform = { os = "unknown", architecture = "unknown" }, annotations = {
        ["vnd.docker.reference.digest"] = arm.digest, ["vnd.docker.reference.type"] = "attestation-manifest" } }),
    }
  end)

  local function taken(platforms, more)
    local opts = { platforms = platforms }
    for key, value in pairs(more or {}) do
      opts[key] = value
    end
    registry:copy(source(), target(), opts)
    local list = {}
    for i, d in ipairs(registry:get_manifest(target()).manifests) do
      list[i] = d.digest
    end
    return list
  end

  it("W5 trims the index, whose entries keep their bytes", function()
    assert.same({ amd.digest, v6.digest }, taken { "linux/arm/v6", "linux/amd64" })
    local raw = registry:get_manifest(target()):raw()
    for part in index.manifest:gmatch "{[^{}]*{[^{}]*}[^{}]*}" do
      local is_kept = part:find(amd.digest, 1, true) or part:find(v6.digest, 1, true)
      assert.equal(is_kept ~= nil, raw:find(part, 1, true) ~= nil)
    end
  end)

  it("W5 takes platforms by pattern, and what builders say about an image with it", function()
    assert.equal(3, #taken { "linux/arm64", "linux/arm/*" })
    assert.equal(4, #taken "linux/*")
    assert.equal(1, #taken { "*/amd64", "linux/amd64" })
    local err = helper.fails(registry, "copy", source(), target(), { platforms = "windows/*" })
    assert.equal("not_found", err.class)
    assert.matches("windows/*", err.message, 1, true)
  end)

  it("W5 brings the referrers of the images that stay, and no others", function()
    local on_amd, on_arm, on_index = referrer(amd.digest, "sig"), referrer(arm.digest, "sig"),
      referrer(index.digest, "sig")
    taken({ "linux/amd64", "linux/arm/v6" }, { recursive = true })
    assert.same({ true, false, false }, { is_there(on_amd), is_there(on_arm), is_there(on_index) })
  end)

  it("has flags on the command line", function()
    local status, _, err = process.run("cp", source(), target "dst/flags", "--platform", "linux/amd64,linux/arm/v6")
    assert.equal(0, status, err)
    assert.equal(2, #registry:get_manifest(target "dst/flags").manifests)
  end)
end)

describe("a shallow copy", function()
  it("W26 brings manifests without blobs, into a layout and where the blobs are", function()
    local index, a, b = copying.multi()
    local layout = "oci:" .. helper.directory() .. "/layout:v1"
    local d, stats = registry:copy(source(), layout, { shallow = true })
    assert.equal(index.digest, d.digest)
    assert.same({ copied = 0, mounted = 0, skipped = 0 }, stats.blobs)
    assert.equal(3, stats.manifests)
    assert.equal(a.digest, registry:get_manifest(layout, { platform = "linux/amd64" }):descriptor().digest)
    assert.is_false(registry:blob_exists(layout, b.layers[1].digest))
    assert.equal(0, faults.count { path = "*/blobs/*" }.total)
    for _, tag in ipairs { "amd", "arm" } do
      registry:copy(source(nil, tag), target("dst/shallow", tag))
    end
    faults.reset { content = false }
    local status, out, err = process.run("copy", "--shallow", source(), target "dst/shallow")
    assert.equal(0, status, err)
    assert.equal(index.digest .. "\n", out)
    assert.equal(index.digest, has("dst/shallow").tags["1"])
    assert.equal(0, faults.count { path = "*/blobs/*" }.total)
  end)
end)

describe("a copy into a tar", function()
  it("W17 adds to it, and takes pulls from it", function()
    copying.seed { { data = "one", annotations = { [oras.oci.annotations.title] = "one.txt" } } }
    copying.seed({ { data = "two" } }, { tag = "2" })
    local tar = "oci:" .. helper.directory() .. "/all.tar"
    registry:copy(source(), tar .. ":1")
    registry:copy(source(nil, "2"), tar .. ":2")
    assert.same({ "1", "2" }, registry:get_tags(tar))
    local files = registry:pull(tar .. ":1", { outdir = helper.directory() })
    assert.equal("one", helper.read(files[1].path))
  end)
end)
