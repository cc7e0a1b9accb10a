--- Flags of a command: "--name value", "--name=value", "-n value", "-nvalue"; words and flags
--- in any order, "--" ends the flags. "-" is standard input or output, "-:TYPE" with its type.
local options = require "oras.options"
local report = require "oras.cli.report"

local flags = {}

local function fail(format, ...)
  report.fail(report.USAGE, format, ...)
end

local function key_of(flag)
  return ((flag[2] or flag[1]):gsub("^%-+", ""):gsub("-", "_"))
end

local function by_name(list)
  local map = {}
  for _, flag in ipairs(list) do
    for _, name in ipairs(flag) do
      map[name] = flag
    end
  end
  return map
end

local function unknown(name, map)
  local near = options.nearest(name, map)
  fail("unknown option '%s'%s", name, near and (" (%s?)"):format(near) or "")
end

-- Name and value of a word that is a flag; the value may be in the next word.
local function split(word)
  if word:sub(1, 2) == "--" then
    local name, value = word:match "^(.-)=(.*)$"
    return name or word, value
  end
  local name, value = word:sub(1, 2), word:sub(3)
  return name, value ~= "" and (value:gsub("^=", "")) or nil
end

local function switch(name, text)
  if text == nil or text == "true" then
    return true
  elseif text == "false" then
    return false
  end
  fail("option '%s' takes no value ('%s')", name, text)
end

local function convert(flag, name, text)
  if flag.kind ~= "integer" then
    return text
  end
  return math.tointeger(tonumber(text)) or fail("option '%s' takes a whole number, not '%s'", name, text)
end

local function put(opts, flag, name, value)
  local key = key_of(flag)
  if flag.many then
    opts[key] = opts[key] or {}
    table.insert(opts[key], value)
  elseif opts[key] ~= nil and flag.value then
    fail("option '%s' is given twice", name)
  else
    opts[key] = value
  end
end

--- Split words into flags and the rest.
---@param words string[]
---@param list oras.Flag[]
---@return table<string, any> opts by long name, "-" as "_"
---@return string[] rest
function flags.parse(words, list)
  local map, opts, rest, i = by_name(list), {}, {}, 1
  while i <= #words do
    local word = words[i]
    if word == "--" then
      table.move(words, i + 1, #words, #rest + 1, rest)
      break
    elseif word:sub(1, 1) ~= "-" or word == "-" or word:sub(1, 2) == "-:" then
      rest[#rest + 1] = word
    else
      local name, value = split(word)
      local flag = map[name] or unknown(name, map)
      if not flag.value then
        put(opts, flag, name, switch(name, value))
      else
        if value == nil then
          i = i + 1
          value = words[i] or fail("option '%s' needs a value (%s)", name, flag.value)
        end
        put(opts, flag, name, convert(flag, name, value))
      end
    end
    i = i + 1
  end
  return opts, rest
end

local function shown(flag)
  local names = table.concat(flag, ", ")
  if not flag[2] and flag[1]:sub(1, 2) == "--" then
    names = "    " .. names
  end
  return flag.value and names .. " " .. flag.value or names
end

--- The text of --help.
---@param spec table of the command
---@param list oras.Flag[]
---@return string
function flags.help(spec, list)
  local lines = { ("usage: oras-lua %s [FLAG...] %s"):format(spec.name, spec.usage), "", spec.about, "" }
  local width = 0
  for _, flag in ipairs(list) do
    width = math.max(width, #shown(flag))
  end
  for _, flag in ipairs(list) do
    lines[#lines + 1] = ("  %s%s  %s"):format(shown(flag), (" "):rep(width - #shown(flag)), flag.about)
  end
  return table.concat(lines, "\n") .. "\n"
end

return flags
