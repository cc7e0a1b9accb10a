local faults = require "tests.support.faults"
local faulty = require "tests.spec.faulty"
local helper = require "tests.spec.helper"

local function seed()
  local _, layer = faulty.seed()
  return layer
end

local function ref(listener, host)
  return faults.host(listener, host) .. "/t/app"
end

local function trusting(opts)
  opts = opts or {}
  opts.tls_verify = faulty.ca()
  return faulty.once(opts)
end

-- A tls error that names host and reason, is not tried again, and says nothing to the server.
local function refused(registry, listener, words)
  local layer = seed()
  local err = helper.fails(registry, "get_blob", ref(listener), layer)
  assert.equal("tls", err.class, tostring(err))
  assert.is_false(err.retryable == true)
  assert.matches(faults.host(listener), err.message, 1, true)
  assert.matches(words, err.message)
  assert.same({}, faults.log { listener = listener, path = "/v2/*" })
  assert.equal(5000, #registry:get_blob(ref "https", layer).content)
end

describe("TLS", function()
  before_each(faults.reset)
  after_each(helper.clean)

  it("N17 is refused with an expired certificate", function()
    refused(trusting(), "tls_expired", "certificate has expired")
  end)

  it("N17 is refused with the certificate of another host", function()
    refused(trusting(), "tls_wronghost", "subject name")
  end)

  it("N17 is refused with a self-signed certificate", function()
    refused(trusting(), "tls_selfsigned", "self.signed")
  end)

  it("N17 is refused below TLS 1.2", function()
    refused(trusting(), "tls_old", "protocol")
  end)

  it("N17 is refused when nobody known signed the certificate", function()
    local registry = faulty.once { plain_http = false }
    local err = helper.fails(registry, "get_blob", ref "https", seed())
    assert.equal("tls", err.class)
    assert.is_false(err.retryable == true)
    assert.matches("unable to get local issuer", err.message)
    assert.same({}, faults.log { listener = "https", path = "/v2/*" })
  end)

  it("N17 names a CA file that is not there", function()
    local registry = faulty.once { tls_verify = "/nonexistent/ca.pem" }
    local err = helper.fails(registry, "get_blob", ref "https", seed())
    assert.equal("io", err.class)
    assert.equal("tls_verify: '/nonexistent/ca.pem': No such file or directory", err.message)
    assert.equal("io", helper.fails(faulty.once { tls_verify = "/" }, "get_blob", ref "https", seed()).class)
  end)

  it("N17 is not judged when that was asked for", function()
    local layer = seed()
    local registry = faulty.once { tls_verify = false }
    assert.equal(5000, #registry:get_blob(ref "tls_selfsigned", layer).content)
    assert.equal(5000, #registry:get_blob(ref "tls_wronghost", layer).content)
  end)

  it("N17 cut in the handshake is a network error", function()
    for _, rule in ipairs { { tls = "cut" }, { drop = "fin" }, { drop = "rst" } } do
      faults.reset()
      local layer = seed()
      local registry = trusting()
      rule.on, rule.listener, rule.always = "connect", "https", true
      faults.on(rule)
      local err = helper.fails(registry, "get_blob", ref "https", layer)
      assert.equal("network", err.class, tostring(err))
      assert.is_true(err.retryable)
      assert.matches(faults.host "https", err.message, 1, true)
      faults.reset { content = false }
      assert.equal(5000, #registry:get_blob(ref "https", layer).content)
    end
  end)

  it("N17 cut in the handshake once is tried again", function()
    local layer = seed()
    faults.on { on = "connect", listener = "https", tls = "cut" }
    local registry = helper.registry { tls_verify = faults.cert "ca" }
    assert.equal(5000, #registry:get_blob(ref "https", layer).content)
  end)

  it("N17 is refused when the certificate is another one after a reconnect", function()
    local layer = seed()
    local registry = trusting()
    faults.on { listener = "https", close = true, path = faulty.PATH }
    assert.equal(5000, #registry:get_blob(ref "https", layer).content)
    faults.on { on = "connect", listener = "https", cert = "selfsigned", always = true }
    local err = helper.fails(registry, "get_blob", ref "https", layer)
    assert.equal("tls", err.class)
    assert.equal(1, #faults.log { listener = "https", path = faulty.PATH })
  end)

  it("N18 cut without close_notify is a broken body", function()
    local layer = seed()
    local registry = trusting()
    local cases = {
      { { cut = 1000 }, "network", true }, { { cut = 1000, chunked = 100 }, "network", true },
      { { cut = 1000, no_length = true } },
    }
    for _, case in ipairs(cases) do
      local rule = case[1]
      rule.path, rule.always, rule.how = faulty.PATH, true, "tls"
      faults.on(rule)
      local err = helper.fails(registry, "get_blob", ref "https", layer)
      local fits = err.class == case[2] or (not case[2] and (err.class == "network" or err.class == "integrity"))
      assert.is_true(fits, tostring(err))
      faults.reset { content = false }
      assert.equal(5000, #registry:get_blob(ref "https", layer).content)
    end
  end)

  it("N19 towards plain http hints at it, and does not fall back", function()
    local layer = seed()
    local registry = faulty.once { plain_http = false }
    local err = helper.fails(registry, "get_blob", ref "http", layer)
    assert.equal("tls", err.class)
    assert.matches(faults.host "http", err.message, 1, true)
    assert.matches("plain_http = true", err.message, 1, true)
    assert.matches("--plain-http", err.message, 1, true)
    assert.same({}, faults.log { listener = "http", path = "/v2/*" })
  end)

  it("N19 spoken to in plain http hints at it", function()
    local layer = seed()
    local registry = faulty.once { plain_http = true }
    local err = helper.fails(registry, "get_blob", ref "https", layer)
    assert.is_true(err.class == "protocol" or err.class == "network", tostring(err))
    assert.matches(faults.host "https", err.message, 1, true)
    assert.matches("expect https?", err.message, 1, true)
    assert.equal(5000, #registry:get_blob(ref "http", layer).content)
    local alert = "\21\3\1\0\2\2\70"
    faults.on { listener = "http", path = faulty.PATH, raw = alert, always = true }
    err = helper.fails(registry, "get_blob", ref "http", layer)
    assert.equal("protocol", err.class)
    assert.matches("expect https?", err.message, 1, true)
    for _, body in ipairs { -- of Go's server and of nginx
      "Client sent an HTTP request to an HTTPS server.\n",
      "<html><body>The plain HTTP request was sent to HTTPS port</body></html>",
    } do
      faults.reset { content = false }
      faults.on { listener = "http", path = faulty.PATH, status = 400, set = { ["Content-Type"] = false }, body = body }
      err = helper.fails(registry, "get_blob", ref "http", layer)
      assert.equal("protocol", err.class)
      assert.matches("expect https?", err.message, 1, true)
      assert.is_nil(err.message:find("<", 1, true))
    end
  end)
end)

describe("a client certificate", function()
  before_each(faults.reset)
  after_each(helper.clean)

  local function certified()
    return trusting { cert = faults.cert "client_cert", key = faults.cert "client_key" }
  end

  local function shown(listener)
    local list = {}
    for _, entry in ipairs(faults.log { listener = listener, path = "/v2/*" }) do
      list[#list + 1] = entry.tls and entry.tls.client_cert and "shown" or "hidden"
    end
    return list
  end

  it("opens a registry that demands one", function()
    local layer = seed()
    assert.equal(5000, #certified():get_blob(ref "mtls", layer).content)
    local err = helper.fails(trusting(), "get_blob", ref "mtls", layer)
    -- TLS 1.3: the server says so behind its handshake, and may reset before we have read it
    if err.class == "tls" then
      assert.is_false(err.retryable == true)
      assert.matches("certificate required", err.message)
    else
      assert.equal("network", err.class, tostring(err))
    end
  end)

  it("GHSA-h3wm-jjqf-8jm2 is shown to the registry and not where a redirect leads", function()
    local layer = seed()
    faults.on { listener = "https", path = faulty.PATH, redirect_to = "https_evil" }
    assert.equal(5000, #certified():get_blob(ref "https", layer).content)
    assert.same({ "shown" }, shown "https")
    assert.same({ "hidden" }, shown "https_evil")
  end)

  it("GHSA-h3wm-jjqf-8jm2 is not shown to a token server elsewhere", function()
    seed()
    local realm = ('Bearer realm="%s/token",service="s"'):format(faults.url "https_evil")
    faults.on { listener = "https", challenge = realm }
    helper.fails(certified(), "get_blob", ref "https", { digest = "sha256:" .. ("0"):rep(64), size = 1 })
    local tokens = faults.log { listener = "https_evil", path = "/token" }
    assert.equal(1, #tokens)
    assert.is_falsy(tokens[1].tls.client_cert)
  end)

  it("is shown to each registry that it is used with, on connections of their own", function()
    local layer = seed()
    local registry = certified()
    registry:get_blob(ref "https", layer)
    registry:get_blob(ref "https_cdn", layer)
    assert.same({ "shown" }, shown "https")
    assert.same({ "shown" }, shown "https_cdn")
  end)

  it("names a file that is none", function()
    local bad = { cert = faults.cert "client_cert", key = "/nonexistent/key.pem" }
    local err = helper.fails(trusting(bad), "get_blob", ref "https", seed())
    assert.equal("io", err.class)
    assert.equal("key: '/nonexistent/key.pem': No such file or directory", err.message)
  end)
end)
