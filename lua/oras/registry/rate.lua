--- Registry methods on rate limits: what a registry says of them in its headers, and waiting.
---
--- Docker Hub counts manifests that are fetched and says so in the answer to a HEAD, which does not
--- count itself: `ratelimit-limit: 100;w=21600`, `ratelimit-remaining: 76;w=21600`. Others say
--- when the next window begins (`ratelimit-reset`, draft-ietf-httpapi-ratelimit-headers).
local core = require "oras.core"
local errors = require "oras.error"
local media_types = require "oras.media_types"
local options = require "oras.options"
local response = require "oras.response"

local Registry = require "oras.registry"

local WAIT <const> = { least = "integer", max_wait = "number" }

local FIRST_PAUSE <const>, LONGEST_PAUSE <const> = 1, 60 -- seconds, where nothing says how long
local DEFAULT_WINDOW <const> = 6 * 60 * 60 -- Docker Hub's
local EPOCH <const> = 1e9 -- what is larger is a time, not a number of seconds

---@class oras.Rate
---@field limit? integer requests that a window allows
---@field remaining integer
---@field window? integer its length, in seconds
---@field reset? number seconds until there are more
---@field source? string who is counted: an address, an account

-- "100;w=21600": a number, and its window.
local function number_of(field)
  local number, rest = (field or ""):match "^%s*(%d+)%s*(.*)$"
  number = number and #number <= 15 and math.tointeger(tonumber(number))
  if not number or (rest ~= "" and not rest:find "^[;,]") then
    return nil
  end
  local window = rest:match "w%s*=%s*(%d+)"
  return number, window and #window <= 9 and math.tointeger(tonumber(window)) or nil
end

-- In seconds from now, whichever way it is written.
local function reset_of(headers)
  local retry = headers["Retry-After"]
  local seconds = retry and core.headers.retry_after(retry, core.clock.time())
  if seconds then
    return seconds
  end
  local value = number_of(headers["RateLimit-Reset"])
  if value and value >= EPOCH then
    return math.max(0, value - core.clock.time())
  end
  return value or nil
end

local function read(answer)
  local headers = answer.headers
  local limit, window = number_of(headers["RateLimit-Limit"])
  local remaining, own_window = number_of(headers["RateLimit-Remaining"])
  if answer.status == 429 then
    remaining = 0
  end
  if not remaining then
    return nil
  end
  local source = headers["Docker-RateLimit-Source"]
  return {
    limit = limit, remaining = remaining, window = own_window or window, reset = reset_of(headers),
    source = source and require("oras.registry.status").sanitise(source),
  }
end

--- How many requests a registry still allows, by its own words in the answer to a HEAD for a
--- manifest. Nil where it says nothing, and for a layout.
---@param ref string|oras.Container
---@return oras.Rate?
---@raise oras.Error not_found, auth, denied, network, ...
function Registry:rate_limit(ref)
  local container = self:get_container(ref)
  if container.kind == "layout" then
    return nil
  end
  local answer = response.adopt(self:do_request("HEAD", container:manifest_url(), {
    accept = media_types.accept, http2 = true, repository = container.api_prefix, retry = false,
  }), "do_request")
  if answer.status ~= 429 then
    self:check_response(answer, "manifest", container.digest or container.tag, container)
  end
  return read(answer)
end

-- How long until it is worth asking again: what the registry says, else by and by longer.
local function pause_of(rate, pause)
  return rate.reset and math.max(rate.reset, FIRST_PAUSE) or pause
end

--- Wait until a registry allows requests again: before each of many images, this keeps a script
--- within its limit instead of running into refusals. Returns at once where no limit is told.
---@param ref string|oras.Container
---@param opts? { least?: integer, max_wait?: number } `least`: so many are needed (1); `max_wait`:
--- seconds in all, by default what the registry's window lasts
---@return oras.Rate? as it was in the end
---@raise oras.Error rate when it would take longer; not_found, auth, network, ...
function Registry:wait_for_rate(ref, opts)
  opts = options.check(opts, WAIT, "wait_for_rate")
  local container = self:get_container(ref)
  local least, pause, waited = opts.least or 1, FIRST_PAUSE, 0
  while true do
    local rate = self:rate_limit(container)
    if not rate or rate.remaining >= math.min(least, rate.limit or least) then
      return rate
    end
    local seconds = pause_of(rate, pause)
    if waited + seconds > (opts.max_wait or rate.window or DEFAULT_WINDOW) then
      errors.raise {
        class = "rate", retryable = true,
        message = ("%s: %d of %s requests remain, %d are needed, and they are %.0f seconds away"):format(
          container:place(), rate.remaining, rate.limit or "?", least, seconds),
      }
    end
    core.log.write("info", ("%s: waiting %.0f seconds for the rate limit"):format(container:place(), seconds))
    core.clock.sleep(seconds)
    waited, pause = waited + seconds, math.min(pause * 2, LONGEST_PAUSE)
  end
end
