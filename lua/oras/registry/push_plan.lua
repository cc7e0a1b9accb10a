--- What push is going to store, decided and checked before the first byte moves: the options,
--- the layers, the config, times and the subject.
local core = require "oras.core"
local defaults = require "oras.defaults"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"
local files = require "oras.registry.files"
local oci = require "oras.oci"
local options = require "oras.options"
local time = require "oras.time"

local plan = {}

-- The options of push, and of attach.
plan.OPTIONS = {
  algorithm = "string",
  annotation_file = "string",
  annotations = "table",
  artifact_type = "string",
  compression = "string",
  concurrency = "integer",
  config = "string|table",
  created = "boolean|integer|string",
  disable_path_validation = "boolean",
  image_spec = "string",
  platform = "string|table",
  preserve_permissions = "boolean",
  subject = "string|table",
  tags = "table",
  untagged = "boolean",
}

local IMAGE_SPECS <const> = { ["v1.0"] = true, ["v1.1"] = true }

local COMPRESSIONS <const> = { gzip = true, none = true, zstd = true }

local CREATED <const> = defaults.annotation_created

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
  local created_at = annotations[CREATED]
  if created_at and not time.seconds(created_at) then
    errors.usage('push: created is a time like "2024-02-29T12:00:00Z", not %q', created_at)
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

-- In 1.0 there is no artifactType, and no subject; the type of an artifact is that of its config.
local function check_image_spec(opts)
  local spec = opts.image_spec
  if spec and not IMAGE_SPECS[spec] then
    errors.usage('push: image_spec is "v1.0" or "v1.1", not %q', spec)
  elseif spec ~= "v1.0" then
    return
  elseif opts.artifact_type and (opts.config or opts.platform) then
    errors.usage "push: artifact_type and config exclude each other in image-spec v1.0, where the type is the config's"
  elseif opts.subject then
    errors.usage "push: there is no subject in image-spec v1.0"
  end
end

local function check(container, opts)
  options.check(opts, plan.OPTIONS, "push")
  if container.digest then
    errors.usage('push: "%s" has a digest, which only follows from what is pushed', container.uri)
  end
  if opts.algorithm and opts.algorithm ~= "sha256" and opts.algorithm ~= "sha512" then
    errors.usage('push: algorithm is "sha256" or "sha512", not %q', opts.algorithm)
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
  check_image_spec(opts)
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

local function typed_config(media_type)
  return { name = "config", data = "{}", media_type = media_type, annotations = {} }
end

local function config_item(opts, annotations)
  local item = opts.config and files.config(opts.config) or opts.platform and platform_config(opts.platform)
    or opts.image_spec == "v1.0" and typed_config(opts.artifact_type or defaults.unknown_config_media_type)
  for key, value in pairs(item and annotations or {}) do
    item.annotations[key] = value
  end
  return item or nil
end

-- The descriptor of what is pushed about.
local function subject_of(registry, container, subject)
  if subject == nil then
    return nil
  elseif type(subject) == "string" or require("oras.container").is_container(subject) then
    local place = registry:get_container(subject)
    if place:place() ~= container:place() then
      errors.usage('push: the subject "%s" is not in %s', place.uri, container:place())
    end
    return registry:resolve(place)
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

-- What stands for the type of the artifact; in a config it does not stand twice.
local function artifact_type_of(opts, config)
  if opts.image_spec == "v1.0" then
    return nil
  elseif opts.artifact_type then
    return opts.artifact_type
  elseif not config or opts.platform then
    return defaults.unknown_artifact_type
  elseif config.media_type == oci.media_types.empty then
    errors.usage "push: an empty config says no type: artifact_type does"
  end
end

---@class oras.PushPlan
---@field items oras.Item[] the layers
---@field config? oras.Item
---@field config_annotations? table<string, string> of a config that is none, too
---@field annotations table<string, string>
---@field artifact_type? string
---@field algorithm? string of all digests
---@field compression string
---@field mtime? integer of what is packed
---@field subject? table descriptor

--- What there is to push, all of it checked.
---@param registry oras.Registry
---@param container oras.Container
---@param list (string|table)[]
---@param opts table of push
---@return oras.PushPlan
---@raise oras.Error usage, path, io, content, ...
function plan.new(registry, container, list, opts)
  check(container, opts)
  local read = opts.annotation_file
    and require("oras.registry.annotation_file").read(opts.annotation_file) or { files = {} }
  local annotations = options.copied(opts.annotations or read.manifest or {})
  local compression = opts.compression or "gzip"
  local items = files.items(list, {
    annotations = read.files, compression = compression,
    disable_path_validation = opts.disable_path_validation, preserve_permissions = opts.preserve_permissions,
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
    config_annotations = read.config,
    annotations = annotations,
    artifact_type = artifact_type_of(opts, config),
    algorithm = opts.algorithm,
    compression = compression,
    mtime = source_date(),
    subject = subject_of(registry, container, opts.subject),
  }
end

return plan
