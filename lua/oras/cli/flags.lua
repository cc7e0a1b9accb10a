--- Flags of a command: "--name value", "--name=value", "-n value", "-nvalue", "-n=value", switches
--- together ("-rf"); words and flags in any order, "--" ends the flags. "-" is standard input or
--- output, "-:TYPE" with its type. It is the grammar of oras's flags (pflag's).
local core = require "oras.core"
local options = require "oras.options"
local report = require "oras.cli.report"

local flags = {}

local function fail(format, ...)
  report.fail(report.USAGE, format, ...)
end

--- The name of a flag in a command's `opts`.
---@param flag oras.Flag
---@return string
function flags.key(flag)
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

local function unknown(name, word, map)
  local near = options.nearest(name, map)
  local where = name ~= word and (" in '%s'"):format(word) or ""
  fail("unknown option '%s'%s%s", name, where, near and (" (%s?)"):format(near) or "")
end

local YES <const> = { ["1"] = true, t = true, T = true, ["true"] = true, True = true, TRUE = true }
local NO <const> = { ["0"] = true, f = true, F = true, ["false"] = true, False = true, FALSE = true }

local function switch(name, text)
  if text == nil or YES[text] then
    return true
  elseif NO[text] then
    return false
  end
  fail("option '%s' takes no value ('%s')", name, text)
end

local function integer_of(text, name)
  local number = text:find "^[+-]?%d+$" and math.tointeger(tonumber(text))
  return number or fail("option '%s' takes a whole number, not '%s'", name, text)
end

-- oras's "os[/arch[/variant]][:os_version]": without an architecture it is this machine's.
local function platform_of(text)
  local names, version = text:match "^([^:]+):([%w._-]+)$"
  names = names or text
  if names:find "^[%w._-]+$" then
    names = names .. "/" .. core.architecture
  end
  local os, architecture, variant = names:match "^([^/]+)/([^/]+)/?([^/]*)$"
  if not version or not os then
    return version and text or names
  end
  return { os = os, architecture = architecture, variant = variant ~= "" and variant or nil, os_version = version }
end

local KINDS <const> = { integer = integer_of, platform = platform_of }

local function convert(flag, name, text)
  local of_kind = KINDS[flag.kind]
  return of_kind and of_kind(text, name) or text
end

local function add(list, flag, name, value)
  if not flag.separator then
    list[#list + 1] = convert(flag, name, value)
    return
  end
  for part in (value .. flag.separator):gmatch("(.-)%" .. flag.separator) do
    list[#list + 1] = convert(flag, name, part)
  end
end

-- As in oras, the last value counts where a flag has one only.
local function put(opts, flag, name, value)
  local key = flags.key(flag)
  if flag.many then
    opts[key] = opts[key] or {}
    add(opts[key], flag, name, value)
  else
    opts[key] = convert(flag, name, value)
  end
end

local Parser = {}
Parser.__index = Parser

--- The value of a flag that takes one: the rest of its word, or the next word.
---@param flag oras.Flag
---@param name string as it was given
---@param rest? string
function Parser:value(flag, name, rest)
  if rest == nil then
    self.i = self.i + 1
    rest = self.words[self.i] or fail("option '%s' needs a value (%s)", name, flag.value)
  end
  put(self.opts, flag, name, rest)
end

--- "--name" or "--name=value".
---@param word string
function Parser:long(word)
  local name, rest = word:match "^(.-)=(.*)$"
  name = name or word
  local flag = self.map[name] or unknown(name, name, self.map)
  if flag.value then
    self:value(flag, name, rest)
  else
    self.opts[flags.key(flag)] = switch(name, rest)
  end
end

--- One letter after the other, up to one that takes a value.
---@param word string "-rf"
function Parser:short(word)
  local at = 2
  while at <= #word do
    local name, rest = "-" .. word:sub(at, at), word:sub(at + 1)
    local flag = self.map[name] or unknown(name, #word == 2 and name or word, self.map)
    local given = rest:match "^=(.*)$"
    if flag.value then
      return self:value(flag, name, given or (rest ~= "" and rest or nil))
    end
    self.opts[flags.key(flag)] = switch(name, given)
    at = given and #word + 1 or at + 1
  end
end

--- Split words into flags and the rest.
---@param words string[]
---@param list oras.Flag[]
---@return table<string, any> opts by long name, "-" as "_"
---@return string[] rest
function flags.parse(words, list)
  local rest = {}
  local parser = setmetatable({ words = words, map = by_name(list), opts = {}, i = 1 }, Parser)
  while parser.i <= #words do
    local word = words[parser.i]
    if word == "--" then
      table.move(words, parser.i + 1, #words, #rest + 1, rest)
      break
    elseif word:sub(1, 1) ~= "-" or word == "-" or word:sub(1, 2) == "-:" then
      rest[#rest + 1] = word
    elseif word:sub(1, 2) == "--" then
      parser:long(word)
    else
      parser:short(word)
    end
    parser.i = parser.i + 1
  end
  return parser.opts, rest
end

return flags
