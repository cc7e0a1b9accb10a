--- Registry:push: files, directories, bytes and readers become the layers of one manifest.
---
--- Everything is looked at first; then blobs go up side by side, and the manifest, which makes
--- them an artifact, last.
local core = require "oras.core"
local defaults = require "oras.defaults"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"
local files = require "oras.registry.files"
local oci = require "oras.oci"
local options = require "oras.options"
local progress = require "oras.registry.progress"
local task = require "oras.task"

local Registry = require "oras.registry"

local PUSH <const> = {
  annotation_file = "string",
  annotations = "table",
  artifact_type = "string",
  compression = "string",
  concurrency = "integer",
  config = "string|table",
  created = "boolean|integer|string",
  disable_path_validation = "boolean",
  platform = "string|table",
  subject = "string|table",
  tags = "table",
  untagged = "boolean",
}

local COMPRESSIONS <const> = { gzip = true, none = true, zstd = true }

local CREATED <const> = defaults.annotation_created

local RFC3339 <const> = "^%d%d%d%d%-%d%d%-%d%d[Tt]%d%d:%d%d:%d%d"

local function is_time(text)
  local zone = text:match(RFC3339 .. "%.?%d*(.+)$")
  return zone ~= nil and (zone:find "^[Zz]$" or zone:find "^[+-]%d%d:%d%d$") ~= nil
end

-- Seconds that the environment gives for all that would be "now" (reproducible-builds.org).
local function source_date()
  local text = os.getenv "SOURCE_DATE_EPOCH"
  if not text or text == "" then
    return nil
  end
  local seconds = text:find "^%d+$" and math.tointeger(tonumber(text))
  return seconds or errors.usage("SOURCE_DATE_EPOCH is a number of seconds, not %q", text)
end

local YEAR_10000 <const> = 253402300800

local function format_time(seconds)
  if seconds < 0 or seconds >= YEAR_10000 then
    errors.usage("push: created: %d seconds are no time before the year 10000", seconds)
  end
  return os.date("!%Y-%m-%dT%H:%M:%SZ", seconds)
end

local function time_of(created)
  if created == nil then
    created = source_date()
  elseif created == true then
    created = source_date() or os.time()
  end
  if math.type(created) == "integer" then
    return format_time(created)
  end
  return created or nil
end

local function add_created(annotations, created)
  if annotations[CREATED] == nil then
    annotations[CREATED] = time_of(created)
  end
  local time = annotations[CREATED]
  if time and not is_time(time) then
    errors.usage('push: created is a time like "2024-02-29T12:00:00Z", not %q', time)
  end
end

local function check_tags(container, tags)
  local n = 0
  for key, tag in pairs(tags or {}) do
    n = n + 1
    if math.type(key) ~= "integer" or type(tag) ~= "string" then
      errors.usage "push: tags are a list of names"
    end
    container:with_tag(tag)
  end
  if n ~= #(tags or {}) then
    errors.usage "push: tags are a list of names"
  end
end

local function check(container, opts)
  options.check(opts, PUSH, "push")
  if container.digest then
    errors.usage('push: "%s" has a digest, which only follows from what is pushed', container.uri)
  end
  if opts.compression and not COMPRESSIONS[opts.compression] then
    errors.usage('push: compression is "gzip", "zstd" or "none", not %q', opts.compression)
  end
  if opts.concurrency and opts.concurrency < 1 then
    errors.usage("push: concurrency is at least 1, not %d", opts.concurrency)
  end
  if opts.annotations and opts.annotation_file then
    errors.usage "push: annotations and annotation_file exclude each other"
  end
  if opts.platform and opts.config then
    errors.usage "push: platform and config exclude each other: the platform stands in a config"
  end
  if opts.artifact_type then
    files.check_type(opts.artifact_type, "push: artifact_type")
  end
  files.check_annotations(opts.annotations or {}, "push")
  check_tags(container, opts.tags)
end

-- What the config says of a platform; a variant that is implied is not made explicit.
local function platform_config(given)
  local platform = require "oras.platform"
  local p = platform.parse(given)
  local variant = type(given) == "table" and given.variant
    or type(given) == "string" and given:match "^[^/]*/[^/]*/(.+)$"
  local config = {
    architecture = p.architecture, os = p.os, variant = variant or nil, ["os.version"] = p.os_version,
  }
  if p.os_features then
    config["os.features"] = core.json.array(options.copied(p.os_features))
  end
  return {
    name = "platform", data = errors.check(core.json.encode(config)), media_type = oci.media_types.config,
    annotations = {},
  }
