--- Registry methods on uploads: `upload_blob`, and the steps it takes, each of which a provider
--- may override (distribution-spec, "Pushing blobs").
local core = require "oras.core"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"
local options = require "oras.options"
local session = require "oras.registry.upload_session"
local sources = require "oras.registry.sources"

local Registry = require "oras.registry"

local UPLOAD <const> = {
  algorithm = "string", chunk_size = "integer", chunked = "boolean", expect = "string", media_type = "string",
  mount_from = "string|table",
  progress = "table|boolean", prove_mount = "boolean", strict = "boolean", title = "string",
}

local MIN_CHUNK <const> = 1024
local OCTETS <const> = "application/octet-stream"

-- A descriptor may be a digest, or say less than all: what is missing is found out.
local function check_descriptor(given)
  if given == nil then
    return {}
  elseif type(given) == "string" or (type(given) == "table" and given.digest ~= nil) then
    local _, _, found = descriptor.of_caller(given, "upload_blob")
    return options.copied(found)
  elseif type(given) ~= "table" then
    errors.usage("upload_blob: the third argument is a descriptor or a digest, not a %s", type(given))
  elseif given.size ~= nil and (math.type(given.size) ~= "integer" or given.size < 0) then
    errors.usage "upload_blob: the size of a descriptor is a whole number from 0 on"
  end
  return options.copied(given)
end

local function check_options(opts)
  options.check(opts, UPLOAD, "upload_blob")
  if opts.chunk_size and opts.chunk_size < MIN_CHUNK then
    errors.usage("upload_blob: chunk_size is at least %d, not %d", MIN_CHUNK, opts.chunk_size)
  elseif opts.algorithm and opts.algorithm ~= "sha256" and opts.algorithm ~= "sha512" then
    errors.usage('upload_blob: algorithm is "sha256" or "sha512", not %q', opts.algorithm)
  elseif opts.expect and opts.expect ~= "present" and opts.expect ~= "absent" then
    errors.usage('upload_blob: expect is "present" or "absent", not %q', opts.expect)
  end
end

-- What to mount from: a repository of the target's registry, or nothing. Others are not named to
-- the target: what somebody else has stored where is none of its business.
local function mount_source(container, from)
  local containers = require "oras.container"
  if type(from) == "string" then
    local parsed, err = errors.try(containers.new, from, container.registry or "localhost")
    from = parsed or errors.usage("upload_blob: mount_from: %s", err.message)
  elseif not containers.is_container(from) then
    errors.usage "upload_blob: mount_from is a repository or a reference, not another table"
  end
  local is_same = from.kind == "registry" and from.host == container.host
  return is_same and from.api_prefix or nil
end

-- oras-py has the blob first.
local function check_order(ref, source)
  local container = require "oras.container"
  if container.is_container(source) and not container.is_container(ref) then
    errors.usage "upload_blob: the reference comes before the source"
  end
end

--- Upload a blob, unless it is there.
---
--- `source`: a path, `{data = bytes}` or `{reader = function}` which gives strings and nil at
--- its end (with `size`, if it is known). `blob` says what it must be, and is filled in.
--- `mount_from`: a repository of the same registry that may have it, as a name or a reference.
--- `algorithm`: of its digest where none is given, "sha256" (the default) or "sha512".
---@param ref string|oras.Container
---@param source string|table
---@param blob? string|table digest or descriptor
---@param opts? { chunked?: boolean, chunk_size?: integer, mount_from?: string|oras.Container, media_type?: string }
---@return table descriptor mediaType, digest, size, and what the one given says
---@return string done "exists", "mounted" or "uploaded"
---@raise oras.Error io, content, usage, auth, denied, limit, integrity, redirect, network, ...
function Registry:upload_blob(ref, source, blob, opts)
  check_order(ref, source)
  local container = self:get_container(ref)
  local given = check_descriptor(blob)
  opts = opts or {}
  check_options(opts)
  if opts.mount_from then
    opts = options.copied(opts)
    opts.mount_from = mount_source(container, opts.mount_from)
  end
  source = sources.check(source, "upload_blob")
  given.mediaType = opts.media_type or given.mediaType or OCTETS
  return self:_backend(container).upload(self, container, source, given, opts)
