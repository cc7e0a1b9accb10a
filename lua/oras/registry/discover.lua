--- Registry methods on who refers to a manifest: `referrers` lists them, `discover` follows them.
local core = require "oras.core"
local errors = require "oras.error"
local oci = require "oras.oci"
local options = require "oras.options"
local referrers = require "oras.registry.referrers"
local task = require "oras.task"

local Registry = require "oras.registry"

local REFERRERS <const> = { annotations = "table", artifact_type = "string", platform = "string|table" }
local DISCOVER <const> = { artifact_type = "string", depth = "integer", platform = "string|table" }

-- So many questions are worth a look at the list of tags, and so many tags are not worth reading.
local MANY <const> = 8
local MOST_TAGS <const> = 20000

local function check_annotations(annotations)
  for key, value in pairs(annotations or {}) do
    if type(key) ~= "string" or (type(value) ~= "string" and value ~= true) then
      errors.usage "referrers: annotations are strings by name, or true for any"
    end
  end
end

--- Those who refer to a manifest directly: by the registry's API, or by the tag that stands for it.
---
--- `artifact_type` and `annotations` (a value by name, or true for any) choose among them; `platform`
--- asks about that manifest of an index. A subject named by its digest need not be there.
---@param ref string|oras.Container
---@param opts? { artifact_type?: string, annotations?: table, platform?: string|table }
---@return table[] descriptors with artifactType and annotations
---@raise oras.Error not_found, content, limit, auth, unsupported, ...
function Registry:referrers(ref, opts)
  local container = self:get_container(ref)
  opts = options.check(opts, REFERRERS, "referrers")
  check_annotations(opts.annotations)
  local digest = not opts.platform and container.digest
    or self:resolve(container, { platform = opts.platform }).digest
  return referrers.new(self, container):of(digest, {
    annotations = opts.annotations, artifact_type = opts.artifact_type,
  })
end

---@class oras.Discovery one call of discover
---@field registry oras.Registry
---@field container oras.Container
---@field seen table<string, boolean> by digest
---@field count integer
---@field tags? table<string, boolean>|false the repository's, once they were asked for
local function read_tags(registry, container)
  local tags, n = {}, 0
  for tag in registry:tags(container) do
    tags[tag], n = true, n + 1
    if n > MOST_TAGS then
      return nil
    end
  end
  return tags
end

-- Where tags list referrers, the list of tags says who has none: one question instead of many. It is
-- believed if it has a tag that is known to be there.
local function look_at_tags(self, level)
  local is_worth_it = self.tags == nil and #level >= MANY and self.container.kind == "registry"
    and referrers.has_api(self.registry, self.container) == false
  if not is_worth_it then
    return
  end
  local tags, err = errors.try(read_tags, self.registry, self.container)
  if err and err.class == "cancelled" then
    errors.raise(err)
  end
  self.tags = tags and tags[referrers.tag(level.above.digest)] and tags or false
end

local function ask(self, node, artifact_type)
  if self.tags and not self.tags[referrers.tag(node.digest)] then
    return {}
  end
  local list = self.registry:referrers(self.container:with_digest(node.digest), { artifact_type = artifact_type })
  if type(list) ~= "table" then
    errors.usage("referrers gives a list, not a %s", type(list))
  end
  return list
end

-- Each manifest stands in the tree once: what hostile lists could make a circle has an end.
local function hang(self, node, list)
  for _, entry in ipairs(list) do
    if not self.seen[entry.digest] then
      self.seen[entry.digest], self.count = true, self.count + 1
      local child = oci.descriptor(entry)
      child.referrers = core.json.array {}
      table.insert(node.referrers, child)
    end
  end
  local most = self.registry._limits.graph
  if self.count > most then
    errors.raise {
      class = "limit", message = ("referrers in %s: more than %d"):format(self.container:place(), most),
    }
  end
end

-- The children of a level, all asked for at once; `above` is a node that has some.
local function descend(self, level, artifact_type)
  look_at_tags(self, level)
  local next_level = {}
  local lists = task.map(level, function(node)
    return ask(self, node, artifact_type)
  end, { concurrency = self.registry._settings.concurrency })
  for i, node in ipairs(level) do
    hang(self, node, lists[i])
    next_level.above = next_level.above or (#node.referrers > 0 and node or nil)
    table.move(node.referrers, 1, #node.referrers, #next_level + 1, next_level)
  end
  return next_level
end

-- What is of another type stays where something of the right type refers to it, at whatever distance.
local function prune(node, artifact_type)
  local kept = core.json.array {}
  for _, child in ipairs(node.referrers) do
    prune(child, artifact_type)
    if child.artifactType == artifact_type or #child.referrers > 0 then
      kept[#kept + 1] = child
    end
  end
  node.referrers = kept
end

-- The last level asked for holds nothing but matches: the registry may choose them.
local function walk(discovery, root, opts)
  local level, depth = { root }, 0
  local most = discovery.registry._limits.referrers_depth
  while #level > 0 and depth ~= opts.depth do
    depth = depth + 1
    level = descend(discovery, level, depth == opts.depth and opts.artifact_type or nil)
    if depth > most and #level > 0 then
      errors.raise {
        class = "limit",
        message = ("referrers in %s: more than %d levels (the option depth shows less)"):format(
          discovery.container:place(), most),
      }
    end
  end
end

--- All that refers to a manifest, and what refers to that, and so on.
---
--- `depth`: so many levels (all by default); `artifact_type`: what is of that type, with all that
--- leads to it; `platform`: of that manifest of an index.
---@param ref string|oras.Container
---@param opts? { depth?: integer, artifact_type?: string, platform?: string|table }
---@return table descriptor with `referrers`, an array of such descriptors
---@raise oras.Error not_found, content, limit, auth, unsupported, ...
function Registry:discover(ref, opts)
  local container = self:get_container(ref)
  opts = options.check(opts, DISCOVER, "discover")
  if opts.depth and opts.depth < 1 then
    errors.usage("discover: depth is at least 1, not %d", opts.depth)
  end
  local root = oci.descriptor(self:resolve(container, { platform = opts.platform }))
  root.referrers = core.json.array {}
  walk({ registry = self, container = container, seen = { [root.digest] = true }, count = 0 }, root, opts)
  if opts.artifact_type then
    prune(root, opts.artifact_type)
  end
  return root
end
