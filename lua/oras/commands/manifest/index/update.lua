--- oras-lua manifest index update: entries come into an index, or go.
local command = require "oras.cli.command"
local index = require "oras.cli.index"

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  return index.result(registry, container, nil, {
    add = opts.add,
    annotations = command.pairs(opts.annotation, "--annotation"),
    artifact_type = opts.artifact_type,
    merge = opts.merge,
    remove = opts.remove,
    subject = index.subject(container, opts.subject),
    tags = opts.tag,
  }, opts, "Updated")
end

return command.new {
  name = "manifest index update",
  usage = "REF",
  about = "Change an index; its tag moves to the new one. What is not changed keeps its bytes.",
  example = "oras-lua manifest index update localhost:5000/app:v1 --add v1-riscv64",
  least = 1,
  most = 1,
  flags = table.move(index.FLAGS, 1, #index.FLAGS, 5, {
    { "--add", value = "MANIFEST", many = true, about = "by tag, digest or reference" },
    { "--merge", value = "INDEX", many = true, about = "whose entries come in" },
    { "--remove", value = "DIGEST", many = true, about = "an entry that goes; a tag, too" },
    { "--tag", value = "TAG", many = true, about = "one more name for it" },
  }),
  run = run,
}
