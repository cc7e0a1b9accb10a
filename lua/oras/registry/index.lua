--- Registry:index: an index of manifests that are there, made or changed.
local core = require "oras.core"
local entries = require "oras.registry.index_entries"
local errors = require "oras.error"
local json_edit = require "oras.json_edit"
local oci = require "oras.oci"
local options = require "oras.options"

local Registry = require "oras.registry"

local INDEX <const> = {
  add = "table", annotations = "table", artifact_type = "string", merge = "table", remove = "table",
  subject = "string|table", tags = "string|table", untagged = "boolean",
}

---@class oras.IndexOptions
---@field annotations? table<string, string|false> of the index; false takes one away
---@field artifact_type? string "" takes it away
---@field subject? string|table what the index is about
---@field tags? string|string[] more names
---@field untagged? boolean store it by its digest, under no name but `tags`
---@field add? any[] entries that come in
---@field merge? any[] indexes whose entries come in
---@field remove? any[] digests or tags of entries that go

local function check_annotations(map, is_new)
  for key, value in pairs(map or {}) do
    if type(key) ~= "string" or (type(value) ~= "string" and (is_new or value ~= false)) then
      errors.usage "index: annotations are strings by name"
    end
  end
end

-- The text of an index of one's own.
local function made(self, container, list, opts)
  local doc, found = oci.NewIndex(), entries.read_all(self, container, list)
  check_annotations(opts.annotations, true)
  for i, one in ipairs(found) do
    doc.manifests[i] = one.descriptor
  end
  doc.artifactType = opts.artifact_type ~= "" and opts.artifact_type or nil
  doc.annotations = opts.annotations and next(opts.annotations) and opts.annotations or nil
  return errors.check(core.json.encode(doc)), found
end

-- The texts of all entries and their digests, in order.
local function list_of(doc)
  local list = { texts = json_edit.elements(doc:raw(), { "manifests" }), digests = {}, at = {} }
  for i, d in ipairs(doc.manifests) do
    list.digests[i] = d.digest
    list.at[d.digest] = true
  end
  return list
end

local function insert(list, found)
  local new = {}
  for _, one in ipairs(found) do
    local digest = one.descriptor.digest
    if not list.at[digest] then
      list.at[digest] = true
      table.insert(list.digests, digest)
      table.insert(list.texts, one.text or errors.check(core.json.encode(one.descriptor)))
      new[#new + 1] = one
    end
  end
  return new
end

local function remove(self, container, list, given)
  for _, one in ipairs(given) do
    local digest = entries.digest(self, container, one)
    if not list.at[digest] then
      errors.raise {
        class = "not_found", digest = digest, message = ("no entry %s in %s"):format(digest, container.uri),
      }
    end
    for i = #list.digests, 1, -1 do
      if list.digests[i] == digest then
        table.remove(list.digests, i)
        table.remove(list.texts, i)
      end
    end
  end
end

local function put(raw, path, value)
  if value == nil or value == false or value == "" then
    return (json_edit.remove(raw, path))
  end
  return json_edit.put(raw, path, errors.check(core.json.encode(value)))
end

local function change_fields(raw, doc, opts)
  check_annotations(opts.annotations)
  if opts.artifact_type then
    raw = put(raw, { "artifactType" }, opts.artifact_type)
  end
  local keys = {}
  for key in pairs(opts.annotations or {}) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local is_there = doc.annotations and doc.annotations[key] ~= nil
    if is_there or opts.annotations[key] then
      raw = put(raw, { "annotations", key }, opts.annotations[key])
    end
  end
  return raw
end

-- The text of the index at the reference, changed: what is not changed keeps its bytes.
local function changed(self, container, opts)
  local doc = self:get_image_index(container)
  local raw, list = doc:raw(), list_of(doc)
  local before = table.concat(list.texts, ",")
  local new = insert(list, entries.read_all(self, container, opts.add or {}))
  local merged = insert(list, entries.merged(self, container, opts.merge or {}))
  table.move(merged, 1, #merged, #new + 1, new)
  remove(self, container, list, opts.remove or {})
  local after = table.concat(list.texts, ",")
  if after ~= before then
    raw = json_edit.put(raw, { "manifests" }, ("[%s]"):format(after))
  end
  return change_fields(raw, doc, opts), new, doc:media_type()
end

-- The subject as a descriptor; a digest is one of the same repository.
local function subject_of(self, container, subject)
  if type(subject) == "string" then
    local is_digest = core.digest.parse(subject)
    subject = self:resolve(is_digest and container:with_digest(subject) or subject)
  end
  return oci.Subject(subject)
end

--- Step of index: the bytes of what it would store. Nothing is stored.
---@param ref string|oras.Container
---@param list? any[] entries; nil: the index at the reference is changed
---@param opts? oras.IndexOptions
---@return string bytes
---@return string media_type
---@return table[] new entries that were not there: { descriptor, place, is_foreign }
---@raise oras.Error usage, not_found, content, ...
function Registry:make_index(ref, list, opts)
  local container = self:get_container(ref)
  opts = options.check(opts, INDEX, "index")
  local is_update = opts.add or opts.merge or opts.remove
  if list and is_update then
    errors.usage "index: entries make a new index; add, merge and remove change one"
  elseif list and type(list) ~= "table" then
    errors.usage("index: entries are a list, not a %s", type(list))
  end
  options.list(list or {}, "index: entries")
  for _, name in ipairs { "add", "merge", "remove" } do
    options.list(opts[name] or {}, "index: " .. name)
  end
  options.texts(opts.tags, "index: tags")
  local raw, new, media_type
  if list then
    raw, new = made(self, container, list, opts)
  else
    raw, new, media_type = changed(self, container, opts)
  end
  if opts.subject then
    raw = put(raw, { "subject" }, subject_of(self, container, opts.subject))
  end
  return raw, media_type or oci.media_types.index, new
end

-- A manifest of another repository has to be in that of the index.
local function bring(self, container, new)
  require("oras.task").map(new, function(one)
    if one.is_foreign then
      self:copy(one.place, container:with_digest(one.descriptor.digest))
    end
  end)
end

--- Make an index of manifests that are there, or change one: without `list`, the index at the
--- reference with `add`, `merge` and `remove`. A tag moves to the new index; a reference by digest
--- gets `tags` only.
---
--- An entry is a tag or digest of the same repository, a reference (what is elsewhere is copied first),
--- a descriptor, or `{reference, platform, annotations}`. Its platform is that of an image's config.
---@param ref string|oras.Container
---@param list? any[] entries
---@param opts? oras.IndexOptions
---@return table descriptor
---@raise oras.Error usage, not_found, content, ...
function Registry:index(ref, list, opts)
  local container = self:get_container(ref)
  local raw, media_type, new = self:make_index(container, list, opts)
  local _ <close>, to = self:_batch(container)
  bring(self, to, new)
  local digest = core.digest.of(raw, to.digest and to.digest:match "^[^:]+")
  local by_digest = to.digest or (opts and opts.untagged)
  return self:upload_manifest(by_digest and to:with_digest(digest) or to, raw, {
    media_type = media_type, tags = opts and opts.tags,
  })
end
