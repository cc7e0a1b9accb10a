--- Lines at the end of a terminal that are drawn again and again.
---
--- The cursor rests on the line below them, so that what others print comes after them. A
--- drawing is one write, and what it changes of the terminal it changes back.
local core = require "oras.core"
local width = require "oras.cli.width"

local screen = {}

-- A line that is longer is hard to read, and takes many rows when the terminal becomes narrow.
local FEWEST_COLUMNS <const>, MOST_COLUMNS <const> = 10, 100

---@class oras.Screen
---@field stream file*
---@field size fun(): integer?, integer? columns and rows
---@field lines integer[] how many columns each of those took that stand there now
---@field columns? integer that a line had then
---@field reflows boolean
local Screen = { __name = "oras.Screen" }
Screen.__index = Screen

-- A terminal that became narrower breaks the lines that stand there, or cuts them off.
local function does_reflow()
  return os.getenv "TMUX" ~= nil or not (os.getenv "XTERM_VERSION" or os.getenv "TERM" == "linux")
end

--- Can lines be drawn again on this kind of terminal?
---@return boolean
function screen.is_able()
  local kind = os.getenv "TERM"
  return kind ~= nil and kind ~= "" and kind ~= "dumb"
end

--- The lines at the end of the terminal that standard error is.
---@param stream file*
---@param size? fun(): integer?, integer? for tests
---@return oras.Screen
function screen.new(stream, size)
  return setmetatable({
    stream = stream, lines = {}, reflows = does_reflow(), size = size or function()
      return core.terminal.size(2)
    end,
  }, Screen)
end

--- Columns a line may have, and rows the lines may be; the last of each is left alone.
---@return integer columns
---@return integer rows
function Screen:room()
  local columns, rows = self.size()
  columns = math.min((columns or 80) - 1, MOST_COLUMNS)
  return math.max(columns, FEWEST_COLUMNS), math.max((rows or 24) - 1, 1)
end

-- Rows that the lines take now.
local function rows_of(self)
  local columns = self.size() or 80
  local sum = 0
  for _, taken in ipairs(self.lines) do
    sum = sum + (self.reflows and math.max(1, -(-taken // columns)) or 1)
  end
  local _, rows = self:room()
  return math.min(sum, rows)
end

-- Back to where the first line begins.
local function rewind(rows)
  return rows > 0 and ("\r\27[%dA"):format(rows) or "\r"
end

-- The same, with nothing left there. Row by row: what is cleared in one piece goes into the
-- history of some terminals, and lines that were broken would stay one for them.
local function wipe(rows)
  return rewind(rows) .. ("\27[2K\27[B"):rep(rows) .. rewind(rows)
end

--- Put these lines in place of those that are there; each is cut to the room there is.
---@param lines string[]
function Screen:draw(lines)
  local columns, rows = self:room()
  local back = columns == self.columns and rewind or wipe
  local parts = { back(rows_of(self)), "\27[?7l" }
  self.lines, self.columns = {}, columns
  for i = 1, math.min(#lines, rows) do
    local line = width.cut(lines[i], columns)
    self.lines[i] = width.of(line)
    parts[#parts + 1] = line .. "\27[K\r\n"
  end
  parts[#parts + 1] = "\27[J\27[?7h"
  self.stream:write(table.concat(parts))
  self.stream:flush()
end

--- Take the lines away; nothing of them is left.
function Screen:clear()
  if #self.lines > 0 then
    self.stream:write(wipe(rows_of(self)))
    self.lines = {}
    self.stream:flush()
  end
end

return screen
