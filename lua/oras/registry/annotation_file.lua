--- The file of annotations as oras takes it: {"$manifest": {}, "$config": {}, "FILE": {}}.
local core = require "oras.core"
local errors = require "oras.error"

local annotation_file = {}

local function bad(path, format, ...)
  errors.raise { class = "content", message = ('annotation file "%s": %s'):format(path, format:format(...)) }
end

local function check_map(path, name, map)
  if type(map) ~= "table" or core.json.is_array(map) then
    bad(path, '"%s" is no object', name)
  end
  local copy = {}
  for key, value in pairs(map) do
    if type(value) ~= "string" then
      bad(path, '"%s" of "%s" is no string', key, name)
    end
    copy[key] = value
  end
  return copy
end

--- Read a file of annotations.
---@param path string
---@return { manifest?: table, config?: table, files: table<string, table> }
---@raise oras.Error io, content, limit
function annotation_file.read(path)
  local text, failure = core.file.read(path)
  if not text then
    errors.raise(errors.name(failure, "annotation file", {}))
  end
  local document, err = core.json.decode(text)
  if document == nil then
    bad(path, "%s", err.message)
  elseif type(document) ~= "table" or core.json.is_array(document) then
    bad(path, "it is no object of objects")
  end
  local read = { files = {} }
  for name, map in pairs(document) do
    local checked = check_map(path, name, map)
    if name == "$manifest" then
      read.manifest = checked
    elseif name == "$config" then
      read.config = checked
    else
      read.files[name] = checked
    end
  end
  return read
end

return annotation_file
