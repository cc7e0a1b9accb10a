--- Functions of the script's own that are called in the middle of a transfer, and methods
--- that it overrides: whatever they do, the transfer ends cleanly and the error names them.
local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local PATH <const> = "/v2/cb/app/blobs/*"

local function raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

-- One value of every kind that can be raised.
local function kinds()
  local no_text = setmetatable({}, { __tostring = function() error "no text" end })
  return { "text", { "table" }, no_text, print, 7, false, coroutine.create(print) }
end

-- What follows works in the main chunk, in a task, and in a coroutine of the user's own.
local PLACES <const> = {
  main = function(fn) return fn() end,
  task = function(fn) return oras.spawn(fn):wait() end,
  coroutine = function(fn)
    local co = coroutine.create(fn)
    local ok, err = coroutine.resume(co)
    if not ok then
      coroutine.close(co) -- Lua leaves what a dead coroutine was to close until then
      error(err, 0)
    end
  end,
}

local registry, ref, layer

local function seed()
  faults.reset()
  registry = helper.registry()
  ref = faults.host "http" .. "/cb/app"
  layer = faults.seed { repo = "cb/app", tag = "1", layers = { { size = 300000 } } }.layers[1]
end

-- All answers are over, the first `gone` of them by the client's leaving.
local function assert_gone(n)
  local log = faults.wait { path = PATH, method = "GET", finished = true, count = n }
  assert.equal(n, #log)
  for _, entry in ipairs(log) do
    assert.equal("gone", entry.outcome)
  end
end

for place, run in pairs(PLACES) do
  describe("in a " .. place, function()
    before_each(seed)
    after_each(helper.clean)

    it("S01 S02 what a progress function raises ends the transfer and comes out as it was", function()
      faults.on { path = PATH, stall = 1000, always = true }
      local directory = helper.directory()
      for n, value in ipairs(kinds()) do
        local one = helper.registry()
        one:on("progress", function()
          error(value, 0)
        end)
        local err = raised(run, function()
          one:download_blob(ref, layer, directory .. "/" .. n)
        end)
        assert.equal(value, err)
      end
      assert_gone(#kinds())
      assert.is_nil(helper.list(directory):find "^%d")
    end)

    it("S01 nil raised by a progress function comes out as nil", function()
      faults.on { path = PATH, stall = 1000 }
      registry:on("progress", function()
        error()
      end)
      assert.is_nil(raised(run, function()
        registry:get_blob(ref, layer)
      end))
      assert_gone(1)
    end)

    it("S06 a progress function may use the registry, and close what it is called for", function()
      faults.on { path = PATH, trickle = { bytes = 10000, every = 0.02 } }
      local busy, calls = false, 0
      registry:on("progress", function(event)
        if busy then
          return
        end
        busy = true
        calls = calls + 1
        assert.equal(layer.digest, event.digest)
        assert.is_not_nil(registry:get_manifest(ref .. ":1").layers)
        busy = false
      end)
      run(function()
        assert.equal(300000, #registry:get_blob(ref, layer).content)
      end)
      assert.is_true(calls > 0)
    end)

    it("S06 a handler of request and response may use the registry", function()
      local inside = false
      local seen = {}
      for _, event in ipairs { "request", "response" } do
        registry:on(event, function()
          if not inside then
            inside = true
            seen[#seen + 1] = event .. " " .. registry:get_blob(ref, layer).status
            inside = false
          end
        end)
      end
      run(function()
        registry:get_manifest(ref .. ":1")
      end)
      assert.same({ "request 200", "response 200" }, seen)
    end)

    it("S01 what other handlers and overrides raise comes out as it was", function()
      for _, value in ipairs(kinds()) do
        local function fail()
          error(value, 0)
        end
        for _, event in ipairs { "request", "response" } do
          local one = helper.registry()
          one:on(event, fail)
          assert.equal(value, raised(run, function()
            one:get_manifest(ref .. ":1")
          end))
        end
        for _, name in ipairs { "send", "should_retry", "authenticate", "do_request", "check_response" } do
          local Mine = oras.Registry:extend "Mine"
          Mine[name] = fail
          faults.on { path = "/v2/cb/app/manifests/1", status = 503 }
          local mine = Mine:new { config_path = "/nonexistent/config.json", retry = { wait = 0 } }
          assert.equal(value, raised(run, function()
            mine:get_manifest(ref .. ":1")
          end))
          faults.reset { content = false }
        end
      end
      assert.equal(200, registry:get_blob(ref, layer).status)
    end)
  end)
end

describe("a callback that yields", function()
  before_each(seed)

  it("S03 by hand in a task lets the others go on", function()
    faults.on { path = PATH, trickle = { bytes = 30000, every = 0.05 } }
    local yields = 0
    registry:on("progress", function()
      yields = yields + 1
      coroutine.yield()
    end)
    oras.gather(function()
      assert.equal(300000, #registry:get_blob(ref, layer).content)
    end)
    assert.is_true(yields > 0)
  end)

  it("S03 in the main chunk raises what Lua says, and the transfer ends", function()
    faults.on { path = PATH, stall = 1000 }
    registry:on("progress", function()
      coroutine.yield()
    end)
    -- the main chunk of this test may be a coroutine of the runner's: table.sort never yields
    local err = raised(table.sort, { 1, 2 }, function()
      registry:get_blob(ref, layer)
    end)
    assert.matches("yield", err)
    assert_gone(1)
  end)

  it("S03 in a coroutine of the user's gives the user the value, and goes on when resumed", function()
    faults.on { path = PATH, trickle = { bytes = 30000, every = 0.05 } }
    registry:on("progress", function()
      coroutine.yield "mine"
    end)
    local co = coroutine.wrap(function()
      return #registry:get_blob(ref, layer).content
    end)
    local value, n = co(), 0
    while value == "mine" do
      value, n = co(), n + 1
    end
    assert.equal(300000, value)
    assert.is_true(n > 0)
  end)

  it("S04 and is never resumed leaves nothing behind", function()
    faults.on { path = PATH, stall = 1000 }
    registry:on("progress", function()
      coroutine.yield()
    end)
    local co = coroutine.create(function()
      registry:get_blob(ref, layer)
    end)
    assert.is_true(coroutine.resume(co))
    co = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert_gone(1)
  end)
end)

describe("S09 an override that gives nonsense", function()
  before_each(seed)

  local function fails(methods, method, ...)
    local Mine = oras.Registry:extend "Mine"
    for name, fn in pairs(methods) do
      Mine[name] = fn
    end
    local mine = Mine:new { config_path = "/nonexistent/config.json", retry = { wait = 0 } }
    local ok, err = pcall(mine[method], mine, ...)
    assert.is_false(ok)
    assert.equal(core.error, getmetatable(err), tostring(err))
    return err
  end

  local function given(value)
    return function() return value end
  end

  local cyclic = {}
  cyclic.self = cyclic
  local hostile = setmetatable({}, { __index = function() error("hostile", 0) end })
  local nonsense = { 7, "text", ("x"):rep(1000000), print, cyclic, true, { status = "200" } }

  it("send", function()
    for _, value in ipairs(nonsense) do
      local err = fails({ send = given(value) }, "get_manifest", ref .. ":1")
      assert.equal("usage", err.class)
      assert.matches("send", err.message)
      assert.is_true(#err.message < 500)
    end
    assert.equal("usage", fails({ send = given(nil) }, "get_manifest", ref .. ":1").class)
  end)

  it("do_request", function()
    for _, value in ipairs(nonsense) do
      local methods = { get_manifest = ref .. ":1", blob_exists = ref, get_blob = ref, get_tags = ref }
      for method, argument in pairs(methods) do
        local err = fails({ do_request = given(value) }, method, argument, method:find "blob" and layer or nil)
        assert.equal("usage", err.class)
        assert.matches("do_request", err.message)
      end
    end
    assert.equal("usage", fails({ do_request = given(nil) }, "get_blob", ref, layer).class)
  end)

  it("get_container", function()
    for _, value in ipairs(nonsense) do
      local err = fails({ get_container = given(value) }, "get_manifest", ref .. ":1")
      assert.equal("usage", err.class)
      assert.matches("get_container", err.message)
    end
  end)

  it("get_manifest, as others use it", function()
    for _, value in ipairs { 7, "text", print, true } do
      local err = fails({ get_manifest = given(value) }, "get_config", ref .. ":1")
      assert.equal("usage", err.class)
      assert.matches("get_manifest", err.message)
    end
  end)

  it("get_credentials", function()
    faults.config { auth = { { repo = "cb/", mode = "basic" } } }
    for _, value in ipairs { 7, "text", print, true, { username = 7 }, { username = "a" } } do
      local err = fails({ get_credentials = given(value) }, "get_manifest", ref .. ":1")
      assert.equal("usage", err.class)
      assert.matches("get_credentials", err.message)
    end
  end)

  it("and raises when looked into, raises just that", function()
    local Mine = oras.Registry:extend "Mine"
    Mine.send = given(hostile)
    local mine = Mine:new { config_path = "/nonexistent/config.json" }
    assert.equal("hostile", raised(mine.get_manifest, mine, ref .. ":1"))
  end)
end)

describe("S05 what is used after its end", function()
  before_each(seed)

  local function usage(fn, ...)
    local ok, err = pcall(fn, ...)
    assert.is_false(ok)
    assert.equal(core.error, getmetatable(err), tostring(err))
    assert.equal("usage", err.class)
    assert.matches("closed", err.message)
  end

  it("client", function()
    local client = core.client.new {}
    client:close()
    client:close()
    usage(client.request, client, { url = faults.url "http" .. "/v2/" })
  end)

  it("sink", function()
    local sink = core.sink.memory {}
    sink:close()
    sink:close()
    usage(function()
      core.client.new({}):request { url = faults.url "http" .. "/v2/", sink = sink }
    end)
  end)

  it("body", function()
    local answer = core.client.new({}):request { url = faults.url "http" .. "/v2/cb/app/manifests/1" }
    answer.body:close()
    answer.body:close()
    usage(answer.body.read, answer.body)
    usage(answer.body.string, answer.body)
    usage(function() return #answer.body end)
    usage(core.json.decode, answer.body)
  end)

  it("sink under its own transfer: the transfer is cancelled", function()
    faults.on { path = PATH, stall = 1000 }
    local sink = core.sink.memory { limit = 1000000 }
    local answer, err = core.client.new({}):request {
      url = ("%s/v2/cb/app/blobs/%s"):format(faults.url "http", layer.digest), sink = sink,
      progress = function()
        sink:close()
      end,
    }
    assert.is_nil(answer)
    assert.equal("cancelled", err.class)
    assert_gone(1)
  end)

  it("client under its own transfer: the transfer goes on", function()
    faults.on { path = PATH, trickle = { bytes = 30000, every = 0.03 } }
    local client = core.client.new {}
    local answer, err = client:request {
      url = ("%s/v2/cb/app/blobs/%s"):format(faults.url "http", layer.digest),
      progress = function()
        client:close()
      end,
    }
    assert.is_nil(err)
    assert.equal(300000, #answer.body)
  end)

  it("reader", function()
    local reader = core.archive.reader { data = ("\0"):rep(1024) }
    reader:close()
    reader:close()
    usage(reader.next, reader)
    usage(reader.read, reader)
  end)
end)
