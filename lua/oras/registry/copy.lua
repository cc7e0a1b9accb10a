--- Registry:copy: manifests and all they are made of, from one place to another.
---
--- Jobs (registry/jobs.lua) walk the graph of manifests while blobs move: a manifest is put when
--- its blobs and children are there, and is asked for at the target before any of them is.
local core = require "oras.core"
local errors = require "oras.error"
local graph = require "oras.registry.graph"
local jobs = require "oras.registry.jobs"
local manifest = require "oras.manifest"
local options = require "oras.options"
local progress = require "oras.registry.progress"

local Registry = require "oras.registry"

local COPY <const> = {
  concurrency = "integer",
  dry_run = "boolean",
  filter = "function",
  force = "boolean",
  from = "table",
  mount = "boolean",
  platforms = "string|table",
  recursive = "boolean",
  to = "table",
}

local CONCURRENCY <const> = 8
local EMPTY <const> = require("oras.oci").empty_descriptor().digest

-- What a side of the copy raises says which side it was.
local Side = {}

function Side.__close(side, err)
  if errors.is_error(err) and not err.origin then
    err.origin = side.name
  end
end

local SOURCE <const> = setmetatable({ name = "source" }, Side)
local DESTINATION <const> = setmetatable({ name = "destination" }, Side)

local function at(side, object, method, ...)
  local _ <close> = side
  return object[method](object, ...)
end

---@class oras.CopyOptions
---@field from? oras.Registry
---@field to? oras.Registry
---@field platforms? string|table
---@field filter? fun(descriptor: table): boolean
---@field recursive? boolean
---@field force? boolean
---@field mount? boolean
---@field concurrency? integer
---@field dry_run? boolean

---@class oras.CopyStats
---@field blobs { copied: integer, mounted: integer, skipped: integer }
---@field manifests integer that were put
---@field bytes integer of blobs and manifests that were sent
---@field plan? { action: string, descriptor: table }[]

---@class oras.Copy one copy while it runs
---@field source oras.Registry
---@field target oras.Registry
---@field from oras.Container
---@field to oras.Container
local Copy = {}
Copy.__index = Copy

--- The descriptor of what a reference names, by one HEAD, or nil when nothing is there; the step
--- by which copy asks whether a manifest is at the target.
---@param container oras.Container
---@return table? descriptor
---@raise oras.Error auth, network, ...
function Registry:find_manifest(container)
  local media_type, digest, size = self:_backend(container).head_manifest(self, container)
  if not media_type or not (digest or container.digest) then
    return nil
  end
  return { mediaType = media_type, digest = container.digest or digest, size = size }
end

-- A layout that is not there yet has nothing in it.
local function if_there(...)
  local found, err = errors.try(...)
  if found == nil and err and err.class ~= "not_found" then
    errors.raise(err)
  end
  return found
end

function Copy:at_target(container)
  return at(DESTINATION, self, "_at_target", container)
end

function Copy:_at_target(container)
  return if_there(self.target.find_manifest, self.target, container)
end

