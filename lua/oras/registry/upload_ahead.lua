--- A large file that is probably new goes up while it is hashed: what it is called is only known
--- when most of it is there, and needed for the last request only (distribution-spec, "Pushing a
--- blob in chunks").
local core = require "oras.core"
local crew = require "oras.crew"
local errors = require "oras.error"

local ahead = {}

--- From here on the hash takes much longer than one request more.
ahead.LARGE = 128 * 1024 * 1024

--- May the upload begin before the digest is known? Only where nobody has to be asked first.
---@param job oras.UploadJob
---@return boolean
function ahead.is_worth(job)
  local body, opts = job.body, job.opts
  return opts.expect == "absent" and not body.digest and job.source.path ~= nil and body.size ~= nil
    and body.size >= ahead.LARGE and not job.chunk and not job.from and job.endpoint.streams ~= false
end

-- Another look at the file, as the first is being sent.
local function hash(job)
  local file <close> = errors.check(core.source.file(job.source.path))
  local digest, size = file:hash()
  errors.check(digest, size)
  if size ~= job.body.size then
    errors.raise { class = "content", message = ('"%s" was changed while it was read'):format(job.source.path) }
  end
  return digest
end

-- Send all, then close the session under the name that the hash has found meanwhile.
local function send(job, hashing)
  local registry, body = job.registry, job.body
  local upload <close> = registry:start_upload(job.container)
  local answer = body:send(function(value)
    return registry:patch_upload(upload, value, nil, body.progress)
  end)
  if answer.status >= 300 then
    job.endpoint.streams = false
    return nil
  end
  hashing:wait()
  answer = registry:finish_upload(upload, body.digest)
  upload.is_over = answer.status < 300
  return upload.is_over and answer or nil
end

--- Send and hash side by side. What is found to be there already is not sent to its end.
---@param job oras.UploadJob its body has a digest afterwards
---@param is_there fun(job: oras.UploadJob): boolean
---@return string? done "exists" or "uploaded"; nil: it has to be sent as usual
---@return oras.Response? answer of the last request
---@raise oras.Error io, content, auth, ...
function ahead.attempt(job, is_there)
  local tasks <close> = crew.group()
  local found, answer = false, nil
  tasks[1] = core.task.spawn(function()
    job.body.digest = hash(job)
    found = is_there(job)
    if found then
      tasks[2]:cancel()
    end
  end)
  tasks[2] = core.task.spawn(function()
    answer = send(job, tasks[1])
  end)
  crew.await(tasks[2])
  tasks[1]:wait()
  job.was_asked = true
  return found and "exists" or answer and "uploaded" or nil, answer
end

return ahead