end

local function config_item(opts, annotations)
  local item = opts.config and files.config(opts.config) or opts.platform and platform_config(opts.platform)
  for key, value in pairs(item and annotations or {}) do
    item.annotations[key] = value
  end
  return item or nil
end

-- The descriptor of what is pushed about.
local function subject_of(self, container, subject)
  if subject == nil then
    return nil
  elseif type(subject) == "string" or require("oras.container").is_container(subject) then
    local place = self:get_container(subject)
    if place:place() ~= container:place() then
      errors.usage('push: the subject "%s" is not in %s', place.uri, container:place())
    end
    return self:resolve(place)
  elseif require("oras.manifest").is_manifest(subject) then
    return subject:descriptor()
  end
  local ok, err = errors.try(descriptor.check, subject, "subject:")
  if err and not ok then
    errors.usage("push: %s", err.message)
  end
  return { mediaType = subject.mediaType, digest = subject.digest, size = subject.size }
end

local function note_unknown(annotations, items, path)
  local names = {}
  for _, item in ipairs(items) do
    names[item.name] = true
  end
  for name in pairs(annotations.files) do
    if not names[name] then
      core.log.write("warn", ('annotation file "%s": no file "%s" is pushed'):format(path, name))
    end
  end
end

-- What there is to do, all of it checked.
local function plan(self, container, list, opts)
  local read = opts.annotation_file
    and require("oras.registry.annotation_file").read(opts.annotation_file) or { files = {} }
  local annotations = options.copied(opts.annotations or read.manifest or {})
  local compression = opts.compression or "gzip"
  local items = files.items(list, {
    annotations = read.files, compression = compression,
    disable_path_validation = opts.disable_path_validation,
  })
  local config = config_item(opts, read.config)
  if #items == 0 and not (config or opts.artifact_type or opts.subject or next(annotations)) then
    errors.usage "push: nothing to push: no file, and neither artifact_type nor config nor annotations"
  end
  if opts.annotation_file then
    note_unknown(read, items, opts.annotation_file)
  end
  add_created(annotations, opts.created)
  return {
    items = items,
    config = config,
    annotations = annotations,
    artifact_type = opts.artifact_type or (not config or opts.platform) and defaults.unknown_artifact_type or nil,
    compression = compression,
    mtime = source_date(),
    subject = subject_of(self, container, opts.subject),
  }
end

-- Does the tag exist? Then most blobs do, and they are asked for before they are sent. Who may
-- push but not pull is not told.
local UNTOLD <const> = { auth = true, denied = true, not_found = true }

local function is_there(self, container, opts)
  local backend = self:_backend(container)
  if backend.begin_push then
    backend.begin_push(self, container)
  end
  if opts.untagged then
    return false
  end
  local found, err = errors.try(backend.head_manifest, self, container)
  if err and not found and not UNTOLD[err.class] then
    errors.raise(err)
  end
  return found ~= nil
end

local function described(item, digest, size)
  return {
    mediaType = item.media_type, digest = digest, size = size,
    annotations = next(item.annotations) and item.annotations or nil,
  }
end

-- So many blobs make it worth a request to learn whether the registry tells what is there.
local MANY <const> = 16

-- The same content under two titles goes up once.
local function send_once(push, item, source, wanted)
  local report <close> = push.progress:of {
    phase = "upload", digest = wanted.digest, title = item.title, total = wanted.size,
  }
  if push.sent[wanted.digest] then
    return wanted
  end
  push.sent[wanted.digest] = true
  push.registry:upload_blob(push.container, source, wanted, {
    expect = push.expect, progress = report, prove_mount = push.progress:left() > MANY, title = item.title,
  })
  return wanted
end

local function hashed(push, item, source)
  local _ <close> = push.registry:_progress { phase = "hash", title = item.title, total = source:size() }
  local digest, size = source:hash()
  errors.check(digest, size)
  return digest, size
end

-- What has no digest before it was sent.
local function send_unknown(push, item, source, wanted, phase)
  local report <close> = push.progress:of {
    phase = phase, digest = wanted.digest, title = item.title, total = wanted.size or item.size,
  }
  local sent = push.registry:upload_blob(push.container, source, wanted, {
    expect = push.expect, progress = report, title = item.title,
  })
  if type(sent) ~= "table" or type(sent.digest) ~= "string" then
    errors.usage("upload_blob gives a descriptor, not a %s", type(sent))
  end
  if report then
    report.digest, report.total = sent.digest, sent.size
  end
  return sent
end

