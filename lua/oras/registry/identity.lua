--- Are we the same to a registry on both sides of a copy? Only then may one repository's blobs be
--- mounted into another: a mount with other rights would tell what is where (CVE-2024-39897).
local private = require "oras.registry.private"

local identity = {}

local function endpoint_of(registry, place)
  return registry:_endpoint(place.host, place.host)
end

local function same_fields(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return (a or nil) == (b or nil)
  end
  for key, value in pairs(a) do
    if not same_fields(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

-- A scheme of the caller's own knows what it sends; nobody else does.
local function own_scheme(registry)
  local backend = registry._settings.auth_backend
  return type(backend) == "table" and backend or nil
end

-- Amazon's keys open a registry that is none of Amazon's by name only as the object's own.
local function same_amazon(one, other)
  local is_ecr = one.auth_backend == "ecr"
  return is_ecr == (other.auth_backend == "ecr") and (not is_ecr or one.hostname == other.hostname)
end

local function same_settings(a, b)
  local one, other = a._settings, b._settings
  return own_scheme(a) == own_scheme(b) and one.cert == other.cert and one.key == other.key
    and (one.auth_backend == "anonymous") == (other.auth_backend == "anonymous") and same_amazon(one, other)
    and same_fields(private[a].headers, private[b].headers)
end

--- Do both sides show the same credentials to one and the same registry?
---@param source oras.Registry
---@param from oras.Container
---@param target oras.Registry
---@param to oras.Container
---@return boolean
---@raise oras.Error config
function identity.is_same(source, from, target, to)
  if from.kind ~= "registry" or to.kind ~= "registry" then
    return false
  elseif endpoint_of(source, from).origin ~= endpoint_of(target, to).origin then
    return false
  elseif source ~= target and not same_settings(source, target) then
    return false
  end
  return same_fields(source:get_credentials(from.host, from.api_prefix), target:get_credentials(to.host, to.api_prefix))
end

return identity
