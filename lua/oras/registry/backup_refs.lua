--- What is to be backed up: references as they are given, as manifests by tag or digest.
local core = require "oras.core"
local errors = require "oras.error"

local refs = {}

--- "localhost:5000" names a registry, "localhost:5000/team/" what is below; others are repositories.
---@param text string
---@return string? host
---@return string? prefix of the repositories
function refs.registry_of(text)
  local host, prefix = text:match "^([^/]+)/(.*)$"
  if host and (prefix == "" or prefix:sub(-1) == "/") then
    return host, prefix
  end
  local name, port = text:match "^([^/@]-):(%d+)$"
  name = name or (not text:find "[/:@]" and text) or (text:match "^%[[%x:.]+%]$")
  if name and (name == "localhost" or name:find("[.%[]")) and (port or not text:find ":%D") then
    return text, ""
  end
end

-- The tags that stand for lists of referrers (distribution-spec, "Referrers Tag Schema"): what they
-- list comes with its subjects, or is not wanted.
local function is_referrers_tag(tag)
  return tag:find "^sha%d+%-%x+$" ~= nil and #tag >= 71
end

local function add(self, item)
  table.insert(self.items, item)
end

-- A list may have names that are none.
local function add_tag(self, container, tag)
  local place, err = errors.try(container.with_tag, container, tag)
  if not place then
    add(self, { reference = ("%s:%s"):format(container:place(), tag), error = err })
  elseif not is_referrers_tag(tag) and (not self.filter or self.filter(place)) then
    add(self, { reference = place.uri, container = place })
  end
end

local function list_tags(self, text)
  local container = self.registry:get_container(text)
  for tag in self.registry:tags(container) do
    add_tag(self, container, tag)
  end
  return true
end

local function add_tags(self, text)
  local ok, err = errors.try(list_tags, self, text)
  if not ok then
    add(self, { reference = text, error = err })
  end
end

-- A catalog also lists repositories that have only blobs, or whose manifests were all deleted.
local function add_listed(self, text)
  local ok, err = errors.try(list_tags, self, text)
  if not ok and err.code == "NAME_UNKNOWN" then
    core.log.write("info", ("%s has no tags: nothing to back up"):format(text))
  elseif not ok then
    add(self, { reference = text, error = err })
  end
end

local function add_registry(self, host, prefix)
  self.is_wide = true
  local names = {}
  local ok, err = errors.try(function()
    for name in self.registry:repositories(host) do
      if name:sub(1, #prefix) == prefix then
        names[#names + 1] = name
      end
    end
    return true
  end)
  if ok and #names == 0 and prefix ~= "" then
    err = errors.new { class = "not_found", message = ('no repository below "%s/%s"'):format(host, prefix) }
  end
  if err then
    add(self, { reference = ("%s/%s"):format(host, prefix), error = err })
  end
  require("oras.task").map(names, function(name)
    add_listed(self, ("%s/%s"):format(host, name))
  end)
end

-- "host/repo:a,b" as the references of its names.
local function split(text)
  local before, tags = text:match "^(.*):([^:/@]+)$"
  if not tags or not tags:find(",", 1, true) then
    return { text }
  end
  local list = {}
  for tag in tags:gmatch "[^,]+" do
    list[#list + 1] = before .. ":" .. tag
  end
  return list
end

local function add_text(self, text)
  for _, one in ipairs(split(text)) do
    local container = self.registry:get_container(one)
    if container.implicit_tag then
      add_tags(self, one)
    else
      add(self, { reference = container.uri, container = container })
    end
  end
end

local function add_one(self, given)
  if type(given) ~= "string" then
    local container = self.registry:get_container(given)
    add(self, { reference = container.uri, container = container })
    return
  end
  local host, prefix = refs.registry_of(given)
  if host then
    add_registry(self, host, prefix)
  else
    add_text(self, given)
  end
end

-- The same manifest may be named twice.
local function once(items)
  local list, seen = {}, {}
  for _, item in ipairs(items) do
    if not seen[item.reference] then
      seen[item.reference] = true
      list[#list + 1] = item
    end
  end
  return list
end

local function count_places(items)
  local places, n = {}, 0
  for _, item in ipairs(items) do
    local place = item.container and item.container:place()
    if place and not places[place] then
      places[place], n = true, n + 1
    end
  end
  return n
end

--- Resolve what is given into one item a name, sorted; what cannot be listed is an item with its error.
---@param registry oras.Registry
---@param given string|table a reference or a list of them: a tag or digest, "repo:a,b", a repository
--- (all its tags), "host" or "host/prefix/" (all its repositories)
---@param filter? fun(container: oras.Container): boolean which of the tags that are listed
---@return oras.Item[]
---@return boolean is_wide of more than one repository
---@raise oras.Error usage
function refs.expand(registry, given, filter)
  local is_list = type(given) == "table" and not require("oras.container").is_container(given)
  local list = is_list and require("oras.options").list(given, "backup: the first argument") or { given }
  if #list == 0 then
    errors.usage "backup: the first argument is a reference or a list of them, which is not empty"
  end
  local self = { registry = registry, items = {}, filter = filter }
  for _, one in ipairs(list) do
    add_one(self, one)
  end
  local items = once(self.items)
  table.sort(items, function(a, b)
    return a.reference < b.reference
  end)
  return items, self.is_wide or count_places(items) > 1
end

return refs
