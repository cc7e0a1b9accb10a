--- oras-lua copy (cp): a manifest and all it is made of, to another place.
local command = require "oras.cli.command"
local core = require "oras.core"
local describe = require "oras.cli.describe"
local many = require "oras.cli.many"
local size_text = require("oras.cli.progress").size

-- What an object is told of who we are, it tells one registry only.
local BOUND <const> = {
  identity_token = true, identity_token_stdin = true, password = true, password_stdin = true, username = true,
}

-- One registry object serves both sides unless their flags differ: then connections and tokens are
-- shared, and blobs may be mounted.
local function sides(registries, opts)
  for name, value in pairs(opts) do
    local side, rest = name:match "^(%a+)_(.*)$"
    local other = side == "from" and "to_" or side == "to" and "from_"
    if other and (BOUND[rest] or opts[other .. rest] ~= value) then
      return registries.from, registries.to
    end
  end
  return registries.to, registries.to
end

local function plural(n, word)
  return ("%d %s%s"):format(n, word, n == 1 and "" or "s")
end

-- Nothing of it has been done.
local PLANNED <const> = { copied = "would copy", mounted = "would mount", skipped = "is there" }

local function planned(stats)
  local lines = {}
  for _, one in ipairs(stats.plan) do
    local d = one.descriptor
    lines[#lines + 1] = ("%-12s%s %s %s"):format(PLANNED[one.action], d.digest, d.mediaType, size_text(d.size))
  end
  lines[#lines + 1] = ("%s to copy (%s), %s to mount, %s there, %s to put"):format(
    plural(stats.blobs.copied, "blob"), size_text(stats.bytes), stats.blobs.mounted, stats.blobs.skipped,
    plural(stats.manifests, "manifest"))
  return table.concat(lines, "\n") .. "\n"
end

local function document_of(container, descriptor, stats, tags)
  return describe.document(container, descriptor, {
    referenceAsTags = tags,
    blobs = stats.blobs,
    manifests = stats.manifests,
    bytes = stats.bytes,
    plan = stats.plan and core.json.array(stats.plan),
  })
end

local function run(registries, words, opts)
  local from, to = sides(registries, opts)
  local word, more = command.split_tags(words[2])
  local target = to:get_container(word)
  local descriptor, stats = to:copy(words[1], target, {
    concurrency = opts.concurrency,
    dry_run = opts.dry_run,
    filter = many.filter(opts),
    force = opts.force,
    from = from,
    platforms = opts.platform,
    recursive = opts.recursive,
    shallow = opts.shallow,
    tags = more,
    untagged = target.implicit_tag,
  })
  local text = stats.plan and planned(stats)
    or ("Copied %s => %s\nDigest: %s\n"):format(words[1], words[2], descriptor.digest)
  return {
    text = text,
    line = stats.plan and text or descriptor.digest .. "\n",
    document = document_of(target, descriptor, stats, describe.names(target, more)),
  }
end

return command.new {
  name = "copy",
  usage = "SRC DST[:TAG1,TAG2]",
  about = "Copy an artifact or image, with all it is made of, to another registry or layout.",
  least = 2,
  most = 2,
  example = "oras-lua copy localhost:5000/app:v1 oci:backup:v1",
  sides = { "from", "to" },
  flags = many.flags {
    { "-r", "--recursive", about = "with what refers to it: signatures, SBOMs, and theirs" },
    { "--shallow", about = "manifests only, for a target that has the blobs" },
  },
  run = run,
}
