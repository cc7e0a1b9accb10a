--- oras-lua untag: names taken away; the manifest and its other names stay.
local command = require "oras.cli.command"
local core = require "oras.core"
local report = require "oras.cli.report"

local function run(registry, words, opts)
  local names = table.move(words, 2, #words, 1, {})
  local deleted, absent = registry:delete_tags(words[1], names, { force = opts.force })
  for _, name in ipairs(absent) do
    report.say('there is no tag "%s"', name)
  end
  local text = #deleted > 0 and table.concat(deleted, "\n") .. "\n" or ""
  return { text = text, document = core.json.array(deleted) }
end

return command.new {
  name = "untag",
  usage = "REF NAME...",
  about = "Take names away; the manifest and its other names stay.",
  example = "oras-lua untag localhost:5000/app old",
  least = 2,
  flags = { { "-f", "--force", about = "where single tags cannot be deleted: the manifest, and all its tags" } },
  run = run,
}
