--- How far the transfers are, on a terminal: a line for each blob that is on its way, and one for
--- all of them. The lines go when the work is over; nothing is shown of what takes no time.
local core = require "oras.core"
local meter = require "oras.cli.meter"
local screen = require "oras.cli.screen"
local width = require "oras.cli.width"

local progress = { size = meter.size }

-- Redrawn at most that often, in seconds; the first time after as many.
local EVERY <const> = 0.1

-- What belongs to no operation and has no name is a manifest, a token, a list; or a blob that is
-- fetched for itself, which is worth a line if it is as large as this.
local LARGE <const> = 1024 * 1024

local SHORTEST_NAME <const> = 8
local SEPARATOR <const> = "  "

---@class oras.Display
---@field screen oras.Screen
---@field things table<string, table> by phase and digest or title
---@field running table[] those that are not over, in the order in which they began
---@field operations table<any, table> {done, total, size?}
local Display = { __name = "oras.Display" }
Display.__index = Display

--- A display on the terminal that standard error is.
---@param stream file*
---@param opts? { size?: function, now?: function } for tests
---@return oras.Display
function progress.new(stream, opts)
  opts = opts or {}
  local now = opts.now or core.clock.monotonic
  local display = setmetatable({
    screen = screen.new(stream, opts.size), able = screen.is_able(), now = now, last = now(),
    things = {}, running = {}, operations = {}, rate = meter.rate(), done = 0, moved = 0,
  }, Display)
  display.rate:note(display.last, 0)
  return display
end

local function is_shown(event)
  return event.blobs or event.title or (event.digest and event.total >= LARGE)
end

local function name_of(event)
  local name = event.title or (event.digest or ""):match "^[^:]*:%x%x%x%x%x%x%x%x%x%x%x%x" or event.digest or ""
  name = require("oras.registry.status").sanitise(name)
  local phase = event.phase
  return (phase == "hash" or phase == "pack" or phase == "extract") and phase .. " " .. name or name
end

local function new_thing(self, key, event)
  local thing = { name = name_of(event), done = 0, rate = meter.rate(), counts = event.phase ~= "hash" }
  thing.rate:note(self.now(), event.done) -- what was there before is no rate
  self.things[key] = thing
  table.insert(self.running, thing)
  return thing
end

local function finish(self, thing)
  for i, one in ipairs(self.running) do
    if one == thing then
      table.remove(self.running, i)
      return
    end
  end
end

local function is_over(event)
  return event.over or (not event.blobs and event.total >= 0 and event.done >= event.total)
end

-- What is hashed is moved, too: its bytes count once. A large thing that is done as soon as it is
-- heard of was there: it says nothing about how fast others are.
local function count(self, thing, event)
  if thing.counts then
    local more = event.done - thing.done
    local was_there = thing.total == nil and is_over(event) and more >= LARGE
    self.done = self.done + more
    self.moved = self.moved + (was_there and 0 or more)
  end
end

local function note(self, event)
  local key = ("%s %s"):format(event.phase, event.digest or event.title or "")
  local thing = self.things[key]
  if not thing or event.done < thing.done then
    thing = new_thing(self, key, event)
  end
  count(self, thing, event)
  thing.done, thing.total = event.done, event.total >= 0 and event.total or nil
  if is_over(event) then
    finish(self, thing)
  end
  if event.blobs then
    self.operations[event.operation or 1] = event.blobs
  end
end

-- Parts of a line by how much they are missed, the most first; those that fit, in their order.
local function line_of(name, parts, columns)
  local left = columns - (name and SHORTEST_NAME or 0)
  local kept = {}
  for _, part in ipairs(parts) do
    local needed = #part.text + ((name or #kept > 0) and #SEPARATOR or 0)
    if needed <= left then
      left = left - needed
      kept[#kept + 1] = part
    end
  end
  table.sort(kept, function(a, b)
    return a.place < b.place
  end)
  local words = {}
  for i, part in ipairs(kept) do
    words[i] = part.text
  end
  if name then
    table.insert(words, 1, width.fit(name, left + SHORTEST_NAME))
  end
  return table.concat(words, SEPARATOR)
end

local function amount(done, total, pad)
  local text = total and ("%s / %s"):format(meter.size(done), meter.size(total)) or meter.size(done)
  return pad and ("%21s"):format(text) or text
end

-- How far, how fast and how long: what all lines have.
local function figures(done, total, rate, pad)
  local parts = {}
  local function add(place, format, ...)
    parts[#parts + 1] = { place = place, text = format:format(...) }
  end
  if total and total > 0 then
    add(3, "%3d%%", done * 100 // total)
  end
  if total and rate and rate > 0 and done < total then
    add(5, pad and "%6s" or "%s left", meter.time((total - done) / rate))
  elseif pad then
    add(5, "%6s", "")
  end
  add(2, "%s", amount(done, total, pad))
  if rate then
    add(4, pad and "%12s" or "%s", meter.size(rate) .. "/s")
  end
  return parts
end

local function blob_line(self, thing, columns)
  thing.rate:note(self.now(), thing.done)
  return line_of(thing.name, figures(thing.done, thing.total, thing.rate:value(), true), columns)
end

-- All operations as one; the size is known when that of each is.
local function sums(self)
  local done, total, size = 0, 0, 0
  for _, blobs in pairs(self.operations) do
    done, total = done + blobs.done, total + blobs.total
    size = size and blobs.size and size + blobs.size
  end
  return done, total, size
end

local function summary(self, hidden, columns)
  local done, total, size = sums(self)
  self.rate:note(self.now(), self.moved)
  local parts = {}
  if size and size > 0 and size < self.done then
    size = self.done
  end
  if total > 0 then
    parts[1] = { place = 1, text = ("%d of %d blobs"):format(done, total) }
    if hidden > 0 then
      parts[2] = { place = 1.5, text = ("%d more on the way"):format(hidden) }
    end
    table.move(figures(self.done, size ~= 0 and size or nil, self.rate:value()), 1, 4, #parts + 1, parts)
  end
  return total > 0 and line_of(nil, parts, columns) or nil
end

local function lines_of(self)
  local columns, rows = self.screen:room()
  local n = #self.running
  local shown = n <= rows - 1 and n or math.max(rows - 1, 0)
  local lines = {}
  for i = 1, shown do
    lines[i] = blob_line(self, self.running[i], columns)
  end
  lines[#lines + 1] = summary(self, n - shown, columns)
  return lines
end

-- An interrupt unwinds past close(), and a warning is printed where the cursor is.
local function draw(self, now)
  if not self.drawn then
    local clear = function()
      self.screen:clear()
    end
    require("oras.parting").leave(self, clear)
    require("oras.log").before(clear)
    self.drawn = true
  end
  self.last = now
  self.screen:draw(lines_of(self))
end

--- Take in what happened, and redraw when it is time.
---@param event table of the event "progress"
function Display:show(event)
  if not self.able or not is_shown(event) then
    return
  end
  note(self, event)
  local now = self.now()
  if now - self.last >= EVERY then
    draw(self, now)
  end
end

--- Take the lines away.
function Display:close()
  self.able = false
  if self.drawn then
    require("oras.parting").take_back(self)
    require("oras.log").before(nil)
    self.screen:clear()
  end
end

return progress
