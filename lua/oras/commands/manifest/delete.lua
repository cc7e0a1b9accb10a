--- oras-lua manifest delete: a manifest, with all its names.
local command = require "oras.cli.command"
local core = require "oras.core"
local describe = require "oras.cli.describe"
local errors = require "oras.error"
local report = require "oras.cli.report"

-- With --force it is well that there is nothing.
local function find(registry, container, opts)
  local descriptor, err = errors.try(registry.resolve, registry, container)
  if not descriptor and not (opts.force and err.class == "not_found") then
    errors.raise(err)
  end
  return descriptor
end

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  if opts.descriptor and not opts.force then
    errors.usage "'--descriptor' needs '--force', as a question has no place on standard output"
  end
  local descriptor = find(registry, container, opts)
  if not descriptor then
    report.say("there is no %s", container.uri)
    return { text = "", document = core.json.array {} }
  end
  local target = container:with_digest(descriptor.digest)
  command.confirm(("delete %s with all its tags?"):format(target.uri), opts)
  local _, tags = registry:delete_manifest(target)
  if tags and #tags > 0 then
    report.say("its tags are gone, too: %s", table.concat(tags, ", "))
  end
  return {
    text = opts.descriptor and describe.json(describe.plain(descriptor), opts.pretty) or descriptor.digest .. "\n",
    document = core.json.array { describe.document(container, descriptor) },
  }
end

return command.new {
  name = "manifest delete",
  usage = "REF",
  about = "Delete a manifest, with all its names.",
  example = "oras-lua manifest delete localhost:5000/app:v1",
  least = 1,
  most = 1,
  flags = {
    { "-f", "--force", about = "do not ask, and take what is not there as done" },
    { "--descriptor", about = "print the descriptor of what is gone" },
    { "--pretty", about = "print JSON on many lines" },
  },
  run = run,
}
