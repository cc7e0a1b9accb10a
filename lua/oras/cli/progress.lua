--- One line on the terminal that says how far the transfers are.
local core = require "oras.core"

local progress = {}

-- Redrawn at most that often, in seconds.
local EVERY <const> = 0.1

local UNITS <const> = { "B", "KiB", "MiB", "GiB", "TiB" }

local Display = {}
Display.__index = Display

--- A size for people: "1.5 MiB".
---@param bytes integer
---@return string
function progress.size(bytes)
  local unit, value = 1, bytes
  while value >= 1024 and unit < #UNITS do
    unit, value = unit + 1, value / 1024
  end
  return unit == 1 and ("%d B"):format(value) or ("%.1f %s"):format(value, UNITS[unit])
end

--- A display on a terminal.
---@param stream file*
---@return table
function progress.new(stream)
  return setmetatable({ stream = stream, blobs = {}, order = {}, last = 0 }, Display)
end

local function sums(display)
  local done, total, known = 0, 0, true
  for _, key in ipairs(display.order) do
    local blob = display.blobs[key]
    done = done + blob.done
    total = total + (blob.total or 0)
    known = known and blob.total ~= nil
  end
  return done, total, known
end

local function line_of(display, event)
  local done, total, known = sums(display)
  local parts = { event.phase or "transfer", progress.size(done) }
  if known and total > 0 then
    parts[2] = ("%s of %s, %d %%"):format(parts[2], progress.size(total), done * 100 // total)
  end
  if event.blobs then
    parts[#parts + 1] = ("%d of %d blobs"):format(event.blobs.done or 0, event.blobs.total or 0)
  end
  return table.concat(parts, "  ")
end

local function note(display, event)
  local key = ("%s %s"):format(event.phase or "", event.digest or event.title or "")
  if not display.blobs[key] then
    display.blobs[key] = {}
    table.insert(display.order, key)
  end
  local blob, total = display.blobs[key], event.total
  blob.done = event.done or 0
  blob.total = total and total >= 0 and total or nil
end

--- Take in what happened, and redraw when it is time.
---@param event table of the event "progress"
function Display:show(event)
  note(self, event)
  local now = core.clock.monotonic()
  if now - self.last < EVERY then
    return
  end
  self.last, self.drawn = now, true
  self.stream:write("\r\27[K", line_of(self, event))
  self.stream:flush()
end

--- Clear the line.
function Display:close()
  if self.drawn then
    self.stream:write "\r\27[K"
    self.stream:flush()
  end
end

return progress