local function note_plan(self, action, d)
  if self.plan then
    self.plan[#self.plan + 1] = { action = action, descriptor = d }
  end
end

local function count_blob(self, d, what)
  local counted = what == "uploaded" and "copied" or what == "mounted" and "mounted" or "skipped"
  self.blobs_done = self.blobs_done + 1
  self.stats.blobs[counted] = self.stats.blobs[counted] + 1
  if counted == "copied" then
    self.stats.bytes = self.stats.bytes + d.size
  end
  note_plan(self, counted == "copied" and "copy" or counted == "mounted" and "mount" or "skip", d)
end

-- The source of a blob's bytes, as upload_blob takes it.
local function source_of(self, d)
  if d.digest == EMPTY then
    return { data = "{}" }
  elseif d.data then
    return { data = core.base64.decode(d.data) }
  end
  return {
    fetch = function(sink)
      at(SOURCE, self.source, "get_blob", self.from, { digest = d.digest, size = d.size }, {
        sink = sink, progress = false,
      })
    end,
  }
end

local function send_blob(self, d)
  local report <close> = self.progress:of { phase = "copy", digest = d.digest, total = d.size }
  local _, what = at(DESTINATION, self.target, "upload_blob", self.to, source_of(self, d), {
    mediaType = d.mediaType, digest = d.digest, size = d.size,
  }, { expect = self.expect, mount_from = self.mount_from, progress = report })
  return what
end

-- What would become of a blob; whether a mount is heeded is known only when it is tried.
local function foresee_blob(self, d)
  if if_there(at, DESTINATION, self.target, "blob_exists", self.to, d) then
    return "exists"
  end
  return self.mount_from and "mounted" or "uploaded"
end

function Copy:move_blob(blob)
  local d = blob.descriptor
  local what
  if graph.is_foreign(d) then
    what = "exists"
  elseif self.plan then
    what = foresee_blob(self, d)
  else
    what = send_blob(self, d)
  end
  count_blob(self, d, what)
  self:settle(blob)
end

-- Something is done: those that waited for it may go on.
function Copy:settle(item)
  item.done = true
  for _, node in ipairs(item.waiting or {}) do
    self:release(node)
  end
  item.waiting = nil
end

local function wait_for(item, node)
  if not item.done then
    node.pending = node.pending + 1
    item.waiting = item.waiting or {}
    table.insert(item.waiting, node)
  end
end

function Copy:need_blob(d, node)
  local blob = self.blobs[d.digest]
  if not blob then
    blob = { descriptor = d }
    self.blobs[d.digest] = blob
    self.progress:expect()
    self.jobs:add(function()
      self:move_blob(blob)
    end)
  end
  wait_for(blob, node)
end

local function too_much(self, format, ...)
  errors.raise {
    class = "limit", message = ("%s: %s"):format(self.from.uri, format:format(...)), origin = "source",
  }
end

-- The node of a manifest that is met for the first time, else nil and the one that is there.
function Copy:meet(d, depth)
  local node = self.nodes[d.digest]
  if node then
    return nil, node
  end
  local limits = self.source._limits
  self.n_nodes = self.n_nodes + 1
  if depth > limits.index_depth then
    too_much(self, "indexes are nested more than %d deep", limits.index_depth)
  elseif self.n_nodes > limits.graph then
    too_much(self, "more than %d manifests hang together", limits.graph)
  end
  node = { descriptor = d, depth = depth, pending = 1 }
  self.nodes[d.digest] = node
  return node, node
end

function Copy:need_manifest(d, depth, parent)
  local new, node = self:meet(d, depth)
  if new then
    self.jobs:add(function()
      self:visit(new)
    end)
  end
  if parent then
    wait_for(node, parent)
  end
end

function Copy:fetch(d)
  local accept = not require("oras.media_types").accept:find(d.mediaType, 1, true) and d.mediaType or nil
  return at(SOURCE, self.source, "fetch_manifest", self.from:with_digest(d.digest), { expected = d, accept = accept })
end

-- A manifest by its own digest; one whose digest is known at the target has all it is made of,
-- unless the caller does not trust that.
function Copy:visit(node)
  local d = node.descriptor
  node.there = not self.opts.force and self:at_target(self.to:with_digest(d.digest)) ~= nil
  if not node.there or self.opts.recursive then
    self:open(node, self:fetch(d))
  else
    self:release(node)
  end
end

function Copy:open(node, doc)
  node.raw = doc:raw()
  local manifests, blobs = graph.children(doc)
  if not node.there then
    for i = #blobs, 1, -1 do
      self:need_blob(blobs[i], node)
    end
  end
  if not node.there or self.opts.recursive then
    for i = #manifests, 1, -1 do
      self:need_manifest(manifests[i], node.depth + 1, node)
    end
  end
  if self.opts.recursive then
    self.jobs:add(function()
      self:follow(node.descriptor)
    end)
  end
  self:release(node)
end

-- Referrers wait for nobody and nobody for them: a subject may come later.
function Copy:follow(d)
  local found = at(SOURCE, self.referrers, "of", d.digest)
  for _, referrer in ipairs(found) do
    if graph.is_manifest(referrer.mediaType) and (not self.opts.filter or self.opts.filter(referrer)) then
      self:need_manifest(referrer, 0)
    end
  end
end

-- One reason less to wait; behind the last the manifest itself is put.
function Copy:release(node)
  node.pending = node.pending - 1
  if node.pending > 0 then
    return
  elseif node.there or node == self.root then
    self:settle(node)
  else
    self.jobs:add(function()
      self:put(node)
    end)
  end
end

local function send_manifest(self, node, container)
  self.stats.manifests = self.stats.manifests + 1
  self.stats.bytes = self.stats.bytes + #node.raw
  note_plan(self, "copy", node.descriptor)
  if not self.plan then
    at(DESTINATION, self.target, "upload_manifest", container, node.raw, { media_type = node.descriptor.mediaType })
  end
end

function Copy:put(node)
  send_manifest(self, node, self.to:with_digest(node.descriptor.digest))
  node.raw = nil
  self:settle(node)
end

-- The root comes last, under its name: what bears a name is complete.
local function put_root(self, tagged)
  local root, to = self.root, self.to
  local same_name = tagged and tagged.digest == root.descriptor.digest
  if to.tag and not same_name then
    local named = root.descriptor.digest:find "^sha256:" ~= nil
    if not named and not root.there then -- a registry makes a sha256 of what is put by tag
      send_manifest(self, root, to:with_digest(root.descriptor.digest))
    end
    send_manifest(self, root, to:with_tag(to.tag))
  elseif not root.there or self.opts.force then
    send_manifest(self, root, to.tag and to:with_tag(to.tag) or to:with_digest(root.descriptor.digest))
  end
end

local function check_done(self)
  for digest, node in pairs(self.nodes) do
    if not node.done then
      errors.raise {
        class = "content", digest = digest, origin = "source",
        message = ("%s: the manifests go in circles at %s"):format(self.from.uri, digest),
      }
    end
  end
end

local function walk(self, doc)
  local crew <close> = jobs.new(self.opts.concurrency or self.target._settings.concurrency or CONCURRENCY)
  self.jobs = crew
  if self.root.there and not self.opts.recursive then
    self:release(self.root)
  else
    self:open(self.root, doc)
  end
  crew:finish()
  check_done(self)
end

-- The index with those entries only, in their order; its own bytes when all of them are there.
local function trimmed(doc, is_taken)
  local index, err = core.json.decode(doc:raw())
  errors.check(index, err)
  local kept = core.json.array {}
  for _, entry in ipairs(index.manifests) do
    if is_taken(entry) then
      kept[#kept + 1] = entry
    end
  end
  if #kept == #index.manifests then
    return doc
  end
  index.manifests = kept
  local raw = errors.check(core.json.encode(index))
  local algorithm = doc:descriptor().digest:match "^[^:]+"
  return manifest.new({ raw = raw, digest = core.digest.of(raw, algorithm), media_type = doc:media_type() })
end

local function for_platforms(self, platforms)
  if type(platforms) == "string" or platforms.os or #platforms == 1 then
    return self.source:get_manifest(self.from, { platform = platforms[1] or platforms })
  end
  local index = self.source:get_image_index(self.from)
  local taken = {}
  for _, entry in ipairs(self.source:select_platform(index, platforms)) do
    taken[entry.digest] = true
  end
  return trimmed(index, function(entry)
    return taken[entry.digest]
  end)
end

-- What is copied: the manifest as it is, or less of it.
function Copy:get_root()
  local platforms, filter = self.opts.platforms, self.opts.filter
  local doc = platforms and for_platforms(self, platforms) or self.source:get_manifest(self.from)
  if not manifest.is_manifest(doc) then
    errors.usage("get_manifest gives a manifest, not a %s", type(doc))
  end
  return filter and manifest.is_index(doc) and trimmed(doc, filter) or doc
end

local function check_digest(self, doc)
  local wanted = self.to.digest
  if wanted and core.digest.of(doc:raw(), wanted:match "^[^:]+") ~= wanted then
    errors.usage("copy: %s is %s, which cannot be stored as %s",
      self.from.uri, doc:descriptor().digest, self.to.uri)
  end
end

-- Source and target are asked at the same time.
local function look(self)
  local to = self.to
  local doc, tagged = require("oras.task").gather(function()
    return at(SOURCE, self, "get_root")
  end, function()
    return to.tag and not to.digest and self:at_target(to:with_tag(to.tag)) or nil
  end)
  check_digest(self, doc)
  return doc, tagged
end

function Copy:run()
  local doc, tagged = look(self)
  local d = doc:descriptor()
  if self.to.digest then
    d.digest = self.to.digest
  end
  self.root = self:meet(d, 0)
  self.root.raw = doc:raw()
  self.expect = tagged and "present" or nil
  if not self.opts.force then
    self.root.there = tagged and tagged.digest == d.digest or self:at_target(self.to:with_digest(d.digest)) ~= nil
  end
  walk(self, doc)
  put_root(self, tagged)
  return d, self.stats
end

local function check_options(opts)
  for _, side in ipairs { "from", "to" } do
    local object = opts[side]
    if object and not (object.is_a and object.is_a(object, Registry)) then
      errors.usage("copy: option %q is an object of Registry or of a class made from it", side)
    end
  end
  if opts.concurrency and opts.concurrency < 1 then
    errors.usage("copy: concurrency is at least 1, not %d", opts.concurrency)
  end
  local platforms = opts.platforms
  if type(platforms) == "table" and not platforms.os and #platforms == 0 then
    errors.usage "copy: platforms is a platform or a list of them, which is not empty"
  end
end

local function new_copy(self, src, dst, opts)
  local source, target = opts.from or self, opts.to or self
  local from, to = source:get_container(src), target:get_container(dst)
  local stats = { blobs = { copied = 0, mounted = 0, skipped = 0 }, manifests = 0, bytes = 0 }
  local copy = setmetatable({
    source = source, target = target, from = from, to = to, opts = opts, stats = stats,
    nodes = {}, n_nodes = 0, blobs = {}, blobs_done = 0,
    plan = opts.dry_run and {} or nil,
    progress = progress.operation(self),
  }, Copy)
  stats.plan = copy.plan
  if opts.mount ~= false and require("oras.registry.identity").is_same(source, from, target, to) then
    copy.mount_from = from.api_prefix ~= to.api_prefix and from.api_prefix or nil
  end
  if opts.recursive then
    copy.referrers = require("oras.registry.referrers").new(source, from)
  end
  return copy
end

--- Copy a manifest or index and all it is made of. Bytes stay as they are; what the target has is
--- not sent again; within one registry blobs are mounted; the name comes last.
---
--- `from`, `to`: the registry objects that serve the two references, self by default. `platforms`:
--- one copies that platform's manifest, several an index of these. `filter`: a function of an
--- entry's descriptor, asked for the entries of an index and for referrers. `recursive`: with the
--- referrers of every manifest, and theirs. `force`: do not trust that a manifest which the target
--- has is complete there. `mount = false`: never mount. `dry_run`: change nothing; `stats.plan` says
--- what would move, as {action = "copy"|"mount"|"skip", descriptor}.
---@param src string|oras.Container
---@param dst string|oras.Container
---@param opts? oras.CopyOptions
---@return table descriptor
---@return oras.CopyStats stats
---@raise oras.Error not_found, auth, denied, integrity, limit, ...; `origin` is "source" or "destination"
function Registry:copy(src, dst, opts)
  opts = options.check(opts, COPY, "copy")
  check_options(opts)
  return new_copy(self, src, dst, opts):run()
end
