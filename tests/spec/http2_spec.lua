local faults = require "tests.support.faults"
local faulty = require "tests.spec.faulty"
local helper = require "tests.spec.helper"

describe("HTTP/2", function()
  local layer, url
  before_each(function()
    faults.reset()
    layer = select(2, faulty.seed())
    url = ("%s/v2/t/app/blobs/%s"):format(faults.host "h2", layer.digest)
  end)

  local function registry(opts)
    opts = opts or {}
    opts.tls_verify = faults.cert "ca"
    return helper.registry(opts)
  end

  local function get(client, timeout)
    return client:do_request("GET", url, { http2 = true, digest = layer.digest, size = layer.size, timeout = timeout })
  end

  local function requests()
    return faults.log { listener = "h2", path = faulty.PATH }
  end

  it("N20 is spoken where the server offers it", function()
    local client = registry()
    assert.equal(5000, #get(client).content)
    assert.equal(5000, #get(client).content)
    local all = requests()
    assert.matches("2", all[1].version)
    assert.equal(all[1].connection, all[2].connection)
  end)

  it("N20 that ends with GOAWAY, RST_STREAM or a cut stream goes on by another try", function()
    for _, rule in ipairs { { h2 = "goaway" }, { h2 = "rst" }, { cut = 1000 }, { h2 = "goaway_after" } } do
      faults.reset { content = false }
      local client = registry()
      rule.listener, rule.path = "h2", faulty.PATH
      faults.on(rule)
      assert.equal(5000, #get(client).content)
      assert.equal(5000, #get(client).content)
    end
  end)

  it("N20 that always breaks is a network error", function()
    for _, rule in ipairs { { h2 = "goaway" }, { h2 = "rst" }, { cut = 1000 } } do
      faults.reset { content = false }
      local client = registry { retry = { tries = 1 } }
      rule.listener, rule.path, rule.always = "h2", faulty.PATH, true
      faults.on(rule)
      local _, err = pcall(get, client)
      assert.equal("network", err.class, tostring(err))
      assert.is_true(err.retryable)
      assert.matches(faults.host "h2", err.message, 1, true)
      faults.reset { content = false }
      assert.equal(5000, #get(client).content)
    end
  end)

  it("N20 that stalls, before the headers or in the body, times out", function()
    for _, rule in ipairs { { h2 = "stall" }, { stall = 1000 } } do
      faults.reset { content = false }
      local client = registry { retry = { tries = 1 } }
      rule.listener, rule.path, rule.always = "h2", faulty.PATH, true
      faults.on(rule)
      local _, err = pcall(get, client, { first_byte = 0.5, stall = 0.5 })
      assert.equal("timeout", err.class, tostring(err))
      assert.is_true(err.retryable)
      faults.reset { content = false }
      assert.equal(5000, #get(client).content)
    end
  end)
end)
