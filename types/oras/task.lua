---@meta oras.task
--- Functions that run side by side.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.task
local task = {}

--- Run functions as tasks and give the first result of each, in their order.
---@param ... function
---@return any ...
--- Raises what the first that failed raised, when the others have been cancelled
function task.gather(...) end

--- Call fn(item, index) for each item, several at a time; results in the order of the list.
---@param list any[]
---@param fn function
---@param opts? oras.MapOptions default 8
---@return any[]
--- Raises what the first that failed raised, when the others have been cancelled
function task.map(list, fn, opts) end

--- Start a function as a task: `:wait()` gives its results, `:cancel()` ends it.
---@param fn function
---@param ... any its arguments
---@return oras.Task
function task.spawn(fn, ...) end

--- A function that runs beside others.
---@class oras.Task
local Task = {}

--- Wait for its end.
---@return any ... what it gives
function Task:wait() end

--- End it where it waits.
function Task:cancel() end

--- How far it is.
---@return string
function Task:status() end

return task
