--- Rate limits that a registry tells in its headers, as Docker Hub does.
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local core = require "oras.core"

describe("a registry's rate limit", function()
  local registry, ref, sleep, slept

  local function say(headers, more)
    local rule = { method = "HEAD", path = "/v2/rate/app/manifests/*", set = headers }
    for key, value in pairs(more or {}) do
      rule[key] = value
    end
    faults.on(rule)
  end

  local function hub(remaining, more)
    say({ ["ratelimit-limit"] = "100;w=21600", ["ratelimit-remaining"] = remaining .. ";w=21600" }, more)
  end

  before_each(function()
    faults.reset()
    faults.seed { repo = "rate/app", tag = "v1", layers = { { data = "layer" } } }
    registry, ref = helper.registry(), faults.host "http" .. "/rate/app:v1"
    sleep, slept = core.clock.sleep, {}
    core.clock.sleep = function(seconds)
      slept[#slept + 1] = seconds
    end
  end)

  after_each(function()
    core.clock.sleep = sleep
  end)

  it("is read from the headers of a HEAD, which does not count", function()
    say {
      ["ratelimit-limit"] = "100;w=21600", ["ratelimit-remaining"] = "76;w=21600",
      ["docker-ratelimit-source"] = "192.0.2.1",
    }
    assert.same({ limit = 100, remaining = 76, window = 21600, source = "192.0.2.1" }, registry:rate_limit(ref))
    assert.same({ HEAD = 1, total = 1 }, faults.count { path = "/v2/rate/*" })
  end)

  it("is nil where nothing is said, or nonsense", function()
    assert.is_nil(registry:rate_limit(ref))
    for _, text in ipairs { "many", "", "-1", "1.5", "99999999999999999999", "1 2" } do
      say { ["ratelimit-remaining"] = text }
      assert.is_nil(registry:rate_limit(ref), text)
    end
    assert.is_nil(registry:rate_limit "oci:examples/layout:1.0.0-0")
  end)

  it("knows the window's end where that is told, in seconds or as a time", function()
    say { ["RateLimit-Limit"] = "10", ["RateLimit-Remaining"] = "3", ["RateLimit-Reset"] = "42" }
    assert.same({ limit = 10, remaining = 3, reset = 42 }, registry:rate_limit(ref))
    say { ["RateLimit-Remaining"] = "3", ["RateLimit-Reset"] = tostring(os.time() + 1000) }
    local reset = registry:rate_limit(ref).reset
    assert.is_true(reset > 900 and reset <= 1000, reset)
  end)

  it("takes a 429 for what it says", function()
    say({ ["Retry-After"] = "7", ["ratelimit-limit"] = "100;w=60" }, { set_status = 429 })
    assert.same({ limit = 100, remaining = 0, window = 60, reset = 7 }, registry:rate_limit(ref))
    assert.equal("not_found", helper.fails(registry, "rate_limit", ref .. "2").class)
  end)

  it("shows no control characters of a server", function()
    say { ["ratelimit-remaining"] = "1", ["docker-ratelimit-source"] = "a\u{202E}b" }
    assert.equal("a?b", registry:rate_limit(ref).source)
  end)

  it("is waited for, longer each time where nothing says how long", function()
    hub(0, { times = 3 })
    hub(5, { always = true })
    assert.equal(5, registry:wait_for_rate(ref).remaining)
    assert.same({ 1, 2, 4 }, slept)
  end)

  it("is waited for as long as the registry says", function()
    say({ ["Retry-After"] = "30" }, { set_status = 429 })
    assert.is_nil(registry:wait_for_rate(ref))
    assert.same({ 30 }, slept)
  end)

  it("is waited for until as many are allowed as are needed", function()
    hub(2)
    hub(12, { always = true })
    assert.equal(12, registry:wait_for_rate(ref, { least = 10 }).remaining)
    assert.same({ 1 }, slept)
    assert.equal(12, registry:wait_for_rate(ref, { least = 12 }).remaining)
    assert.same({ 1 }, slept)
  end)

  it("is not waited for where none is told, or enough remains", function()
    assert.is_nil(registry:wait_for_rate(ref))
    hub(1)
    assert.equal(1, registry:wait_for_rate(ref).remaining)
    assert.same({}, slept)
  end)

  it("is not waited for longer than max_wait, nor than the window", function()
    hub(0, { always = true })
    local err = helper.fails(registry, "wait_for_rate", ref, { max_wait = 5 })
    assert.equal("rate", err.class)
    assert.is_not_nil(err.message:find("0 of 100 requests remain, 1 are needed", 1, true), err.message)
    assert.same({ 1, 2 }, slept)
    faults.reset()
    faults.seed { repo = "rate/app", tag = "v1", layers = { { data = "layer" } } }
    say({ ["Retry-After"] = "100", ["ratelimit-limit"] = "1;w=60" }, { set_status = 429, always = true })
    assert.equal("rate", helper.fails(registry, "wait_for_rate", ref).class)
  end)

  it("takes only what it knows", function()
    assert.equal("usage", helper.fails(registry, "wait_for_rate", ref, { min = 1 }).class)
  end)
end)
