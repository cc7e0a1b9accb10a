--- Bytes to and from the program that called a provider's method (oras_stream_call in C), as the
--- method's last argument. It goes on only as fast as the program does.
---
---     function Gateway:fetch(reference, digest, stream)
---       self:get_blob(reference, digest, { sink = stream:sink(digest) })
---     end
---
---     function Gateway:store(reference, stream)
---       return self:upload_blob(reference, { reader = stream, size = stream.size })
---     end
local core = require "oras.core"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"

local stream = {}

local PIECE <const> = 64 * 1024

---@class oras.Stream
---@field size? integer of what the program gives, where it knows
local Stream = { __name = "oras.Stream" }
Stream.__index = Stream

-- The core's part of each, which only the methods here reach.
local cores = setmetatable({}, { __mode = "k" })

--- Make a method's side of a stream.
---@param part userdata the core's
---@return oras.Stream
function stream.new(part)
  local made = setmetatable({ size = part:size() }, Stream)
  cores[made] = part
  return made
end

--- "oras.Stream".
---@return string
function Stream.__tostring()
  return "oras.Stream"
end

--- Tell the program what is to come: any value that JSON has.
---@param head any
---@raise oras.Error cancelled, or what the program fails with
function Stream:begin(head)
  errors.check(cores[self]:begin(errors.check(core.json.encode(head))))
end

--- A place for the bytes of one blob: for get_blob's `sink`. One after the other.
---@param blob? string|table digest or descriptor: what the bytes must be
---@return userdata sink of oras.core
---@raise oras.Error usage
function Stream:sink(blob)
  local digest, size
  if blob ~= nil then
    digest, size = descriptor.of_caller(blob, "stream:sink")
  end
  return errors.check(cores[self]:sink { digest = digest, size = size })
end

--- Give bytes to the program; waits until it has taken them.
---@param bytes string
---@raise oras.Error cancelled, or what the program fails with
function Stream:write(bytes)
  local source <close> = errors.check(core.source.string(bytes))
  local sink <close> = self:sink()
  errors.check(source:into(sink))
end

--- The next bytes that the program gives, at most so many; nil at the end. Waits until it has some.
---@param size? integer 64 KiB if not given
---@return string?
---@raise oras.Error cancelled, or what the program fails with
function Stream:read(size)
  local bytes, err = cores[self]:read(size or PIECE)
  if err then
    errors.raise(err)
  end
  return bytes
end

--- The same, so that a stream is what upload_blob takes as `reader`.
function Stream:__call()
  return self:read()
end

return stream
