--- What is still to be said when a call is stopped from outside. An interrupt unwinds everything
--- at once, and a `<close>` variable cannot wait any more then: what a server should be told all
--- the same is left here, and the host has it done, in little time.
local core = require "oras.core"

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

local function ends(fn)
  return core.task.spawn(function()
    fn()
    error("over", 0) -- join returns at the first failure
  end)
end

--- Do what was left, best effort; the host calls it.
function parting.run()
  local tasks, todo = {}, left
  left = {}
  for key, fn in pairs(todo) do
    tasks[#tasks + 1] = core.task.spawn(function()
      pcall(fn, key)
    end)
  end
  if #tasks == 0 then
    return
  end
  local first_of = {
    ends(function()
      core.task.join(tasks)
    end),
    ends(function()
      core.clock.sleep(TIME)
    end),
  }
  core.task.join(first_of)
  for _, list in ipairs { first_of, tasks } do
    for _, task in ipairs(list) do
      task:cancel()
    end
  end
end

return parting