end

--- Step of an upload to a registry: open a session. With `mount` the blob is taken from the
--- repository `from`, if it is there; then the session is `mounted` and needs no bytes.
---@param container oras.Container
---@param opts? { mount?: string, from?: string, digest?: string, algorithm?: string } digest: for messages
---@return oras.Upload closable: cancelled unless it is over
---@raise oras.Error protocol, redirect, denied, unsupported, ...
function Registry:start_upload(container, opts)
  opts = opts or {}
  local upload, answer = session.start(self, container, opts)
  upload.answer = answer
  if opts.mount and answer.status == 201 then
    upload.mounted, upload.is_over = true, true
    return upload
  end
  if answer.status == 404 then
    session.refuse_start(upload, answer)
  end
  self:check_response(answer, "upload of blob", opts.mount or opts.digest or "of unknown digest", container)
  if answer.status ~= 202 then
    errors.raise {
      class = "protocol", method = "POST", status = answer.status, retryable = false,
      url = answer.url and core.url.redact(answer.url),
      message = ("%s answers the start of an upload with %d, not 202"):format(container:place(), answer.status),
    }
  end
  session.opened(upload, answer)
  return upload
end

--- Step of an upload: send all bytes and close the session.
---@param upload oras.Upload
---@param body oras.Body its digest is known
---@return oras.Response
function Registry:put_upload(upload, body) -- luacheck: no self
  return body:send(function(value)
    return session.put(upload, body.digest, value, body.progress)
  end)
end

--- Step of an upload: send bytes and leave the session open. `part.from`: where they stand in
--- the value, `part.offset`: in the blob.
---@param upload oras.Upload
---@param value string|userdata
---@param part? { offset: integer, from: integer, size: integer } without it, everything
---@param progress? table
---@return oras.Response
function Registry:patch_upload(upload, value, part, progress) -- luacheck: no self
  return session.patch(upload, value, part, progress)
end

--- Step of an upload: send everything whose digest shows only at the end, then close.
---@param upload oras.Upload
---@param body oras.Body
---@return oras.Response of the request that failed, or of the last one
---@return boolean sent the body was taken
function Registry:stream_upload(upload, body)
  local answer = body:send(function(value)
    return self:patch_upload(upload, value, nil, body.progress)
  end)
  if answer.status >= 300 then
    return answer, false
  end
  body.digest, body.size = body:sent()
  return self:finish_upload(upload, body.digest), true
end

--- Step of an upload: send it in chunks, then close.
---@param upload oras.Upload
---@param body oras.Body
---@param chunk_size integer
---@return oras.Response? the last answer
---@return table? failure why the whole has to begin anew
function Registry:chunked_upload(upload, body, chunk_size)
  return require("oras.registry.chunks").upload(self, upload, body, chunk_size)
end

--- Step of an upload: close a session that has all bytes.
---@param upload oras.Upload
---@param digest string
---@return oras.Response
function Registry:finish_upload(upload, digest) -- luacheck: no self
  return session.put(upload, digest, "")
end

--- Step of an upload: how many bytes the registry has; nil when it does not say.
---@param upload oras.Upload
---@param acknowledged integer what was known before
---@return integer? size
---@return oras.Response
function Registry:upload_status(upload, acknowledged) -- luacheck: no self
  local answer = session.status(upload)
  if answer.status ~= 204 and answer.status ~= 200 then
    return nil, answer
  end
  return session.acknowledged(answer, acknowledged), answer
end

--- Step of an upload: end a session that will not be used, best effort.
---@param upload oras.Upload
function Registry:cancel_upload(upload) -- luacheck: no self
  session.cancel(upload)
end
