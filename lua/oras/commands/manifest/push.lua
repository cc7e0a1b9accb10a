--- oras-lua manifest push: a manifest or index, byte for byte.
local command = require "oras.cli.command"
local core = require "oras.core"
local describe = require "oras.cli.describe"
local raw = require "oras.cli.raw"

local function run(registry, words, opts)
  local reference, more = command.split_tags(words[1])
  local container = registry:get_container(reference)
  local bytes = raw.read(words[2])
  local target = container.implicit_tag and container:with_digest(core.digest.of(bytes)) or container
  local descriptor = registry:upload_manifest(target, bytes, { media_type = opts.media_type, tags = more })
  local document = describe.document(container, descriptor, { referenceAsTags = describe.names(container, more) })
  if opts.descriptor then
    return { bytes = describe.json(describe.plain(descriptor), opts.pretty), document = document }
  end
  return {
    text = ("Pushed %s\nDigest: %s\n"):format(words[1], descriptor.digest), line = descriptor.digest .. "\n",
    document = document,
  }
end

return command.new {
  name = "manifest push",
  usage = "REF[:TAG,...] FILE",
  about = "Store a manifest or index as it is; a FILE of - is standard input.",
  example = "oras-lua manifest push localhost:5000/app:v1 manifest.json",
  least = 2,
  most = 2,
  flags = {
    { "--media-type", value = "TYPE", about = "its type, where it does not say one" },
    { "--descriptor", about = "print its descriptor" },
    { "--pretty", about = "print JSON on many lines" },
  },
  run = run,
}
