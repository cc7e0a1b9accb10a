--- Building blocks of OCI documents.
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

--- The descriptor of the two bytes `{}` (image-spec manifest.md, "Guidance for an Empty
--- Descriptor"); a new table each time.
---@return table
function oci.empty_descriptor()
  return {
    mediaType = media_types.empty,
    digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    size = 2,
    data = "e30=",
  }
end

return oci
