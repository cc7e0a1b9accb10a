--- What is still to be said when a call is stopped from outside. An interrupt unwinds everything
--- at once, and a `<close>` variable cannot wait any more then: what a server should be told all
--- the same is left here, and the host has it done, in little time.
local core = require "oras.core"
local crew = require "oras.crew"

local parting = {}

-- Seconds for all of it: an interrupt is over within 200 ms.
local TIME <const> = 0.15

local left = {}

--- Leave something to be done; `parting.take_back(key)` when it was done, or is not needed.
---@param key any
---@param fn fun(key: any)
function parting.leave(key, fn)
  left[key] = fn
end

--- It need not be done any more.
---@param key any
function parting.take_back(key)
  left[key] = nil
end

--- Do what was left, best effort; the host calls it.
function parting.run()
  local tasks <close> = crew.group()
  for key, fn in pairs(left) do
    tasks[#tasks + 1] = core.task.spawn(fn, key)
  end
  left = {}
  if #tasks == 0 then
    return
  end
  crew.quicker(function()
    for _, task in ipairs(tasks) do
      crew.await(task)
    end
  end, function()
    core.clock.sleep(TIME)
  end)
end

return parting
