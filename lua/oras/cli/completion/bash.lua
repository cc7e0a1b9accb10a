--- The completion of bash; it needs nothing but bash.
local model = require "oras.cli.completion.model"

-- The words of the line are split at ":" and "=", too: what stands before tells which they are.
local HEAD <const> = [=[
# bash completion of oras-lua, made by `oras-lua completion bash`

# Words that may follow those in $1, as "next"; none for a command.
_oras_lua_next() {
  next=
  case $1 in
@NEXT@
  esac
}

# Flags of the command $1, as "flags".
_oras_lua_flags() {
  case $1 in
@FLAGS@
  esac
}

# What the flag $2 of the command $1 takes, as "takes": "@file", "@directory", "@any", words, or
# nothing for a switch.
_oras_lua_takes() {
  case $2 in
@TAKES@
  *) takes= ;;
  esac
}

# What the words of the command $1 are, as "takes".
_oras_lua_words() {
  case $1 in
@WORDS@
  *) takes=@file ;;
  esac
}

_oras_lua_offer() {
  case $1 in
  @file) COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null ;;
  @directory) COMPREPLY=($(compgen -d -- "$cur")); compopt -o filenames 2>/dev/null ;;
  @any) COMPREPLY=() ;;
  @script)
    COMPREPLY=($(compgen -W "$next" -- "$cur") $(compgen -f -X '!*.lua' -- "$cur") $(compgen -d -S / -- "$cur"))
    compopt -o nospace 2>/dev/null
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} != */ ]] && compopt +o nospace 2>/dev/null
    ;;
  *) COMPREPLY=($(compgen -W "$1" -- "$cur")) ;;
  esac
  return 0
}

_oras_lua() {
  local IFS=$' \t\n' cur=${COMP_WORDS[COMP_CWORD]} name= next flags takes i word
  local before=${COMP_WORDS[COMP_CWORD - 1]} further=
  ((COMP_CWORD > 1)) && further=${COMP_WORDS[COMP_CWORD - 2]}
  _oras_lua_next ""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == -[el] && -z $name ]]; then
      ((i++))
    elif [[ $word != -* && " $next " == *" $word "* ]]; then
      name=${name:+$name }$word
      _oras_lua_next "$name"
      [[ -z $next ]] && break
    elif [[ $word != -* ]]; then
      _oras_lua_offer @file
      return
    fi
  done
  IFS=$'\n'
  if [[ $cur == "=" ]]; then
    further=$before before="=" cur=
  fi
  takes=
  if [[ $before == "=" ]]; then
    _oras_lua_takes "$name" "$further"
  elif [[ $before == -* ]]; then
    _oras_lua_takes "$name" "$before"
  fi
  if [[ -n $takes ]]; then
    _oras_lua_offer "${takes// /$'\n'}"
  elif [[ $cur == -* ]]; then
    _oras_lua_flags "$name"
    _oras_lua_offer "${flags// /$'\n'}"
  elif [[ -n $next ]]; then
    next=${next// /$'\n'}
    if [[ -z $name ]]; then _oras_lua_offer @script; else _oras_lua_offer "$next"; fi
  elif [[ $cur == ":" || $before == ":" ]]; then
    [[ $cur == ":" ]] && cur= before=: further=${COMP_WORDS[COMP_CWORD - 1]}
    if [[ $further == oci ]]; then _oras_lua_offer @directory; fi
  else
    _oras_lua_words "$name"
    _oras_lua_offer "${takes// /$'\n'}"
  fi
}

complete -F _oras_lua oras-lua
]=]

local bash = {}

local function case_of(patterns, text)
  return ("  %s) %s ;;"):format(patterns, text)
end

local function next_cases()
  local groups, lines = model.groups(), {}
  for i, group in ipairs(model.group_names(groups)) do
    lines[i] = case_of(('"%s"'):format(group), ("next='%s'"):format(table.concat(groups[group], " ")))
  end
  return table.concat(lines, "\n")
end

local function names_of(flags)
  local names = {}
  for _, flag in ipairs(flags) do
    table.move(flag.names, 1, #flag.names, #names + 1, names)
  end
  return names
end

local function flag_cases(list)
  local lines = { case_of('""', ("flags='%s'"):format(table.concat(names_of(model.options()), " "))) }
  for _, cmd in ipairs(list) do
    local names = table.concat(names_of(cmd.flags), " ")
    lines[#lines + 1] = case_of(('"%s"'):format(cmd.name), ("flags='%s'"):format(names))
  end
  lines[#lines + 1] = case_of("*", "flags=--help")
  return table.concat(lines, "\n")
end

local function takes_of(flag)
  return flag.takes == "choice" and table.concat(flag.choices, " ") or flag.takes and "@" .. flag.takes or ""
end

-- A flag takes the same in all commands, but for a few: these stand by their command.
local function take_cases(list)
  local common, order, own = {}, {}, {}
  for _, cmd in ipairs(list) do
    for _, flag in ipairs(cmd.flags) do
      for _, name in ipairs(flag.names) do
        local takes = takes_of(flag)
        if common[name] == nil then
          common[name] = takes
          order[#order + 1] = name
        elseif common[name] ~= takes then
          own[name] = own[name] or {}
          table.insert(own[name], case_of(('"%s"'):format(cmd.name), ("takes='%s'"):format(takes)))
        end
      end
    end
  end
  local lines = {}
  for _, name in ipairs(order) do
    if own[name] then
      local rest = case_of("*", ("takes='%s'"):format(common[name]))
      lines[#lines + 1] = case_of(name, ("case $1 in %s %s esac"):format(table.concat(own[name], " "), rest))
    elseif common[name] ~= "" then
      lines[#lines + 1] = case_of(name, ("takes='%s'"):format(common[name]))
    end
  end
  return table.concat(lines, "\n")
end

local function word_cases(list)
  local lines = {}
  for _, cmd in ipairs(list) do
    local takes = cmd.takes == "choice" and table.concat(cmd.choices, " ") or cmd.takes == "file" and "@file" or "@any"
    lines[#lines + 1] = takes ~= "@file" and case_of(('"%s"'):format(cmd.name), ("takes='%s'"):format(takes)) or nil
  end
  return table.concat(lines, "\n")
end

--- The script that bash reads.
---@return string
function bash.script()
  local list = model.commands()
  local parts = {
    NEXT = next_cases(), FLAGS = flag_cases(list), TAKES = take_cases(list), WORDS = word_cases(list),
  }
  return (HEAD:gsub("@(%u+)@", parts))
end

return bash
