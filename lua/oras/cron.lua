--- Times as cron writes them: five fields, minute hour day-of-month month day-of-week.
---
--- A field is a list ("1,15") of `*`, a value, a range ("1-5"), each range with a step ("*/10",
--- "8-18/2"). Months and days have English names of three letters; Sunday is 0 or 7. Nothing else
--- is understood, and what is not is refused. When neither of the two fields for days begins with
--- `*`, either may fit (as in cron); else both must.
---
--- Where the clock is put forward or back, a field for hours that begins with `*` goes by time that
--- passes: the hour that is there twice has its runs twice. With named hours each run of a day takes
--- place once: what falls into the hour that is left out runs at the first minute behind it, what
--- is there twice the first time.
local errors = require "oras.error"

local date, floor = os.date, math.floor -- a script may replace it

local cron = {}

local MONTHS <const> = {
  jan = 1, feb = 2, mar = 3, apr = 4, may = 5, jun = 6, jul = 7, aug = 8, sep = 9, oct = 10, nov = 11, dec = 12,
}
local DAYS <const> = { sun = 0, mon = 1, tue = 2, wed = 3, thu = 4, fri = 5, sat = 6 }

local FIELDS <const> = {
  { name = "minute", first = 0, last = 59 },
  { name = "hour", first = 0, last = 23 },
  { name = "day", first = 1, last = 31 },
  { name = "month", first = 1, last = 12, names = MONTHS },
  { name = "weekday", first = 0, last = 7, names = DAYS },
}

local DAY <const> = 24 * 60 * 60
local MAX_DAYS <const> = 41 * 366 -- a 29th of February on a given weekday

---@class oras.Cron
---@field text string
---@field utc? boolean
local Cron = { __name = "oras.Cron" }
Cron.__index = Cron

--- "cron 0 3 * * *".
function Cron:__tostring()
  return "cron " .. self.text
end

local function refuse(text, field, part, why)
  errors.usage('cron: "%s": the %s "%s" %s', text, field.name, part, why)
end

local function value_of(text, field, part, word)
  local value = field.names and field.names[word:lower()] or word:find "^%d%d?$" and math.tointeger(tonumber(word))
  if not value then
    refuse(text, field, part, field.names and "is no number and no name of three letters" or "is no number")
  elseif value < field.first or value > field.last then
    refuse(text, field, part, ("is not in %d-%d"):format(field.first, field.last))
  end
  return value
end

local function range_of(text, field, part, body)
  if body == "*" then
    return field.first, field.last
  end
  local from, to = body:match "^([^-]*)%-([^-]*)$"
  local first = value_of(text, field, part, from or body)
  if not from then
    return first, first
  end
  local last = value_of(text, field, part, to)
  if field.names == DAYS and last == 0 and first > 0 then
    last = 7 -- "fri-sun"
  elseif last < first then
    refuse(text, field, part, "runs backwards")
  end
  return first, last
end

local function add_part(text, field, part, set)
  local body, step = part:match "^([^/]*)/(.*)$"
  local width = 1
  if body then
    width = step:find "^%d%d?$" and math.tointeger(tonumber(step)) or 0
    if width == 0 or width > field.last then
      refuse(text, field, part, ("has a step that is not in 1-%d"):format(field.last))
    elseif body ~= "*" and not body:find("-", 2, true) then
      refuse(text, field, part, "has a step, but no range")
    end
  end
  local first, last = range_of(text, field, part, body or part)
  for value = first, last, width do
    set[field.names == DAYS and value % 7 or value] = true
  end
end

local function field_of(text, field, word)
  local set = { is_any = word:sub(1, 1) == "*" }
  for part in (word .. ","):gmatch "(.-)," do
    add_part(text, field, part, set)
  end
  return set
end

--- Read a time.
---@param text string
---@param opts? { utc?: boolean } by universal time; else by the machine's zone (TZ)
---@return oras.Cron
---@raise oras.Error usage says which field is wrong, or that the time never comes
function cron.parse(text, opts)
  if type(text) ~= "string" then
    errors.usage("cron: a time is a string of five fields, not a %s", type(text))
  end
  opts = require("oras.options").check(opts, { utc = "boolean" }, "cron.parse")
  local words = {}
  for word in text:gmatch "[^ \t]+" do
    words[#words + 1] = word
  end
  if #words ~= #FIELDS then
    errors.usage('cron: "%s" has %d field%s, expected five: minute hour day month weekday', text, #words,
      #words == 1 and "" or "s")
  end
  local parsed = setmetatable({ text = table.concat(words, " "), utc = opts.utc }, Cron)
  for i, field in ipairs(FIELDS) do
    parsed[field.name] = field_of(text, field, words[i])
  end
  parsed:next(0) -- raises for what never comes
  return parsed
end

local function broken_down(self, time)
  return date(self.utc and "!*t" or "*t", time)
end

local function has_day(self, day)
  if not self.month[day.month] then
    return false
  end
  local by_date, by_name = self.day[day.day] == true, self.weekday[day.wday - 1] == true
  if self.day.is_any or self.weekday.is_any then
    return by_date and by_name
  end
  return by_date or by_name
end

-- Some time around noon of the day that a time lies in: far from where clocks are changed.
local function noon_of(time, day)
  return time + (12 - day.hour) * 3600 - day.min * 60 - day.sec
end

local function is_due(self, minute)
  return self.minute[minute % 60] and self.hour[minute // 60]
end

local function is_due_between(self, first, last)
  for minute = first, last do
    if is_due(self, minute) then
      return true
    end
  end
  return false
end

-- The first time of a day that is due behind a time. The day is gone through minute by minute as
-- they pass; `seen` is the latest that its clock has shown.
local function next_in_day(self, noon, after)
  local day, seen = broken_down(self, noon), -1
  for time = floor((noon - 14 * 3600) / 60) * 60, noon + 14 * 3600, 60 do
    local now = broken_down(self, time)
    if now.day == day.day and now.month == day.month then
      local minute = now.hour * 60 + now.min
      local due
      if self.hour.is_any then
        due = is_due(self, minute)
      else
        due = is_due_between(self, seen + 1, minute)
      end
      if due and time > after then
        return time
      end
      seen = math.max(seen, minute)
    end
  end
end

--- The next time that is due.
---@param time? number seconds since 1970, now by default
---@return integer seconds since 1970, later than `time`, a full minute
---@raise oras.Error usage when it never comes
function Cron:next(time)
  time = time or require("oras.core").clock.time()
  local start = floor(time)
  local noon = noon_of(start, broken_down(self, start))
  for _ = 1, MAX_DAYS do
    local day = broken_down(self, noon)
    noon = noon_of(noon, day)
    local found = has_day(self, day) and next_in_day(self, noon, time)
    if found then
      return found
    end
    noon = noon + DAY
  end
  errors.usage('cron: "%s" never comes', self.text)
end

--- The next time that a text means.
---@param text string
---@param time? number seconds since 1970, now by default
---@param opts? { utc?: boolean }
---@return integer seconds since 1970
---@raise oras.Error usage
function cron.next(text, time, opts)
  return cron.parse(text, opts):next(time)
end

--- Is the value a parsed time?
---@return boolean
function cron.is_cron(value)
  return getmetatable(value) == Cron
end

return cron
