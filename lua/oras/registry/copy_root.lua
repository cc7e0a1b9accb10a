--- What a copy begins with: a manifest as it is, that of one platform, or an index of less.
local core = require "oras.core"
local errors = require "oras.error"
local glob = require "oras.glob"
local json_edit = require "oras.json_edit"
local manifest = require "oras.manifest"
local platform = require "oras.platform"

local root = {}

-- Builders list what they say about an image beside it (buildkit, "attestation storage").
local ABOUT <const> = "vnd.docker.reference.digest"

--- The index with those entries only, in their order and every byte of them as it is; the index itself
--- when all of them are taken.
---@param doc oras.Manifest
---@param is_taken fun(entry: table): boolean
---@return oras.Manifest
function root.trimmed(doc, is_taken)
  local kept, texts = {}, json_edit.elements(doc:raw(), { "manifests" })
  for i, entry in ipairs(doc.manifests) do
    if is_taken(entry) then
      kept[#kept + 1] = texts[i]
    end
  end
  if #kept == #texts then
    return doc
  end
  local raw = json_edit.put(doc:raw(), { "manifests" }, ("[%s]"):format(table.concat(kept, ",")))
  return manifest.new {
    raw = raw, digest = core.digest.of(raw, doc:descriptor().digest:match "^[^:]+"), media_type = doc:media_type(),
  }
end

--- Refuse what names no platforms.
---@param platforms? string|table
---@param verb string "copy"
---@raise oras.Error usage
function root.check_platforms(platforms, verb)
  if platforms == nil then
    return
  end
  local list = type(platforms) == "table" and platforms.os == nil and platforms or { platforms }
  for _, one in ipairs(require("oras.options").list(list, verb .. ": platforms")) do
    if type(one) ~= "string" or not glob.is_glob(one) then
      platform.parse(one)
    end
  end
  if #list == 0 then
    errors.usage("%s: platforms is a platform or a list of them, which is not empty", verb)
  end
end

local function is_one(platforms)
  if type(platforms) == "table" and platforms.os == nil and #platforms == 1 then
    platforms = platforms[1]
  end
  return (type(platforms) ~= "string" and platforms.os ~= nil)
    or (type(platforms) == "string" and not glob.is_glob(platforms)), platforms
end

-- "linux/*" also stands for "linux/arm/v7": a variant need not be asked for.
local function fits(entry, wanted)
  local offered = entry.platform
  if type(offered) ~= "table" or type(offered.os) ~= "string" or type(offered.architecture) ~= "string"
    or offered.architecture == "unknown" then
    return false
  end
  offered = platform.normalise(offered)
  return glob.match(("%s/%s"):format(offered.os, offered.architecture), wanted)
    or glob.match(platform.format(offered, true), wanted)
end

-- Entries by a pattern; there must be one.
local function take_all(index, wanted, taken)
  local n = 0
  for _, entry in ipairs(index.manifests) do
    if fits(entry, wanted) then
      taken[entry.digest], n = true, n + 1
    end
  end
  if n == 0 then
    errors.raise { class = "not_found", message = ("no platform in the index is like %s"):format(wanted) }
  end
end

local function taken_of(source, index, platforms)
  local taken = {}
  for _, wanted in ipairs(type(platforms) == "table" and platforms or { platforms }) do
    if type(wanted) == "string" and glob.is_glob(wanted) then
      take_all(index, wanted, taken)
    else
      taken[source:select_platform(index, wanted).digest] = true
    end
  end
  return taken
end

local function for_platforms(source, from, platforms)
  local single, one = is_one(platforms)
  if single then
    return source:get_manifest(from, { platform = one })
  end
  local index = source:get_image_index(from)
  local taken = taken_of(source, index, platforms)
  return root.trimmed(index, function(entry)
    return taken[entry.digest] or (entry.annotations ~= nil and taken[entry.annotations[ABOUT]] == true)
  end)
end

--- Fetch it.
---@param source oras.Registry
---@param from oras.Container
---@param platforms? string|table
---@param filter? fun(descriptor: table, kind: string): boolean
---@return oras.Manifest
---@raise oras.Error
function root.get(source, from, platforms, filter)
  local doc = platforms and for_platforms(source, from, platforms) or source:get_manifest(from)
  if not manifest.is_manifest(doc) then
    errors.usage("get_manifest gives a manifest, not a %s", type(doc))
  elseif not filter or not manifest.is_index(doc) then
    return doc
  end
  return root.trimmed(doc, function(entry)
    return filter(entry, "entry")
  end)
end

return root
