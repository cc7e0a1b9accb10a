--- oras-lua manifest fetch: the bytes of a manifest.
local command = require "oras.cli.command"
local describe = require "oras.cli.describe"
local errors = require "oras.error"
local raw = require "oras.cli.raw"

-- The descriptor alone needs no more than a HEAD.
local function only_descriptor(registry, container, opts)
  if opts.media_type then
    return registry:get_manifest(container, { accept = opts.media_type, platform = opts.platform }):descriptor()
  end
  return registry:resolve(container, { platform = opts.platform })
end

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  if opts.descriptor and not opts.output then
    local descriptor = only_descriptor(registry, container, opts)
    return {
      bytes = describe.json(describe.plain(descriptor), opts.pretty),
      document = describe.document(container, descriptor),
    }
  elseif opts.descriptor and opts.output == "-" then
    errors.usage "'--descriptor' and '--output -' both go to standard output"
  end
  local manifest = registry:get_manifest(container, { accept = opts.media_type, platform = opts.platform })
  local bytes, descriptor = manifest:raw(), manifest:descriptor()
  if opts.output and opts.output ~= "-" then
    raw.store(opts.output, bytes)
    bytes = opts.descriptor and describe.json(describe.plain(descriptor), opts.pretty) or ""
  elseif opts.pretty then
    bytes = describe.json(manifest, true)
  end
  return { bytes = bytes, document = describe.document(container, descriptor, { content = manifest }) }
end

return command.new {
  name = "manifest fetch",
  usage = "REF",
  about = "Print a manifest or index as it is stored, byte for byte.",
  example = "oras-lua manifest fetch localhost:5000/app:v1 --pretty",
  least = 1,
  most = 1,
  flags = {
    { "-o", "--output", value = "FILE", about = "write it there" },
    { "--descriptor", about = "print its descriptor" },
    { "--pretty", about = "print JSON on many lines" },
    { "--platform", value = "OS[/ARCH]", kind = "platform", about = "which manifest of an index" },
    { "--media-type", value = "TYPE", many = true, separator = ",", about = "what is accepted" },
  },
  run = run,
}
