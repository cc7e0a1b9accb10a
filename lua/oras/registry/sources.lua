--- What a caller gives to be uploaded, as a body that can be sent, and sent again.
local core = require "oras.core"
local crew = require "oras.crew"
local errors = require "oras.error"
local options = require "oras.options"

local sources = {}

-- What a producer gives is collected up to here: then it has a digest before it is sent.
local SMALL <const> = 1024 * 1024
local CAPACITY <const> = 1024 * 1024 -- more is no faster
local PIECE <const> = 64 * 1024

--- From here on the hash of a file takes much longer than one request more.
sources.LARGE = 128 * 1024 * 1024

local SOURCE <const> = {
  bytes = "function", data = "string", fetch = "function", path = "string", reader = "function|table", size = "integer",
  source = "userdata",
}

local KINDS <const> = { "data", "reader", "source", "fetch", "bytes" }

--- Check what a caller gave: a path, or a table with one of `path`, `data`, `reader` (and its
--- `size`, if known) and `source` (of oras.core); always a table then.
---@param source string|table
---@param verb string
---@return table
---@raise oras.Error usage
function sources.check(source, verb)
  if type(source) == "string" then
    source = { path = source }
  elseif type(source) ~= "table" then
    errors.usage("%s: a source is a path or a table with path, data or reader, not a %s", verb, type(source))
  end
  options.check(source, SOURCE, verb .. ": source")
  local kind
  for _, name in ipairs(KINDS) do
    if source[name] ~= nil and kind then
      errors.usage("%s: a source has either %s or %s", verb, kind, name)
    end
    kind = source[name] ~= nil and name or kind
  end
  if kind and kind ~= "source" and source.path then -- of a source of the core it is the name
    errors.usage("%s: a source has either path or %s", verb, kind)
  elseif not kind and not source.path then
    errors.usage("%s: a source has a path, data or a reader", verb)
  elseif source.path == "" then
    errors.usage("%s: the path of the source is empty", verb)
  elseif source.size and source.size < 0 then
    errors.usage("%s: the size of the source is %d", verb, source.size)
  end
  return source
end

---@class oras.Body
---@field value? string|userdata what do_request takes as `body`
---@field size? integer
---@field digest? string
---@field algorithm string by which it is to have a digest
---@field kind string
---@field waited number seconds that the operation has waited for another try
---@field progress? oras.Reporter|false
local Body = { __name = "oras.Body" }
Body.__index = Body

local function open_data(body, source)
  body.data, body.size = source.data, #source.data
  -- many bytes are a source, so that their way can be watched; few may share HTTP/2
  body.value = body.size > SMALL and core.source.string(body.data) or body.data
end

-- A file of the kernel (/proc) has bytes although its size is 0, and others when it is read again:
-- it is taken once, as what a reader gives.
local function open_unsized(body, path)
  local file, message = io.open(path, "rb")
  if not file then
    errors.raise { class = "io", message = message }
  end
  body.kind, body.file = "reader", file
  body.read = function()
    local piece, why = file:read(PIECE)
    if why then
      errors.raise { class = "io", message = ("'%s': %s"):format(path, why) }
    end
    return piece
  end
end

local function open_path(body, source)
  body.value = errors.check(core.source.file(source.path))
  body.size = body.value:size()
  if not body.size then
    body.value:close()
    body.value = nil
    open_unsized(body, source.path)
  end
end

local function open_source(body, source)
  body.value, body.size = source.source, source.source:size()
  body.is_borrowed = true
end

local function open_reader(body, source)
  body.read, body.size = source.reader, source.size
end

local function open_fetch(body, source)
  body.fetch = source.fetch
end

local function open_bytes(body, source)
  body.get_bytes = source.bytes
end

local OPEN <const> = {
  bytes = open_bytes, data = open_data, fetch = open_fetch, path = open_path, reader = open_reader,
  source = open_source,
}

local function wrong_size(is, expected)
  errors.raise { class = "content", message = ("the source has %d bytes, not %d"):format(is, expected) }
