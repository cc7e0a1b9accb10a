--- oras-lua completion: what a shell reads to complete the words of oras-lua.
local command = require "oras.cli.command"
local errors = require "oras.error"
local options = require "oras.options"

local SHELLS <const> = { bash = true, fish = true, zsh = true }

local function run(_, words)
  local shell = words[1]
  if not SHELLS[shell] then
    local near = options.nearest(shell, SHELLS)
    errors.usage("completion is for bash, fish and zsh, not for '%s'%s", shell, near and (" (%s?)"):format(near) or "")
  end
  local script = require("oras.cli.completion." .. shell).script()
  return { bytes = script, document = { shell = shell, script = script } }
end

return command.new {
  name = "completion",
  usage = "bash|fish|zsh",
  about = "Print what a shell reads to complete commands, flags and files behind oras-lua.",
  example = "oras-lua completion bash",
  least = 1,
  most = 1,
  registry = false,
  words = { "bash", "fish", "zsh" },
  run = run,
}
