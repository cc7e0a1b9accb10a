--- Who refers to a manifest (distribution-spec, "Listing Referrers"): by the referrers API, by the
--- tag that stands for it where there is none, and in a layout by what its index lists.
local core = require "oras.core"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"
local layouts = require "oras.layout"
local manifest = require "oras.manifest"
local media_types = require "oras.media_types"
local remote = require "oras.registry.remote"

---@class oras.Referrers
local Referrers = { __name = "oras.Referrers" }
Referrers.__index = Referrers

local referrers = {}

-- Answers that say there is no such API (registries differ), not that nobody refers.
local UNSUPPORTED <const> = { [400] = true, [404] = true, [405] = true, [406] = true, [501] = true }

--- The tag that lists the referrers of a digest where a registry has no API for it.
---@param digest string
---@return string
function referrers.tag(digest)
  local algorithm, encoded = digest:match "^([^:]+):(.*)$"
  local tag = algorithm:sub(1, 32) .. "-" .. encoded:sub(1, 64)
  return (tag:gsub("[^%w._-]", "-"))
end

--- Ask one place for referrers; what was learnt about it is kept for the next question.
---@param registry oras.Registry
---@param container oras.Container
---@return oras.Referrers
function referrers.new(registry, container)
  return setmetatable({ registry = registry, container = container }, Referrers)
end

local function entries_of(document, what)
  if type(document) ~= "table" or not core.json.is_array(document.manifests) then
    return nil
  end
  for i, entry in ipairs(document.manifests) do
    local ok, err = errors.try(function()
      descriptor.check(entry, ("/manifests/%d"):format(i - 1))
      return true
    end)
    if not ok then
      errors.raise(errors.name(err, what, {}))
    end
  end
  return document.manifests
end

local function collect(list, seen, entries)
  for _, entry in ipairs(entries) do
    if not seen[entry.digest] then
      seen[entry.digest] = true
      list[#list + 1] = entry
    end
  end
end

-- One page, or nil where there is no API.
local function ask(self, url, from)
  local registry = self.registry
  local response = registry:do_request("GET", url, {
    accept = media_types.index,
    from = from,
    http2 = true,
    max_bytes = registry._limits.manifest,
    purpose = from and "link" or nil,
    repository = self.container.api_prefix,
  })
  if UNSUPPORTED[response.status] then
    if self.has_api == nil and response.status ~= 400 then -- 400: some that have it, for a digest they do not know
      self.has_api = false
    end
    return nil
  end
  registry:check_response(response, "list of referrers", "all", self.container)
  return media_types.of_field(response.headers["Content-Type"]) == media_types.index and response or nil
end

local function by_api(self, digest)
  local url, list, seen = self.container:referrers_url(digest), {}, {}
  local links, pages, from = {}, 0, nil
  local what = ("referrers of %s in %s"):format(digest, self.container:place())
  while url do
    pages = pages + 1
    if pages > self.registry._limits.pages then
      errors.raise { class = "limit", message = ("%s: more than %d pages"):format(what, pages - 1) }
    end
    local response = ask(self, url, from)
    local entries = response and entries_of(response:json { max_bytes = self.registry._limits.manifest }, what)
    if not entries then
      return nil
    end
    collect(list, seen, entries)
    from, url = response.hop, remote.next_page(response, links, response.url)
  end
  return list
end

local function by_tag(self, digest)
  local container = self.container:with_tag(referrers.tag(digest))
  local doc, err = errors.try(self.registry.fetch_manifest, self.registry, container)
  if not doc then
    return err.class == "not_found" and {} or errors.raise(err)
  end
  return manifest.is_index(doc) and doc.manifests or {}
end

-- A layout lists in its index what no other manifest leads to: subjects are found by reading all.
local function read_layout(self)
  local registry, container = self.registry, self.container
  local by_subject, store <close> = {}, layouts.open(container.path)
  for _, entry in ipairs(store:index().manifests) do
    if media_types.is_manifest(entry.mediaType) or media_types.is_index(entry.mediaType) then
      local doc = registry:fetch_manifest(container:with_digest(entry.digest), { expected = entry })
      local subject = doc.subject and doc.subject.digest
      if subject then
        by_subject[subject] = by_subject[subject] or {}
        table.insert(by_subject[subject], doc:descriptor())
      end
    end
  end
  return by_subject
end

local function in_layout(self, digest)
  self.by_subject = self.by_subject or read_layout(self)
  local list, seen = {}, {}
  collect(list, seen, self.by_subject[digest] or {})
  collect(list, seen, by_tag(self, digest))
  return list
end

--- The descriptors of the manifests whose subject is the digest, as the place lists them.
---@param digest string
---@return table[]
---@raise oras.Error content, limit, auth, ...
function Referrers:of(digest)
  if self.container.kind == "layout" then
    return in_layout(self, digest)
  end
  local list = self.has_api ~= false and by_api(self, digest)
  if list then
    self.has_api = true
    return list
  end
  return by_tag(self, digest)
end

return referrers
