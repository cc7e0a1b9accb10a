--- Garbage of a layout: blobs that nothing in its index leads to.
---
--- Kept is what an entry of the index leads to: manifests and indexes with all they name, what
--- they are about (`subject`), and what is about them, listed or not. A manifest that cannot be
--- read ends it before anything is removed, as nobody knows what it would have kept.
local core = require "oras.core"
local entries = require "oras.layout_entries"
local errors = require "oras.error"
local media_types = require "oras.media_types"
local options = require "oras.options"

local garbage = {}

local COLLECT <const> = { dry_run = "boolean", grace = "number", untagged = "boolean" }

-- A blob may be new and its manifest on the way; younger ones stay.
local GRACE <const> = 3600
local MANIFEST_LIMIT <const> = 4 * 1024 * 1024

-- Bytes of a blob, or nil and the failure.
local function read(store, digest)
  local sink, err = core.sink.memory { limit = MANIFEST_LIMIT, digest = digest }
  local answer
  if sink then
    answer, err = store:fetch(digest, sink)
  end
  if not answer then
    return nil, err
  end
  return answer.body:string()
end

local function decode(bytes)
  local doc = core.json.decode(bytes)
  return type(doc) == "table" and not core.json.is_array(doc) and doc or nil
end

-- What is kept: `kept` has the digests, `stack` descriptors of manifests that are to be read,
-- `read` those that were on it.
local function keep(self, d)
  local digest = type(d) == "table" and d.digest
  if type(digest) == "string" then
    self.kept[digest] = true
  end
end

local function keep_list(self, list)
  for _, d in ipairs(type(list) == "table" and list or {}) do
    keep(self, d)
  end
end

-- A manifest is kept with what it names.
local function push(self, d)
  if type(d) == "table" and type(d.digest) == "string" and not self.read[d.digest] then
    self.read[d.digest] = true
    self.kept[d.digest] = true
    self.stack[#self.stack + 1] = d
  end
end

-- Docker's oldest manifests name their layers in a way of their own.
local function keep_schema1(self, doc)
  for _, layer in ipairs(type(doc.fsLayers) == "table" and doc.fsLayers or {}) do
    keep(self, { digest = type(layer) == "table" and layer.blobSum })
  end
end

local function follow(self, doc)
  keep(self, doc.config)
  keep_list(self, doc.layers)
  keep_list(self, doc.blobs)
  keep_schema1(self, doc)
  for _, d in ipairs(type(doc.manifests) == "table" and doc.manifests or {}) do
    push(self, d)
  end
  push(self, doc.subject)
end

local function is_known(media_type)
  return type(media_type) == "string" and (media_types.is_manifest(media_type) or media_types.is_index(media_type))
end

-- What is of another type may be a manifest of a kind to come, or anything.
local function visit(self, d)
  local size = self.store:size(d.digest)
  if not size or (size > MANIFEST_LIMIT and not is_known(d.mediaType)) then
    return
  end
  local bytes, err = read(self.store, d.digest)
  local doc = bytes and decode(bytes)
  if doc then
    follow(self, doc)
  elseif err or is_known(d.mediaType) then
    err = err or errors.new { class = "content", digest = d.digest, message = "it is no JSON object" }
    errors.raise(errors.name(err, ('manifest "%s" of layout "%s"'):format(d.digest, self.store.path), {}))
  end
end

local function run(self)
  while #self.stack > 0 do
    visit(self, table.remove(self.stack))
  end
end

-- Manifests among the blobs that are about others: digest -> digest of the subject.
local function find_referrers(marks, blobs)
  local found = {}
  for _, digest in ipairs(blobs) do
    local size = not marks.kept[digest] and marks.store:size(digest)
    if size and size <= MANIFEST_LIMIT then
      local bytes = read(marks.store, digest)
      local doc = bytes and bytes:find "^%s*{" and decode(bytes)
      local subject = doc and doc.subject
      if type(subject) == "table" and type(subject.digest) == "string" then
        found[digest] = subject.digest
      end
    end
  end
  return found
end

local function keep_referrers(marks, referrers)
  local changed
  repeat
    changed = false
    for digest, subject in pairs(referrers) do
      if marks.kept[subject] and not marks.read[digest] then
        push(marks, { digest = digest, mediaType = media_types.manifest })
        run(marks)
        changed = true
      end
    end
  until not changed
end

local function is_young(store, digest, grace)
  local age = store:age(digest)
  return age ~= nil and age < grace
end

local function mark(store, index, opts)
  local marks = { store = store, kept = {}, read = {}, stack = {} }
  for _, entry in ipairs(index.manifests) do
    if not opts.untagged or entries.name(entry) or is_young(store, entry.digest, opts.grace) then
      push(marks, entry)
    end
  end
  run(marks)
  local blobs = store:blobs()
  keep_referrers(marks, find_referrers(marks, blobs))
  return marks, blobs
end

-- Entries whose manifest goes.
local function unlist(index, kept)
  local changed = false
  for i = #index.manifests, 1, -1 do
    if not kept[index.manifests[i].digest] then
      table.remove(index.manifests, i)
      changed = true
    end
  end
  return changed
end

--- Remove what nothing leads to; `Layout:collect`.
---@param store oras.Layout
---@param opts? { dry_run?: boolean, grace?: number, untagged?: boolean } `grace`: blobs younger
--- than so many seconds stay (3600), as a push that is under way may need them; `untagged`:
--- manifests that have no name, and that none with a name leads to, go too
---@return string[] digests of what was, or would be, removed
---@raise oras.Error usage, io, content, integrity, path, limit
function garbage.collect(store, opts)
  opts = options.copied(options.check(opts, COLLECT, "collect"))
  opts.grace = opts.grace or GRACE
  return store:edit(function(index)
    local marks, blobs = mark(store, index, opts)
    local unwanted = {}
    for _, digest in ipairs(blobs) do
      if not marks.kept[digest] and not is_young(store, digest, opts.grace) then
        unwanted[#unwanted + 1] = digest
      end
    end
    if opts.dry_run then
      return false, unwanted
    end
    return opts.untagged and unlist(index, marks.kept), unwanted, unwanted
  end)
end

return garbage
