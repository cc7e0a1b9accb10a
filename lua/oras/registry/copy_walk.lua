--- One copy while it runs: a walk over the graph of manifests by jobs (registry/jobs.lua), while
--- blobs move. A manifest is asked for at the target before any of its parts is; it is put when
--- its blobs and children are there.
local blobs = require "oras.registry.copy_blobs"
local errors = require "oras.error"
local graph = require "oras.registry.graph"
local jobs = require "oras.registry.jobs"
local media_types = require "oras.media_types"
local side = require "oras.registry.copy_side"

local at <const>, SOURCE <const>, DESTINATION <const> = side.at, side.SOURCE, side.DESTINATION
local CONCURRENCY <const> = 8

---@class oras.Copy
---@field source oras.Registry
---@field target oras.Registry
---@field from oras.Container
---@field to oras.Container
---@field opts oras.CopyOptions
---@field stats oras.CopyStats
---@field plan? table[] what would be done, instead of doing it
---@field filter? fun(descriptor: table, kind: string): boolean
---@field progress oras.Progress
---@field mount_from? string reference of a repository of the target's registry
---@field referrers? oras.Referrers
local Walk = {}
Walk.__index = Walk

--- The descriptor of what the target has under a name or digest, or nil.
---@param container oras.Container
---@return table?
function Walk:at_target(container)
  return side.at_target(self, "find_manifest", container)
end

--- Something is done: those that waited for it may go on.
---@param item table node or blob
function Walk:settle(item)
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

local function need_blob(self, d, node)
  local blob = self.blobs[d.digest]
  if not blob then
    blob = { descriptor = d }
    self.blobs[d.digest] = blob
    self.progress:expect(d.size)
    self.jobs:add(function()
      blobs.move(self, d)
      self:settle(blob)
    end)
  end
  wait_for(blob, node)
end

local function too_much(self, format, ...)
  errors.raise {
    class = "limit", message = ("%s: %s"):format(self.from.uri, format:format(...)), origin = "source",
  }
end

-- The node of a manifest, and whether it was met before.
local function meet(self, d, depth)
  local node = self.nodes[d.digest]
  if node then
    return node, true
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
  return node, false
end

local function need_manifest(self, d, depth, parent)
  local node, is_known = meet(self, d, depth)
  if not is_known then
    node.is_part = parent ~= nil
    self.jobs:add(function()
      self:visit(node)
    end)
  end
  if parent then
    wait_for(node, parent)
  end
end

local function fetch(self, d)
  local is_usual = media_types.is_manifest(d.mediaType) or media_types.is_index(d.mediaType)
  return at(SOURCE, self.source, "fetch_manifest", self.from:with_digest(d.digest), {
    expected = d, accept = not is_usual and d.mediaType or nil,
  })
end

--- Look at a manifest for the first time. One that the target has under its digest has all its
--- parts there, unless the caller does not trust that.
---@param node table
function Walk:visit(node)
  local d = node.descriptor
  node.there = not self.opts.force and self:at_target(self.to:with_digest(d.digest)) ~= nil
  if node.there and not self.opts.recursive then
    self:release(node)
  else
    self:open(node, fetch(self, d))
  end
end

-- Referrers wait for nobody and nobody for them: a subject may come later.
local function follow(self, d)
  local filter = self.filter
  for _, referrer in ipairs(at(SOURCE, self.referrers, "of", d.digest)) do
    if graph.is_manifest(referrer.mediaType) and (not filter or filter(referrer, "referrer")) then
      need_manifest(self, referrer, 0)
    end
  end
end

