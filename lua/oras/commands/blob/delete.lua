--- oras-lua blob delete: a blob, whoever needs it.
local command = require "oras.cli.command"
local deletion = require "oras.cli.deletion"
local errors = require "oras.error"

-- What a HEAD tells.
local function look(registry, container)
  local response = registry:get_blob(container, container.digest, { head = true })
  local size = math.tointeger(tonumber(response.headers["Content-Length"]))
  return { mediaType = "application/octet-stream", digest = container.digest, size = size or 0 }
end

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  if not container.digest then
    errors.usage('"%s" has no digest: a blob is named by one, host/repository@sha256:...', words[1])
  end
  return deletion.run(container, opts, function()
    return look(registry, container)
  end, "delete the blob %s?", function(target)
    registry:delete_blob(target, target.digest)
  end)
end

return command.new {
  name = "blob delete",
  usage = "REF@DIGEST",
  about = "Delete a blob, whichever manifests need it.",
  example = "oras-lua blob delete localhost:5000/app@sha256:...",
  least = 1,
  most = 1,
  flags = deletion.FLAGS,
  run = run,
}
