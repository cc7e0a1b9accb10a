local errors = require "oras.error"
local oras = require "oras"

describe("an oras.Error", function()
  it("is one line: code or class, message, request", function()
    local err = errors.new {
      class = "not_found", code = "MANIFEST_UNKNOWN", message = 'no manifest "9.9" in ghcr.io/a/b',
      method = "GET", url = "https://ghcr.io/v2/a/b/manifests/9.9", status = 404,
    }
    assert.equal('MANIFEST_UNKNOWN: no manifest "9.9" in ghcr.io/a/b '
      .. "(GET https://ghcr.io/v2/a/b/manifests/9.9, 404)", tostring(err))
    err.code = nil
    assert.matches("^not_found: ", tostring(err))
    assert.equal("io: disk full", tostring(errors.new { class = "io", message = "disk\nfull" }))
  end)

  it("becomes nil, err in try; results pass through", function()
    local value, err = oras.try(function()
      errors.raise { class = "rate", message = "slow down" }
    end)
    assert.is_nil(value)
    assert.equal("rate", err.class)
    assert.same({ 1, nil, 3, n = 3 }, table.pack(oras.try(function(...) return ... end, 1, nil, 3)))
  end)

  it("is the only thing that try catches", function()
    assert.has_error(function()
      oras.try(error, { class = "rate" })
    end)
    assert.error_matches(function()
      oras.try(function(x) return x.y end)
    end, "attempt to index")
  end)

  it("is the kind of object that the core makes", function()
    local registry = oras.Registry:new()
    local _, err = oras.try(registry.get_container, registry, "ghcr.io/Upper/x")
    assert.equal("usage", err.class)
    assert.is_true(errors.is_error(err))
    assert.matches("^usage: ", tostring(err))
  end)

  it("knows it also for what the core raises by itself", function()
    local _, err = pcall(function()
      local digest = oras.digest.of(5)
      return digest
    end)
    assert.equal("usage", err.class)
    assert.matches("error_spec.lua:%d+$", err.where)
  end)

  it("knows the first line outside of the library", function()
    local here = debug.getinfo(1, "S").short_src
    local registry = oras.Registry:new()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, err = oras.try(function() registry:get_blob("ghcr.io/a/b", "sha256:zz") end)
    assert.equal(("%s:%d"):format(here, line), err.where)
  end)
end)
