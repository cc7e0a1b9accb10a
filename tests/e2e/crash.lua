--- tests/torture/crash.py from specs: a mode, in one of the worlds of tests/torture/worlds.py.
local process = require "tests.spec.process"
local services = require "tests.support.services"

local crash = {}

crash.worlds = { "pull", "directory", "directory over another", "push to a layout", "copy to a layout" }

--- Run a mode in a world; raises what does not hold.
---@param mode string
---@param world string
---@param runs integer? by default all there are
---@return string? reason why it could not be tried
function crash.reason(mode, world, runs)
  if not services.get "registry" then
    return services.missing "registry"
  end
  local words = ("python3 -B tests/torture/crash.py --runs %d %s %s"):format(runs or 0, mode, process.quote(world))
  local status, out, err = process.shell(words)
  if status ~= 0 or err ~= "" or not out:find("1..", 1, true) then
    error(out .. err, 2)
  end
  return out:match "# skipped ([^\n]*)" or out:match "# SKIP ([^\n]*)"
end

return crash
