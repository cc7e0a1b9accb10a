--- Two processes that write the same: both end well, or one says that it is there already.
local crash = require "tests.e2e.crash"

describe("two writes", function()
  for _, world in ipairs(crash.worlds) do
    it("L11 C39 at the same time: " .. world, function()
      local reason = crash.reason("together", world, 15)
      return reason and pending(reason)
    end)

    it("L11 C39 one stands still while the other runs: " .. world, function()
      local reason = crash.reason("meet", world, 12)
      return reason and pending(reason)
    end)
  end
end)
