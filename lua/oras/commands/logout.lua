--- oras-lua logout: forget a registry's credentials.
local command = require "oras.cli.command"
local report = require "oras.cli.report"

local function run(registry, words)
  local host = words[1]
  local removed, elsewhere = registry:logout(host)
  if elsewhere then
    report.say("%s still has credentials for %s", elsewhere, host)
  end
  return {
    text = removed and "Logout Succeeded\n" or ("Not logged in to %s\n"):format(host),
    document = { registry = host, removed = removed == true },
  }
end

return command.new {
  name = "logout",
  usage = "REGISTRY",
  about = "Forget a registry's credentials.",
  example = "oras-lua logout localhost:5000",
  least = 1,
  most = 1,
  credentials = false,
  references = {},
  run = run,
}
