--- Registry:restore: what a layout has under its names, into registries.
local errors = require "oras.error"
local many = require "oras.registry.many"
local options = require "oras.options"

local Registry = require "oras.registry"

local RESTORE <const> = {
  concurrency = "integer", dry_run = "boolean", filter = "function|table", force = "boolean", map = "function|table",
  platforms = "string|table", referrers = "boolean", tags = "string|table",
}

---@class oras.RestoreOptions
---@field referrers? boolean false: without what refers to them
---@field map? function|table where to, instead: `fun(reference, name): string?` (nil leaves it out), or
--- beginnings of references by what they become; each has to be that of a name
---@field tags? string|string[] only these names
---@field platforms? string|table of an index only these
---@field filter? function|table as of copy
---@field force? boolean do not trust that a manifest which the target has is complete there
---@field concurrency? integer names at the same time; 8
---@field dry_run? boolean change nothing; each item's `stats.plan` says what would move

---@class oras.RestoreItem : oras.Item
---@field name string in the layout
---@field mediaType string
---@field digest string
---@field size integer
---@field done string "copied", or "exists" when the target has it already
---@field stats oras.CopyStats

-- "localhost:6000/" and "localhost:6000/mirror/" take repositories in; else it is a repository.
local function is_prefix(ref)
  return ref:sub(-1) == "/" or require("oras.registry.backup_refs").registry_of(ref) ~= nil
end

-- The repositories of names that are whole references.
local function repositories_of(self, names)
  local known, n = {}, 0
  for _, name in ipairs(names) do
    local full = many.is_full(name) and errors.try(self.get_container, self, name)
    local place = full and full:place()
    if place and not known[place] then
      known[place], n = true, n + 1
    end
  end
  return n
end

local function with_name(place, container)
  if container.digest then
    return place:with_digest(container.digest)
  end
  return place:with_tag(container.tag)
end

-- Names of one repository go into the one that is given; of several, those whose path is the same.
local function into_repository(self, place, name, n_repositories)
  if not many.is_full(name) then
    return place:with_tag(name).uri
  end
  local full = self:get_container(name)
  if n_repositories == 1 or full.api_prefix == place.api_prefix then
    return with_name(place, full).uri
  end
end

local function below(self, prefix, name)
  if not many.is_full(name) then
    errors.usage('restore: "%s" is a tag; which repository of %s?', name, prefix)
  end
  local full = self:get_container(name)
  return with_name(self:get_container(("%s%s"):format(prefix, full.api_prefix)), full).uri
end

-- Where a name goes by what the caller said; a text, nil: nowhere.
local function destination(self, to, name)
  if to.place then
    return into_repository(self, to.place, name, to.n_repositories)
  elseif to.prefix then
    return below(self, to.prefix, name)
  end
  return name
end

