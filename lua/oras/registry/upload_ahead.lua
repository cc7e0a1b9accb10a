--- A large file that is probably new goes up while it is hashed: what it is called is only known
--- when most of it is there, and needed for the last request only (distribution-spec, "Pushing a
--- blob in chunks").
local core = require "oras.core"
local crew = require "oras.crew"
local errors = require "oras.error"

local ahead = {}

-- Another look at the file, as the first is being sent.
local function hash(job)
  local file <close> = errors.check(core.source.file(job.source.path))
  local digest, size = file:hash(job.body.algorithm)
  errors.check(digest, size)
  if size ~= job.body.size then
    errors.raise { class = "content", message = ('"%s" was changed while it was read'):format(job.source.path) }
  end
  return digest
end

-- Refusals of so many bytes in one PATCH, which say nothing of the blob: it may go up as usual.
local REFUSALS <const> = {
  [400] = true, [405] = true, [411] = true, [413] = true, [415] = true, [416] = true, [501] = true,
}

-- Send all, then close the session under the name that the hash has found meanwhile.
local function send(job, upload, hashing)
  local registry, body = job.registry, job.body
  local answer = body:send(function(value)
    return registry:patch_upload(upload, value, nil, body.progress)
  end)
  if answer.status >= 300 then
    local is_too_early = REFUSALS[answer.status] == true
    if is_too_early then
      job.endpoint.streams = false
    end
    return answer, { is_too_early = is_too_early, response = answer }
  end
  hashing:wait()
  return registry:finish_upload(upload, body.digest)
end

--- Send and hash side by side. What is found to be there already is not sent to its end.
---@param job oras.UploadJob its body has a digest afterwards
---@param upload oras.Upload
---@param is_there fun(job: oras.UploadJob): boolean
---@param send_all fun(send: function, ...): any ... calls send and gives what became of it
---@return boolean found
---@return oras.Response? answer
---@return table? failure as send_all gives them
---@raise oras.Error io, content, auth, ...
function ahead.attempt(job, upload, is_there, send_all)
  local tasks <close> = crew.group()
  local is_stopped = false
  tasks[1] = core.task.spawn(function()
    local found, err = errors.try(function()
      job.body.digest = hash(job)
      return is_there(job)
    end)
    if err or found then
      is_stopped = true
      tasks[2]:cancel()
    end
    return err and errors.raise(err) or found
  end)
  tasks[2] = core.task.spawn(send_all, send, job, upload, tasks[1])
  local answer, failure = errors.try(tasks[2].wait, tasks[2])
  if errors.is_error(failure) and not is_stopped then
    errors.raise(failure)
  end
  job.was_asked = true
  return tasks[1]:wait(), answer, failure
end

return ahead
