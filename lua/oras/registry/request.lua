--- From the arguments of do_request to a request as `send` takes it.
local core = require "oras.core"
local errors = require "oras.error"
local options = require "oras.options"
local private = require "oras.registry.private"

local requests = {}

-- oras-py has the URL first.
local function check_order(method, url)
  if type(method) ~= "string" or type(url) ~= "string" then
    errors.usage("do_request: method and URL are strings, not a %s and a %s", type(method), type(url))
  elseif not method:find "^%u+$" then
    errors.usage("do_request: %q is no method; it comes before the URL", method)
  end
end

-- Docker Hub's API has another host than its references.
local API_HOSTS <const> = {
  ["docker.io"] = "registry-1.docker.io", ["index.docker.io"] = "registry-1.docker.io",
}

-- Endpoint and full URL for a full URL, one without scheme, or a path below /v2/. A URL that a
-- registry gave belongs to it, wherever it points: secrets are bound to the registry itself.
local function locate(registry, url, owner)
  if owner then
    return registry:_endpoint(owner, owner), url
  end
  local host, path = url:match("^([^/]*)(/.*)$")
  if not host then
    errors.usage("do_request: %q is neither a URL nor a path", url)
  elseif host == "" then
    host = registry.hostname
    if not host then
      errors.usage("do_request: the path %q needs the option hostname", url)
    end
  elseif host:byte(-1) == 58 then -- "https:"
    local scheme, authority = url:match("^(%a[%w+.-]*)://([^/?#]+)")
    if not scheme then
      errors.usage("do_request: %q is no URL", url)
    end
    return registry:_endpoint(scheme .. "://" .. authority, authority, scheme:lower()), url
  end
  host = API_HOSTS[host] or host
  local endpoint = registry:_endpoint(host, host)
  return endpoint, endpoint.base .. path
end

local REQUEST <const> = {
  accept = "string",
  auth = "boolean",
  body = "string|userdata",
  body_offset = "integer",
  body_size = "integer",
  digest = "string",
  file = "table",
  from = "any",
  headers = "table",
  http2 = "boolean",
  max_bytes = "integer",
  progress = "table|boolean",
  purpose = "string",
  range = "table",
  registry = "string",
  repository = "string",
  retry = "boolean",
  scope = "string",
  sink = "userdata",
  size = "integer",
  stream = "boolean",
  timeout = "table",
}

-- Fields that say what is wanted may go wherever the request goes; all others stay with the
-- registry, as they may be secret (GHSA-whvf-jp7m-59f3).
local function travels(name)
  name = name:lower()
  return name == "accept" or name == "range" or name:find("^if%-") or name:find("^content%-")
end

local ACCEPT <const> = {}

local function accept_headers(accept)
  local headers = ACCEPT[accept]
  if not headers then
    headers = { Accept = accept }
    ACCEPT[accept] = headers
  end
  return headers
end

-- Fields that say how a message is framed and where it goes: those are made for the request.
local OURS <const> = {
  connection = true, ["content-length"] = true, expect = true, host = true, ["keep-alive"] = true,
  ["proxy-connection"] = true, te = true, trailer = true, ["transfer-encoding"] = true, upgrade = true,
}

local function check_value(verb, name, value)
  if type(value) ~= "string" then
    errors.usage("%s: the value of %q is a string or a list of them, not a %s", verb, name, type(value))
  elseif value:find "[%z\1-\8\10-\31\127]" then
    errors.usage("%s: the value of %q has a control character", verb, name)
  end
end

--- Put a header into a table of them, in place of one whose name differs in case only.
---@param headers table
---@param name string
---@param value string|string[]|nil
---@param verb string for the message
---@raise oras.Error usage
function requests.put_header(headers, name, value, verb)
  if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+.^_`|~-]+$") then
    errors.usage("%s: %q is no header name", verb, tostring(name))
  end
  local lower = name:lower()
  if OURS[lower] then
    errors.usage("%s: %q is not set by hand, it follows from the request", verb, name)
  end
  for _, one in ipairs(type(value) == "table" and value or { value }) do
    check_value(verb, name, one)
  end
  for other in pairs(headers) do
    if other:lower() == lower then
      headers[other] = nil
    end
  end
  headers[name] = value
end

local function add_headers(request, opts)
  if opts.accept then
    request.headers = accept_headers(opts.accept)
  end
  if not opts.headers then
    return
  end
  local open, bound = options.copied(request.headers or {}), options.copied(request.bound_headers or {})
  for name, value in pairs(opts.headers) do
    local target = travels(tostring(name)) and open or bound
    requests.put_header(target, name, value, "do_request")
  end
  request.headers, request.bound_headers = open, bound
end

local function choose_sink(request, opts)
  if opts.file then
    request.new_sink, request.expect, request.keep_sink = opts.file.make or core.sink.file, opts.file, true
  elseif opts.sink then
    request.sink, request.keep_sink = opts.sink, true
  elseif opts.stream then
    request.new_sink = core.sink.stream
    request.expect = { digest = opts.digest, size = opts.size }
  elseif opts.digest or opts.max_bytes then
    request.new_sink = core.sink.memory
    request.expect = { limit = opts.max_bytes, digest = opts.digest, size = opts.size }
  end
end

--- Make a request.
---@param registry oras.Registry
---@param method string
---@param url string full URL, URL without scheme, or a path
---@param opts? table as do_request takes it
---@return table request
---@raise oras.Error usage
function requests.new(registry, method, url, opts)
  check_order(method, url)
  opts = options.check(opts, REQUEST, "do_request")
  local endpoint, full_url = locate(registry, url, opts.registry)
  local request = {
    method = method,
    url = full_url,
    origin = endpoint.origin,
    endpoint = endpoint,
    bound_headers = private[registry].headers,
    body = opts.body,
    body_offset = opts.body_offset,
    body_size = opts.body_size,
    range = opts.range,
    plain_http = endpoint.plain_http,
    timeouts = opts.timeout or registry._settings.timeout,
    upload_origins = registry._settings.upload_origins,
    http2 = opts.http2,
    from = opts.from,
    purpose = opts.purpose or "registry",
    repository = opts.repository,
    scope = opts.scope,
    auth = opts.auth,
    retry = opts.retry,
  }
  add_headers(request, opts)
  choose_sink(request, opts)
  local watchers = registry._watchers
  if opts.progress ~= false and ((watchers and watchers.progress) or core.progress.is_wanted()) then
    request.progress = require("oras.registry.progress").of_request(registry, opts)
  end
  return request
end

return requests
