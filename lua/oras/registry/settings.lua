--- What Registry:new takes: its options are checked here, which Registry.options names.
local core = require "oras.core"
local errors = require "oras.error"
local options = require "oras.options"

local settings = {}

local TIMEOUTS <const> = {
  connect = "number", first_byte = "number", helper = "number", stall = "number", total = "number",
}

local REFERRERS <const> = { api = true, auto = true, tag = true }

local AUTH_BACKENDS <const> = { anonymous = true, auto = true, basic = true, ecr = true, token = true }

local function check_hostname(hostname)
  local parsed = not hostname:find("[/%s]") and core.url.parse("https://" .. hostname .. "/")
  if not parsed then
    errors.usage('Registry:new: hostname %q: expected "host" or "host:port"', hostname)
  end
end

-- As early as possible; a client says it better than we could.
local function check_places(places)
  local client, err = core.client.new { resolve = places }
  if not client then
    errors.usage("Registry:new: resolve: %s", err.message)
  end
  client:close()
end

--- Raise for values that an option cannot have.
---@param opts table
---@raise oras.Error usage
function settings.check(opts)
  if opts.hostname then
    check_hostname(opts.hostname)
  end
  options.check(opts.timeout, TIMEOUTS, "Registry:new: timeout")
  local backend = opts.auth_backend
  if type(backend) == "string" and not AUTH_BACKENDS[backend] then
    errors.usage('Registry:new: auth_backend is "auto", "basic", "token", "ecr", "anonymous" or a table, not %q',
      backend)
  end
  if opts.referrers and not REFERRERS[opts.referrers] then
    errors.usage('Registry:new: referrers is "auto", "api" or "tag", not %q', opts.referrers)
  end
  if (opts.cert == nil) ~= (opts.key == nil) then
    errors.usage "Registry:new: cert and key go together"
  end
  if opts.plain_http ~= nil and opts.insecure ~= nil and opts.plain_http ~= opts.insecure then
    errors.usage "Registry:new: plain_http and insecure are the same and say opposite things"
  end
  if opts.concurrency and opts.concurrency < 1 then
    errors.usage("Registry:new: concurrency is at least 1, not %d", opts.concurrency)
  end
  for _, origin in ipairs(opts.upload_origins or {}) do
    if type(origin) ~= "string" or not core.url.origin(origin) then
      errors.usage('Registry:new: upload_origins has %q, expected origins like "https://storage.example.com"',
        tostring(origin))
    end
  end
  if opts.cache == "" then
    errors.usage "Registry:new: cache is the path of a directory, not an empty text"
  end
  if opts.user_agent and opts.user_agent:find "%c" then
    errors.usage "Registry:new: user_agent has a control character"
  end
  if opts.resolve then
    check_places(opts.resolve)
  end
end

local function integers_of(defaults)
  local kinds = {}
  for name in pairs(defaults) do
    kinds[name] = "integer"
  end
  return kinds
end

local function merged(given, defaults, kinds, what)
  given = options.copied(given)
  options.check(given, kinds, what)
  for name, value in pairs(given) do
    local least = name == "tries" and 1 or 0
    if value < least or value ~= value then
      errors.usage("%s: %s is at least %d, not %s", what, name, least, value)
    end
  end
  return setmetatable(given, { __index = defaults })
end

--- The limits on what a server may make us do: the defaults but for those that are given.
---@param given table<string, integer>
---@param defaults table<string, integer>
---@return table<string, integer>
---@raise oras.Error usage
function settings.limits(given, defaults)
  return merged(given, defaults, integers_of(defaults), "Registry:new: limits")
end

--- The same for when and how often it is tried again.
---@param given table
---@return table
---@raise oras.Error usage
function settings.retry(given)
  local retry = require "oras.retry"
  return merged(given, retry.defaults, retry.options, "Registry:new: retry")
end

return settings
