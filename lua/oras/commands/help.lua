--- oras-lua help: the same texts as --help.
local command = require "oras.cli.command"
local commands = require "oras.cli.commands"
local errors = require "oras.error"
local help = require "oras.cli.help"

local function no_such(group, word)
  local near = commands.nearest(group, word)
  local name = (group .. " " .. word):gsub("^ ", "")
  errors.usage("there is no command '%s'%s", name, near and (" (%s?)"):format(near) or "")
end

local function text_of(words)
  if #words == 0 then
    return help.top()
  elseif words[1] == "flags" and #words == 1 then
    return help.flags()
  end
  local name, last, whole = commands.find(words, 1)
  if not name or last < #words then
    no_such(name or "", words[(last or 0) + 1])
  end
  return whole and help.command(commands.load(name)) or help.group(name)
end

-- What may stand behind it, for completion.
local function first_words()
  local list = { "flags" }
  for word in pairs(commands.next_words "") do
    list[#list + 1] = word
  end
  table.sort(list)
  return list
end

local function run(_, words)
  local text = text_of(words)
  return { text = text, document = { text = text } }
end

return command.new {
  name = "help",
  usage = "[COMMAND|flags]",
  about = "Say what a command does, and what flags many of them have in common.",
  example = "oras-lua help manifest fetch",
  registry = false,
  words = first_words,
  run = run,
}
