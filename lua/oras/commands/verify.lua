--- oras-lua verify: are the files in a directory what an artifact has?
local command = require "oras.cli.command"
local core = require "oras.core"
local describe = require "oras.cli.describe"

local shown <const> = describe.shown

local MARKS <const> = { same = "ok", missing = "missing", changed = "changed", kind = "other kind", extra = "extra" }

local function line(status, path, reason)
  return ("%-10s  %s%s"):format(MARKS[status], shown(path), reason and (" (%s)"):format(reason) or "")
end

local function add_inner(lines, document, one)
  document.files = core.json.array {}
  for i, inner in ipairs(one.files or {}) do
    document.files[i] = { path = inner.path, status = inner.status }
    lines[#lines + 1] = line(inner.status, inner.path)
  end
end

local function run(registry, words, opts)
  local container = registry:get_container(words[2])
  local result, descriptor = registry:verify(container, words[1], {
    concurrency = opts.concurrency, extra = opts.extra, include_subject = opts.include_subject, only = opts.only,
    platform = opts.platform, portable = not opts.non_portable, unpack = not opts.no_unpack, untitled = opts.untitled,
  })
  local lines, people = {}, {}
  local document = {
    reference = container:with_digest(descriptor.digest).uri, ok = result.ok, files = core.json.array {},
    extra = core.json.array(result.extra),
  }
  for i, one in ipairs(result) do
    local file = {
      path = one.path, status = one.status, digest = one.descriptor.digest, reason = one.reason,
    }
    document.files[i] = file
    local all = one.status == "same" and people or lines
    all[#all + 1] = line(one.status, one.path, not one.files and one.reason or nil)
    add_inner(lines, file, one)
  end
  for _, path in ipairs(result.extra) do
    lines[#lines + 1] = line("extra", path)
  end
  table.move(lines, 1, #lines, #people + 1, people)
  people[#people + 1] = result.ok and "all files are as in " .. words[2] or "there are differences"
  return {
    text = table.concat(people, "\n") .. "\n", line = #lines > 0 and table.concat(lines, "\n") .. "\n" or "",
    document = document, status = result.ok and 0 or 1,
  }
end

return command.new {
  name = "verify",
  usage = "DIR REF",
  about = "Compare the files in a directory with those of an artifact; exit code 1 says that they differ.",
  example = "oras-lua verify files localhost:5000/app:v1",
  least = 2,
  most = 2,
  references = { 2 },
  flags = {
    { "--extra", about = "what is there and not of the artifact counts, too" },
    { "--only", value = "NAME|TYPE", many = true, about = "these files only: a name, media type (globs) or digest" },
    { "--untitled", about = "also files that have no name of their own, beside others" },
    { "--include-subject", about = "also the files of what the artifact is about" },
    { "--platform", value = "OS[/ARCH]", kind = "platform", about = "which manifest of an index" },
    { "--no-unpack", about = "directories were left packed" },
    { "--non-portable", about = "take names that Windows would not, as a:b" },
  },
  run = run,
}
