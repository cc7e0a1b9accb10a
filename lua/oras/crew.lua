--- Tasks that belong together, inside of the library: whatever one of them raises, the others are
--- ended and waited for.
local core = require "oras.core"

local crew = {}

local Group = {}

function Group.__close(tasks)
  for _, task in ipairs(tasks) do
    task:cancel()
  end
  for _, task in ipairs(tasks) do
    crew.await(task)
  end
end

--- A list of tasks that do not outlive the `<close>` variable which holds it.
---@return userdata[]
function crew.group()
  return setmetatable({}, Group)
end

--- Wait until a task is over, however it ended.
---@param task userdata
function crew.await(task)
  pcall(task.wait, task)
end

--- Run two functions and go on when the first of them is over; the second is ended then, the
--- first may go on.
---@param first function
---@param second function
function crew.quicker(first, second)
  local DONE <const> = {} -- join returns when one fails, so both do
  local function ending(fn)
    return core.task.spawn(function()
      pcall(fn)
      error(DONE, 0)
    end)
  end
  local both <const> = { ending(first), ending(second) }
  core.task.join(both)
  both[2]:cancel()
end

--- Run a producer beside what consumes. Gives what consume gives, or raises what failed first.
---@param produce function
---@param fail fun(raised: any) tells the consumer that the producer has failed
---@param consume fun(): any ...
---@return any ...
---@raise any
function crew.beside(produce, fail, consume)
  local tasks <close> = crew.group()
  local is_over, raised = false, nil
  tasks[1] = core.task.spawn(function()
    local results = table.pack(pcall(consume))
    is_over = true
    if not results[1] then
      error(results[2], 0)
    end
    return table.unpack(results, 2, results.n)
  end)
  tasks[2] = core.task.spawn(function()
    local good, err = pcall(produce)
    if not good and not is_over then
      raised = { err }
      fail(err)
    end
  end)
  local results = table.pack(pcall(tasks[1].wait, tasks[1]))
  if raised then
    error(raised[1], 0)
  elseif not results[1] then
    error(results[2], 0)
  end
  return table.unpack(results, 2, results.n)
end

local function leave(queue, mine)
  for i, task in ipairs(queue) do
    if task == mine then
      table.remove(queue, i)
      return
    end
  end
end

--- Call a function when those who came to the queue before are done, whatever became of them.
---@param queue userdata[] tasks that are not over, the caller's to keep
---@param fn function
---@return any result
---@raise any what fn raises
function crew.in_turn(queue, fn)
  local before = table.move(queue, 1, #queue, 1, {})
  local mine = core.task.spawn(function()
    for _, task in ipairs(before) do
      crew.await(task)
    end
    return fn()
  end)
  table.insert(queue, mine)
  local good, result = pcall(mine.wait, mine)
  if not good then
    mine:cancel() -- it is us who do not wait any more
  end
  leave(queue, mine)
  if not good then
    error(result, 0)
  end
  return result
end

return crew
