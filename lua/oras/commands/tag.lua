--- oras-lua tag: more names for a manifest.
local command = require "oras.cli.command"
local core = require "oras.core"

local function run(registry, words)
  local names = table.move(words, 2, #words, 1, {})
  registry:tag(words[1], names)
  return { text = table.concat(names, "\n") .. "\n", document = core.json.array(names) }
end

return command.new {
  name = "tag",
  usage = "REF NAME...",
  about = "Give a manifest more names.",
  example = "oras-lua tag localhost:5000/app:v1 latest stable",
  least = 2,
  run = run,
}
