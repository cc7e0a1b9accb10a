--- How a registry asks for credentials and how we answer.
---
--- A scheme is a table with `prepare(registry, request)`, called before a request is sent, and
--- `answer(registry, request, response)`, called with a 401 of the registry itself; it sets
--- `request.secret` and gives true when the request is to be sent again. `auth_backend` takes
--- such a table; `forget(registry)` is called, if there is one, when credentials change.
local core = require "oras.core"
local errors = require "oras.error"
local options = require "oras.options"

local auth = {}

---@class oras.AuthScheme
local Scheme = { __name = "oras.AuthScheme" }
Scheme.__index = Scheme

-- Which challenges each backend answers.
local BACKENDS <const> = {
  anonymous = { bearer = true },
  auto = { bearer = true, basic = true },
  basic = { basic = true },
  ecr = { bearer = true, basic = true },
  token = { bearer = true },
}

local OPTIONS <const> = { grant = "string" }

--- Make the scheme of a backend: "auto", "basic", "token", "ecr" or "anonymous". A password is
--- changed for a token by GET, with `grant = "password"` by OAuth2's POST; what the token server
--- does not know is tried the other way.
---@param backend string
---@param opts? { grant?: string }
---@return oras.AuthScheme
---@raise oras.Error usage
function auth.new(backend, opts)
  opts = options.check(opts, OPTIONS, "auth.new")
  if not BACKENDS[backend] then
    errors.usage("auth.new: there is no backend %q", tostring(backend))
  elseif opts.grant and opts.grant ~= "password" then
    errors.usage('auth.new: grant is "password", not %q', opts.grant)
  end
  return setmetatable({
    answers = BACKENDS[backend], anonymous = backend == "anonymous", ecr = backend == "ecr", grant = opts.grant,
  }, Scheme)
end

local MODULES <const> = { basic = "oras.auth.basic", bearer = "oras.auth.token" }

--- Give a request what its registry accepted before.
---@param registry oras.Registry
---@param request table
function Scheme:prepare(registry, request)
  local state = request.endpoint.auth
  if state then
    require(MODULES[state.kind]).prepare(self, registry, request, state)
  end
end

local function usable(challenge)
  return challenge.scheme == "basic"
    or (challenge.scheme == "bearer" and (challenge.params.realm or "") ~= "")
end

-- Bearer before Basic: a token is worth less than a password (faults N30).
local function choose(challenges, answers)
  local chosen
  for _, challenge in ipairs(challenges) do
    if answers[challenge.scheme] and usable(challenge) then
      if challenge.scheme == "bearer" then
        return challenge
      end
      chosen = chosen or challenge
    end
  end
  return chosen
end

local function names_of(challenges)
  local names, seen = {}, {}
  for _, challenge in ipairs(challenges) do
    local name = require("oras.registry.status").sanitise(challenge.scheme):sub(1, 40)
    if not seen[name] and #names < 5 then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  return #names > 0 and table.concat(names, ", ") or "nothing that can be read"
end

--- Raise an error about credentials, with what the request was.
---@param request table
---@param format string
---@raise oras.Error auth
function auth.fail(request, format, ...)
  errors.raise {
    class = "auth",
    message = format:format(...),
    method = request.method,
    status = 401,
    url = core.url.redact(request.url),
    retryable = false,
  }
end

--- Answer a 401.
---@param registry oras.Registry
---@param request table
---@param response oras.Response
---@return boolean again
---@raise oras.Error auth, ...
function Scheme:answer(registry, request, response)
  local challenges, err = core.auth.challenges(response.headers "WWW-Authenticate")
  if not challenges then
    errors.raise(err)
  end
  local challenge = choose(challenges, self.answers)
  if not challenge then
    auth.fail(request, "%s asks for %s; none of it can be answered", request.endpoint.host, names_of(challenges))
  end
  return require(MODULES[challenge.scheme]).answer(self, registry, request, challenge, response)
end

--- Forget what was learnt: the credentials are others now.
---@param registry oras.Registry
function Scheme.forget(_, registry)
  for _, endpoint in pairs(registry._endpoints) do
    endpoint.auth = nil
  end
end

-- Keys of Amazon's open its registries where nothing else is known for them, or first of all if the
-- user says so.
local function find(scheme, registry, request, name)
  local found = scheme.ecr and require("oras.auth.ecr").credentials(registry, name, request, true)
    or registry:get_credentials(name, request.repository)
  if found == nil and (name:find("amazonaws.", 1, true) or name:find "%.aws$" or name:find "%.aws:%d+$") then
    return require("oras.auth.ecr").credentials(registry, name, request)
  end
  return found
end

--- The credentials for a request's registry, or nil: anonymous.
---@param scheme oras.AuthScheme
---@param registry oras.Registry
---@param request table
---@return table?
---@raise oras.Error config, usage, ...
function auth.credentials(scheme, registry, request)
  if scheme.anonymous then
    return nil
  end
  local host = request.endpoint.host
  local name = host == "registry-1.docker.io" and "docker.io" or host
  local found = find(scheme, registry, request, name)
  if found == nil or found == false then
    return nil
  end
  local good = type(found) == "table" and (type(found.identity_token) == "string"
    or type(found.registry_token) == "string"
    or (type(found.username) == "string" and type(found.password) == "string"))
  if not good then
    errors.usage "get_credentials gives {username, password}, {identity_token}, {registry_token} or nil"
  end
  return found
end

return auth
