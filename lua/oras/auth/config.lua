--- Where credentials are looked for, in which order, and where login writes them.
--- docs/credentials.md has the order as a table.
local auth_file = require "oras.auth.auth_file"
local core = require "oras.core"

local config = {}

local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function below(directory, path)
  return directory and directory .. path or nil
end

-- Where podman and skopeo write for a user without XDG_RUNTIME_DIR: root, in containers mostly.
local function runtime_directory()
  local status = core.file.read("/proc/self/status", 64 * 1024)
  local uid = status and status:match "\nUid:%s*(%d+)"
  return uid and "/run/containers/" .. uid
end

local function docker_file()
  local directory = variable "DOCKER_CONFIG"
  return below(directory, "/config.json") or below(variable "HOME", "/.docker/config.json")
end

-- The files of podman, skopeo and buildah; one that is named stands for all of them.
local function container_files()
  local directory = variable "XDG_RUNTIME_DIR"
  local own = below(directory, "/containers") or runtime_directory()
  local home = variable "XDG_CONFIG_HOME" or below(variable "HOME", "/.config")
  return below(own, "/auth.json"), below(home, "/containers/auth.json")
end

--- The files that are read, the first before the others.
---@param path? string|string[] instead of all of them
---@return string[]
function config.files(path)
  if type(path) == "table" then
    return path
  elseif path then
    return { path }
  end
  local files = {}
  local function add(file)
    files[#files + 1] = file
  end
  local named = variable "REGISTRY_AUTH_FILE"
  add(named)
  add(docker_file())
  if not named then
    local runtime, home = container_files()
    add(runtime)
    add(home)
  end
  return files
end

--- The file that login writes: the first that is read.
---@param path? string|string[]
---@return string? nil when there is no home
function config.path(path)
  if not path then
    return variable "REGISTRY_AUTH_FILE" or docker_file()
  end
  return config.files(path)[1]
end

--- The text of DOCKER_AUTH_CONFIG, which comes before all files unless some are named.
---@param path? string|string[]
---@return string?
function config.variable(path)
  return not path and variable "DOCKER_AUTH_CONFIG" or nil
end

local function of_variable(host, path, repository)
  local text = config.variable(path)
  if text then
    local source <const> = "DOCKER_AUTH_CONFIG"
    return auth_file.find(auth_file.decode(text, source), host, repository, source)
  end
end

--- Does the variable have other credentials for a host than a file, which come before it?
---@param host string
---@param path? string|string[]
---@return boolean
function config.is_shadowed(host, path)
  local found = require("oras.error").try(of_variable, host, path)
  return found ~= nil
end

local OTHERS <const> = 0x24 -- read permission of group and all
local TALKATIVE <const> = { debug = true, info = true }

-- Files of CI systems are often readable by all, so it is said to those who look for it only.
local function note_mode(file)
  if not TALKATIVE[core.log.level()] then
    return
  end
  local directory, name = file:match "^(.*/)([^/]*)$"
  local root <close> = core.file.root(directory or ".")
  local look = root and root:look(name or file)
  if look and look.mode & OTHERS ~= 0 then
    require("oras.log").info("%s has credentials and is readable by others (mode %o)", file, look.mode & 0x1ff)
  end
end

local function of_file(file, host, repository, timeout)
  local document = auth_file.read(file)
  local name = auth_file.helper(document, host, file)
  local found = name and require("oras.auth.helper").get(name, auth_file.key(host), timeout)
  if found then
    return found
  end
  found = auth_file.find(document, host, repository, file)
  if found then
    note_mode(file)
  end
  return found
end

--- The credentials that the environment, a helper or a file has for a registry, and where.
---@param host string
---@param path? string|string[] files to read instead of the usual ones
---@param repository? string
---@param timeout? number seconds for a helper
---@return table? `{username, password}`, `{identity_token}` or `{registry_token}`
---@return string? source
---@raise oras.Error config, helper
function config.lookup(host, path, repository, timeout)
  local found = of_variable(host, path, repository)
  if found then
    return found, "DOCKER_AUTH_CONFIG"
  end
  for _, file in ipairs(config.files(path)) do
    found = of_file(file, host, repository, timeout)
    if found then
      return found, file
    end
  end
end

return config
