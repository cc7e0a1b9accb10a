--- Registry methods on manifests: get, resolve, choose a platform, sort layers.
local core = require "oras.core"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"
local manifest = require "oras.manifest"
local media_types = require "oras.media_types"
local options = require "oras.options"
local adopt = require("oras.response").adopt

local Registry = require "oras.registry"

local GET <const> = { accept = "string|table", max_bytes = "integer", platform = "string|table" }
local RESOLVE <const> = { platform = "string|table" }

-- The digest of bytes, which is what was asked for and what the server claims, or integrity.
local function settle_digest(raw, asked, claimed)
  local digest = core.digest.of(raw, asked and asked:match("^[^:]+"))
  if asked and digest ~= asked then
    errors.raise {
      class = "integrity", digest = asked, retryable = false,
      message = ("the manifest's bytes are %s, not %s"):format(digest, asked),
    }
  end
  local parsed = claimed and claimed ~= digest and core.digest.parse(claimed)
  if not parsed then
    return digest
  end
  local real = core.digest.of(raw, parsed.algorithm)
  if real ~= claimed then
    errors.raise {
      class = "integrity", digest = claimed, retryable = false,
      message = ("the manifest's bytes are %s, the server says %s"):format(real, claimed),
    }
  end
  return asked or claimed
end

local function accept_of(accept)
  if type(accept) == "table" then
    return table.concat(options.texts(accept, "get_manifest: accept"), ", ")
  end
  return accept or media_types.accept
end

local function read_manifest(container, received, max_depth)
  received.digest = settle_digest(received.raw, container.digest, received.digest)
  return manifest.new(received, { container = container, max_depth = max_depth })
end

--- Fetch one manifest or index and verify it; the step that all others share.
---@param container oras.Container
---@param opts? { accept?: string|string[], max_bytes?: integer, expected?: table }
---@return oras.Manifest
---@raise oras.Error not_found, integrity, content, limit, auth, ...
function Registry:fetch_manifest(container, opts)
  opts = opts or {}
  local expected = opts.expected
  local limits = self._limits
  local backend, accept = self:_backend(container), accept_of(opts.accept)
  local raw, media_type, claimed, url = backend.fetch_manifest(self, container, {
    accept = accept,
    max_bytes = opts.max_bytes or limits.manifest,
    size = expected and expected.size,
  })
  local doc, err = errors.try(read_manifest, container, {
    raw = raw, digest = claimed, media_type = expected and expected.mediaType or media_type,
  }, limits.json_depth)
  if not doc then
    errors.raise(errors.name(err, "manifest of " .. container.uri, {
      method = url and "GET", url = url, digest = core.digest.of(raw),
    }))
  end
  if opts.accept and backend.check_accept then
    backend.check_accept(container, doc:media_type(), accept)
  end
  return doc
end

-- What a step gives that may be overridden.
local function expect_manifest(doc, step)
  if not manifest.is_manifest(doc) then
    errors.usage("%s gives a manifest, not %s", step, type(doc) == "table" and "another table" or "a " .. type(doc))
  end
  return doc
end

local function expect_index(doc, container)
  if not manifest.is_index(doc) then
    errors.raise {
      class = "content",
      message = ('"%s" is a manifest (%s), not an index'):format(container.uri, doc.mediaType or "no type"),
    }
  end
end

--- Fetch an index: a list of manifests, one a platform or more.
---@param ref string|oras.Container
---@param opts? { accept?: string|string[], max_bytes?: integer, or_manifest?: boolean }
--- `or_manifest`: what is no index is given back too
---@return oras.Manifest
---@raise oras.Error not_found, integrity, content, ...
function Registry:get_image_index(ref, opts)
  local container = self:get_container(ref)
  local doc = expect_manifest(self:fetch_manifest(container, opts), "fetch_manifest")
  if not (opts and opts.or_manifest) then
    expect_index(doc, container)
  end
  return doc
end

-- An image says its platform in its config; an artifact says nothing.
local function check_platform(self, container, doc, wanted)
  local platform = require "oras.platform"
  local config = self:get_config(container:with_digest(doc:descriptor().digest))
  local has = type(config) == "table" and type(config.os) == "string" and type(config.architecture) == "string"
  if has and platform.match(wanted, platform.normalise(config)) then
    return doc
  end
  errors.raise {
    class = "not_found",
    message = ('no platform %s in %s: it is one manifest for %s'):format(
      platform.format(wanted), container.uri, has and platform.format(config) or "no platform"),
  }
end

