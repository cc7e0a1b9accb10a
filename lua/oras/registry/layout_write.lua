--- What writes to an OCI image layout, of the backend registry/layout.lua.
local core = require "oras.core"
local entries = require "oras.layout_entries"
local errors = require "oras.error"
local filling = require("oras.registry.layout_progress").filling
local place = require "oras.registry.layout_place"

local not_found <const>, open <const>, open_or_make <const> = place.not_found, place.open, place.open_or_make

local layout = {}

--- A container through which a verb writes: a tar is written when the value is closed, or, when an
--- error closes it, not at all. Without it each step would write the tar anew.
---@param registry oras.Registry
---@param container oras.Container
---@param gather? boolean a directory's index, too, is written once, at the end
---@return table? closable nil where nothing needs to be gathered
---@return oras.Container
function layout.batch(registry, container, gather)
  local is_made = gather or container.path:find "%.tar$" ~= nil
  local found = is_made and open_or_make(registry, container) or errors.try(open, registry, container)
  local store, closing
  if found then
    store, closing = found:begin(gather)
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

-- What goes wrong below the layout says which layout it was.
local Named = {}

function Named.__close(named, err)
  if errors.is_error(err) and err.message:find("'blobs/", 1, true) then
    errors.name(err, ('layout "%s"'):format(named.path), {})
  end
end

-- What the caller gave is not what his descriptor says; a registry would not take it either.
local function blame_source(err, body, path)
  if err.class == "integrity" and body.kind ~= "bytes" then
    err.class, err.retryable = "content", false
    errors.name(err, path and ("%q"):format(path) or "the source", { digest = body.digest })
  end
  errors.raise(err)
end

local function bring(store, body, report, path)
  local sink <close> = store:sink {
    digest = body.digest, size = body.size, resume = body.kind == "fetch", algorithm = body.algorithm,
  }
  return filling(report, sink, body.size, function()
    if body.kind == "fetch" then
      return body.fetch(sink)
    end
    body.digest, body.size = body:send(function(value)
      local source <close> = type(value) == "string" and core.source.string(value)
      local digest, size = (source or value):into(sink)
      if not digest then
        blame_source(size, body, path)
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
  local _ <close> = setmetatable({ path = store.path }, Named)
  local body <close> = require("oras.registry.sources").open(source, given, opts.algorithm)
  body:learn()
  given.digest, given.size = body.digest, body.size
  local report, own = place.reporter(registry, opts.progress, {
    phase = "upload", digest = body.digest, title = opts.title, total = body.size,
  })
  local _ <close> = own
  if body.digest and store:has(body.digest, body.size) then
    given.size = body.size or store:size(body.digest)
    return given, "exists"
  end
  bring(store, body, report, source.path)
  given.digest, given.size = body.digest, body.size
  return given, "uploaded"
end

-- What is stored can be read again.
local function check_size(registry, container, out)
  local limit = registry._limits.manifest
  if out.size > limit then
    errors.raise {
      class = "limit", digest = out.digest,
      message = ("manifest for %s: it has %d bytes, expected at most %d"):format(container:place(), out.size, limit),
    }
  end
end

local function put(registry, container, out, tags, opts)
  local store, closing = open_or_make(registry, container):begin()
  local _ <close> = closing
  local _ <close> = setmetatable({ path = store.path }, Named)
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

--- Store a manifest and list it in the index: under its tags, which others lose, or without a
--- name. A referrer needs nothing more, as the index leads to it; a tag that lists those of its
--- subject, as other tools make it, is kept true.
---@param registry oras.Registry
---@param container oras.Container
---@param out oras.Outgoing
---@param tags string[]
---@param opts { part?: boolean, referrers?: boolean }
---@raise oras.Error limit, content, path, io
function layout.put_manifest(registry, container, out, tags, opts)
  check_size(registry, container, out)
  put(registry, container, out, tags, opts)
  if opts.referrers ~= false and out.document and out.document.subject then
    require("oras.registry.fallback_tag").add(registry, container, out)
  end
end

--- Give a manifest names.
---@param registry oras.Registry
---@param container oras.Container
---@param names string[]
---@return table descriptor
function layout.tag(registry, container, names)
  local store = open(registry, container)
  local found = place.find_entry(store, container)
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
  local doc = errors.try(registry.fetch_manifest, registry, container:with_digest(digest)) -- for its subject
  local names = store:edit(function(index)
    local changed, names = entries.remove(index, digest)
    if not changed and not store:size(digest) then
      not_found("manifest", digest, container)
    end
    return changed, names, { digest }
  end)
  if doc and doc.subject then
    require("oras.registry.fallback_tag").remove(registry, container, doc.subject, digest)
  end
  return names
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

return require("oras.registry.dry_run").guard(layout)
