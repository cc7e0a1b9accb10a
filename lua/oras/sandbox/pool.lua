--- Sandboxed providers of a host (`oras_options.sandbox`): processes are kept for the next call, and
--- calls at the same time have one each.
local core = require "oras.core"
local errors = require "oras.error"
local options = require "oras.options"

local pool = {}

local IDLE <const> = 4 -- processes of a provider that are kept

local OPTIONS <const> = {
  allow = "table", cpu = "number", files = "table", hosts = "table", plain_http = "boolean", references = "table",
  repositories = "table", wall = "number",
}

local idle, registry = {}, nil

local function settings_of(text)
  local given, err = core.json.decode(text)
  if type(given) ~= "table" or core.json.is_array(given) then
    errors.usage("oras_options.sandbox is no JSON object%s", err and ": " .. err.message or "")
  end
  return options.check(given, OPTIONS, "oras_options.sandbox")
end

local function open(provider, settings)
  local text, chunk = require("oras.providers").source(provider)
  if not text then
    errors.raise { class = "not_found", message = ("no such provider: '%s'"):format(provider) }
  end
  registry = registry or require("oras.registry"):new { plain_http = settings.plain_http }
  local opts = options.copied(settings)
  opts.plain_http = nil
  opts.name, opts.text, opts.registry = chunk, text, registry
  return require("oras.sandbox").open(opts)
end

-- References among the arguments are what the call may read by default.
local function references_of(args)
  local list = {}
  for _, arg in ipairs(args) do
    if type(arg) == "string" and errors.try(registry.get_container, registry, arg) then
      list[#list + 1] = arg
    end
  end
  return list
end

--- Call a method of a provider that is not trusted.
---@param policy string JSON
---@param provider string
---@param method string
---@param args any[] what JSON has
---@return any
---@raise oras.Error sandbox, usage, not_found, and what the provider raises
function pool.call(policy, provider, method, args)
  local free = idle[provider] or {}
  idle[provider] = free
  local box = table.remove(free) or open(provider, settings_of(policy))
  local result, err = errors.try(function()
    return { box:call(method, args, references_of(args)) }
  end)
  if box:is_usable() and #free < IDLE then
    free[#free + 1] = box
  else
    box:close()
  end
  return errors.check(result, err)[1]
end

return pool
