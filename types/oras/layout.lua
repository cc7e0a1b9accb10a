---@meta oras.layout
--- OCI image layouts on disk.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.Layout
---@field path string
---@field core userdata of oras.core
local Layout = {}

---@class oras.layout
local layout = {}

--- Open a layout: a directory, or a tar that is not compressed.
---@param path string
---@return oras.Layout
--- Raises oras.Error not_found, content, unsupported, path, io
function layout.open(path) end

--- Open a layout, and make it first where there is none: in a directory that is empty or not
--- there yet; or, under a name that ends in ".tar", as a tar, once something is written.
---@param path string
---@return oras.Layout
--- Raises oras.Error content, unsupported, path, io
function layout.create(path) end

--- Make what is missing of it, as somebody may have begun to make it and died, or be about to.
---@return oras.Layout itself
--- Raises oras.Error content, path, io
function Layout:complete() end

--- The layout's index, decoded; a table of the caller's own.
---@return table
--- Raises oras.Error not_found, content, io
function Layout:index() end

--- The layout's index, decoded, to be looked at only: another table once the file has changed.
---@return table
--- Raises oras.Error not_found, content, io
function Layout:current_index() end

--- Is the layout still what its path names?
---@return boolean
function Layout:is_current() end

--- The names in the layout, sorted.
---@return string[]
--- Raises oras.Error content, io
function Layout:tags() end

--- The digests of all blobs, sorted; also of those that no manifest names.
---@return string[]
--- Raises oras.Error path, io, limit
function Layout:blobs() end

--- The entry of a name.
---@param tag string
---@return oras.Descriptor? descriptor
function Layout:find_tag(tag) end

--- The entry of a digest.
---@param digest string
---@return oras.Descriptor? descriptor
function Layout:find_digest(digest) end

--- The entry of a layout that holds one manifest only, or names one only.
---@return oras.Descriptor? descriptor
function Layout:only_entry() end

--- Size of a blob; nil when it is not there.
---@param digest string
---@return integer?
--- Raises oras.Error path, io, usage
function Layout:size(digest) end

--- Bring a blob into a sink of the core, verified.
---@param digest string
---@param sink userdata
---@return table? answer as of client:request; nil and an error
function Layout:fetch(digest, sink) end

--- Is a blob there, of that size? Then whoever collects garbage lets it be for a while.
---@param digest string
---@param size? integer
---@return boolean
--- Raises oras.Error path, io
function Layout:has(digest, size) end

--- A sink of the core whose bytes become a blob; of the digest that they turn out to have, if
--- none is given.
---@param wanted { digest?: string, size?: integer, resume?: boolean, algorithm?: string }
---@return userdata
--- Raises oras.Error path, io
function Layout:sink(wanted) end

--- Small bytes as a blob, unless it is there.
---@param bytes string
---@param digest string
--- Raises oras.Error path, io
function Layout:put(bytes, digest) end

--- What to write to, and what to close when all is written: a directory has everything at once,
--- unless its index is to be written once only.
---@param gather? boolean
---@return oras.Layout
---@return table? closable
function Layout:begin(gather) end

--- What holds others off the index while it lives.
---@param seconds? number how long to wait for it, 60 by default
---@return userdata closable, with `unlock`
--- Raises oras.Error io when another process has it all the time
function Layout:lock(seconds) end

--- Change the index under the lock: what others changed meanwhile is seen and stays.
---@param change fun(index: table): boolean, any, string[]? whether it changed the index, a result,
--- and digests of blobs that are to be removed once the index is written
---@return any result
--- Raises oras.Error io, content, path
function Layout:edit(change) end

--- Seconds since a blob was written or found wanted; nil when it is not there.
---@param digest string
---@return integer?
function Layout:age(digest) end

--- Remove the blobs that nothing in the index leads to: see oras.layout_garbage.
---@param opts? oras.CollectOptions
---@return string[] digests
--- Raises oras.Error io, content, integrity, path, limit
function Layout:collect(opts) end

--- Close it; further use is a mistake.
function Layout:close() end

return layout
