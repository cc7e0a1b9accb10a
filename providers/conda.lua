--- Conda packages in a registry, as conda-oci-mirror stores them: three layers a manifest,
--- told apart by media type: the package, its info directory, its index.
local oras = require "oras"

---@class oras.conda.Mirror : oras.Registry
local CondaMirror = oras.provider.Registry:extend "CondaMirror"

CondaMirror.media_types = {
  ["application/vnd.conda.info.v1.tar+gzip"] = "info_archive",
  ["application/vnd.conda.info.index.v1+json"] = "info_index",
  ["application/vnd.conda.package.v1"] = "package_tarbz2",
  ["application/vnd.conda.package.v2"] = "package_conda",
}

local TITLE = "org.opencontainers.image.title"

local function describe(layer)
  return {
    title = (layer.annotations or {})[TITLE],
    media_type = layer.mediaType,
    digest = layer.digest,
    size = layer.size,
  }
end

---@class oras.conda.Member
---@field path string
---@field type string "file", "directory", ...
---@field size integer

--- List the members of an archive layer while it arrives; nothing is written to disk.
---@param container oras.Container|string
---@param layer table descriptor of a tar layer
---@return oras.conda.Member[]
---@raise oras.Error integrity, content, limit
function CondaMirror:list_members(container, layer)
  local members = oras.json.array {}
  local response = self:get_blob(container, layer, { stream = true })

  for entry in response:entries() do
    members[#members + 1] = { path = entry.path, type = entry.type, size = entry.size }
  end
  return members
end

---@class oras.conda.Inspection
---@field reference string
---@field digest string of the manifest
---@field index? table the package's index.json
---@field info? oras.conda.Member[] members of the info directory
---@field package? { title: string, media_type: string, digest: string, size: integer }

--- Show what a conda package in a registry says about itself.
---
--- Reads the manifest, the index and the list of the info archive's members; the package
--- itself is not downloaded. What the manifest lacks is left out of the result.
---
---     oras-lua conda inspect ghcr.io/channel/linux-64/name:version-build
---     oras-lua conda inspect oci:examples/layout:1.0.0-0
---@param name string reference of the package
---@return oras.conda.Inspection
---@raise oras.Error not_found, auth, integrity, content
function CondaMirror:inspect(name)
  local container = self:get_container(name)
  local manifest = self:get_manifest(container)
  local layers = self:organize_layers(manifest)
  local package = layers.package_conda or layers.package_tarbz2

  return {
    reference = container.uri,
    digest = manifest:descriptor().digest,
    index = layers.info_index and self:get_blob(container, layers.info_index):json(),
    info = layers.info_archive and self:list_members(container, layers.info_archive),
    package = package and describe(package),
  }
end

-- The text of info/index.json; a .conda has it in a tar inside of it.
local function read_index(source)
  for entry in oras.archive.entries(source) do
    if entry.path == "info/index.json" then
      return entry:read()
    elseif entry.path:find "^info%-.*%.tar%.zst$" then
      return read_index { data = entry:read() }
    end
  end
end

--- Store a conda package, with its index beside it: what it is can then be seen without
--- fetching the package.
---
---     oras-lua conda push localhost:5000/channel/linux-64/name:1.0-0 name-1.0-0.conda
---@param name string reference
---@param path string of a .conda or .tar.bz2
---@return table descriptor of the manifest
---@raise oras.Error io, content, auth, denied, ...
function CondaMirror:push(name, path)
  local container = self:get_container(name)
  local file = path:match "[^/]*$"
  local version = file:find "%.conda$" and "v2" or "v1"
  local index = read_index(path) or error(("%s has no info/index.json"):format(path), 0)
  local manifest = oras.oci.NewManifest()

  local function add(source, media_type, title)
    local layer, bytes = oras.oci.NewLayer(source, media_type, { title = title })
    self:upload_blob(container, bytes, layer)
    table.insert(manifest.layers, layer)
  end
  add(path, "application/vnd.conda.package." .. version, file)
  add({ data = index }, "application/vnd.conda.info.index.v1+json",
    file:gsub("%.conda$", ""):gsub("%.tar%.bz2$", "") .. "/info/index.json")

  local config, bytes = oras.oci.ManifestConfig()
  self:upload_blob(container, bytes, config)
  manifest.config = config
  return self:upload_manifest(container, manifest)
end

return CondaMirror
