--- oras.Error: what Registry methods raise. The C side makes objects of the same kind.
local core = require "oras.core"

---@class oras.Error
---@field class string usage, auth, denied, not_found, rate, server, network, timeout, tls,
--- protocol, redirect, integrity, content, limit, path, exists, io, config, helper, cancelled,
--- memory, script, sandbox, unsupported
---@field message string one line, without secrets
---@field code? string the registry's own code, "MANIFEST_UNKNOWN"
---@field status? integer
---@field method? string
---@field url? string redacted
---@field digest? string
---@field where? string "file:line" of the caller, outside of this library
---@field retryable? boolean
---@field attempts? integer
local Error = core.error

local errors = {}

local getinfo = debug.getinfo -- a script may replace it

-- Frames of our own files are passed over when the caller's line is looked for. Embedded
-- files are named "=oras/..."; files on disk share the folder of this one.
local function own_prefix()
  local source = getinfo(1, "S").source
  return source:match("^(.*)error%.lua$") or source
end

local OURS <const> = own_prefix()

local function is_ours(source)
  return source:sub(1, 6) == "=oras/" or source:sub(1, #OURS) == OURS
end

--- Where the innermost frame stands that is not of this library: "script.lua:12" or nil.
---@return string?
function errors.position()
  local level = 2
  while true do
    local frame = getinfo(level, "Sl")
    if not frame then
      return nil
    end
    if frame.currentline > 0 and not is_ours(frame.source) then
      return ("%s:%d"):format(frame.short_src, frame.currentline)
    end
    level = level + 1
  end
end

-- What the core raises by itself says where, too.
Error.__position = errors.position

--- The name of our function that the caller called, when it was called by a name.
---@return string?
function errors.entry()
  local level, name = 2, nil
  while true do
    local frame = getinfo(level, "Sn")
    if not frame or not is_ours(frame.source) then
      return name
    end
    level, name = level + 1, frame.name
  end
end

--- Make an error object.
---@param fields table `class` and `message` at least
---@return oras.Error
function errors.new(fields)
  return setmetatable(fields, Error)
end

--- Is the value an oras.Error?
---@return boolean
function errors.is_error(value)
  return getmetatable(value) == Error
end

--- Raise an error object (or one made of the fields), with the caller's position noted.
---@param err oras.Error|table
---@raise oras.Error
function errors.raise(err)
  if getmetatable(err) ~= Error then
    if type(err) ~= "table" then
      error(err, 0)
    end
    setmetatable(err, Error)
  end
  if not rawget(err, "where") then
    err.where = errors.position()
  end
  error(err, 0)
end

--- Say of what an error tells: before its message and, where it knows none, in its fields.
---@param err oras.Error
---@param what? string "manifest of ghcr.io/a/b:1"
---@param about { method?: string, url?: string, digest?: string }
---@return oras.Error
function errors.name(err, what, about)
  if what then
    err.message = ("%s: %s"):format(what, err.message)
  end
  for field, value in pairs(about) do
    if (err[field] or "") == "" then
      err[field] = field == "url" and core.url.redact(value) or value
    end
  end
  return err
end

--- Raise a usage error: a mistake of whoever called the library.
---@param format string as string.format takes it
---@raise oras.Error usage
function errors.usage(format, ...)
  errors.raise { class = "usage", message = format:format(...) }
end

--- Give the value of a function of oras.core, or raise what it failed with.
---@raise oras.Error
function errors.check(value, err)
  if value == nil and err ~= nil then
    errors.raise(err)
  end
  return value
end

local function finish(ok, ...)
  if ok then
    return ...
  end
  local err = ...
  if getmetatable(err) == Error then
    return nil, err
  end
  error(err, 0)
end

--- Call a function; an oras.Error that it raises is given back as `nil, err`. Anything else
--- is a bug and goes on up.
---@param fn function
---@return any ... what fn gave, or nil and an oras.Error
function errors.try(fn, ...)
  return finish(pcall(fn, ...))
end

local function request_text(err)
  local parts = {}
  if err.url then
    parts[1] = err.method and (err.method .. " " .. err.url) or err.url
  end
  if err.status and err.status ~= 0 then
    parts[#parts + 1] = tostring(err.status)
  end
  return #parts > 0 and (" (%s)"):format(table.concat(parts, ", ")) or ""
end

--- One line: `CODE or class: message (METHOD url, status)`.
---@return string
function Error:__tostring()
  local name = self.code
  if not name or name == "" then
    name = self.class
  end
  local text = ("%s: %s%s"):format(name or "error", self.message or "", request_text(self))
  return (text:gsub("[%c]+", " "))
end

Error.__name = "oras.Error"
if rawget(Error, "__index") == nil then
  Error.__index = {}
end

errors.Error = Error

return errors
