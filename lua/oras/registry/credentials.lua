--- Registry methods on credentials: who we are at which registry.
local auth_file = require "oras.auth.auth_file"
local errors = require "oras.error"
local private = require "oras.registry.private"

local Registry = require "oras.registry"

local function check_text(value, verb, what)
  if type(value) ~= "string" or value == "" then
    errors.usage("%s: the %s is a string that is not empty", verb, what)
  end
end

-- Docker Hub's API has another host than its references.
local canonical <const> = auth_file.canonical

-- New credentials: what was learnt with others is forgotten.
local function remember(self, credentials, host)
  private[self].credentials = credentials
  self._credentials_host = canonical(host or self.hostname)
  if self.auth and self.auth.forget then
    self.auth:forget(self)
  end
  for _, endpoint in pairs(self._endpoints) do
    endpoint.auth = nil
  end
end

--- Use a user name and password (or personal access token). They go to `hostname`, or to the
--- option of that name, or else to the first registry that asks for credentials; to no other.
---@param user string
---@param password string
---@param hostname? string
---@raise oras.Error usage
function Registry:set_basic_auth(user, password, hostname)
  check_text(user, "set_basic_auth", "user name")
  check_text(password, "set_basic_auth", "password")
  if user:find "[:%c]" or password:find "%c" then
    errors.usage "set_basic_auth: a user name has no colon, neither it nor a password a control character"
  end
  remember(self, { username = user, password = password }, hostname)
end

--- Use a bearer token that the registry itself understands; bound as set_basic_auth says.
---@param token string
---@param hostname? string
---@raise oras.Error usage
function Registry:set_token_auth(token, hostname)
  check_text(token, "set_token_auth", "token")
  if token:find "[^\33-\126]" then
    errors.usage "set_token_auth: the token has a character that no token has"
  end
  remember(self, { registry_token = token }, hostname)
end

--- The credentials for a registry; a subclass may override it to supply them. Asked only when
--- the registry wants some: those that were set, else what the program gives that this runs in
--- (oras_options.credentials in C), else those of the environment, of a helper or a file
--- (docs/credentials.md), for the longest part of the repository's name that has some.
---@param hostname string "ghcr.io", "localhost:5000"
---@param repository? string
---@return table|false|nil `{username, password}`, `{identity_token}` or `{registry_token}`; false: nobody
---@raise oras.Error config, helper
function Registry:get_credentials(hostname, repository)
  local set = private[self].credentials
  if set then
    self._credentials_host = self._credentials_host or canonical(hostname)
    if self._credentials_host == canonical(hostname) then
      return set
    end
  end
  local given = require("oras.host").credentials(hostname, repository)
  if given ~= nil then
    return given
  end
  local settings = self._settings
  local timeout = (settings.timeout or {}).helper
  return (require("oras.auth.config").lookup(hostname, settings.config_path, repository, timeout))
end
