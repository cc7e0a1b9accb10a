--- oras-lua repos: the repositories of a registry.
local command = require "oras.cli.command"
local core = require "oras.core"

local function run(registry, words, opts)
  local host, namespace = words[1]:match "^([^/]*)/?(.-)/?$"
  local prefix = namespace ~= "" and namespace .. "/" or ""
  local last = opts.last and prefix .. opts.last
  local names = core.json.array {}
  for name in registry:repositories(host, { last = last }) do
    if name:sub(1, #prefix) == prefix then
      names[#names + 1] = name:sub(#prefix + 1)
    end
  end
  local text = #names > 0 and table.concat(names, "\n") .. "\n" or ""
  return {
    text = text,
    document = { registry = host, namespace = namespace ~= "" and namespace or nil, repositories = names },
  }
end

return command.new {
  name = "repos",
  usage = "HOST[/NAMESPACE]",
  about = "List the repositories of a registry, or those below a namespace, named from there on.",
  example = "oras-lua repos localhost:5000",
  least = 1,
  most = 1,
  references = {},
  flags = { { "--last", value = "NAME", about = "begin behind that repository" } },
  run = run,
}
