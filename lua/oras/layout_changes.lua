--- Changes of a layout's index that are not written yet: seen at once by whoever gathers them, and
--- made again on the index as it is when it is written, so that what others changed stays.
local layout = require "oras.layout"

local Layout <const> = layout.Layout

local changes = {}

--- Make a change in memory and remember it.
---@param self table with `_read` and the list `changes`
---@param change fun(index: table): boolean, any, string[]?
---@return any result
function changes.add(self, change)
  local changed, result, unwanted = change(self:_read())
  if changed or (unwanted and #unwanted > 0) then
    table.insert(self.changes, change)
  end
  return result
end

--- Make all changes on another index.
---@param list function[]
---@param index table
---@return boolean changed
---@return string[] unwanted digests of blobs that go
function changes.apply(list, index)
  local changed, unwanted = false, {}
  for _, change in ipairs(list) do
    local is_new, _, digests = change(index)
    changed = is_new or changed
    table.move(digests or {}, 1, #(digests or {}), #unwanted + 1, unwanted)
  end
  return changed, unwanted
end

---@class oras.GatheringLayout : oras.Layout a directory whose index is written once, at the end
---@field base oras.Layout
---@field changes function[]
local Gathering = setmetatable({ __name = "oras.GatheringLayout" }, { __index = Layout })
Gathering.__index = Gathering
Gathering.__tostring = Layout.__tostring

--- The same layout for many changes in a row. Closing it writes the index; closing it by an error
--- does not, as what is stored can be found again.
---@param base oras.Layout a directory
---@return oras.GatheringLayout closable
function changes.gather(base)
  return setmetatable({ path = base.path, core = base.core, base = base, changes = {} }, Gathering)
end

-- The index as it will be.
function Gathering:_read()
  if not self._view then
    self._view = self.base:index()
    changes.apply(self.changes, self._view)
  end
  return self._view
end

--- The layout's index, decoded; a table of the caller's own.
---@return table
function Gathering:index()
  local index = self.base:index()
  changes.apply(self.changes, index)
  return index
end

Gathering.edit = changes.add

--- It gathers already.
---@return oras.GatheringLayout
function Gathering:begin()
  return self
end

--- It is complete.
---@return oras.GatheringLayout
function Gathering:complete()
  return self
end

function Gathering.__close(self, err)
  if err == nil and #self.changes > 0 then
    self.base:edit(function(index)
      local changed, unwanted = changes.apply(self.changes, index)
      return changed, nil, unwanted
    end)
  end
end

return changes
