--- Registry:new { resolve = ... }: where a host is, as the caller says.
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local oras = require "oras"
local process = require "tests.spec.process"

local function port_of(listener)
  return faults.host(listener):match ":(%d+)$"
end

local function place(host, listener, address)
  return ("%s:%s:%s"):format(host, address or "127.0.0.1", port_of(listener))
end

describe("Registry:new { resolve }", function()
  before_each(function()
    faults.reset()
    faults.seed { repo = "r/app", tag = "1", layers = { { data = "hello", title = "a.txt" } } }
  end)

  after_each(helper.clean)

  local function tags(opts, ref)
    opts.retry = { tries = 1 }
    return helper.registry(opts):get_tags(ref)
  end

  it("says where a host is; certificate and Host are those of its name", function()
    local opts = { resolve = { place("registry.test:443", "https") }, tls_verify = faults.cert "ca" }
    assert.same({ "1" }, tags(opts, "registry.test/r/app"))
    assert.same({ "1" }, tags(opts, "REGISTRY.test/r/app"))
    for _, entry in ipairs(faults.log {}) do
      assert.equal("https", entry.listener)
      assert.equal("registry.test", faults.header(entry, "host"))
      assert.equal("registry.test", entry.tls.sni)
    end
  end)

  it("takes the host's port where the address has none", function()
    local port = port_of "http"
    local opts = { resolve = { ("registry.test:%s:127.0.0.1"):format(port) }, plain_http = true }
    assert.same({ "1" }, tags(opts, ("registry.test:%s/r/app"):format(port)))
  end)

  it("takes an IPv6 address in brackets", function()
    if not faults.state().listeners.http6 then
      return pending "there is no IPv6"
    end
    local opts = { resolve = { place("registry.test:80", "http6", "[::1]") }, plain_http = true }
    assert.same({ "1" }, tags(opts, "registry.test/r/app"))
    opts = { resolve = { place("[2001:db8::1]:80", "http6", "[::1]") }, plain_http = true }
    assert.same({ "1" }, tags(opts, "[2001:db8::1]/r/app"))
    assert.equal(2, #faults.log { listener = "http6" })
  end)

  it("knows many hosts, and is for its own port only", function()
    local opts = {
      resolve = { place("a.test:80", "http"), place("b.test:80", "cdn"), place("c.test:81", "cdn") }, plain_http = true,
    }
    tags(opts, "a.test/r/app")
    tags(opts, "b.test/r/app")
    assert.equal(1, #faults.log { listener = "http" })
    assert.equal(1, #faults.log { listener = "cdn" })
    local err = helper.fails(helper.registry { resolve = opts.resolve, plain_http = true, retry = { tries = 1 } },
      "get_tags", "c.test/r/app")
    assert.equal("network", err.class)
  end)

  it("is not for another object, also where a connection is open", function()
    tags({ resolve = { place("a.test:80", "http") }, plain_http = true }, "a.test/r/app")
    tags({ resolve = { place("a.test:80", "cdn") }, plain_http = true }, "a.test/r/app")
    assert.equal(1, #faults.log { listener = "cdn" })
    local err = helper.fails(helper.registry { plain_http = true, retry = { tries = 1 } }, "get_tags", "a.test/r/app")
    assert.equal("network", err.class)
  end)

  it("N25 does not widen where a server may send us", function()
    for _, to in ipairs { "169.254.169.254", "0.0.0.0", "[fe80::1]", "224.0.0.1" } do
      faults.on { path = "/v2/r/app/blobs/*", redirect = "http://inner.test/x" }
      local registry = helper.registry {
        resolve = { place("registry.test:80", "http"), "inner.test:80:" .. to },
        plain_http = true, retry = { tries = 1 },
      }
      local manifest = registry:get_manifest "registry.test/r/app:1"
      local err = helper.fails(registry, "get_blob", "registry.test/r/app", manifest.layers[1].digest)
      assert.equal("redirect", err.class, to .. ": " .. tostring(err))
    end
  end)

  it("binds credentials to the name, not to where it is", function()
    faults.seed { repo = "basic/app", tag = "1", layers = { { data = "x" } } }
    local registry = helper.registry {
      resolve = { place("a.test:80", "http"), place("b.test:80", "http") }, plain_http = true, retry = { tries = 1 },
      hostname = "a.test",
    }
    registry:set_basic_auth("alice", "wonder:land")
    assert.same({ "1" }, registry:get_tags "a.test/basic/app")
    assert.equal("auth", helper.fails(registry, "get_tags", "b.test/basic/app").class)
  end)

  it("raises what it does not understand, at once", function()
    for _, text in ipairs {
      "", "registry.test", "registry.test:443", "registry.test:443:", "registry.test:443:localhost", ":443:127.0.0.1",
      "registry.test:0:127.0.0.1", "registry.test:65536:127.0.0.1", "registry.test:x:127.0.0.1",
      "registry.test:443:127.0.0.1:", "registry.test:443:127.0.0.1:0", "registry.test:443:127.0.0.1:1:2",
      "registry.test:443:127.0.0.256", "registry.test:443:::1", "registry.test:443:[::1", "registry.test:443:[::g]",
      "regis try:443:127.0.0.1", "*:443:127.0.0.1", "registry.test:443:[127.0.0.1]", ("a"):rep(600) .. ":1:127.0.0.1",
      "registry.test:443:127.0.0.1\n", "+registry.test:443:127.0.0.1",
    } do
      local value, err = oras.try(oras.Registry.new, oras.Registry, { resolve = { text } })
      assert.is_nil(value, text)
      assert.equal("usage", err.class)
    end
    for _, list in ipairs { { 5 }, { true } } do
      local value, err = oras.try(oras.Registry.new, oras.Registry, { resolve = list })
      assert.is_nil(value)
      assert.equal("usage", err.class)
    end
  end)

  it("is the flag --resolve", function()
    local directory = helper.directory()
    local status, out, err = process.run("pull", "--resolve", place("registry.test:443", "https"),
      "--resolve", "other.test:443:127.0.0.1", "--ca-file", faults.cert "ca", "-o", directory, "registry.test/r/app:1")
    assert.equal(0, status, err)
    assert.matches("a%.txt", out)
    assert.equal("hello", helper.read(directory .. "/a.txt"))
  end)
end)