-- Walk from an index to the manifest of a platform, through nested indexes.
local function get_for_platform(self, container, opts)
  local platform = require "oras.platform"
  local wanted = platform.parse(opts.platform)
  local doc = self:get_image_index(container, {
    accept = opts.accept, max_bytes = opts.max_bytes, or_manifest = true,
  })
  expect_manifest(doc, "get_image_index")
  if not manifest.is_index(doc) then
    return check_platform(self, container, doc, wanted)
  end
  for _ = 1, self._limits.index_depth do
    local chosen = self:select_platform(doc, wanted)
    if type(chosen) ~= "table" or type(chosen.digest) ~= "string" or not core.digest.parse(chosen.digest) then
      errors.usage("select_platform gives a descriptor, which has a digest, not %s",
        type(chosen) == "table" and "another table" or "a " .. type(chosen))
    end
    doc = self:fetch_manifest(container:with_digest(chosen.digest), {
      accept = opts.accept, max_bytes = opts.max_bytes, expected = chosen,
    })
    expect_manifest(doc, "fetch_manifest")
    if not manifest.is_index(doc) then
      return doc
    end
  end
  errors.raise {
    class = "limit",
    message = ("%s: indexes are nested more than %d deep"):format(container.uri, self._limits.index_depth),
  }
end

--- Get a manifest (or, without `platform`, also an index): a table of its JSON, whose
--- `descriptor()`, `raw()` and `media_type()` tell of its bytes. They are always verified.
---@param ref string|oras.Container
---@param opts? { accept?: string|string[], platform?: string|table, max_bytes?: integer }
---@return oras.Manifest
---@raise oras.Error not_found, integrity, content, limit, auth, ...
function Registry:get_manifest(ref, opts)
  local container = self:get_container(ref)
  opts = options.check(opts, GET, "get_manifest")
  if opts.platform then
    return get_for_platform(self, container, opts)
  end
  return expect_manifest(self:fetch_manifest(container, opts), "fetch_manifest")
end

local function is_attestation(entry)
  return entry.os == "unknown" and entry.architecture == "unknown"
end

local function platform_in_config(self, container, entry)
  if not container or not media_types.is_manifest(entry.mediaType) then
    return nil
  end
  local config = self:get_config(container:with_digest(entry.digest))
  return type(config) == "table" and config or nil
end

