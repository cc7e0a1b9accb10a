--- What the commands that make and change an index have in common: where it goes, what is printed.
local core = require "oras.core"
local describe = require "oras.cli.describe"
local raw = require "oras.cli.raw"

local index = {}

-- Where it is written to instead of being stored.
local function output(container, bytes, media_type, opts, more)
  local shown = opts.pretty and core.json.encode(core.json.decode(bytes), { indent = 2 }) or bytes
  if opts.output ~= "-" then
    raw.store(opts.output, shown)
    shown = ""
  end
  local descriptor = { mediaType = media_type, digest = core.digest.of(bytes), size = #bytes }
  return { bytes = shown, document = describe.document(container, descriptor, more) }
end

--- Store the index, or write it where --output says.
---@param registry oras.Registry
---@param container oras.Container
---@param list? any[] entries
---@param change oras.IndexOptions
---@param opts table<string, any> of the command
---@param verb string
---@return table result
function index.result(registry, container, list, change, opts, verb)
  if opts.output then
    local bytes, media_type = registry:make_index(container, list, change)
    return output(container, bytes, media_type, opts, { referenceAsTags = core.json.array {} })
  end
  local descriptor = registry:index(container, list, change)
  return {
    text = ("%s %s\nDigest: %s\n"):format(verb, container.uri, descriptor.digest),
    line = descriptor.digest .. "\n",
    document = describe.document(container, descriptor, { referenceAsTags = describe.names(container, change.tags) }),
  }
end

index.FLAGS = {
  { "-a", "--annotation", value = "KEY=VALUE", many = true, about = "annotation of the index" },
  { "--artifact-type", value = "TYPE", about = "what the index is" },
  { "--subject", value = "REF", about = "the manifest that it is about, by tag, digest or reference" },
  { "-o", "--output", value = "FILE", about = "write it there, - prints it; nothing is stored then" },
  { "--pretty", about = "with --output: JSON on many lines" },
}

--- A flag's word as a subject: a tag is one of the same repository.
---@param container oras.Container
---@param word? string
---@return string|oras.Container|nil
function index.subject(container, word)
  local is_tag = word and word:find "^[%w_][%w._-]*$" ~= nil
  return is_tag and container:with_tag(word) or word
end

return index
