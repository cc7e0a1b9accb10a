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
  return setmetatable({ stream = stream, groups = {}, last = 0 }, Display)
end

-- What is hashed is moved, too: the two are not added.
local function group_of(display, event)
  local name = event.phase == "hash" and "hash" or "moved"
  local group = display.groups[name] or {}
  display.groups[name] = group
  return group
end

local function sums(group)
  local done, total, known = 0, 0, true
  for _, blob in pairs(group) do
    done = done + blob.done
    total = total + (blob.total or 0)
    known = known and blob.total ~= nil
  end
  return done, total, known
end

local function line_of(display, event)
  local done, total, known = sums(group_of(display, event))
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
  local group, key = group_of(display, event), event.title or event.digest or ""
  local blob, total = group[key] or {}, event.total
  group[key] = blob
  blob.done = event.done or 0
  blob.total = total and total >= 0 and total or nil
end

--- Take in what happened, and redraw when it is time. Manifests on the way are not shown.
---@param event table of the event "progress"
function Display:show(event)
  if not event.blobs and not event.title then
    return
  end
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
