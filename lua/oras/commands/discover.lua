--- oras-lua discover: what refers to an artifact, as a tree.
local command = require "oras.cli.command"
local report = require "oras.cli.report"
local sanitise = require("oras.registry.status").sanitise

-- What stands in front of a node, and in front of all below it.
local MIDDLE <const>, LAST <const> = { "├── ", "│   " }, { "└── ", "    " }

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

-- Lines of a tree of `{text, children}`.
local function draw(lines, nodes, indent)
  for i, node in ipairs(nodes) do
    local sign = i == #nodes and LAST or MIDDLE
    lines[#lines + 1] = indent .. sign[1] .. node.text
    draw(lines, node.children, indent .. sign[2])
  end
end

local function annotations_of(entry)
  local children = {}
  for _, key in ipairs(sorted_keys(entry.annotations)) do
    children[#children + 1] = {
      text = ("%s: %s"):format(sanitise(key), sanitise(entry.annotations[key])), children = {},
    }
  end
  return { text = "[annotations]", children = children }
end

-- One node for each type, in the order in which they come, and below it what is of that type.
local function nodes_of(list, is_verbose)
  local types, by_type = {}, {}
  for _, entry in ipairs(list) do
    local name = type(entry.artifactType) == "string" and sanitise(entry.artifactType) or "<unknown>"
    if not by_type[name] then
      by_type[name] = { text = name, children = {} }
      types[#types + 1] = by_type[name]
    end
    local children = nodes_of(entry.referrers, is_verbose)
    if is_verbose and entry.annotations and next(entry.annotations) then
      table.insert(children, 1, annotations_of(entry))
    end
    table.insert(by_type[name].children, { text = entry.digest, children = children })
  end
  return types
end

local function tree_of(title, root, is_verbose)
  local lines = { title }
  draw(lines, nodes_of(root.referrers, is_verbose), "")
  return table.concat(lines, "\n") .. "\n"
end

-- The same tree, in which each node says where it is.
local function add_references(container, node)
  node.reference = container:with_digest(node.digest).uri
  for _, child in ipairs(node.referrers) do
    add_references(container, child)
  end
  return node
end

local function run(registry, words, opts)
  if opts.depth and opts.depth < 1 then
    report.fail(report.USAGE, "option '--depth' is at least 1, not %d", opts.depth)
  end
  local container = registry:get_container(words[1])
  local root = registry:discover(container, {
    artifact_type = opts.artifact_type, depth = opts.depth, platform = opts.platform,
  })
  local title = container:with_digest(root.digest).uri
  return {
    text = tree_of(title, root, opts.verbose),
    document = opts.format == "json" and add_references(container, root) or nil,
  }
end

return command.new {
  name = "discover",
  usage = "REF",
  about = "Show what refers to an artifact, and what refers to that: signatures, SBOMs, notes.",
  example = "oras-lua discover --artifact-type example/sbom localhost:5000/app:v1",
  least = 1,
  most = 1,
  formats = { tree = "text" },
  flags = {
    { "--artifact-type", value = "TYPE", about = "only what is of that type, and what leads to it" },
    { "--depth", value = "N", kind = "integer", about = "so many levels (all)" },
    { "--platform", value = "OS[/ARCH]", kind = "platform", about = "of that manifest of an index" },
    { "-v", "--verbose", about = "with annotations" },
  },
  run = run,
}
