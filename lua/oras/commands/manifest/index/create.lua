--- oras-lua manifest index create: an index of manifests that are there.
local command = require "oras.cli.command"
local index = require "oras.cli.index"

local function run(registry, words, opts)
  local word, more = command.split_tags(words[1])
  local container = registry:get_container(word)
  local list = table.move(words, 2, #words, 1, {})
  return index.result(registry, container, list, {
    annotations = command.pairs(opts.annotation, "--annotation"),
    artifact_type = opts.artifact_type,
    subject = index.subject(container, opts.subject),
    tags = more,
    untagged = container.implicit_tag, -- as oras: it is stored by its digest then
  }, opts, "Created")
end

return command.new {
  name = "manifest index create",
  usage = "REF[:TAG,...] [MANIFEST...]",
  about = "Make an index of manifests: tags or digests of the repository, or references.",
  example = "oras-lua manifest index create localhost:5000/app:v1 v1-amd64 v1-arm64",
  least = 1,
  flags = index.FLAGS,
  run = run,
}
