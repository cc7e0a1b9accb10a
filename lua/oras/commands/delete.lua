--- oras-lua delete: a manifest, with all its names.
local command = require "oras.cli.command"
local core = require "oras.core"
local errors = require "oras.error"
local host = require "oras.host"
local report = require "oras.cli.report"

local function is_yes(answer)
  return answer ~= nil and answer:lower():find "^%s*y" ~= nil
end

-- A question that is not answered changes nothing.
local function confirm(container, descriptor)
  if not host.is_terminal(0) then
    errors.raise { class = "cancelled", message = "nobody is there to be asked; --force deletes without a question" }
  end
  io.stderr:write(("delete %s with all its tags? [y/N] "):format(container:with_digest(descriptor.digest).uri))
  io.stderr:flush()
  if not is_yes(io.stdin:read "l") then
    errors.raise { class = "cancelled", message = "nothing was deleted" }
  end
end

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  local descriptor = registry:resolve(container)
  if not opts.force then
    confirm(container, descriptor)
  end
  local _, tags = registry:delete_manifest(container:with_digest(descriptor.digest))
  if tags and #tags > 0 then
    report.say("its tags are gone, too: %s", table.concat(tags, ", "))
  end
  return { text = descriptor.digest .. "\n", document = core.json.array { descriptor } }
end

return command.new {
  name = "delete",
  usage = "REF",
  about = "Delete a manifest, with all its names.",
  least = 1,
  most = 1,
  flags = { { "-f", "--force", about = "do not ask" } },
  run = run,
}