end

--- Make a body of a checked source. What it must be comes from the descriptor, if it says.
---@param source table
---@param wanted { digest?: string, size?: integer }
---@param algorithm? string of its digest, where that is not known
---@return oras.Body closable
---@raise oras.Error io, content, usage
function sources.open(source, wanted, algorithm)
  local kind = "path"
  for _, name in ipairs(KINDS) do
    kind = source[name] ~= nil and name or kind
  end
  local body = setmetatable({
    kind = kind, digest = wanted.digest, waited = 0,
    algorithm = wanted.digest and wanted.digest:match "^[^:]+" or algorithm or "sha256",
  }, Body)
  OPEN[kind](body, source)
  if body.size and wanted.size and body.size ~= wanted.size then
    body:close()
    wrong_size(body.size, wanted.size)
  end
  body.size = body.size or wanted.size
  if body.kind == "data" then
    body:_check_data()
  elseif (kind == "fetch" or kind == "bytes") and not (body.digest and body.size) then
    errors.usage "upload_blob: what is fetched is described by digest and size"
  end
  return body
end

-- Bytes at hand are what the descriptor says, or nothing is sent.
function Body:_check_data()
  local digest = errors.check(core.digest.of(self.data, self.algorithm))
  if self.digest and self.digest ~= digest then
    errors.raise {
      class = "content", digest = self.digest, message = ("the bytes are %s, not %s"):format(digest, self.digest),
    }
  end
  self.digest = digest
end

function Body:_is_by_its_algorithm(digest)
  return digest ~= nil and digest:match "^[^:]+" == self.algorithm
end

-- The next piece of a producer; nil at its end.
local function next_piece(body)
  local piece = body.read()
  if piece ~= nil and type(piece) ~= "string" then
    errors.usage("upload_blob: the reader gives strings and nil at the end, not a %s", type(piece))
  end
  return piece
end

--- Can it be sent a second time?
---@return boolean
function Body:can_repeat()
  if self.kind == "source" then
    return self.value:can_seek()
  end
  return self.kind ~= "reader"
end

--- Can any part of it be sent? What is packed while it is sent can only begin anew.
---@return boolean
function Body:can_seek()
  if self.kind == "source" then
    return self.size ~= nil and self.size > 0 and self.value:seek(1) == true and self.value:seek(0) == true
  end
  return self.kind == "data" or self.kind == "path"
end

