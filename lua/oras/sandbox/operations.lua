--- What a provider in the sandbox may ask for, one function each: `ops.NAME(state, message, bytes)` gives
--- the answer and the bytes that belong to it. References and digests pass the library's own parsers, and
--- every place the policy.
local archive = require "oras.archive"
local containers = require "oras.container"
local core = require "oras.core"
local errors = require "oras.error"
local fields = require "oras.sandbox.fields"
local handles = require "oras.sandbox.handles"
local log = require "oras.log"
local policies = require "oras.sandbox.policy"

local MIB <const> = 1024 * 1024
local BYTES <const> = 8 * MIB -- of one message
local PIECE <const> = 64 * 1024
local PRINTED <const> = 64 * 1024 -- bytes of print, a call

local malformed <const>, field <const>, text <const> = fields.malformed, fields.get, fields.text
local count <const>, texts <const> = fields.count, fields.texts
local drop <const>, forget <const> = handles.drop, handles.forget
local held <const>, keep <const> = handles.held, handles.keep

local ops = {}

local function place(state, message, operation)
  local container = containers.new(text(message, "ref"))
  state.policy:check(operation, container)
  return container
end

local function digest(message)
  local value = text(message, "digest")
  local parsed, err = core.digest.parse(value)
  if not parsed then
    errors.raise(err)
  end
  return value
end


--- The provider wanted what nobody has in there.
function ops.refuse(state, message)
  state.policy:refuse("%s", policies.shown(field(message, "what", "string")))
end

--- A line of the provider's, within what a call may print.
function ops.say(state, _, bytes)
  local left = PRINTED - state.n_printed
  if left <= 0 then
    return {}
  end
  state.n_printed = state.n_printed + #bytes + 1
  log.info("provider: %s", policies.shown(bytes, left))
  return {}
end

-- Functions of oras.core that compute and nothing else, each with what it may be given.
local PURE <const> = {
  ["digest.parse"] = core.digest.parse,
  ["path.relative"] = core.path.relative,
  ["path.title"] = core.path.title,
  ["reference.parse"] = core.reference.parse,
  ["reference.print"] = core.reference.print,
  ["url.append_query"] = core.url.append_query,
  ["url.is_loopback"] = core.url.is_loopback,
  ["url.origin"] = core.url.origin,
  ["url.parse"] = core.url.parse,
  ["url.redact"] = core.url.redact,
  ["url.resolve"] = core.url.resolve,
}

local function failure_of(err)
  return { class = err.class, message = err.message, code = err.code }
end

--- A function of oras.core that computes.
function ops.pure(_, message)
  local fn = PURE[field(message, "fn", "string")] or malformed "fn"
  local args = field(message, "args", "table")
  local n = #args
  for i = 1, n do
    local arg = args[i]
    if type(arg) == "table" then
      texts(args, i)
    elseif arg == core.json.null then
      args[i] = nil
    elseif type(arg) ~= "string" then
      malformed "args"
    end
  end
  local results = table.pack(fn(table.unpack(args, 1, n)))
  if results[1] == nil and results[2] ~= nil then
    return { failure = failure_of(results[2]) }
  end
  return { results = core.json.array(table.move(results, 1, results.n, 1, {})) }
end

--- The digest of bytes.
function ops.digest(_, message, bytes)
  local value, err = core.digest.of(bytes, text(message, "algorithm", true))
  return { digest = errors.check(value, err) }
end

--- Bytes as base64, or back.
function ops.base64(_, message, bytes)
  local given = field(message, "text", "string", true)
  if not given then
    return { text = core.base64.encode(bytes) }
  end
  local decoded, err = core.base64.decode(given)
  if not decoded then
    return { failure = failure_of(err) }
  end
  return {}, decoded
end

--- A manifest or index, verified.
function ops.manifest(state, message)
  local container = place(state, message, "read")
  local doc = state.registry:fetch_manifest(container, {
    accept = text(message, "accept", true), max_bytes = count(message, "max_bytes", true),
  })
  local described = doc:descriptor()
  return { media_type = described.mediaType, digest = described.digest }, doc:raw()
end

--- Type, digest and size of a manifest.
function ops.head(state, message)
  local container = place(state, message, "read")
  local registry = state.registry
  local media_type, found, size = registry:_backend(container).head_manifest(registry, container)
  return { media_type = media_type, digest = found, size = size }
end

local SHOWN_HEADERS <const> = { "Content-Length", "Content-Range", "Content-Type", "Docker-Content-Digest" }

local function headers_of(response)
  local shown = {}
  for _, name in ipairs(SHOWN_HEADERS) do
    shown[name] = response.headers and response.headers[name]
  end
  return shown
end

local function range_of(message)
  local range = field(message, "range", "table", true)
  if range and (math.type(range[1]) ~= "integer" or math.type(range[2]) ~= "integer") then
    malformed "range"
  end
  return range and { range[1], range[2] }
end

