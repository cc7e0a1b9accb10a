--- JSON of registries: integers exact, null distinct, arrays kept, order kept, strict.
local core = require "oras.core"
local errors = require "oras.error"

local json = {
  --- What JSON's null is in Lua.
  null = core.json.null,
  --- Mark a table as an array, so that it stays one when empty.
  array = core.json.array,
  is_array = core.json.is_array,
}

--- Decode a document.
---@param text string
---@param options? { max_depth?: integer, max_bytes?: integer }
---@return any
---@raise oras.Error content, limit
function json.decode(text, options)
  return errors.check(core.json.decode(text, options))
end

--- Encode a value, the same bytes each time: decoded objects keep their order, others are
--- sorted by key.
---@param value any
---@param options? { indent?: integer }
---@return string
---@raise oras.Error usage
function json.encode(value, options)
  return errors.check(core.json.encode(value, options))
end

return json
