local oras = require "oras"

local CondaMirror = dofile "providers/conda.lua"

local LAYOUT <const> = "oci:examples/layout:1.0.0-0"

local function paths(members)
  local list = {}
  for i, member in ipairs(members) do
    list[i] = member.path
  end
  return table.concat(list, " ")
end

describe("the conda provider", function()
  it("W24 gives reference, digest, index, members and package", function()
    local found = CondaMirror:new():inspect(LAYOUT)

    assert.equal(LAYOUT, found.reference)
    assert.equal("sha256:06a44ca9c42ebd9cf692fbbd777771e7dd8540bd0a5123ab8f6bcb601b87dbf9", found.digest)
    assert.equal("greeting", found.index.name)
    assert.equal(1735689600000, found.index.timestamp)
    assert.equal("integer", math.type(found.index.timestamp))
    assert.equal(oras.json.null, found.index.arch)
    assert.same({
      title = "greeting-1.0.0-0.tar.bz2",
      media_type = "application/vnd.conda.package.v1",
      digest = "sha256:9b86c2333fa986af5e0d0f9c2f2f0dac2c41f61819bb26f8ce3f2ae9a880f14e",
      size = 1180,
    }, found.package)
  end)

  it("lists the info archive's members in their order, directories too", function()
    local members = CondaMirror:new():inspect(LAYOUT).info

    assert.equal(
      "LICENSE.txt about.json files git hash_input.json index.json paths.json "
        .. "recipe recipe/meta.yaml test test/run_test.sh",
      paths(members)
    )
    assert.same({ path = "git", type = "file", size = 0 }, members[4])
    assert.same({ path = "recipe", type = "directory", size = 0 }, members[8])
  end)

  it("gives a result that can be encoded", function()
    local text = oras.json.encode(CondaMirror:new():inspect(LAYOUT))

    assert.same("greeting", oras.json.decode(text).index.name)
  end)

  it("goes through self: an override of get_blob and of get_manifest is used", function()
    local Counting = CondaMirror:extend "Counting"
    local calls = {}

    function Counting:get_manifest(...)
      calls[#calls + 1] = "manifest"
      return Counting.super.get_manifest(self, ...)
    end

    function Counting:get_blob(...)
      calls[#calls + 1] = "blob"
      return Counting.super.get_blob(self, ...)
    end

    Counting:new():inspect(LAYOUT)
    assert.equal("manifest blob blob", table.concat(calls, " "))
  end)

  it("leaves out what the manifest lacks", function()
    local Bare = CondaMirror:extend "Bare"

    function Bare.organize_layers()
      return {}
    end

    local found = Bare:new():inspect(LAYOUT)
    assert.is_nil(found.index)
    assert.is_nil(found.info)
    assert.is_nil(found.package)
  end)

  it("reads a bzip2 package's members as well", function()
    local mirror = CondaMirror:new()
    local container = mirror:get_container(LAYOUT)
    local layers = mirror:organize_layers(mirror:get_manifest(container))
    local members = mirror:list_members(container, layers.package_tarbz2)

    assert.equal("info/LICENSE.txt", members[1].path)
    assert.equal("share/greeting/words.txt", members[#members].path)
  end)

  it("says that a tag is not there", function()
    local found, err = oras.try(CondaMirror.inspect, CondaMirror:new(), "oci:examples/layout:9.9")

    assert.is_nil(found)
    assert.equal("not_found", err.class)
  end)
end)

describe("the example layout", function()
  it("is what its script writes", function()
    local target = os.tmpname()
    os.remove(target)
    assert.is_true(os.execute(("scripts/make-example-layout %s"):format(target)))
    assert.is_true(os.execute(("diff -r %s examples/layout"):format(target)))
    os.execute(("rm -r %s"):format(target))
  end)

  it("stores a package so that it can be inspected", function()
    local helper = require "tests.spec.helper"
    local dir, mirror = helper.directory(), CondaMirror:new()
    local place = ("oci:%s/channel:1"):format(dir)
    local package = mirror:pull(LAYOUT, { outdir = dir, allowed_media_type = "application/vnd.conda.package.v1" })[1]
    local stored = mirror:push(place, package.path)
    local found = mirror:inspect(place)
    assert.equal(stored.digest, found.digest)
    assert.equal("greeting", found.index.name)
    assert.equal(package.descriptor.digest, found.package.digest)
    assert.equal("greeting-1.0.0-0.tar.bz2", found.package.title)
    assert.is_nil(found.info)
    local ok, err = pcall(mirror.push, mirror, place, helper.write(dir .. "/x.conda", "no archive"))
    assert.is_false(ok)
    assert.equal("content", err.class)
    helper.clean()
  end)

  it("stores a .conda, whose index is in a tar inside of it", function()
    local helper = require "tests.spec.helper"
    local data = os.getenv "ORAS_TEST_DATA"
    if not data then
      return pending "ORAS_TEST_DATA is not set"
    end
    local dir, mirror = helper.directory(), CondaMirror:new()
    local source = mirror:get_container(("oci:%s/conda"):format(data))
    local package = mirror:organize_layers(mirror:get_manifest(source)).package_conda
    local path = mirror:download_blob(source, package, dir .. "/mock-2.0.0-py37_1000.conda")
    mirror:push(("oci:%s/channel:1"):format(dir), path)
    local found = mirror:inspect(("oci:%s/channel:1"):format(dir))
    assert.equal("mock", found.index.name)
    assert.equal(package.digest, found.package.digest)
    helper.clean()
  end)
end)
