--- Registry:index: indexes of manifests that are there, made and changed.
local oras = require "oras"

local copying = require "tests.spec.copying"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local json_keys = require "tests.spec.json_keys"
local process = require "tests.spec.process"

local INDEX <const> = oras.oci.media_types.index
local CONFIG <const> = oras.oci.media_types.config
local REPO <const> = "idx/app"

local registry

local function ref(tag, repo)
  return ("%s/%s:%s"):format(faults.host "http", repo or REPO, tag)
end

local function seed(tag, more)
  local spec = { repo = REPO, tag = tag, layers = { { data = "layer of " .. tag } } }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  return faults.seed(spec)
end

local function image(tag, platform, repo)
  return seed(tag, { repo = repo, config = { data = oras.json.encode(platform), media_type = CONFIG } })
end

local function entry(a, more)
  return copying.entry(a, more)
end

-- An index whose text nobody would write like this again.
local ODD <const> = [[
{ "x-first": {"b": 1.50, "a": 1e2, "u": "\u0041\/"},
  "schemaVersion": 2,
  "mediaType": "%s",
  "manifests": [
    {"size":%d, "x-entry": [1.0 , "\u00e9"], "mediaType":"%s", "digest":"%s"},
    { "mediaType" : "%s" , "digest" : "%s" , "size" : %d }
  ],
  "x-last": [ null,  1E+2 ],
  "annotations": { "kept": "\u0041" } }]]

local function odd(a, b)
  local raw = ODD:format(INDEX, a.size, a.media_type, a.digest, b.media_type, b.digest, b.size)
  return faults.seed { repo = REPO, tag = "odd", media_type = INDEX, manifest = raw }, raw
end

local function digests(doc)
  local list = {}
  for i, d in ipairs(doc.manifests) do
    list[i] = d.digest
  end
  return list
end

before_each(function()
  faults.reset()
  registry = helper.registry()
end)

after_each(helper.clean)

