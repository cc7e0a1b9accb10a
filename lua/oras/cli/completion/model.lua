--- What may be typed: words, flags and what these take, for the completion of the shells.
local commands = require "oras.cli.commands"
local host = require "oras.host"
local options = require "oras.cli.options"
local summary = require "oras.cli.summary"

local model = {}

---@class oras.CompletionFlag
---@field names string[]
---@field about string
---@field takes? "file"|"directory"|"choice"|"any" a switch takes nothing
---@field choices? string[]
---@field value? string what stands for the value in the help
---@field many boolean

---@class oras.CompletionCommand
---@field name string "manifest fetch"
---@field about string
---@field flags oras.CompletionFlag[]
---@field takes "file"|"reference"|"choice"|"any" what its words are
---@field choices? string[]

local function choices_of(flag)
  local choices = flag.choices
  if not choices and flag.value == "NAME" and flag[1] == "--provider" then
    choices = host.provider_names()
  elseif not choices and flag.value and flag.value:find("|", 1, true) then
    choices = {}
    for one in flag.value:gmatch "[^|]+" do
      choices[#choices + 1] = one
    end
  end
  return choices
end

local function takes_of(flag, choices)
  local value = flag.value
  if not value then
    return nil
  elseif choices then
    return "choice"
  elseif value:find "^FILE" then
    return "file"
  end
  return (value:find "^DIR") and "directory" or "any"
end

local function flag_of(flag)
  local choices = choices_of(flag)
  return {
    names = table.move(flag, 1, #flag, 1, {}), about = flag.about, value = flag.value, many = flag.many or false,
    choices = choices, takes = takes_of(flag, choices),
  }
end

local function words_of(cmd)
  if cmd.words then
    return "choice", type(cmd.words) == "function" and cmd.words() or cmd.words
  elseif cmd.usage:find "FILE" or cmd.usage:find "DIR" then
    return "file"
  end
  return cmd.registry ~= false and "reference" or "any"
end

local function command_of(name, about)
  local cmd = commands.load(name)
  local found = { name = name, about = about, flags = {} }
  for _, flag in ipairs(cmd.all_flags) do
    found.flags[#found.flags + 1] = not flag.hidden and flag_of(flag) or nil
  end
  found.takes, found.choices = words_of(cmd)
  return found
end

local function few_words()
  local about = {}
  for _, group in ipairs(summary.groups()) do
    for _, entry in ipairs(group) do
      about[entry[1]] = entry[2]
    end
  end
  return about
end

--- All commands, those by another name too.
---@return oras.CompletionCommand[]
function model.commands()
  local list, about = {}, few_words()
  for i, name in ipairs(commands.names()) do
    list[i] = command_of(name, about[name] or "same as " .. commands.load(name).name)
  end
  return list
end

--- The words before a command that are no command: groups with what may follow, and at "" the
--- first words, providers among them.
---@return table<string, string[]> words by group
function model.groups()
  local groups = {}
  local function add(group, word)
    groups[group] = groups[group] or {}
    groups[group][word] = true
  end
  for _, name in ipairs(commands.names()) do
    local before = ""
    for word in name:gmatch "%S+" do
      add(before, word)
      before = before == "" and word or before .. " " .. word
    end
  end
  for _, name in ipairs(host.provider_names()) do
    add("", name)
  end
  for group, set in pairs(groups) do
    local list = {}
    for word in pairs(set) do
      list[#list + 1] = word
    end
    table.sort(list)
    groups[group] = list
  end
  return groups
end

--- What groups() has, in alphabetical order of the groups.
---@param groups table<string, string[]>
---@return string[]
function model.group_names(groups)
  local names = {}
  for name in pairs(groups) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- The options before a command or a script.
---@return oras.CompletionFlag[]
function model.options()
  local list = {}
  for _, option in ipairs(options.LIST) do
    list[#list + 1] = #option[1] > 1 and option[1] ~= "--" and flag_of(option) or nil
  end
  return list
end

return model
