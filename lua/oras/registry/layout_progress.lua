--- How far a sink is that is filled from a disk: what a request tells by itself for a registry.
local core = require "oras.core"
local errors = require "oras.error"

local progress = {}

local EVERY <const> = 0.1 -- seconds
local WORTH_IT <const> = 1024 * 1024

local Tasks = {}

function Tasks.__close(tasks)
  for _, task in ipairs(tasks) do
    task:cancel()
    errors.try(task.wait, task)
  end
end

local function tell(report, sink, size)
  while true do
    core.clock.sleep(EVERY)
    report(sink:count() or size, size)
  end
end

--- Call a function that fills a sink, and tell how far it is meanwhile.
---@param report oras.Reporter|false nobody listens
---@param sink userdata
---@param size? integer
---@param fill function
---@return any ... what `fill` gives
function progress.filling(report, sink, size, fill)
  if not report or (size and size < WORTH_IT) then
    return fill()
  end
  local tasks <close> = setmetatable({ core.task.spawn(fill), core.task.spawn(tell, report, sink, size) }, Tasks)
  local results = table.pack(tasks[1]:wait())
  if tasks[2]:status() == "failed" then
    tasks[2]:wait()
  end
  return table.unpack(results, 1, results.n)
end

return progress
