--- Registry:copy: a manifest and all it is made of, from one place to another.
local core = require "oras.core"
local errors = require "oras.error"
local options = require "oras.options"
local progress = require "oras.registry.progress"
local root = require "oras.registry.copy_root"
local walk = require "oras.registry.copy_walk"

local Registry = require "oras.registry"

local COPY <const> = {
  concurrency = "integer",
  dry_run = "boolean",
  filter = "function|table",
  force = "boolean",
  from = "table",
  mount = "boolean",
  platforms = "string|table",
  recursive = "boolean",
  shallow = "boolean",
  tags = "table",
  to = "table",
  untagged = "boolean",
}

---@class oras.CopyOptions
---@field from? oras.Registry serves the source; self by default
---@field to? oras.Registry serves the target; self by default
---@field platforms? string|table one copies that platform's manifest, several ("linux/*" is that, too)
--- an index of these
---@field filter? function|table which entries of an index ("entry") and which referrers ("referrer"):
--- `fun(descriptor, kind): boolean`, or patterns for referrers (registry/copy_filter.lua)
---@field shallow? boolean manifests without their blobs, for a target that has them or can do without;
--- a later copy that is to bring them takes `force`
---@field recursive? boolean with the referrers of every manifest, and theirs
---@field force? boolean do not trust that a manifest which the target has is complete there
---@field mount? boolean false: never mount blobs from the source's repository
---@field concurrency? integer blobs and manifests at the same time; 8
---@field dry_run? boolean change nothing; `stats.plan` says what would move
---@field tags? string[] more names for the target
---@field untagged? boolean store it by its digest alone, under no name

---@class oras.CopyStats
---@field blobs { copied: integer, mounted: integer, skipped: integer }
---@field manifests integer that were put
---@field bytes integer of the blobs and manifests that were sent
---@field plan? { action: string, descriptor: table }[] "copied", "mounted", "skipped"

--- The descriptor of what a reference names, by one HEAD, or nil when nothing is there: the step
--- by which copy asks whether a manifest is at the target.
---@param container oras.Container
---@return table? descriptor
---@raise oras.Error auth, network, ...
function Registry:find_manifest(container)
  local media_type, digest, size = self:_backend(container).head_manifest(self, container)
  if not media_type and container.kind == "layout" and container.digest then -- a part of another, not listed
    return self:blob_exists(container, container.digest) and { digest = container.digest } or nil
  elseif not media_type or not (digest or container.digest) then
    return nil
  end
  return { mediaType = media_type, digest = container.digest or digest, size = size }
end

-- Names that the target is to have; none when it is stored by digest.
local function tags_of(copy)
  local to, opts = copy.to, copy.opts
  local tags = { not opts.untagged and not to.digest and to.tag or nil }
  for _, tag in ipairs(opts.tags or {}) do
    to:with_tag(tag) -- raises for what is none
    tags[#tags + 1] = tag
  end
  return tags
end

local function check_digest(copy, doc)
  local wanted = copy.to.digest
  if wanted and core.digest.of(doc:raw(), wanted:match "^[^:]+") ~= wanted then
    errors.usage("copy: %s is %s, which cannot be stored as %s",
      copy.from.uri, doc:descriptor().digest, copy.to.uri)
  end
end

-- Names that do not stand for the manifest yet, and what the first of them stands for.
local function missing(copy, tags, digest, first)
  local list = {}
  for i, tag in ipairs(tags) do
    local found = first
    if i > 1 then
      found = copy:at_target(copy.to:with_tag(tag))
    end
    if copy.opts.force or not found or found.digest ~= digest then
      list[#list + 1] = tag
    end
  end
  return list
end

local function perform(copy)
  local tags = tags_of(copy)
  local doc, first = require("oras.task").gather(function()
    return walk.at_source(root.get, copy.source, copy.from, copy.opts.platforms, copy.filter)
  end, function()
    return tags[1] and copy:at_target(copy.to:with_tag(tags[1])) or nil
  end)
  check_digest(copy, doc)
  local d = doc:descriptor()
  d.digest = copy.to.digest or d.digest
  local names = missing(copy, tags, d.digest, first)
  local there = not copy.opts.force
    and (#names < #tags or copy:at_target(copy.to:with_digest(d.digest)) ~= nil)
  copy:run(doc, d, there, first and "present" or nil)
  copy:put_root(names, copy.opts.force or not there or (#tags == 0 and copy.to.kind == "layout")) -- to be listed
  return d, copy.stats
end

local function check_options(opts)
  options.check(opts, COPY, "copy")
  for _, side in ipairs { "from", "to" } do
    local object = opts[side]
    if object and not (type(object.is_a) == "function" and object:is_a(Registry)) then
      errors.usage("copy: option %q is an object of Registry or of a class made from it", side)
    end
  end
  if opts.concurrency and opts.concurrency < 1 then
    errors.usage("copy: concurrency is at least 1, not %d", opts.concurrency)
  end
  root.check_platforms(opts.platforms, "copy")
  options.texts(opts.tags, "copy: tags")
end

-- One token for the target from its first question on, with the right to push.
local function begin(target, to)
  local backend = target:_backend(to)
  if backend.begin_push then
    backend.begin_push(target, to)
  end
end

local function new_copy(self, src, dst, opts)
  local source, target = opts.from or self, opts.to or self
  local from, to = source:get_container(src), target:get_container(dst)
  if not opts.dry_run then
    begin(target, to)
  end
  local mounts = opts.mount ~= false and require("oras.registry.identity").is_same(source, from, target, to)
  return walk.new {
    source = source, target = target, from = from, to = to, opts = opts,
    filter = require("oras.registry.copy_filter").of(opts.filter),
    progress = progress.operation(self),
    plan = opts.dry_run and {} or nil,
    mount_from = mounts and from.api_prefix ~= to.api_prefix and ("%s/%s"):format(to.registry, from.api_prefix) or nil,
    referrers = opts.recursive and require("oras.registry.referrers").new(source, from) or nil,
  }
end

--- Copy a manifest or index and all it is made of. Bytes stay as they are; what the target has is
--- not sent again; within one registry blobs are mounted, if both sides show the same credentials;
--- the name comes last.
---@param src string|oras.Container
---@param dst string|oras.Container
---@param opts? oras.CopyOptions
---@return table descriptor
---@return oras.CopyStats stats
---@raise oras.Error not_found, auth, denied, integrity, limit, ...; `origin` is "source" or "destination"
function Registry:copy(src, dst, opts)
  opts = opts or {}
  check_options(opts)
  local copy = new_copy(self, src, dst, opts)
  if opts.dry_run then
    return perform(copy)
  end
  local _ <close>, to = copy.target:_batch(copy.to)
  copy.to = to
  return perform(copy)
end