describe("index", function()
  it("makes an index of tags and digests, with the platforms of the configs", function()
    local a = image("amd", { os = "linux", architecture = "amd64", ["os.version"] = "1", created = "2020-01-01" })
    local b = image("arm", {
      architecture = "arm", os = "linux", variant = "v6", ["os.features"] = oras.json.array { "f" },
    })
    local d = registry:index(ref "all", { "amd", b.digest }, { annotations = { b = "2", a = "1" }, tags = { "more" } })

    local doc = registry:get_manifest(ref "all")
    assert.equal(d.digest, doc:descriptor().digest)
    assert.equal(d.digest, faults.content(REPO).tags.more)
    assert.same({ a.digest, b.digest }, digests(doc))
    assert.same({ os = "linux", architecture = "amd64", ["os.version"] = "1" }, doc.manifests[1].platform)
    assert.same({ os = "linux", architecture = "arm", variant = "v6", ["os.features"] = { "f" } },
      doc.manifests[2].platform)
    assert.same({ a = "1", b = "2" }, doc.annotations)
    assert.equal(b.digest, registry:get_manifest(ref "all", { platform = "linux/arm/v6" }):descriptor().digest)
  end)

  it("gives the same bytes each time", function()
    image("amd", { os = "linux", architecture = "amd64" })
    seed("art", { artifact_type = "application/x.art" })
    local opts = { annotations = { z = "1", y = "2", x = "3", w = "4" }, artifact_type = "application/x.set" }
    local first = registry:make_index(ref "all", { "amd", "art" }, opts)
    for _ = 1, 5 do
      assert.equal(first, helper.registry():make_index(ref "all", { "amd", "art" }, opts))
    end
    assert.truthy(first:find('"artifactType":"application/x.art"', 1, true))
    assert.truthy(first:find('"artifactType":"application/x.set","manifests"', 1, true))
    assert.is_nil(faults.content(REPO).tags.all)
  end)

  it("takes descriptors as they are, and entries with platform and annotations of one's own", function()
    local a, b = seed "a", seed "b"
    local d = entry(a, { platform = { os = "x", architecture = "y" }, annotations = { k = "v" } })
    registry:index(ref "all", { d, { reference = "b", platform = "linux/arm64/v8", annotations = { n = "m" } } })
    local doc = registry:get_manifest(ref "all")
    assert.same({ mediaType = a.media_type, digest = a.digest, size = a.size, annotations = { k = "v" },
      platform = { os = "x", architecture = "y" } }, doc.manifests[1])
    assert.same({ os = "linux", architecture = "arm64", variant = "v8" }, doc.manifests[2].platform)
    assert.equal("m", doc.manifests[2].annotations.n)
    assert.equal(b.digest, doc.manifests[2].digest)
  end)

  it("has each manifest once, and indexes in indexes", function()
    local a = seed "a"
    seed "b"
    local inner = registry:index(ref "inner", { "a", "a", a.digest, "b" })
    assert.equal(2, #registry:get_manifest(ref "inner").manifests)
    registry:index(ref "outer", { "inner", "a" })
    local doc = registry:get_manifest(ref "outer")
    assert.same({ inner.digest, a.digest }, digests(doc))
    assert.equal(INDEX, doc.manifests[1].mediaType)
    assert.is_nil(doc.manifests[1].platform)
  end)

  it("may be empty, and says no platform for what is no image", function()
    registry:index(ref "none", {})
    assert.equal(0, #registry:get_manifest(ref "none").manifests)
    local config = '{"os":"linux","architecture":"amd64"}'
    seed("odd", { config = { data = config, media_type = "application/x.config+json" } })
    registry:index(ref "all", { "odd" })
    assert.is_nil(registry:get_manifest(ref "all").manifests[1].platform)
  end)

  it("W26 copies entries of other repositories and registries first", function()
    local a = image("amd", { os = "linux", architecture = "amd64" }, "other/app")
    local b = image("arm", { os = "linux", architecture = "arm64" }, "far/app")
    local far = ("%s/far/app:arm"):format(faults.host "cdn")
    registry:index(ref "all", { ref("amd", "other/app"), far })
    local here = faults.content(REPO)
    assert.truthy(here.manifests[a.digest])
    assert.truthy(here.manifests[b.digest])
    assert.truthy(here.blobs[b.layers[1].digest])
    assert.same({ a.digest, b.digest }, digests(registry:get_manifest(ref "all")))
  end)

  it("is about a subject, which lists it", function()
    local a, b = seed "a", seed "b"
    for _, subject in ipairs { a.digest, ref "a", entry(a) } do
      local d = registry:index(ref "all", { "b" }, { subject = subject, artifact_type = "application/x.set" })
      local doc = registry:get_manifest(ref "all")
      assert.same({ mediaType = a.media_type, digest = a.digest, size = a.size }, doc.subject)
      assert.same({ b.digest }, digests(doc))
      assert.equal(d.digest, registry:referrers(ref "a")[1].digest)
    end
  end)

  it("refuses what is none", function()
    local a = seed "a"
    copying.seed_index({ entry(a) }, { repo = REPO, tag = "is" })
    for _, case in ipairs {
      { { 1 } }, { { {} } }, { { { reference = "a", platform = "linux" } } }, { { { digest = "sha256:1" } } }, { "a" },
      { { "a" }, { add = { "a" } } }, { { "a" }, { annotations = { k = false } } }, { { "a" }, { antotations = {} } },
      { nil, { annotations = { k = 1 } } }, { nil, { remove = { 7 } } }, { { a = "a" } },
      { nil, { add = { a = "a" } } },
      { nil, { merge = { a = "all" } } }, { nil, { remove = { a = "a" } } }, { nil, { remove = { { digest = 5 } } } },
      { { "a" }, { tags = { a = "b" } } }, { { { reference = "a", platform = { os = "a" } } } },
      { { { reference = "a", platform = { os = "a", architecture = "b", ["os.features"] = { {} } } } } },
      { { { mediaType = "a/b", digest = a.digest, size = a.size, platform = 5 } } },
    } do
      assert.equal("usage", helper.fails(registry, "index", ref "is", case[1], case[2]).class)
    end
    assert.equal("not_found", helper.fails(registry, "index", ref "all", { "nothing" }).class)
    assert.equal("content", helper.fails(registry, "index", ref "a", nil, { add = { "a" } }).class)
    assert.equal(0, copying.writes "http")
  end)

  it("asks and stores by methods that a class may override", function()
    local Mine = oras.Registry:extend "Mine"
    local seen = {}
    for _, name in ipairs { "get_manifest", "get_config", "upload_manifest", "make_index" } do
      Mine[name] = function(self, ...)
        seen[name] = true
        return Mine.super[name](self, ...)
      end
    end
    image("amd", { os = "linux", architecture = "amd64" })
    Mine:new { config_path = "/nonexistent" }:index(ref "all", { "amd" })
    assert.same({ get_manifest = true, get_config = true, upload_manifest = true, make_index = true }, seen)
  end)
end)

describe("an index that is changed", function()
  it("keeps all that it does not know, byte for byte", function()
    local a, b, c = seed "a", seed "b", seed "c"
    local _, raw = odd(a, b)
    registry:index(ref "odd", nil, { add = { "c" }, remove = { b.digest } })
    local new = registry:get_manifest(ref "odd"):raw()
    local first = raw:match '{"size".-"}'
    local added = ('{"mediaType":"%s","digest":"%s","size":%d}'):format(c.media_type, c.digest, c.size)
    local at, to = raw:find("%[%s+{\"size\".*}%s+%]")
    assert.equal(raw:sub(1, at - 1) .. "[" .. first .. "," .. added .. "]" .. raw:sub(to + 1), new)
  end)

  it("stays what it is when nothing changes", function()
    local a, b = seed "a", seed "b"
    local before = odd(a, b)
    local d = registry:index(ref "odd", nil, { add = { "a", b.digest }, annotations = { nothing = false } })
    assert.equal(before.digest, d.digest)
  end)

  it("changes annotations, type and subject alone", function()
    local a, b, c = seed "a", seed "b", seed "c"
    local _, raw = odd(a, b)
    registry:index(ref "odd", nil, { annotations = { new = "1", kept = false }, artifact_type = "application/x.t",
      subject = "sha256:" .. c.digest:sub(8) })
    local doc = registry:get_manifest(ref "odd")
    assert.same({ new = "1" }, doc.annotations)
    assert.equal("application/x.t", doc.artifactType)
    assert.equal(c.digest, doc.subject.digest)
    local list = raw:match '"manifests": %b[]'
    assert.truthy(doc:raw():find(list, 1, true))
    assert.truthy(doc:raw():find('"x-first": {"b": 1.50, "a": 1e2, "u": "\\u0041\\/"}', 1, true))
    registry:index(ref "odd", nil, { artifact_type = "" })
    assert.is_nil(registry:get_manifest(ref "odd").artifactType)
  end)

  it("takes the entries of others, as the texts that they have, once each", function()
    local a, b, c = seed "a", seed "b", seed "c"
    odd(a, b)
    registry:index(ref "all", { "c", "a" })
    registry:index(ref "all", nil, { merge = { "odd", "all" } })
    local doc = registry:get_manifest(ref "all")
    assert.same({ c.digest, a.digest, b.digest }, digests(doc))
    registry:index(ref "fresh", { "c" })
    registry:index(ref "fresh", nil, { merge = { "odd" } })
    assert.truthy(registry:get_manifest(ref "fresh"):raw():find('"x-entry": [1.0 , "\\u00e9"]', 1, true))
  end)

  it("of a digest is another one; tags move only when they are named", function()
    local a, b = seed "a", seed "b"
    local d = registry:index(ref "all", { "a" })
    local place = registry:get_container(ref "all"):with_digest(d.digest)
    local new = registry:index(place, nil, { add = { "b" }, tags = "next" })
    local tags = faults.content(REPO).tags
    assert.equal(d.digest, tags.all)
    assert.equal(new.digest, tags.next)
    assert.same({ a.digest, b.digest }, digests(registry:get_manifest(ref "next")))
  end)

  it("does not lose what is not in it", function()
    seed "a"
    local b = seed "b"
    registry:index(ref "all", { "a" })
    local err = helper.fails(registry, "index", ref "all", nil, { remove = { b.digest } })
    assert.same({ "not_found", b.digest }, { err.class, err.digest })
    registry:index(ref "all", nil, { remove = { "a" } })
    assert.equal(0, #registry:get_manifest(ref "all").manifests)
  end)

  it("stays a docker list if it is one", function()
    local a = seed "a"
    local list = oras.oci.media_types.docker_index
    faults.seed { repo = REPO, tag = "list", media_type = list, manifest = oras.json.encode {
      schemaVersion = 2, mediaType = list, manifests = oras.json.array { entry(a) } } }
    seed "b"
    registry:index(ref "list", nil, { add = { "b" } })
    assert.equal(list, registry:get_manifest(ref "list"):media_type())
    assert.equal(2, #registry:get_manifest(ref "list").manifests)
  end)
end)

describe("an index in a layout", function()
  it("is made, changed and listed, in a directory and a tar", function()
    image("amd", { os = "linux", architecture = "amd64" })
    seed "b"
    for _, name in ipairs { "dir", "lay.tar" } do
      local place = "oci:" .. helper.directory() .. "/" .. name
      registry:copy(ref "amd", place .. ":amd")
      registry:index(place .. ":all", { "amd", ref "b" })
      local doc = registry:get_manifest(place .. ":all")
      assert.equal(2, #doc.manifests)
      assert.equal("amd64", doc.manifests[1].platform.architecture)
      registry:index(place .. ":all", nil, { remove = { "amd" }, tags = { "less" } })
      assert.equal(1, #registry:get_manifest(place .. ":less").manifests)
      assert.same({ "all", "amd", "less" }, registry:get_tags(place))
    end
  end)
end)

describe("oras-lua manifest index", function()
  local function good(...)
    local status, out, err = process.run("manifest", "index", ...)
    assert.equal(0, status, err)
    return out
  end

  it("creates, without a name where none is given", function()
    local a, b = seed "a", seed "b"
    local digest = good("create", ref "all", "a", b.digest, "-a", "k=v", "--artifact-type", "application/x.set")
    local doc = registry:get_manifest(ref "all")
    assert.equal(doc:descriptor().digest .. "\n", digest)
    assert.same({ a.digest, b.digest }, digests(doc))
    assert.equal("v", doc.annotations.k)
    local document = json_keys.check_text("manifest index create",
      good("create", ("%s/%s"):format(faults.host "http", REPO), "a", "--format", "json"))
    assert.same({}, document.referenceAsTags)
    assert.is_nil(faults.content(REPO).tags.latest)
    assert.truthy(faults.content(REPO).manifests[document.digest])
    good("create", ref "one,two", "a")
    assert.equal(document.digest, faults.content(REPO).tags.two)
  end)

  it("updates", function()
    local a, b, c = seed "a", seed "b", seed "c"
    good("create", ref "all", "a")
    good("create", ref "more", "c")
    local document = json_keys.check_text("manifest index update", good("update", ref "all", "--add", "b", "--merge",
      "more", "--remove", a.digest, "--tag", "v2", "--format=json"))
    assert.same({ b.digest, c.digest }, digests(registry:get_manifest(ref "v2")))
    assert.same({ ref "all", ref "v2" }, document.referenceAsTags)
    assert.equal(document.digest, faults.content(REPO).tags.all)
  end)

  it("writes or prints instead of storing", function()
    seed "a"
    local path = helper.directory() .. "/index.json"
    local printed = good("create", ref "all", "a", "-o", "-")
    assert.equal("", good("create", ref "all", "a", "-o", path))
    assert.equal(printed, helper.read(path))
    local pretty = good("create", ref "all", "a", "-o", "-", "--pretty")
    assert.truthy(pretty:find '\n  "manifests": %[\n')
    assert.same(oras.json.decode(printed), oras.json.decode(pretty))
    assert.is_nil(faults.content(REPO).tags.all)
  end)

  it("says in one line what is not there, and stores nothing", function()
    seed "a"
    local status, out, err = process.run("manifest", "index", "create", ref "all", "a", "nothing")
    assert.same({ 1, "" }, { status, out })
    assert.truthy(err:find '^oras%-lua: [^\n]*"nothing"[^\n]*\n$', err)
    assert.is_nil(faults.content(REPO).tags.all)
  end)
end)
