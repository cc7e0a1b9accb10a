--- Manifests and indexes: a table of what the JSON says, and the bytes that are its identity.
local core = require "oras.core"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"
local media_types = require "oras.media_types"

local null <const> = core.json.null

-- Bytes and descriptor of each manifest stand beside it: its own fields are the JSON's.
local known = setmetatable({}, { __mode = "k" })

---@class oras.Manifest : table
---@field mediaType? string
---@field config? table
---@field layers? table[]
---@field manifests? table[]
---@field annotations? table<string, string>
local Manifest = { __name = "oras.Manifest" }

local methods = {}
Manifest.__index = methods

--- "manifest sha256:...".
function Manifest:__tostring()
  return "manifest " .. known[self].descriptor.digest
end

--- The descriptor of the bytes received: mediaType, digest, size, artifactType.
---@return table a new one each time
function methods:descriptor()
  local copy = {}
  for key, value in pairs(known[self].descriptor) do
    copy[key] = value
  end
  return copy
end

--- The bytes received; what digest, copy and tag use.
---@return string
function methods:raw()
  return known[self].raw
end

--- Its media type, as the registry and the document agree on it.
---@return string
function methods:media_type()
  return known[self].descriptor.mediaType
end

local manifest = {}

local function content(format, ...)
  errors.raise { class = "content", message = format:format(...) }
end

local function check_list(list, pointer)
  if not core.json.is_array(list) then
    content("%s is no array", pointer)
  end
  for i, item in ipairs(list) do
    descriptor.check(item, ("%s/%d"):format(pointer, i - 1))
  end
end

local function check_subject(doc)
  if doc.subject == null then
    doc.subject = nil
  elseif doc.subject ~= nil then
    descriptor.check(doc.subject, "/subject")
  end
end

local function check_shape(doc, media_type)
  if doc.manifests ~= nil and doc.layers ~= nil then
    content "the document has both manifests and layers: it is neither an index nor a manifest"
  end
  if media_types.is_index(media_type) then
    check_list(doc.manifests, "/manifests")
  elseif media_types.is_manifest(media_type) then
    descriptor.check(doc.config, "/config")
    check_list(doc.layers, "/layers")
  else
    return
  end
  if doc.schemaVersion ~= 2 then
    content "/schemaVersion is not 2"
  end
  check_subject(doc)
  descriptor.check_annotations(doc, "")
end

--- The media type that a document has by its fields, when it says none; nil for neither kind.
---@param doc table
---@return string?
function manifest.type_by_fields(doc)
  if doc.manifests ~= nil then
    return media_types.index
  elseif doc.layers ~= nil or doc.config ~= nil then
    return media_types.manifest
  end
end

-- Field and header must agree (GHSA-5j5w-g665-5m35: the same bytes read as two things).
local function settle_type(doc, claimed)
  local own = doc.mediaType
  if own ~= nil and type(own) ~= "string" then
    content "/mediaType is no string"
  end
  if own and claimed and own ~= claimed then
    content("the document says it is %q, the server says %q", own, claimed)
  end
  return own or claimed or manifest.type_by_fields(doc)
    or content "the document says no media type, and neither does the server"
end

local function refuse_schema1(doc, media_type)
  if doc.schemaVersion == 1 or media_types.is_schema1(media_type) then
    content "a docker manifest of schema 1, which has no usable digest; not supported"
  end
end

-- A method that a hostile or odd document hides by a field of its name must still work.
local function unhide_methods(doc)
  for name in pairs(methods) do
    if rawget(doc, name) ~= nil then
      rawset(doc, name, nil)
    end
  end
end

local function decode(raw, max_depth)
  local doc, err = core.json.decode(raw, { max_bytes = #raw, max_depth = max_depth })
  if not doc then
    err.message = "not a manifest: " .. err.message
    errors.raise(err)
  end
  if type(doc) ~= "table" or core.json.is_array(doc) then
    content "not a manifest: the document is no object"
  end
  return doc
end

---@class oras.Received
---@field raw string the bytes
---@field digest string of the bytes
---@field media_type? string as the server says

--- Make a manifest of bytes whose digest has been checked.
---@param received oras.Received
---@param options? { max_depth?: integer, container?: oras.Container }
---@return oras.Manifest
---@raise oras.Error content, integrity, limit
function manifest.new(received, options)
  local doc = decode(received.raw, options and options.max_depth)
  local media_type = settle_type(doc, received.media_type)
  refuse_schema1(doc, media_type)
  check_shape(doc, media_type)
  unhide_methods(doc)
  local artifact_type = doc.artifactType
  known[doc] = {
    raw = received.raw,
    container = options and options.container,
    descriptor = {
      mediaType = media_type,
      digest = received.digest,
      size = #received.raw,
      artifactType = type(artifact_type) == "string" and artifact_type or nil,
    },
  }
  return setmetatable(doc, Manifest)
end

--- Is the value a manifest that was received?
---@return boolean
function manifest.is_manifest(value)
  return known[value] ~= nil
end

--- Is it an index (and not an image manifest or something opaque)?
---@return boolean
function manifest.is_index(value)
  local info = known[value]
  if info then
    return media_types.is_index(info.descriptor.mediaType)
  end
  return type(value) == "table" and value.manifests ~= nil
end

--- Where a manifest was received from; nil when it is not known.
---@return oras.Container?
function manifest.container_of(value)
  local info = known[value]
  return info and info.container
end

return manifest
