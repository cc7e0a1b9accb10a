--- One fetch at a time of the same thing: whoever else wants it meanwhile waits for that one.
local once = {}

--- Wait for the task that fetches `key`; it is started when there is none.
---@param pending table<string, userdata> tasks by key
---@param key string
---@param start fun(): userdata gives a task
---@return any what the task gives
---@raise what the task raises
function once.fetch(pending, key, start)
  local task = pending[key] or start()
  pending[key] = task
  local good, value = pcall(task.wait, task)
  if pending[key] == task then
    pending[key] = nil
  end
  if not good then
    error(value, 0)
  end
  return value
end

return once
