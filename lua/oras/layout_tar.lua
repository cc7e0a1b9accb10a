--- A layout in a tar that is not compressed: read where it lies, written anew as a whole.
---
--- What is written is gathered beside it. When nobody writes any more (see `batch`), the tar is
--- packed from what it had and what was gathered, and renamed into its place, under its lock:
--- what other processes did to it meanwhile stays. A batch that failed leaves nothing.
local core = require "oras.core"
local errors = require "oras.error"
local layout = require "oras.layout"

local Layout <const> = layout.Layout

local EMPTY <const> = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
-- Another process may make the tar just before us, several times.
local TRIES <const> = 10
local TURN <const> = 0.002 -- seconds, between looks at another task's work

---@class oras.TarLayout : oras.Layout
---@field core? userdata nil: there is no tar yet
---@field stage? userdata what was gathered
---@field flushing? userdata what is being packed
---@field changes function[] of the index, since the tar was read
---@field depth integer batches that are open
local Tar = setmetatable({ __name = "oras.TarLayout" }, { __index = Layout })
Tar.__index = Tar
Tar.__tostring = Layout.__tostring

local tar = {}

--- A layout in a tar; without one that is open, a new one.
---@param path string
---@param opened? userdata of the core
---@return oras.TarLayout
function tar.new(path, opened)
  return setmetatable({ path = path, core = opened, changes = {}, depth = 0 }, Tar)
end

-- The index of the tar itself.
local function base_index(self)
  if self.core then
    Layout._read(self) -- checks it
    return core.json.decode(self._bytes)
  end
  return core.json.decode(EMPTY)
end

-- The index as it will be.
function Tar:_read()
  if not self._view then
    local view = base_index(self)
    for _, change in ipairs(self.changes) do
      change(view)
    end
    self._view = view
  end
  return self._view
end

--- The layout's index, decoded; a table of the caller's own.
---@return table
function Tar:index()
  return core.json.decode(core.json.encode(self:_read()))
end

--- Is it still what its path names, or not written yet?
---@return boolean
function Tar:is_current()
  local is_busy = self.depth > 0 or self.flushing ~= nil or #self.changes > 0
  return is_busy or (self.core ~= nil and self.core:is_current())
end

-- Where a blob is.
local function holder(self, digest)
  local err
  for _, one in ipairs { self.stage or false, self.flushing or false, self.core or false } do
    local size
    if one then
      size, err = one:size(digest)
    end
    if size then
      return one, size
    elseif err and err.class ~= "not_found" then
      errors.raise(err)
    end
  end
end

--- Size of a blob; nil when it is not there.
---@param digest string
---@return integer?
function Tar:size(digest)
  local _, size = holder(self, digest)
  return size
end

--- Bring a blob into a sink of the core, verified.
---@return table? answer nil and an error
function Tar:fetch(digest, sink)
  local one = holder(self, digest) or self.core
  if not one then
    return nil, errors.new { class = "not_found", digest = digest, message = ("no blob %q"):format(digest) }
  end
  return one:fetch(digest, sink)
end

