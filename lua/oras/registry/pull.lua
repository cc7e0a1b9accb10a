--- Registry:pull: the layers of a manifest become files, each complete or absent.
local core = require "oras.core"
local defaults = require "oras.defaults"
local errors = require "oras.error"
local manifests_of = require "oras.registry.pull_manifests"
local options = require "oras.options"
local plan = require "oras.registry.pull_plan"
local progress = require "oras.registry.progress"
local pull_options = require "oras.registry.pull_options"
local same = require "oras.registry.pull_same"
local task = require "oras.task"

local Registry = require "oras.registry"

local function is_same(pull, entry)
  if not entry.existing then
    return false
  elseif entry.unpack then
    return same.directory(pull.root, entry, pull.opts)
  end
  return same.file(pull.root, entry)
end

local function unpack_options(entry, opts)
  if not entry.unpack then
    return nil
  end
  local layer = entry.descriptor
  local how = options.copied(opts.limits or {})
  how.content_digest = layer.annotations and layer.annotations[defaults.annotation_digest]
  how.media_type = layer.mediaType
  how.prefix = entry.prefix
  how.links = opts.links ~= false
  how.any_case = opts.portable == false
  how.exact = opts.preserve_permissions
  return how
end

-- What goes wrong inside of a directory tells of names in the archive: say which directory.
local IN_DIRECTORY <const> = { exists = true, io = true, limit = true, path = true }

local function unpack_blob(pull, entry, how)
  local registry = pull.registry
  local _, err = errors.try(registry.download_blob, registry, entry.container, entry.descriptor, entry.path, how)
  if errors.is_error(err) then
    local where = IN_DIRECTORY[err.class] and ('directory "%s"'):format(entry.path)
    errors.raise(errors.name(err, where, {}))
  end
end

local function download(pull, entry, twin)
  local opts, wanted = pull.opts, entry.descriptor
  local report <close> = pull.progress:of {
    phase = entry.unpack and "extract" or "download", digest = wanted.digest, title = entry.title, total = wanted.size,
  }
  local how = {
    root = pull.root,
    below = entry.title,
    unpack = unpack_options(entry, opts),
    overwrite = opts.overwrite ~= false and not opts.keep_old_files,
    durable = opts.durable,
    mode = entry.mode,
    exact = entry.mode and opts.preserve_permissions or nil,
    twin = twin and twin.path,
    progress = report,
  }
  if entry.unpack then
    return unpack_blob(pull, entry, how)
  end
  pull.registry:download_blob(entry.container, wanted, entry.path, how)
end

-- Which bits the umask takes is not known here; its owner's it leaves.
local function has_mode(entry, opts)
  local bits = opts.preserve_permissions and 511 or 448 -- 0777, 0700
  return not entry.mode or entry.existing.mode & bits == entry.mode & bits
end

-- Entries of one content, one after the other: what was fetched for the first is copied, as is
-- what is there with another mode.
local function fetch(pull, entries)
  local twin
  for _, entry in ipairs(entries) do
    if is_same(pull, entry) then
      twin = entry
      if has_mode(entry, pull.opts) then
        entry.reason = "same content"
        pull.progress:skip(entry.descriptor.size)
      end
    end
  end
  for _, entry in ipairs(entries) do
    if not entry.reason then
      download(pull, entry, twin)
      twin = twin or entry
    end
  end
end

local function by_content(entries)
  local groups, seen = {}, {}
  for _, entry in ipairs(entries) do
    local group = not entry.unpack and seen[entry.descriptor.digest]
    if not group then
      group = {}
      groups[#groups + 1] = group
    end
    group[#group + 1] = entry
    if not entry.unpack then
      seen[entry.descriptor.digest] = group
    end
  end
  return groups
end

-- Results in the manifest's order, and what was not written.
local function report(planned)
  local result = { skipped = planned.skipped }
  for _, entry in ipairs(planned.entries) do
    if entry.reason then
      table.insert(result.skipped, {
        descriptor = entry.descriptor, title = entry.title, path = entry.path, unpacked = entry.unpack,
        reason = entry.reason,
      })
    else
      result[#result + 1] = { path = entry.path, descriptor = entry.descriptor, unpacked = entry.unpack }
    end
  end
  return result
end

-- What would be written.
local function foretold(planned, outdir)
  local result = { skipped = planned.skipped }
  for i, entry in ipairs(planned.entries) do
    result[i] = {
      path = plan.path(outdir, entry.title), descriptor = entry.descriptor, unpacked = entry.unpack,
      container = entry.container,
    }
  end
  return result
end

--- Bring the layers of a manifest into files named by their titles, below a directory; an index
--- needs a platform, but one without platforms gathers artifacts, which all come. Names
--- and what is there already are checked before anything is downloaded; each file appears
--- complete and verified, or not at all. What is there with the same content is not fetched: a
--- file of the layer's digest; a directory that, packed, has the digest that the layer notes of its
--- content, which takes times of 1970 (push's default), modes that the umask left as they were, and
--- nothing else in the directory.
---
--- What has no title is called by what is known of it (a helm chart "NAME-VERSION.tgz", anything
--- else "sha256-HEX" with the ending of its media type) where nothing in the manifest has one.
---
--- `opts`: `outdir` ("."), `overwrite` (true; false leaves what is there), `keep_old_files` (true
--- refuses when something is there), `allowed_media_type` (one or a list), `filter(layer)`,
--- `only` (globs of names or media types, or digests; one or a list), `rename` (new names by old
--- ones, or by digest), `name(layer, title)` (another title; false leaves it out), `untitled` (true:
--- what has no title gets a name beside what has one; false: it never does), `dry_run` (tells what
--- would be written, writes nothing), `preserve_permissions` (modes as they were noted, whatever the
--- umask says, up to 0777), `unpack` (true: what says that it
--- is a packed directory; "all": every packed tar; false), `limits` of unpacking (`max_bytes`,
--- `max_entries`, `max_ratio`, `max_depth`), `links` (false refuses symbolic links in
--- directories; those that lead out of one are refused anyhow), `platform`, `config`
--- ("path[:media/type]" for the manifest's config), `include_subject`, `concurrency` (the
--- registry's, or 8), `durable`, `portable` (false takes titles that mean something else on
--- Windows, "a:b", and those that differ only in case, as names in directories may then, too).
---@param ref string|oras.Container
---@param opts? table
---@return oras.Pulled[] files in the manifest's order; `files.skipped` lists what was not
--- written, with the reason
---@return table descriptor of the manifest
---@raise oras.Error not_found, path, exists, content, integrity, limit, io, ...
function Registry:pull(ref, opts)
  local container = self:get_container(ref)
  opts = pull_options.check(opts, "pull")
  local manifests, descriptor = manifests_of(self, container, opts)
  local planned = plan.new(self, container, manifests, opts)
  if opts.dry_run then
    return foretold(planned, opts.outdir), descriptor
  end
  local root <close> = errors.check(core.file.root(opts.outdir, { create = true }))
  plan.look(planned, root, opts.outdir, opts)
  local pull = { registry = self, root = root, opts = opts, progress = progress.operation(self) }
  for _, entry in ipairs(planned.entries) do
    pull.progress:expect(entry.descriptor.size)
  end
  task.map(by_content(planned.entries), function(entries)
    return fetch(pull, entries)
  end, { concurrency = opts.concurrency or self._settings.concurrency })
  return report(planned), descriptor
end
