--- Redirects: ours, never libcurl's. The core judges each hop (`from`) and sends secrets,
--- custom headers and client certificates to the origin they are bound to and nowhere else.
local core = require "oras.core"
local errors = require "oras.error"

local redirect = {}

local MAX_LOCATION <const> = 8192

local STATUSES <const> = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }
local SAFE <const> = { GET = true, HEAD = true }

--- Is it an answer that sends us elsewhere?
---@param status integer
---@return boolean
function redirect.is_redirect(status)
  return STATUSES[status] == true
end

local function refuse(request, response, text)
  errors.raise {
    class = "redirect",
    message = text,
    method = request.method,
    url = core.url.redact(request.url),
    status = response.status,
  }
end

local function location_of(request, response)
  local list = response.headers "Location"
  local location = list and list[1]
  if not location or location == "" then
    refuse(request, response, "a redirect without Location")
  elseif #list > 1 then
    refuse(request, response, "a redirect with more than one Location")
  elseif #location > MAX_LOCATION then
    refuse(request, response, ("a redirect to a Location of %d bytes, more than %d"):format(#location, MAX_LOCATION))
  end
  local target, err = core.url.resolve(response.url or request.url, location)
  if not target then
    refuse(request, response, "a redirect to nowhere: " .. err.message)
  end
  return target
end

--- May bytes that are uploaded go to an origin? To the registry's own, and to those that the
--- user has listed; what belongs to the registry (credentials, headers) goes to its own alone.
---@param registry_origin string
---@param listed? string[] the option upload_origins
---@param origin string
---@return boolean
function redirect.takes_uploads(registry_origin, listed, origin)
  if origin == registry_origin then
    return true
  end
  for _, allowed in ipairs(listed or {}) do
    if core.url.origin(allowed) == origin then
      return true
    end
  end
  return false
end

-- A body goes again only where the status keeps the method, and only where it may go at all.
local function check_method(request, response, target)
  if SAFE[request.method] then
    return
  end
  local keeps = response.status == 307 or response.status == 308
  if not keeps or not redirect.takes_uploads(request.origin, request.upload_origins, core.url.origin(target)) then
    refuse(request, response, ("a redirect of %s elsewhere"):format(request.method))
  end
end

--- Point a request to where the answer sends it.
---@param request table changed: url, from, purpose
---@param response oras.Response
---@param hops integer how many there were, with this one
---@param max integer
---@raise oras.Error redirect
function redirect.follow(request, response, hops, max)
  if hops > max then
    refuse(request, response, ("more than %d redirects"):format(max))
  end
  local target = location_of(request, response)
  check_method(request, response, target)
  request.url = target
  request.from = response.hop
  request.purpose = "redirect"
end

return redirect
