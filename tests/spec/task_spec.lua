local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local sleep = core.clock.sleep
local client = assert(core.client.new {})

-- A GET of the fault server's first listener; any status.
local function get(path)
  return assert(client:request { url = faults.url "http" .. path })
end

-- The error that a function raises; fails when it raises none.
local function raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

local function cancelled(err)
  assert.equal(core.error, getmetatable(err))
  assert.equal("cancelled", err.class)
end

local function usage(err, text)
  assert.equal(core.error, getmetatable(err))
  assert.equal("usage", err.class)
  assert.matches(text, err.message, 1, true)
end

-- A task that waits for ever (for an hour).
local function sleeper(note)
  return oras.spawn(function()
    local _ <close> = setmetatable({}, {
      __close = function()
        if note then
          note.closed = true
        end
      end,
    })
    sleep(3600)
  end)
end

-- Let every task that is ready run once.
local function run_others()
  oras.spawn(function() end):wait()
end

describe("gather", function()
  it("gives the first result of each in their order, nil too", function()
    local order = {}
    local function after(seconds, ...)
      local results = table.pack(...)
      return function()
        sleep(seconds)
        order[#order + 1] = results[1] or "none"
        return table.unpack(results, 1, results.n)
      end
    end
    local all = table.pack(oras.gather(after(0.03, "a", "more"), after(0.02), after(0, "c"), after(0.01, nil, "x")))
    assert.same({ "a", nil, "c", nil, n = 4 }, all)
    assert.equal("c", order[1])
    assert.equal("a", order[4])
  end)

  it("of nothing gives nothing", function()
    assert.equal(0, select("#", oras.gather()))
  end)

  it("takes functions only, and starts nothing otherwise", function()
    local ran = false
    local err = raised(oras.gather, function()
      ran = true
    end, 7)
    usage(err, "argument 2 is a number")
    run_others()
    assert.is_false(ran)
  end)

  it("raises the first failure when the siblings have been cancelled", function()
    local closed, mine = {}, { "mine" }
    local function sibling(i)
      return function()
        local _ <close> = setmetatable({}, { __close = function() closed[i] = true end })
        sleep(3600)
      end
    end
    local err = raised(oras.gather, sibling(1), function()
      sleep(0)
      error(mine)
    end, sibling(3))
    assert.equal(mine, err)
    assert.same({ true, nil, true }, closed)
  end)

  it("raises every kind of value as it was", function()
    local object = setmetatable({}, { __tostring = function() error "no text" end })
    for _, value in ipairs { "text", 7, object, false, { class = "x" } } do
      local err = raised(oras.gather, function() error(value, 0) end)
      assert.equal(value, err)
    end
    assert.is_nil(raised(oras.gather, function() error(nil) end))
    assert.is_nil(raised(oras.gather, function() error() end))
  end)

  it("keeps the first failure when others follow in their cleanup", function()
    local err = raised(oras.gather, function()
      error("first", 0)
    end, function()
      local _ <close> = setmetatable({}, { __close = function() error("second", 0) end })
      sleep(3600)
    end)
    assert.equal("first", err)
  end)

  it("works inside tasks, several levels deep", function()
    local function tree(depth)
      if depth == 0 then
        sleep(0)
        return 1
      end
      local function branch()
        return tree(depth - 1)
      end
      local a, b = oras.gather(branch, branch)
      return a + b
    end
    assert.equal(64, oras.gather(function() return tree(6) end))
  end)

  it("leaves nothing running when its own task is cancelled", function()
    local closed = 0
    local function child()
      local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
      sleep(3600)
    end
    local parent = oras.spawn(function()
      oras.gather(child, child, child)
    end)
    run_others()
    run_others()
    assert.equal("waiting", parent:status())
    parent:cancel()
    cancelled(raised(parent.wait, parent))
    assert.equal(3, closed)
  end)
end)

describe("map", function()
  before_each(faults.reset)

  it("gives results by index, nil too, and passes item and index", function()
    local results = oras.map({ 5, 4, 3, 2, 1 }, function(item, index)
      sleep(item / 1000)
      if item ~= 3 then
        return item * 10 + index
      end
    end)
    assert.same({ [1] = 51, [2] = 42, [4] = 24, [5] = 15 }, results)
    assert.same({}, oras.map({}, error))
    for _, arguments in ipairs { { 5, print }, { "x", print }, { {}, 5 }, { {} } } do
      local _, err = oras.try(oras.map, table.unpack(arguments))
      assert.equal("usage", err.class)
      assert.matches("^map takes", err.message)
    end
  end)

  it("never has more at work than it was told", function()
    for _, concurrency in ipairs { 1, 3 } do
      local now, most, calls = 0, 0, 0
      local list = {}
      for i = 1, 20 do
        list[i] = i
      end
      oras.map(list, function()
        now, calls = now + 1, calls + 1
        most = math.max(most, now)
        get "/v2/"
        now = now - 1
      end, { concurrency = concurrency })
      assert.equal(concurrency, most)
      assert.equal(20, calls)
    end
  end)

  it("W25 has as many requests under way as it was told", function()
    faults.on { path = "/v2/", hold = "all", always = true }
    local seen
    local results
    oras.gather(function()
      results = oras.map({ 1, 2, 3, 4, 5, 6 }, function()
        return get("/v2/").status
      end, { concurrency = 4 })
    end, function()
      -- a coroutine of its own blocks, and lets the requests above stand at the server
      sleep(0)
      repeat
        sleep(0.01)
        seen = #faults.log { path = "/v2/" }
      until seen >= 4
      sleep(0.05)
      seen = #faults.log { path = "/v2/" }
      faults.release "all"
      faults.reset()
    end)
    assert.equal(4, seen)
    assert.same({ 200, 200, 200, 200, 200, 200 }, results)
  end)

  it("takes no more items after a failure", function()
    local taken = 0
    local err = raised(oras.map, { 1, 2, 3, 4, 5, 6, 7, 8 }, function(item)
      taken = taken + 1
      sleep(0)
      if item == 2 then
        error("two", 0)
      end
    end, { concurrency = 2 })
    assert.equal("two", err)
    assert.is_true(taken <= 4)
  end)

  it("lets a request go on while another waits", function()
    faults.on { path = "/v2/first", hold = "first" }
    local order = oras.map({ "/v2/first", "/v2/second" }, function(path)
      local status = get(path).status
      if path == "/v2/second" then
        faults.release "first"
      end
      return { status, core.clock.monotonic() }
    end)
    assert.equal(404, order[1][1])
    assert.is_true(order[2][2] < order[1][2])
  end)

  it("names a bad option", function()
    usage(raised(oras.map, {}, print, { concurrency = 0 }), "concurrency")
    usage(raised(oras.map, {}, print, { concurency = 1 }), "concurrency")
  end)

  it("N56 of 100 transfers one fails: the first error is raised, no connection is left", function()
    faults.on { path = "/v2/n56/50", drop = "rst", always = true }
    faults.on { path = "/v2/n56/*", stall_headers = 5, always = true, nth = 50 }
    local list = {}
    for i = 1, 100 do
      list[i] = i
    end
    local err = raised(oras.map, list, function(i)
      local answer, failure = client:request { url = ("%s/v2/n56/%d"):format(faults.url "http", i) }
      if not answer then
        failure.item = i
        error(failure)
      end
    end, { concurrency = 100 })
    assert.equal(50, err.item)
    assert.equal("network", err.class)
    assert.equal(0, faults.unfinished { path = "/v2/n56/*" })
  end)
end)

describe("a task", function()
  before_each(faults.reset)

  it("gives its results to everyone who waits, as often as they ask", function()
    local one = oras.spawn(function(...)
      sleep(0.01)
      return select("#", ...), nil, ...
    end, "a", nil)
    local seen = {}
    local function waiter()
      local results = table.pack(one:wait())
      seen[#seen + 1] = results
    end
    oras.gather(waiter, waiter, waiter)
    waiter()
    for i = 1, 4 do
      assert.same({ 2, nil, "a", nil, n = 4 }, seen[i])
    end
  end)

  it("raises what it raised for everyone who waits", function()
    local value = { "mine" }
    local one = oras.spawn(function()
      sleep(0)
      error(value)
    end)
    for _ = 1, 2 do
      assert.equal(value, raised(one.wait, one))
    end
    assert.equal(value, raised(oras.gather, function()
      one:wait()
    end))
    assert.equal("failed", one:status())
  end)

  it("tells its status", function()
    local one
    one = oras.spawn(function()
      assert.equal("running", one:status())
      sleep(0.01)
    end)
    assert.equal("ready", one:status())
    run_others()
    assert.equal("waiting", one:status())
    one:wait()
    assert.equal("done", one:status())
    assert.equal("oras.task", tostring(one))
  end)

  it("takes functions only", function()
    usage(raised(oras.spawn, 7), "function")
    usage(raised(oras.spawn), "function")
  end)

  it("lets the others go on when it yields by hand", function()
    local order = {}
    local function step(name)
      return function()
        for i = 1, 3 do
          order[#order + 1] = name .. i
          coroutine.yield "ignored"
        end
      end
    end
    oras.gather(step "a", step "b")
    assert.equal("a1 b1 a2 b2 a3 b3", table.concat(order, " "))
  end)

  it("that never stops yielding does not keep a waiter for ever", function()
    local stop = false
    local spinner = oras.spawn(function()
      while not stop do
        coroutine.yield()
      end
    end)
    assert.equal("done", oras.spawn(function() sleep(0.01) return "done" end):wait())
    stop = true
    spinner:wait()
  end)

  it("S04 that nobody waits for is collected with all it held, once it has ended", function()
    local weak = setmetatable({}, { __mode = "v" })
    do
      weak[1] = oras.spawn(function(t)
        sleep(0)
        return t
      end, {})
      local waited = weak[1]
      waited:wait()
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak[1])
  end)

  it("runs on while others wait, though nobody holds it", function()
    local ran = false
    oras.spawn(function()
      sleep(0.01)
      ran = true
    end)
    collectgarbage()
    collectgarbage()
    sleep(0.02)
    while not ran do
      oras.spawn(sleep, 0.01):wait()
    end
    assert.is_true(ran)
  end)

  it("is one of ten thousand", function()
    local list, sum = {}, 0
    for i = 1, 10000 do
      list[i] = function()
        sleep(0.001)
        sum = sum + i
      end
    end
    oras.gather(table.unpack(list))
    assert.equal(10000 * 10001 // 2, sum)
  end)

  it("does not run while the main chunk's request blocks, and does afterwards", function()
    local ran = false
    local one = oras.spawn(function()
      ran = true
    end)
    assert.equal(200, get("/v2/").status)
    assert.is_false(ran)
    one:wait()
    assert.is_true(ran)
  end)

  it("has its transfer go on while the main chunk's request blocks", function()
    local one = oras.spawn(function()
      return get("/v2/one").status
    end)
    run_others()
    assert.equal(200, get("/v2/").status)
    assert.equal(404, one:wait())
  end)
end)

describe("cancel", function()
  before_each(faults.reset)

  it("of a task that has not started keeps it from starting", function()
    local ran = false
    local one = oras.spawn(function()
      ran = true
    end)
    assert.is_true(one:cancel())
    assert.equal("cancelled", one:status())
    cancelled(raised(one.wait, one))
    assert.is_false(one:cancel())
    run_others()
    assert.is_false(ran)
  end)

  it("wakes a sleep, and closes what is to be closed", function()
    local note = {}
    local one = sleeper(note)
    run_others()
    assert.equal("waiting", one:status())
    assert.is_true(one:cancel())
    cancelled(raised(one.wait, one))
    assert.is_true(note.closed)
    assert.equal("cancelled", one:status())
  end)

  it("N55 ends a transfer: the server sees the client go", function()
    faults.on { path = "/v2/hold", stall_headers = 5 }
    local one = oras.spawn(get, "/v2/hold")
    while #faults.log { path = "/v2/hold" } == 0 do
      oras.spawn(sleep, 0.01):wait()
    end
    one:cancel()
    cancelled(raised(one.wait, one))
    local log = faults.wait { path = "/v2/hold", count = 1, finished = true }
    assert.equal("gone", log[1].outcome)
  end)

  it("reaches a task that waits for another, and leaves that one alone", function()
    local other = sleeper()
    local one = oras.spawn(function()
      other:wait()
    end)
    run_others()
    run_others()
    one:cancel()
    cancelled(raised(one.wait, one))
    assert.equal("waiting", other:status())
    other:cancel()
    cancelled(raised(other.wait, other))
  end)

  it("of what is over changes nothing", function()
    local one = oras.spawn(function() return 1 end)
    one:wait()
    assert.is_false(one:cancel())
    assert.equal("done", one:status())
    assert.equal(1, one:wait())
  end)

  it("of itself takes effect where it waits next", function()
    local after, one = false, nil
    one = oras.spawn(function()
      assert.is_true(one:cancel())
      after = true
      sleep(3600)
    end)
    cancelled(raised(one.wait, one))
    assert.is_true(after)
  end)

  it("is raised once: a task may catch it and go on", function()
    local one = oras.spawn(function()
      cancelled(raised(sleep, 3600))
      sleep(0.001)
      return "went on"
    end)
    run_others()
    one:cancel()
    assert.equal("went on", one:wait())
    assert.equal("done", one:status())
  end)

  it("reaches a task that is blocked in a coroutine of its own", function()
    local one = oras.spawn(function()
      local forever = sleeper()
      coroutine.wrap(function()
        forever:wait()
      end)()
    end)
    local two = oras.spawn(function()
      sleep(0.01)
      one:cancel()
    end)
    cancelled(raised(one.wait, one))
    two:wait()
  end)

  it("during cleanup lets the cleanup wait", function()
    local steps = {}
    local one = oras.spawn(function()
      local _ <close> = setmetatable({}, {
        __close = function()
          steps[#steps + 1] = get("/v2/").status
        end,
      })
      sleep(3600)
    end)
    run_others()
    one:cancel()
    cancelled(raised(one.wait, one))
    assert.same({ 200 }, steps)
  end)
end)

describe("waiting", function()
  before_each(faults.reset)

  it("for itself, or in a circle, is refused", function()
    local one
    one = oras.spawn(function()
      one:wait()
    end)
    usage(raised(one.wait, one), "itself")

    local a, b, c
    a = oras.spawn(function() return b:wait() end)
    b = oras.spawn(function() return c:wait() end)
    c = oras.spawn(function() return a:wait() end)
    usage(raised(a.wait, a), "circle")
  end)

  it("in a circle through a blocked coroutine is refused", function()
    local a, b
    a = oras.spawn(function()
      return coroutine.wrap(function()
        return b:wait()
      end)()
    end)
    b = oras.spawn(function()
      return a:wait()
    end)
    usage(raised(a.wait, a), "circle")
  end)

  it("too deep where nothing can yield is refused, and everything works afterwards", function()
    local function nest(depth)
      return coroutine.wrap(function()
        return oras.spawn(nest, depth + 1):wait()
      end)()
    end
    usage(raised(nest, 1), "levels deep")
    assert.equal(7, oras.gather(function() sleep(0) return 7 end))
  end)

  it("goes hundreds of tasks deep where they yield", function()
    local function nest(depth)
      if depth == 0 then
        sleep(0)
        return 0
      end
      return 1 + oras.spawn(nest, depth - 1):wait()
    end
    assert.equal(300, oras.spawn(nest, 300):wait())
  end)

  local function both()
    return oras.gather(function()
      sleep(0.002)
      return get("/v2/").status
    end, function()
      return get("/v2/none").status
    end)
  end

  local function places()
    local items = { 3, 1, 2 }
    table.sort(items, function(a, b)
      local yes, no = both()
      return yes == 200 and no == 404 and a < b
    end)
    assert.same({ 1, 2, 3 }, items)
    assert.equal("200-404", (("x"):gsub("x", function()
      return ("%d-%d"):format(both())
    end)))
    local object = setmetatable({}, {
      __index = function() return both() end,
      __add = function() return both() end,
      __tostring = function() return tostring(both()) end,
      __lt = function() return both() == 200 end,
      __close = function() assert.equal(200, both()) end,
    })
    assert.equal(200, object.field)
    assert.equal(200, object + 1)
    assert.equal("200", tostring(object))
    assert.is_true(object < object)
    do
      local _ <close> = object
    end
    assert.equal(200, coroutine.wrap(both)())
  end

  it("works wherever Lua may be called, in the main chunk", places)

  it("works wherever Lua may be called, in tasks", function()
    oras.gather(places, places, places)
  end)

  it("in an iterator of the user's gives its items, and no yields of ours", function()
    local function items(n)
      return coroutine.wrap(function()
        for i = 1, n do
          sleep(0.001)
          coroutine.yield(i + get("/v2/").status)
        end
      end)
    end
    local function collect()
      local all = {}
      for item in items(3) do
        all[#all + 1] = item
      end
      return table.concat(all, " ")
    end
    assert.same({ "201 202 203", "201 202 203" }, { oras.gather(collect, collect) })
    assert.equal("201 202 203", collect())
  end)

  it("is not disturbed by an error in __close", function()
    local one = oras.spawn(function()
      local _ <close> = setmetatable({}, {
        __close = function()
          get "/v2/"
          error("from close", 0)
        end,
      })
      sleep(0)
      error("from body", 0)
    end)
    assert.equal("from close", raised(one.wait, one))
  end)

  it("S04 in a coroutine that is closed or left ends the transfer", function()
    local layer = faults.seed { repo = "s04/app", tag = "1", layers = { { size = 3000000 } } }.layers[1]
    faults.on { path = "/v2/s04/app/blobs/*", stall = 1000000, always = true }
    local registry = helper.registry()
    local ref = faults.host "http" .. "/s04/app"
    local function reader()
      local _ <close> = setmetatable({}, { __close = function() end })
      local stream <close> = registry:get_blob(ref, layer, { stream = true })
      for chunk in stream:chunks() do
        coroutine.yield(#chunk)
      end
    end
    local closed = coroutine.create(reader)
    assert.is_true(coroutine.resume(closed))
    assert.is_true(coroutine.close(closed))

    local left = coroutine.wrap(reader)
    left()
    left = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()

    local log = faults.wait { path = "/v2/s04/app/blobs/*", method = "GET", count = 2, finished = true }
    assert.equal("gone", log[1].outcome)
    assert.equal("gone", log[2].outcome)
  end)

  it("of two tasks for one stream is refused", function()
    local layer = faults.seed { repo = "two/app", tag = "1", layers = { { size = 100000 } } }.layers[1]
    faults.on { path = "/v2/two/app/blobs/*", hold_body = "rest", hold_at = 10 }
    local stream = helper.registry():get_blob(faults.host "http" .. "/two/app", layer, { stream = true })
    local body = stream.body
    body:read()
    local first = oras.spawn(function()
      return body:read()
    end)
    run_others()
    local err = raised(oras.gather, function()
      body:read()
    end)
    usage(err, "waits")
    -- who waits is told when the stream is closed meanwhile
    body:close()
    usage(raised(first.wait, first), "closed")
  end)
end)

describe("tokens", function()
  before_each(faults.reset)

  it("fifty tasks on a cold registry ask the token server once", function()
    local seeded = faults.seed { repo = "bearer/cold", tag = "1", layers = { { data = "x" } } }
    local registry = helper.registry()
    registry:set_basic_auth("alice", "wonder:land")
    local list = {}
    for i = 1, 50 do
      list[i] = i
    end
    local statuses = oras.map(list, function()
      return registry:get_manifest(faults.host "http" .. "/bearer/cold:1").config.digest
    end, { concurrency = 50 })
    assert.equal(50, #statuses)
    assert.equal(seeded.config.digest, statuses[50])
    assert.equal(1, #faults.log { path = "/token" })
  end)
end)
