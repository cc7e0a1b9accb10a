--- An upload in chunks, with what registries make of it: chunks that are too small or too
--- large for them, Range fields that lag, sessions that are lost (distribution-spec, "Pushing a
--- blob in chunks").
local core = require "oras.core"
local errors = require "oras.error"
local exchange = require "oras.registry.exchange"
local session = require "oras.registry.upload_session"

local chunks = {}

-- Smaller chunks for a registry, or something before it, that takes no larger ones.
local STEPS <const> = { 4 * 1024 * 1024, 1024 * 1024, 256 * 1024 }
-- Disagreements about the offset without progress until the whole is sent instead.
local MAX_STUCK <const> = 2
-- Times that the registry may send us back while less than a chunk is won.
local MAX_SETBACKS <const> = 8

local Job = {}
Job.__index = Job

-- Failures carry an error or a response; `is_stuck`: chunks do not work here.
local function stuck(answer)
  return { is_stuck = true, response = answer }
end

-- The next smaller size, or nil: there is none that the registry allows.
local function smaller(job)
  local least = math.max(job.upload.chunk_min or 0, 2)
  for _, size in ipairs(STEPS) do
    if size < job.chunk and size < job.sent and size >= least then
      return size
    end
  end
end

local function ask(job)
  local known, answer = job.registry:upload_status(job.upload, job.offset)
  return known, answer
end

-- More than was ever sent: something on the way has doubled bytes, or the registry is wrong.
-- Such a session is of no use.
local function ahead(job, known, answer)
  if known <= job.reached then
    return nil
  end
  local failure = stuck(answer)
  failure.why = ("says it has %d bytes of an upload, but %d were sent"):format(known, job.reached)
  return failure
end

-- A chunk was taken. A Range behind it may only lag (ECR): asked once, then our own count
-- holds, as the digest is the judge in the end.
local function accept(job, answer, size)
  local expected = job.offset + size
  job.reached = math.max(job.reached, expected)
  local known = session.acknowledged(answer, job.offset)
  if known ~= expected and not job.lags then
    known, answer = ask(job)
    job.lags = known == nil or known <= expected
  end
  local failure = known and ahead(job, known, answer)
  if failure then
    return failure
  end
  job.offset, job.stuck, job.tries = expected, 0, 1
end

-- Go on where the registry says that it stands; not for ever, if that is never further.
local function go_to(job, known, answer)
  job.reached = math.max(job.reached, job.offset + job.sent)
  local failure = ahead(job, known, answer)
  if failure then
    return failure
  end
  if known >= job.won + job.sent then
    job.won, job.setbacks = known, 0
  end
  job.setbacks = job.setbacks + 1
  if job.setbacks > MAX_SETBACKS then
    return stuck(answer)
  end
  job.offset = known
end

-- The registry does not agree about where the chunk begins, or how long it may be (416).
local function disagree(job, answer)
  job.stuck = job.stuck + 1
  local known = answer.headers.Range and session.acknowledged(answer, job.offset)
  if not known then
    known, answer = ask(job)
  end
  if not known or job.stuck > MAX_STUCK then
    return stuck(answer)
  end
  if known == job.offset then
    job.chunk = smaller(job) or job.chunk -- or the same once more
  end
  return go_to(job, known, answer)
end

-- Something broke: the registry says where it stands, as it may have taken a part.
local function resume(job, failure)
  failure.method, failure.url = "PATCH", core.url.redact(job.upload.location)
  failure.attempt, failure.spoilt = job.tries, 0
  local delay = exchange.pause(job.registry, failure, job.body.waited)
  if not delay then
    return failure
  end
  job.tries, job.body.waited = job.tries + 1, job.body.waited + delay
  local known, answer = ask(job)
  if not known then
    return answer.status < 300 and stuck(answer) or { response = answer }
  end
  return go_to(job, known, answer)
end

-- No chunks are taken here, whatever is said of the whole.
local NO_CHUNKS <const> = { [405] = true, [501] = true }
local TOO_LARGE <const> = { [413] = true, [411] = true }

local function shrink(job, answer)
  local size = smaller(job)
  if not size then
    return { response = answer, is_stuck = true }
  end
  job.chunk = size
end

-- The bytes from the offset on: of a source that can seek, or the window of a reader's that is
-- kept until the registry has it. Gives the value, where they stand in it, and how many; nil at
-- the end.
local function take(job)
  local body, value, from = job.body, job.body.value, job.offset
  local size = body.size
  if body.kind == "reader" then
    if job.offset == job.base + #job.window then
      job.base, job.window = job.offset, body:piece(job.chunk) or ""
      job.hasher:update(job.window)
    end
    value, from, size = job.window, job.offset - job.base, #job.window
  end
  if from >= 0 and from < size then
    return value, from, math.min(job.chunk, size - from)
  end
end

-- Send one chunk; a failure ends the session.
local function step(job, value, from, size)
  local registry, body = job.registry, job.body
  job.sent = size
  if body.progress then
    body.progress.offset = job.offset
  end
  local answer, err = errors.try(registry.patch_upload, registry, job.upload, value, {
    offset = job.offset, from = from, size = size,
  }, body.progress)
  if not answer then
    if not err.retryable then
      errors.raise(err)
    end
    return resume(job, { error = err })
  elseif answer.status < 300 then
    return accept(job, answer, size)
  elseif answer.status == 416 then
    return disagree(job, answer)
  elseif TOO_LARGE[answer.status] then
    return shrink(job, answer)
  elseif NO_CHUNKS[answer.status] then
    return stuck(answer)
  elseif require("oras.retry").is_status(answer.status) then
    return resume(job, { response = answer })
  end
  return { response = answer }
end

-- A reader's window is all there is: what lies before it is gone.
local function is_gone(job)
  return job.body.kind == "reader" and job.offset < job.base
end

-- What a reader gave in all.
local function settle(job)
  local body = job.body
  if body.kind ~= "reader" then
    return
  elseif body.size and body.size ~= job.offset then
    errors.raise {
      class = "content", message = ("the reader gave %d bytes, not %d"):format(job.offset, body.size),
    }
  end
  body.size = job.offset
  body.digest = body.digest or job.hasher:final()
end

--- Send a body in chunks and close the session.
---@param registry oras.Registry
---@param upload oras.Upload
---@param body oras.Body which can be sent in parts
---@param chunk_size integer
---@return oras.Response? of the closing request
---@return table? failure
function chunks.upload(registry, upload, body, chunk_size)
  local job = setmetatable({
    registry = registry, upload = upload, body = body, chunk = chunk_size,
    offset = 0, reached = 0, won = 0, stuck = 0, setbacks = 0, tries = 1,
    base = 0, window = "", hasher = core.digest.new(),
  }, Job)
  body:claim()
  local value, from, size = take(job)
  while value do
    local failure = step(job, value, from, size)
    if failure or is_gone(job) then
      return nil, failure or { is_stuck = true }
    end
    value, from, size = take(job)
  end
  settle(job)
  return (registry:finish_upload(upload, body.digest))
end

return chunks
