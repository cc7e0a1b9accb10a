--- Registry methods login and logout: credentials are asked about, kept and forgotten.
local auth_file = require "oras.auth.auth_file"
local config = require "oras.auth.config"
local core = require "oras.core"
local errors = require "oras.error"
local options = require "oras.options"
local private = require "oras.registry.private"
local adopt = require("oras.response").adopt

local Registry = require "oras.registry"

local LOGIN <const> = {
  config_path = "string|table",
  hostname = "string",
  identity_token = "string",
  password = "string",
  username = "string",
}
local LOGOUT <const> = { config_path = "string|table" }

-- The host that is meant: docker's old key of a registry is one, too.
local function host_of(text, verb)
  if text ~= nil and type(text) ~= "string" then
    errors.usage("%s: the hostname is a string, not a %s", verb, type(text))
  end
  local host = (text or ""):gsub("^https?://([^/]+)/v%d/?$", "%1")
  local parsed = host:find "^[^/%s@?#]+$" and core.url.parse("https://" .. host .. "/")
  if not parsed then
    errors.usage('%s: the hostname is "host" or "host:port", not %q', verb, text or "")
  end
  return auth_file.canonical(host)
end

local function credentials_of(opts)
  local token, user, password = opts.identity_token, opts.username, opts.password
  local found = token and { identity_token = token } or { username = user, password = password }
  if token and (user or password) then
    errors.usage "login: identity_token stands alone, without username and password"
  elseif not token and (not user or not password) then
    errors.usage "login: it takes username and password, or identity_token"
  elseif token == "" or user == "" or password == "" then
    errors.usage "login: what proves who we are is not empty"
  end
  local bad = auth_file.unsendable(found)
  if bad then
    errors.usage("login: the %s has a character that it cannot have", bad)
  end
  return found
end

-- Ways of authentication that would not use the credentials that are asked about.
local PASSES_BY <const> = { anonymous = true, ecr = true }

-- An object like this one that knows nothing yet but these credentials: a token that is in hand
-- would let a wrong password pass.
local function probe_of(self, credentials)
  local probe = setmetatable({}, getmetatable(self))
  probe:_prepare()
  for name, value in next, self do
    if name ~= "_endpoints" then
      probe[name] = value
    end
  end
  if PASSES_BY[self._settings.auth_backend] then
    probe.auth = require("oras.auth").new "auto"
  end
  private[probe] = options.copied(private[self])
  probe.get_credentials = function()
    return credentials
  end
  return probe
end

local function ask(self, host, credentials)
  local where = host == "docker.io" and "registry-1.docker.io" or host
  local response = adopt(probe_of(self, credentials):do_request("GET", where .. "/v2/", { http2 = true }), "do_request")
  self:check_response(response)
  response:close()
end

-- What was learnt with the old credentials is forgotten, and those that the object was given.
local function forget(self, host)
  local hidden = private[self]
  if self._credentials_host == host then
    hidden.credentials, self._credentials_host = nil, nil
  end
  if self.auth and self.auth.forget then
    self.auth:forget(self)
  end
  for _, endpoint in pairs(self._endpoints) do
    endpoint.auth = nil
  end
end

local function place_of(self, opts)
  return opts.config_path or self._settings.config_path, (self._settings.timeout or {}).helper
end

local function check_dry_run(self, host, verb)
  if self.dry_run then
    errors.raise {
      class = "denied", code = "DRY_RUN", retryable = false,
      message = ("dry run: credentials of %s not %s"):format(host, verb),
    }
  end
end

--- Log in: ask the registry whether it takes these credentials, then keep them where
--- `get_credentials` finds them (docs/credentials.md).
---@param opts table `hostname` (else the object's), `username` and `password`, or `identity_token`; `config_path`
---@return { hostname: string, username?: string, config_path: string }
---@raise oras.Error usage, auth, config, helper, io, network, ...
function Registry:login(opts)
  opts = options.check(opts, LOGIN, "login")
  local host = host_of(opts.hostname or self.hostname, "login")
  local credentials = credentials_of(opts)
  ask(self, host, credentials)
  check_dry_run(self, host, "kept")
  local path = require("oras.auth.store").save(host, credentials, place_of(self, opts))
  forget(self, host)
  if config.is_shadowed(host, opts.config_path or self._settings.config_path) then
    require("oras.log").warn("DOCKER_AUTH_CONFIG has credentials for %s, which come before these", host)
  end
  return { hostname = host, username = credentials.username, config_path = path }
end

-- What is left is told; that another file is broken is no reason to fail now.
local function elsewhere(host, path, timeout)
  local found, source = errors.try(config.lookup, host, path, nil, timeout)
  return found and source or nil
end

--- Log out: forget a registry's credentials, in the file (or with the helper) that login writes.
---@param hostname? string the option `hostname` unless given
---@param opts? { config_path?: string|string[] }
---@return true? was_there nil when there was nothing
---@return string? elsewhere another place that still has credentials for it
---@raise oras.Error usage, config, helper, io
function Registry:logout(hostname, opts)
  opts = options.check(opts, LOGOUT, "logout")
  local host = host_of(hostname or self.hostname, "logout")
  local path, timeout = place_of(self, opts)
  check_dry_run(self, host, "forgotten")
  local was_there = require("oras.auth.store").erase(host, path, timeout)
  forget(self, host)
  return was_there or nil, elsewhere(host, path, timeout)
end
