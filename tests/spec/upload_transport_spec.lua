--- Bodies on their way to a server: limits, early answers, connections that die, cancel.
local core = require "oras.core"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local MIB <const> = 1 << 20
local BIG <const> = ("0123456789abcdef"):rep(8 * MIB // 16) -- more than socket buffers hold

-- What a server with a small window reads takes seconds, and megabytes of it minutes. Its
-- connection stays like that and must not be used again.
local SLOWLY <const> = { bytes = MIB, every = 0.01 }
local SLOW <const> = BIG:sub(1, 120000)

local client, url

local function request(body, more)
  local spec = { method = "PUT", url = url, body = body }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  return client:request(spec)
end

local function file_of(text)
  return assert(core.source.file(helper.write(helper.directory() .. "/body", text)))
end

local function big_file()
  return file_of(BIG)
end

-- What takes a while even without a slow server.
local function sparse_file()
  local path = helper.directory() .. "/sparse"
  assert(os.execute(("truncate -s 256M '%s'"):format(path)))
  return assert(core.source.file(path)), path
end

local function sleep(seconds)
  core.task.spawn(core.clock.sleep, seconds):wait()
end

local function last_entry()
  local log = faults.wait { path = "/put", finished = true, count = 1 }
  return log[#log]
end

before_each(function()
  faults.reset()
  client = core.client.new {}
  url = faults.url() .. "/put"
end)
after_each(helper.clean)

describe("an answer before the body is sent", function()
  local function early(status, rule, ...)
    rule.path, rule.status, rule.early, rule.always = "/put", status, true, true
    faults.on(rule)
    for _, body in ipairs { ... } do
      local response, err = request(body)
      assert.is_nil(err)
      assert.equal(status, response.status)
    end
  end

  it("N46 is reported, whatever it is", function()
    for _, status in ipairs { 400, 401, 403, 404, 413, 429, 500, 503, 507, 307 } do
      faults.reset()
      early(status, { read = 100000, body = "no", headers = { Location = "/other" } }, BIG, big_file())
    end
  end)

  it("N46 is reported where nothing of the body was read", function()
    early(413, { body = "no" }, BIG, big_file(), BIG, big_file())
  end)

  it("N46 is reported although the connection is reset at once", function()
    for _ = 1, 20 do
      faults.reset()
      early(413, { read = 2 * MIB, abrupt = true, body = "no" }, BIG, big_file())
    end
  end)

  it("N46 counts if it is a success: the server has judged", function()
    early(201, { read = 100000 }, BIG, big_file())
    early(201, { read = 100000, abrupt = true }, BIG, big_file())
  end)

  it("N46 has its body, if it has one", function()
    faults.on { path = "/put", status = 413, early = true, read = 100000, body = "too big" }
    assert.equal("too big", request(big_file()).body:string())
  end)

  it("of 417 is an answer like others: nothing was asked for", function()
    faults.on { path = "/put", status = 417 }
    assert.equal(417, request(big_file()).status)
    assert.is_nil(faults.header(last_entry(), "expect"))
  end)
end)

describe("a kept connection that is dead", function()
  local function warm_up()
    faults.on { path = "/first", status = 200 }
    assert.equal(200, client:request({ url = faults.url() .. "/first" }).status)
  end

  it("is replaced where that is known before anything is sent", function()
    for _, method in ipairs { "PUT", "PATCH", "POST", "DELETE" } do
      for _, body in ipairs { "small", SLOW, core.source.string(SLOW), core.source.string "small" } do
        faults.reset()
        warm_up()
        local open = faults.connections("http").open
        faults.on { path = "/first", status = 200, close = true }
        assert.equal(200, client:request({ url = faults.url() .. "/first" }).status)
        assert.equal(open - 1, faults.wait({ listener = "http", open = open - 1 }).open)
        faults.on { path = "/put", status = 201 }
        local response, err = request(body, { method = method })
        assert.is_nil(err)
        assert.equal(201, response.status)
        assert.equal(type(body) == "string" and #body or body:size(), last_entry().body_size)
      end
    end
  end)

  -- It may have arrived, and only the answer be lost: whoever asked judges.
  it("is not replaced for what was sent and may have had effects", function()
    for _, how in ipairs { "fin", "rst" } do
      for _, method in ipairs { "PUT", "PATCH", "POST", "DELETE" } do
        for _, body in ipairs { "", "small", SLOW, core.source.string(SLOW), core.source.string "small", false } do
          faults.reset()
          warm_up()
          faults.on { path = "/put", reused = true, drop = how }
          faults.on { path = "/put", status = 201 }
          local response, err = request(body or nil, { method = method })
          assert.is_nil(response)
          assert.equal("network", err.class, tostring(err))
          assert.is_true(err.retryable)
          assert.equal(1, #faults.log { path = "/put" })
          assert.equal(201, request(body or nil, { method = method }).status)
        end
      end
    end
  end)

  it("is replaced for what changes nothing", function()
    for _, method in ipairs { "GET", "HEAD" } do
      faults.reset()
      warm_up()
      faults.on { path = "/put", reused = true, drop = "fin" }
      faults.on { path = "/put", status = 200 }
      assert.equal(200, request(nil, { method = method }).status)
    end
  end)

  it("is not tried for what could be sent only once", function()
    warm_up()
    faults.on { path = "/put", status = 201 }
    local source = core.source.stream { capacity = 64 * 1024 }
    local writer = core.task.spawn(function()
      assert(source:write(BIG))
      assert(source:finish())
    end)
    local reader = core.task.spawn(request, source)
    assert.equal(201, (reader:wait()).status)
    writer:wait()
    local entry = last_entry()
    assert.equal(1, entry.n) -- of its connection
    assert.equal(core.digest.of(BIG), entry.body_digest)
  end)

  it("on the way ends the request, which can be made again", function()
    local source = big_file()
    for _ = 1, 2 do
      faults.reset()
      faults.on { path = "/put", early = true, read = 100000, drop = "rst", always = true }
      local response, err = request(source)
      assert.is_nil(response)
      assert.equal("network", err.class)
      assert.is_true(err.retryable)
    end
    faults.reset()
    faults.on { path = "/put", status = 201 }
    assert.equal(201, request(source).status)
    assert.equal(core.digest.of(BIG), last_entry().body_digest)
  end)
end)

describe("the same body again", function()
  it("N26 goes to where a redirect points, from the beginning or an offset", function()
    local source = big_file()
    faults.on { path = "/put", status = 307, headers = { Location = "/there" } }
    faults.on { path = "/there", status = 201, always = true }
    assert.equal(307, request(source).status)
    for _, offset in ipairs { 0, 12345 } do
      local there = { url = faults.url() .. "/there", body_offset = offset }
      assert.equal(201, request(source, there).status)
      local log = faults.log { path = "/there" }
      assert.equal(core.digest.of(BIG:sub(offset + 1)), log[#log].body_digest)
    end
  end)
end)

describe("limits", function()
  local function timeout(body, timeouts)
    local response, err = request(body, { timeouts = timeouts })
    assert.is_nil(response)
    assert.equal("timeout", err.class)
    return err
  end

  it("of the first byte count from the end of the body", function()
    faults.on { path = "/put", status = 201, read_slowly = SLOWLY, close = true }
    local source = file_of(SLOW)
    assert.equal(201, request(source, { timeouts = { first_byte = 0.3 } }).status)
    faults.on { path = "/put", stall_headers = 0 }
    local err = timeout(source, { first_byte = 0.3 })
    assert.is_truthy(err.message:find("no answer after 0.3 seconds", 1, true))
  end)

  it("of a stall hold for a server that reads no more", function()
    faults.on { path = "/put", early = true, read = 100000, stall_headers = 0, always = true }
    for _, body in ipairs { BIG, big_file() } do
      local err = timeout(body, { stall = 0.5 })
      assert.is_truthy(err.message:find("too slow for 0.5 seconds", 1, true))
      assert.is_true(err.retryable)
    end
  end)

  it("of a stall hold for a source that gives nothing", function()
    faults.on { path = "/put", status = 201, always = true }
    for _, options in ipairs { {}, { size = 10 }, { size = MIB } } do
      local err = timeout(core.source.stream(options), { stall = 0.5 })
      assert.is_truthy(err.message:find("nothing to send for 0.5 seconds", 1, true))
    end
  end)

  it("of a stall do not hold for a source that is slow", function()
    faults.on { path = "/put", status = 201, always = true }
    local source = core.source.stream {}
    core.task.spawn(function()
      for _ = 1, 12 do
        assert(source:write "x")
        core.clock.sleep(0.1)
      end
      assert(source:finish())
    end)
    local reader = core.task.spawn(request, source, { timeouts = { stall = 0.5 } })
    assert.equal(201, (reader:wait()).status)
    assert.equal(("x"):rep(12), last_entry().body)
  end)

  it("of the whole hold for what is sent, too", function()
    faults.on { path = "/put", status = 201, read_slowly = SLOWLY, close = true }
    local err = timeout(big_file(), { total = 0.4 })
    assert.is_truthy(err.message:find("not done after 0.4 seconds", 1, true))
  end)
end)

describe("progress", function()
  it("counts the bytes of the body that the server got", function()
    faults.on { path = "/put", status = 201 }
    local seen, total = {}, nil
    local source = sparse_file()
    assert.equal(201, request(source, { progress = function(done, all)
      seen[#seen + 1], total = done, all
    end }).status)
    assert.is_true(seen[1] < source:size())
    for i = 2, #seen do
      assert.is_true(seen[i] >= seen[i - 1])
    end
    assert.same({ source:size(), source:size() }, { seen[#seen], total })
  end)

  it("tells the end of a small body and of an empty one", function()
    faults.on { path = "/put", status = 201, always = true }
    for _, text in ipairs { "", "small" } do
      for _, body in ipairs { text, core.source.string(text) } do
        local seen
        request(body, { progress = function(done, all)
          seen = { done, all }
        end })
        assert.same({ #text, #text }, seen)
      end
    end
  end)
end)

describe("a file that changes while it is sent", function()
  -- Changed when a part of it is on its way; the server never gets the rest.
  local function change(command)
    faults.reset()
    faults.on { path = "/put", status = 201 }
    local source, path = sparse_file()
    local changed = false
    local response, err = request(source, { progress = function()
      changed = changed or assert(os.execute((command:gsub("FILE", path))))
    end })
    assert.is_true(changed)
    assert.is_nil(response)
    assert.equal("content", err.class)
    assert.is_truthy(err.message:find(path, 1, true))
    assert.equal("request cut", last_entry().outcome)
  end

  it("L06 is content, and the request is never complete", function()
    change "printf x >>FILE" -- grows
    change "truncate -s -1 FILE"
    change "truncate -s 0 FILE"
    change "printf x | dd of=FILE conv=notrunc status=none" -- rewritten
    change "touch FILE.new && mv FILE.new FILE" -- replaced
  end)
end)

describe("cancel", function()
  -- A task that uploads is stopped once it runs (and `when` says so).
  local function cancelled(body, when)
    local runs = false
    local open = faults.connections("http").open
    local task = core.task.spawn(request, body, { progress = function()
      runs = true
    end })
    repeat
      sleep(0.01)
    until runs and (not when or when())
    local started = core.clock.monotonic()
    task:cancel()
    local good, err = pcall(task.wait, task)
    assert.is_false(good)
    assert.equal("cancelled", err.class)
    assert.is_true(core.clock.monotonic() - started < 0.2) -- the limit that is promised
    return function() -- the server sees it go
      assert.is_true(faults.wait({ open = open, listener = "http" }).open <= open)
    end
  end

  it("N55 ends an upload whose server does not read", function()
    faults.on { path = "/put", early = true, read = 100000, stall_headers = 0, always = true }
    cancelled(BIG)
    cancelled(big_file())
  end)

  it("N55 ends an upload that waits for its source", function()
    cancelled(core.source.stream {})()
  end)

  it("N55 ends an upload that waits for its answer", function()
    faults.on { path = "/put", stall_headers = 0 }
    cancelled(big_file(), function()
      return #faults.log { path = "/put" } == 1
    end)()
  end)

  it("N55 ends an upload in full motion", function()
    faults.on { path = "/put", status = 201 }
    cancelled((sparse_file()))()
  end)

  it("N55 ends an upload that waits for its place", function()
    client = core.client.new { per_host = 1 }
    faults.on { path = "/put", stall_headers = 0 }
    local first = core.task.spawn(request, big_file())
    local second = core.task.spawn(request, big_file())
    sleep(0.05)
    second:cancel()
    assert.is_false(pcall(second.wait, second))
    first:cancel()
    assert.is_false(pcall(first.wait, first))
    assert.is_true(#faults.log { path = "/put" } <= 1)
  end)
end)