-- By what an item is: each sends it and gives its descriptor.
local senders = {}

--- Bytes at hand.
function senders.data(push, item)
  return send_once(push, item, { data = item.data }, described(item, core.digest.of(item.data), #item.data))
end

--- A file, hashed before it is sent.
function senders.file(push, item)
  local source <close> = errors.check(core.source.file(item.path))
  return send_once(push, item, { path = item.path, source = source }, described(item, hashed(push, item, source)))
end

--- A directory, packed while it is sent; where it is probably there already, packed and hashed
--- before.
function senders.directory(push, item)
  local annotations = item.annotations
  local source <close> = errors.check(core.archive.pack {
    path = item.path, prefix = item.title or "", compression = push.plan.compression, mtime = push.plan.mtime,
  })
  local wanted = described(item)
  if push.expect then
    wanted.digest, wanted.size = hashed(push, item, source)
  end
  local sent = send_unknown(push, item, { path = item.path, source = source }, wanted, "pack")
  annotations[defaults.annotation_unpack] = annotations[defaults.annotation_unpack] or "true"
  annotations[defaults.annotation_digest] = annotations[defaults.annotation_digest] or source:content()
  return described(item, sent.digest, sent.size)
end

--- What a function gives.
function senders.reader(push, item)
  local source = { reader = item.reader, size = item.size }
  local sent = send_unknown(push, item, source, described(item), "upload")
  return described(item, sent.digest, sent.size)
end

local function send(push, item)
  local kind = item.data and "data" or item.reader and "reader" or item.directory and "directory" or "file"
  return senders[kind](push, item)
end

local EMPTY <const> = { name = "empty", data = "{}", media_type = oci.media_types.empty, annotations = {} }

-- Everything up; gives the descriptors of the layers and of the config.
local function send_all(push, concurrency)
  local jobs = table.move(push.plan.items, 1, #push.plan.items, 1, {})
  local layers, config = #jobs, push.plan.config
  if config then
    jobs[#jobs + 1] = config
  end
  if layers == 0 or not config then
    jobs[#jobs + 1] = EMPTY
  end
  for _ = 1, #jobs do
    push.progress:expect()
  end
  local sent = task.map(jobs, function(item)
    return send(push, item)
  end, { concurrency = concurrency })
  local described_layers = table.move(sent, 1, layers, 1, core.json.array {})
  if layers == 0 then
    described_layers[1] = oci.empty_descriptor()
  end
  return described_layers, config and sent[layers + 1] or oci.empty_descriptor()
end

--- Store files as an artifact: each is a layer, by its title; a directory is packed.
---
--- `files`: a list of "path[:media/type]" or of tables with one of `path`, `data` (bytes) and
--- `reader` (a function that gives pieces, with `size` where it is known), and `title`,
--- `media_type`, `annotations`. The title of a path is the path relative to the working
--- directory; what is outside of it needs `disable_path_validation`.
---
--- `opts`: `artifact_type`, `config` (as a file), `annotations` (of the manifest) or
--- `annotation_file` (oras's JSON), `subject` (reference, descriptor or manifest), `platform`,
--- `created` (true, seconds or a time; by default only what SOURCE_DATE_EPOCH says, so that the
--- same push has the same digest), `tags` (more names), `untagged` (stored by its digest
--- alone), `compression` of directories ("gzip", "zstd", "none"), `concurrency` (the registry's,
--- or 8), `disable_path_validation`.
---@param ref string|oras.Container
---@param list (string|table)[]
---@param opts? table
---@return table descriptor of the manifest
---@return oras.Manifest
---@raise oras.Error usage, path, io, content, auth, denied, ...
function Registry:push(ref, list, opts)
  opts = opts or {}
  local container = self:get_container(ref)
  check(container, opts)
  local planned = plan(self, container, list, opts)
  local _ <close>, place = self:_batch(container)
  local push = {
    registry = self, container = place, plan = planned, sent = {}, progress = progress.operation(self),
    expect = is_there(self, container, opts) and "present" or nil,
  }
  local layers, config = send_all(push, opts.concurrency or self._settings.concurrency)
  local manifest, bytes = self:pack_manifest {
    artifact_type = planned.artifact_type, config = config, layers = layers,
    subject = planned.subject, annotations = next(planned.annotations) and planned.annotations or nil,
  }
  local target = opts.untagged and place:with_digest(core.digest.of(bytes)) or place
  local stored = self:upload_manifest(target, bytes, {
    media_type = oci.media_types.manifest, tags = opts.tags,
  })
  return stored, manifest
end
