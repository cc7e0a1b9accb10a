--- Building blocks of OCI documents: manifests, layers, configs and annotations of one's own,
--- for those who write their own push. Fields stand in the order that other tools use.
local core = require "oras.core"
local errors = require "oras.error"
local media_types = require "oras.media_types"

local oci = {
  media_types = media_types,
  annotations = {
    created = "org.opencontainers.image.created",
    ref_name = "org.opencontainers.image.ref.name",
    title = "org.opencontainers.image.title",
    unpack = "io.deis.oras.content.unpack",
    digest = "io.deis.oras.content.digest",
  },
}

local UNKNOWN_CONFIG <const> = "application/vnd.unknown.config.v1+json"

-- A decoded object keeps the order of its keys: this is how an order is given to one.
local DOCUMENT <const> = '{"schemaVersion":2,"mediaType":0,"artifactType":0,"config":0,"layers":0,"manifests":0,'
  .. '"subject":0,"annotations":0}'
local DESCRIPTOR <const> = '{"mediaType":0,"digest":0,"size":0,"urls":0,"annotations":0,"data":0,"platform":0,'
  .. '"artifactType":0}'

local function in_order(template, fields)
  local object = core.json.decode(template)
  for key in pairs(object) do
    object[key] = nil
  end
  for key, value in pairs(fields) do
    object[key] = value
  end
  if type(object.annotations) == "table" and next(object.annotations) == nil then
    object.annotations = nil
  end
  return object
end

--- A descriptor with its fields in the usual order.
---@param fields table mediaType, digest, size, ...
---@return table
function oci.descriptor(fields)
  return in_order(DESCRIPTOR, fields)
end

local function descriptors(list)
  local copy = core.json.array {}
  for i, one in ipairs(list) do
    copy[i] = type(one) == "table" and oci.descriptor(one) or one
  end
  return copy
end

--- A copy of a manifest or an index with all fields in the usual order; lists stay lists when
--- they are empty.
---@param doc table
---@return table
function oci.ordered(doc)
  local copy = in_order(DOCUMENT, doc)
  for _, field in ipairs { "layers", "manifests" } do
    copy[field] = type(doc[field]) == "table" and descriptors(doc[field]) or doc[field]
  end
  for _, field in ipairs { "config", "subject" } do
    copy[field] = type(doc[field]) == "table" and oci.descriptor(doc[field]) or doc[field]
  end
  return copy
end

