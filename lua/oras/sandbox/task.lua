--- `oras.task` in the sandbox's child: one thing after the other, as the parent answers one question at a
--- time.
local task = {}

--- Call functions in their order; the first result of each.
---@param ... function
---@return any ...
function task.gather(...)
  local results, n = {}, select("#", ...)
  for i = 1, n do
    results[i] = (select(i, ...))()
  end
  return table.unpack(results, 1, n)
end

--- Call fn(item, index) for each item.
---@param list any[]
---@param fn function
---@return any[]
function task.map(list, fn)
  local results = {}
  for i = 1, #list do
    results[i] = fn(list[i], i)
  end
  return results
end

--- Call a function; `wait` gives its results.
---@param fn function
---@param ... any
---@return table
function task.spawn(fn, ...)
  local results = table.pack(fn(...))
  return {
    cancel = function() end,
    status = function() return "done" end,
    wait = function() return table.unpack(results, 1, results.n) end,
  }
end

return task
