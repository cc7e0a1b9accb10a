--- Credential helpers: programs "docker-credential-NAME" that keep secrets elsewhere
--- (docker/docker-credential-helpers). A secret goes by standard input and output alone.
local auth_file = require "oras.auth.auth_file"
local core = require "oras.core"
local errors = require "oras.error"
local once = require "oras.auth.once"

local helper = {}

local TIMEOUT <const> = 30 -- seconds
local LIMIT <const> = 64 * 1024
local SHOWN <const> = 200 -- bytes of what it says that are passed on

-- Names the helpers that are running, so that one which calls us is not called again.
local GUARD <const> = "ORAS_CREDENTIAL_HELPERS"

local NOT_FOUND <const> = "credentials not found in native keychain"

local function program(name)
  return "docker-credential-" .. name
end

local function fail(name, format, ...)
  errors.raise { class = "helper", message = ("%s: %s"):format(program(name), format:format(...)) }
end

local function check_name(name)
  if not name:find "^[%w._-]+$" then
    errors.raise {
      class = "helper",
      message = ("the name %q of a credential helper: expected letters, digits, '.', '_' and '-'"):format(
        require("oras.registry.status").sanitise(name):sub(1, SHOWN)),
    }
  end
end

-- The variable for a helper that we call; raises when it is one that has called us.
local function guarded(name)
  local running = os.getenv(GUARD) or ""
  if (":" .. running .. ":"):find(":" .. name .. ":", 1, true) then
    fail(name, "it asks for credentials that it has to give itself (%s is %q)", GUARD, running)
  end
  return running == "" and name or running .. ":" .. name
end

local function trimmed(text)
  return text:match "^%s*(.-)%s*$"
end

-- The first line of what a helper says. A message that may be an answer is not passed on.
local function words_of(result, secret)
  local said = trimmed(result.output)
  if said == "" then
    said = trimmed(result.stderr or "")
  end
  if said:find("Secret", 1, true) then
    return ""
  end
  local line = said:match "^[^\r\n]*"
  line = secret and core.auth.redact(line, secret) or line
  line = require("oras.registry.status").sanitise(core.auth.redact(line)):sub(1, SHOWN)
  return line ~= "" and ": " .. line or ""
end

local function is_killed(result)
  return (result.signal or 0) ~= 0
end

local function failure(name, verb, result, secret)
  local how = is_killed(result) and ("was ended by signal %d"):format(result.signal)
    or ("failed with status %d"):format(result.status)
  fail(name, "%s %s%s", verb, how, words_of(result, secret))
end

-- Run a helper; gives its output, or nil when it has nothing for the server.
local function run(name, verb, input, timeout, secret)
  check_name(name)
  local result, err = core.process.run {
    file = program(name),
    args = { verb },
    input = input,
    timeout = timeout or TIMEOUT,
    limit = LIMIT,
    environment = { [GUARD] = guarded(name), DOCKER_AUTH_CONFIG = false },
  }
  if not result then
    errors.raise(err)
  elseif result.status == 0 and not is_killed(result) then
    return result.output
  elseif trimmed(result.output) == NOT_FOUND then
    return nil
  end
  failure(name, verb, result, secret)
end

-- How docker-credential-pass says that it has nothing for a server which it once had.
local function is_empty(document)
  return document.Username == "" and document.Secret == ""
end

local function text_of(name, document, field)
  local value = document[field]
  if type(value) ~= "string" or value == "" then
    fail(name, 'get gave no "%s"', field)
  end
  return value
end

local function ask(name, server, timeout)
  local output = run(name, "get", server, timeout)
  if not output then
    return nil
  end
  local document = core.json.decode(output)
  if type(document) ~= "table" or core.json.is_array(document) then
    fail(name, "get gave something else than a JSON object")
  elseif is_empty(document) then
    return nil
  end
  local found = auth_file.credentials(text_of(name, document, "Username"), text_of(name, document, "Secret"))
  local bad = auth_file.unsendable(found)
  if bad then
    fail(name, "the %s of %q has a character that it cannot have", bad, server)
  end
  return found
end

-- Questions that are on their way, so that tasks which want the same ask once.
local pending = {}

--- Ask a helper for the credentials of a server.
---@param name string "pass"
---@param server string "ghcr.io", "https://index.docker.io/v1/"
---@param timeout? number seconds
---@return table? `{username, password}` or `{identity_token}`; nil when it has none
---@raise oras.Error helper, cancelled
function helper.get(name, server, timeout)
  return once.fetch(pending, name .. "\0" .. server, function()
    return core.task.spawn(ask, name, server, timeout)
  end, true)
end

--- Have a helper keep credentials.
---@param name string
---@param server string
---@param credentials table `{username, password}` or `{identity_token}`
---@param timeout? number seconds
---@raise oras.Error helper, cancelled
function helper.store(name, server, credentials, timeout)
  local secret = credentials.identity_token or credentials.password
  local input = errors.check(core.json.encode {
    ServerURL = server,
    Username = credentials.identity_token and "<token>" or credentials.username,
    Secret = secret,
  })
  if not run(name, "store", input, timeout, secret) then
    fail(name, "store gave %q", NOT_FOUND)
  end
end

--- Have a helper forget a server; it counts as forgotten when there was nothing.
---@param name string
---@param server string
---@param timeout? number seconds
---@raise oras.Error helper, cancelled
function helper.erase(name, server, timeout)
  run(name, "erase", server, timeout)
end

return helper
