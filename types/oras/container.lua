---@meta oras.container
--- A parsed reference: what `get_container` gives.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.Container
---@field kind string "registry" or "layout"
---@field registry? string "ghcr.io", as written
---@field host? string where the registry's API lives
---@field namespace? string
---@field repository? string
---@field api_prefix? string namespace and repository
---@field path? string directory of a layout
---@field tag? string
---@field digest? string
---@field uri string
local Container = {}

--- The same place with another tag and no digest. In a layout it may be a whole reference, as
--- backups of several repositories have them ("localhost:5000/a:v1").
---@param tag string
---@return oras.Container
--- Raises oras.Error usage
function Container:with_tag(tag) end

--- The same place with a digest and no tag.
---@param digest string
---@return oras.Container
--- Raises oras.Error usage
function Container:with_digest(digest) end

--- URL of the manifest, without scheme.
---@param tag? string tag or digest, instead of the container's own
---@return string
function Container:manifest_url(tag) end

--- URL of a blob, without scheme.
---@param digest string
---@return string
function Container:blob_url(digest) end

--- URL where uploads begin, without scheme.
---@return string
function Container:upload_url() end

--- URL of the list of tags, without scheme.
---@return string
function Container:tags_url() end

--- URL of the list of referrers of a digest, without scheme.
---@param digest string
---@return string
function Container:referrers_url(digest) end

--- What messages call the place: the reference without tag and digest.
---@return string
function Container:place() end
