--- The base class: a client of OCI registries and of OCI layouts on disk.
---
--- Everything that is sent passes through `do_request` (one operation: authentication,
--- retries and redirects inside) and `send` (one exchange). Both, and every other step, are
--- methods that a subclass can override. The methods by noun are in registry/*.lua and come
--- in with the first call of one of them.
local Object = require "oras.class"
local container = require "oras.container"
local core = require "oras.core"
local errors = require "oras.error"
local options = require "oras.options"
local response = require "oras.response"

local exchange = require "oras.registry.exchange"
local private = require "oras.registry.private"
local requests = require "oras.registry.request"
local settings = require "oras.registry.settings"

---@class oras.Registry : oras.Object
---@field hostname? string registry of references without one
---@field media_types? table<string, string> names of layers by media type, for organize_layers
---@field auth? table authentication scheme of one's own
---@field dry_run boolean nothing is changed: requests that write are told ("write") and refused
local Registry = Object:extend "Registry"

Registry.options = {
  auth_backend = "string|table",
  cache = "string",
  cert = "string",
  concurrency = "integer",
  config_path = "string|table",
  dry_run = "boolean",
  headers = "table",
  hostname = "string",
  insecure = "boolean",
  key = "string",
  limits = "table",
  plain_http = "boolean",
  proxy = "string",
  referrers = "string",
  resolve = "table",
  retry = "table",
  timeout = "table",
  tls_verify = "boolean|string",
  upload_origins = "table",
  user_agent = "string",
}

--- Of all objects, whatever their options say: oras-lua --dry-run.
Registry.dry_run = false

local MIB <const> = 1024 * 1024

--- Limits on what a server may make us do; `Registry:new { limits = {...} }` changes them.
Registry.default_limits = {
  auth_rounds = 2,
  blob = 256 * MIB, -- of a blob held in memory; streams and files have none
  graph = 10000, -- manifests that hang together, in a copy
  index_depth = 8,
  json_depth = 64,
  manifest = 4 * MIB,
  pages = 1000,
  redirects = 10,
  referrers_depth = 30, -- levels of discover; deeper trees are no JSON any more
  tags = 32 * MIB, -- of one page of a list
}

local EVENTS <const> = { progress = true, request = true, response = true, retry = true, warning = true, write = true }

-- Methods that are read in with their group.
local GROUPS <const> = {}
for group, names in pairs {
  manifests = "get_manifest get_image_index select_platform resolve get_config organize_layers "
    .. "_organize_layers fetch_manifest",
  blobs = "get_blob blob_exists download_blob",
  tags = "get_tags tags repositories",
  copy = "copy find_manifest",
  index = "index make_index",
  backup = "backup",
  restore = "restore",
  put = "upload_manifest pack_manifest put_manifest",
  changes = "tag untag delete_tags delete_manifest delete_blob",
  pull = "pull",
  verify = "verify",
  rate = "rate_limit wait_for_rate",
  push = "push",
  attach = "attach",
  discover = "discover referrers",
  progress = "_progress",
  uploads = "upload_blob start_upload put_upload patch_upload stream_upload chunked_upload finish_upload "
    .. "upload_status cancel_upload",
  credentials = "set_basic_auth set_token_auth get_credentials",
  login = "login logout",
} do
  for name in names:gmatch "%S+" do
    GROUPS[name] = "oras.registry." .. group
  end
end

getmetatable(Registry).__index = function(_, key)
  local group = GROUPS[key]
  if group then
    require(group)
    return rawget(Registry, key)
  end
  return Object[key]
end

-- State of an object, made before init so that an init which forgets its super does no harm.
function Registry:_prepare()
  private[self] = {}
  self._endpoints = {}
  self._settings = {}
  self._limits = Registry.default_limits
end

local function check_scheme(scheme, name)
  local good = type(scheme) == "table" and type(scheme.prepare) == "function" and type(scheme.answer) == "function"
  if not good then
    errors.usage("%s is a scheme: a table with the functions prepare and answer", name)
  end
end

--- Set up an object from its options; a subclass that overrides it calls
--- `Class.super.init(self, opts)`.
---@param opts? table see docs; a subclass adds its own in `Class.options`
---@raise oras.Error usage
function Registry:init(opts)
  local class = getmetatable(self)
  opts = options.check(opts, class:_all_options(), class.__name .. ":new")
  settings.check(opts)
  self.hostname = opts.hostname
  self.dry_run = opts.dry_run or Registry.dry_run
  self._settings = options.copied(opts)
  self._settings.headers, self._settings.proxy = nil, nil
  private[self].proxy = opts.proxy
  if type(opts.auth_backend) == "table" then
    check_scheme(opts.auth_backend, "auth_backend")
    self.auth = opts.auth_backend
  end
  self._limits = opts.limits and settings.limits(opts.limits, self.default_limits) or self._limits
  self._retry = opts.retry and settings.retry(opts.retry) or self._retry
  for name, value in pairs(opts.headers or {}) do
    self:set_header(name, value)
  end
end

--- The class's name and the host, nothing secret.
---@return string
function Registry:__tostring()
  local host = rawget(self, "hostname")
  local name = getmetatable(self).__name
  return host and ("%s (%s)"):format(name, host) or name
end

--- Parse a reference; a container is given back as it is.
---@param name string|oras.Container "host/repository[:tag][@digest]" or "oci:DIR[:TAG][@DIGEST]"
---@return oras.Container
---@raise oras.Error usage
function Registry:get_container(name)
  local _ = private[self] -- raises for what is no object
  if container.is_container(name) then
    return name
  end
  return container.new(name, self.hostname)
end

--- Send a header with every request to the registry itself; never to another origin. What
--- frames or routes a message (Content-Length, Host, Connection, ...) is not for the caller.
---@param name string
---@param value string|string[]|nil nil takes it back
---@raise oras.Error usage
function Registry:set_header(name, value)
  local hidden = private[self]
  local headers = options.copied(hidden.headers or {})
  requests.put_header(headers, name, value, "set_header")
  hidden.headers = next(headers) and headers or nil
end

--- Call a function when something happens: "request" (the request), "response" (the
--- response), "retry" ({attempt, delay, error, response}), "progress" ({phase, digest, done, total,
--- title?, blobs?}: registry/progress.lua), "warning" (the registry's text), "write" (what a dry
--- run does not send: {method, url}).
---@param event string
---@param fn function
---@raise oras.Error usage
function Registry:on(event, fn)
  if not EVENTS[event] then
    local near = type(event) == "string" and options.nearest(event, EVENTS)
    errors.usage("on: no event %q%s", tostring(event), near and (" (%s?)"):format(near) or "")
  end
  if type(fn) ~= "function" then
    errors.usage("on: the second argument is a function, not a %s", type(fn))
  end
  local _ = private[self]
  local watchers = self._watchers or {}
  watchers[event] = watchers[event] or {}
  table.insert(watchers[event], fn)
  self._watchers = watchers
end

function Registry:_emit(event, value)
  local watchers = self._watchers
  for _, fn in ipairs(watchers and watchers[event] or {}) do
    fn(value)
  end
end

-- Plain http: asked for, or a loopback that nothing says is TLS.
local function is_plain(self, host)
  local given = self._settings
  local plain = given.plain_http
  if plain == nil then
    plain = given.insecure
  end
  if plain ~= nil then
    return plain
  end
  local tls = given.tls_verify ~= nil or given.cert
  return not tls and errors.check(core.url.is_loopback("http://" .. host .. "/"))
end

-- What is known about a host: its origin and, later, how it authenticates.
local function new_endpoint(self, base, host)
  local origin, err = core.url.origin(base .. "/")
  if not origin then
    errors.raise(err)
  end
  local plain = base:sub(1, 5) == "http:"
  return {
    host = host,
    base = base,
    origin = origin,
    plain_http = plain and is_plain(self, host),
  }
end

function Registry:_endpoint(key, host, scheme)
  local endpoint = self._endpoints[key]
  if not endpoint then
    scheme = scheme or (is_plain(self, host) and "http" or "https")
    endpoint = new_endpoint(self, scheme .. "://" .. host, host)
    endpoint = self._endpoints[endpoint.origin] or endpoint -- one registry, however it is written
    self._endpoints[key], self._endpoints[endpoint.origin] = endpoint, endpoint
  end
  return endpoint
end

--- One operation: the request with authentication, retries and redirects. Gives the answer
--- whatever its status (see check_response).
---
--- `opts`: `headers`, `accept`, `body`, `range = {first, last}`, `stream`, `max_bytes`, `digest`
--- and `size` (what the body must be), `sink` (of oras.core) or `file` (fields of core.sink.file),
--- `repository` or `scope` (for tokens), `auth = false`, `retry = false`, `timeout`, `http2`.
---@param method string
---@param url string full URL, URL without scheme, or a path like "/v2/_catalog"
---@param opts? table
---@return oras.Response
---@raise oras.Error network, timeout, tls, protocol, redirect, integrity, limit, auth, ...
function Registry:do_request(method, url, opts)
  local _ = private[self]
  return exchange.perform(self, requests.new(self, method, url, opts))
end

-- A file that cannot be read is said to be so, before TLS fails for want of it. Its bytes are
-- not asked for: what is there is too long for a limit of none.
local function check_file(option, path)
  local _, err = core.file.read(path, 0)
  if err and err.class ~= "limit" then
    err.class, err.message = "io", ("%s: %s"):format(option, err.message)
    errors.raise(err)
  end
end

local function new_client(self, endpoint)
  local given = self._settings
  local verify = given.tls_verify
  for _, option in ipairs { "tls_verify", "cert", "key" } do
    if type(given[option]) == "string" then
      check_file(option, given[option])
    end
  end
  return errors.check(core.client.new {
    ca_file = type(verify) == "string" and verify or nil,
    verify = verify ~= false,
    cert = given.cert,
    key = given.key,
    proxy = private[self].proxy,
    user_agent = given.user_agent,
    per_host = given.concurrency,
    resolve = given.resolve,
    origin = given.cert and endpoint.origin or nil,
  })
end

-- One client for all; with a client certificate one for each registry, which alone sees it.
local function client_for(self, endpoint)
  local holder = self._settings.cert and endpoint or self
  local client = holder._client
  if not client then
    client = new_client(self, endpoint)
    holder._client = client
  end
  return client
end

--- One exchange: one request, one answer; overridable. `request` has what
--- `client:request` of oras.core takes.
---@param request table
---@return oras.Response? or nil and an oras.Error, which may be tried again
---@return oras.Error?
function Registry:send(request)
  local refused = self.dry_run and require("oras.registry.dry_run").refusal(self, request)
  if refused then
    return nil, refused
  end
  local answer, err = client_for(self, request.endpoint):request(request)
  if not answer then
    return nil, err
  end
  return setmetatable(answer, response.Response)
end

--- Give a request what proves who we are, before it is sent (then `answer` is nil) or when the
--- registry has refused it with a 401. Overridable; `self.auth` does the work when there is one.
---@param request table its `secret` is set
---@param answer? oras.Response
---@return boolean? again whether to send it again
---@raise oras.Error auth, config, ...
function Registry:authenticate(request, answer)
  local scheme = self.auth
  if scheme then
    check_scheme(scheme, 'the field "auth"')
  end
  if not answer then
    return scheme and scheme:prepare(self, request)
  end
  if not scheme then
    scheme = require("oras.auth").new(self._settings.auth_backend or "auto")
    self.auth = scheme
  end
  return scheme:answer(self, request, answer)
end

--- May a failed request be tried again? Overridable.
---@param failure oras.Failure
---@return boolean
function Registry:should_retry(failure) -- luacheck: no self
  return require("oras.retry").should_retry(failure)
end

--- Raise unless the answer is a success.
---@param answer oras.Response
---@param kind? string what was asked for: "manifest"
---@param name? string its name
---@param place? oras.Container where
---@return oras.Response
---@raise oras.Error not_found, auth, denied, rate, server, ...
function Registry:check_response(answer, kind, name, place) -- luacheck: no self
  local code = type(answer) == "table" and answer.status
  if math.type(code) ~= "integer" then
    errors.usage("check_response: the first argument is a response with a status, not a %s", type(answer))
  end
  if code >= 200 and code < 300 then
    return answer
  end
  local what
  if kind and place then
    what = ('%s "%s" in %s'):format(kind, name, place:place())
  else
    what = ("%s %s"):format(answer.method or "request", core.url.redact(answer.url or ""))
  end
  require("oras.registry.status").raise(answer, what, name and core.digest.parse(name) and name or nil)
end

local layout_backend, remote_backend

--- What serves a container: the registry by HTTP, or the layout on disk. Both have the same
--- functions.
function Registry:_backend(place)
  if not container.is_container(place) then
    errors.usage("get_container gives a container, not a %s", type(place))
  end
  if place.kind == "layout" then
    layout_backend = layout_backend or require "oras.registry.layout"
    return layout_backend
  end
  if self._settings.cache then
    return require "oras.registry.cache"
  end
  remote_backend = remote_backend or require "oras.registry.remote"
  return remote_backend
end

--- What a verb writes through is a container of its own, where the place is written as a whole: a
--- layout in a tar, when the value is closed. An error that closes it leaves the place as it was.
---@param gather? boolean for many manifests: the index of any layout is written then
---@return table? closable
---@return oras.Container
function Registry:_batch(place, gather)
  local backend = self:_backend(place)
  if backend.batch then
    return backend.batch(self, place, gather)
  end
  return nil, place
end

return Registry
