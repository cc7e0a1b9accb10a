--- oras-lua push: files as an artifact.
local artifact = require "oras.cli.artifact"
local command = require "oras.cli.command"

local function text_of(word, result)
  return ("Pushed %s\nArtifactType: %s\nDigest: %s\n"):format(word, result.artifactType, result.digest)
end

local function all_tags(container, more)
  local tags = { not container.implicit_tag and container.tag or nil }
  return table.move(more or {}, 1, #(more or {}), #tags + 1, tags)
end

local function run(registry, words, opts)
  local reference, more = command.split_tags(words[1])
  local container = registry:get_container(reference)
  local list = {}
  for i = 2, #words do
    list[i - 1] = artifact.file(words[i])
  end
  local export <close> = artifact.export(opts.export_manifest)
  local descriptor, manifest = registry:push(container, list, {
    annotation_file = opts.annotation_file,
    annotations = command.pairs(opts.annotation, "--annotation"),
    artifact_type = opts.artifact_type,
    concurrency = opts.concurrency,
    config = opts.config and artifact.file(opts.config),
    disable_path_validation = opts.disable_path_validation,
    platform = opts.artifact_platform,
    tags = more,
    untagged = container.implicit_tag,
  })
  local result = artifact.document(container, all_tags(container, more), descriptor, manifest)
  return artifact.result(text_of(words[1], result), result, opts, export, manifest)
end

return command.new {
  name = "push",
  usage = "REF[:TAG,...] FILE[:TYPE]...",
  about = "Store files and directories as an artifact in a registry or a layout (oci:DIR:TAG).",
  example = "oras-lua push localhost:5000/app:v1 notes.txt:text/plain",
  least = 1,
  flags = {
    { "-a", "--annotation", value = "KEY=VALUE", many = true, about = "annotation of the manifest" },
    { "--annotation-file", value = "FILE", about = "annotations of manifest, config and files, as JSON" },
    { "--artifact-type", value = "TYPE", about = "what the artifact is" },
    { "--config", value = "FILE[:TYPE]", about = "its config" },
    { "--artifact-platform", value = "OS/ARCH", about = "its platform, in a config made for it" },
    { "--export-manifest", value = "FILE", about = "write the manifest there, too" },
    { "--disable-path-validation", about = "allow files outside of the working directory" },
  },
  run = run,
}
