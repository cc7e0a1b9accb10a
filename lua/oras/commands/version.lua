--- oras-lua version: of this program and of what it is made with.
local command = require "oras.cli.command"
local core = require "oras.core"

local function run()
  local lua = _VERSION:match "%S+$"
  return {
    text = ("oras-lua %s\nLua %s\n"):format(core.version, lua),
    document = { version = core.version, lua = lua },
  }
end

return command.new {
  name = "version",
  usage = "",
  about = "Print the version of this program.",
  example = "oras-lua version --format json",
  most = 0,
  registry = false,
  run = run,
}
