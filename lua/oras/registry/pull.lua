--- Registry:pull: the layers of a manifest become files, each complete or absent.
local core = require "oras.core"
local defaults = require "oras.defaults"
local errors = require "oras.error"
local manifest = require "oras.manifest"
local options = require "oras.options"
local plan = require "oras.registry.pull_plan"
local progress = require "oras.registry.progress"
local task = require "oras.task"

local Registry = require "oras.registry"

local PULL <const> = {
  allowed_media_type = "string|table",
  concurrency = "integer",
  config = "string",
  dry_run = "boolean",
  durable = "boolean",
  filter = "function",
  include_subject = "boolean",
  keep_old_files = "boolean",
  limits = "table",
  links = "boolean",
  name = "function",
  only = "string|table",
  outdir = "string",
  overwrite = "boolean",
  platform = "string|table",
  portable = "boolean",
  preserve_permissions = "boolean",
  rename = "table",
  unpack = "boolean|string",
  untitled = "boolean",
}

local LIMITS <const> = {
  max_bytes = "integer", max_depth = "integer", max_entries = "integer", max_ratio = "integer",
}

local function check(given)
  local opts = options.copied(options.check(given, PULL, "pull"))
  options.check(opts.limits, LIMITS, "pull: limits")
  if type(opts.unpack) == "string" and opts.unpack ~= "all" then
    errors.usage('pull: unpack is true, false or "all", not %q', opts.unpack)
  end
  if opts.keep_old_files and opts.overwrite then
    errors.usage "pull: overwrite and keep_old_files exclude each other"
  end
  if opts.concurrency and opts.concurrency < 1 then
    errors.usage("pull: concurrency is at least 1, not %d", opts.concurrency)
  end
  if opts.outdir == "" then
    errors.usage "pull: outdir is a directory, not empty"
  end
  opts.outdir = opts.outdir or "."
  opts.allowed = plan.allowed_types(opts.allowed_media_type)
  opts.only, opts.rename = plan.only(opts.only), plan.rename(opts.rename)
  if opts.config then
    opts.config_path, opts.config_type = require("oras.registry.files").split(opts.config)
  end
  return opts
end

-- The platforms of an index, to choose from.
local function choices(index)
  local platform = require "oras.platform"
  local names = {}
  for _, entry in ipairs(index.manifests) do
    local p = entry.platform
    if type(p) == "table" and type(p.os) == "string" and type(p.architecture) == "string" and p.os ~= "unknown" then
      names[#names + 1] = platform.format(p, true)
    end
  end
  return #names > 0 and table.concat(names, ", ") or "none"
end

local function expect_layers(container, doc)
  if manifest.is_index(doc) then
    errors.raise {
      class = "content",
      message = ('"%s" is an index; say which platform, of: %s'):format(container.uri, choices(doc)),
    }
  elseif type(doc) ~= "table" or type(doc.layers) ~= "table" then
    errors.raise { class = "content", message = ('"%s" is no manifest with layers'):format(container.uri) }
  end
  return doc
end

-- The manifest and, if asked for, what it is about, and what that is about.
local function manifests_of(self, container, opts)
  local doc = self:get_manifest(container, { platform = opts.platform })
  local found = { { container = container, doc = expect_layers(container, doc) } }
  local seen = { [doc:descriptor().digest] = true }
  while opts.include_subject and doc.subject and not seen[doc.subject.digest] do
    if #found > self._limits.index_depth then
      errors.raise {
        class = "limit",
        message = ("%s: subjects are nested more than %d deep"):format(container.uri, self._limits.index_depth),
      }
    end
    seen[doc.subject.digest] = true
    local place = container:with_digest(doc.subject.digest)
    doc = self:get_manifest(place, {})
    found[#found + 1] = { container = place, doc = expect_layers(place, doc) }
  end
  return found
end

local function is_same_file(root, entry)
  local wanted = entry.descriptor
  return entry.existing.size == wanted.size
    and root:digest(entry.title, wanted.digest:match "^[^:]+") == wanted.digest
end

-- Packed as push packs it a directory has the tar that the layer says it has, or it is fetched:
-- one file more, another mode, a file that cannot be read. Where no links may be, none are
-- looked for here. The path was looked at for links; it must still be without.
local function is_same_directory(root, entry, opts)
  local annotations, limits = entry.descriptor.annotations, opts.limits
  local wanted = type(annotations) == "table" and annotations[defaults.annotation_digest]
  if type(wanted) ~= "string" or not entry.prefix or opts.links == false then
    return false
  end
  local tar <close> = core.archive.pack {
    path = entry.path, prefix = entry.prefix, compression = "none", mtime = 0,
    max_entries = limits and limits.max_entries,
  }
  if not tar or tar:hash() ~= wanted then
    return false
  end
  local found = root:look(entry.title)
  return found ~= nil and found.type == "directory"
end

local function is_same(pull, entry)
  if not entry.existing then
    return false
  elseif entry.unpack then
    return is_same_directory(pull.root, entry, pull.opts)
  end
  return is_same_file(pull.root, entry)
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
        descriptor = entry.descriptor, title = entry.title, path = entry.path, reason = entry.reason,
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

--- Bring the layers of a manifest into files named by their titles, below a directory. Names
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
  opts = check(opts)
  local manifests = manifests_of(self, container, opts)
  local planned = plan.new(self, manifests, opts)
  if opts.dry_run then
    return foretold(planned, opts.outdir), manifests[1].doc:descriptor()
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
  return report(planned), manifests[1].doc:descriptor()
end
