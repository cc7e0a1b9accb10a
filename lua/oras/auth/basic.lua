--- Basic authentication: the password goes to the registry itself (RFC 7617).
local auth = require "oras.auth"
local core = require "oras.core"
local errors = require "oras.error"

local basic = {}

--- Send the password at once to an origin that has asked for it before.
function basic.prepare(_, _, request, state)
  request.secret = state.secret
  request.basic_sent = true
end

--- Answer a Basic challenge, once a request: a password that was refused stays refused.
---@return boolean again
---@raise oras.Error auth
function basic.answer(scheme, registry, request)
  local endpoint = request.endpoint
  if request.basic_sent then
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
  endpoint.auth = { kind = "basic", secret = request.secret }
  return true
end

return basic
