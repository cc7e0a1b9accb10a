--- Media types of manifests, and what they say about content (image-spec media-types.md).
local media_types = {
  manifest = "application/vnd.oci.image.manifest.v1+json",
  index = "application/vnd.oci.image.index.v1+json",
  config = "application/vnd.oci.image.config.v1+json",
  empty = "application/vnd.oci.empty.v1+json",
  layer = "application/vnd.oci.image.layer.v1.tar",
  layer_gzip = "application/vnd.oci.image.layer.v1.tar+gzip",
  layer_zstd = "application/vnd.oci.image.layer.v1.tar+zstd",
  docker_manifest = "application/vnd.docker.distribution.manifest.v2+json",
  docker_index = "application/vnd.docker.distribution.manifest.list.v2+json",
  docker_config = "application/vnd.docker.container.image.v1+json",
  docker_layer = "application/vnd.docker.image.rootfs.diff.tar.gzip",
}

--- Everything that get_manifest understands, as one Accept field.
media_types.accept = table.concat({
  media_types.index, media_types.manifest, media_types.docker_index, media_types.docker_manifest,
}, ", ")

local MANIFESTS <const> = { [media_types.manifest] = true, [media_types.docker_manifest] = true }
local INDEXES <const> = { [media_types.index] = true, [media_types.docker_index] = true }

--- An image manifest's type, OCI's or docker's?
---@return boolean
function media_types.is_manifest(media_type)
  return MANIFESTS[media_type] == true
end

--- An index's type, OCI's or docker's?
---@return boolean
function media_types.is_index(media_type)
  return INDEXES[media_type] == true
end

--- Docker's old manifests, whose bytes are not what their digest says.
---@return boolean
function media_types.is_schema1(media_type)
  return media_type:find("^application/vnd%.docker%.distribution%.manifest%.v1%+") ~= nil
end

--- The type in a Content-Type field: without parameters, in lower case; nil when it says
--- nothing about the content.
---@param field? string
---@return string?
function media_types.of_field(field)
  local name = field and field:match("^%s*([^;%s]+)")
  name = name and name:lower()
  if not name or name == "application/json" or name == "application/octet-stream" then
    return nil
  end
  return name
end

local PACKINGS <const> = {
  ["+gzip"] = "tar+gzip", [".gzip"] = "tar+gzip", ["+zstd"] = "tar+zstd",
  ["+bzip2"] = "tar+bzip2", ["+zip"] = "zip",
}

--- How an archive of this type is packed, as core.archive calls it; "any": its bytes say it.
---@param media_type? string
---@return string
function media_types.packing(media_type)
  if not media_type then
    return "any"
  end
  if media_type == media_types.layer then
    return "tar"
  end
  return PACKINGS[media_type:match("[+.]%w+$")] or "any"
end

--- Is it the type of a tar that is packed? A plain ".tar" is not meant: files of any kind are
--- stored under it when nobody says a type.
---@param media_type string
---@return boolean
function media_types.is_packed_tar(media_type)
  return media_type:find "[.+]tar[.+][%w]+$" ~= nil
end

return media_types
