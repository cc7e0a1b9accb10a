---@meta oras.stream
--- Bytes to and from the program that called a method: its last argument then.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.Stream
---@field size? integer of what the program gives, where it knows
---@overload fun(): string?
local Stream = {}

--- Tell the program what is to come: any value that JSON has.
---@param head any
--- Raises oras.Error cancelled, or what the program fails with
function Stream:begin(head) end

--- A place for the bytes of one blob: for get_blob's `sink`. One after the other.
---@param blob? string|oras.Descriptor digest or descriptor: what the bytes must be
---@return userdata sink of oras.core
--- Raises oras.Error usage
function Stream:sink(blob) end

--- Give bytes to the program; waits until it has taken them.
---@param bytes string
--- Raises oras.Error cancelled, or what the program fails with
function Stream:write(bytes) end

--- The next bytes that the program gives, at most so many; nil at the end. Waits until it has some.
---@param size? integer 64 KiB if not given
---@return string?
--- Raises oras.Error cancelled, or what the program fails with
function Stream:read(size) end
