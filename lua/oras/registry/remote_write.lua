--- How a blob gets into a registry in the fewest requests, and what may go wrong on the way.
---
--- The request that asks for a mount from the repository itself tells whether the blob is there,
--- and opens the session when it is not: two requests for a new blob, one for one that exists.
--- Some registries do not heed it; before many bytes are sent to one that has not been seen to,
--- a HEAD asks as well.
local core = require "oras.core"
local errors = require "oras.error"
local exchange = require "oras.registry.exchange"
local begin_push = require("oras.registry.remote").begin_push
local sources = require "oras.registry.sources"

local write = {}

-- Bytes that are sent without asking twice whether they are there.
local UNASKED <const> = 64 * 1024
local CHUNK <const> = 16 * 1024 * 1024
-- Chunks where the whole was too large for something on the way, and blobs not worth it.
local SMALL_CHUNK <const> = 4 * 1024 * 1024
local LEAST_CHUNKED <const> = 512 * 1024
-- What is kept of a reader, however long chunks should be.
local MAX_WINDOW <const> = 64 * 1024 * 1024

---@class oras.UploadJob
---@field registry oras.Registry
---@field container oras.Container
---@field endpoint table `self_mount`: does a mount from the repository itself tell what is there?
---@field from? string repository to mount from
---@field body oras.Body
---@field opts table of upload_blob

-- Is the blob there? Whatever a registry answers instead (rights to push may come without the
-- right to look), the upload tells.
local function is_there(job)
  local registry = job.registry
  local found, err = errors.try(registry.blob_exists, registry, job.container, job.body.digest)
  if err and not err.status then
    errors.raise(err)
  end
  return found == true
end

-- What this object has stored where it is not known yet whether a mount would tell. A few are
-- enough to find out.
local MAX_STORED <const> = 256

local function place_of(job)
  return job.container.api_prefix .. "@" .. job.body.digest
end

local function remember(job)
  local endpoint = job.endpoint
  local stored = endpoint.stored or { n = 0 }
  if endpoint.self_mount == nil and stored.n < MAX_STORED then
    endpoint.stored = stored
    stored[place_of(job)], stored.n = true, stored.n + 1
  end
end

local function set_self_mount(job, tells)
  job.endpoint.self_mount, job.endpoint.stored = tells, nil
end

local function is_worth_asking(job)
  local stored = job.endpoint.stored
  return job.opts.strict or (job.body.size or math.huge) > UNASKED or (stored and stored[place_of(job)])
end

-- Ask before a session is opened: when it is probably there, or nothing else would tell.
local function asks_first(job)
  return job.opts.expect == "present" or job.endpoint.self_mount == false
end

-- Statuses with which a registry refuses a mount; the blob may be uploaded all the same (N49).
local NO_MOUNT <const> = { [400] = true, [401] = true, [403] = true, [404] = true, [405] = true }

local function start_mounting(job, from)
  local registry, body = job.registry, job.body
  local upload, err = errors.try(registry.start_upload, registry, job.container, {
    mount = body.digest, from = from, algorithm = body.digest:match "^[^:]+",
  })
  if upload then
    return upload
  elseif not NO_MOUNT[err.status] then
    errors.raise(err)
  end
  return nil
end

local function start(job)
  local body = job.body
  if not body.digest then
    return job.registry:start_upload(job.container, { algorithm = body.algorithm })
  end
  local own = job.container.api_prefix
  local from = job.from or (job.endpoint.self_mount ~= false and not job.was_asked and own) or nil
  local upload = from and start_mounting(job, from)
  if not upload then
    upload = job.registry:start_upload(job.container, {
      algorithm = body.digest:match "^[^:]+", digest = body.digest,
    })
    if from == own then
      set_self_mount(job, false)
    end
  elseif upload.mounted and from == own then
    set_self_mount(job, true)
  end
  upload.asked_for = from
  return upload
end

-- A session was opened although a mount was asked for: the blob is not there, or the registry
-- does not look.
local function is_there_after_all(job, upload)
  local told = upload.asked_for == job.container.api_prefix and job.endpoint.self_mount
  if job.was_asked or told or not job.body.digest or not is_worth_asking(job) then
    return false
  end
  job.was_asked = true
  local found = is_there(job)
  if found and upload.asked_for == job.container.api_prefix then
    set_self_mount(job, false)
  end
  return found
end

