--- One fetch at a time of the same thing: whoever else wants it meanwhile waits for that one.
local once = {}

-- How many wait for a task.
local waiters = setmetatable({}, { __mode = "k" })

local Waiter = {}

-- Runs when the wait is over, and when its task is given up.
function Waiter:__close()
  local task, n = self.task, waiters[self.task] - 1
  waiters[task] = n
  if self.pending[self.key] == task and (n == 0 or not self.ends) then
    self.pending[self.key] = nil
  end
  if n == 0 and self.ends then
    task:cancel()
  end
end

--- Wait for the task that fetches `key`; it is started when there is none.
---@param pending table<string, userdata> tasks by key
---@param key string
---@param start fun(): userdata gives a task
---@param ends? boolean the task is cancelled once nobody waits for it any more
---@return any what the task gives
---@raise what the task raises
function once.fetch(pending, key, start, ends)
  local task = pending[key] or start()
  pending[key] = task
  waiters[task] = (waiters[task] or 0) + 1
  local _ <close> = setmetatable({ task = task, pending = pending, key = key, ends = ends }, Waiter)
  return (task:wait())
end

return once
