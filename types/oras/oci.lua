---@meta oras.oci
--- Documents to be filled in.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.Annotations
local Annotations = {}

---@class oras.oci
---@field annotations table<string, string> the keys that the specifications define
local oci = {}

--- A descriptor with its fields in the usual order.
---@param fields table mediaType, digest, size, ...
---@return table
function oci.descriptor(fields) end

--- A copy of a manifest or an index with all fields in the usual order; lists stay lists when
--- they are empty.
---@param doc table
---@return table
function oci.ordered(doc) end

--- The descriptor of the two bytes `{}` (image-spec manifest.md, "Guidance for an Empty
--- Descriptor"); a new table each time.
---@param algorithm? string of its digest, "sha256" by default
---@return table
function oci.empty_descriptor(algorithm) end

--- A manifest to be filled in: `config`, `layers`, `annotations`, `artifactType`, `subject`.
---@return table
function oci.NewManifest() end

--- An index to be filled in.
---@return table
function oci.NewIndex() end

--- Describe a layer. What it gives second is what upload_blob takes.
---@param source string|table a path (a directory is packed), or `{data = bytes}`
---@param media_type? string
---@param opts? oras.LayerOptions and for directories `compression`, `mtime`, `prefix`
---@return oras.Descriptor descriptor
---@return table source
--- Raises oras.Error io, path, usage
function oci.NewLayer(source, media_type, opts) end

--- Describe a config; without a source it is the empty one. What it gives second is what
--- upload_blob takes.
---@param source? string|table a path, or `{data = bytes}`
---@param media_type? string
---@return oras.Descriptor descriptor
---@return table source
--- Raises oras.Error io, usage
function oci.ManifestConfig(source, media_type) end

--- The descriptor of a manifest that was received or stored, for the `subject` of another.
---@param manifest oras.Manifest|table
---@return oras.Descriptor descriptor
--- Raises oras.Error usage
function oci.Subject(manifest) end

--- Annotations by section, "$manifest", "$config" or the name of a file; from a file in
--- oras's format, or none at first.
---@param path? string
---@return oras.Annotations
--- Raises oras.Error io, content
function oci.Annotations(path) end

--- Add one.
---@param section string
---@param key string
---@param value string
function Annotations:add(section, key, value) end

--- Those of a section, in a new table; empty where there are none.
---@param section string
---@return table<string, string>
function Annotations:get_annotations(section) end

return oci
