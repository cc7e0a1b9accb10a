--- Functions of the program that this runs in, by the names under which it registered them
--- (oras_register in C). Values go to and fro as JSON.
---
---     local functions = require "oras.functions"
---     if functions.price then
---       local euros = functions.price("apple", 3)
---     end
local core = require "oras.core"
local errors = require "oras.error"
local host = require "oras.host"

local json = core.json

local function encode(...)
  local args = json.array {}
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    args[i] = value == nil and json.null or value
  end
  return errors.check(json.encode(args))
end

local function call(name, ...)
  local reply, err = host.call(name, encode(...))
  if err then
    errors.raise(err)
  elseif not reply then
    return nil
  end
  local value, why = json.decode(reply)
  if why then
    errors.raise {
      class = "content", message = ("what the host's function '%s' gives is no JSON: %s"):format(name, why.message),
    }
  end
  if value == json.null then
    return nil
  end
  return value
end

local functions = {}

--- A function of the host's; nil where none has that name.
---@param name string
---@return function?
function functions.__index(_, name)
  if type(name) ~= "string" or not host.has(name) then
    return nil
  end
  return function(...)
    return call(name, ...)
  end
end

return setmetatable({}, functions)
