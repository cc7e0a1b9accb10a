local oras = require "oras"
local response = require "oras.response"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

-- A Registry that keeps its requests and answers 200.
local function silent(opts)
  local registry = helper.registry(opts)
  registry.requests = {}
  function registry:send(request)
    table.insert(self.requests, request)
    return response.new { status = 200, body = "hello", url = request.url }
  end
  return registry
end

local function url_of(opts, url)
  local registry = silent(opts)
  registry:do_request("GET", url)
  return registry.requests[1].url
end

describe("do_request", function()
  before_each(faults.reset)

  it("takes a full URL, one without scheme, or a path of the option hostname", function()
    assert.equal("https://ghcr.io/v2/", url_of(nil, "https://ghcr.io/v2/"))
    assert.equal("https://ghcr.io/v2/", url_of(nil, "ghcr.io/v2/"))
    assert.equal("https://ghcr.io/v2/_catalog", url_of({ hostname = "ghcr.io" }, "/v2/_catalog"))
    assert.equal("https://registry-1.docker.io/v2/", url_of({ hostname = "docker.io" }, "/v2/"))
    assert.equal("https://registry-1.docker.io/v2/", url_of(nil, "docker.io/v2/"))
    assert.equal("usage", helper.fails(silent(), "do_request", "GET", "/v2/").class)
    assert.equal("usage", helper.fails(silent(), "do_request", "GET", "nonsense").class)
    assert.equal("usage", helper.fails(silent(), "do_request", "GET", "https:/x").class)
    assert.matches("before the URL", helper.fails(silent(), "do_request", "ghcr.io/v2/", "GET").message)
  end)

  it("is plain http for loopback only, or when asked for", function()
    local cases = {
      ["http://localhost:5000/v2/"] = {}, ["http://127.0.0.2:5000/v2/"] = {}, ["http://[::1]:5000/v2/"] = {},
      ["https://example.com/v2/"] = {}, ["https://10.0.0.1/v2/"] = {}, ["https://localhost.example.com/v2/"] = {},
      ["http://example.com/v2/"] = { plain_http = true }, ["http://example.org/v2/"] = { insecure = true },
      ["https://localhost:5001/v2/"] = { plain_http = false }, ["https://localhost:5002/v2/"] = { tls_verify = false },
      ["https://localhost:5003/v2/"] = { tls_verify = "ca.pem" },
      ["https://localhost:5004/v2/"] = { cert = "c.pem", key = "k.pem" },
    }
    for expected, opts in pairs(cases) do
      assert.equal(expected, url_of(opts, (expected:gsub("^https?://", ""))))
    end
  end)

  it("gives the answer whatever its status; check_response raises", function()
    local registry = helper.registry()
    local answer = registry:do_request("GET", faults.host "http" .. "/v2/none/x/manifests/1")
    assert.equal(404, answer.status)
    assert.equal("NAME_UNKNOWN", answer:json().errors[1].code)
    local err = helper.fails(registry, "check_response", answer)
    assert.equal("not_found", err.class)
    assert.matches("^GET http://", err.message:match "no (.*)")
  end)

  it("sends the headers given, those that may be secret only to the registry", function()
    local registry = helper.registry { headers = { ["X-One"] = "1" } }
    registry:set_header("X-Two", { "2", "3" })
    faults.on { listener = "http", path = "/v2/", redirect_to = "cdn" }
    registry:do_request("GET", faults.host "http" .. "/v2/", {
      headers = { ["X-Three"] = "3", ["If-None-Match"] = '"x"' },
    })
    local first, second = faults.log({ listener = "http" })[1], faults.log({ listener = "cdn" })[1]

    assert.equal("1", faults.header(first, "x-one"))
    assert.equal("2", faults.header(first, "x-two"))
    assert.equal("3", faults.header(first, "x-three"))
    assert.equal('"x"', faults.header(second, "if-none-match"))
    for _, name in ipairs { "x-one", "x-two", "x-three" } do
      assert.is_nil(faults.header(second, name))
    end
    registry:set_header("X-One", nil)
    registry:do_request("GET", faults.host "http" .. "/v2/")
    assert.is_nil(faults.header(faults.log({ listener = "http" })[2], "x-one"))
  end)

  it("refuses headers that would break a request", function()
    local registry = helper.registry()
    assert.equal("usage", helper.fails(registry, "set_header", "X: y", "1").class)
    local url = faults.host "http" .. "/v2/"
    local function refused(name, value)
      local err = helper.fails(registry, "set_header", name, value)
      assert.equal("usage", err.class, name)
      assert.matches("helper.lua:%d+", err.where) -- the caller, not our own files
      assert.equal("usage", helper.fails(registry, "do_request", "GET", url, { headers = { [name] = value } }).class)
      err = select(2, oras.try(helper.registry, { headers = { [name] = value } }))
      assert.equal("usage", err.class)
      return err.message
    end
    for _, value in ipairs { "a\r\nX-Other: b", "a\nb", "a\0b", 5, { "a", "b\r" } } do
      assert.matches("X%-Bad", refused("X-Bad", value))
    end
    for _, name in ipairs { "Content-Length", "host", "Transfer-Encoding", "Connection", "TE", "Expect" } do
      assert.matches(name, refused(name, "5"), 1, true)
    end
    assert.same({}, faults.log { listener = "http" })
  end)

  it("has one header of a name, in whatever case", function()
    local registry = helper.registry()
    local url = faults.host "http" .. "/v2/"
    registry:set_header("X-A", "a")
    registry:do_request("GET", url, { accept = "a/b", headers = { ["x-a"] = "b", ACCEPT = "c/d" } })
    registry:set_header("x-a", nil)
    registry:do_request("GET", url)
    local first, second = table.unpack(faults.log { listener = "http" })
    assert.equal("b", faults.header(first, "x-a"))
    assert.equal("c/d", faults.header(first, "accept"))
    assert.is_nil(faults.header(second, "x-a"))
  end)

  it("checks its options", function()
    assert.matches("accept%?", helper.fails(silent(), "do_request", "GET", "ghcr.io/v2/", { acept = "x" }).message)
  end)

  it("sends our name, or the one of the option", function()
    helper.registry():do_request("GET", faults.host "http" .. "/v2/")
    helper.registry({ user_agent = "mine/1" }):do_request("GET", faults.host "http" .. "/v2/")
    local all = faults.log { listener = "http" }
    assert.matches("^oras%-lua/", faults.header(all[1], "user-agent"))
    assert.equal("mine/1", faults.header(all[2], "user-agent"))
  end)

  it("verifies TLS: unknown CA refused, our CA and no verification accepted", function()
    local url = faults.host("https", "localhost") .. "/v2/"
    local function status(verify)
      return helper.registry({ tls_verify = verify }):do_request("GET", url).status
    end
    assert.equal("tls", helper.fails(helper.registry { plain_http = false }, "do_request", "GET", url).class)
    assert.equal(200, status(faults.cert "ca"))
    assert.equal(200, status(false))
  end)

  it("shows a client certificate to its registry only", function()
    local registry = helper.registry {
      tls_verify = faults.cert "ca", cert = faults.cert "client_cert", key = faults.cert "client_key",
    }
    faults.on { listener = "https", path = "/v2/", redirect_to = "https_evil" }
    registry:do_request("GET", faults.host("https", "localhost") .. "/v2/")
    assert.is_truthy(faults.log({ listener = "https" })[1].tls.client_cert)
    local evil = faults.log { listener = "https_evil" }
    assert.equal(1, #evil)
    assert.is_falsy(type(evil[1].tls.client_cert) == "string" and evil[1].tls.client_cert)
  end)
end)

describe("events", function()
  before_each(faults.reset)

  it("tell of requests, responses and warnings, each warning once", function()
    local registry = helper.registry()
    local seen = {}
    registry:on("request", function(request) seen[#seen + 1] = request.method end)
    registry:on("response", function(answer) seen[#seen + 1] = answer.status end)
    registry:on("warning", function(text) seen[#seen + 1] = text end)
    faults.on {
      path = "/v2/", always = true,
      set = { Warning = { '299 - "old \\"tag\\" \u{202E}"', '199 - "other"' } },
    }
    registry:do_request("GET", faults.host "http" .. "/v2/")
    registry:do_request("GET", faults.host "http" .. "/v2/")
    assert.equal("GET", seen[1])
    assert.matches('^old "tag"', seen[2])
    assert.is_nil(seen[2]:find "\u{202E}")
    assert.same({ 200, "GET", 200 }, { seen[3], seen[4], seen[5] })
  end)

  it("have names", function()
    local registry = helper.registry()
    assert.matches('no event "respons" %(response%?%)', helper.fails(registry, "on", "respons", print).message)
    assert.equal("usage", helper.fails(registry, "on", "request", "x").class)
  end)

  it("are one line each in the log of --debug, without secrets", function()
    faults.seed { repo = "bearer/log", tag = "1", layers = {} }
    local status, _, err = process.run("--debug", "-e", ([[
      local oras = require "oras"
      local registry = oras.Registry:new { headers = { ["X-Key"] = "canary-1" } }
      registry:set_basic_auth("alice", "wonder:land")
      registry:get_manifest "%s/bearer/log:1"]]):format(faults.host "http"))
    assert.equal(0, status, err)
    local url = faults.url "http"
    assert.matches("GET " .. url .. "/v2/bearer/log/manifests/1 -> 401\n", err, 1, true)
    assert.matches("GET " .. url .. "/v2/bearer/log/manifests/1 -> 200\n", err, 1, true)
    assert.matches("/token?service=***", err, 1, true)
    for _, secret in ipairs { "wonder:land", "YWxpY2U6", "canary", "Bearer " } do
      assert.is_nil(err:find(secret, 1, true), secret)
    end
  end)

  it("S01 pass on what a callback raises", function()
    local registry = helper.registry()
    local mark = {}
    registry:on("request", function() error(mark) end)
    local _, err = pcall(registry.do_request, registry, "GET", faults.host "http" .. "/v2/")
    assert.equal(mark, err)
  end)
end)

describe("a response of one's own", function()
  it("has headers by any case, content and JSON", function()
    local headers = { Link = { "a", "b" }, ["X-One"] = "1" }
    local answer = response.new { status = 200, headers = headers, body = '{"a":1}' }
    assert.equal("a, b", answer.headers.link)
    assert.same({ "a", "b" }, answer.headers "LINK")
    assert.same({}, answer.headers "none")
    assert.equal(1, answer:json().a)
    assert.equal("", response.new({ status = 204 }).content)
    assert.equal("content", helper.fails(response.new { status = 200, body = "x" }, "json").class)
  end)
end)

describe("the seams", function()
  it("carry every step through self", function()
    local Mirror = oras.Registry:extend "Mirror"
    local steps = {}
    for _, name in ipairs {
      "get_container", "fetch_manifest", "do_request", "send", "authenticate", "check_response",
    } do
      Mirror[name] = function(self, ...)
        steps[#steps + 1] = name
        return oras.Registry[name](self, ...)
      end
    end
    faults.reset()
    faults.seed { repo = "s/app", tag = "1", layers = {} }
    Mirror:new():get_manifest(faults.host "http" .. "/s/app:1")
    assert.same({ "get_container", "fetch_manifest", "do_request", "authenticate", "send", "check_response" }, steps)
  end)

  it("S09 name a method whose override gives nonsense", function()
    local registry = helper.registry()
    function registry.send()
      return 5
    end
    assert.matches("^send gives", helper.fails(registry, "do_request", "GET", "ghcr.io/v2/").message)
    for _, nonsense in ipairs { false, true, "x", {}, { digest = 5 }, { digest = "x" } } do
      registry = helper.registry()
      function registry.select_platform()
        return nonsense or nil
      end
      local index = { schemaVersion = 2, mediaType = "application/vnd.oci.image.index.v1+json",
        manifests = oras.json.array {} }
      function registry.do_request()
        return { status = 200, body = oras.json.encode(index) }
      end
      local err = helper.fails(registry, "get_manifest", "ghcr.io/a/b:1", { platform = "linux/amd64" })
      assert.equal("usage", err.class)
      assert.matches("^select_platform gives", err.message)
      function registry.get_image_index()
        return nonsense or nil
      end
      err = helper.fails(registry, "get_manifest", "ghcr.io/a/b:1", { platform = "linux/amd64" })
      assert.matches("^get_image_index gives", err.message)
    end
    for _, answer in ipairs { false, 5, {}, { status = "x" } } do
      local err = helper.fails(helper.registry(), "check_response", answer or nil)
      assert.matches("^check_response", err.message)
    end
    local err = helper.fails(helper.registry(), "select_platform", { manifests = { 5 } }, "linux/amd64")
    assert.matches("^select_platform", err.message)
    assert.matches("^organize_layers", helper.fails(helper.registry(), "organize_layers", { layers = {} }, "x").message)
  end)

  it("S09 say that a class or a bare table is no object", function()
    for _, bare in ipairs { setmetatable({}, { __index = oras.Registry }), oras.Registry } do
      local digest = oras.digest.of ""
      local calls = {
        get_manifest = { "h.io/a/b:1" }, get_blob = { "h.io/a/b:1", digest }, get_tags = { "h.io/a/b" },
        download_blob = { "h.io/a/b:1", digest, "/nonexistent/file" }, set_header = { "A", "b" },
        set_basic_auth = { "a", "b" }, get_credentials = { "h.io" }, do_request = { "GET", "http://h.io/v2/" },
        repositories = { "h.io" }, on = { "request", print }, resolve = { "h.io/a/b" },
      }
      for name, arguments in pairs(calls) do
        local _, err = oras.try(function()
          return bare[name](bare, table.unpack(arguments))
        end)
        assert.equal("usage", err and err.class, name)
        assert.matches("this is no object", err.message)
      end
      local _, err = oras.try(function()
        bare:get_manifest "h.io/a/b:1"
        return nil
      end)
      assert.matches("^get_manifest: ", err.message)
      assert.matches("registry_spec.lua", err.where)
    end
  end)
end)

describe("oras", function()
  it("has its parts, read in when they are used", function()
    for _, name in ipairs {
      "Registry", "Error", "provider", "client", "oci", "json", "digest", "archive", "layout", "task", "log",
      "defaults",
    } do
      assert.is_truthy(oras[name], name)
    end
    for _, name in ipairs { "gather", "map", "spawn", "try", "is_main" } do
      assert.is_function(oras[name], name)
    end
    assert.matches("^%d+%.%d+%.%d+$", oras.version)
    assert.is_nil(oras.nothing)
    assert.equal(oras.json.null, oras.json.decode "null")
    assert.equal('{"a":1,"b":[]}', oras.json.encode { b = oras.json.array {}, a = 1 })
    assert.equal("content", select(2, oras.try(oras.json.decode, "x")).class)
  end)
end)
