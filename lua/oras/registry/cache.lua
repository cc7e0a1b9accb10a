--- Blobs and manifests that many programs share: `Registry:new { cache = DIR }`.
---
--- DIR is an OCI image layout (oras's ORAS_CACHE is one, too), of which only the blobs count. They
--- are asked for by digest alone, and no byte of it is believed: what is not of its digest is
--- fetched anew and replaced. A blob appears there complete or not at all, so that any number of
--- processes may write at once and any of them may die. A cache that cannot be written does no
--- harm: one warning, and what is in it is still read.
---
--- This is the backend of a registry (registry/remote.lua) with that before it.
local core = require "oras.core"
local errors = require "oras.error"
local place = require "oras.registry.layout_place"
local remote = require "oras.registry.remote"
local response = require "oras.response"

local cache = {}

-- What the disk does, and no server.
local OURS <const> = { exists = true, io = true, path = true }

local warned = {}

local function warn(path, err)
  if not warned[path] then
    warned[path] = true
    require("oras.log").warn(('the cache "%s" is not written: %s'):format(path, err.message))
  end
end

local function open(path)
  local opened, err = core.layout.open(path)
  if not opened and (err.class == "not_found" or err.class == "content") then
    opened, err = core.layout.create(path)
    if opened then
      opened, err = core.layout.open(path)
    end
  end
  if opened and opened:is_tar() then
    return nil, { message = "a file, where a directory was expected" }
  end
  return opened, err
end

-- The open layout, or false when there is none to be had.
local function store_of(registry)
  local store = registry._cache
  if store == nil or (store and not store:is_current()) then
    local err
    store, err = open(registry._settings.cache)
    if not store then
      warn(registry._settings.cache, err)
    end
    registry._cache = store or false
  end
  return registry._cache
end

-- The layout to write to, or nil.
local function writable(registry)
  return not registry._cache_is_full and store_of(registry) or nil
end

local function stop_writing(registry, err)
  registry._cache_is_full = true
  warn(registry._settings.cache, err)
end

-- What dead processes left behind goes with the first thing that is written.
local function sweep(registry, store)
  if not registry._cache_is_swept then
    registry._cache_is_swept = true
    store:sweep()
  end
end

-- Bytes at hand become a blob, if they are of their digest.
local function keep(registry, bytes, digest)
  local store = writable(registry)
  if not store or core.digest.of(bytes, digest:match "^[^:]+") ~= digest then
    return
  end
  local ok, err = store:put(bytes, digest)
  if ok then
    sweep(registry, store)
  else
    stop_writing(registry, err)
  end
end

-- Is the blob there, and what its name says? For those who take bytes that cannot be taken back.
local function is_good(store, digest)
  local source <close> = store and store:source(digest)
  return source and source:hash(digest:match "^[^:]+") == digest
end

-- Fetch a blob into the cache; nil when that does not work there.
local function fill(registry, container, file)
  local store = writable(registry)
  if not store then
    return nil
  end
  local sink
  local _, err = errors.try(remote.download, registry, container, {
    digest = file.digest, size = file.size, progress = file.progress,
    make = function(fields)
      local made, failure = store:sink { digest = fields.digest, size = fields.size, resume = true }
      sink = made
      return made, failure
    end,
  })
  if not err then
    sweep(registry, store)
    return store
  elseif not OURS[err.class] then
    errors.raise(err)
  end
  if sink then
    sink:close(true) -- a full disk has no use for a part
  end
  stop_writing(registry, err)
end

-- Bytes of a manifest that says what it is; what only a server tells is not kept.
local function type_of(raw)
  local doc = core.json.decode(raw)
  local media_type = type(doc) == "table" and doc.mediaType
  return type(media_type) == "string" and media_type or nil
end

-- A blob into memory, or nil: not there, broken, or not what is wanted.
local function read(store, digest, size, limit)
  local sink = errors.check(core.sink.memory { limit = limit, digest = digest, size = size })
  local answer = store:fetch(digest, sink)
  return answer and setmetatable(answer, response.Response)
end

--- As remote.fetch_manifest; by digest from the cache, if it is there.
function cache.fetch_manifest(registry, container, opts)
  local store, digest = store_of(registry), container.digest
  local found = store and digest and read(store, digest, opts.size, opts.max_bytes)
  local media_type = found and type_of(found.content)
  if media_type and opts.accept:find(media_type, 1, true) then
    return found.content, media_type, digest
  end
  local raw, kind, claimed, url = remote.fetch_manifest(registry, container, opts)
  if type_of(raw) then
    keep(registry, raw, digest or core.digest.of(raw))
  end
  return raw, kind, claimed, url
end

local function in_memory(registry, container, wanted, opts)
  local store = store_of(registry)
  local found = store and read(store, wanted.digest, wanted.size, wanted.max_bytes)
  if found then
    return found
  end
  local answer = remote.fetch_blob(registry, container, wanted, opts)
  keep(registry, answer.content, wanted.digest)
  return answer
end

-- Into a sink of the caller's, or as a stream: what is in the cache is looked at before.
local function onwards(registry, container, wanted, opts)
  local store = store_of(registry)
  if not is_good(store, wanted.digest) then
    store = fill(registry, container, { digest = wanted.digest, size = wanted.size, progress = opts.progress })
  end
  if not store then
    return remote.fetch_blob(registry, container, wanted, opts)
  end
  local sink = opts.sink or errors.check(core.sink.stream { digest = wanted.digest, size = wanted.size })
  local answer, err = store:fetch(wanted.digest, sink)
  if not answer then
    errors.raise(errors.name(err, "blob in " .. container:place(), { digest = wanted.digest }))
  end
  answer.streaming = opts.stream
  return setmetatable(answer, response.Response)
end

--- As remote.fetch_blob. Whether a repository has a blob, and a part of one, is asked there.
function cache.fetch_blob(registry, container, wanted, opts)
  if opts.head or wanted.range then
    return remote.fetch_blob(registry, container, wanted, opts)
  elseif opts.stream or opts.sink then
    return onwards(registry, container, wanted, opts)
  end
  return in_memory(registry, container, wanted, opts)
end

-- From the cache into a file; nil and an error where either is not good for that.
local function bring(registry, store, file, given)
  local make = file.make or core.sink.file
  local sink <close> = errors.check(make(file))
  local size = file.size or store:size(file.digest)
  local report, own = place.reporter(registry, given, { phase = "download", digest = file.digest, total = size })
  local _ <close> = own
  local _, err = require("oras.registry.layout_progress").filling(report, sink, size, function()
    return store:fetch(file.digest, sink)
  end)
  return err
end

-- What is unpacked is known to be broken only after it was written.
local function is_there(store, file)
  if file.make then
    return is_good(store, file.digest)
  end
  return store and store:size(file.digest) ~= nil
end

--- As remote.download; through the cache.
function cache.download(registry, container, file)
  local store = store_of(registry)
  local err
  if is_there(store, file) then
    err = bring(registry, store, file, file.progress)
    if not err then
      return
    elseif err.class ~= "integrity" and err.class ~= "not_found" then
      errors.raise(errors.name(err, nil, { digest = file.digest }))
    end
  end
  store = fill(registry, container, file)
  if not store then
    return remote.download(registry, container, file)
  end
  err = bring(registry, store, file, false)
  if err then
    errors.raise(errors.name(err, nil, { digest = file.digest }))
  end
end

return setmetatable(cache, { __index = remote })
