--- Registry:verify: are the files on the disk what an artifact has?
local core = require "oras.core"
local errors = require "oras.error"
local manifests_of = require "oras.registry.pull_manifests"
local plan = require "oras.registry.pull_plan"
local pull_options = require "oras.registry.pull_options"
local same = require "oras.registry.pull_same"
local task = require "oras.task"

local Registry = require "oras.registry"

---@class oras.Verified
---@field path string
---@field descriptor table
---@field status "same"|"missing"|"changed"|"kind"
---@field reason? string why it is not the same
---@field unpacked boolean
---@field files? { path: string, status: string }[] of a directory: what is different in it

local function expect_directory(dir)
  if type(dir) ~= "string" or dir == "" then
    errors.usage("verify: the second argument is a directory, not %s", dir == "" and "empty" or "a " .. type(dir))
  end
  return errors.check(core.file.root(dir))
end

-- Names below a directory, as paths from the root on; what is no directory, and empty ones.
local function list(root, path, found)
  for _, name in ipairs(errors.check(root:list(path))) do
    local below = path == "." and name or path .. "/" .. name
    local seen = errors.check(root:look(below))
    if seen and seen.type == "directory" then
      list(root, below, found)
      found.directories[below] = true
    elseif seen then
      found.files[below] = true
    end
  end
  return found
end

local function everything(root, path)
  return list(root, path, { files = {}, directories = {} })
end

local function hash_of(entry, algorithm)
  local hasher = errors.check(core.digest.new(algorithm))
  while true do
    local piece = entry:read()
    if not piece then
      return hasher:final()
    end
    hasher:update(piece)
  end
end

local function file_status(root, path, found, digest, size)
  if found.type ~= "file" then
    return "kind"
  end
  local is = found.size == size and errors.check(root:digest(path, digest:match "^[^:]+"))
  return is == digest and "same" or "changed"
end

-- What stands for one member of an archive; its bytes are read in any case.
local function member_status(root, path, entry, place)
  local digest = entry.type == "file" and hash_of(entry) or nil
  local found = errors.check(root:look(path))
  if not found then
    return "missing"
  elseif entry.type == "directory" then
    return found.type == "directory" and "same" or "kind"
  elseif entry.type == "symlink" then
    local is_link = found.type == "symlink"
    return not is_link and "kind" or root:link(path) == entry.linkname and "same" or "changed"
  elseif entry.type == "hardlink" then
    local other = place(entry.linkname)
    local target = other and errors.check(root:look(other))
    local wanted = target and target.type == "file" and errors.check(root:digest(other))
    return wanted and file_status(root, path, found, wanted, target.size) or "changed"
  end
  return file_status(root, path, found, digest, entry.size)
end

-- Where the members of an archive lie: without the name that all of them begin with.
local function placer(entry, prefix)
  local drop
  local function below_prefix(path)
    if prefix and path:sub(1, #prefix + 1) == prefix .. "/" then
      return path:sub(#prefix + 2)
    end
    return path == prefix and "." or nil
  end
  return function(path)
    local below = below_prefix(path)
    if drop == nil then
      drop = below ~= nil
    end
    below = drop and below or not drop and path or nil
    return below == "." and entry.title or below and entry.title .. "/" .. below
  end
end

-- Every member of the archive beside what is there.
local function compare(verify, entry)
  local differences, listed = {}, {}
  local place = placer(entry, entry.prefix)
  local blob <close> = verify.registry:get_blob(entry.container, entry.descriptor, { stream = true })
  for member in blob:entries() do
    local path = place(member.path)
    if path then
      listed[path] = true
      local status = member_status(verify.root, path, member, place)
      if status ~= "same" then
        differences[#differences + 1] = { path = path, status = status }
      end
    end
  end
  return differences, listed
end

local function add_extra(verify, entry, listed, differences)
  local found = everything(verify.root, entry.title)
  for path in pairs(found.files) do
    if not listed[path] then
      differences[#differences + 1] = { path = path, status = "extra" }
    end
  end
end

local function by_path(a, b)
  return a.path < b.path
end

local function directory_status(verify, entry)
  if entry.existing.type ~= "directory" then
    return "kind", "it is no directory"
  elseif same.directory(verify.root, entry, verify.opts) then
    return "same"
  end
  local differences, listed = compare(verify, entry)
  if verify.opts.extra then
    add_extra(verify, entry, listed, differences)
  end
  if #differences == 0 then
    return "same" -- times, modes or the order of the archive differ
  end
  table.sort(differences, by_path)
  for _, one in ipairs(differences) do
    one.path = plan.path(verify.dir, one.path)
  end
  return "changed", ("%d of its files differ"):format(#differences), differences
end

local function status_of(verify, entry)
  local found, err = verify.root:look(entry.title)
  if err then
    errors.raise(err)
  elseif not found then
    return "missing"
  end
  entry.existing = found
  if entry.unpack then
    return directory_status(verify, entry)
  elseif found.type ~= "file" then
    return "kind", "it is no regular file"
  elseif not same.file(verify.root, entry) then
    return "changed", found.size == entry.descriptor.size and "its digest is another"
      or ("it has %d bytes, not %d"):format(found.size, entry.descriptor.size)
  end
  return "same"
end

-- What is in the directory and not of the artifact.
local function extra_of(verify, entries)
  local ours, extra = {}, {}
  for _, entry in ipairs(entries) do
    ours[entry.title] = true
  end
  local function walk(path)
    for _, name in ipairs(errors.check(verify.root:list(path))) do
      local below = path == "." and name or path .. "/" .. name
      local seen = not ours[below] and errors.check(verify.root:look(below))
      if seen and seen.type == "directory" then
        walk(below)
      elseif seen then
        extra[#extra + 1] = plan.path(verify.dir, below)
      end
    end
  end
  walk "."
  table.sort(extra)
  return extra
end

--- Compare the files in a directory with an artifact, as pull would write them there: by size and
--- digest. A directory that was unpacked is compared by the digest of its content and, where that is
--- another (times, modes), file by file with the layer, which is fetched for it. Nothing is written.
---
--- `opts`: `extra` (list what is there and not of the artifact), and of pull `only`, `rename`,
--- `untitled`, `name`, `filter`, `allowed_media_type`, `unpack`, `platform`, `config`,
--- `include_subject`, `portable`, `concurrency`.
---@param ref string|oras.Container
---@param dir string
---@param opts? table
---@return oras.Verified[] result in the manifest's order; `result.ok` says whether all are the same,
--- `result.extra` lists paths, `result.skipped` what was not looked at
---@return table descriptor of the manifest
---@raise oras.Error not_found, content, io, path, integrity, ...
function Registry:verify(ref, dir, opts)
  local container = self:get_container(ref)
  opts = pull_options.check(opts, "verify")
  local root <close> = expect_directory(dir)
  local manifests, descriptor = manifests_of(self, container, opts)
  local planned = plan.new(self, container, manifests, opts)
  local verify = { registry = self, root = root, dir = dir, opts = opts }
  local result = task.map(planned.entries, function(entry)
    entry.path = plan.path(dir, entry.title)
    local status, reason, files = status_of(verify, entry)
    return {
      path = entry.path, descriptor = entry.descriptor, unpacked = entry.unpack, status = status, reason = reason,
      files = files, title = entry.title,
    }
  end, { concurrency = opts.concurrency or self._settings.concurrency })
  result.skipped = planned.skipped
  result.extra = opts.extra and extra_of(verify, planned.entries) or {}
  result.ok = #result.extra == 0
  for _, one in ipairs(result) do
    result.ok = result.ok and one.status == "same"
  end
  return result, descriptor
end
