--- The commands by their words: "manifest fetch" is the module oras.commands.manifest.fetch.
local host = require "oras.host"
local options = require "oras.options"

local commands = {}

local PREFIX <const> = "oras.commands."

-- oras's other words for a command; where one has a module of its own, that is taken.
local ALIASES <const> = {
  ["blob get"] = "blob fetch",
  ["blob remove"] = "blob delete",
  ["blob rm"] = "blob delete",
  digest = "resolve",
  ["manifest get"] = "manifest fetch",
  ["manifest get-config"] = "manifest fetch-config",
  ["manifest index pack"] = "manifest index create",
  ["manifest remove"] = "manifest delete",
  ["manifest rm"] = "manifest delete",
  ["manifest show"] = "manifest fetch",
  ["repo list"] = "repo ls",
  ["repo show-tags"] = "repo tags",
}

local function module_of(name)
  return PREFIX .. name:gsub(" ", ".")
end

local function has_module(name)
  return package.preload[module_of(name)] ~= nil
end

local function real_name(name)
  if has_module(name) then
    return name
  end
  local other = ALIASES[name]
  return other and has_module(other) and other or nil
end

--- The names of all commands, those of another name too, in alphabetical order.
---@return string[]
function commands.names()
  local names = {}
  for _, module in ipairs(host.module_names()) do
    local name = module:match "^oras%.commands%.(.+)$"
    names[#names + 1] = name and name:gsub("%.", " ") or nil
  end
  table.sort(names)
  return names
end

--- What may follow these words: a set of the next words, empty for a command.
---@param words string "" or "manifest"
---@return table<string, boolean>
function commands.next_words(words)
  local set, prefix = {}, words == "" and "" or words .. " "
  for _, name in ipairs(commands.names()) do
    if name:sub(1, #prefix) == prefix then
      set[name:sub(#prefix + 1):match "^%S+"] = true
    end
  end
  for alias, name in pairs(ALIASES) do
    if alias:sub(1, #prefix) == prefix and has_module(name) then
      set[alias:sub(#prefix + 1):match "^%S+"] = true
    end
  end
  return set
end

--- The command of that name.
---@param name string "manifest fetch"
---@return oras.Command
function commands.load(name)
  return require(module_of(real_name(name) or name))
end

local function is_word(text)
  return text ~= nil and text:find "^%l[%l%d-]*$" ~= nil
end

local function is_group(name)
  local prefix = module_of(name) .. "."
  for _, module in ipairs(host.module_names()) do
    if module:sub(1, #prefix) == prefix then
      return true
    end
  end
  return false
end

--- Find the command that words name, from the one at `index` on.
---@param words string[]
---@param index integer
---@return string? name of a command or a group of commands; nil if the first word is neither
---@return integer? last index of its last word
---@return boolean? whole it is a command, and not only a group of them
function commands.find(words, index)
  local name, last, whole = nil, index - 1, false
  while is_word(words[last + 1]) do
    local longer = name and ("%s %s"):format(name, words[last + 1]) or words[last + 1]
    local real = real_name(longer)
    if not real and not is_group(longer) then
      break
    end
    name, last, whole = real or longer, last + 1, real ~= nil
    if whole then
      break
    end
  end
  if name then
    return name, last, whole
  end
end

--- The nearest of the words that may follow, or nil.
---@param group string "" or "manifest"
---@param word string
---@return string?
function commands.nearest(group, word)
  return options.nearest(word, commands.next_words(group))
end

return commands
