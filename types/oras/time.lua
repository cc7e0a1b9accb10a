---@meta oras.time
--- Times as documents of registries have them.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.time
local time = {}

--- Seconds since 1970 (UTC) of a time, with its fraction; nil for what is no such time.
---@param text any
---@return number?
function time.seconds(text) end

return time
