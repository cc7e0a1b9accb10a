--- How a program ends: one line on standard error and an exit code.
local report = {}

-- A script may replace these; what is said about its end must not depend on it.
local exit, stderr = os.exit, io.stderr
local position = require("oras.error").position
local traceback, tostring, type, xpcall = debug.traceback, tostring, type, xpcall
local getmetatable, rawget, pcall = getmetatable, rawget, pcall

report.DONE, report.REFUSED, report.USAGE = 0, 1, 2
report.debug = false

local function is_oras_error(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__name") == "oras.Error"
end

local function text_of(value)
  local meta = type(value) ~= "string" and getmetatable(value)
  if type(value) == "string" then
    return value
  elseif type(value) == "number" or (type(meta) == "table" and rawget(meta, "__tostring")) then
    local ok, text = pcall(tostring, value)
    if ok then
      return text
    end
  end
  return ("(error object is a %s value)"):format(type(value))
end

-- The message handler: runs where the error was raised, so that the place is known.
local function describe(value)
  local failure = { value = value, text = text_of(value) }

  if is_oras_error(value) then
    local where = value.where or position()
    failure.class = value.class
    failure.where = where
    if where then
      failure.text = ("%s: %s"):format(where, failure.text)
    end
  end
  if report.debug then
    failure.traceback = traceback(nil, 2)
  end
  return failure
end

-- One line, in which nothing commands a terminal.
local function one_line(text)
  return (text:gsub("%s*[\r\n]%s*", " "):gsub("\t", " "):gsub("%c", "?"))
end

--- Write one line to standard error.
function report.say(format, ...)
  stderr:write("oras-lua: ", one_line(format:format(...)), "\n")
end

--- Say what is wrong and end the program.
---@param status integer
function report.fail(status, format, ...)
  report.say(format, ...)
  exit(status)
end

--- Say what an uncaught error was.
---@param failure table from report.try
function report.failure(failure)
  report.say("%s", failure.text)
  if failure.traceback then
    stderr:write(failure.traceback, "\n")
  end
end

--- Call a function; gives true and its results, or false and what is to be said.
---@return boolean ok
---@return any ... results, or a table {value, text, class?, traceback?}
function report.try(fn, ...)
  return xpcall(fn, describe, ...)
end

local function finish(ok, ...)
  if ok then
    return ...
  end
  report.failure((...))
  exit(report.REFUSED)
end

--- Call a function of the user's and give its results; an error ends the program.
function report.run(fn, ...)
  return finish(xpcall(fn, describe, ...))
end

return report
