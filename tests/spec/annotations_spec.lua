--- The file of annotations, in oras's format.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local TITLE <const> = "org.opencontainers.image.title"

local registry, dir, ref

local function write(text)
  return helper.write(dir .. "/annotations.json", text)
end

describe("annotation_file", function()
  before_each(function()
    faults.reset()
    registry, dir = helper.registry(), helper.directory()
    ref = faults.host "http" .. "/n/app:1"
    helper.write(dir .. "/a.txt", "a")
  end)
  after_each(helper.clean)

  it("annotates the manifest, the config and each file", function()
    local a = dir .. "/a.txt"
    local path = write(oras.json.encode {
      ["$manifest"] = { ["org.example"] = "m", empty = "" },
      ["$config"] = { which = "config" },
      [a] = { which = "layer", [TITLE] = "renamed.txt" },
      ["data"] = { which = "bytes" },
    })
    local _, manifest = registry:push(ref, { { path = a, title = "a.txt" }, { data = "b" } }, {
      annotation_file = path, config = { data = "{}" },
    })
    assert.same({ ["org.example"] = "m", empty = "" }, manifest.annotations)
    assert.same({ which = "config" }, manifest.config.annotations)
    assert.same({ which = "layer", [TITLE] = "renamed.txt" }, manifest.layers[1].annotations)
    assert.same({ which = "bytes" }, manifest.layers[2].annotations)
    registry:pull(ref, { outdir = dir .. "/out" })
    assert.equal("a", helper.read(dir .. "/out/renamed.txt"))
  end)

  it("annotates what stands in place of a config, too, as oras does", function()
    local path = write '{"$config":{"which":"none"}}'
    local _, manifest = registry:push(ref, { { data = "b", title = "b" } }, { annotation_file = path })
    assert.equal("application/vnd.oci.empty.v1+json", manifest.config.mediaType)
    assert.same({ which = "none" }, manifest.config.annotations)
    local _, plain = registry:push(ref, { { data = "b", title = "b" } }, { annotation_file = write "{}" })
    assert.is_nil(plain.config.annotations)
  end)

  it("is checked before anything is sent", function()
    for text, what in pairs {
      [""] = "annotations.json", ["{"] = "annotations.json", ["[]"] = "no object", ["1"] = "no object",
      ['{"$manifest":[]}'] = '"$manifest" is no object', ['{"$config":"x"}'] = '"$config" is no object',
      ['{"a":{"b":1}}'] = '"b" of "a" is no string', ['{"a":{},"a":{}}'] = "annotations.json",
      ['{"a":{"b":null}}'] = '"b" of "a" is no string',
    } do
      local opts = { annotation_file = write(text) }
      local err = helper.fails(registry, "push", ref, { { data = "x", title = "x" } }, opts)
      assert.equal("content", err.class, text)
      assert.matches(what, err.message, 1, true)
    end
    local err = helper.fails(registry, "push", ref, {}, { annotation_file = dir .. "/none" })
    assert.equal("io", err.class)
    assert.matches(dir .. "/none", err.message, 1, true)
    assert.same({}, faults.log { listener = "http" })
  end)

  it("CVE-2026-53488 cannot lead a file out of the output directory", function()
    local a = dir .. "/a.txt"
    local path = write(oras.json.encode { [a] = { [TITLE] = "../up" } })
    local err = helper.fails(registry, "push", ref, { { path = a, title = "a" } }, { annotation_file = path })
    assert.equal("path", err.class)
  end)
end)
