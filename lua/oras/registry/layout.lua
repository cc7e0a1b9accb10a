--- An OCI image layout on disk, as the backend of the Registry methods (registry/remote.lua is
--- the other): no server, no network, the same checks.
local core = require "oras.core"
local errors = require "oras.error"
local layouts = require "oras.layout"
local media_types = require "oras.media_types"
local response = require "oras.response"

local layout = {}

local function open(registry, container)
  local opened = registry._layouts or {}
  registry._layouts = opened
  local found = opened[container.path]
  if not found then
    found = layouts.open(container.path)
    opened[container.path] = found
  end
  return found
end

local function not_found(kind, name, container, more)
  errors.raise {
    class = "not_found",
    message = ('no %s "%s" in %s%s'):format(kind, name, container:place(), more or ""),
    code = kind == "manifest" and "MANIFEST_UNKNOWN" or "BLOB_UNKNOWN",
  }
end

local function list_tags(store)
  local tags = store:tags()
  return #tags > 0 and "; it has " .. table.concat(tags, ", ", 1, math.min(#tags, 10)) or ""
end

-- The entry of index.json that a container names; for a digest that is not listed, what the
-- blob itself may say.
local function find_entry(store, container)
  if container.digest then
    return store:find_digest(container.digest) or { digest = container.digest }
  end
  local entry = store:find_tag(container.tag)
  if not entry and container.implicit_tag then
    entry = store:only_entry()
  end
  return entry or not_found("manifest", container.tag, container, list_tags(store))
end

-- A blob of the layout through a sink, as a response.
local function fetch(store, container, kind, digest, sink)
  local answer, err = store.core:fetch(digest, errors.check(sink))
  if not answer then
    if err.class == "not_found" then
      not_found(kind, digest, container)
    end
    local what = err.class ~= "io" and ("%s in %s"):format(kind, container:place()) or nil
    errors.raise(errors.name(err, what, { digest = digest }))
  end
  return setmetatable(answer, response.Response)
end

--- The bytes of a manifest, its type and digest as the layout's index says.
function layout.fetch_manifest(registry, container, opts)
  local store = open(registry, container)
  local entry = find_entry(store, container)
  local sink = errors.check(core.sink.memory {
    limit = opts.max_bytes, digest = entry.digest, size = opts.size or entry.size,
  })
  local answer = fetch(store, container, "manifest", entry.digest, sink)
  return answer.content, media_types.of_field(entry.mediaType), entry.digest
end

-- Does an Accept field name a media type?
local function names(accept, media_type)
  local major = media_type:match "^[^/]*"
  for range in accept:lower():gmatch "[^,]+" do
    range = range:match "^%s*([^;%s]*)"
    if range == media_type:lower() or range == "*/*" or range == major .. "/*" then
      return true
    end
  end
  return false
end

--- A registry finds no manifest of a type that was not asked for.
---@param container oras.Container
---@param media_type string
---@param accept string
---@raise oras.Error not_found
function layout.check_accept(container, media_type, accept)
  if not names(accept, media_type) then
    not_found("manifest", container.digest or container.tag, container,
      (" of a type that is accepted; it is %s"):format(media_type))
  end
end

--- Type, digest and size of a manifest, from the layout's index.
function layout.head_manifest(registry, container)
  local entry = find_entry(open(registry, container), container)
  if entry.mediaType then
    return entry.mediaType, entry.digest, entry.size
  end
end

local function sink_for(wanted, opts)
  local expect = { digest = wanted.digest, size = wanted.size, limit = wanted.max_bytes }
  if opts.sink then
    return opts.sink
  end
  if opts.stream then
    return errors.check(core.sink.stream { digest = wanted.digest, size = wanted.size })
  end
  return errors.check(core.sink.memory(expect))
end

local function cut(answer, container, wanted)
  local range, bytes = wanted.range, answer.content
  if range[1] >= #bytes then
    wanted.size = #bytes
    require("oras.registry.range").refuse(wanted, container, range)
  end
  return response.new { status = 206, body = bytes:sub(range[1] + 1, range[2] + 1) }
end

--- A blob as a response.
function layout.fetch_blob(registry, container, wanted, opts)
  local store = open(registry, container)
  if opts.head then
    local size, err = store.core:size(wanted.digest)
    if not size then
      if err.class == "not_found" then
        not_found("blob", wanted.digest, container)
      end
      errors.raise(err)
    end
    return response.new {
      status = 200,
      headers = { ["Content-Length"] = tostring(size), ["Docker-Content-Digest"] = wanted.digest },
    }
  end
  local stream = opts.stream and not wanted.range
  local answer = fetch(store, container, "blob", wanted.digest, sink_for(wanted, { stream = stream, sink = opts.sink }))
  answer.streaming = stream
  return wanted.range and cut(answer, container, wanted) or answer
end

--- Is the blob there?
function layout.blob_exists(registry, container, digest)
  local size, err = open(registry, container).core:size(digest)
  if not size and err.class ~= "not_found" then
    errors.raise(err)
  end
  return size ~= nil
end

--- Bring a blob into a file.
function layout.download(registry, container, file)
  local make = file.make or core.sink.file
  local sink <close> = errors.check(make(file)) -- a failure leaves nothing that cannot be taken up
  fetch(open(registry, container), container, "blob", file.digest, sink)
end

--- The tags of the layout, as one page.
function layout.tag_pages(registry, container, opts)
  local tags = open(registry, container):tags()
  local page = {}
  for _, tag in ipairs(tags) do
    if not opts.last or tag > opts.last then
      page[#page + 1] = tag
    end
  end
  return function()
    local now = page
    page = nil
    return now
  end
end

return layout
