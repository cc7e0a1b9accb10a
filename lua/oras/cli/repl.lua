--- The interactive mode: read a line, run it, print what it gives.
local report = require "oras.cli.report"

local repl = {}

local function prompt(name, fallback)
  local text = _G[name]
  io.stdout:write(text == nil and fallback or tostring(text))
  io.stdout:flush()
end

local function is_incomplete(message)
  return message:sub(-5) == "<eof>"
end

-- A function made of as many lines as it takes, or nil and a message; nothing at the end.
local function read_chunk()
  prompt("_PROMPT", "> ")
  local text = io.read "l"
  if not text then
    return nil
  end
  local fn = load("return " .. text, "=stdin", "t")
  if fn then
    return fn
  end
  while true do
    local message
    fn, message = load(text, "=stdin", "t")
    if fn or not is_incomplete(message) then
      return fn, message
    end
    prompt("_PROMPT2", ">> ")
    local more = io.read "l"
    if not more then
      return nil, message
    end
    text = text .. "\n" .. more
  end
end

local function show(ok, first, ...)
  if not ok then
    report.failure(first)
  elseif first ~= nil or select("#", ...) > 0 then
    print(first, ...)
  end
end

--- Read and run until standard input ends.
function repl.run()
  while true do
    local fn, message = read_chunk()
    if fn then
      show(report.try(fn))
    elseif message then
      report.say("%s", message)
    else
      io.stdout:write "\n"
      return
    end
  end
end

return repl
