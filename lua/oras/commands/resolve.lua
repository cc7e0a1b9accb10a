--- oras-lua resolve: the digest that a reference stands for.
local command = require "oras.cli.command"
local describe = require "oras.cli.describe"

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  local descriptor = registry:resolve(container, { platform = opts.platform })
  local document = describe.document(container, descriptor)
  local text = opts.full_reference and document.reference or descriptor.digest
  return { text = text .. "\n", document = document }
end

return command.new {
  name = "resolve",
  usage = "REF",
  about = "Print the digest that a reference stands for.",
  example = "oras-lua resolve localhost:5000/app:v1 --platform linux/arm64",
  least = 1,
  most = 1,
  flags = {
    { "-l", "--full-reference", about = "print host/repository@digest" },
    { "--platform", value = "OS[/ARCH]", kind = "platform", about = "which manifest of an index" },
  },
  run = run,
}
