---@meta oras.json
--- JSON of registries: integers exact, null distinct, arrays kept, order kept, strict.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.json
---@field null userdata what JSON's null is in Lua
local json = {}

--- Decode a document.
---@param text string
---@param opts? oras.DecodeOptions
---@return any
--- Raises oras.Error content, limit, usage
function json.decode(text, opts) end

--- Encode a value, the same bytes each time: decoded objects keep their order, others are
--- sorted by key.
---@param value any
---@param opts? oras.EncodeOptions
---@return string
--- Raises oras.Error usage, content
function json.encode(value, opts) end

--- Mark a table as an array, so that it stays one when empty.
---@generic T
---@param list T
---@return T the same table
function json.array(list) end

--- Is a value a table that was an array in its document, or was marked as one?
---@param value any
---@return boolean
function json.is_array(value) end

return json
