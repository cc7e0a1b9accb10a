--- Amazon's keys: in the environment, or in the shared credentials file.
local core = require "oras.core"
local errors = require "oras.error"

local aws = {}

local LIMIT <const> = 1024 * 1024
local ENOENT <const>, ENOTDIR <const> = 2, 20

local NAMES <const> = {
  aws_access_key_id = "access_key",
  aws_secret_access_key = "secret_key",
  aws_session_token = "session_token",
}

--- A variable of the environment; an empty one is none.
---@param name string
---@return string?
function aws.variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function fail(source, format, ...)
  errors.raise { class = "config", message = ('"%s": '):format(source) .. format:format(...) }
end

-- What a signature needs; what no header can carry is found where it stands.
local function check(keys, source)
  for _, name in pairs(NAMES) do
    if keys[name] and keys[name]:find "[^\33-\126]" then
      fail(source, "the %s has a character that it cannot have", (name:gsub("_", " ")))
    end
  end
  return keys
end

local function from_environment()
  local access, secret = aws.variable "AWS_ACCESS_KEY_ID", aws.variable "AWS_SECRET_ACCESS_KEY"
  if not access and not secret then
    return nil
  elseif not access or not secret then
    errors.raise { class = "config", message = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together" }
  end
  return check({ access_key = access, secret_key = secret, session_token = aws.variable "AWS_SESSION_TOKEN" },
    "environment")
end

-- One line of an INI file into `parsed`; a value that stands indented below its name is a part of
-- that and of no interest.
local function read_line(parsed, line, number, source)
  if line == "" or line:find "^%s*[#;]" or line:find "^%s+%S" or line:find "^%s+$" then
    return
  end
  local section = line:match "^%[%s*([^%[%]]-)%s*%]%s*$"
  if section then
    parsed.section = parsed.sections[section] or {}
    parsed.sections[section] = parsed.section
    return
  end
  local name, value = line:match "^([%w_.-]+)%s*=%s*(.-)%s*$"
  if not name or not parsed.section then
    fail(source, "line %d is neither [profile] nor name = value", number)
  end
  name = name:lower()
  if parsed.section[name] then
    fail(source, 'line %d has "%s" a second time', number, name)
  end
  parsed.section[name] = value
end

local function parse(text, source)
  local parsed, number = { sections = {} }, 0
  text = text:gsub("^\xEF\xBB\xBF", "")
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    number = number + 1
    read_line(parsed, line, number, source)
  end
  return parsed.sections
end

local function file_path()
  local home = aws.variable "HOME"
  return aws.variable "AWS_SHARED_CREDENTIALS_FILE" or (home and home .. "/.aws/credentials")
end

local function read(path)
  local text, err = core.file.read(path, LIMIT)
  if text then
    return text
  elseif err.class ~= "not_found" and err.native ~= ENOENT and err.native ~= ENOTDIR then
    fail(path, "%s", err.message)
  end
end

local function from_file(path)
  local profile = aws.variable "AWS_PROFILE" or aws.variable "AWS_DEFAULT_PROFILE"
  local text = read(path)
  local section = text and parse(text, path)[profile or "default"]
  local keys = {}
  for field, name in pairs(NAMES) do
    local value = section and section[field]
    keys[name] = value ~= "" and value or nil
  end
  if keys.access_key and keys.secret_key then
    return check(keys, path)
  elseif profile then
    fail(path, 'the profile "%s" has no aws_access_key_id and aws_secret_access_key', profile)
  end
end

--- The keys of the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), else of
--- the profile AWS_PROFILE (else AWS_DEFAULT_PROFILE, "default") in AWS_SHARED_CREDENTIALS_FILE (else
--- ~/.aws/credentials).
---@return { access_key: string, secret_key: string, session_token?: string }? nil when there are none
---@raise oras.Error config a file that is broken, a profile that is named and has none
function aws.keys()
  local found = from_environment()
  if found then
    return found
  end
  local path = file_path()
  return path and from_file(path) or nil
end

return aws
