--- A parsed reference: `host/repository[:tag][@digest]`, or `oci:DIR[:TAG][@DIGEST]`.
local core = require "oras.core"
local errors = require "oras.error"

local reference_url <const> = core.reference.url

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
local Container = { __name = "oras.Container" }

local methods = {}

-- The part of blob URLs that stays the same: they are what is asked for most.
local blob_urls = setmetatable({}, { __mode = "k" })

-- A name in a layout's index may be a whole reference (image-spec annotations.md, "ref.name"), which
-- is longer than a tag and has other bytes.
local NAME_MAX <const> = 1024

local function is_long_name(self)
  local name = self.kind == "layout" and not self.digest and self.tag
  return name and #name <= NAME_MAX and name:find "[/:@]" and name:find "^[%w%[]" and not name:find "[%c%s]"
end

local function print_reference(self)
  if is_long_name(self) then
    return ("oci:%s::%s"):format(self.path, self.tag)
  end
  return core.reference.print(self)
end

function Container:__index(key)
  local method = methods[key]
  if method ~= nil then
    return method
  end
  if key == "uri" then
    return errors.check(print_reference(self))
  end
end

--- The reference as text.
---@return string
function Container:__tostring()
  return print_reference(self) or "container"
end

local container = {}

--- Parse a reference. Without tag and digest it means "latest"; `implicit_tag` remembers it.
--- "oci:DIR::REFERENCE" is what a layout has under a whole reference.
---@param text string
---@param default_host? string registry of a reference without one
---@return oras.Container
---@raise oras.Error usage
function container.new(text, default_host)
  if type(text) ~= "string" then
    local swapped = type(text) == "table" and text.digest
    errors.usage("a reference is a string or a container, not a %s%s", type(text),
      swapped and " (the reference comes before the descriptor)" or "")
  end
  local path, name = text:match "^(oci:.-)::(%w%S*)$"
  local fields, err = core.reference.parse(path and path .. "/" or text, default_host)
  if not fields then
    errors.raise(err)
  elseif path then
    fields.path, fields.tag = path:sub(5), name
  end
  local is_named = fields.digest or (fields.tag and (fields.tag ~= "latest" or text:sub(-7) == ":latest"))
  if not is_named then
    fields.tag = "latest"
    fields.implicit_tag = true
  end
  return setmetatable(fields, Container)
end

--- Is the value a container?
---@return boolean
function container.is_container(value)
  return getmetatable(value) == Container
end

local function copy(self)
  local fields = {}
  for key, value in next, self do
    fields[key] = value
  end
  fields.implicit_tag = nil
  return setmetatable(fields, Container)
end

--- The same place with another tag and no digest. In a layout it may be a whole reference, as
--- backups of several repositories have them ("localhost:5000/a:v1").
---@param tag string
---@return oras.Container
---@raise oras.Error usage
function methods:with_tag(tag)
  if type(tag) ~= "string" then
    errors.usage("with_tag: a tag is a string, not a %s", type(tag))
  end
  local other = copy(self)
  other.tag, other.digest = tag, nil
  errors.check(print_reference(other))
  return other
end

--- The same place with a digest and no tag.
---@param digest string
---@return oras.Container
---@raise oras.Error usage
function methods:with_digest(digest)
  if type(digest) ~= "string" then
    errors.usage("with_digest: a digest is a string, not a %s", type(digest))
  end
  local ok, err = core.digest.parse(digest)
  if not ok then
    err.class = "usage"
    errors.raise(err)
  end
  local other = copy(self)
  other.tag, other.digest = nil, digest
  return other
end

local function url(self, endpoint, argument)
  if self.kind == "layout" then
    errors.usage('the layout "%s" has no URLs', self.path)
  end
  return errors.check(reference_url(self, endpoint, argument))
end

--- URL of the manifest, without scheme.
---@param tag? string tag or digest, instead of the container's own
---@return string
function methods:manifest_url(tag)
  return url(self, "manifest", tag or self.digest or self.tag)
end

--- URL of a blob, without scheme.
---@param digest string
---@return string
function methods:blob_url(digest)
  local known = blob_urls[self]
  if not known or known.host ~= self.host or known.api_prefix ~= self.api_prefix then
    local full = url(self, "blob", digest)
    known = { host = self.host, api_prefix = self.api_prefix, before = full:sub(1, #full - #digest) }
    blob_urls[self] = known
    return full
  end
  if not core.digest.parse(digest) then
    return url(self, "blob", digest)
  end
  return known.before .. digest
end

--- URL where uploads begin, without scheme.
---@return string
function methods:upload_url()
  return url(self, "upload")
end

--- URL of the list of tags, without scheme.
---@return string
function methods:tags_url()
  return url(self, "tags")
end

--- URL of the list of referrers of a digest, without scheme.
---@param digest string
---@return string
function methods:referrers_url(digest)
  return url(self, "referrers", digest or self.digest)
end

--- What messages call the place: the reference without tag and digest.
---@return string
function methods:place()
  if self.kind == "layout" then
    return "oci:" .. self.path
  end
  return self.registry .. "/" .. self.api_prefix
end

return container
