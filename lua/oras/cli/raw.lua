--- Where commands put bytes that are printed or stored as they are.
local core = require "oras.core"
local errors = require "oras.error"

local raw = {}

local LIMIT <const> = 4 * 1024 * 1024 -- of a document from standard input
local PIECE <const> = 64 * 1024

--- Bytes into a file, which appears complete.
---@param path string
---@param bytes string
---@raise oras.Error io, path
function raw.store(path, bytes)
  local source <close> = errors.check(core.source.string(bytes))
  local sink <close> = errors.check(core.sink.file { path = path, resume = false, size = #bytes })
  errors.check(source:into(sink))
end

--- A document in a file, or from standard input ("-").
---@param path string
---@return string
---@raise oras.Error io, limit
function raw.read(path)
  if path ~= "-" then
    local text, err = core.file.read(path, LIMIT)
    return text or errors.raise(err)
  end
  local text = io.stdin:read(LIMIT + 1) or ""
  if #text > LIMIT then
    errors.raise { class = "limit", message = ("standard input has more than %d bytes"):format(LIMIT) }
  end
  return text
end

--- A source of standard input, whose size nobody knows.
---@param size? integer unless somebody says it
---@return table
function raw.stdin(size)
  return {
    reader = function()
      return io.stdin:read(PIECE)
    end,
    size = size,
  }
end

--- Copy an open file to another.
---@param from file*
---@param to file*
---@raise oras.Error io
function raw.copy(from, to)
  while true do
    local piece, message = from:read(PIECE)
    if not piece then
      return message and errors.raise { class = "io", message = message }
    end
    local ok, why = to:write(piece)
    if not ok then
      errors.raise { class = "io", message = "cannot write to standard output: " .. why }
    end
  end
end

-- A name that only we can read, which goes when it is closed.
local Temporary = {}
Temporary.__index = Temporary

function Temporary:__close()
  os.remove(self.path)
end

--- A blob that is verified before anybody sees a byte of it, as the result of a command: bytes, or
--- what writes them, where many are held in a file that has lost its name.
---@param registry oras.Registry
---@param container oras.Container
---@param blob table descriptor
---@return { bytes?: string, write?: function }
---@raise oras.Error not_found, integrity, io, ...
function raw.blob(registry, container, blob)
  if blob.size and blob.size <= LIMIT then
    return { bytes = registry:get_blob(container, blob).content }
  end
  local temporary <close> = setmetatable({ path = os.tmpname() }, Temporary)
  registry:download_blob(container, blob, temporary.path, { mode = 384, exact = true, resume = false }) -- 0600
  local file, message = io.open(temporary.path, "rb")
  if not file then
    errors.raise { class = "io", message = message }
  end
  return {
    write = function(out)
      raw.copy(file, out)
      file:close()
    end,
  }
end

return raw
