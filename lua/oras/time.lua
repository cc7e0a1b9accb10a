--- Times as documents of registries have them (RFC 3339, "2024-02-29T12:00:00+01:00").
local time = {}

local FORMAT <const> = "^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt](%d%d):(%d%d):(%d%d%.?%d*)(.+)$"

local LENGTHS <const> = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function length_of(year, month)
  local is_leap = month == 2 and year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return is_leap and 29 or LENGTHS[month] or 0
end

-- Days since 1970; years begin in March, so that a leap day comes last.
local function days_of(year, month, day)
  local y = month > 2 and year or year - 1
  return y * 365 + y // 4 - y // 100 + y // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 719469
end

local function offset_of(zone)
  if zone == "Z" or zone == "z" then
    return 0
  end
  local sign, hours, minutes = zone:match "^([+-])(%d%d):(%d%d)$"
  return sign and (sign == "+" and 1 or -1) * (hours * 60 + minutes) * 60
end

--- Seconds since 1970 (UTC) of a time, with its fraction; nil for what is no such time.
---@param text any
---@return number?
function time.seconds(text)
  if type(text) ~= "string" then
    return nil
  end
  local year, month, day, hour, minute, second, zone = text:match(FORMAT)
  local offset = zone and offset_of(zone)
  if not offset then
    return nil
  end
  year, month, day = math.tointeger(year), math.tointeger(month), math.tointeger(day)
  hour, minute, second = math.tointeger(hour), math.tointeger(minute), tonumber(second)
  if day < 1 or day > length_of(year, month) or hour > 23 or minute > 59 or second >= 61 then
    return nil
  end
  return ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - offset
end

return time