--- The descriptor of the two bytes `{}` (image-spec manifest.md, "Guidance for an Empty
--- Descriptor"); a new table each time.
---@param algorithm? string of its digest, "sha256" by default
---@return table
function oci.empty_descriptor(algorithm)
  return oci.descriptor {
    mediaType = media_types.empty,
    digest = core.digest.of("{}", algorithm),
    size = 2,
    data = "e30=",
  }
end

--- A manifest to be filled in: `config`, `layers`, `annotations`, `artifactType`, `subject`.
---@return table
function oci.NewManifest()
  return in_order(DOCUMENT, {
    schemaVersion = 2, mediaType = media_types.manifest, layers = core.json.array {},
  })
end

--- An index to be filled in.
---@return table
function oci.NewIndex()
  return in_order(DOCUMENT, {
    schemaVersion = 2, mediaType = media_types.index, manifests = core.json.array {},
  })
end

local LAYER <const> = { annotations = "table", compression = "string", mtime = "integer", prefix = "string",
  title = "string" }

local function is_directory(path)
  local root = core.file.root(path)
  if root then
    root:close()
  end
  return root ~= nil
end

-- A directory is packed to know its digest, and once more while it is sent.
local function of_directory(path, layer, opts)
  local packed = errors.check(core.archive.pack {
    path = path, prefix = opts.prefix or opts.title, compression = opts.compression, mtime = opts.mtime or 0,
  })
  layer.digest, layer.size = packed:hash()
  errors.check(layer.digest, layer.size)
  layer.mediaType = layer.mediaType or media_types.layer_gzip
  layer.annotations[oci.annotations.unpack] = "true"
  layer.annotations[oci.annotations.digest] = packed:content()
  return { source = packed, path = path }
end

local function of_file(path, layer)
  local file <close> = errors.check(core.source.file(path))
  layer.digest, layer.size = file:hash()
  errors.check(layer.digest, layer.size)
  return { path = path }
end

local function of_data(data, layer)
  layer.digest, layer.size = core.digest.of(data), #data
  return { data = data }
end

--- Describe a layer. What it gives second is what upload_blob takes.
---@param source string|table a path (a directory is packed), or `{data = bytes}`
---@param media_type? string
---@param opts? { title?: string, annotations?: table } and for directories `compression`, `mtime`, `prefix`
---@return table descriptor
---@return table source
---@raise oras.Error io, path, usage
function oci.NewLayer(source, media_type, opts)
  opts = require("oras.options").check(opts, LAYER, "NewLayer")
  source = require("oras.registry.sources").check(source, "NewLayer")
  local layer = { mediaType = media_type, annotations = {} }
  for key, value in pairs(opts.annotations or {}) do
    layer.annotations[key] = value
  end
  layer.annotations[oci.annotations.title] = opts.title or layer.annotations[oci.annotations.title]
  local given
  if source.data then
    given = of_data(source.data, layer)
  elseif not source.path or source.source then
    errors.usage "NewLayer: a layer is described before it is sent: it has a path or data"
  elseif is_directory(source.path) then
    given = of_directory(source.path, layer, opts)
  else
    given = of_file(source.path, layer)
  end
  layer.mediaType = layer.mediaType or media_types.layer
  return oci.descriptor(layer), given
end

--- Describe a config; without a source it is the empty one. What it gives second is what
--- upload_blob takes.
---@param source? string|table a path, or `{data = bytes}`
---@param media_type? string
---@return table descriptor
---@return table source
---@raise oras.Error io, usage
function oci.ManifestConfig(source, media_type)
  return oci.NewLayer(source or { data = "{}" }, media_type or UNKNOWN_CONFIG)
end

--- The descriptor of a manifest that was received or stored, for the `subject` of another.
---@param manifest oras.Manifest|table
---@return table descriptor
---@raise oras.Error usage
function oci.Subject(manifest)
  local manifests = require "oras.manifest"
  local found = manifests.is_manifest(manifest) and manifest:descriptor() or manifest
  require("oras.descriptor").of_caller(found, "Subject")
  if type(found.mediaType) ~= "string" or not found.size then
    errors.usage "Subject: a subject is a manifest, or its descriptor with mediaType, digest and size"
  end
  return oci.descriptor { mediaType = found.mediaType, digest = found.digest, size = found.size }
end

---@class oras.Annotations
local Annotations = { __name = "oras.Annotations" }
Annotations.__index = Annotations

--- Annotations by section, "$manifest", "$config" or the name of a file; from a file in
--- oras's format, or none at first.
---@param path? string
---@return oras.Annotations
---@raise oras.Error io, content
function oci.Annotations(path)
  local sections = {}
  if path ~= nil then
    local read = require("oras.registry.annotation_file").read(path)
    sections = read.files
    sections["$manifest"], sections["$config"] = read.manifest, read.config
  end
  return setmetatable({ sections = sections }, Annotations)
end

--- Add one.
---@param section string
---@param key string
---@param value string
function Annotations:add(section, key, value)
  for _, one in ipairs { section, key, value } do
    if type(one) ~= "string" then
      errors.usage("Annotations: section, key and value are strings, not a %s", type(one))
    end
  end
  self.sections[section] = self.sections[section] or {}
  self.sections[section][key] = value
end

--- Those of a section, in a new table; empty where there are none.
---@param section string
---@return table<string, string>
function Annotations:get_annotations(section)
  return require("oras.options").copied(self.sections[section] or {})
end

return oci
