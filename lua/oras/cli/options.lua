--- The words of the command line before the script: the options of lua, and a few of ours.
local report = require "oras.cli.report"

local options = {}

-- Options that take a value, in the same word or the next one.
local WITH_VALUE <const> = { ["-e"] = true, ["-l"] = true }

local SWITCHES <const> = {
  ["-i"] = "interactive",
  ["-v"] = "version",
  ["-E"] = "no_environment",
  ["-W"] = "warnings",
  ["--debug"] = "debug",
  ["--dry-run"] = "dry_run",
  ["--help"] = "help",
  ["-h"] = "help",
  ["--version"] = "version",
}

local function unknown(word)
  report.fail(report.USAGE, "unknown option '%s' (oras-lua --help)", word)
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
