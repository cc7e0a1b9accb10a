--- Registry:backup: many manifests, with all they are made of, into one layout.
local errors = require "oras.error"
local many = require "oras.registry.many"
local options = require "oras.options"

local Registry = require "oras.registry"

local BACKUP <const> = {
  concurrency = "integer", dry_run = "boolean", filter = "function|table", force = "boolean",
  platforms = "string|table", referrers = "boolean", select = "function",
}

---@class oras.BackupOptions
---@field referrers? boolean with what refers to them, and what refers to that
---@field platforms? string|table of an index only these, as copy has it; what is none is taken whole
---@field filter? function|table as of copy: which entries and referrers
---@field select? fun(container: oras.Container): boolean which of the tags that are listed
---@field force? boolean do not trust that a manifest which the layout has is complete there
---@field concurrency? integer references at the same time; 8
---@field dry_run? boolean change nothing; each item's `stats.plan` says what would move

---@class oras.BackupItem : oras.Item
---@field name string in the layout
---@field mediaType string
---@field digest string
---@field size integer
---@field done string "copied", or "exists" when the layout has it already
---@field stats? oras.CopyStats

-- Several repositories share a layout by whole references; one has its tags, as oras stores them. A
-- digest is no tag.
local function name_of(item, is_wide)
  local container = item.container
  if container.digest or (is_wide and container.kind == "registry") then
    return container.uri
  end
  return container.tag
end

local function find(self, place)
  local found, err = errors.try(self.find_manifest, self, place)
  if err and err.class ~= "not_found" then
    errors.raise(err)
  end
  return found
end

-- A name that stands for the same manifest on both sides needs no look at its parts: one HEAD tells.
local function is_current(self, to, item, opts)
  if opts.force or opts.referrers or opts.platforms or opts.dry_run then
    return false
  end
  local there = find(self, to)
  local found = there and find(self, item.container)
  if not found or found.digest ~= there.digest then
    return false
  end
  item.mediaType, item.digest, item.size, item.done = found.mediaType, found.digest, found.size, "exists"
  return true
end

local function platforms_for(self, item, opts)
  local is_index = opts.platforms and require("oras.media_types").is_index(self:resolve(item.container).mediaType)
  return is_index and opts.platforms or nil
end

local function copy_one(self, to, item, opts)
  local target = to:with_tag(item.name)
  if is_current(self, target, item, opts) then
    return
  end
  local d, stats = self:copy(item.container, target, {
    concurrency = opts.concurrency, dry_run = opts.dry_run, filter = opts.filter, force = opts.force,
    platforms = platforms_for(self, item, opts), recursive = opts.referrers,
  })
  item.mediaType, item.digest, item.size, item.artifactType = d.mediaType, d.digest, d.size, d.artifactType
  item.stats = stats
  item.done = stats.manifests > 0 and "copied" or "exists"
end

local function check(given)
  local opts = options.check(given, BACKUP, "backup")
  if opts.concurrency and opts.concurrency < 1 then
    errors.usage("backup: concurrency is at least 1, not %d", opts.concurrency)
  end
  require("oras.registry.copy_root").check_platforms(opts.platforms, "backup")
  opts = options.copied(opts)
  opts.filter = require("oras.registry.copy_filter").of(opts.filter)
  return opts
end

-- Each path of a layout that is read is its own place: two would have the same names.
local function check_names(items)
  local seen = {}
  for _, item in ipairs(items) do
    local other = item.name and seen[item.name]
    if other and not item.error then
      errors.usage("backup: %s and %s would both be %q", other, item.reference, item.name)
    elseif item.name then
      seen[item.name] = item.reference
    end
  end
end

local function store(self, target, items, opts)
  local closing, to = nil, target
  if not opts.dry_run then
    closing, to = self:_batch(target, true)
  end
  local _ <close> = closing
  to.shared = many.shared()
  many.run(items, function(item)
    copy_one(self, to, item, opts)
  end, opts.concurrency)
end

--- Store manifests and all they are made of in a layout: a directory, or a tar when the path ends in
--- ".tar". What the layout has is not fetched again, so that a backup that broke off is taken up.
---
--- One repository is stored under its tags, as oras does it; several under whole references
--- ("localhost:5000/a:v1"). What fails does not lose the others, and is raised at the end.
---@param refs string|table a reference or a list: by tag or digest, "host/repo:a,b", "host/repo" (all its
--- tags), "host" or "host/prefix/" (all its repositories)
---@param path string
---@param opts? oras.BackupOptions
---@return oras.BackupItem[]
---@raise oras.Error not_found, auth, integrity, io, ...; `failures` has what failed, `done` what is stored
function Registry:backup(refs, path, opts)
  opts = check(opts)
  local target = many.layout_at(self, path, "backup")
  local items, is_wide = require("oras.registry.backup_refs").expand(self, refs, opts.select)
  for _, item in ipairs(items) do
    item.name = item.container and name_of(item, is_wide)
  end
  check_names(items)
  store(self, target, items, opts)
  return many.finish(items, "backed up")
end
