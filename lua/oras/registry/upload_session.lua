--- An upload as the registry sees it: a session with a Location that changes with each answer
--- (distribution-spec, "Pushing blobs"), and the requests that it takes.
local core = require "oras.core"
local crew = require "oras.crew"
local errors = require "oras.error"
local parting = require "oras.parting"
local redirect = require "oras.redirect"
local adopt = require("oras.response").adopt

local session = {}

local MAX_LOCATION <const> = 8192 + 512
local OCTETS <const> = { ["Content-Type"] = "application/octet-stream" }
local SMALL <const> = 1024 * 1024

-- How long the end of an upload waits for the session's end, and how long that may go on.
local CANCEL_WAIT <const> = 0.15
local CANCEL_TIMEOUT <const> = { connect = 3, first_byte = 3, total = 5 }

local BROKEN <const> = { failed = true, cancelled = true }

---@class oras.Upload
---@field registry oras.Registry
---@field container oras.Container
---@field location? string where the next request goes
---@field chunk_min? integer
---@field mounted? boolean nothing is to be sent
---@field is_over? boolean there is nothing to cancel
local Upload = { __name = "oras.Upload" }
Upload.__index = Upload

--- "upload to host/repository".
function Upload:__tostring()
  return "upload to " .. self.container:place()
end

local function cancel_now(self)
  self.registry:cancel_upload(self)
end

function Upload:__close()
  if not self.is_over then
    self.is_over = true
    cancel_now(self)
  end
  parting.take_back(self) -- an interrupt does not let us get here
end

local function add_query(url, name, value)
  return errors.check(core.url.append_query(url, name, value))
end

-- Container URLs have no scheme.
local function start_url(container, fields)
  local url = "https://" .. container:upload_url()
  for i = 1, #fields, 2 do
    url = add_query(url, fields[i], fields[i + 1])
  end
  return url:sub(9)
end

local function refuse(class, answer, format, ...)
  errors.raise {
    class = class,
    message = format:format(...),
    method = answer.method,
    status = answer.status,
    url = answer.url and core.url.redact(answer.url),
    retryable = false,
  }
end

-- Where a registry sends the bytes: its own origin, or one that the user has allowed. It never
-- gets credentials there, as the requests are bound to the registry (GHSA-jxpm-75mh-9fp7).
local function check_origin(self, answer, url)
  local origin, err = core.url.origin(url)
  if not origin then
    refuse("protocol", answer, "an upload's Location is no URL: %s", err.message)
  end
  if not redirect.takes_uploads(self.endpoint.origin, self.registry._settings.upload_origins, origin) then
    refuse("redirect", answer,
      "the registry sends the upload to another origin, %s (if that is meant: upload_origins = {%q})", origin, origin)
  end
end