-- The best entry, the first among equals; entries that say no platform are asked for their
-- config, but only when no other fits.
local function best_entry(self, index, wanted, choices)
  local platform = require "oras.platform"
  local best, best_rank
  local function consider(entry, offered)
    local usable = type(offered) == "table" and type(offered.os) == "string"
      and type(offered.architecture) == "string" and not is_attestation(offered)
    if not usable then
      return
    end
    local says_variant = (offered.variant or "") ~= ""
    offered = platform.normalise(offered)
    choices[#choices + 1] = platform.format(offered, says_variant)
    local rank = platform.match(wanted, offered)
    if rank and (not best or rank < best_rank) then
      best, best_rank = entry, rank
    end
  end
  for _, entry in ipairs(index.manifests) do
    consider(entry, entry.platform)
  end
  local container = manifest.container_of(index)
  for _, entry in ipairs(index.manifests) do
    if not best and type(entry.platform) ~= "table" then
      consider(entry, platform_in_config(self, container, entry))
    end
  end
  return best
end

local function select_one(self, index, wanted)
  local platform = require "oras.platform"
  local choices = {}
  wanted = platform.parse(wanted)
  local best = best_entry(self, index, wanted, choices)
  if best then
    return best
  end
  errors.raise {
    class = "not_found",
    message = ("no platform %s in the index; it has %s"):format(
      platform.format(wanted), #choices > 0 and table.concat(choices, ", ") or "none"),
  }
end

local function is_index(value)
  local list = type(value) == "table" and value.manifests
  if type(list) ~= "table" then
    return false
  end
  for _, entry in ipairs(list) do
    if type(entry) ~= "table" then
      return false
    end
  end
  return true
end

--- Choose the entry of an index for a platform; for a list of platforms, a list of entries.
---@param index oras.Manifest
---@param wanted string|table "os/arch[/variant]", such a table, or a list of them
---@return table descriptor or array of descriptors
---@raise oras.Error not_found lists the platforms that are there
function Registry:select_platform(index, wanted)
  if not is_index(index) then
    errors.usage "select_platform: the first argument is an index, whose manifests are descriptors"
  end
  if type(wanted) ~= "table" or wanted[1] == nil then
    return select_one(self, index, wanted)
  end
  local chosen = {}
  for i, one in ipairs(wanted) do
    chosen[i] = select_one(self, index, one)
  end
  return chosen
end

-- A HEAD that says all, and nothing strange.
local function head_descriptor(self, container)
  local media_type, digest, size = self:_backend(container).head_manifest(self, container)
  if not media_type or not size or size < 1 or not digest then
    return nil
  end
  if not core.digest.parse(digest) or (container.digest and digest ~= container.digest) then
    return nil
  end
  return { mediaType = media_type, digest = digest, size = size }
end

--- The descriptor of what a reference names.
---@param ref string|oras.Container
---@param opts? { platform?: string|table }
---@return table descriptor mediaType, digest, size
---@raise oras.Error not_found, auth, ...
function Registry:resolve(ref, opts)
  local container = self:get_container(ref)
  opts = options.check(opts, RESOLVE, "resolve")
  if opts.platform then
    return get_for_platform(self, container, opts):descriptor()
  end
  local found = head_descriptor(self, container)
  return found or expect_manifest(self:fetch_manifest(container), "fetch_manifest"):descriptor()
end

local NOT_JSON <const> = { [media_types.empty] = false }

local function is_json(media_type)
  return NOT_JSON[media_type] == nil and media_type:find("json") ~= nil
end

--- Get the config of a manifest: the decoded JSON (or the bytes, when its type is no JSON),
--- and its descriptor. A config of zero bytes, which some clients store as JSON, is an empty
--- table.
---@param ref string|oras.Container
---@return table|string config
---@return table descriptor
---@raise oras.Error not_found, content, integrity, ...
function Registry:get_config(ref)
  local container = self:get_container(ref)
  local doc = self:get_manifest(container)
  if type(doc) ~= "table" then
    errors.usage("get_manifest gives a manifest, not a %s", type(doc))
  end
  local config = doc.config
  if type(config) ~= "table" then
    errors.raise {
      class = "content",
      message = ('"%s" has no config; an index needs a platform first'):format(container.uri),
    }
  end
  local response = adopt(self:get_blob(container, config, { max_bytes = self._limits.manifest }), "get_blob")
  if config.mediaType == media_types.empty or is_json(config.mediaType) then
    if response.content == "" then
      return {}, config
    end
    return response:json { max_depth = self._limits.json_depth }, config
  end
  return response.content, config
end

local Layers = {}
local groups = setmetatable({}, { __mode = "k" })

--- All layers of a name, in the manifest's order.
---@param name string
---@return table[]
function Layers:all(name)
  return groups[self][name] or {}
end

Layers.__name = "oras.Layers"
Layers.__index = Layers

--- Sort the layers of a manifest by name: `layers.NAME` is the first, `layers:all(NAME)` all.
---@param doc oras.Manifest
---@param map? table<string, string> media type -> name; `self.media_types` by default, and
--- without it the name is the media type
---@return table<string, table>
---@raise oras.Error content, usage
function Registry:organize_layers(doc, map)
  if type(doc) ~= "table" then
    errors.usage("organize_layers: the first argument is a manifest, not a %s", type(doc))
  end
  if type(doc.layers) ~= "table" then
    errors.raise { class = "content", message = "an index has no layers; get the manifest of a platform" }
  end
  map = map or self.media_types
  if map ~= nil and type(map) ~= "table" then
    errors.usage("organize_layers: the map from media types to names is a table, not a %s", type(map))
  end
  for media_type, name in pairs(map or {}) do
    if type(media_type) ~= "string" or type(name) ~= "string" then
      errors.usage "organize_layers: the map has names by media types, both strings"
    end
  end
  local layers, by_name = setmetatable({}, Layers), {}
  for i, layer in ipairs(doc.layers) do
    descriptor.check(layer, ("/layers/%d"):format(i - 1))
    local name = map and map[layer.mediaType]
    if not map then
      name = layer.mediaType
    end
    if name ~= nil then
      by_name[name] = by_name[name] or {}
      table.insert(by_name[name], layer)
    end
  end
  for name, list in pairs(by_name) do
    if name == "all" then
      errors.usage 'organize_layers: no layer can have the name "all"'
    end
    layers[name] = list[1]
  end
  groups[layers] = by_name
  return layers
end

--- The name that the guide of oras-py uses for organize_layers.
---@param doc oras.Manifest
---@param map? table<string, string>
---@return table<string, table>
function Registry:_organize_layers(doc, map)
  return self:organize_layers(doc, map)
end
