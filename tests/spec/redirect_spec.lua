local oras = require "oras"
local response = require "oras.response"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local function seed()
  local a = faults.seed { repo = "r/app", tag = "1", layers = { { data = "hello" } } }
  return faults.host "http" .. "/r/app", a.layers[1]
end

local function redirect(rule)
  rule.path = rule.path or "/v2/r/app/blobs/*"
  rule.listener = rule.listener or "http"
  rule.status = rule.status or 307
  faults.on(rule)
end

local function get(registry)
  local ref, layer = seed()
  return (registry or helper.registry()):get_blob(ref, layer).content
end

local function refused(registry)
  local ref, layer = seed()
  return helper.fails(registry or helper.registry(), "get_blob", ref, layer)
end

describe("redirects", function()
  before_each(faults.reset)

  it("N21 are followed for every status and every form of Location", function()
    for _, status in ipairs { 301, 302, 303, 307, 308 } do
      faults.reset()
      redirect { status = status, redirect_to = "cdn" }
      assert.equal("hello", get())
      assert.equal(1, #faults.log { listener = "cdn" })
    end
    local _, layer = seed()
    local path = "/v2/r/app/blobs/" .. layer.digest
    local authority = faults.url "cdn":match "^http:(.*)$"
    for _, location in ipairs {
      path .. "?again=1", "?again=1", "../blobs/" .. layer.digest .. "?again=1", authority .. path,
      faults.url "cdn" .. path,
    } do
      faults.reset()
      redirect { redirect = location }
      assert.equal("hello", get(), location)
    end
  end)

  it("N21 are followed for HEAD, and for manifests", function()
    local ref, layer = seed()
    redirect { redirect_to = "cdn", method = "HEAD" }
    assert.is_true(helper.registry():blob_exists(ref, layer))
    assert.equal("HEAD", faults.log({ listener = "cdn" })[1].method)
    redirect { redirect_to = "cdn", path = "/v2/r/app/manifests/*" }
    assert.is_table(helper.registry():get_manifest(ref .. ":1").layers)
    assert.matches("manifest", faults.header(faults.log({ listener = "cdn" })[2], "accept"))
  end)

  it("N22 end after ten, in a loop, or without a usable Location", function()
    redirect { redirect = "?x=1", always = true }
    assert.equal("redirect", refused().class)
    assert.equal(11, #faults.log { listener = "http" })
    for _, headers in ipairs {
      {}, { Location = "" }, { Location = { "/a", "/b" } }, { Location = "/" .. ("x"):rep(64000) },
    } do
      faults.reset()
      redirect { headers = headers, always = true }
      assert.equal("redirect", refused().class)
    end
    local three = helper.registry { limits = { redirects = 3 } }
    faults.reset()
    redirect { redirect = "?x=1", always = true }
    refused(three)
    assert.equal(4, #faults.log { listener = "http" })
  end)

  it("N23 carry no credential and no custom header to another host, and back again", function()
    faults.config { auth = { { repo = "r/", mode = "basic", listener = "http" } } }
    redirect { redirect_to = "cdn", has = { authorization = "." }, always = true }
    local registry = helper.registry { headers = { ["X-Api-Key"] = "canary-1" } }
    registry:set_basic_auth("alice", "wonder:land")
    local ref, layer = seed()
    assert.equal("hello", registry:get_blob(ref, layer).content)

    local cdn = faults.log { listener = "cdn" }
    assert.equal(1, #cdn)
    assert.is_nil(faults.header(cdn[1], "authorization"))
    assert.is_false(faults.saw(cdn, "canary-1"))
    assert.is_true(faults.saw(faults.log { listener = "http" }, "canary-1"))
  end)

  it("N23 leave a challenge of another origin unanswered", function()
    local registry = helper.registry()
    registry:set_basic_auth("alice", "wonder:land")
    redirect { redirect_to = "evil", always = true }
    faults.on { listener = "evil", challenge = 'Basic realm="x"', always = true }
    local err = refused(registry)
    assert.equal("auth", err.class)
    faults.reset()
    redirect { redirect_to = "evil", always = true }
    local realm = 'Bearer realm="%s/token",service="s"'
    faults.on { listener = "evil", path = "/v2/*", challenge = realm:format(faults.url "evil"), always = true }
    assert.equal("auth", refused(registry).class)
    assert.same({}, faults.log { path = "/token" })
    assert.is_false(faults.saw(faults.log { listener = "evil" }, "alice"))
    assert.is_false(faults.saw(faults.log { listener = "evil" }, "YWxpY2U6"))
  end)

  it("N24 are refused to other schemes, users and broken URLs", function()
    for _, location in ipairs {
      "file:///etc/passwd", "ftp://127.0.0.1/x", "data:,hello", "http://user:pw@127.0.0.1/x",
      "http://evil\\@127.0.0.1/",
      "gopher://127.0.0.1/", "http://", "http:///x", "http://127.0.0.1:99999/", "//",
    } do
      faults.reset()
      redirect { redirect = location, always = true }
      local err = refused()
      assert.equal("redirect", err.class, location)
      assert.is_nil(tostring(err):find("pw", 1, true))
    end
  end)

  it("N24 are refused from https to http", function()
    local registry = helper.registry { tls_verify = faults.cert "ca" }
    local a = faults.seed { repo = "r/tls", tag = "1", layers = { { data = "x" } } }
    faults.on { listener = "https", path = "/v2/r/tls/blobs/*", redirect_to = "http", always = true }
    local err = helper.fails(registry, "get_blob", faults.host("https", "localhost") .. "/r/tls", a.layers[1])
    assert.equal("redirect", err.class)
    assert.same({}, faults.log { listener = "http" })
  end)

  it("N25 are refused to link-local and unspecified addresses", function()
    for _, location in ipairs {
      "http://169.254.169.254/x", "http://0.0.0.0/x", "http://[::]/x", "http://[fe80::1]/x",
    } do
      faults.reset()
      redirect { redirect = location, always = true }
      assert.equal("redirect", refused().class, location)
    end
  end)

  it("N26 of a POST go to the same origin only, where the status keeps the method", function()
    local registry = helper.registry()
    local url = faults.host "http" .. "/v2/r/app/blobs/uploads/"
    redirect { method = "POST", path = "/v2/r/app/*", redirect_to = "evil", always = true }
    assert.equal("redirect", helper.fails(registry, "do_request", "POST", url, { body = "secret" }).class)
    faults.reset()
    redirect { method = "POST", path = "/v2/r/app/*", redirect = "?x=1", status = 302, always = true }
    assert.equal("redirect", helper.fails(registry, "do_request", "POST", url, { body = "secret" }).class)
    faults.reset()
    redirect { method = "POST", path = "/v2/r/app/*", redirect = "?x=1", status = 307 }
    assert.equal(202, registry:do_request("POST", url, { body = "" }).status)
    assert.same({}, faults.log { listener = "evil" })
  end)

  it("N27 begin again at the registry when a signed URL has expired", function()
    local ref, layer = seed()
    redirect { redirect_to = "cdn", always = true }
    faults.on { listener = "cdn", status = 403 }
    assert.equal("hello", helper.registry():get_blob(ref, layer).content)
    assert.equal(2, #faults.log { listener = "http" })
    faults.on { listener = "cdn", status = 403, always = true }
    assert.equal("denied", helper.fails(helper.registry(), "get_blob", ref, layer).class)
    assert.equal(4, #faults.log { listener = "http" })
  end)

  it("N27 fetch a new signed URL for the rest of a download", function()
    local a = faults.seed { repo = "r/app", tag = "1", layers = { { size = 300000 } } }
    local directory = helper.directory()
    redirect { redirect_to = "cdn", always = true }
    faults.script {
      { listener = "cdn", cut = 200000, how = "rst" },
      { listener = "cdn", status = 403 },
    }
    helper.registry():download_blob(faults.host "http" .. "/r/app", a.layers[1], directory .. "/file")
    assert.equal(a.layers[1].digest, oras.digest.of_file(directory .. "/file"))
    assert.matches("^bytes=", faults.header(faults.log({ listener = "cdn" })[3], "range"))
    helper.clean()
  end)

  it("keep the realm of a token in bounds", function()
    for _, realm in ipairs {
      "http://169.254.169.254/token", "file:///etc/passwd", "http://0.0.0.0/token", "http://user@127.0.0.1/token",
      "ftp://127.0.0.1/", "http://[fe80::1]/", "nonsense:", "http://2852039166/token",
    } do
      faults.reset()
      faults.seed { repo = "r/app", tag = "1", layers = {} }
      faults.on { path = "/v2/*", challenge = ('Bearer realm="%s",service="s"'):format(realm), always = true }
      local registry = helper.registry { retry = { tries = 1 } }
      registry:set_basic_auth("alice", "wonder:land")
      local err = helper.fails(registry, "get_manifest", faults.host "http" .. "/r/app:1")
      assert.is_true(err.class == "redirect" or err.class == "auth", realm .. " gave " .. tostring(err))
    end
  end)
end)

describe("a scripted redirect", function()
  it("keeps method and headers, and gives the secret to its origin only", function()
    local registry = helper.registry()
    local seen = {}
    function registry.send(_, request)
      seen[#seen + 1] = { request.method, request.url, request.purpose, request.origin }
      if #seen == 1 then
        return response.new { status = 307, headers = { Location = "https://cdn.example/x" }, url = request.url }
      end
      return response.new { status = 200, body = "hello", url = request.url }
    end
    assert.equal("hello", registry:get_blob("ghcr.io/a/b", oras.digest.of "hello").content)
    assert.same({ "GET", "https://cdn.example/x", "redirect", "https://ghcr.io:443" }, seen[2])
  end)
end)
