--- oras-lua manifest fetch-config: the bytes of a manifest's config.
local command = require "oras.cli.command"
local core = require "oras.core"
local describe = require "oras.cli.describe"
local errors = require "oras.error"
local raw = require "oras.cli.raw"

local function config_of(registry, container, opts)
  local manifest = registry:get_manifest(container, { platform = opts.platform })
  if type(manifest.config) ~= "table" then
    errors.raise {
      class = "content", message = ('"%s" has no config; an index needs --platform'):format(container.uri),
    }
  end
  return manifest.config
end

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  local config = config_of(registry, container, opts)
  local descriptor = describe.plain(config)
  if opts.descriptor and opts.output == "-" then
    errors.usage "'--descriptor' and '--output -' both go to standard output"
  elseif opts.descriptor and not opts.output and opts.format ~= "json" then
    return { bytes = describe.json(descriptor, opts.pretty) }
  end
  local bytes = registry:get_blob(container, config, { max_bytes = registry._limits.manifest }).content
  local content = core.json.decode(bytes)
  if opts.output and opts.output ~= "-" then
    raw.store(opts.output, bytes)
    bytes = opts.descriptor and describe.json(descriptor, opts.pretty) or ""
  elseif opts.pretty and content ~= nil then
    bytes = describe.json(content, true)
  end
  content = type(content) == "table" and content or core.json.null
  return { bytes = bytes, document = describe.document(container, config, { content = content }) }
end

return command.new {
  name = "manifest fetch-config",
  usage = "REF",
  about = "Print the config of a manifest as it is stored.",
  example = "oras-lua manifest fetch-config localhost:5000/app:v1 --pretty",
  least = 1,
  most = 1,
  flags = {
    { "-o", "--output", value = "FILE", about = "write it there" },
    { "--descriptor", about = "print its descriptor" },
    { "--pretty", about = "print JSON on many lines" },
    { "--platform", value = "OS[/ARCH]", kind = "platform", about = "which manifest of an index" },
  },
  run = run,
}
