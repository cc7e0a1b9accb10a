--- OCI image layouts on disk (image-spec image-layout.md).
local core = require "oras.core"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"

local REF_NAME <const> = "org.opencontainers.image.ref.name"
local INDEX_LIMIT <const> = 4 * 1024 * 1024

---@class oras.Layout
---@field path string
local Layout = { __name = "oras.Layout" }
Layout.__index = Layout

local layout = {}

--- Open a layout.
---@param path string directory
---@return oras.Layout
---@raise oras.Error not_found, content, io
function layout.open(path)
  return setmetatable({ path = path, core = errors.check(core.layout.open(path)) }, Layout)
end

--- "layout PATH".
---@return string
function Layout:__tostring()
  return "layout " .. self.path
end

-- Decoded once for each state of the file: its bytes are its version.
function Layout:_read()
  local bytes, failure = self.core:index(INDEX_LIMIT)
  if not bytes then
    errors.raise(errors.name(failure, ('layout "%s"'):format(self.path), {}))
  end
  if bytes ~= self._bytes then
    local document, err = core.json.decode(bytes)
    if document == nil then
      errors.raise { class = "content", message = ('index.json of "%s": %s'):format(self.path, err.message) }
    elseif type(document) ~= "table" or not core.json.is_array(document.manifests) then
      errors.raise { class = "content", message = ('index.json of "%s": /manifests is no array'):format(self.path) }
    end
    for i, entry in ipairs(document.manifests) do
      descriptor.check(entry, ("/manifests/%d"):format(i - 1))
    end
    self._bytes, self._index = bytes, document
  end
  return self._index
end

--- The layout's index, decoded.
---@return table
---@raise oras.Error content, io
function Layout:index()
  return core.json.decode(self:_read() and self._bytes)
end

local function name_of(entry)
  return entry.annotations and entry.annotations[REF_NAME]
end

--- The names in the layout, sorted.
---@return string[]
---@raise oras.Error content, io
function Layout:tags()
  local tags, seen = {}, {}
  for _, entry in ipairs(self:_read().manifests) do
    local name = name_of(entry)
    if name and not seen[name] then
      seen[name] = true
      tags[#tags + 1] = name
    end
  end
  table.sort(tags)
  return tags
end

--- The digests of all blobs, sorted; also of those that no manifest names.
---@return string[]
---@raise oras.Error path, io, limit
function Layout:blobs()
  local digests = {}
  for digest in errors.check(self.core:blobs()):gmatch "[^\n]+" do
    digests[#digests + 1] = digest
  end
  table.sort(digests)
  return digests
end

--- The entry of a name.
---@param tag string
---@return table? descriptor
function Layout:find_tag(tag)
  for _, entry in ipairs(self:_read().manifests) do
    if name_of(entry) == tag then
      return entry
    end
  end
end

--- The entry of a digest.
---@param digest string
---@return table? descriptor
function Layout:find_digest(digest)
  for _, entry in ipairs(self:_read().manifests) do
    if entry.digest == digest then
      return entry
    end
  end
end

--- The entry of a layout that holds one manifest only.
---@return table? descriptor
function Layout:only_entry()
  local manifests = self:_read().manifests
  for _, entry in ipairs(manifests) do
    if entry.digest ~= manifests[1].digest then
      return nil
    end
  end
  return manifests[1]
end

--- Size of a blob; nil when it is not there.
---@param digest string
---@return integer?
---@raise oras.Error path, io, usage
function Layout:size(digest)
  local size, err = self.core:size(digest)
  if not size and err.class ~= "not_found" then
    errors.raise(err)
  end
  return size
end

--- Close it; further use is a mistake.
function Layout:close()
  self.core:close()
end

Layout.__close = Layout.close

return layout
