--- One operation on the wire: tries, and in each try redirects and rounds of authentication.
local core = require "oras.core"
local errors = require "oras.error"
local response = require "oras.response"

local Response <const> = response.Response

local exchange = {}

local function note_warnings(registry, request, answer)
  local status = require "oras.registry.status"
  local seen = registry._warned or {}
  registry._warned = seen
  for _, field in ipairs(answer.headers "Warning") do
    local text = core.headers.warning(field)
    text = text and status.sanitise(status.hide(text, request))
    if text and not seen[text] then
      seen[text] = true
      registry:_emit("warning", text)
      require("oras.log").warn("the registry says: " .. text)
    end
  end
end

-- One line an exchange for --debug; the log redacts what a URL may hold.
local function log_exchange(request, answer, err)
  local result = answer and answer.status or tostring(err)
  core.log.write("debug", ("%s %s -> %s"):format(request.method, core.url.redact(request.url), result))
end

local function send(registry, request)
  local refused = registry.dry_run and require("oras.registry.dry_run").refusal(registry, request)
  if refused then
    return nil, refused
  end
  local watchers = registry._watchers
  if watchers then
    registry:_emit("request", request)
  end
  local answer, err = registry:send(request)
  if core.log.level() == "debug" then
    log_exchange(request, answer, err)
  end
  if not answer then
    return nil, err or errors.usage "send gives a response, or nil and an oras.Error"
  end
  if getmetatable(answer) ~= Response then
    answer = response.adopt(answer)
  end
  if answer.headers.Warning then
    note_warnings(registry, request, answer)
  end
  if watchers then
    registry:_emit("response", answer)
  end
  return answer
end

local function is_foreign(request, answer)
  local origin = answer.origin or core.url.origin(request.url)
  return origin ~= request.origin
end

local function go_back(request, start)
  request.url, request.from, request.purpose = start.url, start.from, start.purpose
end

-- A signed URL that has expired: the registry gives a new one.
local EXPIRED <const> = { [400] = true, [401] = true, [403] = true }

local function follow(registry, request, start)
  local hops, rounds, restarted = 0, 0, false
  if request.auth ~= false then
    registry:authenticate(request)
  end
  while true do
    local answer, err = send(registry, request)
    if not answer then
      return nil, err
    end
    local status = answer.status
    if status < 300 then
      return answer
    end
    local foreign = is_foreign(request, answer)
    if status < 400 and require("oras.redirect").is_redirect(status) then
      hops = hops + 1
      require("oras.redirect").follow(request, answer, hops, registry._limits.redirects)
    elseif foreign and hops > 0 and EXPIRED[status] and not restarted then
      restarted, hops = true, 0
      go_back(request, start)
    elseif status == 401 and not foreign and request.auth ~= false then
      rounds = rounds + 1
      if rounds > registry._limits.auth_rounds or not registry:authenticate(request, answer) then
        return answer
      end
    else
      return answer
    end
  end
end

local function renew_sink(request, drop)
  if request.new_sink then
    if drop and request.sink then
      request.sink:close(true)
    end
    request.sink = errors.check(request.new_sink(request.expect))
  end
end

-- A file goes on where it was; everything else, and what arrived wrong, begins anew.
local function prepare_sink(request, err)
  local spoilt = err and err.class == "integrity"
  if not request.keep_sink or not request.sink or spoilt then
    renew_sink(request, spoilt)
  end
end

-- Wrong bytes that a sink of the caller's has passed on cannot be taken back by another try.
local function is_spent(request, err)
  return err ~= nil and err.class == "integrity" and request.keep_sink and not request.new_sink
end

local function next_delay(registry, failure, waited)
  local retry = require "oras.retry"
  if not registry:should_retry(failure) then
    return nil
  end
  return retry.delay(failure, registry._retry or retry.defaults, waited)
end

local function fail(request, err, attempt)
  err.method = err.method or request.method
  err.url = err.url or core.url.redact(request.url)
  err.digest = err.digest or (request.expect and request.expect.digest)
  err.attempts = attempt
  errors.raise(err)
end

--- Wait before another try, or give nil: the answer or error is final.
---@param registry oras.Registry
---@param failure oras.Failure
---@param waited number seconds waited so far
---@return number? delay
function exchange.pause(registry, failure, waited)
  local delay = next_delay(registry, failure, waited)
  if not delay then
    return nil
  end
  failure.delay = delay
  registry:_emit("retry", failure)
  core.clock.sleep(delay)
  return delay
end

local function finish(request, answer, attempt)
  answer.method = request.method
  answer.scope = request.scope
  answer.attempts = attempt
  if answer.status >= 400 then
    require("oras.registry.status").note(answer, request)
  end
  if request.new_sink == core.sink.stream then
    answer.streaming = answer.status < 300
  elseif answer.status >= 300 and request.keep_sink then
    request.sink:close()
  end
  return answer
end

-- A step may raise, too (refused credentials, a handler of the user's): the file is closed
-- then, so that one without bytes goes at once. What a server said in a challenge or a
-- redirect is in the message, without our secrets.
local Unfinished = {}

function Unfinished.__close(holder, err)
  local request = holder.request
  if err ~= nil and request.keep_sink and request.sink then
    request.sink:close()
  end
  if errors.is_error(err) and err.message then
    err.message = require("oras.registry.status").hide(err.message, request)
  end
end

--- Perform a request, retries and all.
---@param registry oras.Registry
---@param request table
---@return oras.Response whatever its status
---@raise oras.Error when there was no valid answer
function exchange.perform(registry, request)
  local start = { url = request.url, from = request.from, purpose = request.purpose }
  local attempt, waited, spoilt, restarted, err = 0, 0, 0, false, nil
  local _ <close> = setmetatable({ request = request }, Unfinished)
  while true do
    attempt = attempt + 1
    prepare_sink(request, err)
    local answer
    answer, err = follow(registry, request, start)
    if answer and answer.status < 400 then
      return finish(request, answer, attempt)
    end
    if answer and answer.status == 416 and request.keep_sink and not restarted then
      restarted = true
      renew_sink(request, true)
    else
      if err and err.class == "integrity" then
        spoilt = spoilt + 1
      end
      local failure = {
        method = request.method, url = core.url.redact(start.url), attempt = attempt,
        spoilt = spoilt, error = err, response = answer,
      }
      local delay = request.retry ~= false and not is_spent(request, err) and exchange.pause(registry, failure, waited)
      if not delay then
        return answer and finish(request, answer, attempt) or fail(request, err, attempt)
      end
      waited = waited + delay
    end
    go_back(request, start)
  end
end

return exchange
