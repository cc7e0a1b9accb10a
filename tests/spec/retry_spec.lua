local core = require "oras.core"
local errors = require "oras.error"
local oras = require "oras"
local response = require "oras.response"
local retry = require "oras.retry"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

-- A Registry that gives these answers (statuses, tables or errors), then 200.
local function scripted(answers, opts)
  local registry = helper.registry(opts)
  registry.sent, registry.delays = 0, {}
  function registry:send()
    self.sent = self.sent + 1
    local answer = answers[self.sent] or 200
    if errors.is_error(answer) then
      return nil, answer
    elseif type(answer) == "number" then
      answer = { status = answer }
    end
    answer.body = answer.body or "hello"
    return response.new(answer)
  end
  registry:on("retry", function(failure)
    table.insert(registry.delays, failure.delay)
  end)
  return registry
end

local function get(registry)
  return oras.try(registry.get_blob, registry, "ghcr.io/a/b", oras.digest.of "hello")
end

local function network()
  return errors.new { class = "network", message = "reset", retryable = true }
end

describe("retries", function()
  it("N36 better 408, 429 and 5xx", function()
    for _, status in ipairs { 408, 429, 500, 502, 503, 504 } do
      local registry = scripted { status }
      assert.equal("hello", get(registry).content)
      assert.equal(2, registry.sent)
    end
  end)

  it("N36 end after five tries, with the last answer", function()
    local registry = scripted { 500, 502, 503, 504, 503, 200 }
    local _, err = get(registry)
    assert.equal("server", err.class)
    assert.equal(503, err.status)
    assert.equal(5, err.attempts)
    assert.is_true(err.retryable)
    assert.equal(5, registry.sent)
  end)

  it("N36 N37 leave an error that says whether trying again may help, and how often it was tried", function()
    for status, retryable in pairs {
      [408] = true, [429] = true, [500] = true, [503] = true, [403] = false, [404] = false,
    } do
      local registry = scripted({ status }, { retry = { tries = 1 } })
      local _, err = get(registry)
      assert.equal(retryable, err.retryable, status)
      assert.equal(1, err.attempts)
    end
  end)

  it("are not made for what stays as it is", function()
    for status, class in pairs {
      [400] = "protocol", [403] = "denied", [404] = "not_found", [405] = "unsupported", [406] = "unsupported",
      [409] = "protocol", [413] = "limit", [416] = "protocol", [501] = "unsupported", [505] = "server",
    } do
      local registry = scripted { status }
      local _, err = get(registry)
      assert.equal(class, err.class, status)
      assert.equal(1, registry.sent)
    end
  end)

  it("N01 N03 better what the core calls retryable, and nothing else", function()
    local registry = scripted { network(), network() }
    assert.equal("hello", get(registry).content)
    assert.equal(3, registry.sent)
    registry = scripted { errors.new { class = "tls", message = "expired", retryable = false } }
    assert.equal("tls", select(2, get(registry)).class)
    assert.equal(1, registry.sent)
    registry = scripted { network(), network(), network(), network(), network() }
    local _, err = get(registry)
    assert.equal("network", err.class)
    assert.equal(5, err.attempts)
  end)

  it("C01 give wrong bytes one more try", function()
    local function wrong()
      return errors.new { class = "integrity", message = "wrong" }
    end
    local registry = scripted { network(), wrong() }
    assert.equal("hello", get(registry).content)
    registry = scripted { wrong(), wrong() }
    assert.equal("integrity", select(2, get(registry)).class)
    assert.equal(2, registry.sent)
  end)

  it("W14 N37 wait as long as the server says, up to a minute", function()
    local function after(value, status)
      return { status = status or 429, headers = { ["Retry-After"] = value } }
    end
    local slept = {}
    local sleep = core.clock.sleep
    core.clock.sleep = function(seconds)
      slept[#slept + 1] = seconds
    end
    finally(function()
      core.clock.sleep = sleep
    end)
    local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 30)

    get(scripted { after "7" })
    get(scripted { after("3", 503) })
    get(scripted { after(date) })
    get(scripted { after "0" })
    get(scripted { after "Wed, 21 Oct 2015 07:28:00 GMT" })
    assert.same({ 7, 3 }, { slept[1], slept[2] })
    assert.is_true(slept[3] >= 28 and slept[3] <= 31)
    assert.same({ 0, 0 }, { slept[4], slept[5] })

    for _, value in ipairs { "-5", "soon", "1.5e9x", "" } do
      local registry = scripted({ after(value) }, { retry = { wait = 1, max_wait = 2 } })
      assert.equal("hello", get(registry).content)
      assert.is_true(slept[#slept] <= 1, value)
    end
    local registry = scripted { after "1000000000" }
    assert.equal("rate", select(2, get(registry)).class)
    assert.equal(1, registry.sent)
    registry = scripted { after "40", after "40" }
    assert.equal("rate", select(2, get(registry)).class)
    assert.equal(2, registry.sent)
  end)

  it("W14 double the wait with jitter, up to its most", function()
    local failure = { attempt = 1, error = network() }
    for attempt = 1, 4 do
      failure.attempt = attempt
      for _ = 1, 50 do
        local delay = retry.delay(failure, retry.defaults, 0)
        assert.is_true(delay >= 0 and delay <= 0.25 * 2 ^ (attempt - 1))
      end
    end
    failure.attempt = 5
    assert.is_nil(retry.delay(failure, retry.defaults, 0))
    local policy = setmetatable({ tries = 100 }, { __index = retry.defaults })
    failure.attempt = 50
    assert.is_true(retry.delay(failure, policy, 0) <= 10)
    assert.is_nil(retry.delay(failure, policy, 60))
  end)

  it("follow an override of should_retry and the options", function()
    local registry = scripted { 404 }
    function registry.should_retry(_, failure)
      return failure.response.status == 404
    end
    assert.equal("hello", get(registry).content)
    registry = scripted({ 500 }, { retry = { tries = 1 } })
    assert.equal("server", select(2, get(registry)).class)
  end)

  it("are told to whoever listens", function()
    local registry = scripted { 503 }
    local seen
    registry:on("retry", function(failure)
      seen = failure
    end)
    get(registry)
    assert.equal(1, seen.attempt)
    assert.equal(503, seen.response.status)
    assert.equal("number", type(seen.delay))
    assert.equal("GET", seen.method)
  end)

  it("leave what send raises alone", function()
    local registry = helper.registry()
    function registry.send()
      errors.raise { class = "script", message = "mine", retryable = true }
    end
    assert.equal("script", select(2, get(registry)).class)
    function registry.send() end
    assert.equal("usage", select(2, get(registry)).class)
    function registry.send()
      return "200"
    end
    assert.equal("usage", select(2, get(registry)).class)
  end)
end)

describe("retries on the wire", function()
  before_each(faults.reset)

  it("N36 N54 better a server that fails once, cuts or resets", function()
    local a = faults.seed { repo = "w/app", tag = "1", layers = { { data = "hello" } } }
    local ref = faults.host "http" .. "/w/app"
    for _, rule in ipairs {
      { status = 503 }, { drop = "fin" }, { drop = "rst" }, { cut = 2, how = "fin" }, { cut = 2, how = "rst" },
      { cut_headers = 30 },
    } do
      faults.reset { content = false }
      rule.path = "/v2/w/app/blobs/*"
      faults.on(rule)
      assert.equal("hello", helper.registry():get_blob(ref, a.layers[1]).content)
    end
  end)

  it("N01 names the host that cannot be reached", function()
    local registry = helper.registry { retry = { tries = 2, wait = 0 } }
    local err = helper.fails(registry, "get_manifest", "127.0.0.1:1/a/b:1")
    assert.equal("network", err.class)
    assert.equal(2, err.attempts)
    assert.matches("127.0.0.1:1", err.message, 1, true)
  end)

  it("N06 end a stall by the stall's limit", function()
    local a = faults.seed { repo = "w/app", tag = "1", layers = { { size = 100000 } } }
    faults.on { path = "/v2/w/app/blobs/*", stall = 1000 }
    local registry = helper.registry { timeout = { stall = 0.3 } }
    assert.equal(100000, #registry:get_blob(faults.host "http" .. "/w/app", a.layers[1]).content)
    assert.equal(2, #faults.log { path = "/v2/w/app/blobs/*" })
  end)

  it("N51 tell an error page by its status, without its markup", function()
    local registry = helper.registry { retry = { tries = 1 } }
    local function fails(rule)
      rule.path = "/v2/w/err/*"
      faults.on(rule)
      return helper.fails(registry, "get_manifest", faults.host "http" .. "/w/err:1")
    end
    local html = { ["Content-Type"] = "text/html" }
    local err = fails { status = 502, headers = html, body = "<html><b>Bad gateway</b></html>" }
    assert.equal("server", err.class)
    assert.is_nil(tostring(err):find("<", 1, true))
    err = fails { status = 403, json = { errors = { { code = "DENIED", message = "no\27[31m\u{202E}way\n2" } } } }
    assert.equal("DENIED", err.code)
    assert.is_nil(tostring(err):find "[%c\u{202E}]")
    assert.matches("way 2", tostring(err), 1, true)
    err = fails { status = 500, json = { errors = { { code = "bad code!", message = ("x"):rep(5000) } } } }
    assert.is_nil(err.code)
    assert.is_true(#err.message < 500)
    for _, body in ipairs { '{"errors":null}', '{"errors":[5]}', "[]", "5", ("["):rep(5000), "\xff\xfe", "" } do
      assert.equal("server", fails({ status = 500, body = body }).class)
    end
    err = fails { status = 500, headers = { ["Content-Type"] = "text/plain" }, body = "plain words" }
    assert.matches("plain words", err.message)
    assert.equal("server", fails({ status = 500, body = "{", endless = "body" }).class)
  end)
end)
