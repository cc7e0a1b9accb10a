--- Credentials in the docker configuration: the `auths` of config.json. Looked up by exact
--- host, so that no look-alike ever gets them.
local core = require "oras.core"
local errors = require "oras.error"

local config = {}

local LIMIT <const> = 4 * 1024 * 1024
local ENOENT <const>, ENOTDIR <const> = 2, 20

local HUB_KEY <const> = "https://index.docker.io/v1/"
local HUB <const> = {
  ["docker.io"] = true, ["index.docker.io"] = true, ["registry-1.docker.io"] = true,
}

local function fail(source, format, ...)
  errors.raise { class = "config", message = ('"%s": '):format(source) .. format:format(...) }
end

--- The file that is used: the option's, $DOCKER_CONFIG/config.json, ~/.docker/config.json.
---@param path? string
---@return string? nil when there is no home
function config.path(path)
  if path then
    return path
  end
  local dir = os.getenv "DOCKER_CONFIG"
  if dir and dir ~= "" then
    return dir .. "/config.json"
  end
  local home = os.getenv "HOME"
  return home and home ~= "" and home .. "/.docker/config.json" or nil
end

local function is_missing(err)
  return err.class == "not_found" or err.native == ENOENT or err.native == ENOTDIR
end

local function decode(text, source)
  if not text:find "%S" then
    return {}
  end
  local document, err = core.json.decode(text, { max_bytes = LIMIT })
  if document == nil then
    fail(source, "%s", err.message)
  elseif type(document) ~= "table" or core.json.is_array(document) then
    fail(source, "expected a JSON object")
  end
  return document
end

local function read(path)
  local text, err = core.file.read(path, LIMIT)
  if text then
    return decode(text, path)
  elseif is_missing(err) then
    return {}
  end
  fail(path, "%s", err.message)
end

local function field(holder, name, kind, source)
  local value = holder[name]
  if value == nil or value == core.json.null then
    return nil
  elseif type(value) ~= kind or core.json.is_array(value) then
    fail(source, 'the field "%s" is no %s', name, kind == "table" and "object" or kind)
  end
  return value
end

-- "https://host/v1/" and "host" are the same key (docker's legacy form).
local function host_of(key)
  return (key:gsub("^https?://", ""):gsub("/.*$", ""))
end

local function find(auths, hostname)
  local key = HUB[hostname] and HUB_KEY or hostname
  if auths[key] ~= nil then
    return auths[key], key
  end
  local found, found_key
  for candidate, entry in pairs(auths) do
    local host = host_of(candidate)
    local same = host == hostname or (HUB[hostname] and HUB[host])
    if same and (not found_key or candidate < found_key) then
      found, found_key = entry, candidate
    end
  end
  return found, found_key
end

local function from_auth(text, key, source)
  local plain = core.base64.decode(text)
  local user, password = (plain or ""):match("^([^:]+):(.*)$")
  if not user then
    fail(source, 'the "auth" of "%s" is not base64 of "user:password"', key)
  end
  return user, (password:gsub("%z+$", ""))
end

-- The order of docker: a registry's own token, an identity token, auth, name and password.
local function credentials_of(entry, key, source)
  if type(entry) ~= "table" then
    fail(source, 'the entry of "%s" is a %s, expected an object', key, type(entry))
  end
  local registry_token = field(entry, "registrytoken", "string", source)
  if registry_token and registry_token ~= "" then
    return { registry_token = registry_token }
  end
  local identity_token = field(entry, "identitytoken", "string", source)
  if identity_token and identity_token ~= "" then
    return { identity_token = identity_token }
  end
  local user = field(entry, "username", "string", source)
  local password = field(entry, "password", "string", source)
  local text = field(entry, "auth", "string", source)
  if text and text ~= "" then
    user, password = from_auth(text, key, source)
  end
  if user == "<token>" and password then
    return { identity_token = password }
  elseif user and user ~= "" and password and password ~= "" then
    return { username = user, password = password }
  end
end

-- What no header can carry is found where it stands, not when it is sent.
local function check_sendable(found, key, source)
  for name, value in pairs(found) do
    local token = name == "registry_token" and value:find "[^\33-\126]"
    if token or value:find "%c" or (name == "username" and value:find ":") then
      fail(source, 'the %s of "%s" has a character that it cannot have', (name:gsub("_", " ")), key)
    end
  end
  return found
end

local function search(document, hostname, source)
  local auths = field(document, "auths", "table", source)
  local entry, key = find(auths or {}, hostname)
  local found = entry ~= nil and credentials_of(entry, key, source)
  return found and check_sendable(found, key, source) or nil
end

--- The credentials that the configuration has for a registry. The variable
--- DOCKER_AUTH_CONFIG comes before the file, unless a file is named.
---@param hostname string
---@param path? string
---@return table? `{username, password}`, `{identity_token}` or `{registry_token}`
---@raise oras.Error config
function config.lookup(hostname, path)
  local variable = not path and os.getenv "DOCKER_AUTH_CONFIG"
  if variable and variable ~= "" then
    local found = search(decode(variable, "DOCKER_AUTH_CONFIG"), hostname, "DOCKER_AUTH_CONFIG")
    if found then
      return found
    end
  end
  local file = config.path(path)
  return file and search(read(file), hostname, file) or nil
end

return config
