--- How far things are: one kind of event for scripts, C hosts and the command line.
---
--- An event is {phase, digest, title?, done, total, over?, blobs = {done, total, size?}?,
--- operation?}: `phase` is "hash", "pack", "upload", "download", "extract" or "copy", `total` is -1
--- where it is not known, and `done` of one thing never falls, also when its bytes are sent again.
--- `over` says that nothing more comes of it; `blobs` are those of the operation that it belongs
--- to, which has a number, `size` their bytes where all are known. What stands still is told again
--- now and then. Who tells of one makes a reporter (`registry:_progress{...}`) and gives it to the
--- requests as their option `progress`.
local core = require "oras.core"

local Registry = require "oras.registry"

local progress = {}

-- Seconds after which what stands still is told again.
local STILL <const> = 0.25

--- Tells how far one thing is: `reporter(done, total?)`. As a `<close>` variable it also tells
--- the end, when that is a good one. `offset` may be set to where a part begins.
---@class oras.Reporter
---@field phase string
---@field digest? string
---@field title? string
---@field total? integer of the whole, where the parts do not tell
---@field offset? integer bytes before those that are counted now
---@field operation? oras.Progress
local Reporter = { __name = "oras.Reporter" }
Reporter.__index = Reporter

---@class oras.Progress an operation on several blobs
local Operation = { __name = "oras.Progress" }
Operation.__index = Operation

local function is_watched(registry)
  local watchers = registry._watchers
  return (watchers ~= nil and watchers.progress ~= nil) or core.progress.is_wanted()
end

-- To the host, with what is new since the last time: it has one sum of all.
local function tell_host(self)
  local told, blobs = self.told, self.operation
  local unknown = self.known < 0
  core.progress.report(self.phase, self.digest, self.title, self.done, self.known,
    blobs and blobs.done, blobs and blobs.total,
    self.done - (told and told.done or 0),
    (unknown and 0 or self.known) - (told and told.total or 0),
    (unknown and 1 or 0) - (told and told.unknown or 0))
  self.told = { done = self.done, total = unknown and 0 or self.known, unknown = unknown and 1 or 0 }
end

local function emit(self)
  local operation = self.operation
  self.told_at = core.clock.monotonic()
  self.registry:_emit("progress", {
    phase = self.phase, digest = self.digest, title = self.title, done = self.done, total = self.known,
    over = self.over, operation = operation and operation.number,
    blobs = operation and { done = operation.done, total = operation.total, size = operation.size or nil } or nil,
  })
end

local function tell(self)
  if core.progress.is_wanted() then
    tell_host(self)
  end
  emit(self)
end

--- So many bytes of the thing, or of its part from `offset` on, are done.
---@param done integer
---@param total? integer -1 or nil: not known
function Reporter:__call(done, total)
  local offset = self.offset or 0
  if not self.total and total and total >= 0 then
    total = total + offset
  end
  total = self.total or total or -1
  done = math.max(done + offset, self.done or 0)
  if total >= 0 and done > total then
    done = total
  end
  if done ~= self.done or total ~= self.known then
    self.done, self.known = done, total
    tell(self)
  elseif core.clock.monotonic() - self.told_at >= STILL then
    emit(self)
  end
end

function Reporter:__close(err)
  local operation = self.operation
  if err ~= nil then
    return
  elseif operation then
    operation.done = operation.done + 1
    self.known = nil -- told again: there is one blob more
  end
  self.over = true
  if self.total then
    self.offset = nil
    self(self.total)
  elseif self.done then
    self.known = nil
    self(self.done - (self.offset or 0))
  end
end

--- Make a reporter of a table that has its fields, or give back the one that it is; false when
--- nobody listens.
---@param registry oras.Registry
---@param about table phase, digest, title, total, offset
---@return oras.Reporter|false
function progress.reporter(registry, about)
  if getmetatable(about) == Reporter then
    return about
  elseif not is_watched(registry) then
    return false
  end
  about.registry = registry
  return setmetatable(about, Reporter)
end

--- What a request calls while its body moves, or nil when nobody listens.
---@param registry oras.Registry
---@param opts table of do_request: `progress` (a reporter or its fields, or false) and `digest`
---@return function?
function progress.of_request(registry, opts)
  local about = opts.progress
  if about == nil and opts.body == nil then
    about = { phase = "download", digest = opts.digest }
  elseif about == nil and type(opts.body) == "userdata" then
    about = { phase = "upload", digest = opts.digest }
  end
  local reporter = about and progress.reporter(registry, about)
  return reporter and function(done, total)
    reporter(done, total)
  end or nil
end

--- Tell how far something is; the fields and what it gives are those of progress.reporter.
---@param about table phase, digest, title, total, offset
---@return oras.Reporter|false
function Registry:_progress(about)
  return progress.reporter(self, about)
end

local last = 0 -- number of an operation

--- Begin an operation on several blobs.
---@param registry oras.Registry whose watchers are told
---@return oras.Progress
function progress.operation(registry)
  last = last + 1
  return setmetatable({ registry = registry, number = last, done = 0, total = 0, size = 0 }, Operation)
end

--- One more blob will come.
---@param size? integer its bytes, if that is known
function Operation:expect(size)
  self.total = self.total + 1
  self.size = self.size and size and self.size + size
end

--- A blob will not come: it is there already.
---@param size? integer as it was expected
function Operation:skip(size)
  self.total = self.total - 1
  self.size = self.size and size and self.size - size
end

--- How many blobs are still to be done.
---@return integer
function Operation:left()
  return self.total - self.done
end

--- A reporter of one of the operation's blobs; closing it counts the blob as done.
---@param about table as for reporter, with `total`
---@return oras.Reporter|false
function Operation:of(about)
  about.operation = self
  return progress.reporter(self.registry, about)
end

return progress
