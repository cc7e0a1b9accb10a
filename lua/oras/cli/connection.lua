--- The flags that say which registry object a command works on: its class, how the registry is
--- reached, who we are there, and whether a word means a layout on disk.
local report = require "oras.cli.report"

local connection = {}

---@type oras.Flag[]
connection.FLAGS = {
  { "--plain-http", about = "http, not https" },
  { "--insecure", about = "do not verify the registry's certificate" },
  { "--ca-file", value = "FILE", about = "certificates to trust" },
  { "--cert-file", value = "FILE", about = "client certificate" },
  { "--key-file", value = "FILE", about = "its key" },
  { "-u", "--username", value = "NAME", about = "user of the registry" },
  { "-p", "--password", value = "TEXT", about = "password or token; others may see it, so rather:" },
  { "--password-stdin", about = "the password comes on standard input" },
  { "--identity-token", value = "TEXT", about = "identity token" },
  { "--identity-token-stdin", about = "the identity token comes on standard input" },
  { "--registry-config", value = "FILE", many = true, about = "where credentials are, instead of docker's file" },
  { "-H", "--header", value = "NAME:VALUE", many = true, about = "a header for the registry" },
  { "--resolve", value = "HOST:PORT:ADDRESS[:PORT]", many = true, about = "where that host is" },
  { "--distribution-spec", value = "v1.1-referrers-api|v1.1-referrers-tag", about = "how referrers are kept there" },
  { "--oci-layout", about = "the reference is DIR:TAG of a layout on disk" },
  { "--oci-layout-path", value = "DIR", about = "the layout on disk that the reference is a name in" },
}

-- One letter belongs to one side only: those of a command with sides have long names.
local function of_side(side)
  local list = {}
  for i, flag in ipairs(connection.FLAGS) do
    local copy = {}
    for key, value in pairs(flag) do
      copy[key] = value
    end
    copy[1], copy[2] = ("--%s-%s"):format(side, (flag[2] or flag[1]):sub(3)), nil
    list[i] = copy
  end
  return list
end

