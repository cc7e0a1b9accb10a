--- tests/torture/crash.py from specs: a mode, in every world of tests/torture/worlds.py.
local process = require "tests.spec.process"
local services = require "tests.support.services"

local crash = {}

crash.worlds = { "pull", "directory", "directory over another", "push to a layout", "copy to a layout" }

-- What TAP says of a world that could not be tried, or nil.
local function reason_in(out)
  return out:match "# skipped ([^\n]*)" or out:match "# SKIP ([^\n]*)"
end

--- Tests of one mode, one for each world.
---@param id string rows of the fault catalogue that it shows
---@param mode string
---@param what string
---@param runs integer? of each world; all there are by default
function crash.tests(id, mode, what, runs)
  for _, world in ipairs(crash.worlds) do
    it(("%s %s: %s"):format(id, world, what), function()
      if not services.get "registry" then
        return pending(services.missing "registry")
      end
      local words = ("python3 -B tests/torture/crash.py --runs %d %s %s"):format(runs or 0, mode, process.quote(world))
      local status, out, err = process.shell(words)
      if reason_in(out) then
        return pending(reason_in(out))
      end
      assert.equal("", err)
      assert.equal(0, status, out)
      assert.matches("^ok 1 ", out)
    end)
  end
end

return crash
