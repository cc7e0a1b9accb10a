--- Descriptors (image-spec descriptor.md): checked before anything is asked for.
local core = require "oras.core"
local errors = require "oras.error"

local parse_digest <const> = core.digest.parse
local null <const> = core.json.null

local descriptor = {}

-- What is wrong with a descriptor: pointer below it and a text, or nil.
local function fault(d)
  if type(d) ~= "table" or core.json.is_array(d) then
    return "", "is no object"
  end
  if type(d.mediaType) ~= "string" then
    return "/mediaType", "is no string"
  end
  if type(d.digest) ~= "string" then
    return "/digest", "is no string"
  end
  local _, err = parse_digest(d.digest)
  if err then
    return "/digest", err.message
  end
  if math.type(d.size) ~= "integer" or d.size < 0 then
    return "/size", "is no whole number from 0 on"
  end
end

local function content_error(pointer, text)
  errors.raise { class = "content", message = ("%s %s"):format(pointer, text) }
end

-- Inline data must be what the descriptor says.
local function check_data(d, pointer)
  local bytes = type(d.data) == "string" and core.base64.decode(d.data)
  local algorithm = d.digest:match("^[^:]+")
  local right = bytes and #bytes == d.size and core.digest.of(bytes, algorithm) == d.digest
  if not right then
    errors.raise {
      class = "integrity",
      message = pointer .. "/data is not what digest and size say",
      digest = d.digest,
    }
  end
end

local function check_annotations(annotations, pointer)
  if type(annotations) ~= "table" or core.json.is_array(annotations) then
    content_error(pointer, "is no object")
  end
  for key, value in next, annotations do
    if type(key) ~= "string" or type(value) ~= "string" then
      content_error(pointer, "has a value that is no string")
    end
  end
end

--- Check annotations of a document; null counts as none.
---@param holder table
---@param pointer string JSON pointer of the holder
---@raise oras.Error content
function descriptor.check_annotations(holder, pointer)
  if holder.annotations == null then
    holder.annotations = nil
  elseif holder.annotations ~= nil then
    check_annotations(holder.annotations, pointer .. "/annotations")
  end
end

--- Check a descriptor of a registry's document.
---@param d any
---@param pointer string its JSON pointer
---@raise oras.Error content, integrity
function descriptor.check(d, pointer)
  local below, text = fault(d)
  if below then
    content_error(pointer .. below, text)
  end
  descriptor.check_annotations(d, pointer)
  if d.data ~= nil then
    check_data(d, pointer)
  end
end

--- The digest and size of what a caller gave: a digest or a descriptor.
---@param given string|table
---@param verb string for the message
---@return string digest
---@return integer? size
---@return table descriptor
---@raise oras.Error usage
function descriptor.of_caller(given, verb)
  if type(given) == "string" then
    given = { digest = given }
  elseif type(given) ~= "table" or type(given.digest) ~= "string" then
    errors.usage("%s: a blob is named by a digest or a descriptor, not by a %s", verb, type(given))
  end
  local _, err = parse_digest(given.digest)
  if err then
    errors.usage("%s: %s", verb, err.message)
  end
  local size = given.size
  if size ~= nil and (math.type(size) ~= "integer" or size < 0) then
    errors.usage("%s: the size of a descriptor is a whole number from 0 on", verb)
  end
  return given.digest, size, given
end

return descriptor
