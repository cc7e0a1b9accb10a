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
    assert.equal('usage: Registry:new: option "hostname" is a string, not an integer', tostring(fails { hostname = 5 }))
    assert.equal('usage: Registry:new: option "tls_verify" is a boolean or string, not a table',
      tostring(fails { tls_verify = {} }))
    assert.matches('option "concurrency" is an integer, not a string', tostring(fails { concurrency = "8" }), 1, true)
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
    assert.matches('upload_origins has "storage"', tostring(fails { upload_origins = { "storage" } }))
    assert.matches('upload_origins has "5"', tostring(fails { upload_origins = { 5 } }))
    assert.matches("concurrency is at least 1, not 0", tostring(fails { concurrency = 0 }))
    assert.matches("concurrency is at least 1", tostring(fails { concurrency = -1 }))
    assert.matches("opposite", tostring(fails { plain_http = true, insecure = false }))
    assert.matches("opposite", tostring(fails { plain_http = false, insecure = true }))
    assert.matches("user_agent", tostring(fails { user_agent = "a\r\nX-Other: b" }))
    assert.matches("limits: manifest is at least 0", tostring(fails { limits = { manifest = -1 } }))
    assert.matches("retry: tries is at least 1", tostring(fails { retry = { tries = 0 } }))
    assert.matches("retry: wait is at least 0", tostring(fails { retry = { wait = 0 / 0 } }))
    assert.is_table(Registry:new { concurrency = 1, plain_http = true, insecure = true })
  end)

  it("are checked by the JSON functions too", function()
    local json = require "oras.json"
    local err = select(2, pcall(json.encode, {}, { indnt = 2 }))
    assert.matches('encode: unknown option "indnt" %(indent%?%)', err.message)
    assert.matches('decode: unknown option "depth"', select(2, pcall(json.decode, "{}", { depth = 2 })).message)
    assert.equal("{}", json.encode({}, { indent = 2 }))
  end)

  it("are checked where credentials are given", function()
    local registry = Registry:new()
    for _, pair in ipairs { { "a:b", "c" }, { "a\n", "c" }, { "a", "c\r\n" }, { "a", "b\0" } } do
      local _, err = pcall(registry.set_basic_auth, registry, table.unpack(pair))
      assert.equal("usage", err.class)
      assert.matches("^set_basic_auth", err.message)
    end
    for _, token in ipairs { "a b", "a\r\nb", "a\0", "\u{e9}" } do
      local _, err = pcall(registry.set_token_auth, registry, token)
      assert.matches("^set_token_auth", err.message)
    end
    registry:set_basic_auth("me", "p:w \u{e9}")
  end)

  it("find the nearest of several names", function()
    assert.equal("plain_http", options.nearest("plain_htp", Registry.options))
    assert.is_nil(options.nearest("xyz", Registry.options))
  end)
end)
