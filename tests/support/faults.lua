--- The fault server, from specs. What rules, seeds and settings may hold is in README.md.

local services = require("tests.support.services")
local wire = require("tests.support.wire")

local faults = {}

local state

--- Everything the server wrote about itself: listeners, certificates, users.
---@return table
function faults.state()
  if not state then
    local path = services.get("faults") or error(services.missing("faults"), 2)
    local file = assert(io.open(path, "rb"))
    state = wire.decode(file:read("a"))
    file:close()
  end
  return state
end

--- Is there a fault server?
---@return boolean
function faults.present()
  return services.get("faults") ~= nil
end

local function listener(name)
  return faults.state().listeners[name] or error(("no listener is called '%s'"):format(tostring(name)), 3)
end

--- "127.0.0.1:PORT" of a listener; "localhost:PORT" with `host = "localhost"`.
---@param name string? "http" by default
---@param host string?
---@return string
function faults.host(name, host)
  local one = listener(name or "http")
  local shown = host or one.host
  if shown:find(":", 1, true) then
    shown = "[" .. shown .. "]"
  end
  return ("%s:%d"):format(shown, one.port)
end

--- "http://127.0.0.1:PORT" of a listener.
---@param name string? "http" by default
---@return string
function faults.url(name)
  return listener(name or "http").url
end

--- A path of a certificate or key: "ca", "client_cert", "client_key", ...
---@param name string
---@return string
function faults.cert(name)
  return faults.state().certs[name] or error(("no certificate is called '%s'"):format(name), 2)
end

