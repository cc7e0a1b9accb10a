local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local PATH <const> = "/v2/d/faults/blobs/*"
local SIZE <const> = 1500000 -- several blocks of the worker's ring

describe("a download in several processes", function()
  local directory, ref, layer
  before_each(function()
    faults.reset()
    directory = helper.directory()
    ref = faults.host "http" .. "/d/faults"
  end)
  after_each(helper.clean)

  local function seed(size)
    layer = faults.seed({ repo = "d/faults", tag = "1", layers = { { size = size or SIZE } } }).layers[1]
  end

  local function on(rule)
    rule.path, rule.method = PATH, "GET"
    faults.on(rule)
  end

  local function gets()
    return faults.log { method = "GET", path = PATH }
  end

  -- First byte that each request asked for.
  local function firsts()
    local list = {}
    for i, entry in ipairs(gets()) do
      local range = faults.header(entry, "range")
      list[i] = range and tonumber(range:match "^bytes=(%d+)%-$") or 0
    end
    return list
  end

  local function file(name)
    return directory .. "/" .. (name or "file")
  end

  local script
  before_each(function()
    script = helper.write(file() .. ".get.lua", [[
      local ref, digest, size, path = ...
      local registry = require("oras").Registry:new { config_path = "/nonexistent/config.json", retry = { wait = 0 } }
      registry:download_blob(ref, { digest = digest, size = math.tointeger(size) }, path)
    ]])
    assert(os.execute(("mkdir '%s'"):format(file "sub")))
  end)

  local function command(path)
    local words = {}
    for _, word in ipairs { process.oras_lua, script, ref, layer.digest, layer.size, path } do
      words[#words + 1] = process.quote(word)
    end
    return table.concat(words, " ")
  end

  local function expect_good_below()
    assert.equal("file", helper.list(file "sub"))
    assert.equal(layer.digest, oras.digest.of_file(file "sub/file"))
  end

  -- Start a download that the server holds up, wait for bytes in the partial file, kill -9.
  local function kill_in_the_middle(held_at, before)
    local name = "behind " .. before
    on { hold_body = name, hold_at = held_at }
    local start = "cd '%s'; before=%d; %s & child=$!\n"
    local _, out = process.shell(start:format(file "sub", before, command(file "sub/file")) .. [[
      until test "$(stat -c %s .oras-partial-* 2>/dev/null || echo 0)" -gt $before; do
        kill -0 $child || exit 9
        sleep 0.01
      done
      kill -9 $child
      wait $child 2>/dev/null
      stat -c %s .oras-partial-*]])
    faults.release(name)
    return tonumber(out) or error("it ended by itself: " .. out)
  end

  it("L09 goes on after kill -9", function()
    seed()
    local size = kill_in_the_middle(1000000, 0)
    assert.is_true(size > 0 and size <= 1000000)
    assert.equal(0, (process.shell(command(file "sub/file"))))
    expect_good_below()
    assert.same({ 0, size }, firsts())
  end)

  it("L09 goes on after kill -9, several times", function()
    seed()
    local size = 0
    for _ = 1, 3 do
      size = kill_in_the_middle(400000, size)
    end
    assert.equal(0, (process.shell(command(file "sub/file"))))
    expect_good_below()
    local at = firsts()
    assert.equal(4, #at)
    assert.is_true(at[2] > 0 and at[3] > at[2] and at[4] > at[3])
  end)

  local function partial()
    return file "sub/.oras-partial-" .. layer.digest:gsub(":", "-")
  end

  it("N40 begins anew when the partial file is spoilt", function()
    seed()
    helper.write(partial(), ("x"):rep(700000))
    assert.equal(0, (process.shell(command(file "sub/file"))))
    expect_good_below()
    assert.same({ 700000, 0 }, firsts())
  end)

  it("N40 begins anew when the partial file is too long, or whole and wrong", function()
    for _, size in ipairs { SIZE + 1, SIZE } do
      faults.reset()
      seed()
      helper.write(partial(), ("x"):rep(size))
      local status, _, err = process.shell(command(file "sub/file"))
      assert.equal(0, status, err)
      expect_good_below()
      os.remove(file "sub/file")
    end
  end)

  it("L09 needs no request when the partial file is whole", function()
    seed()
    helper.registry():download_blob(ref, layer, file "whole")
    os.rename(file "whole", partial())
    faults.reset { content = false }
    assert.equal(0, (process.shell(command(file "sub/file"))))
    expect_good_below()
    assert.same({}, gets())
  end)

  it("L09 does not trust a partial file that is a link, has two names, or is no file", function()
    seed()
    local makers = {
      "echo precious >other; ln -s ../other sub/%s", "echo precious >other; ln other sub/%s", "mkfifo sub/%s",
      "mkdir sub/%s",
    }
    for _, maker in ipairs(makers) do
      local name = partial():match "[^/]+$"
      process.shell(("cd '%s'; rm -rf other sub; mkdir sub; %s"):format(directory, maker:format(name)))
      assert.equal(0, (process.shell(command(file "sub/file"))), maker)
      assert.equal(layer.digest, oras.digest.of_file(file "sub/file"))
      assert.equal(maker:find "precious" and "precious\n" or nil, helper.read(file "other"))
    end
  end)

  it("L11 and one target: both get it right", function()
    seed()
    on { hold_body = "both", hold_at = 700000 }
    on { hold_body = "both", hold_at = 300000 }
    local one = assert(io.popen(command(file "sub/file") .. " 2>&1; echo $?"))
    local two = assert(io.popen(command(file "sub/file") .. " 2>&1; echo $?"))
    faults.wait { path = PATH, count = 2 }
    faults.release "both"
    assert.equal("0\n", one:read "a")
    assert.equal("0\n", two:read "a")
    one:close()
    two:close()
    expect_good_below()
  end)

  it("L11 and one target that must not be there: one gets it, the other says so", function()
    seed()
    local strict = helper.write(script, helper.read(script):gsub("path%)", "path, { overwrite = false })"))
    assert.equal(script, strict)
    on { hold_body = "first", hold_at = 700000 }
    on { hold_body = "second", hold_at = 300000 }
    local one = assert(io.popen(command(file "sub/file") .. " 2>&1; echo $?"))
    faults.wait { path = PATH, count = 1 }
    local two = assert(io.popen(command(file "sub/file") .. " 2>&1; echo $?"))
    faults.wait { path = PATH, count = 2 }
    faults.release "first"
    assert.equal("0\n", one:read "a")
    faults.release "second"
    local said = two:read "a"
    assert.matches("exists", said)
    assert.matches("\n1\n$", said)
    one:close()
    two:close()
    expect_good_below()
  end)
end)
