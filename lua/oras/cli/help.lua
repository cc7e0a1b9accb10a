--- The texts of --help, made of what the commands say of themselves.
local commands = require "oras.cli.commands"

local help = {}

local function shown(flag)
  local names = table.concat(flag, ", ")
  if not flag[2] and flag[1]:sub(1, 2) == "--" then
    names = "    " .. names
  end
  return flag.value and names .. " " .. flag.value or names
end

--- The text of a command's --help.
---@param cmd oras.Command
---@return string
function help.command(cmd)
  local lines = { ("usage: oras-lua %s [FLAG...] %s"):format(cmd.name, cmd.usage), "", cmd.about, "" }
  local width = 0
  for _, flag in ipairs(cmd.all_flags) do
    width = math.max(width, #shown(flag))
  end
  for _, flag in ipairs(cmd.all_flags) do
    if not flag.hidden then
      lines[#lines + 1] = ("  %s%s  %s"):format(shown(flag), (" "):rep(width - #shown(flag)), flag.about)
    end
  end
  if cmd.example then
    lines[#lines + 1] = ""
    lines[#lines + 1] = "example: " .. cmd.example
  end
  return table.concat(lines, "\n") .. "\n"
end

--- The text of --help behind a group of commands.
---@param group string "manifest"
---@return string
function help.group(group)
  local lines, seen = { ("usage: oras-lua %s COMMAND [ARG...]"):format(group), "" }, {}
  for _, name in ipairs(commands.names()) do
    local rest = name:sub(1, #group + 1) == group .. " " and name:sub(#group + 2)
    local found = rest and commands.load(name)
    if found and not seen[found] then
      seen[found] = true
      lines[#lines + 1] = ("  %-14s  %s"):format(rest, found.about)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

return help
