--- No room, or a device that fails: the write says so in a line and nothing partial is seen.
local crash = require "tests.e2e.crash"

describe("a write without room", function()
  crash.tests("L01", "full", "on file systems that are too small")
  crash.tests("L01", "limit", "under a limit on the size of files")
end)

describe("a write whose calls fail", function()
  crash.tests("L01 L04", "errors", "for want of room, by quota, by a fault of the device", 15)
end)
