--- oras-lua pull: an artifact's files.
local command = require "oras.cli.command"
local core = require "oras.core"
local describe = require "oras.cli.describe"
local errors = require "oras.error"
local host = require "oras.host"
local raw = require "oras.cli.raw"
local report = require "oras.cli.report"

local shown <const> = describe.shown

local EMPTY <const> = require("oras.media_types").empty -- stands for no file

local function absolute(path)
  return "/" .. core.path.relative(path, "/")
end

local function marked(path, file)
  return path .. (file.unpacked and "/" or "")
end

local function file_document(container, file)
  local document = describe.document(container, file.descriptor)
  document.path, document.artifactType = marked(absolute(file.path), file), nil
  return document
end

-- What was there already with the same content counts as pulled; the rest is told, unless it was
-- the user who did not want it.
local UNTOLD <const> = { ["same title and content"] = true, only = true }

local function present(files)
  local list = table.move(files, 1, #files, 1, {})
  for _, one in ipairs(files.skipped) do
    if one.reason == "same content" then
      list[#list + 1] = one
    elseif not UNTOLD[one.reason] and one.descriptor.mediaType ~= EMPTY then
      local hint = one.reason == "no title" and "; --untitled gives it a name" or ""
      report.say('skipped "%s" (%s): %s%s', shown(one.title or one.descriptor.digest),
        shown(one.descriptor.mediaType), one.reason, hint)
    end
  end
  return list
end

-- "OLD=NEW" words as a table.
local function renames(list)
  local map = list and {} or nil
  for _, text in ipairs(list or {}) do
    local old, new = text:match "^([^=]+)=(.+)$"
    if not old then
      errors.usage("option '--rename' is OLD=NEW, not '%s'", text)
    elseif map[old] then
      errors.usage("option '--rename' gives '%s' two names", old)
    end
    map[old] = new
  end
  return map
end

local function options_of(opts)
  return {
    concurrency = opts.concurrency,
    config = opts.config,
    include_subject = opts.include_subject,
    keep_old_files = opts.keep_old_files,
    only = opts.only,
    outdir = opts.output,
    platform = opts.platform,
    portable = not opts.non_portable,
    preserve_permissions = opts.preserve_permissions,
    rename = renames(opts.rename),
    unpack = not opts.no_unpack,
    untitled = opts.untitled,
  }
end

-- The one file there is, verified before its first byte is written.
local function to_standard_output(registry, container, opts)
  if opts.format == "json" then
    errors.usage "'--output -' and '--format json' both go to standard output"
  end
  local how = options_of(opts)
  how.outdir, how.unpack, how.dry_run, how.keep_old_files = nil, false, true, nil
  local files = registry:pull(container, how)
  if #files ~= 1 then
    local names = {}
    for i, file in ipairs(files) do
      names[i] = ('"%s"'):format(shown(file.path))
    end
    errors.usage("'--output -' is for one file, there are %s; '--only NAME' chooses one",
      #names > 0 and table.concat(names, ", ") or "none")
  end
  return raw.blob(registry, files[1].container, files[1].descriptor)
end

local function run(registry, words, opts)
  if opts.allow_path_traversal then
    errors.usage "files never leave the output directory; '--output' and '--rename' say where they go"
  end
  local container = registry:get_container(words[1])
  if opts.output == "-" then
    return to_standard_output(registry, container, opts)
  end
  local files, descriptor = registry:pull(container, options_of(opts))
  local paths, people = { descriptor.digest }, { "Pulled " .. words[1], "Digest: " .. descriptor.digest }
  local document = describe.document(container, descriptor, { files = core.json.array {} })
  document = { reference = document.reference, files = document.files }
  for _, file in ipairs(present(files)) do
    local name = marked(file.path, file)
    paths[#paths + 1], people[#people + 1] = name, host.is_terminal(1) and shown(name) or name
    table.insert(document.files, file_document(container, file))
  end
  return {
    text = table.concat(people, "\n") .. "\n", line = table.concat(paths, "\n") .. "\n", document = document,
  }
end

return command.new {
  name = "pull",
  usage = "REF",
  about = "Bring the files of an artifact into a directory, or one to standard output.",
  example = "oras-lua pull localhost:5000/app:v1 -o files --only '*.txt'",
  least = 1,
  most = 1,
  flags = {
    { "-o", "--output", value = "DIR", about = "where to (the working directory); - is standard output" },
    { "-k", "--keep-old-files", about = "refuse to replace files" },
    { "--only", value = "NAME|TYPE", many = true, about = "these files only: a name, media type (globs) or digest" },
    { "--rename", value = "OLD=NEW", many = true, about = "another name for the file OLD (or digest)" },
    { "--untitled", about = "names for files that have none, also beside others" },
    { "--config", value = "FILE[:TYPE]", about = "write the config there, too" },
    { "--include-subject", about = "also the files of what the artifact is about" },
    { "--platform", value = "OS[/ARCH]", kind = "platform", about = "which manifest of an index" },
    { "--no-unpack", about = "leave directories packed" },
    { "--preserve-permissions", about = "modes as they were, whatever the umask says" },
    { "--non-portable", about = "take names that Windows would not, as a:b" },
    { "-T", "--allow-path-traversal", hidden = true, about = "there is none" },
  },
  run = run,
}
