local oras = require "oras"
local response = require "oras.response"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local json = oras.json

local MANIFEST <const> = "application/vnd.oci.image.manifest.v1+json"
local INDEX <const> = "application/vnd.oci.image.index.v1+json"
local EMPTY <const> = {
  mediaType = "application/vnd.oci.empty.v1+json", size = 2,
  digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
}

-- A manifest as text, with fields changed.
local function text_of(changes)
  local document = {
    schemaVersion = 2, mediaType = MANIFEST, config = EMPTY, layers = json.array { EMPTY },
  }
  for key, value in pairs(changes or {}) do
    document[key] = value
  end
  return json.encode(document)
end

-- A Registry whose every answer is this one; counts and keeps the requests.
local function scripted(text, fields)
  local registry = helper.registry()
  registry.requests = {}
  function registry:send(request)
    table.insert(self.requests, request)
    fields = fields or {}
    local answer = {
      status = fields.status or 200, body = request.method ~= "HEAD" and text or "",
      headers = fields.headers or { ["Content-Type"] = MANIFEST },
    }
    return response.new(answer)
  end
  return registry
end

local function refuses(text, fields)
  return helper.fails(scripted(text, fields), "get_manifest", "ghcr.io/a/b:1")
end

describe("a manifest", function()
  it("is a table with its descriptor, bytes and type beside it", function()
    local text = text_of { annotations = { a = "b" } }
    local doc = scripted(text):get_manifest("ghcr.io/a/b:1")

    assert.equal("b", doc.annotations.a)
    assert.equal(text, doc:raw())
    assert.equal(MANIFEST, doc:media_type())
    assert.same({ mediaType = MANIFEST, digest = oras.digest.of(text), size = #text }, doc:descriptor())
    assert.equal("manifest " .. oras.digest.of(text), tostring(doc))
  end)

  it("keeps its methods whatever its JSON is called", function()
    local text = text_of { raw = "x", descriptor = "y", media_type = 1, anything = { 1 } }
    local doc = scripted(text):get_manifest("ghcr.io/a/b:1")

    assert.equal(text, doc:raw())
    assert.equal(MANIFEST, doc:media_type())
    assert.equal(1, doc.anything[1])
  end)

  it("is asked for with every type that is understood", function()
    local registry = scripted(text_of())
    registry:get_manifest("ghcr.io/a/b:1")
    local accept = registry.requests[1].headers.Accept

    assert.equal("https://ghcr.io/v2/a/b/manifests/1", registry.requests[1].url)
    for _, media_type in ipairs(oras.defaults.default_manifest_accepted_media_types) do
      assert.is_truthy(accept:find(media_type, 1, true), media_type)
    end
    registry:get_manifest("ghcr.io/a/b:1", { accept = { "application/x", "application/y" } })
    assert.equal("application/x, application/y", registry.requests[2].headers.Accept)
  end)

  it("takes its type from the document, the field or its shape", function()
    local text = text_of { mediaType = json.null }
    assert.equal("content", refuses(text).class)
    text = json.encode { schemaVersion = 2, config = EMPTY, layers = json.array {} }
    assert.equal(MANIFEST, scripted(text, { headers = {} }):get_manifest("ghcr.io/a/b"):media_type())
    local headers = { ["Content-Type"] = MANIFEST:upper() .. "; charset=utf-8" }
    assert.equal(MANIFEST, scripted(text, { headers = headers }):get_manifest("ghcr.io/a/b"):media_type())
  end)

  it("keeps what it does not know as it is", function()
    local text = '{"some":[1,2],"layers":"mine"}'
    local headers = { ["Content-Type"] = "application/vnd.acme.thing+json" }
    assert.equal("mine", scripted(text, { headers = headers }):get_manifest("ghcr.io/a/b").layers)
  end)

  it("C03 is refused when its bytes are not what was asked for, or what the server says", function()
    local text, other = text_of(), oras.digest.of "other"
    local err = helper.fails(scripted(text), "get_manifest", "ghcr.io/a/b@" .. other)
    assert.equal("integrity", err.class)
    local lying = { headers = { ["Content-Type"] = MANIFEST, ["Docker-Content-Digest"] = other } }
    assert.equal("integrity", refuses(text, lying).class)
    assert.equal("integrity",
      helper.fails(scripted(text, lying), "get_manifest", "ghcr.io/a/b@" .. oras.digest.of(text)).class)
    local unknown = { headers = { ["Content-Type"] = MANIFEST, ["Docker-Content-Digest"] = "blake3:00" } }
    assert.equal(text, scripted(text, unknown):get_manifest("ghcr.io/a/b"):raw())
  end)

  it("C04 is verified by sha512 too", function()
    local text = text_of()
    local digest = oras.digest.of(text, "sha512")
    local doc = scripted(text):get_manifest("ghcr.io/a/b@" .. digest)
    assert.equal(digest, doc:descriptor().digest)
  end)

  it("C08 is refused for sizes that are no whole number", function()
    for _, size in ipairs { "1.5", '"12"', "-1", "1e999", "9223372036854775808", "null", "NaN" } do
      local text = text_of():gsub('"size":2', '"size":' .. size)
      assert.equal("content", refuses(text).class, size)
    end
    local exact = text_of():gsub('"size":2([^"]*)}%]', '"size":9007199254740993%1}]')
    assert.equal(9007199254740993, scripted(exact):get_manifest("ghcr.io/a/b").layers[1].size)
  end)

  it("C10 is refused for wrong types, with a pointer to the place", function()
    local cases = {
      ["/layers is no array"] = { layers = json.null },
      ["/config is no object"] = { config = "x" },
      ["/schemaVersion is not 2"] = { schemaVersion = 3 },
      ["/layers/1 is no object"] = { layers = json.array { EMPTY, 5 } },
      ["/layers/0/digest is no string"] = { layers = json.array { { mediaType = "a/b", size = 1 } } },
      ["/layers/0/mediaType is no string"] = { layers = json.array { { digest = EMPTY.digest, size = 1 } } },
      ["/annotations has a value that is no string"] = { annotations = { a = 1 } },
      ["/annotations is no object"] = { annotations = json.array {} },
      ["/subject is no object"] = { subject = 7 },
      ["/mediaType is no string"] = { mediaType = 7 },
    }
    for message, changes in pairs(cases) do
      local err = refuses(text_of(changes))
      assert.equal("content", err.class, message)
      assert.equal("manifest of ghcr.io/a/b:1: " .. message, err.message)
    end
    assert.equal("content", refuses((text_of():gsub('"layers":%b[]', '"layers":{}'))).class)
    assert.equal("content", refuses "[]".class)
    assert.equal("content", refuses "not json".class)
    assert.matches("schema 1", refuses(text_of { schemaVersion = 1 }).message)
  end)

  it("C11 is refused when it is both index and manifest, or not what the server says", function()
    assert.equal("content", refuses(text_of { manifests = json.array {} }).class)
    local err = refuses(text_of(), { headers = { ["Content-Type"] = INDEX } })
    assert.equal("content", err.class)
    assert.matches("the server says", err.message)
  end)

  it("C13 may have no layers, or the same one twice", function()
    assert.same(0, #scripted(text_of { layers = json.array {} }):get_manifest("ghcr.io/a/b").layers)
    assert.same(2, #scripted(text_of { layers = json.array { EMPTY, EMPTY } }):get_manifest("ghcr.io/a/b").layers)
  end)

  it("C14 is refused for inline data that its digest or size denies", function()
    local function with(data, size)
      local layer = { mediaType = EMPTY.mediaType, digest = EMPTY.digest, size = size or 2, data = data }
      return text_of { layers = json.array { layer } }
    end
    assert.equal("e30=", scripted(with "e30="):get_manifest("ghcr.io/a/b").layers[1].data)
    for _, text in ipairs { with "e31=", with("e30=", 3), with "%%%", with "" } do
      assert.equal("integrity", refuses(text).class)
    end
  end)

  it("C15 may name foreign places, which are not asked", function()
    local layer = { mediaType = "a/b", digest = EMPTY.digest, size = 2, urls = json.array { "https://evil.test/x" } }
    local registry = scripted(text_of { layers = json.array { layer } })
    registry:get_manifest("ghcr.io/a/b")
    registry:get_blob("ghcr.io/a/b", layer)
    for _, request in ipairs(registry.requests) do
      assert.matches("^https://ghcr.io/", request.url)
    end
  end)
end)

describe("get_manifest of a registry", function()
  before_each(faults.reset)

  local function ref(repo)
    return faults.host "http" .. "/" .. repo
  end

  it("gives an index without a platform and an image with one", function()
    local a = faults.seed { repo = "m/app", config = { data = "{}" }, layers = { { data = "amd64" } } }
    local b = faults.seed { repo = "m/app", config = { data = "{}" }, layers = { { data = "arm64" } } }
    local function entry(of, platform)
      return { mediaType = MANIFEST, digest = of.digest, size = of.size, platform = platform }
    end
    faults.seed {
      repo = "m/app", tag = "multi",
      manifest = {
        schemaVersion = 2, mediaType = INDEX,
        manifests = {
          entry(a, { os = "linux", architecture = "amd64" }), entry(b, { os = "linux", architecture = "arm64" }),
        },
      },
    }
    local registry = helper.registry()

    assert.equal(2, #registry:get_manifest(ref "m/app:multi").manifests)
    assert.equal(2, #registry:get_image_index(ref "m/app:multi").manifests)
    local doc = registry:get_manifest(ref "m/app:multi", { platform = "linux/arm64" })
    assert.equal(b.digest, doc:descriptor().digest)
    assert.equal(a.digest, registry:resolve(ref "m/app:multi", { platform = "linux/x86_64" }).digest)
    assert.equal(INDEX, registry:resolve(ref "m/app:multi").mediaType)
  end)

  it("C16 says which platforms there are when none fits", function()
    local index = {
      schemaVersion = 2, mediaType = INDEX,
      manifests = {
        { mediaType = MANIFEST, digest = EMPTY.digest, size = 2, platform = { os = "linux", architecture = "s390x" } },
        {
          mediaType = MANIFEST, digest = EMPTY.digest, size = 2,
          platform = { os = "unknown", architecture = "unknown" },
        },
        { mediaType = "application/x", digest = EMPTY.digest, size = 2 },
        {
          mediaType = MANIFEST, digest = EMPTY.digest, size = 2,
          platform = { os = "linux", architecture = "arm", variant = "v7" },
        },
      },
    }
    faults.seed { repo = "m/odd", tag = "1", manifest = index }
    local err = helper.fails(helper.registry(), "get_manifest", ref "m/odd:1", { platform = "linux/amd64" })

    assert.equal("not_found", err.class)
    assert.matches("it has linux/s390x, linux/arm/v7$", err.message)
  end)

  it("C16 asks the config of entries without a platform", function()
    local config = {
      data = '{"os":"linux","architecture":"arm","variant":"v7"}',
      media_type = "application/vnd.oci.image.config.v1+json",
    }
    local image = faults.seed { repo = "m/bare", tag = "image", config = config, layers = {} }
    faults.seed {
      repo = "m/bare", tag = "1",
      manifest = {
        schemaVersion = 2, mediaType = INDEX,
        manifests = { { mediaType = MANIFEST, digest = image.digest, size = image.size } },
      },
    }
    local registry = helper.registry()
    local doc = registry:get_manifest(ref "m/bare:1", { platform = "linux/arm/v7" })
    assert.equal(image.digest, doc:descriptor().digest)
    doc = registry:get_manifest(ref "m/bare:image", { platform = "linux/arm" })
    assert.equal(image.digest, doc:descriptor().digest)
    local err = helper.fails(registry, "get_manifest", ref "m/bare:image", { platform = "linux/amd64" })
    assert.equal("not_found", err.class)
  end)

  it("C12 walks nested indexes, but not for ever", function()
    local inner = faults.seed { repo = "m/deep", layers = {} }
    local media_type = MANIFEST
    for depth = 1, 10 do
      inner = faults.seed {
        repo = "m/deep", tag = "d" .. depth,
        manifest = {
          schemaVersion = 2, mediaType = INDEX,
          manifests = {
            { mediaType = media_type, digest = inner.digest, size = inner.size,
              platform = { os = "linux", architecture = "amd64" } },
          },
        },
      }
      media_type = INDEX
    end
    local registry = helper.registry()
    local opts = { platform = "linux/amd64" }

    assert.equal(MANIFEST, registry:get_manifest(ref "m/deep:d8", opts):media_type())
    assert.equal("limit", helper.fails(registry, "get_manifest", ref "m/deep:d9", opts).class)
  end)

  it("C03 refuses bytes that are altered on the way, after one more try", function()
    local a = faults.seed { repo = "m/flip", tag = "1", layers = {} }
    faults.on { path = "/v2/m/flip/manifests/*", corrupt = 5, always = true }
    local err = helper.fails(helper.registry(), "get_manifest", ref "m/flip@" .. a.digest)

    assert.equal("integrity", err.class)
    assert.equal(2, #faults.log { path = "/v2/m/flip/manifests/*" })
  end)

  it("C05 stops at the limit of a manifest", function()
    local big = { data = ("x"):rep(70000) }
    faults.seed { repo = "m/big", tag = "1", layers = { { data = "a" } }, annotations = { big = big.data } }
    faults.on { path = "/v2/m/endless/manifests/*", status = 200, body = "{", endless = "body", always = true }
    local registry = helper.registry { limits = { manifest = 65536 }, retry = { tries = 1 } }

    assert.equal("limit", helper.fails(registry, "get_manifest", ref "m/big:1").class)
    assert.equal("limit", helper.fails(registry, "get_manifest", ref "m/endless:1").class)
    assert.equal("1", registry:get_manifest(ref "m/big:1", { max_bytes = 200000 }).annotations and "1")
  end)

  it("C04 C10 names what is wrong with a manifest: the reference, where it came from, its digest", function()
    local registry = helper.registry()
    local function check(class, text, message)
      faults.seed { repo = "m/named", tag = "1", manifest = text, media_type = MANIFEST }
      local err = helper.fails(registry, "get_manifest", ref "m/named:1")
      assert.equal(class, err.class)
      assert.equal(("manifest of %s: "):format(ref "m/named:1") .. message, err.message)
      assert.equal("GET", err.method)
      assert.matches("^http://.*/v2/m/named/manifests/1$", err.url)
      assert.equal(oras.digest.of(text), err.digest)
    end
    local config = oras.json.encode(EMPTY)
    check("content", '{"schemaVersion":2,"config":' .. config .. "}", "/layers is no array")
    check("content", "[]", "not a manifest: the document is no object")
    faults.seed { repo = "m/named", tag = "1", layers = {} }
    local wrong = oras.digest.of "other"
    faults.on { path = "/v2/m/named/manifests/*", set = { ["Docker-Content-Digest"] = wrong }, always = true }
    local err = helper.fails(registry, "get_manifest", ref "m/named:1")
    assert.equal("integrity", err.class)
    assert.matches("manifest of " .. ref "m/named:1", err.message, 1, true)
    assert.equal(wrong, err.digest)
    assert.is_string(err.url)
  end)

  it("C06 C07 C09 refuses deep, ambiguous and broken JSON", function()
    local documents = {
      limit = ("["):rep(100) .. ("]"):rep(100),
      content = '{"schemaVersion":2,"schemaVersion":2}',
    }
    for class, text in pairs(documents) do
      faults.seed { repo = "m/json", tag = class, manifest = text, media_type = MANIFEST }
      assert.equal(class, helper.fails(helper.registry(), "get_manifest", ref("m/json:" .. class)).class)
    end
    for i, text in ipairs { '{"a":"\xff"}', '\u{FEFF}{}', '{} x', '{"a":"\\u0000"}', '{"\\u0061":1,"a":2}' } do
      faults.seed { repo = "m/json", tag = "t" .. i, manifest = text, media_type = MANIFEST }
      assert.equal("content", helper.fails(helper.registry(), "get_manifest", ref("m/json:t" .. i)).class)
    end
  end)

  it("N35 says what is missing", function()
    faults.seed { repo = "m/app", tag = "1", layers = {} }
    local err = helper.fails(helper.registry(), "get_manifest", ref "m/app:9.9")

    assert.equal("not_found", err.class)
    assert.equal("MANIFEST_UNKNOWN", err.code)
    assert.equal(404, err.status)
    assert.equal(('no manifest "9.9" in %s/m/app'):format(faults.host "http"), err.message)
    assert.equal("not_found", helper.fails(helper.registry(), "get_manifest", ref "m/none:1").class)
  end)

  it("N15 hashes the bytes as they are sent", function()
    local a = faults.seed { repo = "m/gzip", tag = "1", layers = {} }
    faults.on { path = "/v2/m/gzip/manifests/*", encode = "gzip", always = true }
    assert.equal("integrity", helper.fails(helper.registry(), "get_manifest", ref "m/gzip@" .. a.digest).class)
  end)
end)

describe("resolve", function()
  before_each(faults.reset)

  local function resolve(rule)
    local a = faults.seed { repo = "r/app", tag = "1", layers = { { data = "x" } } }
    if rule then
      rule.path, rule.method, rule.always = "/v2/r/app/manifests/*", "HEAD", true
      faults.on(rule)
    end
    local descriptor = helper.registry():resolve(faults.host "http" .. "/r/app:1")
    assert.equal(a.digest, descriptor.digest)
    assert.equal(a.size, descriptor.size)
    assert.equal(MANIFEST, descriptor.mediaType)
    return #faults.log { path = "/v2/r/app/manifests/*" }
  end

  it("needs one HEAD", function()
    assert.equal(1, resolve())
  end)

  it("N50 gets the manifest where HEAD is refused or tells too little", function()
    for _, rule in ipairs {
      { status = 405 }, { status = 404 }, { set = { ["Docker-Content-Digest"] = false } },
      { set = { ["Docker-Content-Digest"] = "nonsense" } }, { set = { ["Content-Type"] = false } },
      { set = { ["Content-Type"] = "application/json" } },
    } do
      faults.reset()
      assert.equal(2, resolve(rule))
    end
  end)

  it("raises what is missing with the registry's words", function()
    faults.seed { repo = "r/app", tag = "1", layers = {} }
    local err = helper.fails(helper.registry(), "resolve", faults.host "http" .. "/r/app:2")
    assert.equal("MANIFEST_UNKNOWN", err.code)
  end)
end)

describe("get_config", function()
  before_each(faults.reset)

  it("gives the decoded config and its descriptor", function()
    faults.seed {
      repo = "c/app", tag = "1", layers = {},
      config = {
        data = '{"os":"linux","n":9007199254740993}', media_type = "application/vnd.oci.image.config.v1+json",
      },
    }
    local config, descriptor = helper.registry():get_config(faults.host "http" .. "/c/app:1")
    assert.equal(9007199254740993, config.n)
    assert.equal("application/vnd.oci.image.config.v1+json", descriptor.mediaType)
  end)

  it("gives the bytes of what is no JSON", function()
    faults.seed { repo = "c/raw", tag = "1", layers = {}, config = { data = "key: value", media_type = "text/yaml" } }
    assert.equal("key: value", (helper.registry():get_config(faults.host "http" .. "/c/raw:1")))
  end)

  it("says that an index has none", function()
    faults.seed { repo = "c/index", tag = "1", manifest = { schemaVersion = 2, mediaType = INDEX, manifests = {} } }
    assert.equal("content", helper.fails(helper.registry(), "get_config", faults.host "http" .. "/c/index:1").class)
  end)
end)

describe("organize_layers", function()
  local function layer(media_type, n)
    return { mediaType = media_type, digest = oras.digest.of(tostring(n)), size = n }
  end
  local doc = { layers = { layer("a/x", 1), layer("a/y", 2), layer("a/x", 3) } }
  local registry = oras.Registry:new()

  it("names layers by a map, the first of each and all", function()
    local layers = registry:organize_layers(doc, { ["a/x"] = "x" })
    assert.equal(1, layers.x.size)
    assert.is_nil(layers.y)
    assert.equal(2, #layers:all "x")
    assert.equal(3, layers:all("x")[2].size)
    assert.same({}, layers:all "nothing")
  end)

  it("uses the class's media_types, else the media types themselves", function()
    local Mirror = oras.Registry:extend "Mirror"
    Mirror.media_types = { ["a/y"] = "why" }
    assert.equal(2, Mirror:new():organize_layers(doc).why.size)
    assert.equal(2, Mirror:new():_organize_layers(doc).why.size)
    assert.equal(2, registry:organize_layers(doc)["a/y"].size)
  end)

  it("goes through an override of organize_layers under both names", function()
    local Mirror = oras.Registry:extend "Mirror"
    function Mirror.organize_layers()
      return "mine"
    end
    assert.equal("mine", Mirror:new():_organize_layers(doc))
  end)

  it("refuses an index and bad descriptors", function()
    assert.equal("content", helper.fails(registry, "organize_layers", { manifests = {} }).class)
    assert.equal("usage", helper.fails(registry, "organize_layers", "x").class)
    for _, map in ipairs { { ["a/b"] = {} }, { {} }, { ["a/b"] = 5 } } do
      assert.equal("usage", helper.fails(registry, "organize_layers", { layers = {} }, map).class)
    end
    for _, accept in ipairs { { {} }, { 5 }, { a = "b" } } do
      assert.equal("usage", helper.fails(registry, "get_manifest", "127.0.0.1:1/a:b", { accept = accept }).class)
    end
    local bad = { layers = { { mediaType = "a/x", digest = "sha256:12", size = 1 } } }
    assert.equal("content", helper.fails(registry, "organize_layers", bad).class)
  end)
end)

describe("select_platform", function()
  local registry = oras.Registry:new()
  local function entry(os, architecture, variant)
    local platform = { os = os, architecture = architecture, variant = variant }
    return { mediaType = MANIFEST, digest = EMPTY.digest, size = 2, platform = platform }
  end
  local index = {
    manifests = {
      entry("unknown", "unknown"), entry("linux", "arm", "v6"), entry("linux", "arm", "v7"),
      entry("linux", "amd64"), entry("linux", "amd64"),
    },
  }

  it("takes the exact one, the first of equals, else the best lower variant", function()
    assert.equal(index.manifests[3], registry:select_platform(index, "linux/arm/v7"))
    assert.equal(index.manifests[4], registry:select_platform(index, "linux/amd64"))
    assert.equal(index.manifests[4], registry:select_platform(index, { os = "linux", architecture = "x86_64" }))
    assert.equal(index.manifests[3], registry:select_platform(index, "linux/arm/v8"))
  end)

  it("gives a list for a list", function()
    local chosen = registry:select_platform(index, { "linux/amd64", "linux/arm/v6" })
    assert.equal(index.manifests[4], chosen[1])
    assert.equal(index.manifests[2], chosen[2])
  end)
end)
