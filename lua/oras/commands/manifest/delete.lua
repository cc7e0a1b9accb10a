--- oras-lua manifest delete: a manifest, with all its names.
local command = require "oras.cli.command"
local deletion = require "oras.cli.deletion"
local report = require "oras.cli.report"

local function delete(registry, target)
  local _, tags = registry:delete_manifest(target)
  if tags and #tags > 0 then
    report.say("its tags are gone, too: %s", table.concat(tags, ", "))
  end
end

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  return deletion.run(container, opts, function()
    return registry:resolve(container)
  end, "delete %s with all its tags?", function(target)
    delete(registry, target)
  end)
end

return command.new {
  name = "manifest delete",
  usage = "REF",
  about = "Delete a manifest, with all its names.",
  example = "oras-lua manifest delete localhost:5000/app:v1",
  least = 1,
  most = 1,
  flags = deletion.FLAGS,
  run = run,
}
