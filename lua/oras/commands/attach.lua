--- oras-lua attach: files as an artifact that refers to another.
local artifact = require "oras.cli.artifact"
local command = require "oras.cli.command"
local file_words = require "oras.cli.file_words"
local report = require "oras.cli.report"

local function text_of(container, manifest, digest)
  return ("Attached to %s\nDigest: %s\n"):format(container:with_digest(manifest.subject.digest).uri, digest)
end

local function check(words, opts)
  if not opts.artifact_type then
    report.fail(report.USAGE, "option '--artifact-type' says what is attached; it has to be there")
  elseif #words == 1 and not (opts.annotation or opts.annotation_file) then
    report.fail(report.USAGE, "nothing to attach: neither a file nor '--annotation'")
  end
end

local function run(registry, words, opts)
  check(words, opts)
  local container = registry:get_container(words[1])
  local how = file_words.options(opts)
  local files
  files, how.annotations = file_words.files(words, 2, opts)
  how.platform = opts.platform
  local export <close> = artifact.export(opts.export_manifest)
  local descriptor, manifest = registry:attach(container, files, how)
  local document = artifact.document(container, {}, descriptor, manifest)
  return artifact.result(text_of(container, manifest, descriptor.digest), document, opts, export, manifest)
end

return command.new {
  name = "attach",
  usage = "--artifact-type TYPE REF [FILE[:TYPE]...]",
  about = "Store files as an artifact that refers to another: a signature, an SBOM, a note.",
  example = "oras-lua attach --artifact-type example/sbom localhost:5000/app:v1 sbom.json",
  least = 1,
  flags = file_words.flags {
    { "--artifact-type", value = "TYPE", about = "what is attached; needed" },
    { "--platform", value = "OS[/ARCH]", kind = "platform", about = "attach to that manifest of an index" },
    { "--config", value = "FILE[:TYPE]", about = "the config of what is attached" },
    { "--export-manifest", value = "FILE", about = "write the manifest there, too" },
  },
  run = run,
}
