--- The builders of oras.oci: what a provider writes its own push with.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local oci = oras.oci

local function fails(class, fn, ...)
  local value, err = oras.try(fn, ...)
  assert.is_nil(value)
  assert.equal(class, err.class, tostring(err))
  return err
end

after_each(helper.clean)

describe("NewManifest", function()
  it("is a manifest without layers, in the usual order", function()
    local doc = oci.NewManifest()
    assert.equal(2, doc.schemaVersion)
    assert.same({}, doc.layers)
    doc.config = oci.empty_descriptor()
    doc.annotations = { b = "1", a = "2" }
    doc.artifactType = "a/b"
    assert.matches('^{"schemaVersion":2,"mediaType":"[^"]+","artifactType":"a/b","config":{"mediaType":"[^"]+",'
      .. '"digest":"[^"]+","size":2,"data":"e30="},"layers":%[%],"annotations":{"a":"2","b":"1"}}$',
      oras.json.encode(doc))
  end)

  it("is a new table each time", function()
    table.insert(oci.NewManifest().layers, {})
    assert.equal(0, #oci.NewManifest().layers)
    assert.equal("application/vnd.oci.image.index.v1+json", oci.NewIndex().mediaType)
  end)
end)

describe("NewLayer", function()
  it("describes a file", function()
    local path = helper.write(helper.directory() .. "/file", "hello")
    local layer, source = oci.NewLayer(path, "text/plain", { title = "file.txt", annotations = { a = "b" } })
    assert.same({
      mediaType = "text/plain", digest = oras.digest.of "hello", size = 5,
      annotations = { ["org.opencontainers.image.title"] = "file.txt", a = "b" },
    }, layer)
    assert.same({ path = path }, source)
  end)

  it("describes bytes, and a file without a name or a type", function()
    local layer, source = oci.NewLayer({ data = "hello" }, "text/plain")
    assert.same({ mediaType = "text/plain", digest = oras.digest.of "hello", size = 5 }, layer)
    assert.same({ data = "hello" }, source)
    layer = oci.NewLayer(helper.write(helper.directory() .. "/file", ""))
    assert.equal("application/vnd.oci.image.layer.v1.tar", layer.mediaType)
    assert.is_nil(layer.annotations)
  end)

  it("packs a directory, always to the same bytes", function()
    local dir = helper.directory()
    helper.write(dir .. "/a", "hello")
    local layer, source = oci.NewLayer(dir, nil, { title = "dir" })
    assert.equal("application/vnd.oci.image.layer.v1.tar+gzip", layer.mediaType)
    assert.equal("true", layer.annotations["io.deis.oras.content.unpack"])
    assert.matches("^sha256:", layer.annotations["io.deis.oras.content.digest"])
    assert.is_userdata(source.source)
    assert.equal(layer.digest, oci.NewLayer(dir, nil, { title = "dir" }).digest)
  end)

  it("checks what it is given", function()
    fails("usage", oci.NewLayer)
    fails("usage", oci.NewLayer, { reader = print })
    fails("usage", oci.NewLayer, { data = "" }, "a/b", { titel = "x" })
    local err = fails("io", oci.NewLayer, "/nonexistent/file")
    assert.matches("/nonexistent/file", err.message, 1, true)
  end)
end)

describe("ManifestConfig", function()
  it("is the empty one, of the type that oras-py uses", function()
    local config, source = oci.ManifestConfig()
    assert.equal("application/vnd.unknown.config.v1+json", config.mediaType)
    assert.equal(oras.defaults.blank_config_hash, config.digest)
    assert.same({ data = "{}" }, source)
  end)

  it("is a file or bytes of a type", function()
    local path = helper.write(helper.directory() .. "/c.json", '{"a":1}')
    local config, source = oci.ManifestConfig(path, "x/y")
    assert.same({ mediaType = "x/y", digest = oras.digest.of '{"a":1}', size = 7 }, config)
    assert.equal(path, source.path)
    assert.equal("x/y", oci.ManifestConfig({ data = "" }, "x/y").mediaType)
  end)
end)

describe("Subject", function()
  it("is the descriptor of the bytes of a manifest", function()
    faults.reset()
    local seeded = faults.seed { repo = "oci/app", tag = "1", manifest = '{ "schemaVersion": 2, "manifests": [] ,'
      .. '"mediaType":"application/vnd.oci.image.index.v1+json"}', media_type = oci.media_types.index }
    local doc = helper.registry():get_manifest(faults.host "http" .. "/oci/app:1")
    assert.same({ mediaType = oci.media_types.index, digest = seeded.digest, size = seeded.size }, oci.Subject(doc))
    assert.same(oci.Subject(doc), oci.Subject(doc:descriptor()))
  end)

  it("is nothing else", function()
    fails("usage", oci.Subject, nil)
    fails("usage", oci.Subject, {})
    fails("usage", oci.Subject, oci.NewManifest())
    fails("usage", oci.Subject, { digest = oras.digest.of "x" })
  end)
end)

describe("Annotations", function()
  it("come from a file in oras's format, and may be added", function()
    local path = helper.write(helper.directory() .. "/a.json",
      '{"$manifest":{"a":"1"},"$config":{"b":"2"},"file.txt":{"c":"3"}}')
    local annotations = oci.Annotations(path)
    assert.same({ a = "1" }, annotations:get_annotations "$manifest")
    assert.same({ b = "2" }, annotations:get_annotations "$config")
    assert.same({ c = "3" }, annotations:get_annotations "file.txt")
    assert.same({}, annotations:get_annotations "other")
    annotations:add("other", "d", "4")
    assert.same({ d = "4" }, annotations:get_annotations "other")
    annotations:get_annotations("other").d = "5"
    assert.equal("4", annotations:get_annotations("other").d)
  end)

  it("start empty without a file", function()
    assert.same({}, oci.Annotations():get_annotations "$manifest")
  end)

  it("say what is wrong with a file", function()
    fails("io", oci.Annotations, "/nonexistent/a.json")
    fails("content", oci.Annotations, helper.write(helper.directory() .. "/a.json", "[]"))
    fails("usage", oci.Annotations().add, oci.Annotations(), "a", "b", 5)
  end)
end)

describe("a push of one's own", function()
  it("takes a few lines", function()
    faults.reset()
    local Mirror = oras.Registry:extend "Mirror"
    function Mirror:push(ref, files)
      local manifest = oci.NewManifest()
      for _, file in ipairs(files) do
        local layer, source = oci.NewLayer(file.path, file.media_type, { title = file.title })
        self:upload_blob(ref, source, layer)
        table.insert(manifest.layers, layer)
      end
      local config, source = oci.ManifestConfig()
      self:upload_blob(ref, source, config)
      manifest.config = config
      manifest.annotations = { made = "by hand" }
      return self:upload_manifest(ref, manifest)
    end
    local dir = helper.directory()
    helper.write(dir .. "/a.txt", "hello")
    local mirror = Mirror:new { config_path = "/nonexistent" }
    local ref = faults.host "http" .. "/oci/mirror:1"
    local d = mirror:push(ref, { { path = dir .. "/a.txt", media_type = "text/plain", title = "a.txt" },
      { path = dir, title = "dir" } })
    local doc = mirror:get_manifest(ref)
    assert.equal(d.digest, doc:descriptor().digest)
    assert.equal("hello", mirror:get_blob(ref, doc.layers[1]).content)
    assert.equal("by hand", doc.annotations.made)
    assert.equal(d.digest, mirror:push(ref, { { path = dir .. "/a.txt", media_type = "text/plain", title = "a.txt" },
      { path = dir, title = "dir" } }).digest)
  end)
end)