local function begins(reference, from)
  local behind = reference:sub(#from + 1, #from + 1)
  return reference:sub(1, #from) == from
    and (behind == "" or from:sub(-1) == "/" or behind:find "[/:@]" ~= nil)
end

local function by_table(map, reference)
  local best
  for from in pairs(map) do
    if begins(reference, from) and (not best or #from > #best) then
      best = from
    end
  end
  return best and map[best] .. reference:sub(#best + 1) or reference
end

local function mapped(map, reference, name)
  if type(map) == "table" then
    return by_table(map, reference)
  elseif map then
    return map(reference, name)
  end
  return reference
end

-- "host/repo:a,b" has the names that are wanted.
local function split(self, ref, tags)
  local text, more = ref, nil
  if type(ref) == "string" then
    local before, list = ref:match "^(.*):([^:/@]+)$"
    if list and list:find(",", 1, true) then
      text, more = before, {}
      for tag in list:gmatch "[^,]+" do
        more[#more + 1] = tag
      end
    end
  end
  local place = self:get_container(text)
  if place.digest then
    errors.usage "restore: names are restored, so that the target has no digest"
  elseif not more and not place.implicit_tag then
    more = { place.tag }
  end
  return place, tags or more
end

local function target_of(self, ref, opts)
  local tags = opts.tags
  if ref == nil then
    return {}, tags
  elseif type(ref) == "string" and is_prefix(ref) then
    return { prefix = ref:sub(-1) == "/" and ref or ref .. "/" }, tags
  end
  local place
  place, tags = split(self, ref, tags)
  return { place = place }, tags
end

-- A name by its tag, or as it stands in the layout.
local function wanted_names(names, tags)
  if not tags then
    return names
  end
  local list, known = {}, {}
  for _, name in ipairs(names) do
    local tag = many.is_full(name) and name:match ":([^:/@]+)$"
    for _, key in ipairs { name, tag or nil } do
      known[key] = known[key] or {}
      table.insert(known[key], name)
    end
  end
  for _, tag in ipairs(tags) do
    local found = known[tag]
    table.move(found or { tag }, 1, found and #found or 1, #list + 1, list)
  end
  return list
end

local function item_of(self, from, to, name, map)
  local reference = destination(self, to, name)
  reference = reference and mapped(map, reference, name)
  if not reference then
    return nil
  elseif type(reference) ~= "string" then
    errors.usage("restore: map gives a reference, not a %s", type(reference))
  elseif not many.is_full(reference) then
    errors.usage("restore: %q is a tag; the second argument says which repository it goes into", name)
  end
  return { name = name, reference = reference, container = self:get_container(reference), from = from:with_tag(name) }
end

local function begins_any(references, from)
  for _, reference in ipairs(references) do
    if begins(reference, from) then
      return true
    end
  end
end

-- Names whose beginning was mistyped would be written to where they came from.
local function check_map(self, to, names, map)
  local references = {}
  for _, name in ipairs(type(map) == "table" and names or {}) do
    references[#references + 1] = errors.try(destination, self, to, name)
  end
  for from in pairs(#references > 0 and map or {}) do
    if not begins_any(references, from) then
      errors.usage('restore: map: no name begins with "%s"; one is "%s"', from, references[1])
    end
  end
end

local function add_item(self, items, from, to, name, map)
  local item, err = errors.try(item_of, self, from, to, name, map)
  if err then
    item = { name = name, reference = name, error = err }
  end
  items[#items + 1] = item
end

local function items_of(self, from, ref, opts)
  local names = self:get_tags(from)
  local to, tags = target_of(self, ref, opts)
  to.n_repositories = repositories_of(self, names)
  names = wanted_names(names, tags)
  check_map(self, to, names, opts.map)
  local items = {}
  for _, name in ipairs(names) do
    add_item(self, items, from, to, name, opts.map)
  end
  if #items == 0 then
    errors.raise {
      class = "not_found", message = ('nothing in %s goes to "%s"'):format(from:place(), tostring(ref or "a registry")),
    }
  end
  return items
end

-- Copies into one repository share what they learn of it; those into one registry, what can be mounted.
local function share(items)
  local places, registries = {}, {}
  for _, item in ipairs(items) do
    local to = item.container
    if to then
      local place, host = to:place(), to.registry or ""
      registries[host] = registries[host] or {}
      places[place] = places[place] or many.shared(registries[host])
      to.shared = places[place]
    end
  end
end

local function restore_one(self, item, opts)
  local d, stats = self:copy(item.from, item.container, {
    concurrency = opts.concurrency, dry_run = opts.dry_run, filter = opts.filter, force = opts.force,
    platforms = opts.platforms, recursive = opts.referrers ~= false,
  })
  item.mediaType, item.digest, item.size, item.artifactType = d.mediaType, d.digest, d.size, d.artifactType
  item.stats = stats
  item.done = stats.manifests > 0 and "copied" or "exists"
end

local function check(given)
  local opts = options.copied(options.check(given, RESTORE, "restore"))
  if opts.concurrency and opts.concurrency < 1 then
    errors.usage("restore: concurrency is at least 1, not %d", opts.concurrency)
  end
  for from, into in pairs(type(opts.map) == "table" and opts.map or {}) do
    if type(from) ~= "string" or type(into) ~= "string" then
      errors.usage "restore: map is a function or a table of beginnings of references by what they become"
    end
  end
  opts.tags = opts.tags and options.texts(opts.tags, "restore: tags")
  require("oras.registry.copy_root").check_platforms(opts.platforms, "restore")
  opts.filter = require("oras.registry.copy_filter").of(opts.filter)
  return opts
end

--- Bring what a layout (a directory or a tar) has under its names to a registry, with what refers to it.
--- What is there is not sent again. What fails does not lose the others, and is raised at the end.
---@param path string
---@param ref? string|oras.Container a repository, with tags ("host/repo:a,b") only these; "host" or
--- "host/prefix/": the repositories that the names are of, there; nil: where they came from
---@param opts? oras.RestoreOptions
---@return oras.RestoreItem[]
---@raise oras.Error not_found, auth, denied, content, ...; `failures` has what failed, `done` what is restored
function Registry:restore(path, ref, opts)
  opts = check(opts)
  local from = many.layout_at(self, path, "restore")
  local items = items_of(self, from, ref, opts)
  share(items)
  many.run(items, function(item)
    restore_one(self, item, opts)
  end, opts.concurrency)
  return many.finish(items, "restored")
end
