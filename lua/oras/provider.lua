--- The base class under oras-py's name, oras.provider.Registry; and a command line for a provider.
local provider = { Registry = require "oras.registry" }

--- Make a provider's file a program: `thing.lua METHOD ARGS` calls a method and prints its result as
--- JSON; `--help` is what the comments say. The file ends with
---
---     if oras.is_main() then
---       oras.provider.main(arg)
---     end
---     return Thing
---@param words string[] the words of the command line; the file at 0
function provider.main(words)
  local path = words[0]
  require("oras.cli.provider").run(path:find("/", 1, true) and path or "./" .. path, words)
end

return provider