--- A blob: its bytes, or a handle of a stream.
function ops.blob(state, message)
  local container = place(state, message, "read")
  local stream = field(message, "stream", "boolean", true)
  local most = count(message, "max_bytes", true)
  local wanted = { digest = digest(message), size = count(message, "size", true) }
  local response = state.registry:get_blob(container, wanted, {
    head = field(message, "head", "boolean", true), range = range_of(message), stream = stream,
    max_bytes = not stream and math.min(most or BYTES, BYTES) or nil,
  })
  local answer = { status = response.status, headers = headers_of(response) }
  if stream and not message.head then
    answer.handle = keep(state, "body", response)
    return answer
  end
  local bytes = not message.head and response.content or ""
  if #bytes > BYTES then
    errors.raise {
      class = "limit", message = ("a blob of %d bytes is too big for the sandbox; a stream is not"):format(#bytes),
    }
  end
  return answer, bytes
end

--- The next piece of a stream.
function ops.read(state, message)
  local entry = held(state, message, "body")
  if not entry.chunks then
    entry.chunks = entry.value:chunks()
  end
  local chunk = entry.chunks()
  return { ended = chunk == nil }, chunk
end

-- The limits of archives may be narrower than these, not wider.
local LIMITS <const> = { max_bytes = 1 << 30, max_depth = 64, max_entries = 1000000, max_ratio = 200 }

local function limits_of(message)
  local given, limits = field(message, "limits", "table", true) or {}, {}
  for name, most in pairs(LIMITS) do
    limits[name] = math.min(count(given, name, true) or most, most)
  end
  limits.packing = text(given, "packing", true)
  return limits
end

--- A reader of an archive: of a stream, a file that the user named, or bytes.
function ops.archive(state, message, bytes)
  local limits = limits_of(message)
  local iterator
  if message.handle ~= nil then
    local entry = held(state, message, "body")
    iterator = entry.value:entries(limits)
    forget(state, message.handle) -- what reads the archive ends the transfer, too
  elseif message.file ~= nil then
    iterator = archive.entries(state.policy:check_file(message.file), limits)
  else
    iterator = archive.entries({ data = bytes }, limits)
  end
  return { handle = keep(state, "reader", iterator) }
end

--- The next entry of an archive.
function ops.next(state, message)
  local reader = held(state, message, "reader")
  local entry = reader.value()
  reader.entry = entry
  return { entry = entry and {
    path = entry.path, type = entry.type, size = entry.size, mode = entry.mode, mtime = entry.mtime,
    linkname = entry.linkname,
  } }
end

local function read_all(entry)
  local parts, size = {}, 0
  for piece in function() return entry:read(PIECE) end do
    parts[#parts + 1], size = piece, size + #piece
    if size > BYTES then
      errors.raise { class = "limit", message = ("the entry '%s' is too big for the sandbox"):format(entry.path) }
    end
  end
  return table.concat(parts)
end

--- Bytes of the entry.
function ops.entry(state, message)
  local entry = held(state, message, "reader").entry or malformed "handle"
  local n = count(message, "n", true)
  local bytes
  if n then
    bytes = entry:read(math.min(n, MIB))
  else
    bytes = read_all(entry)
  end
  return { ended = bytes == nil }, bytes
end

--- Is a blob there?
function ops.exists(state, message)
  local container = place(state, message, "read")
  return { exists = state.registry:blob_exists(container, digest(message)) }
end

--- Pages of tags.
function ops.tags(state, message)
  local container = place(state, message, "read")
  local registry = state.registry
  local pages = registry:_backend(container).tag_pages(registry, container, {
    page_size = count(message, "page_size", true), last = text(message, "last", true),
  })
  return { handle = keep(state, "pages", pages) }
end

--- The next of them.
function ops.page(state, message)
  local items = held(state, message, "pages").value()
  if not items then
    drop(state, message.handle)
  end
  return { items = items and core.json.array(items) }
end

--- Who refers to a manifest.
function ops.referrers(state, message)
  local container = place(state, message, "read")
  local list = state.registry:referrers(container, {
    artifact_type = text(message, "artifact_type", true), annotations = texts(message, "annotations", true),
  })
  return { list = core.json.array(list) }
end

--- Bring a blob into a file that the user named.
function ops.download(state, message)
  local container = place(state, message, "read")
  state.policy:check_operation "write"
  local path = state.policy:check_file(message.path)
  state.registry:download_blob(container, { digest = digest(message), size = count(message, "size", true) }, path)
  return {}
end

--- Store a manifest.
function ops.put(state, message, bytes)
  local container = place(state, message, "push")
  local tags = texts(message, "tags")
  state.registry:upload_manifest(container, bytes, {
    media_type = text(message, "media_type"), tags = #tags > 0 and tags or nil,
    part = field(message, "part", "boolean", true), referrers = field(message, "referrers", "boolean", true),
  })
  return {}
end

local function descriptor_of(message)
  local given = field(message, "blob", "table")
  return {
    mediaType = text(given, "mediaType", true), digest = given.digest ~= nil and digest(given) or nil,
    size = count(given, "size", true), annotations = texts(given, "annotations", true),
  }
end

--- Store a blob.
function ops.upload(state, message, bytes)
  local container = place(state, message, "push")
  local source = message.file ~= nil and state.policy:check_file(message.file) or { data = bytes }
  local described, done = state.registry:upload_blob(container, source, descriptor_of(message), {
    media_type = text(message, "media_type", true), title = text(message, "title", true),
  })
  return { descriptor = described, done = done }
end

--- Give a manifest more names.
function ops.tag(state, message)
  return { value = state.registry:tag(place(state, message, "push"), texts(message, "what")) }
end

--- Take a name away.
function ops.delete_tag(state, message)
  return { value = state.registry:untag(place(state, message, "delete"), text(message, "what")) }
end

--- Delete a manifest.
function ops.delete_manifest(state, message)
  local container = place(state, message, "delete"):with_digest(text(message, "what"))
  state.registry:delete_manifest(container, { find_tags = false })
  return {}
end

--- Delete a blob.
function ops.delete_blob(state, message)
  state.registry:delete_blob(place(state, message, "delete"), text(message, "what"))
  return {}
end

return ops
