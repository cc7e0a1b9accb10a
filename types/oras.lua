---@meta oras
--- What `require "oras"` gives: the library's parts, each read in when it is first used.
--- Written by scripts/types.lua from the library's own comments.

---@class oras
---@field archive oras.archive
---@field client oras.client
---@field cron oras.cron
---@field defaults oras.defaults
---@field digest oras.digest
---@field json oras.json
---@field layout oras.layout
---@field log oras.log
---@field oci oras.oci
---@field provider oras.provider
---@field task oras.task
---@field time oras.time
---@field Registry oras.Registry
---@field Error oras.Error
---@field version string "0.1.0"
local oras = {}

--- Call a function at intervals, at once for the first time, or at cron's times (oras.cron). It
--- returns when the function gives false, or after `count` runs; run it by oras.spawn to do
--- something else meanwhile, and cancel that task.
---
--- A run that takes longer than the interval is not joined by a second one: the times that it
--- has passed are left out, and the next one is where it would have been anyway.
---@param when number|string|oras.Cron seconds, or "minute hour day month weekday"
---@param fn fun(number: integer): boolean? gets the run's number, 1 at first
---@param opts? oras.EveryOptions
--- `jitter`: each run is up to so many seconds later, by chance; `utc`: of a cron text;
--- `on_error(err, number)`: called with what a run raised, which else ends all; false ends all then
---@return integer runs
--- Raises what the function raises
function oras.every(when, fn, opts) end

--- Run functions as tasks and give the first result of each, in their order.
---@param ... function
---@return any ...
--- Raises what the first that failed raised, when the others have been cancelled
function oras.gather(...) end

--- Call fn(item, index) for each item, several at a time; results in the order of the list.
---@param list any[]
---@param fn function
---@param opts? oras.MapOptions default 8
---@return any[]
--- Raises what the first that failed raised, when the others have been cancelled
function oras.map(list, fn, opts) end

--- Start a function as a task: `:wait()` gives its results, `:cancel()` ends it.
---@param fn function
---@param ... any its arguments
---@return oras.Task
function oras.spawn(fn, ...) end

--- Call a function; an oras.Error that it raises is given back as `nil, err`. Anything else
--- is a bug and goes on up.
---@param fn function
---@return any ... what fn gave, or nil and an oras.Error
---@param ... any
function oras.try(fn, ...) end

--- Is the file that asks the one that was started (and not loaded by another)?
---@return boolean
function oras.is_main() end

return oras
