--- The completion of fish.
local model = require "oras.cli.completion.model"

local HEAD <const> = [=[
# fish completion of oras-lua, made by `oras-lua completion fish`

# The command that the words before the cursor name, as far as they do.
function __oras_lua_name
    set -l words (commandline -opc)
    set -e words[1]
    set -l name ""
    set -l skip 0
    for word in $words
        if test $skip = 1
            set skip 0
        else if test -z "$name"; and contains -- $word -e -l
            set skip 1
        else if not string match -q -- '-*' $word
            set -l longer (string trim -- "$name $word")
            if not contains -- $longer @NAMES@
                test -z "$name"; and set name script
                break
            end
            set name $longer
        end
    end
    echo $name
end

function __oras_lua_is
    set -l name (__oras_lua_name)
    contains -- "$name" $argv
end

function __oras_lua_references
    set -l token (commandline -ct)
    if string match -q 'oci:*' -- $token
        for path in (__fish_complete_directories (string sub -s 5 -- $token) layout)
            echo oci:$path
        end
    end
end

complete -c oras-lua -f
complete -c oras-lua -n '__oras_lua_is "" script' -F
]=]

local fish = {}

local function quoted(text)
  return "'" .. text:gsub("\\", "\\\\"):gsub("'", "\\'") .. "'"
end

local function flag_line(condition, flag)
  local words = { "complete -c oras-lua", ("-n %s"):format(quoted(condition)) }
  for _, name in ipairs(flag.names) do
    words[#words + 1] = name:sub(1, 2) == "--" and "-l " .. name:sub(3) or "-s " .. name:sub(2)
  end
  if flag.takes == "choice" then
    words[#words + 1] = "-x -a " .. quoted(table.concat(flag.choices, " "))
  elseif flag.takes == "directory" then
    words[#words + 1] = "-x -a '(__fish_complete_directories (commandline -ct))'"
  elseif flag.takes then
    words[#words + 1] = flag.takes == "file" and "-r -F" or "-x"
  end
  words[#words + 1] = "-d " .. quoted(flag.about)
  return table.concat(words, " ")
end

local function add_words(lines, list)
  local groups, about = model.groups(), {}
  for _, cmd in ipairs(list) do
    about[cmd.name] = cmd.about
  end
  for _, group in ipairs(model.group_names(groups)) do
    for _, word in ipairs(groups[group]) do
      local name = group == "" and word or group .. " " .. word
      local condition = quoted(('__oras_lua_is "%s"'):format(group))
      local text = about[name] or groups[name] and "more commands" or "provider"
      lines[#lines + 1] = ("complete -c oras-lua -n %s -a %s -d %s"):format(condition, word, quoted(text))
    end
  end
end

local WORDS <const> = { file = "-F", reference = "-a '(__oras_lua_references)'" }

local function add_command(lines, cmd)
  local condition = ('__oras_lua_is "%s"'):format(cmd.name)
  local words = cmd.takes == "choice" and "-a " .. quoted(table.concat(cmd.choices, " ")) or WORDS[cmd.takes]
  if words then
    lines[#lines + 1] = ("complete -c oras-lua -n %s %s"):format(quoted(condition), words)
  end
  for _, flag in ipairs(cmd.flags) do
    lines[#lines + 1] = flag_line(condition, flag)
  end
end

local function all_names(list)
  local names, groups = {}, model.groups()
  for _, group in ipairs(model.group_names(groups)) do
    names[#names + 1] = group ~= "" and quoted(group) or nil
  end
  for _, cmd in ipairs(list) do
    names[#names + 1] = quoted(cmd.name)
  end
  return table.concat(names, " ")
end

--- The script that fish reads.
---@return string
function fish.script()
  local list = model.commands()
  local lines = { (HEAD:gsub("@NAMES@", (all_names(list):gsub("%%", "%%%%")))) }
  for _, flag in ipairs(model.options()) do
    lines[#lines + 1] = flag_line('__oras_lua_is ""', flag)
  end
  add_words(lines, list)
  for _, cmd in ipairs(list) do
    add_command(lines, cmd)
  end
  return table.concat(lines, "\n") .. "\n"
end

return fish
