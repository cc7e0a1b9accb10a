--- What a request gives: status, headers and a body that is there or still arrives.
local core = require "oras.core"
local errors = require "oras.error"

---@class oras.Response
---@field status integer
---@field headers table<string, string> by any case; repeated fields joined; headers(name) lists
---@field url string of the answer, after redirects
---@field content string all bytes; for a streamed body they are read first
---@field descriptor? table what was asked for, when it was a blob
local Response = { __name = "oras.Response" }

local methods = {}
local response = { Response = Response }

-- What was wrong with the bytes says which bytes; whose they were is known here.
local function name_request(answer, err)
  local wanted = rawget(answer, "descriptor")
  return errors.name(err, nil, {
    method = answer.method, url = answer.url, digest = wanted and wanted.digest,
  })
end

local function read_all(self)
  local body = self.body
  if body == nil then
    return ""
  elseif type(body) == "string" then
    return body
  end
  if not self.streaming then
    return errors.check(body:string())
  end
  if self.consumed then
    errors.usage "the body was read as a stream already; its content is gone"
  end
  local parts = {}
  for chunk in self:chunks() do
    parts[#parts + 1] = chunk
  end
  return table.concat(parts)
end

function Response:__index(key)
  local method = methods[key]
  if method ~= nil then
    return method
  end
  if key == "content" then
    local content = read_all(self)
    rawset(self, "content", content)
    return content
  end
end

--- "response 200".
---@return string
function Response:__tostring()
  return ("response %s"):format(self.status)
end

--- End the transfer behind the response, if it still runs.
function Response:__close()
  self:close()
end

--- Make a response of plain values: for those who override `send`.
---@param fields { status: integer, headers?: table, body?: string, url?: string }
---@return oras.Response
function response.new(fields)
  local lower, lists = {}, {}
  for name, value in pairs(fields.headers or {}) do
    local list = type(value) == "table" and value or { value }
    lists[name:lower()] = list
    lower[name:lower()] = table.concat(list, ", ")
  end
  local made = {}
  for key, value in pairs(fields) do
    made[key] = value
  end
  made.headers = setmetatable({}, {
    __index = function(_, name)
      return lower[name:lower()]
    end,
    __call = function(_, name)
      return lists[name:lower()] or {}
    end,
  })
  return setmetatable(made, Response)
end

--- Take a response table of oras.core, or what an override of a method gave.
---@param value table
---@param method? string its name, "send" by default
---@return oras.Response
---@raise oras.Error usage
function response.adopt(value, method)
  if getmetatable(value) == Response then
    return value
  end
  if type(value) ~= "table" or math.type(value.status) ~= "integer" then
    errors.usage("%s gives a response with a status, not a %s", method or "send", type(value))
  end
  return response.new(value)
end

--- The body decoded as JSON, strictly; as often as wanted, a new value each time.
---@param options? { max_depth?: integer, max_bytes?: integer }
---@return any
---@raise oras.Error content, limit
function methods:json(options)
  local value, err = core.json.decode(self.content, options)
  if value == nil then
    errors.raise(name_request(self, err))
  end
  return value
end

local Chunks = { __name = "oras.Chunks" }

function Chunks:__call()
  local body = self.body
  if not body then
    return nil
  elseif type(body) == "string" then
    self.body = nil
    return body ~= "" and body or nil
  end
  local chunk, err = body:read()
  if chunk == nil then
    self.body = nil
    if err then
      errors.raise(name_request(self.response, err))
    end
  end
  return chunk
end

--- End the transfer.
function Chunks:close()
  local body = self.body
  self.body = nil
  if type(body) == "userdata" then
    body:close()
  end
end

Chunks.__index = Chunks
Chunks.__close = Chunks.close

--- Iterate over the bytes as they come, verified when the loop ends by itself. Leaving the
--- loop early ends the transfer, and so does `iterator:close()`.
---@return function iterator
---@raise oras.Error network, integrity, ...
function methods:chunks()
  local source = rawget(self, "content")
  if not source and not self.streaming then
    source = self.content
  elseif not source then
    source = self:_take_stream()
  end
  local iterator = setmetatable({ body = source, response = self }, Chunks)
  return iterator, nil, nil, iterator
end

function methods:_take_stream()
  if self.consumed then
    errors.usage "the body was read as a stream already"
  end
  self.consumed = true
  return self.body
end

--- Iterate over the members of an archive (tar, plain or packed, or zip) as they come.
---@param options? table `packing` and the limits `max_bytes`, `max_entries`, `max_ratio`, `max_depth`
---@return function iterator gives entries {path, type, size, mode, mtime, linkname}, `entry:read(n?)`
---@raise oras.Error content, limit, network, integrity
function methods:entries(options)
  local source = rawget(self, "content")
  if source or not self.streaming then
    source = { data = source or self.content }
  else
    source = self:_take_stream()
  end
  local media_type = self.descriptor and self.descriptor.mediaType
  return require("oras.archive").entries(source, options, media_type, function(err)
    return name_request(self, err)
  end)
end

--- End the transfer, if it still runs; what was read stays.
function methods:close()
  local body = self.body
  if type(body) == "userdata" and self.streaming then
    self.consumed = true
    body:close()
  end
end

return response
