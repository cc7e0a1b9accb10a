--- No room, or a device that fails: the write says so in a line and nothing partial is seen.
local crash = require "tests.e2e.crash"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

describe("a write without room", function()
  for _, world in ipairs(crash.worlds) do
    it("L01 on file systems that are too small: " .. world, function()
      local reason = crash.reason("full", world)
      return reason and pending(reason)
    end)

    it("L01 under a limit on the size of files: " .. world, function()
      local reason = crash.reason("limit", world)
      return reason and pending(reason)
    end)
  end
end)

describe("a write whose calls fail", function()
  for _, world in ipairs(crash.worlds) do
    it("L01 L04 for want of room, by quota, by a fault of the device: " .. world, function()
      local reason = crash.reason("errors", world, 15)
      return reason and pending(reason)
    end)
  end
end)

describe("a write that is slow", function()
  after_each(helper.clean)

  it("L01 and fails while the transfer waits for it ends the transfer", function()
    local preload = (os.getenv "ORAS_TEST_BUILD" or "") .. "/tests/torture/faulty.so"
    if not helper.read(preload) then
      return pending "there is no faulty.so"
    end
    faults.reset()
    local directory = helper.directory()
    local layer = faults.seed({ repo = "s/app", tag = "1", layers = { { size = 8000000 } } }).layers[1]
    local script = helper.write(directory .. "/get.lua", [[
      local registry = require("oras").Registry:new { retry = { tries = 1 } }
      registry:download_blob(arg[1], arg[2], arg[3])
    ]])
    local words = ("ORAS_TEST_FAIL=pwrite=slow,pwrite=ENOSPC LD_PRELOAD=%s timeout 5"):format(process.quote(preload))
    for _, word in ipairs { process.oras_lua, script, faults.host() .. "/s/app", layer.digest, directory .. "/file" } do
      words = words .. " " .. process.quote(word)
    end
    local status, _, err = process.shell(words)
    assert.matches("No space left on device", err)
    assert.equal(1, status) -- 124: it waited for ever
  end)
end)
