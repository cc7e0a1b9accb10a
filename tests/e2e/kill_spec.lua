--- Processes that end in the middle of a write: what stands there is old or whole, and the same
--- write, made again, ends well and leaves no temporary. scripts/torture does more of it.
local crash = require "tests.e2e.crash"

describe("a write that is killed", function()
  for _, world in ipairs(crash.worlds) do
    it("L09 at any time: " .. world, function()
      local reason = crash.reason("random", world, 40)
      return reason and pending(reason)
    end)

    it("L09 at a call of the system: " .. world, function()
      local reason = crash.reason("steps", world, 12)
      return reason and pending(reason)
    end)
  end
end)

describe("a write that is interrupted", function()
  for _, world in ipairs(crash.worlds) do
    it("N55 at any time: " .. world, function()
      local reason = crash.reason("interrupt", world, 15)
      return reason and pending(reason)
    end)
  end
end)
