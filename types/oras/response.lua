---@meta oras.response
--- What a request gives.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.Response
---@field status integer
---@field headers table<string, string> by any case; repeated fields joined; headers(name) lists
---@field url string of the answer, after redirects
---@field content string all bytes; for a streamed body they are read first
---@field descriptor? table what was asked for, when it was a blob
local Response = {}

---@class oras.response
local response = {}

--- Make a response of plain values: for those who override `send`.
---@param fields { status: integer, headers?: table, body?: string, url?: string }
---@return oras.Response
function response.new(fields) end

--- Take a response table of oras.core, or what an override of a method gave.
---@param value table
---@param method? string its name, "send" by default
---@return oras.Response
--- Raises oras.Error usage
function response.adopt(value, method) end

--- The body decoded as JSON, strictly; as often as wanted, a new value each time.
---@param options? { max_depth?: integer, max_bytes?: integer }
---@return any
--- Raises oras.Error content, limit
function Response:json(options) end

--- Iterate over the bytes as they come, verified when the loop ends by itself. Leaving the
--- loop early ends the transfer, and so does `iterator:close()`.
---@return fun(): string? iterator
--- Raises oras.Error network, integrity, ...
function Response:chunks() end

--- Iterate over the members of an archive (tar, plain or packed, or zip) as they come.
---@param options? oras.ArchiveOptions `packing` and the limits `max_bytes`, `max_entries`, `max_ratio`, `max_depth`
---@return fun(): oras.Entry? iterator gives entries {path, type, size, mode, mtime, linkname}, `entry:read(n?)`
--- Raises oras.Error content, limit, network, integrity
function Response:entries(options) end

--- End the transfer, if it still runs; what was read stays.
function Response:close() end

return response
