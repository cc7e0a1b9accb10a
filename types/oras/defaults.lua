---@meta oras.defaults
--- Names that the specifications and the oras tools fix.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.defaults
---@field default_tag string
---@field default_manifest_media_type string
---@field default_index_media_type string
---@field docker_manifest_media_type string
---@field docker_manifest_list_media_type string
---@field default_manifest_accepted_media_types string[]
---@field default_blob_media_type string
---@field default_blob_dir_media_type string
---@field unknown_config_media_type string
---@field unknown_artifact_type string
---@field empty_media_type string
---@field annotation_title string
---@field annotation_unpack string
---@field annotation_digest string
---@field annotation_mode string
---@field annotation_created string
---@field oci_ref_name_annotation string
---@field oci_image_index_file string
---@field oci_layout_file string
---@field oci_blobs_dir string
---@field blank_hash string
---@field blank_config_hash string
local defaults = {}

return defaults
