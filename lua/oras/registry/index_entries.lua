--- The entries of an index that is made: what a caller names, as descriptors with platform and type.
local core = require "oras.core"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"
local manifest = require "oras.manifest"
local media_types = require "oras.media_types"
local oci = require "oras.oci"
local options = require "oras.options"

local entries = {}

local ENTRY <const> = { annotations = "table", platform = "string|table", reference = "string|table" }
local CONFIGS <const> = { [media_types.config] = true, [media_types.docker_config] = true }

-- The order in which others write them.
local PLATFORM <const> = '{"architecture":0,"os":0,"os.version":0,"os.features":0,"variant":0}'
local FEATURES <const> = "os.features"

-- A platform with those fields only, nil for what is none.
local function platform_of(given)
  if type(given) ~= "table" or type(given.os) ~= "string" or type(given.architecture) ~= "string" then
    return nil
  end
  local platform = core.json.decode(PLATFORM)
  for key in pairs(platform) do
    local value = given[key]
    local is_list = key == FEATURES and type(value) == "table" and #value > 0
    platform[key] = is_list and core.json.array(value) or (type(value) == "string" and value ~= "" and value) or nil
  end
  return platform
end

-- As it was typed: no variant is filled in.
local function given_platform(given)
  if given == nil then
    return nil
  end
  require("oras.platform").parse(given)
  if type(given) == "table" then
    return platform_of(given)
  end
  local os, architecture, variant = given:match "^([^/]+)/([^/]+)/?(.*)$"
  return platform_of { os = os, architecture = architecture, variant = variant }
end

-- Where an entry is: a tag or a digest of the index's own repository, or a reference.
local function place_of(self, container, text)
  if type(text) ~= "string" then
    return self:get_container(text)
  elseif core.digest.parse(text) then
    return container:with_digest(text)
  elseif #text <= 128 and text:find "^[%w_][%w._-]*$" then
    return container:with_tag(text)
  end
  return self:get_container(text)
end

local function is_same_place(a, b)
  if a.kind ~= b.kind then
    return false
  elseif a.kind == "layout" then
    return a.path == b.path
  end
  return a.host == b.host and a.api_prefix == b.api_prefix
end

-- What an image runs on stands in its config.
local function platform_in_config(self, container, doc)
  local config = doc.config
  if manifest.is_index(doc) or type(config) ~= "table" or not CONFIGS[config.mediaType] then
    return nil
  end
  return platform_of(self:get_config(container:with_digest(doc:descriptor().digest)))
end

local function described(self, place, more)
  local doc = self:get_manifest(place)
  local d = doc:descriptor()
  d.platform = given_platform(more.platform) or platform_in_config(self, place, doc)
  d.annotations = more.annotations
  return oci.descriptor(d)
end

-- A descriptor of the caller's stands as it is.
local function of_descriptor(container, d)
  descriptor.of_caller(d, "index")
  if type(d.mediaType) ~= "string" or not d.size then
    errors.usage "index: a descriptor has mediaType, digest and size"
  end
  given_platform(d.platform)
  return { descriptor = oci.descriptor(d), place = container:with_digest(d.digest) }
end

--- What a caller names as an entry.
---@param self oras.Registry
---@param container oras.Container of the index
---@param given string|table tag, digest, reference; `{reference, platform, annotations}`; a descriptor
---@return { descriptor: table, place: oras.Container, is_foreign: boolean }
---@raise oras.Error usage, not_found, ...
function entries.read(self, container, given)
  local is_container = require("oras.container").is_container(given)
  if manifest.is_manifest(given) then
    given = given:descriptor()
  end
  if type(given) == "table" and not is_container and given.digest then
    return of_descriptor(container, given)
  elseif type(given) ~= "string" and type(given) ~= "table" then
    errors.usage("index: an entry is a tag, a digest, a reference or a descriptor, not a %s", type(given))
  end
  local more = {}
  if type(given) == "table" and not is_container then
    more = options.check(given, ENTRY, "index: entry")
    given = more.reference or errors.usage "index: which manifest is an entry without reference and digest?"
  end
  local place = place_of(self, container, given)
  local d = described(self, place, more)
  return { descriptor = d, place = place:with_digest(d.digest), is_foreign = not is_same_place(place, container) }
end

--- The entries of several, side by side, each digest once.
---@param self oras.Registry
---@param container oras.Container
---@param list any[]
---@return table[] as of `read`
function entries.read_all(self, container, list)
  local found, seen, once = require("oras.task").map(list, function(given)
    return entries.read(self, container, given)
  end), {}, {}
  for _, one in ipairs(found) do
    if not seen[one.descriptor.digest] then
      seen[one.descriptor.digest] = true
      once[#once + 1] = one
    end
  end
  return once
end

--- The entries of the indexes that are to be merged, as the texts they have.
---@param self oras.Registry
---@param container oras.Container
---@param list any[] tags, digests, references
---@return table[] { descriptor, text, place, is_foreign }
---@raise oras.Error content for what is no index
function entries.merged(self, container, list)
  local all = {}
  for _, given in ipairs(list) do
    local place = place_of(self, container, given)
    local doc = self:get_image_index(place)
    local texts = require("oras.json_edit").elements(doc:raw(), { "manifests" })
    for i, d in ipairs(doc.manifests) do
      all[#all + 1] = { descriptor = d, text = texts[i], place = place:with_digest(d.digest),
        is_foreign = not is_same_place(place, container) }
    end
  end
  return all
end

--- The digest of what a caller names, to take it out.
---@param self oras.Registry
---@param container oras.Container
---@param given string|table
---@return string
function entries.digest(self, container, given)
  if type(given) == "table" and given.digest then
    return (descriptor.of_caller(given, "index: remove"))
  elseif type(given) ~= "string" then
    errors.usage("index: what is removed is named by a digest or a tag, not by a %s", type(given))
  end
  return core.digest.parse(given) and given or self:resolve(place_of(self, container, given)).digest
end

return entries
