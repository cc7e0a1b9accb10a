--- Manifests that are stored: which bytes, under which names, and who refers to whom.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local MANIFEST <const> = oras.oci.media_types.manifest
local INDEX <const> = oras.oci.media_types.index

local registry, ref

local digest_of <const> = oras.digest.of

local function trace()
  local lines = faults.trace()
  faults.reset { content = false }
  return lines
end

local function tags(repo)
  return faults.content(repo or "put/app").tags
end

-- A manifest of one layer whose blobs are there.
local function pack(text, more)
  local opts = { artifact_type = "application/x.test", layers = { { mediaType = "text/plain", digest = digest_of(text),
    size = #text } } }
  for key, value in pairs(more or {}) do
    opts[key] = value
  end
  return registry:pack_manifest(opts)
end

before_each(function()
  faults.reset()
  registry = helper.registry()
  ref = faults.host "http" .. "/put/app"
  faults.seed { repo = "put/app", blobs = { { data = "{}" }, { data = "a" }, { data = "b" } } }
end)
after_each(helper.clean)

describe("pack_manifest", function()
  it("gives the same bytes on every run, in the usual order", function()
    local doc, raw = pack("a", { annotations = { z = "1", a = "2" } })
    assert.equal('{"schemaVersion":2,"mediaType":"' .. MANIFEST .. '","artifactType":"application/x.test",'
      .. '"config":{"mediaType":"application/vnd.oci.empty.v1+json",'
      .. '"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="},'
      .. '"layers":[{"mediaType":"text/plain","digest":"' .. digest_of "a" .. '","size":1}],'
      .. '"annotations":{"a":"2","z":"1"}}', raw)
    assert.equal(raw, doc:raw())
    assert.equal(digest_of(raw), doc:descriptor().digest)
    assert.equal("application/x.test", doc:descriptor().artifactType)
  end)

  it("has one empty layer where there is none", function()
    local doc = registry:pack_manifest { artifact_type = "a/b" }
    assert.equal(oras.oci.media_types.empty, doc.layers[1].mediaType)
    assert.equal(1, #doc.layers)
  end)

  it("makes an index, too", function()
    local child = pack "a"
    local doc, raw = registry:pack_manifest { manifests = { child:descriptor() }, annotations = { a = "b" } }
    assert.equal(INDEX, doc:media_type())
    assert.matches('^{"schemaVersion":2,"mediaType":"[^"]+","manifests":%[{"mediaType"', raw)
    doc, raw = registry:pack_manifest { manifests = {} }
    assert.equal(0, #doc.manifests)
    assert.matches('"manifests":%[%]', raw)
  end)

  it("takes a subject: a manifest or a descriptor", function()
    local subject = pack "a"
    for _, given in ipairs { subject, subject:descriptor() } do
      local doc = pack("b", { subject = given })
      assert.equal(subject:descriptor().digest, doc.subject.digest)
      assert.is_nil(doc.subject.artifactType)
    end
  end)

  it("checks what it is given", function()
    for text, opts in pairs {
      ['unknown option "layer" (layers?)'] = { layer = {} },
      ["/layers/0/digest"] = { layers = { { mediaType = "a/b", digest = "x", size = 1 } } },
      ["/annotations"] = { annotations = { a = 1 } },
      ["/config"] = { config = { digest = digest_of "a" } },
    } do
      local err = helper.fails(registry, "pack_manifest", opts)
      assert.equal("usage", err.class, tostring(err))
      assert.matches(text, err.message, 1, true)
    end
  end)
end)

describe("upload_manifest", function()
  it("stores bytes as they are", function()
    local raw = '{ "schemaVersion": 2,\n  "mediaType": "' .. MANIFEST .. '", "x-own": [1, 2.50],\n'
      .. '  "config": {"size":2, "mediaType":"a/b", "digest":"' .. digest_of "{}" .. '"}, "layers": [] }\n'
    local d = registry:upload_manifest(ref .. ":1", raw)
    assert.same({ mediaType = MANIFEST, digest = digest_of(raw), size = #raw }, d)
    assert.equal(raw, registry:get_manifest(ref .. ":1"):raw())
    local put = faults.log({ method = "PUT" })[1]
    assert.equal(MANIFEST, faults.header(put, "content-type"))
    assert.equal(raw, put.body)
  end)

  it("stores what was received as it came, and what was changed anew", function()
    local raw = '{ "schemaVersion": 2, "mediaType": "' .. MANIFEST .. '",  "b": 1, "a": null,'
      .. '"config": {"mediaType":"a/b","size":2,"digest":"' .. digest_of "{}" .. '"}, "layers": [], "annotations": {}}'
    registry:upload_manifest(ref .. ":1", raw)
    local doc = registry:get_manifest(ref .. ":1")
    registry:upload_manifest(ref .. ":2", doc)
    assert.equal(tags()["1"], tags()["2"])
    doc.annotations.new = "yes"
    local d = registry:upload_manifest(ref .. ":3", doc)
    local changed = registry:get_manifest(ref .. ":3")
    assert.equal("yes", changed.annotations.new)
    assert.equal(d.digest, changed:descriptor().digest)
    assert.matches('"b":1,"a":null', changed:raw(), 1, true)
  end)

  it("stores a table, always as the same bytes", function()
    local function table_of()
      return {
        layers = {}, config = { size = 2, digest = digest_of "{}", mediaType = "a/b" }, artifactType = "c/d",
        annotations = {},
      }
    end
    local d = registry:upload_manifest(ref .. ":1", table_of())
    assert.equal('{"schemaVersion":2,"mediaType":"' .. MANIFEST .. '","artifactType":"c/d","config":{"mediaType":"a/b",'
      .. '"digest":"' .. digest_of "{}" .. '","size":2},"layers":[]}', registry:get_manifest(ref .. ":1"):raw())
    assert.equal("c/d", d.artifactType)
    assert.equal(d.digest, registry:upload_manifest(ref .. ":2", table_of()).digest)
  end)

  it("stores an index", function()
    local child = registry:upload_manifest(ref .. ":1", (pack "a"))
    local d = registry:upload_manifest(ref .. ":all", { manifests = { child } })
    assert.equal(INDEX, d.mediaType)
    assert.equal(INDEX, faults.content("put/app").manifests[d.digest])
  end)

  it("stores by digest where the reference says one", function()
    local doc, raw = pack "a"
    for _, algorithm in ipairs { "sha256", "sha512" } do
      local digest = oras.digest.of(raw, algorithm)
      local d = registry:upload_manifest(ref .. "@" .. digest, doc)
      assert.equal(digest, d.digest)
    end
    assert.same({}, tags())
    local err = helper.fails(registry, "upload_manifest", ref .. "@" .. digest_of "a", doc)
    assert.equal("usage", err.class)
  end)

  it("gives several tags in one request, where the registry can", function()
    local d = registry:upload_manifest(ref .. ":1", (pack "a"), { tags = { "b", "c", "b", "1" } })
    assert.same({ "PUT manifest 201" }, trace())
    assert.same({ ["1"] = d.digest, b = d.digest, c = d.digest }, tags())
  end)

  it("gives each tag by itself where it cannot, and asks no second time", function()
    faults.config { tag_param = false }
    local d = registry:upload_manifest(ref .. ":1", (pack "a"), { tags = { "b", "c" } })
    assert.equal(4, #faults.log { method = "PUT" })
    assert.same({ ["1"] = d.digest, b = d.digest, c = d.digest }, tags())
    faults.reset { content = false }
    faults.config { tag_param = false }
    registry:upload_manifest(ref .. ":1", (pack "b"), { tags = { "b", "c" } })
    assert.equal(3, #faults.log { method = "PUT" })
  end)

  it("gives each tag by itself where the registry refuses many, or forgets some", function()
    for _, rule in ipairs { { status = 414 }, { status = 431 }, { set = { ["OCI-Tag"] = "b" } } } do
      faults.reset { content = false }
      registry = helper.registry()
      rule.method, rule.target = "PUT", "tag="
      faults.on(rule)
      local d = registry:upload_manifest(ref .. ":1", (pack "a"), { tags = { "b", "c" } })
      assert.same({ ["1"] = d.digest, b = d.digest, c = d.digest }, tags())
    end
  end)

  it("gives a tag that is only implied no name where others are asked for", function()
    registry:upload_manifest(ref, (pack "a"), { tags = "b" })
    assert.is_nil(tags().latest)
    registry:upload_manifest(ref, (pack "a"))
    assert.is_truthy(tags().latest)
  end)

  it("sends 25 tags in two requests", function()
    local many = {}
    for i = 1, 25 do
      many[i] = ("t%d"):format(i)
    end
    registry:upload_manifest(ref, (pack "a"), { tags = many })
    assert.same({ "PUT manifest 201", "PUT manifest 201" }, trace())
    local n = 0
    for _ in pairs(tags()) do
      n = n + 1
    end
    assert.equal(25, n)
  end)

  it("N47 another digest than was sent is integrity", function()
    faults.on { method = "PUT", set = { ["Docker-Content-Digest"] = digest_of "other" } }
    local err = helper.fails(registry, "upload_manifest", ref .. ":1", (pack "a"))
    assert.equal("integrity", err.class)
    faults.on { method = "PUT", set = { ["Docker-Content-Digest"] = "nonsense" } }
    registry:upload_manifest(ref .. ":1", (pack "a"))
  end)

  it("N48 reads back what was stored, when it is asked to", function()
    local doc = pack "a"
    registry:upload_manifest(ref .. ":1", (pack "b"))
    registry:upload_manifest(ref .. ":2", doc, { verify = true })
    faults.on { method = "PUT", status = 201 } -- says so, but does not
    local err = helper.fails(registry, "upload_manifest", ref .. ":1", doc, { verify = true })
    assert.equal("integrity", err.class)
    assert.equal(doc:descriptor().digest, err.digest)
    faults.on { method = "PUT", status = 201 }
    registry:upload_manifest(ref .. ":1", doc)
  end)

  it("N36 tries again what may pass", function()
    for _, status in ipairs { 429, 500, 503 } do
      faults.on { method = "PUT", status = status }
      registry:upload_manifest(ref .. ":1", (pack "a"))
    end
  end)

  it("says what the registry has against it", function()
    faults.reset()
    local err = helper.fails(registry, "upload_manifest", ref .. ":1", (pack "a"))
    assert.equal("MANIFEST_BLOB_UNKNOWN", err.code)
    assert.matches('upload of manifest "1" in ' .. ref, err.message, 1, true)
    faults.config { read_only = true }
    err = helper.fails(registry, "upload_manifest", ref .. ":1", (pack "a"))
    assert.equal("unsupported", err.class)
    assert.matches("read-only", err.message, 1, true)
  end)

  it("notes the usual limit on what is larger", function()
    local doc, raw = pack("a", { annotations = { x = ("y"):rep(4 << 20) } })
    local err = helper.fails(registry, "upload_manifest", ref .. ":1", doc)
    assert.equal("limit", err.class)
    assert.matches(("it has %d bytes; many registries take up to 4194304"):format(#raw), err.message, 1, true)
  end)

  it("checks what it is given", function()
    local function usage(text, ...)
      local err = helper.fails(registry, "upload_manifest", ...)
      assert.equal("usage", err.class, tostring(err))
      assert.matches(text, err.message, 1, true)
    end
    local doc, raw = pack "a"
    usage("bytes or a table, not a nil", ref)
    usage("bytes or a table, not a boolean", ref, true)
    usage("the reference comes before", doc, ref)
    usage("no JSON object", ref, "text", { media_type = MANIFEST })
    usage("says no mediaType", ref, "{}")
    usage("is no media type", ref, "text", { media_type = "text/plain; charset=utf-8" })
    usage("is no media type", ref, { schemaVersion = 2, mediaType = "a b", x = 1 })
    usage("says no mediaType", ref, { schemaVersion = 2 })
    usage("the document says it is", ref, raw, { media_type = INDEX })
    usage("/config is no object", ref, { layers = {} })
    usage("/layers/0/digest", ref, { config = doc.config, layers = { { mediaType = "a/b" } } })
    usage("schemaVersion is not 2", ref, { schemaVersion = 3, config = doc.config, layers = {} })
    usage('unknown option "tag" (tags?)', ref, doc, { tag = "x" })
    usage("not a number", ref, doc, { tags = { 1 } })
    usage("tag", ref, doc, { tags = { "a b" } })
    usage("tags", ref, doc, { tags = { a = "b" } })
    for _, field in ipairs { "layers", "manifests" } do
      for _, list in ipairs { { 5 }, { a = "b" } } do
        assert.equal("usage", helper.fails(registry, "pack_manifest", { [field] = list }).class)
      end
    end
    usage("subject", ref, raw, { subject = doc })
    assert.same({}, faults.log())
  end)

  it("says of bytes that are no JSON object that they are none", function()
    for _, bytes in ipairs { "nope", "", "[]", "1", '{"a":' } do
      local err = helper.fails(registry, "upload_manifest", ref, bytes)
      assert.equal("usage", err.class)
      assert.matches("no JSON object", err.message, 1, true)
    end
  end)

  it("stores what is no manifest, when its type is said", function()
    faults.on { method = "PUT", status = 201 }
    local d = registry:upload_manifest(ref .. ":1", "free text", { media_type = "text/plain" })
    assert.equal("text/plain", d.mediaType)
    assert.equal("free text", faults.log({ method = "PUT" })[1].body)
  end)
end)

describe("a subject", function()
  local subject

  local function fallback_tag()
    return (subject:descriptor().digest:gsub(":", "-"))
  end

  local function listed()
    local digests = {}
    for _, entry in ipairs(registry:get_manifest(ref .. ":" .. fallback_tag()).manifests) do
      digests[#digests + 1] = entry.digest
    end
    return digests
  end

  local function without_api(more)
    faults.reset { content = false }
    faults.config { referrers = false, oci_subject = false, tag_param = false, table.unpack(more or {}) }
  end

  before_each(function()
    subject = pack "a"
    registry:upload_manifest(ref .. ":1", subject)
    faults.reset { content = false }
  end)

  it("needs nothing where the registry lists referrers", function()
    local d = registry:upload_manifest(ref .. ":sig", (pack("b", { subject = subject })))
    assert.same({ "PUT manifest 201" }, trace())
    assert.is_nil(tags()[fallback_tag()])
    assert.is_truthy(d)
  end)

  it("needs nothing where the registry lists referrers but forgets to say so", function()
    faults.config { oci_subject = false }
    registry:upload_manifest(ref .. ":sig", (pack("b", { subject = subject })))
    assert.same({ "PUT manifest 201", "GET referrers 200" }, trace())
    faults.config { oci_subject = false }
    registry:upload_manifest(ref .. ":sig2", (pack("a", { subject = subject })))
    assert.same({ "PUT manifest 201" }, trace())
    assert.is_nil(tags()[fallback_tag()])
  end)

  it("is told to be another one: protocol", function()
    faults.on { method = "PUT", set = { ["OCI-Subject"] = digest_of "x" } }
    local err = helper.fails(registry, "upload_manifest", ref .. ":sig", (pack("b", { subject = subject })))
    assert.equal("protocol", err.class)
  end)

  it("gets the tag that lists its referrers where the registry does not", function()
    without_api()
    local doc = pack("b", { subject = subject, annotations = { who = "me" } })
    local d = registry:upload_manifest(ref .. ":sig", doc)
    assert.same({ "PUT manifest 201", "GET referrers 404", "GET manifest 404", "PUT manifest 201", "GET manifest 200" },
      faults.trace())
    local index = registry:get_manifest(ref .. ":" .. fallback_tag())
    assert.equal(INDEX, index:media_type())
    assert.same({ mediaType = MANIFEST, digest = d.digest, size = d.size, artifactType = "application/x.test",
      annotations = { who = "me" } }, index.manifests[1])
    registry:upload_manifest(ref .. ":sig", doc)
    assert.same({ d.digest }, listed())
  end)

  it("lists the config's type where the artifact has none", function()
    without_api()
    local doc = pack("b", { subject = subject,
      config = { mediaType = "x/config", digest = digest_of "{}", size = 2 } })
    doc.artifactType = nil
    registry:upload_manifest(ref .. ":sig", doc)
    assert.equal("x/config", registry:get_manifest(ref .. ":" .. fallback_tag()).manifests[1].artifactType)
  end)

  it("keeps what else the list says", function()
    local other = registry:upload_manifest(ref .. ":other", (pack "b")).digest
    local raw = '{"schemaVersion":2,  "mediaType":"' .. INDEX .. '","x":1.50,"manifests":[{"size":5,"mediaType":"a/b",'
      .. '"digest":"' .. other .. '","y":[]}]}'
    faults.seed { repo = "put/app", tag = fallback_tag(), manifest = raw, media_type = INDEX }
    without_api()
    local d = registry:upload_manifest(ref .. ":sig", (pack("b", { subject = subject })))
    assert.same({ other, d.digest }, listed())
    local now = registry:get_manifest(ref .. ":" .. fallback_tag()):raw()
    assert.matches('"x":1.5', now, 1, true)
    assert.matches('{"size":5,"mediaType":"a/b","digest":"' .. other .. '","y":[]}', now, 1, true)
  end)

  it("drops from the list what is not there any more, when the registry minds", function()
    local raw = '{"schemaVersion":2,"mediaType":"' .. INDEX .. '","manifests":[{"size":5,"mediaType":"a/b",'
      .. '"digest":"' .. digest_of "gone" .. '"}]}'
    faults.seed { repo = "put/app", tag = fallback_tag(), manifest = raw, media_type = INDEX }
    without_api()
    local d = registry:upload_manifest(ref .. ":sig", (pack("b", { subject = subject })))
    assert.same({ d.digest }, listed())
  end)

  local function refuse_lists(rule)
    rule.method, rule.path, rule.status = "PUT", "/v2/put/app/manifests/" .. fallback_tag(), 404
    rule.body = '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"gone"}]}'
    faults.on(rule)
  end

  it("is listed although others go from the list again and again while it is written", function()
    without_api()
    refuse_lists { times = 4 }
    local d = registry:upload_manifest(ref .. ":sig", (pack("b", { subject = subject })))
    assert.same({ d.digest }, listed())
  end)

  it("tells why a list was refused, when it always is", function()
    without_api()
    refuse_lists { always = true }
    local err = helper.fails(registry, "upload_manifest", ref .. ":sig", (pack("b", { subject = subject })))
    assert.equal("MANIFEST_BLOB_UNKNOWN", err.code)
  end)

  it("leaves alone what is no list", function()
    faults.seed { repo = "put/app", tag = fallback_tag(), layers = { { data = "x" } } }
    local before = tags()[fallback_tag()]
    without_api()
    local err = helper.fails(registry, "upload_manifest", ref .. ":sig", (pack("b", { subject = subject })))
    assert.equal("content", err.class)
    assert.matches("left as it is", err.message, 1, true)
    assert.equal(before, tags()[fallback_tag()])
  end)

  it("has a tag of 64 characters for a long digest", function()
    without_api()
    local long = subject:descriptor()
    long.digest = oras.digest.of(subject:raw(), "sha512")
    registry:upload_manifest(ref .. ":sig", (pack("b", { subject = long })))
    assert.is_truthy(tags()["sha512-" .. long.digest:sub(8, 71)])
  end)

  it("loses none of many that come at once", function()
    without_api()
    local docs = {}
    for i = 1, 12 do
      docs[i] = pack("b", { subject = subject, annotations = { n = tostring(i) } })
    end
    oras.map(docs, function(doc, i)
      return registry:upload_manifest(("%s:sig%d"):format(ref, i), doc)
    end, { concurrency = 12 })
    assert.equal(12, #listed())
  end)

  it("is written again where somebody else wrote meanwhile", function()
    without_api()
    -- the first list that is stored is lost: another's came after it
    faults.on { method = "PUT", path = "*/manifests/sha256-*", status = 201 }
    local d = registry:upload_manifest(ref .. ":sig", (pack("b", { subject = subject })))
    assert.same({ d.digest }, listed())
  end)

  it("gives up where the list keeps vanishing, and says so", function()
    without_api()
    faults.on { method = "PUT", path = "*/manifests/sha256-*", status = 201, always = true }
    local err = helper.fails(registry, "upload_manifest", ref .. ":sig", (pack("b", { subject = subject })))
    assert.equal("server", err.class)
    assert.matches("somebody else keeps changing it", err.message, 1, true)
  end)

  it("can be left to the caller", function()
    without_api()
    registry:upload_manifest(ref .. ":sig", (pack("b", { subject = subject })), { referrers = false })
    assert.same({ "PUT manifest 201" }, faults.trace())
  end)

  it("may be an option: reference, digest, descriptor or manifest", function()
    local doc = { config = oras.oci.empty_descriptor(), layers = {} }
    for _, given in ipairs { ref .. ":1", subject:descriptor().digest, subject:descriptor(), subject } do
      registry:upload_manifest(ref .. ":sig", doc, { subject = given })
      assert.same({ mediaType = MANIFEST, digest = subject:descriptor().digest, size = subject:descriptor().size },
        registry:get_manifest(ref .. ":sig").subject)
    end
    assert.is_nil(doc.subject)
  end)
end)
