--- The blobs of a copy: through memory when they are small, else as a stream from the source.
local core = require "oras.core"
local crew = require "oras.crew"
local errors = require "oras.error"
local graph = require "oras.registry.graph"
local side = require "oras.registry.copy_side"

local at <const>, SOURCE <const>, DESTINATION <const> = side.at, side.SOURCE, side.DESTINATION
local EMPTY <const> = require("oras.oci").empty_descriptor().digest

-- Blobs that pass through memory; the others are streamed.
local SMALL <const> = 64 * 1024

-- So many new blobs are worth the question whether the registry tells what it has.
local MANY <const> = 16

local ACTIONS <const> = { uploaded = "copied", mounted = "mounted" }

local blobs = {}

--- Count a blob by what became of it.
---@param self oras.Copy
---@param d table descriptor
---@param what string
function blobs.count(self, d, what)
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
    mount_from = self.mount_from or self.to.shared and self.to.shared.mounts[d.digest],
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

-- Copies that run side by side into one place bring each blob once: `shared` has those that are there,
-- the queues of those that move, and repositories of the same registry from which some can be mounted.
local function send_in_turn(self, d)
  local shared = self.to.shared
  if not shared then
    return send_blob(self, d)
  elseif shared.there[d.digest] == d.size then
    return "exists"
  end
  local queue = shared.moving[d.digest] or {}
  shared.moving[d.digest] = queue
  local what = crew.in_turn(queue, function()
    return shared.there[d.digest] == d.size and "exists" or send_blob(self, d)
  end)
  shared.there[d.digest] = d.size
  if self.to.kind == "registry" then
    shared.mounts[d.digest] = ("%s/%s"):format(self.to.registry, self.to.api_prefix)
  end
  return what
end

-- What would become of a blob; whether a mount is heeded is known only when it is tried.
local function foresee_blob(self, d)
  if side.at_target(self, "blob_exists", self.to, d) then
    return "exists"
  end
  return self.mount_from and "mounted" or "uploaded"
end

--- Bring a blob over, or say what would become of it.
---@param self oras.Copy
---@param d table descriptor
---@raise oras.Error
function blobs.move(self, d)
  local what = "exists"
  if not graph.is_foreign(d) then
    what = (self.plan and foresee_blob or send_in_turn)(self, d)
  end
  blobs.count(self, d, what)
end

return blobs
