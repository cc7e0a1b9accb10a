--- The options of pull, and of verify, which looks at what pull would write.
local errors = require "oras.error"
local options = require "oras.options"

local pull_options = {}

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

-- What makes sense for files that are there.
local VERIFY <const> = { extra = "boolean" }
for _, name in ipairs {
  "allowed_media_type", "concurrency", "config", "filter", "include_subject", "limits", "links", "name", "only",
  "platform", "portable", "rename", "unpack", "untitled",
} do
  VERIFY[name] = PULL[name]
end

local SPECS <const> = { pull = PULL, verify = VERIFY }

local LIMITS <const> = {
  max_bytes = "integer", max_depth = "integer", max_entries = "integer", max_ratio = "integer",
}

local function text_list(given, what, verb)
  local list = type(given) == "string" and { given } or given or {}
  for key, one in pairs(list) do
    if math.type(key) ~= "integer" or type(one) ~= "string" or one == "" then
      errors.usage("%s: %s is a text or a list of texts", verb, what)
    end
  end
  return list
end

-- What is to be pulled of all there is: globs of names or media types, or digests.
local function only_of(given, verb)
  if given == nil then
    return nil
  end
  local only = {}
  for i, one in ipairs(text_list(given, "only", verb)) do
    only[i] = { given = one }
  end
  return only
end

-- Other names, by the name that something has, or by its digest.
local function rename_of(given, verb)
  if given == nil then
    return nil
  end
  local rename = {}
  for old, new in pairs(given) do
    if type(old) ~= "string" or type(new) ~= "string" then
      errors.usage("%s: rename has new names by old ones", verb)
    end
    rename[old] = { new = new }
  end
  return rename
end

-- The media types that may be pulled, as a set; nil: all.
local function allowed_types(given, verb)
  if given == nil then
    return nil
  end
  local allowed = {}
  for _, media_type in ipairs(options.texts(given, verb .. ": allowed_media_type")) do
    allowed[media_type] = true
  end
  return allowed
end

--- Check the options of a verb, and make of them what the plan takes.
---@param given? table
---@param verb string "pull" or "verify"
---@return table
---@raise oras.Error usage
function pull_options.check(given, verb)
  local opts = options.copied(options.check(given, SPECS[verb], verb))
  options.check(opts.limits, LIMITS, verb .. ": limits")
  if type(opts.unpack) == "string" and opts.unpack ~= "all" then
    errors.usage('%s: unpack is true, false or "all", not %q', verb, opts.unpack)
  end
  if opts.keep_old_files and opts.overwrite then
    errors.usage "pull: overwrite and keep_old_files exclude each other"
  end
  if opts.concurrency and opts.concurrency < 1 then
    errors.usage("%s: concurrency is at least 1, not %d", verb, opts.concurrency)
  end
  if opts.outdir == "" then
    errors.usage "pull: outdir is a directory, not empty"
  end
  opts.outdir = opts.outdir or "."
  opts.allowed = allowed_types(opts.allowed_media_type, verb)
  opts.only, opts.rename = only_of(opts.only, verb), rename_of(opts.rename, verb)
  if opts.config then
    opts.config_path, opts.config_type = require("oras.registry.files").split(opts.config)
  end
  return opts
end

return pull_options
