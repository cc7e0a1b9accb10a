--- How many columns of a terminal a text takes.
local width = {}

local MARK <const> = ".." -- of what was cut

-- First and last of ranges, in order. Where terminals differ, the wider: a line that is a column
-- short does no harm.
local NONE <const> = {
  0x0300, 0x036F, 0x0483, 0x0489, 0x0591, 0x05BD, 0x0610, 0x061A, 0x064B, 0x065F, 0x0E34, 0x0E3A, 0x0E47, 0x0E4E,
  0x1AB0, 0x1AFF, 0x1DC0, 0x1DFF, 0x200B, 0x200F, 0x20D0, 0x20FF, 0x302A, 0x302D, 0x3099, 0x309A, 0xFE00, 0xFE0F,
  0xFE20, 0xFE2F, 0xE0100, 0xE01EF,
}
local TWO <const> = {
  0x1100, 0x115F, 0x231A, 0x231B, 0x2329, 0x232A, 0x23E9, 0x23F3, 0x25FD, 0x25FE, 0x2614, 0x2615, 0x2648, 0x2653,
  0x267F, 0x267F, 0x2693, 0x2693, 0x26A1, 0x26A1, 0x26AA, 0x26AB, 0x26BD, 0x26BE, 0x26C4, 0x26C5, 0x26CE, 0x26CE,
  0x26D4, 0x26D4, 0x26EA, 0x26EA, 0x26F2, 0x26F5, 0x26FA, 0x26FD, 0x2705, 0x270B, 0x2728, 0x2728, 0x274C, 0x2757,
  0x2795, 0x2797, 0x27B0, 0x27BF, 0x2B1B, 0x2B1C, 0x2B50, 0x2B55, 0x2E80, 0xA4CF, 0xA960, 0xA97F, 0xAC00, 0xD7A3,
  0xF900, 0xFAFF, 0xFE30, 0xFE6F, 0xFF00, 0xFF60, 0xFFE0, 0xFFE6, 0x1F004, 0x1FAFF, 0x20000, 0x3FFFD,
}

local function is_in(ranges, code)
  local low, high = 1, #ranges // 2
  while low <= high do
    local middle = (low + high) // 2
    if code < ranges[2 * middle - 1] then
      high = middle - 1
    elseif code > ranges[2 * middle] then
      low = middle + 1
    else
      return true
    end
  end
  return false
end

local function of_code(code)
  if code < 0x0300 then
    return 1
  end
  return is_in(NONE, code) and 0 or is_in(TWO, code) and 2 or 1
end

--- The columns of a text without control characters; what is no UTF-8 counts by bytes.
---@param text string
---@return integer
function width.of(text)
  if not text:find "[\x80-\xff]" or not utf8.len(text) then
    return #text
  end
  local sum = 0
  for _, code in utf8.codes(text) do
    sum = sum + of_code(code)
  end
  return sum
end

-- The longest beginning of at most so many columns.
local function head(text, columns)
  if not utf8.len(text) then
    return text:sub(1, columns)
  end
  local sum = 0
  for at, code in utf8.codes(text) do
    sum = sum + of_code(code)
    if sum > columns then
      return text:sub(1, at - 1)
    end
  end
  return text
end

--- The text, cut where it takes more columns.
---@param text string
---@param columns integer
---@return string
function width.cut(text, columns)
  if width.of(text) <= columns then
    return text
  elseif columns <= #MARK then
    return head(text, columns)
  end
  return head(text, columns - #MARK) .. MARK
end

--- The text in just so many columns: cut, or with blanks behind it.
---@param text string
---@param columns integer
---@return string
function width.fit(text, columns)
  text = width.cut(text, columns)
  return text .. (" "):rep(columns - width.of(text))
end

return width
