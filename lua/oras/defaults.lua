--- Names that the specifications and the oras tools fix.
local media_types = require "oras.media_types"

return {
  default_tag = "latest",
  default_manifest_media_type = media_types.manifest,
  default_index_media_type = media_types.index,
  docker_manifest_media_type = media_types.docker_manifest,
  docker_manifest_list_media_type = media_types.docker_index,
  default_manifest_accepted_media_types = {
    media_types.index, media_types.manifest, media_types.docker_index, media_types.docker_manifest,
  },
  default_blob_media_type = media_types.layer,
  default_blob_dir_media_type = media_types.layer_gzip,
  unknown_config_media_type = "application/vnd.unknown.config.v1+json",
  unknown_artifact_type = "application/vnd.unknown.artifact.v1",
  empty_media_type = media_types.empty,
  annotation_title = "org.opencontainers.image.title",
  annotation_unpack = "io.deis.oras.content.unpack",
  annotation_digest = "io.deis.oras.content.digest",
  annotation_mode = "io.oras-lua.content.mode", -- permissions of a single file, as "0755"
  annotation_created = "org.opencontainers.image.created",
  oci_ref_name_annotation = "org.opencontainers.image.ref.name",
  oci_image_index_file = "index.json",
  oci_layout_file = "oci-layout",
  oci_blobs_dir = "blobs",
  blank_hash = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  blank_config_hash = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
}
