--- Names for blobs that have none: what other tools store is without titles.
---
--- A helm chart is called as `helm pull` calls it, the only blob of a manifest by the manifest's
--- annotations, everything else by its digest; what the media type says is the ending.
local core = require "oras.core"
local defaults = require "oras.defaults"
local errors = require "oras.error"
local media_types = require "oras.media_types"

local untitled = {}

local HELM_CONFIG <const> = "application/vnd.cncf.helm.config.v1+json"

local HELM_ENDINGS <const> = {
  ["application/vnd.cncf.helm.chart.content.v1.tar+gzip"] = ".tgz",
  ["application/tar+gzip"] = ".tgz", -- before helm 3.7
  ["application/vnd.cncf.helm.chart.provenance.v1.prov"] = ".tgz.prov",
}

local VERSION <const> = "org.opencontainers.image.version"

-- Endings of media types, the first that fits.
local ENDINGS <const> = {
  { "[.+/]tar[.+]gzip$", ".tar.gz" },
  { "[.+/]tar[.+]zstd$", ".tar.zst" },
  { "[.+/]tar[.+]bzip2$", ".tar.bz2" },
  { "[.+/]tar$", ".tar" },
  { "[+/]json$", ".json" },
  { "[+/]x?%-?yaml$", ".yaml" },
  { "[+/]toml$", ".toml" },
  { "[+/]xml$", ".xml" },
  { "[+/]zip$", ".zip" },
  { "[+/.]gzip$", ".gz" },
  { "[+/]zstd$", ".zst" },
  { "[+/.]wasm$", ".wasm" },
  { "^text/markdown$", ".md" },
  { "^text/html$", ".html" },
  { "^text/", ".txt" },
  { "^application/pdf$", ".pdf" },
}

local function ending_of(media_type)
  for _, one in ipairs(ENDINGS) do
    if media_type:find(one[1]) then
      return one[2]
    end
  end
  return ".bin"
end

-- One word of a document of somebody else's, as a part of a file's name; nil if it is none.
local function word(value)
  return type(value) == "string" and value:find "^%w[%w._+-]*$" and #value <= 100 and value or nil
end

local function joined(name, version)
  name, version = word(name), word(version)
  return name and (version and name .. "-" .. version or name)
end

-- A config that cannot be read names nothing.
local function helm_stem(registry, container, doc)
  local place = container:with_digest(doc:descriptor().digest)
  local config = errors.try(registry.get_config, registry, place)
  return type(config) == "table" and joined(config.name, config.version) or nil
end

local function annotated_stem(doc)
  local annotations = type(doc.annotations) == "table" and doc.annotations or {}
  return joined(annotations[defaults.annotation_title], annotations[VERSION])
end

local function title_of(layer)
  return type(layer.annotations) == "table" and layer.annotations[defaults.annotation_title] or nil
end

-- The only one that has no title and is something.
local function lonely(doc)
  local found
  for _, layer in ipairs(doc.layers) do
    if layer.mediaType ~= media_types.empty then
      if found or title_of(layer) then
        return nil
      end
      found = layer
    end
  end
  return found
end

--- A function that names a manifest's layers without titles.
---@param registry oras.Registry
---@param container oras.Container
---@param doc oras.Manifest
---@return fun(layer: table): string
function untitled.namer(registry, container, doc)
  local is_helm = type(doc.config) == "table" and doc.config.mediaType == HELM_CONFIG
  local only, chart = lonely(doc), nil
  return function(layer)
    local helm = is_helm and HELM_ENDINGS[layer.mediaType]
    if helm then
      chart = chart or helm_stem(registry, container, doc) or annotated_stem(doc)
      if chart then
        return chart .. helm
      end
    end
    local stem = layer == only and annotated_stem(doc)
    if stem then
      local ending = ending_of(layer.mediaType)
      return stem:sub(-#ending) == ending and stem or stem .. ending
    end
    local digest = errors.check(core.digest.parse(layer.digest))
    return ("%s-%s%s"):format(digest.algorithm, digest.encoded, ending_of(layer.mediaType))
  end
end

return untitled