-- What a registry says it has stored is what was sent (faults N47).
local function check_digest(job, answer)
  local claimed = answer.headers["Docker-Content-Digest"]
  local digest = job.body.digest
  local is_alike = claimed and claimed:match "^[^:]+" == digest:match "^[^:]+"
  if is_alike and claimed ~= digest then
    errors.raise {
      class = "integrity", digest = digest, method = answer.method, retryable = false, status = answer.status,
      url = answer.url and core.url.redact(answer.url),
      message = ("%s stored the blob as %s, not %s"):format(job.container:place(), claimed, digest),
    }
  end
end

local STORED <const> = { [200] = true, [201] = true, [204] = true }

local function in_chunks(body, chunk)
  if body.kind == "reader" then
    return chunk <= MAX_WINDOW
  end
  return body.size ~= nil and body.size > chunk and body:can_seek()
end

-- One of: the session is closed and the blob stored; a failure to think about.
local function send(job, upload)
  local registry, body = job.registry, job.body
  local chunk = job.chunk and math.max(job.chunk, upload.chunk_min or 0)
  if chunk and in_chunks(body, chunk) then
    return registry:chunked_upload(upload, body, chunk)
  elseif not body.digest then
    local answer, sent = registry:stream_upload(upload, body)
    return answer, not sent and { is_refused = true, response = answer } or nil
  end
  return registry:put_upload(upload, body)
end

-- What broke, and may go better next time; else it is raised.
local function passing(err)
  if not err.retryable then
    errors.raise(err)
  end
  return { error = err }
end

-- The registry may have taken all although its answer was lost. A session that is gone may have
-- been closed, too: a proxy may send a request again when its own connection breaks.
local function may_be_stored(failure)
  local answer = failure.response
  if not answer or failure.way == "lost" then
    return not answer or answer.method == "PUT"
  end
  return answer.status >= 500 or answer.status == 408
end

local function is_stored(job)
  local digest = job.body.digest
  if not digest then
    return false
  end
  local found, err = errors.try(job.registry.blob_exists, job.registry, job.container, digest)
  if err and err.class == "cancelled" then
    errors.raise(err)
  end
  return found == true
end

local LOST <const> = { BLOB_UPLOAD_UNKNOWN = true, BLOB_UPLOAD_INVALID = true }
local WRONG <const> = { DIGEST_INVALID = true, SIZE_INVALID = true }

-- Failures that a new session betters although the same request would not: each kind once.
local function way_out(job, failure)
  local answer = failure.response
  if not answer or failure.error then
    return nil
  end
  local status, tried = answer.status, job.tried
  local code = status >= 400 and (require("oras.registry.status").read(answer))
  if status == 404 or LOST[code] then
    return not tried.lost and "lost"
  elseif (failure.is_refused or status == 411) and not job.body.size then
    return not tried.hash and job.body.kind == "source" and "hash"
  elseif WRONG[code] then
    job.body:check_again(job.source.path)
    return not tried.wrong and "wrong"
  elseif failure.is_stuck then
    return not tried.whole and not tried.chunks and job.body:can_repeat() and "whole"
  elseif status == 413 and not job.chunk and (job.body.size or 0) > LEAST_CHUNKED and job.body:can_seek() then
    return not tried.chunks and "chunks"
  elseif failure.is_too_early then
    return "usual"
  end
end

-- Take a way out: what is other in the next attempt.
local function change(job, way)
  job.tried[way] = true
  if way == "hash" then
    job.body:hash()
  elseif way == "whole" then
    job.chunk = nil
  elseif way == "chunks" then
    job.chunk = SMALL_CHUNK
  end
end

local function give_up(job, failure)
  if failure.error then
    errors.raise(failure.error)
  end
  local answer, body = failure.response, job.body
  if failure.is_stuck and (not answer or answer.status < 400) then
    errors.raise {
      class = "protocol", digest = body.digest, retryable = false,
      message = job.container:place() .. " " .. (failure.why or "does not say how much of an upload it has"),
    }
  elseif answer.status < 400 then
    errors.raise {
      class = "protocol", method = answer.method, retryable = false, status = answer.status,
      url = answer.url and core.url.redact(answer.url),
      message = ("%s answers the end of an upload with %d, not 201"):format(job.container:place(), answer.status),
    }
  end
  job.registry:check_response(answer, "upload of blob", body.digest or "of unknown digest", job.container)
