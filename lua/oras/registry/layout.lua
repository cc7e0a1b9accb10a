--- An OCI image layout on disk, as the backend of the Registry methods (registry/remote.lua is
--- the other): no server, no network, the same checks. Writing comes in with the first write.
local core = require "oras.core"
local errors = require "oras.error"
local media_types = require "oras.media_types"
local place = require "oras.registry.layout_place"
local response = require "oras.response"

local find_entry <const>, not_found <const>, open <const> = place.find_entry, place.not_found, place.open

local layout = {}

-- A blob of the layout through a sink, as a response.
local function fetch(store, container, kind, digest, sink)
  local answer, err = store:fetch(digest, errors.check(sink))
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
local function accepts(accept, media_type)
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
  if not accepts(accept, media_type) then
    not_found("manifest", container.digest or container.tag, container,
      (" of a type that is accepted; it is %s"):format(media_type))
  end
end

--- Type, digest and size of a manifest, from the layout's index.
function layout.head_manifest(registry, container)
  local store = open(registry, container)
  local entry = find_entry(store, container)
  if entry.mediaType and store:size(entry.digest) == entry.size then
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
    local size = store:size(wanted.digest) or not_found("blob", wanted.digest, container)
    return response.new {
      status = 200,
      headers = { ["Content-Length"] = tostring(size), ["Docker-Content-Digest"] = wanted.digest },
    }
  end
  local stream = opts.stream and not wanted.range
  local sink = sink_for(wanted, { stream = stream, sink = opts.sink })
  local answer = fetch(store, container, "blob", wanted.digest, sink)
  answer.streaming = stream
  return wanted.range and cut(answer, container, wanted) or answer
end

--- Is the blob there?
function layout.blob_exists(registry, container, digest)
  return open(registry, container):size(digest) ~= nil
end

--- Bring a blob into a file.
function layout.download(registry, container, file)
  local make = file.make or core.sink.file
  local sink <close> = errors.check(make(file)) -- a failure leaves nothing that cannot be taken up
  local store = open(registry, container)
  local size = file.size or store:size(file.digest)
  local report, own = place.reporter(registry, file.progress, {
    phase = "download", digest = file.digest, total = size,
  })
  local _ <close> = own
  require("oras.registry.layout_progress").filling(report, sink, size, function()
    return fetch(store, container, "blob", file.digest, sink)
  end)
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

return setmetatable(layout, {
  __index = function(_, name)
    return require("oras.registry.layout_write")[name]
  end,
})
