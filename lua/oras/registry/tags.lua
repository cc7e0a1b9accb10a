--- Registry methods on lists: tags of a repository, repositories of a registry.
local errors = require "oras.error"
local options = require "oras.options"
local private = require "oras.registry.private"

local Registry = require "oras.registry"

local TAGS <const> = {
  N = "integer", exclude_digest_tags = "boolean", filter = "function|string", last = "string",
}

-- Tags that stand for a digest: of the referrers tag schema (distribution-spec) and of tools
-- that copied its shape, sha256-<hex>[.sig].
local function is_digest_tag(tag)
  return tag:find("^sha256%-%x+") ~= nil or tag:find("^sha512%-%x+") ~= nil
end

local function wanted(tag, opts)
  if opts.exclude_digest_tags and is_digest_tag(tag) then
    return false
  end
  local filter = opts.filter
  if type(filter) == "string" then
    return tag:find(filter) ~= nil
  end
  return not filter or filter(tag)
end

-- Iterate over the items of pages.
local function items(next_page)
  local page, i = {}, 0
  return function()
    while i >= #page do
      page, i = next_page(), 0
      if not page then
        next_page = function() end
        page = {}
        return nil
      end
    end
    i = i + 1
    return page[i]
  end
end

local function tag_items(self, ref, opts, verb)
  local container = self:get_container(ref)
  opts = options.check(opts, TAGS, verb)
  if opts.N and opts.N < 1 then
    errors.usage("%s: N is at least 1, not %d", verb, opts.N)
  end
  if type(opts.filter) == "string" and not pcall(string.find, "", opts.filter) then
    errors.usage("%s: filter %q is no pattern of Lua", verb, opts.filter)
  end
  local pages = self:_backend(container).tag_pages(self, container, {
    page_size = not opts.filter and not opts.exclude_digest_tags and opts.N or nil,
    last = opts.last,
  })
  local all, left = items(pages), opts.N or math.huge
  return function()
    while left > 0 do
      local tag = all()
      if tag == nil then
        return nil
      elseif wanted(tag, opts) then
        left = left - 1
        return tag
      end
    end
  end
end

--- The tags of a repository or layout, as they are listed.
---@param ref string|oras.Container
---@param opts? { N?: integer, last?: string, filter?: string|function, exclude_digest_tags?: boolean }
--- `N`: at most so many; `last`: those behind that tag; `filter`: a Lua pattern or function(tag)
---@return string[]
---@raise oras.Error not_found, auth, limit, ...
function Registry:get_tags(ref, opts)
  local tags = {}
  for tag in tag_items(self, ref, opts, "get_tags") do
    tags[#tags + 1] = tag
  end
  return tags
end

--- Iterate over the tags, asking for pages as they are needed.
---@param ref string|oras.Container
---@param opts? table as for get_tags
---@return function iterator
---@raise oras.Error not_found, auth, limit, ...
function Registry:tags(ref, opts)
  return tag_items(self, ref, opts, "tags")
end

--- Iterate over the repositories of a registry (an extension that many registries refuse).
---@param host? string the option `hostname` by default
---@param opts? { last?: string }
---@return function iterator
---@raise oras.Error auth, denied, unsupported, ...
function Registry:repositories(host, opts)
  local _ = private[self]
  host = host or self.hostname
  opts = options.check(opts, { last = "string" }, "repositories")
  if type(host) ~= "string" or host:find("[/%s]") then
    errors.usage('repositories: the registry is a "host" or "host:port"')
  end
  local place = {}
  function place.place()
    return host
  end
  return items(require("oras.registry.remote").pages(self, {
    url = host .. "/v2/_catalog",
    field = "repositories",
    kind = "list",
    name = "_catalog",
    place = place,
    scope = "registry:catalog:*",
  }, { last = opts.last }))
end
