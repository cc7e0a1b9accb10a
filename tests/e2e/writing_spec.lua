--- The same writing flow on every real registry: blobs, manifests, names, deletes.
local core = require "oras.core"
local oras = require "oras"

local helper = require "tests.spec.helper"
local places = require "tests.e2e.places"
local services = require "tests.support.services"

local BIG <const> = ("0123456789abcdef"):rep(200000) -- 3.2 MB

local WRITABLE <const> = {
  { name = "go-containerregistry", service = "registry_ggcr", scheme = "http" },
}
for _, place in ipairs(places.list) do
  if place.service ~= "registry_cdn" then -- what stands before it is made for reading
    table.insert(WRITABLE, place)
  end
end

local count = 0

local function each(title, test, skip)
  for _, place in ipairs(WRITABLE) do
    it(("%s: %s"):format(place.name, title), function()
      local host, reason = places.host(place)
      if not host or (skip and skip[place.service]) then
        return pending(("%s: %s"):format(place.name, reason or skip[place.service]))
      end
      count = count + 1
      test(("%s/e2e/write-%d"):format(host, count), places.known(place), place)
    end)
  end
end

-- Requests of a registry, in words.
local function watch(registry)
  local seen = {}
  registry:on("response", function(answer)
    seen[#seen + 1] = answer.status
  end)
  return seen
end

local function content(registry, ref, blob)
  return registry:get_blob(ref, blob).content
end

local function pieces(text, size)
  local from = 1
  return function()
    local piece = text:sub(from, from + size - 1)
    from = from + size
    return piece ~= "" and piece or nil
  end
end

local function store(registry, ref, tags, more)
  local layer = registry:upload_blob(ref, { data = "layer of " .. tags[1] }, { mediaType = "text/plain" })
  registry:upload_blob(ref, { data = "{}" })
  local opts = { artifact_type = "application/x.test", layers = { layer } }
  for key, value in pairs(more or {}) do
    opts[key] = value
  end
  local doc = registry:pack_manifest(opts)
  registry:upload_manifest(ref .. ":" .. tags[1], doc, { tags = tags, verify = true })
  return doc
end

local function tags_of(registry, ref)
  local tags = registry:get_tags(ref, { exclude_digest_tags = true })
  table.sort(tags)
  return tags
end

describe("writing to", function()
  after_each(helper.clean)

  each("blobs from every kind of source", function(ref, registry)
    local dir = helper.directory()
    local path = helper.write(dir .. "/file", BIG)
    local sources = {
      { "hello", { data = "hello" } },
      { "", { data = "" } },
      { BIG, path },
      { BIG .. "1", { reader = pieces(BIG .. "1", 100000) } },
      { BIG .. "2", { reader = pieces(BIG .. "2", 100000), size = #BIG + 1 } },
      { "few", { reader = pieces("few", 1) } },
    }
    for _, case in ipairs(sources) do
      local d, done = registry:upload_blob(ref, case[2])
      assert.equal(oras.digest.of(case[1]), d.digest)
      assert.equal(#case[1], d.size)
      assert.equal("uploaded", done)
      assert.equal(d.digest, oras.digest.of(content(registry, ref, d)))
    end
    helper.write(dir .. "/tree", "x")
    local packed <close> = core.archive.pack { path = dir, mtime = 0 }
    local d = registry:upload_blob(ref, { source = packed })
    assert.equal(d.digest, oras.digest.of(content(registry, ref, d)))
  end)

  each("blobs in chunks", function(ref, registry)
    local path = helper.write(helper.directory() .. "/file", BIG)
    local d = registry:upload_blob(ref, path, nil, { chunked = true, chunk_size = 1000000 })
    assert.equal(oras.digest.of(BIG), d.digest)
    assert.equal(BIG, content(registry, ref, d))
    d = registry:upload_blob(ref, { reader = pieces(BIG .. "3", 90000) }, nil, { chunked = true, chunk_size = 500000 })
    assert.equal(BIG .. "3", content(registry, ref, d))
  end)

  each("a blob that is there costs one request, or few", function(ref, registry, place)
    registry:upload_blob(ref, { data = BIG }, nil, { prove_mount = true })
    local seen = watch(registry)
    local _, done = registry:upload_blob(ref, { data = BIG }, nil, { strict = true })
    assert.equal("exists", done)
    assert.is_true(#seen <= 3, place.name)
    if place.service == "registry" or place.service == "registry_v3" then
      assert.same({ 201 }, seen)
    end
    seen = watch(registry)
    _, done = registry:upload_blob(ref, { data = BIG }, nil, { expect = "present" })
    assert.equal("exists", done)
    assert.equal(1, #seen)
  end)

  each("a blob of another repository is mounted, where the registry does that", function(ref, registry, place)
    registry:upload_blob(ref, { data = BIG })
    local d, done = registry:upload_blob(ref .. "-other", { data = BIG }, nil,
      { mount_from = registry:get_container(ref).api_prefix })
    if place.service ~= "registry_ggcr" then
      assert.equal("mounted", done)
    end
    assert.equal(BIG, content(registry, ref .. "-other", d))
  end)

  each("many uploads at once", function(ref, registry)
    local list = {}
    for i = 1, 40 do
      list[i] = i
    end
    local digests = oras.map(list, function(i)
      local text = ("%d "):format(i):rep(i * 1000)
      local d = registry:upload_blob(ref, i % 3 == 0 and { reader = pieces(text, 5000) } or { data = text })
      assert(d.digest == oras.digest.of(text))
      return d.digest
    end, { concurrency = 16 })
    for _, digest in ipairs(digests) do
      assert.is_true(registry:blob_exists(ref, digest))
    end
  end)

  each("a manifest under several names", function(ref, registry)
    local doc = store(registry, ref, { "one", "two", "three" })
    for _, tag in ipairs { "one", "two", "three" } do
      local found = registry:get_manifest(ref .. ":" .. tag)
      assert.equal(doc:raw(), found:raw())
    end
    registry:tag(ref .. ":two", "four")
    assert.same({ "four", "one", "three", "two" }, tags_of(registry, ref))
    local by_digest = registry:upload_manifest(ref .. "@" .. doc:descriptor().digest, doc)
    assert.equal(doc:descriptor().digest, by_digest.digest)
  end)

  each("referrers, by the registry or by the tag that stands for them", function(ref, registry)
    local subject = store(registry, ref, { "app" })
    local digests = {}
    for i, tag in ipairs { "sig", "sbom" } do
      local doc = store(registry, ref, { tag }, { subject = subject, annotations = { kind = tag } })
      digests[i] = doc:descriptor().digest
    end
    table.sort(digests)
    local list = require("oras.registry.referrers").new(registry, registry:get_container(ref))
      :of(subject:descriptor().digest)
    local found = {}
    for _, entry in ipairs(list) do
      found[#found + 1] = entry.digest
    end
    table.sort(found)
    assert.same(digests, found)
  end)

  each("one name is taken away, and no other", function(ref, registry)
    local doc = store(registry, ref, { "one", "two", "three" })
    local deleted, missing = registry:delete_tags(ref, { "one", "nothing" })
    assert.same({ "one" }, deleted)
    assert.same({ "nothing" }, missing)
    assert.same({ "three", "two" }, tags_of(registry, ref))
    assert.equal(doc:raw(), registry:get_manifest(ref .. ":two"):raw())
    assert.equal(doc:raw(), registry:get_manifest(ref .. "@" .. doc:descriptor().digest):raw())
  end)

  each("a manifest is deleted with all its names", function(ref, registry)
    local doc = store(registry, ref, { "one", "two" })
    local other = store(registry, ref, { "other" })
    local digest, tags = registry:delete_manifest(ref .. ":one")
    assert.equal(doc:descriptor().digest, digest)
    assert.same({ "one", "two" }, tags)
    assert.equal(other:raw(), registry:get_manifest(ref .. ":other"):raw())
    assert.equal("not_found", helper.fails(registry, "get_manifest", ref .. "@" .. digest).class)
  end)

  each("a blob is deleted", function(ref, registry, place)
    local d = registry:upload_blob(ref, { data = "hello" })
    registry:delete_blob(ref, d)
    assert.is_false(registry:blob_exists(ref, d))
    local err = helper.fails(registry, "delete_blob", ref, d)
    assert.equal(place.service == "registry_ggcr" and "server" or "not_found", err.class)
  end)

  each("what is refused says so", function(ref, registry)
    local doc = registry:pack_manifest { artifact_type = "a/b", layers = { {
      mediaType = "text/plain", digest = oras.digest.of "absent", size = 6 } } }
    local err = helper.fails(registry, "upload_manifest", ref .. ":1", doc)
    assert.equal("MANIFEST_BLOB_UNKNOWN", err.code)
  end, { registry_ggcr = "it does not look whether the blobs are there" })

  it("strangers is refused, and no secret is told", function()
    for _, place in ipairs(WRITABLE) do
      local host = places.host(place)
      if place.auth and host then
        local err = helper.fails(places.registry(place), "upload_blob", host .. "/e2e/no", { data = "x" })
        assert.is_truthy(err.class == "auth" or err.class == "denied", tostring(err))
        local wrong = places.registry(place)
        wrong:set_basic_auth(services.get "user", "canary-secret")
        err = helper.fails(wrong, "upload_blob", host .. "/e2e/no", { data = "x" })
        assert.is_truthy(err.class == "auth" or err.class == "denied", tostring(err))
        assert.is_nil(tostring(err):find("canary", 1, true))
      end
    end
  end)
end)
