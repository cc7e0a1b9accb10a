local oras = require "oras"

local helper = require "tests.spec.helper"

local MANIFEST <const> = "application/vnd.oci.image.manifest.v1+json"
local EXAMPLE <const> = "oci:examples/layout:1.0.0-0"

local directory

-- A layout with manifests by name; gives how to name one.
local function write_layout(entries, blobs)
  directory = helper.directory()
  os.execute(("mkdir -p '%s/blobs/sha256'"):format(directory))
  helper.write(directory .. "/oci-layout", '{"imageLayoutVersion":"1.0.0"}')
  local index = { schemaVersion = 2, manifests = oras.json.array {} }
  for i, entry in ipairs(entries) do
    index.manifests[i] = {
      mediaType = entry.media_type or MANIFEST, digest = oras.digest.of(entry.text), size = #entry.text,
      annotations = entry.name and { ["org.opencontainers.image.ref.name"] = entry.name } or nil,
    }
    helper.write(directory .. "/blobs/" .. oras.digest.of(entry.text):gsub(":", "/"), entry.text)
  end
  for _, text in ipairs(blobs or {}) do
    helper.write(directory .. "/blobs/" .. oras.digest.of(text):gsub(":", "/"), text)
  end
  helper.write(directory .. "/index.json", oras.json.encode(index))
  return "oci:" .. directory
end

local function manifest(annotation)
  return oras.json.encode {
    schemaVersion = 2, mediaType = MANIFEST, config = oras.oci.empty_descriptor(), layers = oras.json.array {},
    annotations = { a = annotation },
  }
end