local function query(filter)
  local parts = {}
  for key, value in pairs(filter or {}) do
    if value == true then
      value = 1
    end
    local text = tostring(value):gsub("[^%w%-._~/]", function(c)
      return ("%%%02X"):format(c:byte())
    end)
    parts[#parts + 1] = key .. "=" .. text
  end
  table.sort(parts)
  return #parts > 0 and "?" .. table.concat(parts, "&") or ""
end

local function get(name, filter)
  return wire.call("GET", faults.state().control .. "/" .. name .. query(filter))
end

local function post(name, value)
  return wire.call("POST", faults.state().control .. "/" .. name, value)
end

-- JSON has no bytes: strings that are not UTF-8 travel under another key.
local CODED = {
  raw = "raw_base64", body = "body_base64", data = "base64", manifest = "manifest_base64",
}

local function portable(value)
  if type(value) ~= "table" then
    return value
  end
  local copy = setmetatable({}, getmetatable(value))
  for key, item in pairs(value) do
    if CODED[key] and type(item) == "string" and not utf8.len(item) then
      copy[CODED[key]] = wire.base64(item)
    else
      copy[key] = portable(item)
    end
  end
  return copy
end

--- Forget rules, log, settings, tokens and content; end what stalls.
---@param options {content: boolean?}? content = false keeps the repositories
function faults.reset(options)
  post("reset", { content = not (options and options.content == false) })
end

--- Add one rule; gives its id.
---@param rule table
---@return integer
function faults.on(rule)
  return post("script", portable(rule)).ids[1]
end

--- Add several rules; gives their ids.
---@param rules table[]
---@return integer[]
function faults.script(rules)
  return post("script", wire.array(portable(rules))).ids
end

--- All rules, with `hits`.
---@return table[]
function faults.rules()
  return get("rules")
end

--- How often a rule fired.
---@param id integer
---@return integer
function faults.hits(id)
  for _, rule in ipairs(faults.rules()) do
    if rule.id == id then
      return rule.hits
    end
  end
  error(("no rule %s"):format(tostring(id)), 2)
end

--- Plant content; see README.md for the keys.
---@param spec table
---@return table
function faults.seed(spec)
  return post("seed", portable(spec))
end

--- Change settings.
---@param settings table
function faults.config(settings)
  post("config", settings)
end

-- Registries as they are, in settings of the server's.
local KINDS <const> = {
  ["docker-registry"] = {
    append = true, post_monolithic = false, keep_broken = false, mount_anonymous = false,
    delete_tags = 400, referrers = false, oci_subject = false, tag_param = false,
  },
  ecr = { patch_status = 201, upload_range = "stale", mount_anonymous = false, referrers = false },
  ghcr = { patch_cap = 4 << 20, referrers = false, oci_subject = false, tag_param = false },
}

--- Behave as a certain registry does: "docker-registry", "ecr", "ghcr".
---@param name string
---@param more table? settings that differ from it
function faults.act_as(name, more)
  local kind = KINDS[name] or error(("no registry is called '%s'"):format(tostring(name)), 2)
  local settings = {}
  for _, from in ipairs { kind, more or {} } do
    for key, value in pairs(from) do
      settings[key] = value
    end
  end
  faults.config(settings)
end

--- Requests so far, oldest first.
---@param filter {listener: string?, method: string?, path: string?, since: integer?}?
---@return table[]
function faults.log(filter)
  return get("log", filter)
end

--- How many requests there were: by method, and `total`.
---@param filter table? as for `log`
---@return table<string, integer>
function faults.count(filter)
  local counts = setmetatable({ total = 0 }, {
    __index = function()
      return 0
    end,
  })
  for _, entry in ipairs(faults.log(filter)) do
    counts[entry.method] = counts[entry.method] + 1
    counts.total = counts.total + 1
  end
  return counts
end

-- The first pattern that fits a path says what it is.
local PLACES <const> = {
  { "^/token$", "token" }, { "/blobs/uploads/$", "uploads" }, { "/blobs/uploads/", "upload" },
  { "/blobs/", "blob" }, { "/manifests/", "manifest" }, { "/referrers/", "referrers" }, { "/tags/list$", "tags" },
}

local function place_of(path)
  for _, place in ipairs(PLACES) do
    if path:find(place[1]) then
      return place[2]
    end
  end
  return path
end

--- What was asked, in words: {"HEAD blob 404", "POST uploads 202", "PUT upload 201"}. A request
--- without an answer ends with its outcome instead of a status.
---@param filter table? as for `log`
---@return string[]
function faults.trace(filter)
  local lines = {}
  for i, entry in ipairs(faults.log(filter)) do
    local place = place_of(entry.path or "-")
    lines[i] = ("%s %s %s"):format(entry.method, place, entry.status or entry.outcome or "open")
  end
  return lines
end

--- Like `log`, once there are `count` entries (or the timeout is over).
---@param filter table with count, timeout, finished, or open
---@return table
function faults.wait(filter)
  return get("wait", filter)
end

--- Wait until every request has come to its end, also those that arrive meanwhile; how many have
--- not when the timeout is over.
---@param filter table? as for `log`
---@return integer
function faults.unfinished(filter)
  local ended = { finished = true }
  for key, value in pairs(filter or {}) do
    ended[key] = value
  end
  repeat
    ended.count = #faults.log(filter)
    local done = #faults.wait(ended)
    if done < ended.count then
      return ended.count - done
    end
  until #faults.log(filter) == done
  return 0
end

--- Connections of a listener: {open, total}.
---@param name string?
---@return {open: integer, total: integer}
function faults.connections(name)
  return get("connections", { listener = name })
end

--- What a repository holds now.
---@param repo string
---@return {blobs: table, manifests: table, tags: table, uploads: integer}
function faults.content(repo)
  return get("content", { repo = repo })
end

--- Let a `hold` go on.
---@param name string
function faults.release(name)
  post("release", { name = name })
end

--- Mint a token.
---@param spec {user: string?, scope: string, ttl: number?}
---@return string
function faults.token(spec)
  return post("token", spec).token
end

--- Make every token that was given out invalid.
function faults.expire()
  post("expire", {})
end

--- The first value of a header in a log entry, or nil.
---@param entry table
---@param name string
---@return string?
function faults.header(entry, name)
  for _, field in ipairs(entry.headers) do
    if field[1]:lower() == name:lower() then
      return field[2]
    end
  end
  return nil
end

--- Does a text occur anywhere in what these log entries received (headers, target, body)?
--- For tests that a secret never arrived somewhere.
---@param entries table[]
---@param text string
---@return boolean
function faults.saw(entries, text)
  for _, entry in ipairs(entries) do
    for _, field in ipairs(entry.headers) do
      if field[2]:find(text, 1, true) then
        return true
      end
    end
    if (entry.target or ""):find(text, 1, true) or entry.body:find(text, 1, true) then
      return true
    end
  end
  return false
end

return faults
