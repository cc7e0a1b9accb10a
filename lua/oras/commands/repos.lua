--- oras-lua repos: the repositories of a registry.
local command = require "oras.cli.command"
local core = require "oras.core"
local errors = require "oras.error"
local shown = require("oras.cli.describe").shown

local function run(registry, words, opts)
  if words[1]:find "^oci:" or opts.oci_layout or opts.oci_layout_path then
    errors.usage "a layout on disk has no list of repositories; tags lists its names"
  end
  local host, namespace = words[1]:match "^([^/]*)/?(.-)/?$"
  local prefix = namespace ~= "" and namespace .. "/" or ""
  local last = opts.last and prefix .. opts.last
  local names, lines = core.json.array {}, {}
  for name in registry:repositories(host, { last = last }) do
    if name:sub(1, #prefix) == prefix then
      names[#names + 1] = name
      lines[#lines + 1] = shown(name:sub(#prefix + 1)) .. "\n"
    end
  end
  -- As oras: for people from the namespace on, for programs as they are.
  return { text = table.concat(lines), document = { registry = host, repositories = names } }
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
