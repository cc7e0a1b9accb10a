--- An OCI image layout on disk, as the backend of the Registry methods (registry/remote.lua is
--- the other): no server, no network, the same checks.
local core = require "oras.core"
local errors = require "oras.error"
local layouts = require "oras.layout"
local media_types = require "oras.media_types"
local response = require "oras.response"

local entries = require "oras.layout_entries"
local filling = require("oras.registry.layout_progress").filling

local layout = {}

-- A layout that is held open; anew when another stands at its path now.
local function find_open(registry, container)
  local opened = registry._layouts or {}
  registry._layouts = opened
  local found = opened[container.path]
  return found and found:is_current() and found
end

local function open(registry, container, make)
  local store = container.store -- of a verb, while it runs
  local found = store and store.changes and store or find_open(registry, container)
  if not found then
    found = (make or layouts.open)(container.path)
    registry._layouts[container.path] = found
  end
  return found
end

-- For writing: what is not there is made.
local function open_or_make(registry, container)
  return open(registry, container, layouts.create)
end

--- A container through which a verb writes: a tar is written when the value is closed, or, when an
--- error closes it, not at all. Without it each step would write the tar anew.
---@param registry oras.Registry
---@param container oras.Container
---@return table? closable nil where nothing needs to be gathered
---@return oras.Container
function layout.batch(registry, container)
  local is_tar = container.path:find "%.tar$" ~= nil
  local found = is_tar and open_or_make(registry, container) or errors.try(open, registry, container)
  local store, closing
  if found then
    store, closing = found:begin()
  end
  if not closing then
    return nil, container
  end
  local own = setmetatable({}, getmetatable(container))
  for key, value in next, container do
    own[key] = value
  end
  own.store = store
  return closing, own
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
  local answer = fetch(store, container, "blob", wanted.digest, sink_for(wanted, { stream = stream, sink = opts.sink }))
  answer.streaming = stream
  return wanted.range and cut(answer, container, wanted) or answer
end

--- Is the blob there?
function layout.blob_exists(registry, container, digest)
  return open(registry, container):size(digest) ~= nil
end

-- What to tell of bytes that move: what the caller gave, or fields of our own.
local function reporter(registry, given, fields)
  if given ~= nil then
    return given and registry:_progress(given), nil
  end
  local own = registry:_progress(fields)
  return own, own
end

--- Bring a blob into a file.
function layout.download(registry, container, file)
  local make = file.make or core.sink.file
  local sink <close> = errors.check(make(file)) -- a failure leaves nothing that cannot be taken up
  local store = open(registry, container)
  local size = file.size or store:size(file.digest)
  local report, own = reporter(registry, file.progress, { phase = "download", digest = file.digest, total = size })
  local _ <close> = own
  filling(report, sink, size, function()
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

local function bring(store, body, report)
  local sink <close> = store:sink { digest = body.digest, size = body.size, resume = body.kind == "fetch" }
  return filling(report, sink, body.size, function()
    if body.kind == "fetch" then
      return body.fetch(sink)
    end
    body.digest, body.size = body:send(function(value)
      local source <close> = type(value) == "string" and core.source.string(value)
      local digest, size = (source or value):into(sink)
      if not digest then
        errors.raise(size)
      end
      return digest, size
    end)
  end)
end

--- Store a blob. It is there once its bytes were right.
---@param registry oras.Registry
---@param container oras.Container
---@param source table as sources.check gives it
---@param given table descriptor, which is filled in
---@param opts { progress?: oras.Reporter|false, title?: string }
---@return table descriptor
---@return string done "exists" or "uploaded"
function layout.upload(registry, container, source, given, opts)
  local store, closing = open_or_make(registry, container):begin()
  local _ <close> = closing
  local body <close> = require("oras.registry.sources").open(source, given)
  body:learn()
  given.digest, given.size = body.digest, body.size
  local report, own = reporter(registry, opts.progress, {
    phase = "upload", digest = body.digest, title = opts.title, total = body.size,
  })
  local _ <close> = own
  if body.digest and store:has(body.digest, body.size) then
    given.size = body.size or store:size(body.digest)
    return given, "exists"
  end
  bring(store, body, report)
  given.digest, given.size = body.digest, body.size
  return given, "uploaded"
end

--- Store a manifest and list it in the index: under its tags, which others lose, or without a
--- name. A referrer needs nothing more, as the index leads to it.
---@param registry oras.Registry
---@param container oras.Container
---@param out oras.Outgoing
---@param tags string[]
---@param opts { part?: boolean }
function layout.put_manifest(registry, container, out, tags, opts)
  local store, closing = open_or_make(registry, container):begin()
  local _ <close> = closing
  store:put(out.raw, out.digest)
  if opts.part and #tags == 0 then
    return
  end
  store:edit(function(index)
    local changed = entries.add(index, out:descriptor())
    for _, tag in ipairs(tags) do
      changed = entries.tag(index, out.digest, tag) or changed
    end
    return changed
  end)
end

--- Give a manifest names.
---@param registry oras.Registry
---@param container oras.Container
---@param names string[]
---@return table descriptor
function layout.tag(registry, container, names)
  local store = open(registry, container)
  local found = find_entry(store, container)
  if not found.mediaType then -- it is there, but only others name it
    found = registry:fetch_manifest(container):descriptor()
  end
  return store:edit(function(index)
    if not store:size(found.digest) then
      not_found("manifest", found.digest, container)
    end
    local changed = entries.add(index, found)
    for _, name in ipairs(names) do
      changed = entries.tag(index, found.digest, name) or changed
    end
    return changed, {
      mediaType = found.mediaType, digest = found.digest, size = found.size, artifactType = found.artifactType,
    }
  end)
end

--- Take a name away. Its manifest stays, without a name if it has no other.
---@return boolean deleted false: nothing had it
function layout.delete_tag(registry, container, name)
  return open(registry, container):edit(function(index)
    local changed = entries.untag(index, name)
    return changed, changed
  end)
end

--- Remove a manifest, with all its names; what it is made of stays until garbage is collected.
---@return string[] names that it had
function layout.delete_manifest(registry, container, digest)
  local store = open(registry, container)
  return store:edit(function(index)
    local changed, names = entries.remove(index, digest)
    if not changed and not store:size(digest) then
      not_found("manifest", digest, container)
    end
    return changed, names, { digest }
  end)
end

--- Remove a blob, whoever needs it.
function layout.delete_blob(registry, container, digest)
  local store = open(registry, container)
  store:edit(function()
    if not store:size(digest) then
      not_found("blob", digest, container)
    end
    return false, nil, { digest }
  end)
end

return layout
