---@meta oras.archive
--- Archives.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.Entry
---@field path string no "./" in front, no "/" behind
---@field type string "file", "directory", "symlink", "hardlink", ...
---@field size integer -1: unknown until it was read
---@field mode integer
---@field mtime integer
---@field linkname? string
local Entry = {}

---@class oras.archive
local archive = {}

--- Iterate over the members of an archive.
---@param source string|table|userdata path, {path=}, {data=}, or a body
---@param opts? oras.ArchiveOptions `packing` and the limits `max_bytes`, `max_entries`, `max_ratio`, `max_depth`
---@param media_type? string says how it is packed
---@param describe? function completes an error, with where the bytes are from
---@return fun(): oras.Entry? iterator over oras.Entry; closable
--- Raises oras.Error content, limit, io
function archive.entries(source, opts, media_type, describe) end

--- All members of an archive, without their contents.
---@param source string|table|userdata path, {path=}, {data=}, or a body
---@param opts? oras.ArchiveOptions as for entries
---@return oras.Entry[]
--- Raises oras.Error content, limit, io
function archive.list(source, opts) end

--- Pack a file or directory. The same tree gives the same bytes: entries sorted, no owners, all
--- times 0 (or SOURCE_DATE_EPOCH). Nothing stands at the target until it is complete.
---@param path string
---@param target string the archive's file; a name in ".tar" or ".zst" says the compression, else gzip
---@param opts? oras.PackOptions `compression` ("gzip", "zstd", "none"), `level`, `prefix` (the tree's name in the
---  archive, by default its own; "": its members stand at the top), `mtime` (seconds; -1: the files'
---  own), `max_entries`, `overwrite` (default true), `durable`
---@return table { path, digest, size, media_type, content_digest, content_size }; content is the tar
--- Raises oras.Error io, path, content (changed meanwhile), limit, exists, usage
function archive.pack(path, target, opts) end

--- Unpack an archive into a directory. Nothing shows before all of it was read and found right; a
--- directory that is there takes up what is new. Files, directories and hard links among them are
--- made, nothing else; owners, times and special bits are not kept.
---@param source string|table|userdata path, {path=}, {data=}, or a body
---@param dir string made if it is not there
---@param opts? oras.ExtractOptions `packing`, the limits `max_bytes`, `max_entries`, `max_ratio`, `max_depth`;
---  `digest` of the archive, `content_digest` of the unpacked tar; `prefix` (what names begin with
---  and lose), `links` (make symbolic links that stay inside), `any_case` (names may differ in case
---  alone), `overwrite` (files that are there; default true), `durable`
---@return string dir
--- Raises oras.Error path, exists, limit, content, integrity, io, usage
function archive.extract(source, dir, opts) end

--- Read from the member, while it is the current one: at most n bytes, or all that is left.
---@param n? integer
---@return string? nil at the end when n is given
--- Raises oras.Error content, limit, usage
function Entry:read(n) end

archive.members = archive.entries

return archive