--- The flags of a command's registries.
---@param spec table of the command
---@return oras.Flag[]
function connection.flags(spec)
  if spec.registry == false then
    return {}
  elseif not spec.sides then
    return connection.FLAGS
  end
  local list = {}
  for _, side in ipairs(spec.sides) do
    local more = of_side(side)
    table.move(more, 1, #more, #list + 1, list)
  end
  list[#list + 1] = {
    "--resolve", value = "HOST:PORT:ADDRESS[:PORT]", many = true, about = "where that host is, for all sides",
  }
  return list
end

local function usage_fail(format, ...)
  report.fail(report.USAGE, format, ...)
end

local function headers_of(list)
  local headers = {}
  for _, text in ipairs(list or {}) do
    local name, value = text:match "^([^:]+):%s*(.-)%s*$"
    if not name then
      usage_fail("option '-H' takes NAME:VALUE, not '%s'", text)
    end
    local values = headers[name] or {}
    values[#values + 1] = value
    headers[name] = values
  end
  return next(headers) and headers
end

local function read_secret()
  return (io.stdin:read "a":gsub("\r?\n$", ""))
end

-- A secret by its flag, or from standard input.
local function secret_of(get, name)
  local given = get(name)
  if not get(name .. "_stdin") then
    if given and name == "password" then
      report.say "a password on the command line can be seen by others; --password-stdin is safer"
    end
    return given
  elseif given then
    local flag = "--" .. name:gsub("_", "-")
    usage_fail("'%s' and '%s-stdin' exclude each other", flag, flag)
  end
  return read_secret()
end

local function secrets(get)
  if get "password_stdin" and get "identity_token_stdin" then
    usage_fail "'--password-stdin' and '--identity-token-stdin' exclude each other"
  end
  local user, password, token = get "username", secret_of(get, "password"), secret_of(get, "identity_token")
  if token and (user or password) then
    usage_fail "'--identity-token' stands alone, without user and password"
  end
  return user, password, token
end

--- The credentials that flags give: user, password, identity token. A password on the command
--- line is warned of, one from standard input is read.
---@param opts table<string, any> of flags.parse
---@return string? username
---@return string? password
---@return string? identity_token
function connection.secrets(opts)
  return secrets(function(name)
    return opts[name]
  end)
end

local function set_credentials(registry, get)
  local user, password, token = secrets(get)
  if token then
    require("oras.registry.private")[registry].credentials = { identity_token = token }
  elseif user and password then
    registry:set_basic_auth(user, password)
  elseif user or password then
    usage_fail "a user goes with '--password' or '--password-stdin', and a password with '--username'"
  end
end

local REFERRERS <const> = { ["v1.1-referrers-api"] = "api", ["v1.1-referrers-tag"] = "tag" }

local function referrers_of(text)
  if text and not REFERRERS[text] then
    usage_fail("option '--distribution-spec' is v1.1-referrers-api or v1.1-referrers-tag, not '%s'", text)
  end
  return text and REFERRERS[text]
end

local function verify_of(get)
  local insecure, ca_file = get "insecure", get "ca_file"
  if insecure and ca_file then
    usage_fail "'--insecure' and '--ca-file' exclude each other"
  end
  if insecure then
    return false
  end
  return ca_file
end

-- One file is its path, several a list.
local function one_or_all(list)
  return list and #list == 1 and list[1] or list
end

local function joined(first, second)
  return first and second and table.move(second, 1, #second, #first + 1, table.move(first, 1, #first, 1, {}))
    or first or second
end

local function class_of(name)
  if not name then
    return require "oras.registry"
  end
  local providers = require "oras.providers"
  local found = providers.find(name)
  if not found then
    local names = {}
    for _, known in ipairs(providers.names()) do
      names[known] = true
    end
    local near = require "oras.options".nearest(name, names)
    usage_fail("no provider is called '%s'%s", name, near and (" (%s?)"):format(near) or "")
  end
  return found
end

-- The shared cache of blobs is the user's choice for all programs, so the environment says it.
local function cache_of(class)
  local path = os.getenv "ORAS_CACHE"
  return class.options.cache and path ~= "" and path or nil
end

local function new_registry(spec, opts, side)
  local prefix = side and side .. "_" or ""
  local function get(name)
    return opts[prefix .. name]
  end
  local class = class_of(opts.provider)
  local registry = class:new {
    cache = cache_of(require "oras.registry"),
    plain_http = get "plain_http",
    tls_verify = verify_of(get),
    cert = get "cert_file",
    key = get "key_file",
    config_path = one_or_all(get "registry_config"),
    headers = headers_of(get "header"),
    concurrency = opts.concurrency,
    resolve = side and joined(get "resolve", opts.resolve) or get "resolve",
    referrers = referrers_of(get "distribution_spec"),
  }
  if spec.credentials ~= false then
    set_credentials(registry, get)
  end
  return registry
end

--- The registry object that the flags describe, or a table of them by side.
---@param spec table of the command
---@param opts table<string, any> of flags.parse
---@return oras.Registry|table<string, oras.Registry>
---@raise oras.Error usage
function connection.registries(spec, opts)
  if not spec.sides then
    return new_registry(spec, opts)
  end
  local all = {}
  for _, side in ipairs(spec.sides) do
    all[side] = new_registry(spec, opts, side)
  end
  return all
end

local function is_digest(text)
  return text:find "^%w+:%x+$" ~= nil and #text > 40
end

-- A word as the reference of a layout: "DIR:TAG" as oras writes it, or a name in the layout `dir`.
local function layout_word(word, dir)
  if word:sub(1, 4) == "oci:" then
    return word
  elseif not dir then
    return "oci:" .. word
  elseif word:sub(1, 1) == "@" or is_digest(word) then
    return ("oci:%s@%s"):format(dir, (word:gsub("^@", "")))
  end
  if word:find("[/:@]") then -- a whole reference, as backups of several repositories have them
    return ("oci:%s::%s"):format(dir, word)
  end
  return ("oci:%s:%s"):format(dir, word)
end

-- Which words of the command line are references; with sides, the n-th is of the n-th side.
local function reference_words(spec, count)
  if spec.references == "all" then
    local all = {}
    for i = 1, count do
      all[i] = i
    end
    return all
  end
  return spec.references or (spec.sides and { 1, 2 }) or { 1 }
end

--- The words of a command line, in which --oci-layout has made references of a layout of some.
---@param spec table of the command
---@param words string[]
---@param opts table<string, any> of flags.parse
---@return string[]
function connection.words(spec, words, opts)
  local list = table.move(words, 1, #words, 1, {})
  for n, i in ipairs(reference_words(spec, #words)) do
    local prefix = spec.sides and spec.sides[n] .. "_" or ""
    local dir = opts[prefix .. "oci_layout_path"]
    if list[i] and (dir or opts[prefix .. "oci_layout"]) then
      list[i] = layout_word(list[i], dir)
    end
  end
  return list
end

return connection
