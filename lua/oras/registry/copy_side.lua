--- The two sides of a copy: what one of them raises says which it was.
local errors = require "oras.error"

local Side = {}

function Side.__close(side, err)
  if errors.is_error(err) and not err.origin then
    err.origin = side.name
  end
end

local side = {
  SOURCE = setmetatable({ name = "source" }, Side),
  DESTINATION = setmetatable({ name = "destination" }, Side),
}

--- Call a method of an object for a side.
---@param one table SOURCE or DESTINATION
---@param object table
---@param method string
---@return any ...
function side.at(one, object, method, ...)
  local _ <close> = one
  return object[method](object, ...)
end

-- What is not there has nothing in it: a layout that will be made, a repository that will be.
local ABSENT <const> = { not_found = true }

-- Who may push but not look is not told; the upload says what is allowed.
local UNTOLD <const> = { auth = true, denied = true, not_found = true }

--- What a method of the target finds, or nil.
---@param copy oras.Copy
---@param method string
---@return any
function side.at_target(copy, method, ...)
  local found, err = errors.try(side.at, side.DESTINATION, copy.target, method, ...)
  if found == nil and err and not (copy.plan and ABSENT or UNTOLD)[err.class] then
    errors.raise(err)
  end
  return found
end

return side
