--- OCI image layouts on disk (image-spec image-layout.md).
local core = require "oras.core"
local descriptor = require "oras.descriptor"
local entries = require "oras.layout_entries"
local errors = require "oras.error"

local INDEX_LIMIT <const> = 4 * 1024 * 1024

---@class oras.Layout
---@field path string
---@field core userdata of oras.core
local Layout = { __name = "oras.Layout" }
Layout.__index = Layout

local layout = {}

layout.Layout = Layout
layout.EMPTY_INDEX = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'

local function wrap(path, opened)
  if opened:is_tar() then
    return require("oras.layout_tar").new(path, opened)
  end
  return setmetatable({ path = path, core = opened }, Layout)
end

--- Open a layout: a directory, or a tar that is not compressed.
---@param path string
---@return oras.Layout
---@raise oras.Error not_found, content, unsupported, path, io
function layout.open(path)
  return wrap(path, errors.check(core.layout.open(path)))
end

--- Open a layout, and make it first where there is none: in a directory that is empty or not
--- there yet; or, under a name that ends in ".tar", as a tar, once something is written.
---@param path string
---@return oras.Layout
---@raise oras.Error content, unsupported, path, io
function layout.create(path)
  local opened, err = core.layout.open(path)
  if opened then
    return wrap(path, opened):complete()
  end
  local is_tar = path:find "%.tar$" ~= nil
  if is_tar and err.class == "not_found" then
    return require("oras.layout_tar").new(path)
  elseif is_tar or (err.class ~= "not_found" and err.class ~= "content") then
    errors.raise(err)
  end
  errors.check(core.layout.create(path))
  local made = layout.open(path)
  made._is_complete = true
  return made
end

--- Make what is missing of it, as somebody may have begun to make it and died, or be about to.
---@return oras.Layout itself
---@raise oras.Error content, path, io
function Layout:complete()
  if not self._is_complete then
    errors.check(core.layout.create(self.path))
    self._is_complete = true
  end
  return self
end

--- "layout PATH".
---@return string
function Layout:__tostring()
  return "layout " .. self.path
end

-- The value of a function of the core, or its failure with the layout named.
local function check(self, value, err)
  if value == nil and err ~= nil then
    errors.raise(errors.name(err, ('layout "%s"'):format(self.path), {}))
  end
  return value
end

-- Decoded once for each state of the file: its bytes are its version.
function Layout:_read()
  local bytes = check(self, self.core:index(INDEX_LIMIT))
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

--- The layout's index, decoded; a table of the caller's own.
---@return table
---@raise oras.Error not_found, content, io
function Layout:index()
  return core.json.decode(self:_read() and self._bytes)
end

--- The layout's index, decoded, to be looked at only: another table once the file has changed.
---@return table
---@raise oras.Error not_found, content, io
function Layout:current_index()
  return self:_read()
end

--- Is the layout still what its path names?
---@return boolean
function Layout:is_current()
  return self.core:is_current()
end

--- The names in the layout, sorted.
---@return string[]
---@raise oras.Error content, io
function Layout:tags()
  local tags, seen = {}, {}
  for _, entry in ipairs(self:_read().manifests) do
    local name = entries.name(entry)
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
    if entries.name(entry) == tag then
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

-- The entry of the only digest among those that are wanted.
local function only(manifests, is_wanted)
  local found
  for _, entry in ipairs(manifests) do
    if is_wanted(entry) then
      if found and found.digest ~= entry.digest then
        return nil
      end
      found = found or entry
    end
  end
  return found
end

local function any()
  return true
end

--- The entry of a layout that holds one manifest only, or names one only.
---@return table? descriptor
function Layout:only_entry()
  local manifests = self:_read().manifests
  return only(manifests, any) or only(manifests, entries.name)
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

--- Bring a blob into a sink of the core, verified.
---@param digest string
---@param sink userdata
---@return table? answer as of client:request; nil and an error
function Layout:fetch(digest, sink)
  return self.core:fetch(digest, sink)
end

--- Is a blob there, of that size? Then whoever collects garbage lets it be for a while.
---@param digest string
---@param size? integer
---@return boolean
---@raise oras.Error path, io
function Layout:has(digest, size)
  local found = self:size(digest)
  if not found or (size and found ~= size) then
    return false
  end
  return self.core:touch(digest) ~= nil
end

--- A sink of the core whose bytes become a blob; of the digest that they turn out to have, if
--- none is given.
---@param wanted { digest?: string, size?: integer, resume?: boolean, algorithm?: string }
---@return userdata
---@raise oras.Error path, io
function Layout:sink(wanted)
  return errors.check(self.core:sink(wanted))
end

--- Small bytes as a blob, unless it is there.
---@param bytes string
---@param digest string
---@raise oras.Error path, io
function Layout:put(bytes, digest)
  if not self:has(digest, #bytes) then
    errors.check(self.core:put(bytes, digest))
  end
end

--- What to write to, and what to close when all is written: a directory has everything at once,
--- unless its index is to be written once only.
---@param gather? boolean
---@return oras.Layout
---@return table? closable
function Layout:begin(gather)
  if gather then
    local own = require("oras.layout_changes").gather(self)
    return own, own
  end
  return self
end

--- What holds others off the index while it lives.
---@param seconds? number how long to wait for it, 60 by default
---@return userdata closable, with `unlock`
---@raise oras.Error io when another process has it all the time
function Layout:lock(seconds)
  return check(self, self.core:lock(seconds))
end

-- A layout whose maker has not come to the index yet names nothing.
local function index_to_change(self)
  local index, err = errors.try(self.index, self)
  if not index and err.class ~= "not_found" then
    errors.raise(err)
  end
  return index or core.json.decode(layout.EMPTY_INDEX)
end

-- What is written can be read.
local function encode_index(self, index)
  local bytes = core.json.encode(index)
  if #bytes > INDEX_LIMIT then
    errors.raise {
      class = "limit",
      message = ('index.json of "%s" would have %d bytes, expected at most %d'):format(self.path, #bytes, INDEX_LIMIT),
    }
  end
  return bytes
end

--- Change the index under the lock: what others changed meanwhile is seen and stays.
---@param change fun(index: table): boolean, any, string[]? whether it changed the index, a result,
--- and digests of blobs that are to be removed once the index is written
---@return any result
---@raise oras.Error io, content, path
function Layout:edit(change)
  local lock <close> = self:lock()
  local index = index_to_change(self)
  local changed, result, unwanted = change(index)
  if changed then
    check(self, lock:write_index(encode_index(self, index)))
  end
  for _, digest in ipairs(unwanted or {}) do
    local removed, err = lock:remove(digest)
    if not removed and err.class ~= "not_found" then
      errors.raise(err)
    end
  end
  self:_sweep()
  return result
end

-- What dead processes left behind goes with the first success.
function Layout:_sweep()
  if not self._swept then
    self._swept = true
    self.core:sweep()
  end
end

--- Seconds since a blob was written or found wanted; nil when it is not there.
---@param digest string
---@return integer?
function Layout:age(digest)
  return (self.core:age(digest))
end

--- Remove the blobs that nothing in the index leads to: see oras.layout_garbage.
---@param opts? { dry_run?: boolean, grace?: number, untagged?: boolean }
---@return string[] digests
---@raise oras.Error io, content, integrity, path, limit
function Layout:collect(opts)
  return require("oras.layout_garbage").collect(self, opts)
end

--- Close it; further use is a mistake.
function Layout:close()
  self.core:close()
end

Layout.__close = Layout.close

return layout
