--- Bytes, rates and times for people.
local meter = {}

local WINDOW <const> = 3 -- seconds that a rate is taken over
local UNITS <const> = { "B", "KiB", "MiB", "GiB", "TiB" }

--- A size for people: "1.5 MiB".
---@param bytes number
---@return string
function meter.size(bytes)
  local unit, value = 1, bytes
  while value >= 1024 and unit < #UNITS do
    unit, value = unit + 1, value / 1024
  end
  return unit == 1 and ("%d B"):format(value // 1) or ("%.1f %s"):format(value, UNITS[unit])
end

--- A time for people: "42s", "3m05s", "2h10m".
---@param seconds number
---@return string
function meter.time(seconds)
  local whole = math.ceil(seconds)
  if whole < 60 then
    return ("%ds"):format(whole)
  elseif whole < 3600 then
    return ("%dm%02ds"):format(whole // 60, whole % 60)
  elseif whole < 360000 then
    return ("%dh%02dm"):format(whole // 3600, whole % 3600 // 60)
  end
  return ">99h"
end

---@class oras.Speed
---@field first integer of the samples that count
---@field last integer
local Speed = { __name = "oras.Speed" }
Speed.__index = Speed

--- How fast a count grows.
---@return oras.Speed
function meter.rate()
  return setmetatable({ first = 1, last = 0 }, Speed)
end

--- The count is now at `done`.
---@param now number
---@param done integer
function Speed:note(now, done)
  self.last = self.last + 1
  self[self.last] = { at = now, done = done }
  while self.last - self.first > 1 and now - self[self.first + 1].at >= WINDOW do
    self[self.first] = nil
    self.first = self.first + 1
  end
end

--- Bytes a second in the last few seconds, or nil so early that nobody knows.
---@return number?
function Speed:value()
  local first, last = self[self.first], self[self.last]
  if not first or last.at - first.at < 0.2 then
    return nil
  end
  return (last.done - first.done) / (last.at - first.at)
end

return meter
