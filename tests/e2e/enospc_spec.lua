--- No room, or a device that fails: the write says so in a line and nothing partial is seen.
local crash = require "tests.e2e.crash"

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
