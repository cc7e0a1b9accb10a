--- What commands say of a manifest or blob: as a document, and in words.
local core = require "oras.core"
local host = require "oras.host"
local json = require "oras.json"
local sanitise = require("oras.registry.status").sanitise

local describe = {}

--- The document of a descriptor; `reference` leads to it by digest.
---@param container oras.Container
---@param descriptor table
---@param more? table<string, any> further keys
---@return table
function describe.document(container, descriptor, more)
  local document = {
    reference = container:with_digest(descriptor.digest).uri,
    mediaType = descriptor.mediaType,
    digest = descriptor.digest,
    size = descriptor.size,
    artifactType = descriptor.artifactType,
    annotations = descriptor.annotations,
  }
  for key, value in pairs(more or {}) do
    document[key] = value
  end
  return document
end

--- The fields of a descriptor alone, as oras prints them with --descriptor.
---@param descriptor table
---@return table
function describe.plain(descriptor)
  return require("oras.oci").descriptor {
    mediaType = descriptor.mediaType, digest = descriptor.digest, size = descriptor.size,
    platform = descriptor.platform, artifactType = descriptor.artifactType, annotations = descriptor.annotations,
  }
end

--- A document as text, of many lines with `pretty`. As in oras, a program gets no line end behind
--- what is on one.
---@param value any
---@param pretty? boolean
---@return string
function describe.json(value, pretty)
  local ending = (pretty or host.is_terminal(1)) and "\n" or ""
  return json.encode(value, pretty and { indent = 2 } or nil) .. ending
end

--- Names for "referenceAsTags".
---@param container oras.Container
---@param more? string[] tags besides the reference's own
---@return string[]
function describe.names(container, more)
  local names = core.json.array {}
  if not container.implicit_tag and container.tag then
    names[1] = container.uri
  end
  for _, tag in ipairs(more or {}) do
    names[#names + 1] = container:with_tag(tag).uri
  end
  table.sort(names)
  return names
end

--- A text of somebody else's, for a person.
---@param text any
---@return string
function describe.shown(text)
  return sanitise(tostring(text))
end

return describe
