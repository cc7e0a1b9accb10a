--- Fields of a message from a provider's process, which are as hostile as a server's.
local core = require "oras.core"
local errors = require "oras.error"

local fields = {}

--- Raise: the message is none of ours.
---@raise oras.Error sandbox
function fields.malformed(name)
  errors.raise { class = "sandbox", message = ("the provider's process sent no proper '%s'"):format(name) }
end

--- A field of a message, of a type; nil only where that is optional.
---@raise oras.Error sandbox
function fields.get(message, name, kind, optional)
  local value = message[name]
  if value == core.json.null then
    value = nil
  end
  local is = math.type(value) or type(value)
  if value == nil and optional then
    return nil
  elseif is ~= kind then
    fields.malformed(name)
  end
  return value
end

--- A text that becomes part of a request; control characters have no business there.
---@return string?
---@raise oras.Error usage, sandbox
function fields.text(message, name, optional)
  local value = fields.get(message, name, "string", optional)
  if value and value:find "%c" then
    errors.usage("%s has a control character", name)
  end
  return value
end

--- A whole number from 0 on.
---@return integer?
---@raise oras.Error sandbox
function fields.count(message, name, optional)
  local value = fields.get(message, name, "integer", optional)
  if value and value < 0 then
    fields.malformed(name)
  end
  return value
end

--- A list or object of plain texts.
---@return table?
---@raise oras.Error sandbox
function fields.texts(message, name, optional)
  local value = fields.get(message, name, "table", optional)
  for key, item in pairs(value or {}) do
    if type(item) ~= "string" or (type(key) == "string" and key:find "%c") then
      fields.malformed(name)
    end
  end
  return value
end

return fields
