--- oras-lua blob push: a file as a blob.
local command = require "oras.cli.command"
local describe = require "oras.cli.describe"
local errors = require "oras.error"
local media_types = require "oras.media_types"
local raw = require "oras.cli.raw"

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  if not container.implicit_tag and not container.digest then
    errors.usage('"%s" has a tag, which a blob has not', words[1])
  elseif opts.size and opts.size < 0 and opts.size ~= -1 then
    errors.usage "option '--size' is a number of bytes"
  end
  local size = opts.size ~= -1 and opts.size or nil
  local source = words[2] == "-" and raw.stdin(size) or words[2]
  local descriptor = registry:upload_blob(container, source, {
    digest = container.digest, size = size, mediaType = opts.media_type,
  })
  descriptor.mediaType = opts.media_type or media_types.layer
  local document = describe.document(container, descriptor)
  if opts.descriptor then
    return { bytes = describe.json(describe.plain(descriptor), opts.pretty), document = document }
  end
  return {
    text = ("Pushed %s\nDigest: %s\n"):format(document.reference, descriptor.digest), line = descriptor.digest .. "\n",
    document = document,
  }
end

return command.new {
  name = "blob push",
  usage = "REF[@DIGEST] FILE",
  about = "Store a file as a blob; a FILE of - is standard input, of any size.",
  example = "oras-lua blob push localhost:5000/app data.bin",
  least = 2,
  most = 2,
  flags = {
    { "--media-type", value = "TYPE", about = "the type in the descriptor that is printed" },
    { "--size", value = "N", kind = "integer", about = "how many bytes it has to have" },
    { "--descriptor", about = "print its descriptor" },
    { "--pretty", about = "print JSON on many lines" },
  },
  run = run,
}
