---@meta oras.manifest
--- What `get_manifest` gives: the document's fields, and methods on its bytes.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.Manifest : table
---@field mediaType? string
---@field config? table
---@field layers? table[]
---@field manifests? table[]
---@field annotations? table<string, string>
local Manifest = {}

--- The descriptor of the bytes received: mediaType, digest, size, artifactType.
---@return table a new one each time
function Manifest:descriptor() end

--- The bytes received; what digest, copy and tag use.
---@return string
function Manifest:raw() end

--- Its media type, as the registry and the document agree on it.
---@return string
function Manifest:media_type() end
