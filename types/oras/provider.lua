---@meta oras.provider
--- The base class under oras-py's name.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.provider
---@field Registry oras.Registry
local provider = {}

--- Make a provider's file a program: `thing.lua METHOD ARGS` calls a method and prints its result as
--- JSON; `--help` is what the comments say. The file ends with
---
---     if oras.is_main() then
---       oras.provider.main(arg)
---     end
---     return Thing
---@param words string[] the words of the command line; the file at 0
function provider.main(words) end

return provider
