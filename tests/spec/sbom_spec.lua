--- The sbom provider: documents as referrers, attached and read; of real tools where they are.
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local oras = require "oras"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local Boms = dofile "providers/sbom.lua"

local SPDX <const> = [[{
  "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "app",
  "packages": [
    { "name": "zlib", "SPDXID": "SPDXRef-1", "versionInfo": "1.3", "licenseConcluded": "NOASSERTION",
      "licenseDeclared": "Zlib",
      "externalRefs": [ { "referenceType": "purl", "referenceLocator": "pkg:deb/zlib@1.3" } ] },
    { "name": "bare", "SPDXID": "SPDXRef-2", "licenseConcluded": "NOASSERTION" }
  ] }]]

local CYCLONEDX <const> = [[{
  "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": { "component": { "name": "app" } },
  "components": [
    { "type": "library", "name": "zlib", "version": "1.3", "purl": "pkg:deb/zlib@1.3",
      "licenses": [ { "license": { "id": "Zlib" } }, { "expression": "MIT OR ISC" } ],
      "components": [ { "type": "file", "name": "inner" } ] }
  ] }]]

local function place_of(kind, dir)
  if kind == "layout" then
    return ("oci:%s/store:1"):format(dir)
  end
  local host = services.get(kind)
  return host and ("%s/sbom/app-%d:1"):format(host, os.time())
end

describe("the sbom provider", function()
  local dir, boms

  before_each(function()
    dir = helper.directory()
    boms = Boms:new { config_path = "/nonexistent", retry = { wait = 0 } }
  end)

  after_each(helper.clean)

  -- by the referrers API, by the tag that stands for it, in a layout
  for _, kind in ipairs { "registry_ggcr", "registry", "registry_v3", "layout" } do
    it("attaches, lists and reads documents of both formats: " .. kind, function()
      local place = place_of(kind, dir)
      if not place then
        return pending(services.missing(kind))
      end
      boms:push(place, { { data = "app", title = "app" } })
      assert.same({}, boms:list(place))
      local spdx = boms:add(place, helper.write(dir .. "/app.spdx.json", SPDX))
      local cyclonedx = boms:add(place, helper.write(dir .. "/app.cdx.json", CYCLONEDX))
      boms:attach(place, { { data = "no document", title = "x" } }, { artifact_type = "application/vnd.example" })

      local by_format = {}
      for _, one in ipairs(boms:read(place)) do
        by_format[one.format] = one
      end
      assert.equal(2, #boms:list(place))
      local found = by_format.spdx
      assert.same({ spdx.digest, "application/spdx+json", "SPDX-2.3", "app" },
        { found.digest, found.media_type, found.version, found.name })
      assert.same({
        { name = "zlib", version = "1.3", purl = "pkg:deb/zlib@1.3", license = "Zlib" }, { name = "bare" },
      }, found.packages)
      assert.equal("CC0-1.0", found.document.dataLicense)
      found = by_format.cyclonedx
      assert.same({ cyclonedx.digest, "application/vnd.cyclonedx+json", "1.5", "app" },
        { found.digest, found.media_type, found.version, found.name })
      assert.same({
        { name = "zlib", version = "1.3", purl = "pkg:deb/zlib@1.3", license = "Zlib AND MIT OR ISC" },
        { name = "inner" },
      }, found.packages)
      assert.is_string(oras.json.encode(boms:read(place)))
    end)
  end

  it("stores SPDX as text and CycloneDX as XML, too, and lists them", function()
    local place = place_of("layout", dir)
    boms:push(place, { { data = "app", title = "app" } })
    boms:add(place, helper.write(dir .. "/a.spdx", "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n"))
    boms:add(place, helper.write(dir .. "/b.xml",
      '<?xml version="1.0"?>\n<bom xmlns="http://cyclonedx.org/schema/bom/1.5" version="1"/>'))
    local types = {}
    for _, one in ipairs(boms:read(place)) do
      types[one.media_type] = one.format
      assert.is_nil(one.packages)
    end
    assert.same({ ["text/spdx"] = "spdx", ["application/vnd.cyclonedx+xml"] = "cyclonedx" }, types)
  end)

  it("refuses what is no such document", function()
    local place = place_of("layout", dir)
    boms:push(place, { { data = "app", title = "app" } })
    for i, text in ipairs {
      "", "{}", "[]", "null", "text", '{"bomFormat":"Other"}', '{"spdxVersion":2}', "<bom/>", "{",
    } do
      assert.equal("content", helper.fails(boms, "add", place, helper.write(dir .. "/" .. i, text)).class)
    end
    assert.equal("io", helper.fails(boms, "add", place, dir .. "/nothing").class)
    assert.same({}, boms:list(place))
  end)

  it("survives documents that are not what they say", function()
    faults.reset()
    local name = faults.host "http" .. "/sbom/odd:1"
    boms:push(name, { { data = "app", title = "app" } })
    for _, text in ipairs {
      '{"packages":[1,null,{"name":5,"externalRefs":[7,{}]}]}', '{"packages":{"a":1}}',
      '{"spdxVersion":[],"packages":null}',
    } do
      boms:attach(name, { { data = text, title = "s", media_type = "application/spdx+json" } },
        { artifact_type = "application/spdx+json" })
    end
    assert.equal(3, #boms:read(name))
    for _, text in ipairs { "[1]", "no json", "" } do
      local odd = faults.host "http" .. "/sbom/odd" .. #text .. ":1"
      boms:push(odd, { { data = "app", title = "app" } })
      boms:attach(odd, { { data = text, title = "s", media_type = "application/spdx+json" } },
        { artifact_type = "application/spdx+json" })
      assert.equal("content", helper.fails(boms, "read", odd).class)
    end
  end)
end)

describe("the sbom provider and other tools", function()
  after_each(helper.clean)

  it("reads what cyclonedx-gomod made and oras attached", function()
    local gomod, why = services.peer "cyclonedx-gomod"
    local oras_cli, no_oras = services.peer "oras"
    local host = services.get "registry"
    if not (gomod and oras_cli and host) then
      return pending(why or no_oras or services.missing "registry")
    end
    local dir, boms = helper.directory(), Boms:new { config_path = "/nonexistent" }
    local place = ("%s/sbom/gomod-%d:1"):format(host, os.time())
    process.sh("%s bin -json -output %s %s", gomod, dir .. "/bom.json", oras_cli) -- the modules in oras
    boms:push(place, { { data = "app", title = "app" } })
    process.sh("cd %s && %s attach --plain-http --artifact-type application/vnd.cyclonedx+json %s "
      .. "bom.json:application/vnd.cyclonedx+json", dir, oras_cli, place)
    boms:add(place, dir .. "/bom.json")

    local found = boms:read(place)
    assert.equal(2, #found)
    assert.equal("oras.land/oras", found[1].name)
    local names = {}
    for _, package in ipairs(found[2].packages) do
      names[package.name] = package.purl
    end
    assert.is_not_nil(names["oras.land/oras-go/v2"]:find "^pkg:golang/oras.land/oras%-go/v2@v2")
    assert.is_not_nil(process.sh("%s discover --plain-http %s", oras_cli, place):find "application/vnd.cyclonedx%+json")
  end)
end)
