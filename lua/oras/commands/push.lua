--- oras-lua push: files as an artifact.
local artifact = require "oras.cli.artifact"
local command = require "oras.cli.command"
local defaults = require "oras.defaults"
local file_words = require "oras.cli.file_words"

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
  local how = file_words.options(opts)
  local files
  files, how.annotations = file_words.files(words, 2, opts)
  how.image_spec, how.platform = opts.image_spec, opts.artifact_platform
  if #files == 0 and not how.config and not how.artifact_type then -- oras stores what has no files, too
    how.artifact_type = how.image_spec == "v1.0" and defaults.unknown_config_media_type
      or defaults.unknown_artifact_type
  end
  how.tags, how.untagged = more, container.implicit_tag
  local export <close> = artifact.export(opts.export_manifest)
  local descriptor, manifest = registry:push(container, files, how)
  local document = artifact.document(container, all_tags(container, more), descriptor, manifest)
  return artifact.result(text_of(words[1], document), document, opts, export, manifest)
end

return command.new {
  name = "push",
  usage = "REF[:TAG,...] FILE[:TYPE]...",
  about = "Store files and directories as an artifact; a FILE of - is standard input.",
  example = "oras-lua push localhost:5000/app:v1 notes.txt:text/plain -a notes.txt:lang=en",
  least = 1,
  flags = file_words.flags {
    { "--artifact-type", value = "TYPE", about = "what the artifact is" },
    { "--config", value = "FILE[:TYPE]", about = "its config" },
    { "--artifact-platform", value = "OS[/ARCH]", kind = "platform", about = "its platform, in a config made for it" },
    { "--image-spec", value = "v1.1|v1.0", choices = { "v1.1", "v1.0" }, about = "v1.0: the config says the type" },
    { "--export-manifest", value = "FILE", about = "write the manifest there, too" },
    { "--force", hidden = true, about = "what is there is asked for in any case" },
  },
  run = run,
}