end

local function describe(job, failure, count)
  failure.method = "PUT"
  failure.url = core.url.redact("https://" .. job.container:upload_url())
  failure.attempt, failure.spoilt = count, 0
  failure.error = not failure.response and failure.error or nil
  return failure
end

local function send_all(how, ...)
  local answer, failure = errors.try(how, ...)
  if errors.is_error(failure) then
    return nil, passing(failure)
  elseif not failure and not STORED[answer.status] then
    failure = { response = answer }
  end
  return answer, failure
end

-- That something was lost, although nothing had to be sent again.
local function tell(job, failure)
  describe(job, failure, job.count).delay = 0
  job.registry:_emit("retry", failure)
end

-- What became of the bytes: is the blob there?
local function conclude(job, upload, answer, failure)
  if not failure then
    upload.is_over = true
    check_digest(job, answer)
    return "uploaded"
  end
  failure.way = job.body:can_repeat() and way_out(job, failure)
  if may_be_stored(failure) and is_stored(job) then -- asked before anything is sent again, or cancelled
    upload.is_over = true
    tell(job, failure)
    return "uploaded"
  end
  return nil, failure
end

local function attempt(job)
  if job.body.digest and not job.was_asked and asks_first(job) then
    job.was_asked = true
    if is_there(job) then
      return "exists"
    end
  end
  local upload <close> = start(job)
  if upload.mounted then
    check_digest(job, upload.answer)
    return upload.asked_for == job.container.api_prefix and "exists" or "mounted"
  elseif is_there_after_all(job, upload) then
    return "exists"
  end
  return conclude(job, upload, send_all(send, job, upload))
end

-- May the upload begin before the digest is known? Only where nobody has to be asked first.
local function may_go_ahead(job)
  local body = job.body
  return job.opts.expect == "absent" and not body.digest and job.source.path and (body.size or 0) >= sources.LARGE
    and not job.chunk and not job.from and job.endpoint.streams ~= false
end

-- The first attempt of a large file that is probably new: it goes up while it is hashed.
local function attempt_ahead(job)
  local upload <close> = start(job)
  local found, answer, failure = require("oras.registry.upload_ahead").attempt(job, upload, is_there, send_all)
  if found then
    return "exists"
  end
  return conclude(job, upload, answer, failure)
end

-- Attempts until it is there: ways out at once, what may pass by itself after a pause.
local function persist(job, try)
  job.count = 1
  while true do
    local done, failure = try(job)
    try = attempt
    if done then
      return done
    elseif failure.way then
      change(job, failure.way)
    else
      local delay = job.body:can_repeat() and
        exchange.pause(job.registry, describe(job, failure, job.count), job.body.waited)
      if not delay then
        give_up(job, failure)
      end
      job.count, job.body.waited = job.count + 1, job.body.waited + delay
    end
  end
end

-- Once, for those who have many more: does the registry tell what is there?
local function prove(job)
  local endpoint = job.endpoint
  if endpoint.self_mount ~= nil then
    return
  end
  local upload <close> = start_mounting(job, job.container.api_prefix)
  set_self_mount(job, upload ~= nil and upload.mounted == true)
end

--- Upload a blob to a registry.
---@param registry oras.Registry
---@param container oras.Container
---@param source table as sources.check gives it
---@param descriptor table is filled in
---@param opts table of upload_blob
---@return table descriptor
---@return string done
function write.upload(registry, container, source, descriptor, opts)
  local body <close> = sources.open(source, descriptor, opts.algorithm)
  local job = {
    registry = registry, container = container, body = body, source = source, opts = opts, tried = {},
    endpoint = begin_push(registry, container),
    from = opts.mount_from,
    chunk = opts.chunked and (opts.chunk_size or (source.reader and SMALL_CHUNK or CHUNK)) or nil,
  }
  local goes_ahead = may_go_ahead(job)
  if not goes_ahead then
    body:learn()
  end
  local report <close> = opts.progress == nil and registry:_progress {
    phase = "upload", digest = body.digest, title = opts.title, total = body.size,
  }
  body.progress = report or opts.progress
  local done = persist(job, goes_ahead and attempt_ahead or attempt)
  descriptor.digest, descriptor.size = body.digest, body.size
  if done == "uploaded" then
    remember(job)
    if opts.prove_mount then
      prove(job)
    end
  end
  return descriptor, done
end

return write
