--- The completion of zsh.
local model = require "oras.cli.completion.model"

local SCRIPT <const> = [=[
#compdef oras-lua
# zsh completion of oras-lua, made by `oras-lua completion zsh`

_oras-lua-words() {
  local -a next
  case $1 in
@NEXT@
  *) return 1 ;;
  esac
  _describe -t commands command next
}

_oras-lua-arguments() {
  local -a flags
  case $1 in
@FLAGS@
  esac
}

_oras-lua-reference() {
  if [[ $PREFIX == oci:* ]]; then
    compset -P oci: && _files -/
  else
    _message reference
  fi
}

_oras-lua() {
  local name= longer i=2
  while ((i < CURRENT)); do
    if [[ -z $name && ${words[i]} == -[el] ]]; then
      ((i += 2))
      continue
    elif [[ -n $name || ${words[i]} != -* ]]; then
      longer=${name:+$name }${words[i]}
      case $longer in
@NAMES@
      *) break ;;
      esac
    fi
    ((i++))
  done
  if ((i == CURRENT)) && [[ ${words[CURRENT]} != -* ]] && _oras-lua-words "$name"; then
    [[ -n $name ]] || _files -g '*.lua(-.)'
    return
  fi
  ((i > CURRENT)) && return 1
  words=("oras-lua" "${(@)words[i,-1]}")
  ((CURRENT -= i - 2))
  _oras-lua-arguments "$name"
}

if [[ $funcstack[1] == _oras-lua ]]; then
  _oras-lua "$@"
else
  compdef _oras-lua oras-lua
fi
]=]

local zsh = {}

-- Text between single quotes in which a ":" and brackets are no marks of _arguments.
local function quoted(text)
  return (text:gsub("\\", "\\\\"):gsub("[%[%]:]", "\\%0"):gsub("'", "'\\''"))
end

local ACTIONS <const> = { file = "_files", directory = "_files -/", any = " " }

local function value_of(flag)
  local action = flag.takes == "choice" and ("(%s)"):format(table.concat(flag.choices, " ")) or ACTIONS[flag.takes]
  return (":%s:%s"):format(quoted(flag.value), action)
end

-- "-o" takes its value in the same word or the next one, "--output" after "=", too.
local function name_of(flag, name)
  local mark = name:sub(1, 2) == "--" and "=" or "+"
  return flag.takes and name .. mark or name
end

local function flag_specs(flag)
  local specs, others = {}, flag.many and "*" or ("(%s)"):format(table.concat(flag.names, " "))
  for i, name in ipairs(flag.names) do
    local value = flag.takes and value_of(flag) or ""
    specs[i] = ("'%s%s[%s]%s'"):format(others, name_of(flag, name), quoted(flag.about), value)
  end
  return table.concat(specs, " ")
end

local WORDS <const> = { file = "*:file:_files", reference = "*:reference:_oras-lua-reference", any = "*: : " }

local function arguments(flags, words)
  local lines = { "    _arguments -s -S \\" }
  for _, flag in ipairs(flags) do
    lines[#lines + 1] = ("      %s \\"):format(flag_specs(flag))
  end
  lines[#lines + 1] = ("      '%s' ;;"):format(words)
  return table.concat(lines, "\n")
end

local function flag_cases(list)
  local lines = { '  "")', arguments(model.options(), "*:script:_files") }
  for _, cmd in ipairs(list) do
    local words = cmd.takes == "choice" and ("*:word:(%s)"):format(table.concat(cmd.choices, " ")) or WORDS[cmd.takes]
    lines[#lines + 1] = ('  "%s")'):format(cmd.name)
    lines[#lines + 1] = arguments(cmd.flags, words)
  end
  lines[#lines + 1] = "  *) _files ;;"
  return table.concat(lines, "\n")
end

local function about_words(list)
  local about = {}
  for _, cmd in ipairs(list) do
    about[cmd.name] = cmd.about
  end
  return about
end

local function next_cases(list)
  local lines, groups, about = {}, model.groups(), about_words(list)
  for i, group in ipairs(model.group_names(groups)) do
    local words = {}
    for j, word in ipairs(groups[group]) do
      local name = group == "" and word or group .. " " .. word
      local text = about[name] or groups[name] and "more commands" or "provider"
      words[j] = ("'%s:%s'"):format(word, quoted(text))
    end
    lines[i] = ('  "%s") next=(%s) ;;'):format(group, table.concat(words, " "))
  end
  return table.concat(lines, "\n")
end

local function name_cases(list)
  local names, groups = {}, model.groups()
  for _, group in ipairs(model.group_names(groups)) do
    names[#names + 1] = group ~= "" and ('"%s"'):format(group) or nil
  end
  for _, cmd in ipairs(list) do
    names[#names + 1] = ('"%s"'):format(cmd.name)
  end
  return ("      %s) name=$longer ;;"):format(table.concat(names, " | "))
end

--- The script that zsh reads.
---@return string
function zsh.script()
  local list = model.commands()
  return (SCRIPT:gsub("@(%u+)@", { NEXT = next_cases(list), FLAGS = flag_cases(list), NAMES = name_cases(list) }))
end

return zsh
