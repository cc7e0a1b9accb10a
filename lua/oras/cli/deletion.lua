--- What the commands that delete have in common: what they ask, and what is printed.
local command = require "oras.cli.command"
local core = require "oras.core"
local describe = require "oras.cli.describe"
local errors = require "oras.error"
local report = require "oras.cli.report"

local deletion = {}

---@type oras.Flag[]
deletion.FLAGS = {
  { "-f", "--force", about = "do not ask, and take what is not there as done" },
  { "--descriptor", about = "print the descriptor of what is gone" },
  { "--pretty", about = "print JSON on many lines" },
}

-- With --force it is well that there is nothing.
local function found(find, opts)
  local descriptor, err = errors.try(find)
  if not descriptor and not (opts.force and err.class == "not_found") then
    errors.raise(err)
  end
  return descriptor
end

--- Find it, ask, delete it.
---@param container oras.Container
---@param opts table<string, any> of the command
---@param find fun(): table its descriptor
---@param question string with a place for the reference
---@param delete fun(target: oras.Container)
---@return table result
---@raise oras.Error usage, not_found, cancelled, ...
function deletion.run(container, opts, find, question, delete)
  if opts.descriptor and not opts.force then
    errors.usage "'--descriptor' needs '--force', as a question has no place on standard output"
  end
  local descriptor = found(find, opts)
  if not descriptor then
    report.say("there is no %s", container.uri)
    return { text = "", document = core.json.array {} }
  end
  local target = container:with_digest(descriptor.digest)
  command.confirm(question:format(target.uri), opts)
  delete(target)
  return {
    text = opts.descriptor and describe.json(describe.plain(descriptor), opts.pretty) or descriptor.digest .. "\n",
    document = core.json.array { describe.document(container, descriptor) },
  }
end

return deletion
