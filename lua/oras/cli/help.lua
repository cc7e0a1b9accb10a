--- The texts of --help, made of what the commands say of themselves.
local commands = require "oras.cli.commands"
local host = require "oras.host"

local help = {}

local WIDTH <const> = 80

-- Words put into lines that are no longer than the width; all but the first are indented.
local function wrap(text, indent, first)
  local lines, line = {}, first or (" "):rep(indent)
  local is_empty = true
  for word in text:gmatch "%S+" do
    if not is_empty and #line + 1 + #word > WIDTH then
      lines[#lines + 1] = line
      line, is_empty = (" "):rep(indent), true
    end
    line = is_empty and line .. word or line .. " " .. word
    is_empty = false
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- Items that no line may break.
local function wrap_items(items, indent, first)
  local kept = {}
  for i, item in ipairs(items) do
    kept[i] = item:gsub(" ", "\0")
  end
  return (wrap(table.concat(kept, " "), indent, first):gsub("%z", " "))
end

--- A flag as it is typed: "-o, --output DIR".
---@param flag oras.Flag
---@return string
function help.flag(flag)
  local names = table.concat(flag, ", ")
  return flag.value and names .. " " .. flag.value or names
end

local function visible(list)
  local shown = {}
  for _, flag in ipairs(list) do
    shown[#shown + 1] = not flag.hidden and flag or nil
  end
  return shown
end

-- The widest first column that leaves room for what is said in the second.
local COLUMN <const> = 34

local function flag_lines(list)
  local lines, width = {}, 0
  local texts = {}
  for i, flag in ipairs(list) do
    texts[i] = "  " .. (flag[1]:sub(1, 2) == "--" and "    " or "") .. help.flag(flag)
    width = math.max(width, #texts[i] <= COLUMN and #texts[i] or 0)
  end
  for i, flag in ipairs(list) do
    local text = texts[i] .. (" "):rep(width - #texts[i]) .. "  "
    if #texts[i] > COLUMN and #text + #flag.about > WIDTH then
      lines[#lines + 1] = texts[i]
      text = (" "):rep(width + 2)
    end
    lines[#lines + 1] = wrap(flag.about, width + 2, text)
  end
  return table.concat(lines, "\n")
end

local function compact(title, list)
  local items = {}
  for i, flag in ipairs(list) do
    local value = flag.value and " " .. flag.value or ""
    items[i] = (flag[2] and flag[1]:sub(1, 2) ~= "--" and flag[1] .. "," .. flag[2] or flag[1]) .. value
  end
  return wrap_items(items, 4, ("  %s: "):format(title))
end

-- The flags of one side stand for those of all.
local function side_flags(cmd)
  local prefix = "--" .. cmd.sides[1] .. "-"
  local list = {}
  for _, flag in ipairs(cmd.registry_flags) do
    if flag[1]:sub(1, #prefix) == prefix then
      list[#list + 1] = { "--" .. flag[1]:sub(#prefix + 1), value = flag.value }
    end
  end
  return list
end

local function side_title(cmd)
  local names = {}
  for i, side in ipairs(cmd.sides) do
    names[i] = ("--%s-..."):format(side)
  end
  return table.concat(names, " and ") .. ", where ... is"
end

local function shared_flags(cmd)
  local parts = {}
  if cmd.sides then
    parts[1] = compact(side_title(cmd), side_flags(cmd))
  elseif #cmd.registry_flags > 0 then
    parts[1] = compact("registry (oras-lua help flags)", visible(cmd.registry_flags))
  end
  parts[#parts + 1] = compact("all commands", visible(cmd.common_flags))
  return table.concat(parts, "\n")
end

--- The first line of a command's --help.
---@param cmd oras.Command
---@return string
function help.usage(cmd)
  return ("usage: oras-lua %s [FLAG...] %s"):format(cmd.name, cmd.usage):gsub("%s+$", "")
end

--- The text of a command's --help.
---@param cmd oras.Command
---@return string
function help.command(cmd)
  local parts = { wrap(help.usage(cmd), 7, ""), wrap(cmd.about, 0), "" }
  if #visible(cmd.flags) > 0 then
    parts[#parts + 1] = flag_lines(visible(cmd.flags))
    parts[#parts + 1] = ""
  end
  parts[#parts + 1] = shared_flags(cmd)
  if cmd.example then
    local fits = #cmd.example + #"example: " <= WIDTH
    parts[#parts + 1] = (fits and "\nexample: " or "\nexample:\n  ") .. cmd.example
  end
  return table.concat(parts, "\n") .. "\n"
end

--- What the flags are that many commands have: `oras-lua help flags`.
---@return string
function help.flags()
  local cmd = require("oras.cli.command").new { name = "COMMAND", usage = "" }
  return ("The flags of commands that work on a registry or a layout\n\n%s\n\nand of all of them\n\n%s\n"):format(
    flag_lines(visible(cmd.registry_flags)), flag_lines(visible(cmd.common_flags)))
end

--- The text of --help behind a group of commands.
---@param group string "manifest"
---@return string
function help.group(group)
  local lines, names = { ("usage: oras-lua %s COMMAND [ARG...]"):format(group), "" }, {}
  for _, name in ipairs(commands.names()) do
    names[#names + 1] = name:sub(1, #group + 1) == group .. " " and name:sub(#group + 2) or nil
  end
  local width = 0
  for _, name in ipairs(names) do
    width = math.max(width, #name)
  end
  for _, name in ipairs(names) do
    local text = ("  %s%s  "):format(name, (" "):rep(width - #name))
    lines[#lines + 1] = wrap(commands.load(("%s %s"):format(group, name)).about, #text, text)
  end
  lines[#lines + 1] = ("\noras-lua %s COMMAND --help tells more."):format(group)
  return table.concat(lines, "\n") .. "\n"
end

local HEAD <const> = [[
usage: oras-lua [OPTION...] COMMAND [ARG...]          help COMMAND tells more
       oras-lua [OPTION...] SCRIPT.lua [ARG...]       Lua 5.4, with the library
       oras-lua [OPTION...] PROVIDER METHOD [ARG...]  result as JSON; providers:
]]

local FOOT <const> = [[
options: -e TEXT, -l NAME, -i, -E, -W, - and -- as lua has them, -v the version,
  --debug tracebacks and requests, --dry-run sends no writes of a script
exit codes: 0 done, 1 refused or failed, 2 usage, 130 interrupted
]]

-- The commands of a place, a line each: the group in the first line, name and a few words.
local function rows(groups, place, width)
  local lines = {}
  for _, group in ipairs(groups) do
    for i, entry in ipairs(group.place == place and group or {}) do
      local title = i == 1 and group.title or ""
      lines[#lines + 1] = ("%-7s%-" .. width .. "s %s"):format(title, entry[1], entry[2])
    end
  end
  return lines
end

local LEFT <const> = 41

local function beside(left, right)
  local lines = {}
  for i = 1, math.max(#left, #right) do
    lines[i] = (("%-" .. LEFT .. "s%s"):format(left[i] or "", right[i] or ""):gsub("%s+$", ""))
  end
  return lines
end

-- Names that begin with the same word, in one line: "manifest  fetch, push".
local function families(groups)
  local lines, by_word = {}, {}
  for _, group in ipairs(groups) do
    for i, entry in ipairs(group.place == "below" and group or {}) do
      local word, rest = entry[1]:match "^(%S+)%s*(.*)$"
      if not by_word[word] then
        by_word[word] = { title = i == 1 and group.title or "", word = word }
        lines[#lines + 1] = by_word[word]
      end
      table.insert(by_word[word], rest)
    end
  end
  for i, family in ipairs(lines) do
    lines[i] = ("%-7s%-8s %s"):format(family.title, family.word, table.concat(family, ", ")):gsub("%s+$", "")
  end
  return lines
end

--- The text of `oras-lua --help`: a screen.
---@return string
function help.top()
  local names, groups = host.provider_names(), require("oras.cli.summary").groups()
  table.sort(names)
  local lines = beside(rows(groups, "left", 8), rows(groups, "right", 10))
  local more = families(groups)
  table.move(more, 1, #more, #lines + 1, lines)
  return HEAD .. wrap(table.concat(names, ", "), 9) .. "\n\n" .. table.concat(lines, "\n") .. "\n\n" .. FOOT
end

return help
