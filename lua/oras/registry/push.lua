--- Registry:push: files, directories, bytes and readers become the layers of one manifest.
---
--- Everything is looked at first (push_plan.lua); then blobs go up side by side, and the
--- manifest, which makes them an artifact, last.
local core = require "oras.core"
local defaults = require "oras.defaults"
local errors = require "oras.error"
local oci = require "oras.oci"
local plan = require "oras.registry.push_plan"
local progress = require "oras.registry.progress"
local task = require "oras.task"

local Registry = require "oras.registry"

-- Does the tag exist? Then most blobs do, and they are asked for before they are sent. Who may
-- push but not pull is not told; "absent" is only what was told.
local UNTOLD <const> = { auth = true, denied = true, not_found = true }

local function expectation(self, container, opts)
  local backend = self:_backend(container)
  if backend.begin_push then
    backend.begin_push(self, container)
  end
  if opts.untagged then
    return nil
  end
  local found, err = errors.try(backend.head_manifest, self, container)
  if err and not found and not UNTOLD[err.class] then
    errors.raise(err)
  end
  return found and "present" or (not err or err.class == "not_found") and "absent" or nil
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
  local digest, size = source:hash(push.plan.algorithm)
  errors.check(digest, size)
  return digest, size
end

-- What has no digest before it was sent.
local function send_unknown(push, item, source, wanted, phase)
  local report <close> = push.progress:of {
    phase = phase, digest = wanted.digest, title = item.title, total = wanted.size or item.size,
  }
  local sent = push.registry:upload_blob(push.container, source, wanted, {
    algorithm = push.plan.algorithm, expect = push.expect, progress = report, title = item.title,
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
  local digest = core.digest.of(item.data, push.plan.algorithm)
  return send_once(push, item, { data = item.data }, described(item, digest, #item.data))
end

--- A file, hashed before it is sent, or meanwhile.
function senders.file(push, item)
  local source <close> = errors.check(core.source.file(item.path))
  local given = { path = item.path, source = source }
  if push.expect == "absent" and (source:size() or 0) >= require("oras.registry.sources").LARGE then
    local sent = send_unknown(push, item, given, described(item, nil, source:size()), "upload")
    return described(item, sent.digest, sent.size)
  end
  return send_once(push, item, given, described(item, hashed(push, item, source)))
end

--- A directory, packed while it is sent; where it is probably there already, packed and hashed
--- before.
function senders.directory(push, item)
  local annotations = item.annotations
  local source <close> = errors.check(core.archive.pack {
    path = item.path, prefix = item.title or "", compression = push.plan.compression, mtime = push.plan.mtime,
  })
  local wanted = described(item)
  if push.expect == "present" or (push.plan.algorithm or "sha256") ~= "sha256" then
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

-- What stands in place of a config, with the annotations that a file has for it.
local function empty_config(push)
  local empty, annotations = oci.empty_descriptor(push.plan.algorithm), push.plan.config_annotations
  empty.annotations = annotations and next(annotations) and annotations or nil
  return empty
end

-- Everything up; gives the descriptors of the layers and of the config.
local function send_all(push, concurrency)
  local jobs = table.move(push.plan.items, 1, #push.plan.items, 1, {})
  local layers, config = #jobs, push.plan.config
  if config then
    jobs[#jobs + 1] = config
  end
  local is_old = push.image_spec == "v1.0" -- there is always a config then, and nothing in place of layers
  if not is_old and (layers == 0 or not config) then
    jobs[#jobs + 1] = EMPTY
  end
  for _ = 1, #jobs do
    push.progress:expect()
  end
  local sent = task.map(jobs, function(item)
    return send(push, item)
  end, { concurrency = concurrency })
  local described_layers = table.move(sent, 1, layers, 1, core.json.array {})
  if layers == 0 and not is_old then
    described_layers[1] = oci.empty_descriptor(push.plan.algorithm)
  end
  return described_layers, config and sent[layers + 1] or empty_config(push)
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
--- alone), `image_spec` ("v1.0": the artifact's type is that of its config), `preserve_permissions`
--- (the modes of single files are noted, for pull), `compression` of directories ("gzip", "zstd",
--- "none"), `concurrency` (the registry's, or 8), `disable_path_validation`.
---@param ref string|oras.Container
---@param list (string|table)[]
---@param opts? table
---@return table descriptor of the manifest
---@return oras.Manifest
---@raise oras.Error usage, path, io, content, auth, denied, ...
function Registry:push(ref, list, opts)
  opts = opts or {}
  local container = self:get_container(ref)
  local planned = plan.new(self, container, list, opts)
  local _ <close>, place = self:_batch(container)
  local push = {
    registry = self, container = place, plan = planned, sent = {}, progress = progress.operation(self),
    expect = expectation(self, container, opts), image_spec = opts.image_spec,
  }
  local layers, config = send_all(push, opts.concurrency or self._settings.concurrency)
  local manifest, bytes = self:pack_manifest {
    algorithm = opts.algorithm, artifact_type = planned.artifact_type, config = config,
    image_spec = opts.image_spec, layers = layers,
    subject = planned.subject, annotations = next(planned.annotations) and planned.annotations or nil,
  }
  local target = opts.untagged and place:with_digest(core.digest.of(bytes, opts.algorithm)) or place
  local stored = self:upload_manifest(target, bytes, {
    algorithm = opts.algorithm, media_type = oci.media_types.manifest, tags = opts.tags,
  })
  return stored, manifest
end
