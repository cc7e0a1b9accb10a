local oras = require "oras"
local platform = require "oras.platform"

local function rank(wanted, offered)
  return platform.match(platform.parse(wanted), platform.normalise(offered))
end

local function split(text)
  local os, architecture, variant = text:match "^([^/]+)/([^/]+)/?(.*)$"
  return { os = os, architecture = architecture, variant = variant }
end

describe("platforms", function()
  it("are read in every usual spelling", function()
    local cases = {
      ["linux/amd64"] = "linux/amd64", ["Linux/x86_64"] = "linux/amd64", ["macos/aarch64"] = "darwin/arm64",
      ["linux/armhf"] = "linux/arm", ["linux/armel"] = "linux/arm/v6", ["linux/arm"] = "linux/arm",
      ["linux/arm64/v8"] = "linux/arm64", ["linux/i386"] = "linux/386", ["linux/amd64/v3"] = "linux/amd64/v3",
    }
    for text, expected in pairs(cases) do
      assert.equal(expected, platform.format(platform.parse(text)), text)
    end
  end)

  it("are refused when they are none", function()
    for _, text in ipairs { "", "linux", "linux/", "/amd64", "linux/amd64/v1/x", "linux/amd64/", "a b/c" } do
      local _, err = oras.try(platform.parse, text)
      assert.equal("usage", err and err.class, text)
    end
    assert.equal("usage", select(2, oras.try(platform.parse, { os = "linux" })).class)
  end)

  it("are refused when a field is none", function()
    for field, value in pairs { variant = 5, os_version = {}, os_features = "win32k", ["os.features"] = { 5 } } do
      local _, err = oras.try(platform.parse, { os = "linux", architecture = "amd64", [field] = value })
      assert.equal("usage", err and err.class, field)
    end
  end)

  it("take nothing from fields of an index that are none", function()
    local wanted = { os = "linux", architecture = "amd64", os_features = { "a" } }
    for _, features in ipairs { 5, "a", true } do
      assert.is_nil(rank(wanted, { os = "linux", architecture = "amd64", ["os.features"] = features }))
    end
  end)

  it("match exactly first, then lower variants, never higher or other ones", function()
    assert.equal(0, rank("linux/amd64", split "linux/amd64"))
    assert.equal(0, rank("linux/arm64", split "linux/arm64/v8"))
    assert.equal(1, rank("linux/arm/v7", split "linux/arm/v6"))
    assert.equal(2, rank("linux/arm/v7", split "linux/arm/v5"))
    assert.equal(2, rank("linux/amd64/v3", split "linux/amd64"))
    assert.is_nil(rank("linux/amd64", split "linux/amd64/v2"))
    assert.is_nil(rank("linux/arm/v6", split "linux/arm/v7"))
    assert.is_nil(rank("linux/arm64", split "linux/arm/v7"))
    assert.is_nil(rank("linux/amd64", split "windows/amd64"))
  end)

  it("compare version and features only when they are asked for", function()
    local offered = {
      os = "windows", architecture = "amd64", ["os.version"] = "10.0.1", ["os.features"] = { "win32k" },
    }
    assert.equal(0, rank("windows/amd64", offered))
    assert.is_nil(rank({ os = "windows", architecture = "amd64", os_version = "10.0.2" }, offered))
    assert.equal(0, rank({ os = "windows", architecture = "amd64", os_features = { "win32k" } }, offered))
    assert.is_nil(rank({ os = "windows", architecture = "amd64", os_features = { "other" } }, offered))
  end)
end)
