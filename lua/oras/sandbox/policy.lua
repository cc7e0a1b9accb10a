--- What a provider in the sandbox may have: hosts, repositories, operations and files, as the user
--- has listed them. Everything else is refused, and each refusal is a line in the log.
local core = require "oras.core"
local errors = require "oras.error"
local log = require "oras.log"
local options = require "oras.options"

local Policy = { __name = "oras.sandbox.Policy" }
Policy.__index = Policy

local policy = {}

--- What an operation needs; reading is always allowed.
local OPERATIONS <const> = { push = true, delete = true, write = true }

local OPTIONS <const> = {
  allow = "table", files = "table", hosts = "table", references = "table", repositories = "table",
}

local SHOWN <const> = 200 -- bytes of a text of the provider's in the log

--- One line that commands no terminal, of a text that the provider has chosen.
---@param text any
---@param most? integer bytes
---@return string
function policy.shown(text, most)
  text = type(text) == "string" and text or tostring(text)
  most = most or SHOWN
  local cut = #text > most and text:sub(1, most) .. "..." or text
  return (cut:gsub("[^\32-\126]", "?"))
end

local function host_of(text)
  local found = type(text) == "string" and not text:find "/" and core.reference.parse(text .. "/x")
  if not found or found.kind ~= "registry" then
    errors.usage("sandbox: %q is no host, as in \"ghcr.io\" or \"localhost:5000\"", tostring(text))
  end
  return found.host
end

local function add_reference(self, container)
  if container.kind == "layout" then
    self.layouts[container.path] = true
  else
    self.hosts[container.host] = self.hosts[container.host] or "named"
    self.places[container.host .. "/" .. container.api_prefix] = true
  end
end

--- Make a policy.
---@param given { references?: table[], hosts?: string[], repositories?: string[], allow?: string[], files?: string[] }
--- `references`: containers; `repositories`: prefixes, whole path components
---@return table
---@raise oras.Error usage
function policy.new(given)
  options.check(given, OPTIONS, "sandbox")
  local self = setmetatable({
    hosts = {}, places = {}, layouts = {}, prefixes = {}, allowed = { read = true }, files = {},
  }, Policy)
  for _, host in ipairs(given.hosts or {}) do
    self.hosts[host_of(host)] = "all"
  end
  for _, container in ipairs(given.references or {}) do
    add_reference(self, container)
  end
  for _, prefix in ipairs(given.repositories or {}) do
    self.prefixes[#self.prefixes + 1] = (prefix:gsub("/+$", ""))
  end
  for _, name in ipairs(given.allow or {}) do
    if not OPERATIONS[name] and name ~= "read" then
      errors.usage("sandbox: no operation %q to allow; there are read, push, delete and write", tostring(name))
    end
    self.allowed[name] = true
  end
  for _, path in ipairs(given.files or {}) do
    self.files[path] = true
  end
  return self
end

--- The same, and what more references allow.
---@param references table[] containers
---@return table
function Policy:with(references)
  local other = setmetatable(options.copied(self), Policy)
  for _, name in ipairs { "hosts", "places", "layouts" } do
    other[name] = options.copied(self[name])
  end
  for _, container in ipairs(references) do
    add_reference(other, container)
  end
  return other
end

--- Write down and raise what is refused.
---@param format string
---@raise oras.Error sandbox
function Policy:refuse(format, ...) -- luacheck: no self
  local text = format:format(...)
  log.info("sandbox: refused %s", text)
  errors.raise { class = "sandbox", message = "the sandbox refuses " .. text }
end

-- A name that begins with another only by letters is not below it.
local function is_below(name, prefix)
  return name == prefix or name:sub(1, #prefix + 1) == prefix .. "/"
end

function Policy:_covers(container)
  if container.kind == "layout" then
    return self.layouts[container.path]
  end
  local grant = self.hosts[container.host]
  if not grant then
    return false
  elseif self.places[container.host .. "/" .. container.api_prefix] or (grant == "all" and #self.prefixes == 0) then
    return true
  end
  for _, prefix in ipairs(self.prefixes) do
    if is_below(container.api_prefix, prefix) then
      return true
    end
  end
  return false
end

--- May the provider do that there?
---@param operation string "read", "push", "delete"
---@param container oras.Container
---@raise oras.Error sandbox
function Policy:check(operation, container)
  self:check_operation(operation)
  if not self:_covers(container) then
    self:refuse("'%s', which is not among what was allowed", policy.shown(container:place()))
  end
end

--- Is the operation among those that were allowed?
---@param operation string
---@raise oras.Error sandbox
function Policy:check_operation(operation)
  if not self.allowed[operation] then
    self:refuse("the operation '%s', which was not allowed", operation)
  end
end

--- Is it a file that the user has named?
---@param path any
---@return string path
---@raise oras.Error sandbox
function Policy:check_file(path)
  if type(path) ~= "string" or not self.files[path] then
    self:refuse("the file '%s', which was not named", policy.shown(path))
  end
  return path
end

return policy
