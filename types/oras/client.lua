---@meta oras.client
--- The base class under oras-py's name.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.client
---@field OrasClient oras.Registry
local client = {}

return client
