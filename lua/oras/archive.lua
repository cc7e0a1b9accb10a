--- Archives: read without unpacking them to disk, and written.
local core = require "oras.core"
local errors = require "oras.error"
local options = require "oras.options"

local archive = {}

local OPTIONS <const> = {
  max_bytes = "integer", max_depth = "integer", max_entries = "integer", max_ratio = "integer",
  packing = "string",
}

local PACK <const> = {
  compression = "string", durable = "boolean", level = "integer", max_entries = "integer", mtime = "integer",
  overwrite = "boolean", prefix = "string",
}

local COMPRESSIONS <const> = { tar = "none", tzst = "zstd", zst = "zstd" } -- of a name's end

local EXTRACT <const> = {
  any_case = "boolean", content_digest = "string", digest = "string", durable = "boolean", links = "boolean",
  max_bytes = "integer", max_depth = "integer", max_entries = "integer", max_ratio = "integer",
  media_type = "string", overwrite = "boolean", packing = "string", prefix = "string", size = "integer",
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

-- Which iterator an entry belongs to, while it is current; not a field of the entry.
local owners = setmetatable({}, { __mode = "k" })

local function check(entries, value, err)
  if value == nil and err then
    errors.raise(entries.describe and entries.describe(err) or err)
  end
  return value
end

--- Read from the member, while it is the current one: at most n bytes, or all that is left.
---@param n? integer
---@return string? nil at the end when n is given
---@raise oras.Error content, limit, usage
function Entry:read(n)
  local entries = owners[self]
  if not entries then
    errors.usage('entry "%s" is not the current one any more', self.path)
  end
  return check(entries, entries.reader:read(n))
end

local Entries = { __name = "oras.Entries" }
Entries.__index = Entries

function Entries:__call()
  if self.entry then
    owners[self.entry] = nil
    self.entry = nil
  end
  local reader = self.reader
  if not reader then
    return nil
  end
  local entry, err = reader:next()
  if not entry then
    self:close()
    return check(self, nil, err)
  end
  self.entry = setmetatable(entry, Entry)
  owners[entry] = self
  return entry
end

--- End the reading, and the transfer behind it.
function Entries:close()
  local reader = self.reader
  if self.entry then
    owners[self.entry] = nil
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
---@param describe? function completes an error, with where the bytes are from
---@return function iterator over oras.Entry; closable
---@raise oras.Error content, limit, io
function archive.entries(source, opts, media_type, describe)
  opts = options.check(opts, OPTIONS, "entries")
  local limits = {}
  for name, value in pairs(opts) do
    limits[name] = value
  end
  limits.packing = limits.packing or require("oras.media_types").packing(media_type)
  local reader = errors.check(core.archive.reader(source_of(source), limits))
  local iterator = setmetatable({ reader = reader, describe = describe }, Entries)
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

local function pack_into(source, target, opts)
  local sink <close> = errors.check(core.sink.file {
    path = target, resume = false, overwrite = opts.overwrite, durable = opts.durable,
  })
  errors.check(source:into(sink))
end

--- Pack a file or directory. The same tree gives the same bytes: entries sorted, no owners, all
--- times 0 (or SOURCE_DATE_EPOCH). Nothing stands at the target until it is complete.
---@param path string
---@param target string the archive's file; a name in ".tar" or ".zst" says the compression, else gzip
---@param opts? table `compression` ("gzip", "zstd", "none"), `level`, `prefix` (the tree's name in the
---  archive, by default its own; "": its members stand at the top), `mtime` (seconds; -1: the files'
---  own), `max_entries`, `overwrite` (default true), `durable`
---@return table { path, digest, size, media_type, content_digest, content_size }; content is the tar
---@raise oras.Error io, path, content (changed meanwhile), limit, exists, usage
function archive.pack(path, target, opts)
  opts = options.check(opts, PACK, "pack")
  for name, value in pairs { path = path or false, target = target or false } do
    if type(value) ~= "string" then
      errors.usage("pack: the %s is a string, not a %s", name, type(value))
    end
  end
  local compression = opts.compression or COMPRESSIONS[target:match "%.(%w+)$"] or "gzip"
  local source <close> = errors.check(core.archive.pack {
    path = path, target = target, compression = compression, level = opts.level, prefix = opts.prefix,
    mtime = opts.mtime, max_entries = opts.max_entries,
  })
  pack_into(source, target, opts)
  local digest, size = source:digest()
  local content_digest, content_size = source:content()
  local types = require "oras.media_types"
  local media_type = compression == "none" and types.layer or types["layer_" .. compression]
  return {
    path = target, digest = digest, size = size, media_type = media_type,
    content_digest = content_digest, content_size = content_size,
  }
end

-- The directory that is held open, and the path below it. One that is there, also by a link of
-- the user's own, takes up what is new; one that is not appears complete.
local function place_of(dir)
  local root = core.file.root(dir)
  if root then
    return root, "."
  end
  local parent, name = dir:match "^(.-)/*([^/]+)/*$"
  if not parent or name == ".." then
    errors.usage('extract: "%s" names no directory', dir)
  end
  if parent == "" then
    parent = dir:sub(1, 1) == "/" and "/" or "."
  end
  return errors.check(core.file.root(parent, { create = true })), name
end

-- The bytes of a body, which may wait for more, into the sink that unpacks them.
local function unpack_body(body, sink)
  local stream <close> = errors.check(core.source.stream {})
  require("oras.task").gather(function()
    errors.check(stream:into(sink))
  end, function()
    local chunk, err = body:read()
    while chunk do
      errors.check(stream:write(chunk))
      chunk, err = body:read()
    end
    if err then
      stream:fail(err)
      errors.raise(err)
    end
    stream:finish()
  end)
end

local function unpack_source(source, sink)
  if type(source) == "userdata" then
    return unpack_body(source, sink)
  end
  local make, what = core.source.string, source.data
  if source.path then
    make, what = core.source.file, source.path
  end
  local opened <close> = errors.check(make(what))
  errors.check(opened:into(sink))
end

--- Unpack an archive into a directory. Nothing shows before all of it was read and found right; a
--- directory that is there takes up what is new. Files, directories and hard links among them are
--- made, nothing else; owners, times and special bits are not kept.
---@param source string|table|userdata path, {path=}, {data=}, or a body
---@param dir string made if it is not there
---@param opts? table `packing`, the limits `max_bytes`, `max_entries`, `max_ratio`, `max_depth`;
---  `digest` of the archive, `content_digest` of the unpacked tar; `prefix` (what names begin with
---  and lose), `links` (make symbolic links that stay inside), `any_case` (names may differ in case
---  alone), `overwrite` (files that are there; default true), `durable`
---@return string dir
---@raise oras.Error path, exists, limit, content, integrity, io, usage
function archive.extract(source, dir, opts)
  opts = options.check(opts, EXTRACT, "extract")
  if type(dir) ~= "string" or dir == "" then
    errors.usage("extract: the directory is a string, not %s", dir == "" and "an empty one" or "a " .. type(dir))
  end
  source = source_of(source)
  local wanted = options.copied(opts)
  local root <close>, path = place_of(dir)
  wanted.root, wanted.path = root, path
  local sink <close> = errors.check(core.sink.tree(wanted))
  unpack_source(source, sink)
  return dir
end

return archive
