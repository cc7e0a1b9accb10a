--- Tasks: functions that run side by side; a request in one lets the others go on.
local core = require "oras.core"
local errors = require "oras.error"
local options = require "oras.options"

local task = {}

local DEFAULT_CONCURRENCY <const> = 8
local MAP_OPTIONS <const> = { concurrency = "integer" }

-- Nothing that a group started outlives it, however the group is left.
local Group = { __name = "oras.Group" }

-- What the tasks raise in their cleanup is not said: why the group is left is.
function Group.__close(tasks)
  for _, t in ipairs(tasks) do
    t:cancel()
  end
  for _, t in ipairs(tasks) do
    pcall(t.wait, t)
  end
end

-- Wait for all; the first failure is raised, and the group's end cancels the others.
local function finish(tasks)
  local failed = core.task.join(tasks)
  if failed then
    tasks[failed]:wait()
  end
end

--- Run functions as tasks and give the first result of each, in their order.
---@param ... function
---@return any ...
---@raise any what the first that failed raised, when the others have been cancelled
function task.gather(...)
  local tasks <close> = setmetatable({}, Group)
  local n = select("#", ...)
  for i = 1, n do
    local fn = select(i, ...)
    if type(fn) ~= "function" then
      errors.usage("gather: argument %d is a %s, not a function", i, type(fn))
    end
    tasks[i] = core.task.spawn(fn)
  end
  finish(tasks)
  local results = {}
  for i = 1, n do
    results[i] = tasks[i]:wait()
  end
  return table.unpack(results, 1, n)
end

--- Call fn(item, index) for each item, several at a time; results in the order of the list.
---@param list any[]
---@param fn function
---@param opts? { concurrency?: integer } default 8
---@return any[]
---@raise any what the first that failed raised, when the others have been cancelled
function task.map(list, fn, opts)
  if type(list) ~= "table" or type(fn) ~= "function" then
    errors.usage("map takes a list and a function, not a %s and a %s", type(list), type(fn))
  end
  opts = options.check(opts, MAP_OPTIONS, "map")
  local concurrency = opts.concurrency or DEFAULT_CONCURRENCY
  if concurrency < 1 then
    errors.usage("map: concurrency is at least 1, not %d", concurrency)
  end
  local tasks <close> = setmetatable({}, Group)
  local n, taken, results = #list, 0, {}
  local function work()
    while taken < n do
      taken = taken + 1
      local index = taken
      results[index] = fn(list[index], index)
    end
  end
  for i = 1, math.min(concurrency, n) do
    tasks[i] = core.task.spawn(work)
  end
  finish(tasks)
  return results
end

--- Start a function as a task: `:wait()` gives its results, `:cancel()` ends it.
---@param fn function
---@param ... any its arguments
---@return userdata
function task.spawn(fn, ...)
  return core.task.spawn(fn, ...)
end

return task
