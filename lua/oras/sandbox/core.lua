--- `oras.core` in the sandbox's child: JSON is computed here, all else is asked of the parent, which
--- has the parsers. What is missing is refused.
local link = require "oras.sandbox.link"

local ask <const> = link.ask

local core = {
  error = link.prim.error,
  json = link.json,
  version = link.prim.version,
}

--- No file is the program that was started.
function core.is_main()
  return false
end

-- A pure function of the parent's; `bytes`: its first argument (or result) is no text.
local function pure(name)
  return function(...)
    local args, n = { ... }, select("#", ...)
    for i = 1, n do
      if args[i] == nil then
        args[i] = link.json.null
      end
    end
    local answer = ask { op = "pure", fn = name, args = link.json.array(args) }
    if answer.failure then
      return nil, setmetatable(answer.failure, core.error)
    end
    return table.unpack(answer.results, 1, #answer.results)
  end
end

-- The same, remembered for the texts that come again and again.
local function remembered(name, copy)
  local fn, known, n = pure(name), {}, 0
  return function(text, more)
    local key = more ~= nil and more .. "\0" .. text or text
    local value = type(text) == "string" and known[key]
    if not value then
      local err
      value, err = fn(text, more)
      if value == nil then
        return nil, err
      end
      n = n + 1
      if n > 256 then
        known, n = {}, 1
      end
      known[key] = value
    end
    return copy and copy(value) or value
  end
end

local function shallow(value)
  local copy = {}
  for k, v in pairs(value) do
    copy[k] = v
  end
  return copy
end

core.reference = {
  parse = remembered("reference.parse", shallow),
  print = function(container)
    return pure "reference.print"(shallow(container))
  end,
  url = function()
    link.refuse "a URL of one's own"
  end,
}

local last_bytes, last_digest -- of what the parent has verified

--- The parent says of which digest bytes are.
---@param bytes string
---@param digest string
function core.note_digest(bytes, digest)
  last_bytes, last_digest = bytes, digest
end

core.digest = {
  of = function(bytes, algorithm)
    if bytes == last_bytes and last_digest:match "^[^:]+" == (algorithm or "sha256") then
      return last_digest
    end
    local answer = ask({ op = "digest", algorithm = algorithm }, bytes)
    return answer.digest
  end,
  parse = remembered("digest.parse", shallow),
}

core.base64 = {
  decode = function(text)
    local answer, bytes = ask { op = "base64", text = text }
    if answer.failure then
      return nil, setmetatable(answer.failure, core.error)
    end
    return bytes
  end,
  encode = function(bytes)
    return ask({ op = "base64" }, bytes).text
  end,
}

core.url = {}
for _, name in ipairs { "append_query", "is_loopback", "origin", "parse", "redact", "resolve" } do
  core.url[name] = pure("url." .. name)
end

core.path = { title = pure "path.title", relative = pure "path.relative" }

-- Files are the parent's.
local function refusing(name, functions)
  return setmetatable(functions, {
    __index = function(_, key)
      link.refuse(("%s.%s"):format(name, tostring(key)))
    end,
  })
end

core.file = refusing("oras.core.file", { sweep = function() end })

core.progress = { is_wanted = function() return false end }

core.log = {
  level = function() return "info" end,
  write = function(_, text) ask({ op = "say" }, text) end,
}

-- --- archives and bodies --------------------------------------------------------------------

-- Which handle of the parent's a userdata stands for.
local ids = setmetatable({}, { __mode = "k" })

local function close(self)
  if ids[self] then
    link.dropped(ids[self])
    ids[self] = nil
  end
end

local function handle_type(name, methods)
  methods.close = close
  return {
    __name = name, __index = methods, __gc = close, __close = close,
    __tostring = function() return name end,
  }
end

local function new_handle(meta, id)
  local handle = link.handle(meta)
  ids[handle] = id
  return handle
end

-- nil, err where oras.core would give it.
local function try(message, bytes)
  return require("oras.error").try(ask, message, bytes)
end

local BODY <const> = handle_type("oras.body", {
  read = function(self)
    local id = ids[self]
    if not id then
      return nil
    end
    local answer, bytes = try { op = "read", handle = id }
    if not answer then
      return nil, bytes
    end
    return not answer.ended and bytes or nil
  end,
})

local READER <const> = handle_type("oras.reader", {
  next = function(self)
    local answer, err = try { op = "next", handle = ids[self] }
    if not answer then
      return nil, err
    end
    return answer.entry
  end,
  read = function(self, n)
    local answer, bytes = try { op = "entry", handle = ids[self], n = n }
    if not answer then
      return nil, bytes
    end
    return not answer.ended and bytes or nil
  end,
})

--- A body that the parent holds.
---@param id integer
---@return userdata
function core.body(id)
  return new_handle(BODY, id)
end

core.archive = {
  reader = function(source, limits)
    local message = { op = "archive", limits = limits }
    if type(source) == "userdata" then
      message.handle = ids[source]
      ids[source] = nil -- the reader has it from now on
    else
      message.file = source.path
    end
    local answer, err = try(message, type(source) == "table" and source.data or nil)
    if not answer then
      return nil, err
    end
    return new_handle(READER, answer.handle)
  end,
}

return refusing("oras.core", core)
