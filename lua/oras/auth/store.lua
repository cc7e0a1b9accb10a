--- Credentials on disk: what login keeps and logout forgets, by a helper where the file names one.
local auth_file = require "oras.auth.auth_file"
local config = require "oras.auth.config"
local core = require "oras.core"
local edit = require "oras.json_edit"
local errors = require "oras.error"

local store = {}

local FIELDS <const> = { "auth", "username", "password", "identitytoken", "registrytoken" }

local function encoded(value)
  return errors.check(core.json.encode(value))
end

-- What an entry of `auths` has of credentials, in the fields that docker and oras write.
local function fields_of(credentials)
  if credentials.identity_token then
    return { identitytoken = credentials.identity_token }
  end
  return { auth = core.base64.encode(credentials.username .. ":" .. credentials.password) }
end

-- The entry with these credentials and no others; what else is in it stays.
local function put_entry(text, key, fields)
  for _, name in ipairs(FIELDS) do
    local path = { "auths", key, name }
    if fields[name] then
      text = edit.put(text, path, encoded(fields[name]))
    else
      text = edit.remove(text, path)
    end
  end
  return text
end

-- Change a file under its lock. `change` takes its text and what that means, and gives the new
-- text; a file that is broken raises before anything is written.
local function update(path, change)
  local lock <close> = errors.check(core.file.lock(path))
  local text, err = lock:read(auth_file.LIMIT)
  if not text and err then
    auth_file.fail(path, "%s", err.message)
  elseif not text or not text:find "%S" then
    text = "{}\n"
  end
  local changed = change(text, auth_file.decode(text, path))
  if changed ~= text then
    auth_file.decode(changed, path)
    errors.check(lock:write(changed))
  end
end

local function writable(path)
  local file = config.path(path)
  if not file then
    errors.raise { class = "config", message = "there is no place for credentials: HOME and DOCKER_CONFIG are not set" }
  end
  return file
end

-- What a helper keeps does not lie in the file any more.
local function save_by_helper(name, host, credentials, file, timeout)
  require("oras.auth.helper").store(name, auth_file.key(host), credentials, timeout)
  update(file, function(text, document)
    for _, key in ipairs(auth_file.keys(document, host, file)) do
      text = put_entry(text, key, {})
    end
    return text
  end)
end

--- Keep a host's credentials in the first of the files, or with the helper that it names.
---@param host string
---@param credentials table `{username, password}` or `{identity_token}`
---@param path? string|string[]
---@param timeout? number seconds for a helper
---@return string path the file
---@raise oras.Error config, helper, io
function store.save(host, credentials, path, timeout)
  local file = writable(path)
  local name = auth_file.helper(auth_file.read(file), host, file)
  if name then
    save_by_helper(name, host, credentials, file, timeout)
    return file
  end
  update(file, function(text, document)
    auth_file.keys(document, host, file) -- raises where "auths" is no object
    return put_entry(text, auth_file.key(host), fields_of(credentials))
  end)
  return file
end

local function remove_keys(text, keys)
  for _, key in ipairs(keys) do
    text = edit.remove(text, { "auths", key })
  end
  return text
end

-- Whether a helper had something; what it cannot read it may still forget.
local function erase_by_helper(name, key, timeout)
  local helper = require "oras.auth.helper"
  local found, err = errors.try(helper.get, name, key, timeout)
  if not found and not err then
    return false
  end
  helper.erase(name, key, timeout)
  return true
end

--- Forget a host's credentials, in the first of the files and with the helper that it names.
---@param host string
---@param path? string|string[]
---@param timeout? number seconds for a helper
---@return boolean was_there
---@raise oras.Error config, helper, io
function store.erase(host, path, timeout)
  local file = config.path(path)
  if not file then
    return false
  end
  local document = auth_file.read(file)
  local name = auth_file.helper(document, host, file)
  local erased = name ~= nil and erase_by_helper(name, auth_file.key(host), timeout)
  if #auth_file.keys(document, host, file) > 0 then
    erased = true
    update(file, function(text, current)
      return remove_keys(text, auth_file.keys(current, host, file))
    end)
  end
  return erased
end

return store
