--- JSON of registries: integers exact, null distinct, arrays kept, order kept, strict.
local core = require "oras.core"
local errors = require "oras.error"

local options = require "oras.options"

local DECODE <const> = { max_bytes = "integer", max_depth = "integer" }
local ENCODE <const> = { indent = "integer", max_depth = "integer" }

local json = {
  --- What JSON's null is in Lua.
  null = core.json.null,
  --- Mark a table as an array, so that it stays one when empty.
  array = core.json.array,
  is_array = core.json.is_array,
}

--- Decode a document.
---@param text string
---@param opts? { max_depth?: integer, max_bytes?: integer }
---@return any
---@raise oras.Error content, limit, usage
function json.decode(text, opts)
  return errors.check(core.json.decode(text, opts and options.check(opts, DECODE, "decode")))
end

--- Encode a value, the same bytes each time: decoded objects keep their order, others are
--- sorted by key.
---@param value any
---@param opts? { indent?: integer, max_depth?: integer }
---@return string
---@raise oras.Error usage, content
function json.encode(value, opts)
  return errors.check(core.json.encode(value, opts and options.check(opts, ENCODE, "encode")))
end

return json