-- Take the newest Location; older ones are of no use any more.
local function take_location(self, answer)
  local list = answer.headers "Location"
  local location = list and list[1]
  if not location or location == "" then
    return false
  elseif #list > 1 then
    refuse("protocol", answer, "an upload with more than one Location")
  elseif #location > MAX_LOCATION then
    refuse("protocol", answer, "an upload's Location of %d bytes, more than %d", #location, MAX_LOCATION)
  end
  local url, err = core.url.resolve(answer.url or self.location or self.base, location)
  if not url then
    refuse("protocol", answer, "an upload's Location is no URL: %s", err.message)
  end
  check_origin(self, answer, url)
  self.location, self.hop = url, answer.hop
  return true
end

local function request(self, method, url, opts)
  opts.repository = self.container.api_prefix
  opts.registry = self.container.host
  opts.from = self.hop
  return adopt(self.registry:do_request(method, url, opts), "do_request")
end

-- The length that chunks have at least; nonsense is none (faults N45).
local MAX_CHUNK_MIN <const> = 512 * 1024 * 1024

local function chunk_min(answer)
  local value = answer.headers["OCI-Chunk-Min-Length"]
  local least = value and math.tointeger(tonumber(value))
  return least and least > 0 and math.min(least, MAX_CHUNK_MIN) or nil
end

local function start_scope(container, from)
  local scope = ("repository:%s:pull,push"):format(container.api_prefix)
  if from and from ~= container.api_prefix then
    scope = ("%s repository:%s:pull"):format(scope, from)
  end
  return scope
end

-- A session that opens when nobody waits for it any more is ended at once: how long that is
-- waited for, is CANCEL_WAIT.
local Late = {}

function Late.__close(late)
  local task = late.task
  if late.is_taken or BROKEN[task:status()] then
    return
  end
  crew.quicker(function()
    local answer = task:wait()
    if answer.status == 202 and take_location(late.upload, answer) then
      late.upload.registry:cancel_upload(late.upload)
    end
  end, function()
    core.clock.sleep(CANCEL_WAIT)
  end)
  task:cancel()
end

local function ask_patiently(self, ask)
  if not core.task.running() then
    return ask()
  end
  local task = core.task.spawn(ask)
  local late <close> = setmetatable({ upload = self, task = task }, Late)
  local answer = task:wait()
  late.is_taken = true
  return answer
end

--- Open a session, or, with `mount`, take the blob from another repository if it is there.
---@param registry oras.Registry
---@param container oras.Container
---@param opts { mount?: string, from?: string, algorithm?: string }
---@return oras.Upload
---@return oras.Response
function session.start(registry, container, opts)
  local fields = {}
  if opts.mount then
    fields = { "mount", opts.mount, "from", opts.from }
  end
  if opts.algorithm and opts.algorithm ~= "sha256" then
    fields[#fields + 1], fields[#fields + 2] = "digest-algorithm", opts.algorithm
  end
  local self = setmetatable({
    registry = registry, container = container, endpoint = registry:_endpoint(container.host, container.host),
  }, Upload)
  self.base = self.endpoint.base .. "/v2/"
  local answer = ask_patiently(self, function()
    return adopt(registry:do_request("POST", start_url(container, fields), {
      body = "",
      headers = OCTETS,
      http2 = true,
      repository = container.api_prefix,
      scope = start_scope(container, opts.mount and opts.from),
    }), "do_request")
  end)
  return self, answer
end

--- There is nothing where uploads begin.
---@param self oras.Upload
---@param answer oras.Response of status 404
---@raise oras.Error not_found
function session.refuse_start(self, answer)
  local code, words = require("oras.registry.status").read(answer)
  errors.raise {
    class = "not_found", code = code, method = "POST", retryable = false, status = answer.status,
    url = answer.url and core.url.redact(answer.url),
    message = ("there is no repository to upload to at %s%s"):format(
      self.container:place(), words and ": " .. words or ""),
  }
end

--- Take what opened the session.
---@param self oras.Upload
---@param answer oras.Response of status 202
---@raise oras.Error protocol, redirect
function session.opened(self, answer)
  if not take_location(self, answer) then
    refuse("protocol", answer, "the registry opened an upload but gave no Location")
  end
  self.chunk_min = chunk_min(answer)
  parting.leave(self, cancel_now)
end

-- A chunk was taken, or was not but the registry says where it stands.
local function keep_up(self, answer)
  if answer.status < 300 or (answer.status >= 400 and answer.headers.Range) then
    take_location(self, answer)
  end
  return answer
end

--- Send bytes to a session that stays open.
---@param self oras.Upload
---@param value string|userdata
---@param part? { offset: integer, size: integer } of the whole; without it, all that is left
---@param progress? table fields of the progress event
---@return oras.Response
function session.patch(self, value, part, progress)
  local headers = OCTETS
  local is_text = type(value) == "string"
  if part then
    headers = {
      ["Content-Type"] = OCTETS["Content-Type"],
      ["Content-Range"] = ("%d-%d"):format(part.offset, part.offset + part.size - 1),
    }
    if is_text then
      value = value:sub(part.from + 1, part.from + part.size)
    end
  end
  return keep_up(self, request(self, "PATCH", self.location, {
    body = value,
    body_offset = part and not is_text and part.from or nil,
    body_size = part and not is_text and part.size or nil,
    headers = headers,
    progress = progress,
    retry = false,
  }))
end

--- Close a session with all bytes, or with those that are left.
---@param self oras.Upload
---@param digest string
---@param value string|userdata
---@param progress? table fields of the progress event
---@return oras.Response
function session.put(self, digest, value, progress)
  return request(self, "PUT", add_query(self.location, "digest", digest), {
    body = value,
    headers = OCTETS,
    http2 = type(value) == "string" and #value <= SMALL,
    progress = progress,
    retry = false,
  })
end

--- The bytes that a Range field acknowledges; nil when it says nothing. "0-0" may mean none:
--- `acknowledged` is what was known before.
---@param answer oras.Response
---@param acknowledged integer
---@return integer?
function session.acknowledged(answer, acknowledged)
  local field = answer.headers.Range
  local last = field and (field:match "^%s*0%-(%d+)%s*$" or field:match "^%s*bytes=0%-(%d+)%s*$")
  last = last and math.tointeger(tonumber(last))
  if last == 0 and acknowledged == 0 then
    return 0
  end
  return last and last + 1
end

--- Ask where a session stands.
---@param self oras.Upload
---@return oras.Response
function session.status(self)
  return keep_up(self, request(self, "GET", self.location, { http2 = true }))
end

--- End a session, best effort: whoever waits goes on soon, the request may take longer.
---@param self oras.Upload
function session.cancel(self)
  local url = self.location
  if not url then
    return
  end
  local function delete()
    request(self, "DELETE", url, {
      retry = false, timeout = CANCEL_TIMEOUT, http2 = true,
      scope = ("repository:%s:pull,push"):format(self.container.api_prefix),
    })
  end
  crew.quicker(function()
    local _, err = errors.try(delete)
    if err and err.class == "network" and err.retryable then
      delete() -- a kept connection that was dead; what was failing may have closed several
    end
  end, function()
    core.clock.sleep(CANCEL_WAIT)
  end)
end

return session
