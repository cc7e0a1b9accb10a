--- Lines at the end of a terminal that are drawn again and again.
---
--- The cursor rests on the line below them, so that what others print comes after them. A
--- drawing is one write, and what it changes of the terminal it changes back.
local core = require "oras.core"
local width = require "oras.cli.width"

local screen = {}

local FEWEST_COLUMNS <const> = 10

---@class oras.Screen
---@field stream file*
---@field size fun(): integer?, integer? columns and rows
---@field lines integer[] how many columns each of those took that stand there now
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
  return math.max((columns or 80) - 1, FEWEST_COLUMNS), math.max((rows or 24) - 1, 1)
end

-- Back to where the first line begins.
local function rewind(self)
  local columns, rows = self:room()
  local up = 0
  for _, taken in ipairs(self.lines) do
    up = up + (self.reflows and math.max(1, -(-taken // (columns + 1))) or 1)
  end
  up = math.min(up, rows)
  return up > 0 and ("\r\27[%dA"):format(up) or "\r"
end

--- Put these lines in place of those that are there; each is cut to the room there is.
---@param lines string[]
function Screen:draw(lines)
  local columns, rows = self:room()
  local parts = { rewind(self), "\27[?7l" }
  self.lines = {}
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
    local back = rewind(self)
    self.lines = {}
    self.stream:write(back, "\27[J")
    self.stream:flush()
  end
end

return screen
