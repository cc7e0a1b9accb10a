--- oras-lua pull: an artifact's files.
local command = require "oras.cli.command"
local core = require "oras.core"
local host = require "oras.host"
local report = require "oras.cli.report"
local sanitise = require("oras.registry.status").sanitise

local function absolute(path)
  return "/" .. core.path.relative(path, "/")
end

-- A name for a person's terminal; a program gets it as it is.
local function shown(path)
  return host.is_terminal(1) and sanitise(path) or path
end

local function file_document(container, file)
  local descriptor = file.descriptor
  return {
    path = absolute(file.path) .. (file.unpacked and "/" or ""),
    reference = container:with_digest(descriptor.digest).uri,
    mediaType = descriptor.mediaType,
    digest = descriptor.digest,
    size = descriptor.size,
    annotations = descriptor.annotations,
  }
end

-- What was there already with the same content counts as pulled; the rest is told.
local function present(files)
  local list = table.move(files, 1, #files, 1, {})
  for _, one in ipairs(files.skipped) do
    if one.reason == "same content" then
      list[#list + 1] = one
    elseif one.reason ~= "same title and content" then
      report.say('skipped "%s" (%s): %s', sanitise(one.title or one.descriptor.digest),
        sanitise(one.descriptor.mediaType), one.reason)
    end
  end
  return list
end

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  local files, descriptor = registry:pull(container, {
    concurrency = opts.concurrency,
    config = opts.config,
    include_subject = opts.include_subject,
    keep_old_files = opts.keep_old_files,
    outdir = opts.output,
    platform = opts.platform,
    portable = not opts.non_portable,
    unpack = not opts.no_unpack,
  })
  local lines = { "Pulled " .. words[1], "Digest: " .. descriptor.digest }
  local plain = { descriptor.digest }
  local document = {
    reference = container:with_digest(descriptor.digest).uri, files = core.json.array {},
  }
  for _, file in ipairs(present(files)) do
    lines[#lines + 1] = shown(file.path .. (file.unpacked and "/" or ""))
    plain[#plain + 1] = lines[#lines]
    table.insert(document.files, file_document(container, file))
  end
  return {
    text = table.concat(lines, "\n") .. "\n", line = table.concat(plain, "\n") .. "\n", document = document,
  }
end

return command.new {
  name = "pull",
  usage = "REF",
  about = "Bring the files of an artifact into a directory.",
  example = "oras-lua pull localhost:5000/app:v1 -o files",
  least = 1,
  most = 1,
  flags = {
    { "-o", "--output", value = "DIR", about = "where to (the working directory)" },
    { "-k", "--keep-old-files", about = "refuse to replace files" },
    { "--config", value = "FILE[:TYPE]", about = "write the config there, too" },
    { "--include-subject", about = "also the files of what the artifact is about" },
    { "--platform", value = "OS/ARCH", about = "which manifest of an index" },
    { "--no-unpack", about = "leave directories packed" },
    { "--non-portable", about = "take names that Windows would not, as a:b" },
  },
  run = run,
}
