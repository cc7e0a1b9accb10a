--- What went wrong in other clients must not happen here: each test carries the advisory's name
--- and looks at what the attacker's server saw, not only at what we gave back.
local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local USER <const>, PASSWORD <const> = "alice", "wonder:land"
local BASIC <const> = core.base64.encode(USER .. ":" .. PASSWORD)
local CANARY <const> = "canary-5e1f"

local function alice(opts)
  local registry = helper.registry(opts)
  registry:set_basic_auth(USER, PASSWORD)
  return registry
end

--- A repository with one layer, protected at its own listener only (`mode`: "basic", "bearer");
--- gives its reference and the layer.
local function seed(repository, listener, mode)
  if mode then
    faults.config { auth = { { repo = repository, mode = mode, listener = listener or "http" } } }
  end
  local made = faults.seed { repo = repository, tag = "1", layers = { { data = "hello" } } }
  return faults.host(listener or "http") .. "/" .. repository .. ":1", made.layers[1]
end

local function blobs_go(rule)
  rule.listener, rule.always, rule.status = rule.listener or "http", true, 307
  rule.path = rule.path or "/v2/*/blobs/*"
  faults.on(rule)
end

local function headers_seen(filter, name)
  local seen = {}
  for _, entry in ipairs(faults.log(filter)) do
    seen[#seen + 1] = faults.header(entry, name)
  end
  return seen
end

--- Nothing that belongs to alice, to a token or to a canary reached this listener.
local function assert_clean(listener)
  local entries = faults.log { listener = listener }
  assert.same({}, headers_seen({ listener = listener }, "authorization"))
  assert.same({}, headers_seen({ listener = listener }, "proxy-authorization"))
  for _, secret in ipairs { PASSWORD, BASIC, CANARY, "wonder%3aland", "wonder%3Aland" } do
    assert.is_false(faults.saw(entries, secret), secret)
  end
  return entries
end

describe("credentials stay where they belong", function()
  before_each(faults.reset)

  it("CVE-2020-15157: a layer's urls are not fetched", function()
    local manifest = {
      schemaVersion = 2,
      mediaType = "application/vnd.oci.image.manifest.v1+json",
      config = { mediaType = "application/vnd.oci.empty.v1+json", size = 2, digest = oras.digest.of "{}" },
      layers = { {
        mediaType = "application/octet-stream",
        size = 5,
        digest = oras.digest.of "hello",
        urls = { faults.url "evil" .. "/layer" },
      } },
    }
    faults.seed { repo = "basic/urls", tag = "1", manifest = manifest }
    faults.on { listener = "evil", challenge = 'Basic realm="x"', always = true }
    local reference = faults.host "http" .. "/basic/urls:1"
    local registry = alice()
    local layer = registry:get_manifest(reference).layers[1]

    assert.equal("not_found", helper.fails(registry, "get_blob", reference, layer).class)
    assert.equal(0, #assert_clean "evil")
  end)

  it("GHSA-vh4v-2xq2-g5cg, CVE-2018-18074, CVE-2022-27774: another port or scheme is another host", function()
    local reference, layer = seed("r/app", "http", "basic")
    blobs_go { redirect_to = "cdn", has = { authorization = "." } }
    assert.equal("hello", alice():get_blob(reference, layer).content)
    assert.equal(1, #assert_clean "cdn")

    faults.reset()
    local secure, other = seed("r/app", "https", "basic")
    blobs_go { listener = "https", redirect_to = "cdn", has = { authorization = "." } }
    local registry = alice { tls_verify = faults.cert "ca" }
    assert.equal("redirect", helper.fails(registry, "get_blob", secure, other).class)
    assert.equal(0, #assert_clean "cdn")
  end)

  it("gcr-2349: a 401 of the redirect's target brings no header back, and its realm is not asked", function()
    local reference, layer = seed("r/app", "http", "bearer")
    blobs_go { redirect_to = "evil", has = { authorization = "." } }
    local realm = 'Bearer realm="%s/token",service="s",scope="repository:r/app:pull"'
    faults.on { listener = "evil", path = "/v2/*", challenge = realm:format(faults.url "evil"), always = true }

    assert.equal("auth", helper.fails(alice(), "get_blob", reference, layer).class)
    for _, entry in ipairs(assert_clean "evil") do
      assert.matches("^/v2/", entry.path)
    end
  end)

  it("CVE-2024-45336: a header does not come back on a second hop", function()
    local reference, layer = seed("r/app", "http", "basic")
    local path = "/v2/r/app/blobs/" .. layer.digest
    blobs_go { redirect_to = "cdn", has = { authorization = "." } }
    faults.script {
      { listener = "cdn", status = 307, redirect = path .. "?second=1" },
      { listener = "cdn", status = 307, redirect = faults.url "http" .. path .. "?third=1" },
    }
    faults.on { listener = "http", target = "third=1", status = 307, redirect_to = "cdn" }
    assert.equal("hello", alice { headers = { ["X-Api-Key"] = CANARY } }:get_blob(reference, layer).content)
    assert.equal(3, #assert_clean "cdn")
  end)

  it("GHSA-whvf-jp7m-59f3: a custom header goes neither to a redirect's target nor to a realm", function()
    local reference, layer = seed("r/app", "http", "bearer")
    faults.config { realm = faults.url "token" .. "/token" }
    blobs_go { redirect_to = "cdn", has = { authorization = "." } }
    local registry = alice { headers = { ["X-Api-Key"] = CANARY } }
    registry:set_header("X-Other", CANARY)

    assert.equal("hello", registry:get_blob(reference, layer).content)
    assert.equal(1, #assert_clean "cdn")
    assert.is_false(faults.saw(faults.log { listener = "token" }, CANARY))
    assert.is_true(faults.saw(faults.log { listener = "http" }, CANARY))
  end)

  it("GHSA-h3wm-jjqf-8jm2: a client certificate is shown to the registry only", function()
    local reference, layer = seed("open/app", "mtls")
    blobs_go { listener = "mtls", redirect_to = "https_cdn" }
    local registry = helper.registry {
      tls_verify = faults.cert "ca",
      cert = faults.cert "client_cert",
      key = faults.cert "client_key",
      hostname = faults.host "mtls",
    }
    assert.equal("hello", registry:get_blob(reference, layer).content)

    local shown = faults.log { listener = "mtls" }
    assert.is_true(shown[1].tls.client_cert)
    local cdn = faults.log { listener = "https_cdn" }
    assert.equal(1, #cdn)
    assert.is_false(cdn[1].tls.client_cert)
  end)

  it("CVE-2021-32690: nothing follows a blob to its CDN", function()
    local reference, layer = seed("r/app", "http", "bearer")
    faults.config { blob_redirect = "cdn" }
    assert.equal("hello", alice():get_blob(reference, layer).content)
    assert.equal(1, #assert_clean "cdn")
  end)

  it("CVE-2025-14524: a token that was given does not follow a redirect", function()
    local reference, layer = seed("r/app", "http", "bearer")
    local registry = helper.registry()
    registry:set_token_auth(faults.token { user = USER, scope = "repository:r/app:pull" })
    blobs_go { redirect_to = "evil", has = { authorization = "^Bearer " } }
    registry:get_blob(reference, layer)
    assert.equal(1, #assert_clean "evil")
  end)

  it("CVE-2026-103868: a second object has no token of the first", function()
    local reference = seed "bearer/app"
    alice():get_manifest(reference)
    local all = faults.log {}
    local token = faults.header(all[#all], "authorization")
    local err = helper.fails(helper.registry(), "get_manifest", reference)

    assert.equal("auth", err.class)
    assert.matches("^Bearer ", token)
    local later = faults.log { since = all[#all].id }
    assert.is_true(#later > 0)
    assert.is_false(faults.saw(later, token))
    assert.is_false(faults.saw(later, BASIC))
  end)

  it("CVE-2026-59891: credentials of a name that looks alike are not taken", function()
    local reference = seed "basic/app"
    local host = faults.host "http"
    local port = host:match ":(%d+)$"
    local auths = {}
    for _, name in ipairs {
      "127.0.0.1", "127.0.0.1.:" .. port, "127.0.0.10:" .. port, "127.0.0.1:" .. port .. "0", "localhost:" .. port,
      "x127.0.0.1:" .. port, "127.0.0.1:" .. port .. ".evil.com", "alice@127.0.0.1:" .. port, "0.0.1:" .. port,
    } do
      auths[name] = { auth = BASIC }
    end
    local directory = helper.directory()
    local path = helper.write(directory .. "/config.json", oras.json.encode { auths = auths })

    assert.equal("auth", helper.fails(helper.registry { config_path = path }, "get_manifest", reference).class)
    assert_clean "http"
    helper.clean()
  end)

  it("CVE-2024-11053, CVE-2024-47081: a netrc file is not read", function()
    local reference = seed "basic/app"
    local directory = helper.directory()
    helper.write(directory .. "/.netrc", ("default login %s password %s\n"):format(USER, PASSWORD))
    local script = helper.write(directory .. "/get.lua", 'require("oras").Registry:new():get_manifest(arg[1])')
    local words = { "HOME=" .. directory, process.quote(process.oras_lua), script, reference }
    local status, _, err = process.shell("env " .. table.concat(words, " "))

    assert.equal(1, status)
    assert.matches("auth", err)
    assert_clean "http"
    helper.clean()
  end)

  it("CVE-2026-86413: Negotiate and NTLM are not tried", function()
    local reference = seed "open/app"
    for _, scheme in ipairs { "Negotiate", "NTLM", "Digest realm=\"x\", nonce=\"y\"", "Negotiate YII=" } do
      faults.on { path = "/v2/open/*", challenge = scheme }
      assert.equal("auth", helper.fails(alice(), "get_manifest", reference).class, scheme)
    end
    assert_clean "http"
  end)
end)

describe("a registry does not send us anywhere", function()
  before_each(faults.reset)

  it("CVE-2026-48978, GHSA-xf85-363p-868w: a realm leads to no other scheme, no inner address", function()
    local reference = seed "open/app"
    for _, realm in ipairs {
      "http://169.254.169.254/t", "http://[fe80::1]/t", "http://[fe80::1%25eth0]/t",
      "http://0.0.0.0/t", "http://[::]/t", "http://0/t", "http://2852039166/t",
      "http://0xa9fea9fe/t", "http://0251.0376.0251.0376/t", "http://169.254.43518/t",
      "http://[::ffff:a9fe:a9fe]/t", "http://[::ffff:169.254.169.254]/t", "http://0x0/t",
      "http://0.0/t", "http://00/t", "http://user@127.0.0.1/t", "http://127.0.0.1@evil.example/t",
      "http://evil\\@127.0.0.1/t", "file:///etc/passwd", "ftp://127.0.0.1/t",
      "gopher://127.0.0.1/t", "dict://127.0.0.1/t", "data:,x", "javascript:x", "http://",
      "https://", "http://:80/t", "http://127.0.0.1:0/t", "http://127.0.0.1:99999/t", "http:///t",
      "http://127.0.0.1/\tt", "http://[::1/t",
    } do
      faults.reset { content = false }
      faults.on { path = "/v2/*", challenge = ('Bearer realm="%s",service="s"'):format(realm), always = true }
      local registry = helper.registry { retry = { tries = 1 }, timeout = { connect = 2 } }
      registry:set_basic_auth(USER, PASSWORD)
      local err = helper.fails(registry, "get_manifest", reference)
      assert.is_true(err.class == "redirect" or err.class == "auth", realm .. " gave " .. tostring(err))
      assert_clean "http"
    end
  end)

  it("CVE-2026-48978: a realm of an https registry is not asked by http", function()
    local reference = seed("open/app", "https")
    local challenge = ('Bearer realm="%s/token",service="s"'):format(faults.url "token")
    faults.on { listener = "https", path = "/v2/*", challenge = challenge, always = true }
    local registry = alice { tls_verify = faults.cert "ca" }

    assert.equal("redirect", helper.fails(registry, "get_manifest", reference).class)
    assert.equal(0, #assert_clean "token")
  end)

  it("GHSA-h7vf-4x9w-h99v, CVE-2026-88887: a next page of another origin is not asked", function()
    local reference = seed "basic/app"
    local link = ('<%s/v2/basic/app/tags/list?last=1>; rel="next"'):format(faults.url "evil")
    faults.on { path = "/v2/basic/app/tags/list", has = { authorization = "." }, set = { Link = link }, always = true }

    assert.equal("redirect", helper.fails(alice(), "get_tags", reference).class)
    assert.equal(0, #assert_clean "evil")
  end)

  it("gcr-2293: each hop is judged, also that of a token server", function()
    local reference, layer = seed "open/app"
    blobs_go { redirect_to = "cdn" }
    faults.on { listener = "cdn", status = 307, redirect = "http://169.254.169.254/latest", always = true }
    assert.equal("redirect", helper.fails(helper.registry(), "get_blob", reference, layer).class)

    local protected = seed "bearer/app"
    faults.on { path = "/token*", status = 307, redirect = "http://169.254.169.254/latest", always = true }
    local registry = alice { timeout = { connect = 2 }, retry = { tries = 1 } }
    local class = helper.fails(registry, "get_manifest", protected).class
    assert.is_true(class == "redirect" or class == "auth", class)
  end)

  it("CVE-2019-10214: the token server's certificate is checked as well", function()
    local reference = seed("open/app", "https")
    for _, listener in ipairs { "tls_selfsigned", "tls_expired", "tls_wronghost" } do
      faults.reset { content = false }
      local challenge = ('Bearer realm="%s/token",service="s"'):format(faults.url(listener))
      faults.on { listener = "https", path = "/v2/*", challenge = challenge, always = true }
      local registry = alice { tls_verify = faults.cert "ca", retry = { tries = 1 } }

      assert.equal("tls", helper.fails(registry, "get_manifest", reference).class, listener)
      assert_clean(listener)
    end
  end)
end)

describe("proxies", function()
  before_each(faults.reset)

  local function proxy(listener, login)
    return ("http://%s%s"):format(login and login .. "@" or "", faults.host(listener))
  end

  it("CVE-2025-4673, CVE-2023-32681: a proxy's credentials do not go through it", function()
    local _, layer = seed "open/app"
    faults.config { hosts = {
      ["registry.test:443"] = faults.host "https",
      ["cdn.registry.test:443"] = faults.host "https_cdn",
    } }
    local elsewhere = "https://cdn.registry.test/v2/open/app/blobs/" .. layer.digest
    blobs_go { listener = "https", redirect = elsewhere }
    local registry = helper.registry {
      proxy = proxy("proxy_auth", "proxyuser:proxypass"),
      tls_verify = faults.cert "ca",
    }

    assert.equal("hello", registry:get_blob("registry.test/open/app:1", layer).content)
    assert.is_true(#headers_seen({ listener = "proxy_auth" }, "proxy-authorization") > 0)
    assert.equal(1, #assert_clean "https")
    assert.equal(1, #assert_clean "https_cdn")
  end)

  it("CVE-2026-6253, CVE-2026-7168, CVE-2026-8927: another proxy does not get them", function()
    local reference = seed "open/app"
    helper.registry { proxy = proxy("proxy_auth", "proxyuser:proxypass") }:get_manifest(reference)
    helper.registry { proxy = proxy "proxy" }:get_manifest(reference)

    assert.is_true(#faults.log { listener = "proxy" } > 0)
    assert_clean "proxy"
  end)
end)

describe("output", function()
  before_each(faults.reset)

  it("GHSA-5jhf-2qmf-m8c5, CVE-2019-13509: a trace shows no secret, in no coding", function()
    local reference, layer = seed "bearer/app"
    blobs_go { redirect = faults.url "cdn" .. "/v2/bearer/app/blobs/" .. layer.digest .. "?sig=" .. CANARY,
      has = { authorization = "." } }
    local directory = helper.directory()
    local script = helper.write(directory .. "/get.lua", [[
      local registry = require("oras").Registry:new { headers = { ["X-Api-Key"] = arg[3] } }
      registry:set_basic_auth(arg[4], arg[5])
      registry:get_blob(arg[1], arg[2])
      registry:get_blob(arg[1], "sha256:" .. ("0"):rep(64))
    ]])
    local status, out, err = process.run("--debug", script, reference, layer.digest, CANARY, USER, PASSWORD)
    local text = out .. err

    assert.equal(1, status)
    assert.matches("bearer/app", text)
    local secrets = { CANARY, PASSWORD, BASIC, core.base64.encode(PASSWORD), "wonder%3aland", "wonder%3Aland" }
    for _, entry in ipairs(faults.log { listener = "http" }) do
      secrets[#secrets + 1] = (faults.header(entry, "authorization") or ""):match "^Bearer (.+)$"
    end
    assert.is_true(#secrets > 6)
    for _, secret in ipairs(secrets) do
      assert.is_nil(text:find(secret, 1, true), secret)
    end
    helper.clean()
  end)
end)
