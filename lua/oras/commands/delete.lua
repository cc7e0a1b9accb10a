--- oras-lua delete: a manifest, with all its names.
local command = require "oras.cli.command"
local core = require "oras.core"
local report = require "oras.cli.report"

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  local descriptor = registry:resolve(container)
  local target = container:with_digest(descriptor.digest)
  command.confirm(("delete %s with all its tags?"):format(target.uri), opts)
  local _, tags = registry:delete_manifest(target)
  if tags and #tags > 0 then
    report.say("its tags are gone, too: %s", table.concat(tags, ", "))
  end
  return { text = descriptor.digest .. "\n", document = core.json.array { descriptor } }
end

return command.new {
  name = "delete",
  usage = "REF",
  about = "Delete a manifest, with all its names.",
  example = "oras-lua delete localhost:5000/app:v1",
  least = 1,
  most = 1,
  flags = { { "-f", "--force", about = "do not ask" } },
  run = run,
}
