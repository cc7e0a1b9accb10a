---@meta oras.glob
--- Patterns for names.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.glob
local glob = {}

--- Has a text characters that stand for others?
---@param text string
---@return boolean
function glob.is_glob(text) end

--- Does a text fit a glob? Texts are a server's: what a pattern of Lua would try again and again
--- is tried once, behind the last "*" only.
---@param text string
---@param given string the glob
---@return boolean
function glob.match(text, given) end

return glob
