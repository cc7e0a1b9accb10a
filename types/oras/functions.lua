---@meta oras.functions
--- Functions of the program that this runs in, by the names under which it registered them.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.functions
---@field [string] nil|fun(...: any): any values go to and fro as JSON; nil where none has that name
local functions = {}

return functions