--- The next bytes of a reader, at most so many unless it gives more at once; nil at its end.
---@param size integer
---@return string?
---@raise any what the reader raises
function Body:piece(size)
  local parts, got = self.head or {}, 0
  self.head = {}
  for _, part in ipairs(parts) do
    got = got + #part
  end
  while got < size do
    local part = next_piece(self)
    if not part then
      break
    end
    parts[#parts + 1] = part
    got = got + #part
  end
  return got > 0 and table.concat(parts) or nil
end

--- Read all of it once; digest and size are known then.
---@raise oras.Error io, content
function Body:hash()
  local digest, size = self.value:hash(self.algorithm)
  if not digest then
    errors.raise(size)
  end
  self.digest, self.size = digest, size
end

--- The registry did not get what the digest says: is it the source's fault? (faults L06)
---@param path? string names the source
---@raise oras.Error io, content
function Body:check_again(path)
  local expected = self.digest
  if type(self.value) ~= "userdata" or not self:can_repeat() then
    return
  end
  self:hash()
  if self.digest ~= expected then
    errors.raise {
      class = "content", digest = expected, retryable = false,
      message = ("%s is %s, not %s; was it changed meanwhile?"):format(
        path and ('"%s"'):format(path) or "the source", self.digest, expected),
    }
  end
end

-- What is read ahead of a producer: it is all there was, or the beginning of more.
local function collect(body)
  local pieces, size = {}, 0
  repeat
    local piece = next_piece(body)
    if not piece then
      local text = table.concat(pieces)
      if body.size and body.size ~= #text then
        wrong_size(#text, body.size)
      end
      body.kind = "data"
      open_data(body, { data = text })
      return body:_check_data()
    end
    pieces[#pieces + 1] = piece
    size = size + #piece
  until size > SMALL
  body.head = pieces
end

--- Learn digest and size before anything is sent, where that does not cost a second pass.
---@return boolean known
---@raise oras.Error io, content, what a reader raises
function Body:learn()
  if self.kind == "reader" and not self.head and (self.size or 0) <= SMALL then
    collect(self)
  end
  if not self.digest and self.kind == "source" then
    local digest = self.value:digest()
    self.digest = self:_is_by_its_algorithm(digest) and digest or nil
  end
  local costs_a_pass = not self.size and self.algorithm == "sha256" -- which what is packed takes on its way
  if not self.digest and self.value and not costs_a_pass and self:can_repeat() then
    self:hash()
  end
  return self.digest ~= nil and self.size ~= nil
end

local function produce(body, stream)
  for _, piece in ipairs(body.head or {}) do
    if not stream:write(piece) then
      return
    end
  end
  body.head = {}
  for piece in next_piece, body do
    if not stream:write(piece) then
      return -- nobody reads any more, and says why
    end
  end
  stream:finish()
end

-- Why a stream ends, as the core takes it; what the producer raised comes out itself.
local function failure_of(raised)
  return errors.is_error(raised) and raised or errors.new { class = "script", message = "the producer failed" }
end

--- Take what can be taken once only.
---@raise oras.Error unsupported
function Body:claim()
  if self.kind ~= "reader" then
    return
  elseif self.is_claimed then
    errors.raise { class = "unsupported", message = "the reader's bytes are gone; they cannot be sent again" }
  end
  self.is_claimed = true
end

local function send_reader(body, request)
  body:claim()
  local stream <close> = errors.check(core.source.stream {
    size = body.size, capacity = CAPACITY, algorithm = body.algorithm,
  })
  return crew.beside(function()
    produce(body, stream)
  end, function(raised)
    stream:fail(failure_of(raised))
  end, function()
    local results = table.pack(request(stream))
    body.total = { stream:digest() }
    return table.unpack(results, 1, results.n)
  end)
end

local function send_fetched(body, request)
  local sink, source = core.source.pipe { digest = body.digest, size = body.size, capacity = CAPACITY }
  local pipe <close> = errors.check(sink, source) and source
  local _ <close> = sink
  return crew.beside(function()
    body.fetch(sink)
  end, function()
    sink:close()
  end, function()
    return request(pipe)
  end)
end

-- Few bytes that are there when they are asked for.
local function send_bytes(body, request)
  local text = body.get_bytes()
  if type(text) ~= "string" or #text ~= body.size then
    wrong_size(type(text) == "string" and #text or 0, body.size)
  end
  return request(text)
end

--- Call a function with what do_request takes as `body`, and give its results. A producer runs
--- meanwhile; what it raises comes out.
---@param request fun(value: string|userdata): ...
---@return any ...
function Body:send(request)
  if self.kind == "reader" then
    return send_reader(self, request)
  elseif self.kind == "fetch" then
    return send_fetched(self, request)
  elseif self.kind == "bytes" then
    return send_bytes(self, request)
  end
  return request(self.value)
end

--- Digest and size of what was sent, for a body that did not know them before.
---@return string digest
---@return integer size
---@raise oras.Error content
function Body:sent()
  local digest, size = table.unpack(self.total or { self.value:digest() })
  if not digest then
    errors.raise { class = "content", message = "the source did not come to its end" }
  elseif not self:_is_by_its_algorithm(digest) then
    errors.raise { class = "unsupported", message = ("the source has no digest by %s"):format(self.algorithm) }
  end
  return digest, size
end

--- Let go of the file. A source of the caller's stays open.
function Body:close()
  if type(self.value) == "userdata" and not self.is_borrowed then
    self.value:close()
  end
  if self.file then
    self.file:close()
    self.file = nil
  end
end

Body.__close = Body.close

return sources
