--- The words of the command line before the script: the options of lua, and a few of ours.
local report = require "oras.cli.report"

local options = {}

--- The options in the order of the manual; `key` is the switch's name in what `parse` gives.
---@type { [1]: string, [2]?: string, key?: string, value?: string, about: string }[]
options.LIST = {
  { "-e", value = "TEXT", about = "run TEXT" },
  { "-l", value = "NAME", about = "require NAME into a global of that name (G=NAME: into G)" },
  { "-i", key = "interactive", about = "read and run lines after the script" },
  { "-v", key = "version", about = "print the version" },
  { "--version", key = "version", about = "print the version and end, without a script" },
  { "-W", key = "warnings", about = "turn warnings on" },
  { "-E", key = "no_environment", about = "ignore LUA_PATH and LUA_CPATH" },
  { "-", about = "the script is standard input" },
  { "--", about = "the next word is the script" },
  { "--debug", key = "debug", about = "tracebacks, and a line on stderr for each exchange, without secrets" },
  {
    "--dry-run", key = "dry_run",
    about = "change no registry and no layout: what would be written is told, and refused",
  },
  {
    "--sandbox", key = "sandbox",
    about = "run the provider that follows in a process without files, network and credentials (docs/providers.md)",
  },
  { "-h", "--help", key = "help", about = "a screen of help; behind a command, its own" },
}

-- Options that take a value, in the same word or the next one.
local WITH_VALUE <const> = {}
local SWITCHES <const> = {}
for _, option in ipairs(options.LIST) do
  for _, name in ipairs(option) do
    WITH_VALUE[name] = option.value and true
    SWITCHES[name] = option.key
  end
end

local function unknown(word)
  local near = require "oras.options".nearest(word, SWITCHES)
  report.fail(report.USAGE, "unknown option '%s' (%s)", word, near and near .. "?" or "oras-lua --help")
end

--- Read options up to the first word that is none.
---@param words string[]
---@return table opts switches by name; `steps` are the values of -e and -l, in order
---@return integer? index of the script's word, nil if there is none
function options.parse(words)
  local opts, i = { steps = {} }, 1
  while i <= #words do
    local word = words[i]
    if word:sub(1, 1) ~= "-" or word == "-" then
      return opts, i
    elseif word == "--" then
      return opts, words[i + 1] and i + 1 or nil
    elseif WITH_VALUE[word:sub(1, 2)] then
      local value = word:sub(3)
      if value == "" then
        i = i + 1
        value = words[i] or report.fail(report.USAGE, "option '%s' needs a value", word)
      end
      table.insert(opts.steps, { kind = word:sub(1, 2), value = value })
    else
      opts[SWITCHES[word] or unknown(word)] = true
    end
    i = i + 1
  end
  return opts, nil
end

return options
