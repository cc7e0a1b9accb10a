--- Basic authentication: the password goes to the registry itself (RFC 7617).
local auth = require "oras.auth"
local core = require "oras.core"
local errors = require "oras.error"

local basic = {}

-- One that is good for a while, and that is over.
local function is_stale(found)
  return found.fresh_until and core.clock.monotonic() >= found.fresh_until
end

--- Send the password at once to an origin that has asked for it before.
function basic.prepare(_, _, request, state)
  if is_stale(state.found) then
    request.endpoint.auth = nil
    return
  end
  request.secret = state.secret
  request.basic_sent = true
end

--- Answer a Basic challenge, once a request: a password that was refused stays refused.
---@return boolean again
---@raise oras.Error auth
function basic.answer(scheme, registry, request)
  local endpoint = request.endpoint
  if request.basic_sent then
    local refused = endpoint.auth and endpoint.auth.found
    if refused and refused.fresh_until then
      refused.fresh_until = 0 -- the next request asks for another
    end
    endpoint.auth = nil
    auth.fail(request, "%s refuses the user name or password", endpoint.host)
  end
  local found = auth.credentials(scheme, registry, request)
  if not found then
    auth.fail(request, "%s asks for a user name and password, none are known", endpoint.host)
  elseif not found.username then
    auth.fail(request, "%s asks for a user name and password, only a token is known", endpoint.host)
  end
  request.secret = errors.check(core.auth.basic(endpoint.origin, found.username, found.password))
  request.basic_sent = true
  endpoint.auth = { kind = "basic", secret = request.secret, found = found }
  return true
end

return basic
