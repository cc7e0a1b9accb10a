--- What hangs below a manifest: blobs and other manifests, each checked, each named once.
local descriptor = require "oras.descriptor"
local manifest = require "oras.manifest"
local media_types = require "oras.media_types"

local graph = {}

-- Was in a draft of the image-spec; registries still hold some.
local ARTIFACT <const> = "application/vnd.oci.artifact.manifest.v1+json"

--- Is it the type of something that lives below /manifests/? An entry of an index whose type is
--- unknown is a blob: build caches list their layers so.
---@param media_type? string
---@return boolean
function graph.is_manifest(media_type)
  return media_types.is_manifest(media_type) or media_types.is_index(media_type) or media_type == ARTIFACT
end

--- Layers that must not be handed on, and say where else they are (image-spec, "Non-Distributable
--- Layers"): their addresses are never asked.
---@param d table descriptor
---@return boolean
function graph.is_foreign(d)
  local elsewhere = type(d.urls) == "table" and #d.urls > 0
  return elsewhere and d.mediaType:find "%.nondistributable%." ~= nil
    or elsewhere and d.mediaType:find "%.foreign%." ~= nil
end

--- An order to show things in: blobs, then manifests.
---@param a table descriptor
---@param b table descriptor
---@return boolean
function graph.is_before(a, b)
  local first, second = graph.is_manifest(a.mediaType), graph.is_manifest(b.mediaType)
  if first ~= second then
    return second
  end
  return a.digest < b.digest
end

local function add(list, seen, d)
  if not seen[d.digest] then
    seen[d.digest] = true
    list[#list + 1] = d
  end
end

-- An opaque document of the old type has been checked by nobody.
local function artifact_blobs(doc)
  local blobs = type(doc.blobs) == "table" and doc.blobs or {}
  for i, d in ipairs(blobs) do
    descriptor.check(d, ("/blobs/%d"):format(i - 1))
  end
  return blobs
end

--- The manifests and the blobs that a manifest is made of.
---@param doc oras.Manifest
---@return table[] manifests descriptors
---@return table[] blobs descriptors
---@raise oras.Error content
function graph.children(doc)
  local manifests, blobs, seen = {}, {}, {}
  if manifest.is_index(doc) then
    for _, d in ipairs(doc.manifests) do
      add(graph.is_manifest(d.mediaType) and manifests or blobs, seen, d)
    end
  elseif media_types.is_manifest(doc:media_type()) then
    add(blobs, seen, doc.config)
    for _, d in ipairs(doc.layers) do
      add(blobs, seen, d)
    end
  else
    for _, d in ipairs(artifact_blobs(doc)) do
      add(blobs, seen, d)
    end
  end
  return manifests, blobs
end

return graph
