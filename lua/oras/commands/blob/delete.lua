--- oras-lua blob delete: a blob, whoever needs it.
local command = require "oras.cli.command"
local core = require "oras.core"
local describe = require "oras.cli.describe"
local errors = require "oras.error"
local report = require "oras.cli.report"

-- What a HEAD tells; nil where nothing is and --force says that that is well.
local function find(registry, container, opts)
  local response, err = errors.try(registry.get_blob, registry, container, container.digest, { head = true })
  if response then
    local size = math.tointeger(tonumber(response.headers["Content-Length"]))
    return { mediaType = "application/octet-stream", digest = container.digest, size = size or 0 }
  elseif not (opts.force and err.class == "not_found") then
    errors.raise(err)
  end
end

local function run(registry, words, opts)
  local container = registry:get_container(words[1])
  if not container.digest then
    errors.usage('"%s" has no digest: a blob is named by one, host/repository@sha256:...', words[1])
  elseif opts.descriptor and not opts.force then
    errors.usage "'--descriptor' needs '--force', as a question has no place on standard output"
  end
  local descriptor = find(registry, container, opts)
  if not descriptor then
    report.say("there is no %s", container.uri)
    return { text = "", document = core.json.array {} }
  end
  command.confirm(("delete the blob %s?"):format(container.uri), opts)
  registry:delete_blob(container, container.digest)
  return {
    text = opts.descriptor and describe.json(describe.plain(descriptor), opts.pretty) or descriptor.digest .. "\n",
    document = core.json.array { describe.document(container, descriptor) },
  }
end

return command.new {
  name = "blob delete",
  usage = "REF@DIGEST",
  about = "Delete a blob, whichever manifests need it.",
  example = "oras-lua blob delete localhost:5000/app@sha256:...",
  least = 1,
  most = 1,
  flags = {
    { "-f", "--force", about = "do not ask, and take what is not there as done" },
    { "--descriptor", about = "print the descriptor of what is gone" },
    { "--pretty", about = "print JSON on many lines" },
  },
  run = run,
}
