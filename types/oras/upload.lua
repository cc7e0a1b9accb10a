---@meta oras.upload
--- What the steps of an upload are given, for those who override them.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.Progress an operation on several blobs

---@class oras.Reporter
---@field phase string
---@field digest? string
---@field title? string
---@field total? integer of the whole, where the parts do not tell
---@field offset? integer bytes before those that are counted now
---@field operation? oras.Progress

---@class oras.Upload
---@field registry oras.Registry
---@field container oras.Container
---@field location? string where the next request goes
---@field chunk_min? integer
---@field mounted? boolean nothing is to be sent
---@field is_over? boolean there is nothing to cancel
local Upload = {}

---@class oras.Body
---@field value? string|userdata what do_request takes as `body`
---@field size? integer
---@field digest? string
---@field algorithm string by which it is to have a digest
---@field kind string
---@field waited number seconds that the operation has waited for another try
---@field progress? oras.Reporter|false
local Body = {}

--- Can it be sent a second time?
---@return boolean
function Body:can_repeat() end

--- Can any part of it be sent? What is packed while it is sent can only begin anew.
---@return boolean
function Body:can_seek() end

--- The next bytes of a reader, at most so many unless it gives more at once; nil at its end.
---@param size integer
---@return string?
--- Raises what the reader raises
function Body:piece(size) end

--- Read all of it once; digest and size are known then.
--- Raises oras.Error io, content
function Body:hash() end

--- The registry did not get what the digest says: is it the source's fault? (faults L06)
---@param path? string names the source
--- Raises oras.Error io, content
function Body:check_again(path) end

--- Learn digest and size before anything is sent, where that does not cost a second pass.
---@return boolean known
--- Raises oras.Error io, content, what a reader raises
function Body:learn() end

--- Take what can be taken once only.
--- Raises oras.Error unsupported
function Body:claim() end

--- Call a function with what do_request takes as `body`, and give its results. A producer runs
--- meanwhile; what it raises comes out.
---@param request fun(value: string|userdata): ...
---@return any ...
function Body:send(request) end

--- Digest and size of what was sent, for a body that did not know them before.
---@return string digest
---@return integer size
--- Raises oras.Error content
function Body:sent() end

--- Let go of the file. A source of the caller's stays open.
function Body:close() end
