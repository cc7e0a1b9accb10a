--- A file with credentials: docker's config.json and the containers tools' auth.json, which have
--- one form (containers-auth.json(5)). Looked up by exact host, so that no look-alike ever gets any.
local core = require "oras.core"
local errors = require "oras.error"

local auth_file = {}

local LIMIT <const> = 4 * 1024 * 1024
local ENOENT <const>, ENOTDIR <const> = 2, 20

local HUB <const> = {
  ["docker.io"] = true, ["index.docker.io"] = true, ["registry-1.docker.io"] = true,
}
local HUB_KEY <const> = "https://index.docker.io/v1/"

auth_file.LIMIT = LIMIT

--- Raise an error that names the file (or variable) and shows nothing of it.
---@param source string
---@param format string
---@raise oras.Error config
function auth_file.fail(source, format, ...)
  errors.raise { class = "config", message = ('"%s": '):format(source) .. format:format(...) }
end

local fail <const> = auth_file.fail

--- One name for a registry's host: Docker Hub has several.
---@param host string
---@return string
function auth_file.canonical(host)
  return HUB[host] and "docker.io" or host
end

--- Under what docker, and helpers, keep a host's credentials.
---@param host string
---@return string
function auth_file.key(host)
  return HUB[host] and HUB_KEY or host
end

--- Decode the text of such a file; an empty one is an empty object.
---@param text string
---@param source string
---@return table
---@raise oras.Error config
function auth_file.decode(text, source)
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

--- Read such a file; a missing one is an empty object.
---@param path string
---@return table
---@raise oras.Error config
function auth_file.read(path)
  local text, err = core.file.read(path, LIMIT)
  if text then
    return auth_file.decode(text, path)
  elseif err.class == "not_found" or err.native == ENOENT or err.native == ENOTDIR then
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

-- Host and path that a key stands for. A key with a scheme, or a path of the API alone, is docker's
-- old form of a host: "https://host/v1/"; any other path is a namespace or repository.
local function parse_key(key)
  local plain = key:gsub("^https?://", "")
  local host, path = plain:match "^([^/]*)/*(.-)/*$"
  if plain ~= key or path == "v1" or path == "v2" then
    path = ""
  end
  return auth_file.canonical(host), path
end

local function is_within(repository, path)
  return path == "" or (repository ~= nil and (repository .. "/"):sub(1, #path + 1) == path .. "/")
end

-- The longest path first; of the same, docker's own key, then the smallest.
local function order(own_key)
  return function(a, b)
    if #a.path ~= #b.path then
      return #a.path > #b.path
    elseif (a.key == own_key) ~= (b.key == own_key) then
      return a.key == own_key
    end
    return a.key < b.key
  end
end

-- Keys of a table that mean the host, or a part of it with the repository in it.
local function keys_for(holder, host, repository)
  local wanted, found = auth_file.canonical(host), {}
  for key in pairs(holder) do
    local key_host, path = parse_key(key)
    if key_host == wanted and is_within(repository, path) then
      found[#found + 1] = { key = key, path = path }
    end
  end
  table.sort(found, order(auth_file.key(host)))
  return found
end

local function from_auth(text, key, source)
  local plain = core.base64.decode(text)
  local user, password = (plain or ""):match("^([^:]+):(.*)$")
  if not user then
    fail(source, 'the "auth" of "%s" is not base64 of "user:password"', key)
  end
  return user, (password:gsub("%z+$", ""))
end

local function text_field(entry, name, source)
  local value = field(entry, name, "string", source)
  return value ~= "" and value or nil
end

-- The order of docker: a registry's own token, an identity token, auth, name and password.
local function credentials_of(entry, key, source)
  if type(entry) ~= "table" then
    fail(source, 'the entry of "%s" is a %s, expected an object', key, type(entry))
  end
  local registry_token = text_field(entry, "registrytoken", source)
  if registry_token then
    return { registry_token = registry_token }
  end
  local identity_token = text_field(entry, "identitytoken", source)
  if identity_token then
    return { identity_token = identity_token }
  end
  local user, password = text_field(entry, "username", source), text_field(entry, "password", source)
  local text = text_field(entry, "auth", source)
  if text then
    user, password = from_auth(text, key, source)
  end
  return user and password and auth_file.credentials(user, password)
end

--- What a name and a secret are: the name "<token>" says that the secret is an identity token.
---@param user string
---@param secret string
---@return table? nil when one is empty
function auth_file.credentials(user, secret)
  if secret == "" or user == "" then
    return nil
  elseif user == "<token>" then
    return { identity_token = secret }
  end
  return { username = user, password = secret }
end

--- Which of these credentials no header can carry; found where they stand, not when they are sent.
---@param found table
---@return string? name "identity token"
function auth_file.unsendable(found)
  for name, value in pairs(found) do
    local token = name == "registry_token" and value:find "[^\33-\126]"
    if token or value:find "%c" or (name == "username" and value:find ":") then
      return (name:gsub("_", " "))
    end
  end
end

--- The credentials that a document has itself, in its `auths`.
---@param document table
---@param host string
---@param repository? string
---@param source string
---@return table? `{username, password}`, `{identity_token}` or `{registry_token}`
---@raise oras.Error config
function auth_file.find(document, host, repository, source)
  local auths = field(document, "auths", "table", source) or {}
  for _, candidate in ipairs(keys_for(auths, host, repository)) do
    local found = credentials_of(auths[candidate.key], candidate.key, source)
    local bad = found and auth_file.unsendable(found)
    if bad then
      fail(source, 'the %s of "%s" has a character that it cannot have', bad, candidate.key)
    elseif found then
      return found
    end
  end
end

--- The keys in a document's `auths` that mean a host as a whole.
---@param document table
---@param host string
---@param source string
---@return string[]
function auth_file.keys(document, host, source)
  local keys = {}
  for i, found in ipairs(keys_for(field(document, "auths", "table", source) or {}, host)) do
    keys[i] = found.key
  end
  return keys
end

--- The helper that a document names for a host: credHelpers before credsStore.
---@param document table
---@param host string
---@param source string
---@return string?
---@raise oras.Error config
function auth_file.helper(document, host, source)
  local helpers = field(document, "credHelpers", "table", source) or {}
  local found = keys_for(helpers, host)[1]
  if found then
    return text_field(helpers, found.key, source)
  end
  return text_field(document, "credsStore", source)
end

return auth_file
