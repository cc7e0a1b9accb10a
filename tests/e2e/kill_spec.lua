--- Processes that end in the middle of a write: what stands there is old or whole, and the same
--- write, made again, ends well and leaves no temporary. scripts/torture does more of it.
local crash = require "tests.e2e.crash"

describe("a write that is killed", function()
  crash.tests("L09", "random", "at any time", 40)
  crash.tests("L09", "steps", "at a call of the system", 12)
end)

describe("a write that is interrupted", function()
  crash.tests("N55", "interrupt", "at any time", 15)
end)
