--- Archives that are read without unpacking them to disk.
local core = require "oras.core"
local errors = require "oras.error"
local options = require "oras.options"

local archive = {}

local OPTIONS <const> = {
  max_bytes = "integer", max_depth = "integer", max_entries = "integer", max_ratio = "integer",
  packing = "string",
}

---@class oras.Entry
---@field path string no "./" in front, no "/" behind
---@field type string "file", "directory", "symlink", "hardlink", ...
---@field size integer -1: unknown until it was read
---@field mode integer
---@field mtime integer
---@field linkname? string
local Entry = { __name = "oras.Entry" }
Entry.__index = Entry

--- "entry path".
function Entry:__tostring()
  return "entry " .. self.path
end

-- Which reader an entry belongs to, and whether it is current; not fields of the entry.
local readers = setmetatable({}, { __mode = "k" })

--- Read from the member, while it is the current one: at most n bytes, or all that is left.
---@param n? integer
---@return string? nil at the end when n is given
---@raise oras.Error content, limit, usage
function Entry:read(n)
  local reader = readers[self]
  if not reader then
    errors.usage('entry "%s" is not the current one any more', self.path)
  end
  return errors.check(reader:read(n))
end

local Entries = { __name = "oras.Entries" }
Entries.__index = Entries

function Entries:__call()
  if self.entry then
    readers[self.entry] = nil
    self.entry = nil
  end
  local reader = self.reader
  if not reader then
    return nil
  end
  local entry, err = reader:next()
  if not entry then
    self:close()
    if err then
      errors.raise(err)
    end
    return nil
  end
  self.entry = setmetatable(entry, Entry)
  readers[entry] = reader
  return entry
end

--- End the reading, and the transfer behind it.
function Entries:close()
  local reader = self.reader
  if self.entry then
    readers[self.entry] = nil
  end
  self.reader, self.entry = nil, nil
  if reader then
    reader:close()
  end
end

Entries.__close = Entries.close

local function source_of(source)
  if type(source) == "string" then
    return { path = source }
  end
  local is_source = type(source) == "userdata"
    or (type(source) == "table" and (source.path or source.data))
  if not is_source then
    errors.usage "an archive is a path, { data = bytes }, or a body"
  end
  return source
end

--- Iterate over the members of an archive.
---@param source string|table|userdata path, {path=}, {data=}, or a body
---@param opts? table `packing` and the limits `max_bytes`, `max_entries`, `max_ratio`, `max_depth`
---@param media_type? string says how it is packed
---@return function iterator over oras.Entry; closable
---@raise oras.Error content, limit, io
function archive.entries(source, opts, media_type)
  opts = options.check(opts, OPTIONS, "entries")
  local limits = {}
  for name, value in pairs(opts) do
    limits[name] = value
  end
  limits.packing = limits.packing or require("oras.media_types").packing(media_type)
  local reader = errors.check(core.archive.reader(source_of(source), limits))
  local iterator = setmetatable({ reader = reader }, Entries)
  return iterator, nil, nil, iterator
end

archive.members = archive.entries

--- All members of an archive, without their contents.
---@param source string|table|userdata path, {path=}, {data=}, or a body
---@param opts? table as for entries
---@return oras.Entry[]
---@raise oras.Error content, limit, io
function archive.list(source, opts)
  local list = {}
  for entry in archive.entries(source, opts) do
    list[#list + 1] = entry
  end
  return list
end

return archive
