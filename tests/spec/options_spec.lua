local oras = require "oras"
local options = require "oras.options"

local Registry = oras.Registry

local function fails(opts)
  local _, err = oras.try(Registry.new, Registry, opts)
  return err
end

describe("options", function()
  it("name a mistyped key and the nearest good one", function()
    assert.equal('usage: Registry:new: unknown option "insecur" (insecure?)', tostring(fails { insecur = true }))
    assert.equal('usage: Registry:new: unknown option "tlsverify" (tls_verify?)', tostring(fails { tlsverify = true }))
  end)

  it("suggest nothing where nothing is near", function()
    assert.equal('usage: Registry:new: unknown option "banana"', tostring(fails { banana = 1 }))
  end)

  it("send oras-py's names to ours", function()
    assert.matches("set_basic_auth", tostring(fails { username = "me" }))
    local registry = Registry:new()
    local _, err = oras.try(registry.get_manifest, registry, "oci:x:y", { container = "a" })
    assert.matches("the first argument", tostring(err))
  end)

  it("say which type was expected", function()
    assert.equal('usage: Registry:new: option "hostname" is a string, not a integer', tostring(fails { hostname = 5 }))
    assert.equal('usage: Registry:new: option "tls_verify" is a boolean or string, not a table',
      tostring(fails { tls_verify = {} }))
    assert.matches("options have names", tostring(fails { "ghcr.io" }))
    assert.matches("options are a table", tostring(fails "ghcr.io"))
  end)

  it("raise at the caller's line", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, err = oras.try(function() return Registry:new { insecur = true } end)
    assert.equal(("%s:%d"):format(debug.getinfo(1, "S").short_src, line), err.where)
  end)

  it("check values too", function()
    assert.matches('hostname "https://ghcr.io"', tostring(fails { hostname = "https://ghcr.io" }))
    assert.matches("auth_backend", tostring(fails { auth_backend = "kerberos" }))
    assert.matches('unknown option "redirect" %(redirects%?%)', tostring(fails { limits = { redirect = 3 } }))
    assert.matches('unknown option "trys" %(tries%?%)', tostring(fails { retry = { trys = 3 } }))
    assert.matches('unknown option "conect" %(connect%?%)', tostring(fails { timeout = { conect = 3 } }))
    assert.matches("cert and key go together", tostring(fails { cert = "a.pem" }))
  end)

  it("find the nearest of several names", function()
    assert.equal("plain_http", options.nearest("plain_htp", Registry.options))
    assert.is_nil(options.nearest("xyz", Registry.options))
  end)
end)