--- The digests of all blobs, sorted.
---@return string[]
function Tar:blobs()
  local digests, seen = {}, {}
  for _, one in ipairs { self.stage or false, self.flushing or false, self.core or false } do
    for digest in (one and errors.check(one:blobs()) or ""):gmatch "[^\n]+" do
      if not seen[digest] then
        seen[digest] = true
        digests[#digests + 1] = digest
      end
    end
  end
  table.sort(digests)
  return digests
end

--- Is a blob there, of that size?
---@return boolean
function Tar:has(digest, size)
  local found = self:size(digest)
  return found ~= nil and (size == nil or size == found)
end

--- Nothing in a tar is on its way: it is as old as can be.
---@return number?
function Tar:age(digest)
  return self:size(digest) and math.huge
end

local function stage(self)
  if not self.stage then
    self.stage = errors.check(core.layout.stage(self.path))
  end
  return self.stage
end

function Tar:sink(wanted)
  return errors.check(stage(self):sink { digest = wanted.digest, size = wanted.size })
end

function Tar:write(value, wanted)
  local digest, size = stage(self):write(value, wanted)
  if not digest then
    errors.raise(size)
  end
  return digest, size
end

function Tar:put(bytes, digest)
  if not self:has(digest, #bytes) then
    errors.check(stage(self):put(bytes, digest))
  end
end

--- Change the index, now in memory, and again on the tar as it is when it is written.
---@param change fun(index: table): boolean, any, string[]?
---@return any result
function Tar:edit(change)
  local _ <close> = self:batch()
  local changed, result, unwanted = change(self:_read())
  if changed or (unwanted and #unwanted > 0) then
    table.insert(self.changes, change)
  end
  return result
end

-- What was gathered goes.
local function drop(self)
  if self.stage then
    self.stage:close()
  end
  self.stage, self.changes, self._view, self.is_good = nil, {}, nil, nil
end

local Batch = {}

function Batch.__close(batch, err)
  local self = batch.layout
  self.depth = self.depth - 1
  self.is_good = self.is_good or err == nil
  if self.depth > 0 then
    return
  elseif self.is_good then
    self:flush()
  else
    drop(self)
  end
end

--- Gather what is written until the value is closed; the last one that is closed writes the tar,
--- unless all of them failed.
---@return table closable
function Tar:batch()
  self.depth = self.depth + 1
  return setmetatable({ layout = self }, Batch)
end

-- The tar as it is now; nil when there is none.
local function reopen(self)
  if self.core then
    self.core:close()
  end
  local opened, err = core.layout.open(self.path)
  if not opened and err.class ~= "not_found" then
    errors.raise(err)
  end
  self.core, self._bytes, self._index, self._view = opened, nil, nil, nil
end

local function lock_newest(self)
  for _ = 1, TRIES do
    if not self.core or not self.core:is_current() then
      reopen(self)
    end
    local lock = self.core and self:lock()
    if not lock or self.core:is_current() then
      return lock
    end
    lock:unlock()
  end
  errors.raise { class = "io", message = ('layout "%s" is replaced again and again'):format(self.path) }
end

local function digests_without(self, unwanted)
  local digests = {}
  for _, digest in ipairs(self:blobs()) do
    if not unwanted[digest] then
      digests[#digests + 1] = digest
    end
  end
  return digests
end

-- One try; false when another process was faster with a tar that was not there.
local function write(self, changes)
  local _ <close> = lock_newest(self)
  local index, unwanted = base_index(self), {}
  for _, change in ipairs(changes) do
    local _, _, digests = change(index)
    for _, digest in ipairs(digests or {}) do
      unwanted[digest] = true
    end
  end
  local done, err = core.layout.pack(self.path, core.json.encode(index), digests_without(self, unwanted),
    self.core ~= nil, self.flushing, self.core)
  if not done and (err.class ~= "exists" or self.core) then
    errors.raise(err)
  end
  return done
end

local Flush = {}

function Flush.__close(flush)
  local self = flush.layout
  if self.flushing then
    self.flushing:close()
  end
  self.flushing, self.is_flushing, self._view = nil, nil, nil
end

-- What is packed, apart from what is gathered meanwhile.
local function begin(self)
  while self.is_flushing do
    core.clock.sleep(TURN)
  end
  local changes = self.changes
  self.flushing, self.is_flushing = self.stage, true
  self.stage, self.changes, self.is_good = nil, {}, nil
  return changes, setmetatable({ layout = self }, Flush)
end

--- Write the tar now, if something was gathered.
---@raise oras.Error io, path, content, what a change fails with
function Tar:flush()
  if not self.stage and #self.changes == 0 then
    return
  end
  local changes, closing = begin(self)
  local _ <close> = closing
  for _ = 1, TRIES do
    if write(self, changes) then
      return reopen(self)
    end
  end
  errors.raise { class = "io", message = ('layout "%s" is made again and again'):format(self.path) }
end

--- Close it; what was not written is dropped.
function Tar:close()
  drop(self)
  if self.core then
    self.core:close()
  end
end

Tar.__close = Tar.close

return tar
