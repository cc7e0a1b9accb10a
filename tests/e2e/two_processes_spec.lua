--- Two processes that write the same: both end well, or one says that it is there already.
local crash = require "tests.e2e.crash"

describe("two writes", function()
  crash.tests("L11 C39", "together", "at the same time", 15)
  crash.tests("L11 C39", "meet", "one stands still while the other runs", 12)
end)