--- Have the parts of a manifest brought over, in their order: the last job is done first.
---@param node table
---@param doc oras.Manifest
function Walk:open(node, doc)
  node.raw = doc:raw()
  local manifests, parts = graph.children(doc)
  if self.opts.recursive then
    self.jobs:add(function()
      follow(self, node.descriptor)
    end)
  end
  for i = node.there and not self.opts.recursive and 0 or #manifests, 1, -1 do
    need_manifest(self, manifests[i], node.depth + 1, node)
  end
  for i = self.opts.shallow and 0 or #parts, 1, -1 do
    if node.there then
      self.left[parts[i].digest] = parts[i]
    else
      need_blob(self, parts[i], node)
    end
  end
  self:release(node)
end

local function send_manifest(self, node, container, opts)
  self.stats.manifests = self.stats.manifests + 1
  self.stats.bytes = self.stats.bytes + #node.raw
  if self.plan then
    table.insert(self.plan, { action = "copied", descriptor = node.descriptor })
    return
  end
  opts.media_type, opts.algorithm = node.descriptor.mediaType, node.descriptor.digest:match "^[^:]+"
  at(DESTINATION, self.target, "upload_manifest", container, node.raw, opts)
end

local function put(self, node)
  send_manifest(self, node, self.to:with_digest(node.descriptor.digest), { part = node.is_part or nil })
  node.raw = nil
  self:settle(node)
end

--- One reason less to wait; behind the last the manifest itself is put.
---@param node table
function Walk:release(node)
  node.pending = node.pending - 1
  if node.pending > 0 then
    return
  elseif node.there or node == self.root then
    node.raw = node == self.root and node.raw or nil
    self:settle(node)
  else
    self.jobs:add(function()
      put(self, node)
    end)
  end
end

-- Those in a circle wait for each other, which no verified document can make them do.
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

-- Nobody has asked for the blobs of manifests that were there, unless another needs them, too.
local function count_left(self)
  for digest, d in pairs(self.left) do
    if not self.blobs[digest] then
      blobs.count(self, d, "exists")
    end
  end
end

-- Jobs end in any order; a plan has one.
local function is_before(a, b)
  return graph.is_before(a.descriptor, b.descriptor)
end

--- Bring over all that a manifest is made of, and what refers to it.
---@param doc oras.Manifest
---@param d table its descriptor
---@param there boolean is it at the target?
---@param expect? string "present": something was found at the target
---@raise oras.Error
function Walk:run(doc, d, there, expect)
  local work <close> = jobs.new(self.opts.concurrency or self.target._settings.concurrency or CONCURRENCY)
  self.jobs, self.expect = work, expect
  self.root = meet(self, d, 0)
  self.root.raw, self.root.there = doc:raw(), there
  self:open(self.root, doc)
  work:finish()
  check_done(self)
  count_left(self)
  if self.plan then
    table.sort(self.plan, is_before)
  end
end

--- Put the root, last: what bears a name is complete.
---@param tags string[] names that it gets; none: it is stored by its digest alone
---@param needed boolean put it also where no name is missing
function Walk:put_root(tags, needed)
  local root, to = self.root, self.to
  local is_usual = root.descriptor.digest:find "^sha256:" ~= nil
  if needed and (#tags == 0 or not is_usual) then -- what is put by a name is a sha256 for a registry
    send_manifest(self, root, to:with_digest(root.descriptor.digest), {})
  end
  if #tags > 0 then
    send_manifest(self, root, to:with_tag(tags[1]), { tags = table.move(tags, 2, #tags, 1, {}) })
  end
end

local walk = {}

--- Call a function; what it raises says that it was the source.
---@param fn function
---@return any ...
function walk.at_source(fn, ...)
  local _ <close> = SOURCE
  return fn(...)
end

--- Make a copy that does nothing yet.
---@param fields table source, target, from, to, opts, filter, progress, plan, mount_from, referrers
---@return oras.Copy
function walk.new(fields)
  fields.nodes, fields.n_nodes, fields.blobs, fields.left = {}, 0, {}, {}
  fields.stats = { blobs = { copied = 0, mounted = 0, skipped = 0 }, manifests = 0, bytes = 0, plan = fields.plan }
  return setmetatable(fields, Walk)
end

return walk
