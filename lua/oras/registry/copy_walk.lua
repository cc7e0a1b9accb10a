--- One copy while it runs: a walk over the graph of manifests by jobs (registry/jobs.lua), while
--- blobs move. A manifest is asked for at the target before any of its parts is; it is put when
--- its blobs and children are there.
local core = require "oras.core"
local crew = require "oras.crew"
local errors = require "oras.error"
local graph = require "oras.registry.graph"
local jobs = require "oras.registry.jobs"
local media_types = require "oras.media_types"

local CONCURRENCY <const> = 8
local EMPTY <const> = require("oras.oci").empty_descriptor().digest

-- Blobs that pass through memory; the others are streamed.
local SMALL <const> = 64 * 1024

-- So many new blobs are worth the question whether the registry tells what it has.
local MANY <const> = 16

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

---@class oras.Copy
---@field source oras.Registry
---@field target oras.Registry
---@field from oras.Container
---@field to oras.Container
---@field opts oras.CopyOptions
---@field stats oras.CopyStats
---@field plan? table[] what would be done, instead of doing it
---@field progress oras.Progress
---@field mount_from? string reference of a repository of the target's registry
---@field referrers? oras.Referrers
local Walk = {}
Walk.__index = Walk

-- What is not there has nothing in it: a layout that will be made, a repository that will be.
local ABSENT <const> = { not_found = true }

-- Who may push but not look is not told; the upload says what is allowed.
local UNTOLD <const> = { auth = true, denied = true, not_found = true }

local function if_there(absent, ...)
  local found, err = errors.try(...)
  if found == nil and err and not absent[err.class] then
    errors.raise(err)
  end
  return found
end

--- The descriptor of what the target has under a name or digest, or nil.
---@param container oras.Container
---@return table?
function Walk:at_target(container)
  return if_there(self.plan and ABSENT or UNTOLD, at, DESTINATION, self.target, "find_manifest", container)
end

local ACTIONS <const> = { uploaded = "copied", mounted = "mounted" }

local function count_blob(self, d, what)
  local action = ACTIONS[what] or "skipped"
  self.stats.blobs[action] = self.stats.blobs[action] + 1
  if action == "copied" then
    self.stats.bytes = self.stats.bytes + d.size
  end
  if self.plan then
    table.insert(self.plan, { action = action, descriptor = d })
  end
end

local function get_blob(self, d, opts)
  return at(SOURCE, self.source, "get_blob", self.from, { digest = d.digest, size = d.size }, opts)
end

-- A small blob is asked for while the target is asked whether it has it, if that is not likely.
local function get_ahead(self, d)
  local function get()
    return get_blob(self, d, { progress = false }).content
  end
  local ahead, is_used = crew.group(), false
  if not self.expect and not self.mount_from then
    ahead[1] = core.task.spawn(get)
  end
  return ahead, function()
    local task = not is_used and ahead[1]
    is_used = true
    return task and task:wait() or get()
  end
end

-- The source of a blob's bytes, as upload_blob takes it, and what has to be closed.
local function source_of(self, d)
  if d.digest == EMPTY then
    return { data = "{}" }
  elseif d.data then
    return { data = core.base64.decode(d.data) }
  elseif d.size <= SMALL then
    local ahead, bytes = get_ahead(self, d)
    return { bytes = bytes }, ahead
  end
  return { fetch = function(sink)
    get_blob(self, d, { sink = sink, progress = false })
  end }
end

local function send_once(self, d, report)
  local source, ahead = source_of(self, d)
  local _ <close> = ahead
  return select(2, at(DESTINATION, self.target, "upload_blob", self.to, source, {
    mediaType = d.mediaType, digest = d.digest, size = d.size,
  }, {
    expect = self.expect,
    mount_from = self.mount_from,
    progress = report,
    prove_mount = self.progress:left() > MANY,
  }))
end

-- What the source sent wrong has been passed on: only a new upload can better that.
local function is_worth_again(self, err)
  return err.origin == "source" and err.class == "integrity"
    and self.source:should_retry { method = "GET", url = err.url, attempt = 1, spoilt = 1, error = err }
end

local function send_blob(self, d)
  local report <close> = self.progress:of { phase = "copy", digest = d.digest, total = d.size }
  local what, err = errors.try(send_once, self, d, report)
  if not what and is_worth_again(self, err) then
    return send_once(self, d, report)
  end
  return what or errors.raise(err)
end

-- What would become of a blob; whether a mount is heeded is known only when it is tried.
local function foresee_blob(self, d)
  if if_there(ABSENT, at, DESTINATION, self.target, "blob_exists", self.to, d) then
    return "exists"
  end
  return self.mount_from and "mounted" or "uploaded"
end

local function move_blob(self, blob)
  local d = blob.descriptor
  local what = "exists"
  if not graph.is_foreign(d) then
    what = (self.plan and foresee_blob or send_blob)(self, d)
  end
  count_blob(self, d, what)
  self:settle(blob)
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
      move_blob(self, blob)
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
  local filter = self.opts.filter
  for _, referrer in ipairs(at(SOURCE, self.referrers, "of", d.digest)) do
    if graph.is_manifest(referrer.mediaType) and (not filter or filter(referrer)) then
      need_manifest(self, referrer, 0)
    end
  end
end

--- Have the parts of a manifest brought over, in their order: the last job is done first.
---@param node table
---@param doc oras.Manifest
function Walk:open(node, doc)
  node.raw = doc:raw()
  local manifests, blobs = graph.children(doc)
  if self.opts.recursive then
    self.jobs:add(function()
      follow(self, node.descriptor)
    end)
  end
  for i = node.there and not self.opts.recursive and 0 or #manifests, 1, -1 do
    need_manifest(self, manifests[i], node.depth + 1, node)
  end
  for i = #blobs, 1, -1 do
    if node.there then
      self.left[blobs[i].digest] = blobs[i]
    else
      need_blob(self, blobs[i], node)
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
  opts.media_type = node.descriptor.mediaType
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
      count_blob(self, d, "exists")
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
---@param fields table source, target, from, to, opts, progress, plan, mount_from, referrers
---@return oras.Copy
function walk.new(fields)
  fields.nodes, fields.n_nodes, fields.blobs, fields.left = {}, 0, {}, {}
  fields.stats = { blobs = { copied = 0, mounted = 0, skipped = 0 }, manifests = 0, bytes = 0, plan = fields.plan }
  return setmetatable(fields, Walk)
end

return walk
