--- Where a container's layout is, what stands in it, and what is said when it does not: what
--- reading (registry/layout.lua) and writing (registry/layout_write.lua) share.
local errors = require "oras.error"
local layouts = require "oras.layout"

local place = {}

-- A layout that is held open; anew when another stands at its path now.
local function find_open(registry, container)
  local opened = registry._layouts or {}
  registry._layouts = opened
  local found = opened[container.path]
  return found and found:is_current() and found
end

--- The layout of a container; of a verb's own, while that runs.
---@param registry oras.Registry
---@param container oras.Container
---@param make? function how it is opened; layout.open by default
---@return oras.Layout
---@raise oras.Error not_found, content, path, io
function place.open(registry, container, make)
  local store = container.store -- of a verb, while it runs
  local found = store and store.changes and store or find_open(registry, container)
  if not found then
    found = (make or layouts.open)(container.path)
    registry._layouts[container.path] = found
  end
  return found
end

--- The same for writing: what is not there is made.
---@param registry oras.Registry
---@param container oras.Container
---@return oras.Layout
---@raise oras.Error content, path, io
function place.open_or_make(registry, container)
  return place.open(registry, container, layouts.create):complete()
end

--- Raise that something is not there.
---@param kind string "manifest" or "blob"
---@param name string
---@param container oras.Container
---@param more? string
---@raise oras.Error not_found
function place.not_found(kind, name, container, more)
  errors.raise {
    class = "not_found",
    message = ('no %s "%s" in %s%s'):format(kind, name, container:place(), more or ""),
    code = kind == "manifest" and "MANIFEST_UNKNOWN" or "BLOB_UNKNOWN",
    digest = name:find(":", 1, true) and name or nil,
  }
end

local function list_tags(store)
  local tags = store:tags()
  return #tags > 0 and "; it has " .. table.concat(tags, ", ", 1, math.min(#tags, 10)) or ""
end

--- The entry of index.json that a container names; for a digest that is not listed, what the
--- blob itself may say.
---@param store oras.Layout
---@param container oras.Container
---@return table descriptor without mediaType where it is not listed
---@raise oras.Error not_found
function place.find_entry(store, container)
  if container.digest then
    return store:find_digest(container.digest) or { digest = container.digest }
  end
  local entry = store:find_tag(container.tag)
  if not entry and container.implicit_tag then
    entry = store:only_entry()
  end
  return entry or place.not_found("manifest", container.tag, container, list_tags(store))
end

--- What to tell of bytes that move: what the caller gave, or fields of our own.
---@param registry oras.Registry
---@param given? table|false
---@param fields table of registry:_progress
---@return oras.Reporter|false|nil
---@return table? closable
function place.reporter(registry, given, fields)
  if given ~= nil then
    return given and registry:_progress(given), nil
  end
  local own = registry:_progress(fields)
  return own, own
end

return place
