--- The entries of a layout's index.json (image-spec image-layout.md, "index.json file"): names
--- come and go, everything else in an entry, and their order, stays.
local core = require "oras.core"

local REF_NAME <const> = "org.opencontainers.image.ref.name"

local entries = {}

--- The name of an entry, nil for one without.
---@param entry table
---@return string?
function entries.name(entry)
  return entry.annotations and entry.annotations[REF_NAME]
end

local function find(index, is_wanted)
  for i, entry in ipairs(index.manifests) do
    if is_wanted(entry) then
      return i, entry
    end
  end
end

local function by_digest(digest)
  return function(entry)
    return entry.digest == digest
  end
end

-- Another entry of what this one describes: fields that we do not know are of the manifest.
local function copied(entry)
  local text = core.json.encode(entry)
  return core.json.decode(text)
end

local function take_name(entry)
  entry.annotations[REF_NAME] = nil
  if next(entry.annotations) == nil then
    entry.annotations = nil
  end
end

local function give_name(entry, name)
  entry.annotations = entry.annotations or {}
  entry.annotations[REF_NAME] = name
end

--- List a manifest, without a name, unless it is listed.
---@param index table
---@param descriptor table
---@return boolean changed
function entries.add(index, descriptor)
  if find(index, by_digest(descriptor.digest)) then
    return false
  end
  table.insert(index.manifests, {
    mediaType = descriptor.mediaType, digest = descriptor.digest, size = descriptor.size,
    artifactType = descriptor.artifactType,
  })
  return true
end

--- Take a name from whatever has it. What had it stays listed.
---@param index table
---@param name string
---@return boolean changed
function entries.untag(index, name)
  local changed = false
  for i = #index.manifests, 1, -1 do
    local entry = index.manifests[i]
    if entries.name(entry) == name then
      changed = true
      take_name(entry)
      local other = find(index, function(candidate)
        return candidate ~= entry and candidate.digest == entry.digest
      end)
      if other then
        table.remove(index.manifests, i)
      end
    end
  end
  return changed
end

--- Give a listed manifest a name, which what had it loses.
---@param index table
---@param digest string
---@param name string
---@return boolean changed
function entries.tag(index, digest, name)
  local owners = {}
  for _, entry in ipairs(index.manifests) do
    if entries.name(entry) == name then
      owners[#owners + 1] = entry.digest
    end
  end
  if #owners == 1 and owners[1] == digest then
    return false
  end
  entries.untag(index, name)
  local _, entry = find(index, function(candidate)
    return candidate.digest == digest and not entries.name(candidate)
  end)
  if not entry then
    local i, sibling = find(index, by_digest(digest))
    entry = copied(sibling)
    table.insert(index.manifests, i + 1, entry)
  end
  give_name(entry, name)
  return true
end

--- Take a manifest off the list, with all its names.
---@param index table
---@param digest string
---@return boolean changed
---@return string[] names that it had
function entries.remove(index, digest)
  local names, before = {}, #index.manifests
  for i = before, 1, -1 do
    local entry = index.manifests[i]
    if entry.digest == digest then
      names[#names + 1] = entries.name(entry)
      table.remove(index.manifests, i)
    end
  end
  table.sort(names)
  return #index.manifests < before, names
end

return entries
