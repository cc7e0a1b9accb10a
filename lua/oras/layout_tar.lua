--- A layout in a tar that is not compressed: read where it lies, written anew as a whole.
---
--- What is written is gathered beside it, by a transaction. At its end the tar is packed from
--- what it had and what was gathered, and renamed into its place, under its lock: what other
--- processes and tasks did to it meanwhile stays. A transaction that failed leaves nothing.
local changes = require "oras.layout_changes"
local core = require "oras.core"
local errors = require "oras.error"
local layout = require "oras.layout"

local Layout <const> = layout.Layout

-- Others may make the tar, or replace it, just before us; so often in a row they do not.
local TRIES <const> = 100

---@class oras.TarLayout : oras.Layout
---@field core? userdata nil: there is no tar yet
---@field changes? function[] of the index; nil: it is no transaction
---@field stage? userdata what was gathered
local Tar = setmetatable({ __name = "oras.TarLayout" }, { __index = Layout })
Tar.__index = Tar
Tar.__tostring = Layout.__tostring

local tar = {}

--- A layout in a tar; without one that is open, one to come.
---@param path string
---@param opened? userdata of the core
---@return oras.TarLayout
function tar.new(path, opened)
  return setmetatable({ path = path, core = opened }, Tar)
end

-- The index of the tar itself.
local function base_index(self)
  if self.core then
    Layout._read(self) -- checks it
    return core.json.decode(self._bytes)
  end
  return core.json.decode(layout.EMPTY_INDEX)
end

-- The index as it will be.
function Tar:_read()
  if not self._view then
    local view = base_index(self)
    changes.apply(self.changes or {}, view)
    self._view = view
  end
  return self._view
end

--- The layout's index, decoded; a table of the caller's own.
---@return table
function Tar:index()
  return core.json.decode(core.json.encode(self:_read()))
end

--- It is written as a whole.
---@return oras.TarLayout itself
function Tar:complete()
  return self
end

--- Is it what its path names?
---@return boolean
function Tar:is_current()
  return self.core ~= nil and self.core:is_current()
end

-- What blobs may be in, the newest first.
local function places(self)
  local list = { self.stage }
  list[#list + 1] = self.core
  return list
end

-- Where a blob is.
local function holder(self, digest)
  for _, one in ipairs(places(self)) do
    local size, err = one:size(digest)
    if size then
      return one, size
    elseif err.class ~= "not_found" then
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
---@param digest string
---@param sink userdata
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
  for _, one in ipairs(places(self)) do
    for digest in errors.check(one:blobs()):gmatch "[^\n]+" do
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
---@param digest string
---@param size? integer
---@return boolean
function Tar:has(digest, size)
  local found = self:size(digest)
  return found ~= nil and (size == nil or size == found)
end

--- Nothing in a tar is on its way: it is as old as can be.
---@param digest string
---@return number?
function Tar:age(digest)
  return self:size(digest) and math.huge
end

-- Where a transaction gathers.
local function stage(self)
  if not self.changes then
    errors.usage("%s is a tar: it is written by a transaction", tostring(self))
  end
  if not self.stage then
    self.stage = errors.check(core.layout.stage(self.path))
  end
  return self.stage
end

--- A sink of the core whose bytes become a blob.
---@param wanted { digest?: string, size?: integer, algorithm?: string }
---@return userdata
function Tar:sink(wanted)
  return errors.check(stage(self):sink {
    digest = wanted.digest, size = wanted.size, algorithm = wanted.algorithm,
  })
end

--- Small bytes as a blob, unless it is there.
---@param bytes string
---@param digest string
function Tar:put(bytes, digest)
  if not self:has(digest, #bytes) then
    errors.check(stage(self):put(bytes, digest))
  end
end

--- Change the index: in a transaction at once in memory, and again on the tar as it is when it is
--- written; else by a transaction of its own.
---@param change fun(index: table): boolean, any, string[]?
---@return any result
function Tar:edit(change)
  if not self.changes then
    local own <close> = self:begin()
    return own:edit(change)
  end
  return changes.add(self, change)
end

local Transaction = setmetatable({ __name = Tar.__name, __tostring = Tar.__tostring }, { __index = Tar })
Transaction.__index = Transaction

--- A transaction: the same layout with what will be written. Closing it writes the tar; closing
--- it by an error, nothing.
---@return oras.TarLayout
---@return oras.TarLayout closable
function Tar:begin()
  local own = setmetatable({ path = self.path, core = self.core, changes = {} }, Transaction)
  return own, own
end

--- It is one already.
---@return oras.TarLayout
function Transaction:begin()
  return self
end

-- The tar as it is now; nil when there is none.
local function reopen(self)
  local opened, err = core.layout.open(self.path)
  if not opened and err.class ~= "not_found" then
    errors.raise(err)
  end
  self.core, self._bytes, self._index, self._view = opened, nil, nil, nil
end

-- Locked, and looked at under the lock; nothing to lock while there is no tar.
local function lock_newest(self)
  for _ = 1, TRIES do
    if not self:is_current() then
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

-- One try; false when somebody else was faster with a tar that was not there.
local function write(self)
  local _ <close> = lock_newest(self)
  local index, unwanted = base_index(self), {}
  for _, digest in ipairs(select(2, changes.apply(self.changes, index))) do
    unwanted[digest] = true
  end
  local done, err = core.layout.pack(self.path, core.json.encode(index), digests_without(self, unwanted),
    self.core ~= nil, self.stage, self.core)
  if not done and (err.class ~= "exists" or self.core) then
    errors.raise(err)
  end
  return done
end

local function flush(self)
  for _ = 1, TRIES do
    if write(self) then
      return
    end
  end
  errors.raise { class = "io", message = ('layout "%s" is made again and again'):format(self.path) }
end

local End = {}

-- What is left can be read, as any tar.
function End.__close(closing)
  local self = closing.transaction
  if self.stage then
    self.stage:close()
  end
  self.stage, self.changes, self._view = nil, nil, nil
  setmetatable(self, Tar)
end

function Transaction.__close(self, err)
  local _ <close> = setmetatable({ transaction = self }, End)
  if err == nil and (self.stage or #self.changes > 0) then
    flush(self)
  end
end

--- Close it; further use is a mistake.
function Tar:close()
  if self.core then
    self.core:close()
  end
end

Tar.__close = Tar.close

return tar
