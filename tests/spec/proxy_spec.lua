local faults = require "tests.support.faults"
local faulty = require "tests.spec.faulty"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local SECRETS <const> = { "proxypass", "cHJveHl1c2VyOnByb3h5cGFzcw" } -- base64 of user:password

local function with_user(listener)
  return (faults.url(listener):gsub("://", "://proxyuser:proxypass@"))
end

local function through(proxy, opts)
  opts = opts or {}
  opts.proxy = proxy
  if not opts.plain_http then
    opts.tls_verify = faulty.ca()
  end
  return faulty.once(opts)
end

local function proxy_log(name)
  return faults.log { listener = name or "proxy" }
end

local function expect_secret(entries)
  for _, secret in ipairs(SECRETS) do
    assert.is_false(faults.saw(entries, secret))
  end
end

describe("a proxy", function()
  local layer, secure, plain
  before_each(function()
    faults.reset()
    layer = select(2, faulty.seed())
    faults.config {
      hosts = {
        ["registry.test:443"] = faults.host "https", ["registry.test:80"] = faults.host "http",
        ["cdn.registry.test:443"] = faults.host "https_cdn",
      },
    }
    secure, plain = "registry.test/t/app", "registry.test/t/app"
  end)
  after_each(helper.clean)

  it("N53 carries https through a tunnel", function()
    local registry = through(faults.url "proxy")
    assert.equal(5000, #registry:get_blob(secure, layer).content)
    assert.equal(5000, #registry:get_blob(secure, layer).content)
    local all = proxy_log()
    assert.equal(1, #all)
    assert.equal("CONNECT", all[1].method)
    assert.equal("registry.test:443", all[1].target)
    assert.equal(2, #faults.log { listener = "https", path = faulty.PATH })
  end)

  it("N53 gets plain http in absolute form", function()
    local registry = through(faults.url "proxy", { plain_http = true })
    assert.equal(5000, #registry:get_blob(plain, layer).content)
    local all = proxy_log()
    assert.equal("GET", all[1].method)
    assert.matches("^http://registry%.test/v2/t/app/", all[1].target)
  end)

  it("N53 is told who we are, and the registry is not", function()
    local registry = through(with_user "proxy_auth")
    assert.equal(5000, #registry:get_blob(secure, layer).content)
    assert.matches("^Basic ", faults.header(proxy_log("proxy_auth")[1], "proxy-authorization"))
    expect_secret(faults.log { listener = "https" })

    registry = through(with_user "proxy_auth", { plain_http = true })
    assert.equal(5000, #registry:get_blob(plain, layer).content)
    expect_secret(faults.log { listener = "http" })
  end)

  it("N53 does not get what is for the registry through the tunnel", function()
    faults.config { auth = { { repo = "t/", mode = "basic" } } }
    local registry = through(faults.url "proxy", { headers = { ["X-Api-Key"] = "canary-5" } })
    registry:set_basic_auth("alice", "wonder:land")
    assert.equal(5000, #registry:get_blob(secure, layer).content)
    for _, entry in ipairs(proxy_log()) do
      assert.is_nil(faults.header(entry, "authorization"))
      assert.is_nil(faults.header(entry, "x-api-key"))
    end
  end)

  it("CVE-2025-4673 keeps its password from registry and redirect target", function()
    local registry = through(with_user "proxy_auth")
    local cdn = "https://cdn.registry.test/v2/t/app/blobs/" .. layer.digest
    faults.on { listener = "https", path = faulty.PATH, redirect = cdn }
    assert.equal(5000, #registry:get_blob(secure, layer).content)
    assert.equal(2, #proxy_log "proxy_auth")
    for _, listener in ipairs { "https", "https_cdn" } do
      local all = faults.log { listener = listener, path = "/v2/*" }
      assert.equal(1, #all)
      assert.is_nil(faults.header(all[1], "proxy-authorization"))
      expect_secret(all)
    end
  end)

  it("CVE-2026-6253 gives its password to no other proxy", function()
    through(with_user "proxy_auth"):get_blob(secure, layer)
    through(faults.url "proxy"):get_blob(secure, layer)
    assert.equal(1, #proxy_log())
    assert.is_nil(faults.header(proxy_log()[1], "proxy-authorization"))
  end)

  local function fails(registry, class, host, retryable)
    local err = helper.fails(registry, "get_blob", secure, layer)
    assert.equal(class, err.class, tostring(err))
    assert.equal(retryable, err.retryable == true, tostring(err))
    assert.matches(host, err.message, 1, true)
    assert.matches("proxy '" .. host, err.message, 1, true)
    assert.is_nil(tostring(err):find("proxypass", 1, true))
    return err
  end

  it("N53 that wants to know us, or another, is an auth error that names it", function()
    local registry = through(faults.url "proxy_auth")
    fails(registry, "auth", faults.host "proxy_auth", false)
    registry = through((with_user "proxy_auth"):gsub("proxypass", "wrong"), { plain_http = true })
    fails(registry, "auth", faults.host "proxy_auth", false)
  end)

  it("N53 that cannot be reached is a network error that names it", function()
    local dead = "127.0.0.1:1"
    fails(through("http://proxyuser:proxypass@" .. dead), "network", dead, true)
    fails(through("http://proxyuser:proxypass@" .. dead, { plain_http = true }), "network", dead, true)
    fails(through "http://proxyuser:proxypass@none.invalid:3128", "network", "none.invalid", true)
  end)

  it("N53 that refuses, breaks off or talks garbage is a network error that names it", function()
    for _, rule in ipairs {
      { status = 403 }, { status = 502 }, { drop = "fin" }, { drop = "rst" }, { raw = "garbage\r\n\r\n" },
    } do
      faults.reset { content = false }
      faults.config { hosts = { ["registry.test:443"] = faults.host "https" } }
      rule.method, rule.listener, rule.times = "CONNECT", "proxy", 1
      local registry = through(faults.url "proxy")
      faults.on(rule)
      local err = helper.fails(registry, "get_blob", secure, layer)
      assert.is_true(err.class == "network" or err.class == "protocol", tostring(err))
      assert.matches(faults.host "proxy", err.message, 1, true)
      assert.equal(5000, #registry:get_blob(secure, layer).content)
    end
  end)

  it("N53 that stalls times out", function()
    faults.on { listener = "proxy", method = "CONNECT", stall_headers = 0 }
    local registry = through(faults.url "proxy", { timeout = { connect = 1, first_byte = 1 } })
    assert.equal("timeout", helper.fails(registry, "get_blob", secure, layer).class)
    assert.equal(5000, #registry:get_blob(secure, layer).content)
  end)

  it("GHSA-h3wm-jjqf-8jm2 sees no client certificate", function()
    local identity = { cert = faults.cert "client_cert", key = faults.cert "client_key" }
    local registry = through(faults.url "proxy_tls", identity)
    assert.equal(5000, #registry:get_blob(secure, layer).content)
    local all = proxy_log "proxy_tls"
    assert.equal(1, #all)
    assert.is_falsy(all[1].tls.client_cert)
    assert.is_truthy(faults.log({ listener = "https", path = faulty.PATH })[1].tls.client_cert)
  end)

  it("N53 must be one that is known", function()
    for _, proxy in ipairs { "ftp://127.0.0.1:1", "http://", "127.0.0.1:99999", "file:///etc/passwd" } do
      local err = helper.fails(through(proxy), "get_blob", secure, layer)
      assert.is_true(err.class == "usage" or err.class == "network", tostring(err))
    end
  end)
end)

describe("a proxy of the environment", function()
  local layer
  before_each(function()
    faults.reset()
    layer = select(2, faulty.seed())
    faults.config {
      hosts = { ["registry.test:443"] = faults.host "https", ["registry.test:80"] = faults.host "http" },
    }
  end)

  local SCRIPT <const> = [[
    local oras = require "oras"
    local ref, digest, ca, plain, proxy = ...
    local registry = oras.Registry:new {
      tls_verify = ca, plain_http = plain == "plain", retry = { tries = 1 }, config_path = "/nonexistent/config.json",
      proxy = proxy,
    }
    local ok, err = pcall(registry.get_blob, registry, ref, digest)
    print(ok and "good" or err.class)
  ]]

  local function run(environment, ref, plain, proxy)
    local directory = helper.directory()
    local script = helper.write(directory .. "/get.lua", SCRIPT)
    local words = { "env" }
    for name in ("http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY"):gmatch "%S+" do
      words[#words + 1] = "-u " .. name
    end
    for name, value in pairs(environment) do
      words[#words + 1] = name .. "=" .. process.quote(value)
    end
    local arguments = { script, ref, layer.digest, faults.cert "ca", plain and "plain" or "", proxy }
    for _, word in ipairs { process.oras_lua, table.unpack(arguments) } do
      words[#words + 1] = process.quote(word)
    end
    local status, out, err = process.shell(table.concat(words, " "))
    helper.clean()
    assert.equal(0, status, err)
    return (out:gsub("\n", ""))
  end

  it("N53 is used for hosts elsewhere", function()
    for _, name in ipairs { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" } do
      faults.reset { content = false }
      faults.config { hosts = { ["registry.test:443"] = faults.host "https" } }
      assert.equal("good", run({ [name] = faults.url "proxy" }, "registry.test/t/app"))
      assert.equal(1, #proxy_log())
    end
    faults.config { hosts = { ["registry.test:80"] = faults.host "http" } }
    assert.equal("good", run({ http_proxy = faults.url "proxy" }, "registry.test/t/app", true))
    assert.equal("GET", proxy_log()[2].method)
  end)

  it("N53 is not used for loopback, nor for what NO_PROXY names", function()
    local url = faults.url "proxy"
    assert.equal("good", run({ https_proxy = url, http_proxy = url }, faults.host "http" .. "/t/app", true))
    for _, list in ipairs { "registry.test", ".test", "*", "a,registry.test", "test" } do
      assert.equal("network", run({ https_proxy = url, no_proxy = list }, "registry.test/t/app"))
      assert.equal("network", run({ https_proxy = url, NO_PROXY = list }, "registry.test/t/app"))
    end
    assert.same({}, proxy_log())
    assert.equal("good", run({ https_proxy = url, no_proxy = "other.test,gistry.test" }, "registry.test/t/app"))
  end)

  it("N53 is not taken from HTTP_PROXY, which a CGI's client may set", function()
    assert.equal("network", run({ HTTP_PROXY = faults.url "proxy" }, "registry.test/t/app", true))
    assert.same({}, proxy_log())
  end)

  it("N53 is nothing to who has chosen another, or none", function()
    local everything = { https_proxy = faults.url "proxy_auth", no_proxy = "*", NO_PROXY = "*" }
    assert.equal("good", run(everything, "registry.test/t/app", false, faults.url "proxy"))
    assert.equal(1, #proxy_log())
    assert.equal("network", run({ https_proxy = faults.url "proxy" }, "registry.test/t/app", false, ""))
    assert.equal(1, #proxy_log())
    assert.same({}, proxy_log "proxy_auth")
  end)

  it("N53 may want a password", function()
    assert.equal("good", run({ https_proxy = with_user "proxy_auth" }, "registry.test/t/app"))
    expect_secret(faults.log { listener = "https" })
    assert.equal("auth", run({ https_proxy = faults.url "proxy_auth" }, "registry.test/t/app"))
  end)
end)
