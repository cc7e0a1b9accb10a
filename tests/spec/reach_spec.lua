--- Where a public registry may send us. It is one behind a proxy: tests have no public address.
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

-- Hosts that a public registry must not lead to, as they may be written.
local INNER <const> = {
  "127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "0177.0.0.1", "2130706433", "017700000001", "127.0.0.1.",
  "localhost", "LOCALHOST", "localhost.", "a.localhost", "10.0.0.1", "10.1", "0xa.0.0.1", "172.16.0.1",
  "172.31.255.255", "192.168.1.1", "192.168.257", "100.64.0.1", "169.254.169.254", "0xa9fea9fe", "2852039166",
  "169.254.43518",
  "0.0.0.0", "0", "00", "0x0", "255.255.255.255", "224.0.0.1", "240.0.0.1",
  "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.1]", "[::127.0.0.1]",
  "[fe80::1]", "[fe80::1%25eth0]", "[fc00::1]", "[fd12:3456::1]", "[fec0::1]", "[ff02::1]",
  "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::1]", "[2002:a00:1::]",
}

-- Whole URLs that lead nowhere at all.
local NOWHERE <const> = {
  "", "//", "https://", "https:///token", "https:registry.test/token", "https:/registry.test/token",
  "https://user@registry.test/token", "https://user:pw@registry.test/token", "https://registry.test@127.0.0.1/token",
  "https://evil\\@registry.test/token", "https://registry.test\\.evil/token", "https://registry.test:0/token",
  "https://registry.test:99999/token", "https://registry.test:x/token", "https://[::1/token", "https://[]/token",
  "https://registry..test/token", "https://.test/token", "https://regis try.test/", "https://registry.test/a b",
  "file:///etc/passwd", "ftp://registry.test/token", "gopher://registry.test/token", "ldap://registry.test/",
  "dict://registry.test/", "data:,token", "javascript:token", "unix:/run/x", "http://registry.test/token",
  "http://registry.test:443/token", "HTTP://registry.test/token",
}

describe("a public registry", function()
  local registry, layer
  before_each(function()
    faults.reset()
    layer = faults.seed({ repo = "p/app", tag = "1", layers = { { data = "hello" } } }).layers[1]
    faults.config { hosts = {
      ["registry.test:443"] = faults.host "https", ["auth.registry.test:443"] = faults.host "https_cdn",
    } }
    registry = helper.registry {
      proxy = faults.url "proxy", tls_verify = faults.cert "ca", retry = { tries = 1 }, timeout = { connect = 2 },
      headers = { ["X-Api-Key"] = "canary-7" },
    }
    registry:set_basic_auth("alice", "wonder:land")
  end)

  -- The proxy was asked for the registry only, and nobody else heard anything.
  local function expect_untouched()
    for _, entry in ipairs(faults.log {}) do
      if entry.listener == "proxy" then
        assert.equal("registry.test:443", entry.target)
      else
        assert.equal("https", entry.listener)
        assert.is_nil(faults.header(entry, "authorization"))
        assert.is_nil(entry.target:find("token", 1, true))
      end
    end
  end

  it("GHSA-xf85-363p-868w sends us to no inner address for a token", function()
    for _, host in ipairs(INNER) do
      local realm = ('Bearer realm="https://%s:1/token",service="s"'):format(host)
      faults.on { path = "/v2/*", challenge = realm }
      local err = helper.fails(registry, "get_blob", "registry.test/p/app", layer)
      assert.is_true(err.class == "redirect" or err.class == "auth", host .. ": " .. tostring(err))
    end
    expect_untouched()
  end)

  it("GHSA-28r5-37g7-p6mp sends us to no other scheme, user or broken URL for a token", function()
    for _, realm in ipairs(NOWHERE) do
      local challenge = ('Bearer realm="%s",service="s"'):format((realm:gsub("\\", "\\\\")))
      faults.on { path = "/v2/*", challenge = challenge }
      local err = helper.fails(registry, "get_blob", "registry.test/p/app", layer)
      assert.is_true(err.class == "redirect" or err.class == "auth", realm .. ": " .. tostring(err))
      assert.is_nil(tostring(err):find("pw", 1, true))
    end
    expect_untouched()
  end)

  it("N24 N25 sends us to no inner address and nowhere for a blob", function()
    for _, host in ipairs(INNER) do
      faults.on { path = "/v2/p/app/blobs/*", redirect = ("https://%s:1/token"):format(host) }
      local err = helper.fails(registry, "get_blob", "registry.test/p/app", layer)
      assert.equal("redirect", err.class, host .. ": " .. tostring(err))
    end
    for _, location in ipairs(NOWHERE) do
      faults.on { path = "/v2/p/app/blobs/*", redirect = location }
      local err = helper.fails(registry, "get_blob", "registry.test/p/app", layer)
      assert.equal("redirect", err.class, location .. ": " .. tostring(err))
    end
    expect_untouched()
  end)

  it("may send us to itself and to another public host for a token", function()
    for _, host in ipairs { "registry.test", "registry.test:443", "auth.registry.test" } do
      faults.reset { content = false }
      faults.config {
        hosts = { ["registry.test:443"] = faults.host "https", ["auth.registry.test:443"] = faults.host "https_cdn" },
        auth = { { repo = "p/", mode = "bearer", listener = "https" } }, realm = ("https://%s/token"):format(host),
      }
      local fresh = helper.registry { proxy = faults.url "proxy", tls_verify = faults.cert "ca" }
      fresh:set_basic_auth("alice", "wonder:land")
      assert.equal("hello", fresh:get_blob("registry.test/p/app", layer).content)
    end
  end)

  it("gcr-2293 has a token server that sends us inwards, or its password elsewhere", function()
    local realm = 'Bearer realm="https://auth.registry.test/token",service="s"'
    for _, host in ipairs { "127.0.0.1:1", "10.0.0.1", "[::1]:1", "169.254.169.254", "localhost:1" } do
      faults.reset { content = false }
      faults.config { hosts = {
        ["registry.test:443"] = faults.host "https", ["auth.registry.test:443"] = faults.host "https_cdn",
      } }
      faults.on { listener = "https", challenge = realm, always = true }
      faults.on { listener = "https_cdn", status = 307, redirect = ("https://%s/x"):format(host), always = true }
      local err = helper.fails(registry, "get_blob", "registry.test/p/app", layer)
      assert.equal("redirect", err.class, tostring(err))
      assert.equal(1, #faults.log { listener = "https_cdn" })
      assert.is_false(faults.saw(faults.log { listener = "https_cdn" }, "canary-7"))
    end
    faults.reset { content = false }
    faults.config { hosts = {
      ["registry.test:443"] = faults.host "https", ["auth.registry.test:443"] = faults.host "https_cdn",
      ["evil.registry.test:443"] = faults.host "https_evil",
    } }
    faults.on { listener = "https", challenge = realm, always = true }
    faults.on { listener = "https_cdn", status = 307, redirect = "https://evil.registry.test/x", always = true }
    helper.fails(registry, "get_blob", "registry.test/p/app", layer)
    local evil = faults.log { listener = "https_evil" }
    assert.equal(1, #evil)
    assert.is_nil(faults.header(evil[1], "authorization"))
    assert.is_false(faults.saw(evil, "canary-7"))
  end)
end)
