-- luacheck: ignore 512 (loops that are left at once are what this is about)
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local MIB <const> = 1024 * 1024

describe("an iterator over a stream", function()
  local registry, ref, layer, path

  before_each(function()
    faults.reset()
    registry = helper.registry()
    ref = faults.host "http" .. "/it/app"
    layer = faults.seed { repo = "it/app", tag = "1", layers = { { size = 2 * MIB } } }.layers[1]
    path = "/v2/it/app/blobs/" .. layer.digest
    -- nobody gets it whole: whoever leaves early is seen to go, whatever sockets buffer
    faults.on { path = path, stall = MIB, always = true }
  end)

  local function stream()
    return registry:get_blob(ref, layer, { stream = true })
  end

  -- The server saw the client go, and the registry still works.
  local function assert_ended(n)
    local log = faults.wait { path = path, finished = true, count = n or 1 }
    assert.equal(n or 1, #log)
    for _, entry in ipairs(log) do
      assert.equal("gone", entry.outcome)
    end
    assert.is_not_nil(registry:get_manifest(ref .. ":1").layers)
  end

  it("ends its transfer by break", function()
    for _ in stream():chunks() do
      break
    end
    assert_ended()
  end)

  it("ends its transfer by goto", function()
    for _ in stream():chunks() do
      goto out
    end
    ::out::
    assert_ended()
  end)

  it("ends its transfer by return", function()
    local function first()
      for chunk in stream():chunks() do
        return #chunk
      end
    end
    assert.is_true(first() > 0)
    assert_ended()
  end)

  it("ends its transfer by an error in the loop", function()
    local ok, err = pcall(function()
      for _ in stream():chunks() do
        error("mine", 0)
      end
    end)
    assert.same({ false, "mine" }, { ok, err })
    assert_ended()
  end)

  it("ends its transfer by close, as often as it is called, and gives nothing afterwards", function()
    local chunks = stream():chunks()
    assert.is_true(#chunks() > 0)
    chunks:close()
    chunks:close()
    assert.is_nil(chunks())
    assert_ended()
  end)

  it("ends its transfer by the response's close", function()
    local response = stream()
    local chunks = response:chunks()
    assert.is_true(#chunks() > 0)
    response:close()
    response:close()
    assert.equal("usage", select(2, oras.try(chunks)).class)
    assert_ended()
  end)

  it("ends its transfer by leaving the response's scope", function()
    do
      local response <close> = stream()
      response:chunks()()
    end
    assert_ended()
  end)

  it("ends its transfer by collection", function()
    stream():chunks()()
    collectgarbage()
    collectgarbage()
    assert_ended()
  end)

  it("S04 ends by collection where Lua 5.4.4 forgets the closing value", function()
    local seen = {} -- luacheck: ignore 241
    for chunk in stream():chunks() do
      seen[1] = function() return chunk end
      break
    end
    seen[1] = nil
    collectgarbage()
    collectgarbage()
    assert_ended()
  end)

  it("ends its transfer when it was never asked for a chunk", function()
    stream()
    collectgarbage()
    collectgarbage()
    assert_ended()
  end)

  it("gives its bytes once: reading again, and content, are usage errors", function()
    local response = stream()
    for _ in response:chunks() do
      break
    end
    assert.equal("usage", helper.fails(response, "chunks").class)
    assert.equal("usage", helper.fails(response, "entries").class)
    assert.equal("usage", select(2, oras.try(function() return response.content end)).class)
    assert_ended()
  end)

  it("runs beside another", function()
    local one, two = stream():chunks(), stream():chunks()
    local n = { 0, 0 }
    while n[1] < MIB // 2 or n[2] < MIB // 2 do
      n[1] = n[1] + #one()
      n[2] = n[2] + #two()
    end
    one:close()
    two:close()
    assert_ended(2)
  end)

  it("S05 whose body is closed while the loop reads raises usage", function()
    local response = stream()
    local ok, err = oras.try(function()
      for _ in response:chunks() do
        response.body:close()
      end
    end)
    assert.is_nil(ok)
    assert.equal("usage", err.class)
    assert_ended()
  end)
end)

describe("a stream that goes wrong", function()
  local ref, registry

  before_each(function()
    faults.reset()
    registry = helper.registry()
    ref = faults.host "http" .. "/wrong/app"
  end)

  local function drain(layer)
    local n, chunks = 0, registry:get_blob(ref, layer, { stream = true }):chunks()
    local _, err = oras.try(function()
      for chunk in chunks do
        n = n + #chunk
      end
    end)
    assert.is_nil(chunks())
    return err, n
  end

  it("C01 raises integrity at its end for wrong bytes", function()
    local layer = faults.seed { repo = "wrong/app", tag = "1", layers = { { size = MIB } } }.layers[1]
    faults.on { path = "/v2/wrong/app/blobs/*", corrupt = 700000, always = true }
    local err = drain(layer)
    assert.equal("integrity", err.class)
  end)

  it("raises network when it is cut, after what had come", function()
    local layer = faults.seed { repo = "wrong/app", tag = "1", layers = { { size = MIB } } }.layers[1]
    faults.on { path = "/v2/wrong/app/blobs/*", cut = 500000, how = "fin", always = true }
    local err, n = drain(layer)
    assert.equal("network", err.class)
    assert.is_true(n > 0 and n <= 500000)
  end)
end)

describe("entries of a stream", function()
  local registry, ref, layer

  before_each(function()
    faults.reset()
    registry = helper.registry()
    ref = faults.host "http" .. "/tar/app"
    local directory = helper.directory()
    os.execute(("cd '%s' && head -c 3000000 /dev/urandom > big && echo small > small && tar cf a.tar small big")
      :format(directory))
    layer = faults.seed {
      repo = "tar/app", tag = "1",
      layers = { { file = directory .. "/a.tar", media_type = "application/vnd.oci.image.layer.v1.tar" } },
    }.layers[1]
  end)

  after_each(helper.clean)

  local function entries(stream)
    return registry:get_blob(ref, layer, { stream = stream }):entries()
  end

  it("can be read while they are current, and no longer", function()
    local kept
    for entry in entries(true) do
      if entry.path == "small" then
        assert.equal("small\n", entry:read())
        kept = entry
      else
        assert.equal("big", entry.path)
        assert.equal(3000000, entry.size)
        assert.equal("usage", helper.fails(kept, "read").class)
      end
    end
  end)

  it("give the same from memory", function()
    local names = {}
    for entry in entries(false) do
      names[#names + 1] = entry.path .. ":" .. entry.size
    end
    assert.same({ "small:6", "big:3000000" }, names)
  end)

  it("end the transfer when the loop is left", function()
    faults.on { path = "/v2/tar/app/blobs/*", stall = 1000000 }
    local kept
    for entry in entries(true) do
      kept = entry
      break
    end
    assert.equal("gone", faults.wait { path = "/v2/tar/app/blobs/*", finished = true, count = 1 }[1].outcome)
    assert.equal("usage", helper.fails(kept, "read").class)
  end)

  it("end the transfer when what they hold is collected", function()
    faults.on { path = "/v2/tar/app/blobs/*", stall = 1000000 }
    entries(true)()
    collectgarbage()
    collectgarbage()
    assert.equal("gone", faults.wait { path = "/v2/tar/app/blobs/*", finished = true, count = 1 }[1].outcome)
  end)

  it("read in tasks, side by side", function()
    local function size()
      local n = 0
      for entry in entries(true) do
        n = n + #entry:read()
      end
      return n
    end
    assert.same({ 3000006, 3000006 }, { oras.gather(size, size) })
  end)
end)

describe("a stream in a process of its own", function()
  before_each(faults.reset)
  after_each(helper.clean)

  local function script(text)
    return helper.write(helper.directory() .. "/script.lua", ('local url = "%s"\n'):format(faults.url "http") .. [[
local oras = require "oras"
local sleep = require "oras.core".clock.sleep
local registry = oras.Registry:new { config_path = "/nonexistent/config.json" }
]] .. text)
  end

  it("of 256 MiB that is read slowly takes bounded memory", function()
    faults.on { path = "/v2/endless", status = 200, endless = "body" }
    local path = script [[
local chunks = registry:do_request("GET", url .. "/v2/endless", { stream = true }):chunks()
sleep(0.2) -- the server sends what it can
local size = 0
while size < 256 * 1024 * 1024 do
  size = size + #chunks()
  if size % 16 == 0 then
    sleep(0)
  end
end
for line in io.lines "/proc/self/status" do
  local peak = line:match "^VmHWM:%s*(%d+)"
  if peak then
    print(peak)
  end
end
]]
    -- a sanitizer keeps freed memory for a while: not too much of it
    local status, out, err = process.shell(("ASAN_OPTIONS=quarantine_size_mb=8 %s %s"):format(
      process.quote(process.oras_lua), process.quote(path)))
    assert.equal(0, status, err)
    assert.is_true(tonumber(out) < 96 * 1024, out)
  end)

  it("L23 passes over a member that trickles in with 256 KiB of stack", function()
    local tar = helper.directory() .. "/a.tar"
    os.execute(("cd '%s' && head -c 4000 /dev/urandom > one && echo two > two && tar cf a.tar one two"):format(
      tar:match "(.*)/"))
    faults.on {
      path = "/v2/slow", status = 200, headers = { ["Content-Type"] = "application/octet-stream" },
      body = helper.read(tar), trickle = { bytes = 4, every = 0.0005 },
    }
    local path = script [[
local names = {}
for entry in registry:do_request("GET", url .. "/v2/slow", { stream = true }):entries() do
  names[#names + 1] = entry.path
  if entry.path == "two" then
    break
  end
end
print(table.concat(names, " "))
]]
    local status, out, err = process.shell(("ulimit -s 256; %s %s"):format(
      process.quote(process.oras_lua), process.quote(path)))
    assert.same({ 0, "one two\n", "" }, { status, out, err })
  end)
end)
