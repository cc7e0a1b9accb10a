--- What backup and restore print: a line for each reference, and what failed on standard error.
local core = require "oras.core"
local describe = require "oras.cli.describe"
local errors = require "oras.error"
local meter = require "oras.cli.progress"
local report = require "oras.cli.report"

local many = {}

many.FLAGS = {
  {
    "--platform", value = "OS[/ARCH]", kind = "platform", many = true, separator = ",",
    about = "of indexes only these; linux/* is many",
  },
  { "--include-type", value = "GLOB", many = true, about = "referrers of such types only" },
  { "--exclude-type", value = "GLOB", many = true, about = "no referrers of such types" },
  { "--include-annotation", value = "KEY[=GLOB]", many = true, about = "referrers with that annotation only" },
  { "--exclude-annotation", value = "KEY[=GLOB]", many = true, about = "no referrers with that annotation" },
  { "--force", about = "look at all parts, also of manifests that are there" },
  { "--dry-run", about = "change nothing, say what would be done" },
}

--- A command's own flags before those that all of these have.
---@param own oras.Flag[]
---@return oras.Flag[]
function many.flags(own)
  return table.move(many.FLAGS, 1, #many.FLAGS, #own + 1, own)
end

--- The patterns of the flags as a filter of copy; nil without any.
---@param opts table<string, any>
---@return table?
function many.filter(opts)
  local filter = {
    include_types = opts.include_type, exclude_types = opts.exclude_type,
    include_annotations = opts.include_annotation, exclude_annotations = opts.exclude_annotation,
  }
  return next(filter) and filter
end

--- Call a method; each reference that failed has a line on standard error before the error goes on.
---@param registry oras.Registry
---@param method string
---@return oras.Item[]
---@raise oras.Error
function many.call(registry, method, ...)
  local items, err = errors.try(registry[method], registry, ...)
  if items then
    return items
  end
  local failures = err.failures or {}
  for i = 1, #failures > 1 and #failures or 0 do
    report.say("%s: %s", failures[i].reference, tostring(failures[i].error))
  end
  errors.raise(err)
end

local DONE <const> = { copied = "copied", exists = "is there" }
local PLANNED <const> = { copied = "would copy", exists = "is there" }

local function line_of(item, is_plan)
  local stats = item.stats
  local moved = stats and stats.bytes > 0 and (" (%s)"):format(meter.size(stats.bytes)) or ""
  return ("%-11s%s %s%s"):format((is_plan and PLANNED or DONE)[item.done], item.shown, item.digest, moved)
end

local function document_of(item)
  local stats = item.stats or { blobs = { copied = 0, mounted = 0, skipped = 0 }, manifests = 0, bytes = 0 }
  return {
    reference = item.reference, name = item.name, mediaType = item.mediaType, digest = item.digest, size = item.size,
    artifactType = item.artifactType, done = item.done, blobs = stats.blobs, manifests = stats.manifests,
    bytes = stats.bytes, plan = stats.plan and core.json.array(stats.plan),
  }
end

--- What is printed of the items: for people and for a pipe a line each, the latter the digest and the name.
---@param items oras.Item[]
---@param is_plan? boolean
---@return table result
function many.result(items, is_plan)
  local text, line, document = {}, {}, core.json.array {}
  for i, item in ipairs(items) do
    item.shown = describe.shown(item.reference)
    text[i] = line_of(item, is_plan)
    line[i] = ("%s %s"):format(item.digest, item.shown)
    document[i] = document_of(item)
  end
  text[#text + 1], line[#line + 1] = "", ""
  return { text = table.concat(text, "\n"), line = table.concat(line, "\n"), document = document }
end

return many