describe("a layout on disk", function()
  after_each(helper.clean)
  local registry = oras.Registry:new()

  it("gives an empty table for a config of zero bytes, as conda's mirror stores it", function()
    local config, descriptor = registry:get_config(EXAMPLE)
    assert.same({}, config)
    assert.equal(0, descriptor.size)
  end)

  it("lists its blobs, also those that nobody names, and nothing else", function()
    write_layout({ { text = manifest "x", name = "a" } }, { "stray" })
    helper.write(directory .. "/blobs/sha256/no-digest", "x")
    local expected = { oras.digest.of(manifest "x"), oras.digest.of "stray" }
    table.sort(expected)
    assert.same(expected, oras.layout.open(directory):blobs())
  end)

  it("C39: does not list blobs through a link", function()
    write_layout {}
    os.execute(("rm -r '%s/blobs' && ln -s /etc '%s/blobs'"):format(directory, directory))
    local layout = oras.layout.open(directory)
    local _, err = oras.try(layout.blobs, layout)
    assert.equal("path", err.class)
  end)

  it("serves every reading method", function()
    local doc = registry:get_manifest(EXAMPLE)
    local digest = "sha256:06a44ca9c42ebd9cf692fbbd777771e7dd8540bd0a5123ab8f6bcb601b87dbf9"
    local layers = registry:organize_layers(doc)
    local index = layers["application/vnd.conda.info.index.v1+json"]
    local info = layers["application/vnd.conda.info.v1.tar+gzip"]

    assert.equal(digest, doc:descriptor().digest)
    assert.equal(digest, registry:resolve(EXAMPLE).digest)
    assert.equal(digest, registry:get_manifest("oci:examples/layout@" .. digest):descriptor().digest)
    assert.same({ "1.0.0-0" }, registry:get_tags(EXAMPLE))
    assert.equal("greeting", registry:get_blob(EXAMPLE, index):json().name)
    assert.is_true(registry:blob_exists(EXAMPLE, index))
    assert.is_false(registry:blob_exists(EXAMPLE, oras.digest.of "other"))
    local head = registry:get_blob(EXAMPLE, index, { head = true })
    assert.equal(tostring(index.size), head.headers["Content-Length"])
    local content = registry:get_blob(EXAMPLE, index).content
    assert.equal(content:sub(3, 9), registry:get_blob(EXAMPLE, index, { range = { 2, 8 } }).content)
    for _, stream in ipairs { true, false } do
      local names = {}
      for entry in registry:get_blob(EXAMPLE, info, { stream = stream }):entries() do
        names[#names + 1] = entry.type
      end
      assert.is_true(#names > 2)
    end
  end)

  it("brings a blob into a file, verified", function()
    local layer = registry:get_manifest(EXAMPLE).layers[1]
    local path = helper.directory() .. "/file"
    assert.equal(path, registry:download_blob(EXAMPLE, layer, path))
    assert.equal(layer.digest, oras.digest.of_file(path))
  end)

  it("says which names there are when one is missing", function()
    local err = helper.fails(registry, "get_manifest", "oci:examples/layout:9.9")
    assert.equal("not_found", err.class)
    assert.equal('no manifest "9.9" in oci:examples/layout; it has 1.0.0-0', err.message)
    err = helper.fails(registry, "get_blob", EXAMPLE, oras.digest.of "other")
    assert.equal("BLOB_UNKNOWN", err.code)
  end)

  it("has no manifest of a type that is not accepted, as a registry", function()
    local accepted = {
      MANIFEST, { "a/b", MANIFEST }, "a/b, " .. MANIFEST .. ";q=0.5", "*/*", "application/*", MANIFEST:upper(),
    }
    local digest = registry:resolve(EXAMPLE).digest
    for _, ref in ipairs { EXAMPLE, "oci:examples/layout@" .. digest } do
      for _, accept in ipairs(accepted) do
        assert.equal(MANIFEST, registry:get_manifest(ref, { accept = accept }):media_type())
      end
      for _, accept in ipairs { "a/b", { "text/*" }, MANIFEST .. "x", "" } do
        local err = helper.fails(registry, "get_manifest", ref, { accept = accept })
        assert.equal("not_found", err.class)
        assert.equal("MANIFEST_UNKNOWN", err.code)
        assert.matches(MANIFEST, err.message, 1, true)
      end
    end
  end)

  it("needs no tag when there is one manifest only", function()
    assert.equal(MANIFEST, registry:get_manifest("oci:examples/layout"):media_type())
    local ref = write_layout { { text = manifest "1", name = "a" }, { text = manifest "2", name = "b" } }
    assert.equal("not_found", helper.fails(registry, "get_manifest", ref).class)
    assert.equal("2", registry:get_manifest(ref .. ":b").annotations.a)
  end)

  it("sees what was changed by others", function()
    local ref = write_layout { { text = manifest "1", name = "a" } }
    assert.same({ "a" }, registry:get_tags(ref))
    local index = helper.read(directory .. "/index.json"):gsub('"a"', '"b"')
    helper.write(directory .. "/index.json", index)
    assert.same({ "b" }, registry:get_tags(ref))
    assert.same({}, registry:get_tags(ref, { last = "b" }))
  end)

  it("C39 is refused when it is none, or lies", function()
    assert.equal("not_found", helper.fails(registry, "get_manifest", "oci:/nonexistent/layout:1").class)
    assert.equal("content", helper.fails(registry, "get_manifest", "oci:tests:1").class)
    write_layout {}
    os.remove(directory .. "/index.json")
    local missing = helper.fails(registry, "get_manifest", "oci:" .. directory .. ":1")
    assert.equal("not_found", missing.class)
    assert.matches(directory, missing.message, 1, true)
    assert.matches("index.json", missing.message, 1, true)
    local text = manifest "1"
    local ref = write_layout { { text = text, name = "a" } }
    helper.write(directory .. "/blobs/" .. oras.digest.of(text):gsub(":", "/"), (text:gsub('"1"', '"2"')))
    assert.equal("integrity", helper.fails(registry, "get_manifest", ref .. ":a").class)
    for _, index in ipairs {
      "", "{", "[]", '{"manifests":{}}', '{"manifests":[5]}', '{"manifests":[{"digest":"x"}]}',
    } do
      helper.write(directory .. "/index.json", index)
      assert.equal("content", helper.fails(registry, "get_manifest", ref .. ":a").class, index)
    end
  end)

  it("C39 L08 reads no symbolic links", function()
    local ref = write_layout({ { text = manifest "1", name = "a" } }, { "blob" })
    local path = directory .. "/blobs/" .. oras.digest.of("blob"):gsub(":", "/")
    os.execute(("mv '%s' '%s/outside' && ln -s '%s/outside' '%s'"):format(path, directory, directory, path))
    assert.equal("path", helper.fails(registry, "get_blob", ref, oras.digest.of "blob").class)
  end)

  it("C02 is refused for sizes that are not the file's", function()
    local ref = write_layout({ { text = manifest "1", name = "a" } }, { "blob" })
    local descriptor = { digest = oras.digest.of "blob", size = 3 }
    assert.equal("integrity", helper.fails(registry, "get_blob", ref, descriptor).class)
    descriptor.size = 5
    assert.equal("integrity", helper.fails(registry, "get_blob", ref, descriptor).class)
  end)

  it("can be opened by itself", function()
    local layout <close> = oras.layout.open "examples/layout"
    assert.same({ "1.0.0-0" }, layout:tags())
    local entry = layout:index().manifests[1]
    assert.equal(entry.size, layout:size(entry.digest))
    assert.is_nil(layout:size(oras.digest.of "other"))
    assert.equal("layout examples/layout", tostring(layout))
  end)
end)
