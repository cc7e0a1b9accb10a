--- Who refers to a manifest (distribution-spec, "Listing Referrers"): by the referrers API, by the
--- tag that stands for it where there is none, and in a layout by what its index leads to.
local core = require "oras.core"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"
local manifest = require "oras.manifest"
local media_types = require "oras.media_types"
local remote = require "oras.registry.remote"

---@class oras.Referrers
local Referrers = { __name = "oras.Referrers" }
Referrers.__index = Referrers

local referrers = {}

---@class oras.ReferrersWanted
---@field artifact_type? string
---@field annotations? table<string, string|true> true: whatever its value is

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

--- Does the repository list referrers by itself? nil: nobody has asked yet. The option `referrers`
--- of the registry decides before it is asked.
---@param registry oras.Registry
---@param container oras.Container
---@return boolean?
function referrers.has_api(registry, container)
  local mode = registry._settings.referrers
  if mode == "api" or mode == "tag" then
    return mode == "api"
  end
  local endpoint = registry:_endpoint(container.host, container.host)
  return (endpoint.lists_referrers or {})[container.api_prefix]
end

--- Keep what was learnt about a repository, for all who ask later.
---@param registry oras.Registry
---@param container oras.Container
---@param has_api boolean
function referrers.note(registry, container, has_api)
  local endpoint = registry:_endpoint(container.host, container.host)
  endpoint.lists_referrers = endpoint.lists_referrers or {}
  endpoint.lists_referrers[container.api_prefix] = has_api
end

--- What a list says of a manifest (distribution-spec, "Pushing Manifests with Subject"): the type of
--- an artifact without one is that of its config.
---@param doc table decoded manifest or index
---@param described table its descriptor, which is filled in
---@return table
function referrers.describe(doc, described)
  local config = not media_types.is_index(described.mediaType) and doc.config
  described.artifactType = described.artifactType or (config and config.mediaType) or nil
  described.annotations = doc.annotations
  return described
end

--- Ask one place for referrers.
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

-- No type, or that of the empty config, which stands for none: the manifest knows (image-spec,
-- "Guidelines for Artifact Usage"; ggcr's registry lists the type of the config whatever it is).
local function is_untold(entry)
  return (entry.artifactType == nil or entry.artifactType == media_types.empty)
    and media_types.is_manifest(entry.mediaType)
end

local function learn_type(self, entry)
  local place = self.container:with_digest(entry.digest)
  local doc, err = errors.try(self.registry.fetch_manifest, self.registry, place, { expected = entry })
  if doc then
    entry.artifactType = referrers.describe(doc, doc:descriptor()).artifactType
  elseif err.class ~= "not_found" then
    errors.raise(err)
  end
end

local function learn_types(self, entries)
  local untold = {}
  for _, entry in ipairs(entries) do
    untold[#untold + 1] = is_untold(entry) and entry or nil
  end
  if #untold > 0 then
    require("oras.task").map(untold, function(entry)
      learn_type(self, entry)
    end, { concurrency = self.registry._settings.concurrency })
  end
end

local function has_annotations(entry, wanted)
  for key, value in pairs(wanted) do
    local found = entry.annotations and entry.annotations[key]
    if found == nil or (value ~= true and value ~= found) then
      return false
    end
  end
  return true
end

-- What a server says to have filtered it may still have filtered wrongly, as far as can be seen.
local function is_wanted(entry, wanted)
  return has_annotations(entry, wanted.annotations or {})
    and (not wanted.artifact_type or entry.artifactType == wanted.artifact_type)
end

local function collect(self, list, entries, wanted, is_filtered)
  list.seen = list.seen or {}
  local new = {}
  for _, entry in ipairs(entries) do
    if not list.seen[entry.digest] then
      list.seen[entry.digest], new[#new + 1] = true, entry
      entry.artifactType = type(entry.artifactType) == "string" and entry.artifactType or nil
      if is_filtered and is_untold(entry) then
        entry.artifactType = wanted.artifact_type
      end
    end
  end
  learn_types(self, new)
  for _, entry in ipairs(new) do
    list[#list + 1] = is_wanted(entry, wanted) and entry or nil
  end
end

-- A repository that is not there says nothing of the registry, nor does a digest that some who have
-- the API refuse with a 400.
local function is_missing(response)
  local code = response.status == 404 and require("oras.registry.status").read(response)
  return UNSUPPORTED[response.status] and response.status ~= 400 and code ~= "NAME_UNKNOWN"
end

-- Where there may be no other way, that is what is wrong.
local function refuse_missing(self, response)
  if is_missing(response) then
    errors.raise {
      class = "unsupported", status = response.status, retryable = false,
      message = ("%s: the registry has no referrers API"):format(self.container.registry),
      method = response.method, url = response.url and core.url.redact(response.url),
    }
  end
end

local function is_supported(self, response, digest, is_first)
  local mode = self.registry._settings.referrers
  if not UNSUPPORTED[response.status] or not is_first or mode == "api" then
    if is_first then
      refuse_missing(self, response)
    end
    self.registry:check_response(response, "list of referrers of", digest, self.container)
    local is_index = media_types.of_field(response.headers["Content-Type"]) == media_types.index
    if not is_index and (mode == "api" or not is_first) then
      errors.raise {
        class = mode == "api" and "unsupported" or "content", retryable = false,
        message = ("%s gives no list of referrers"):format(self.container:place()),
      }
    end
    return is_index
  end
  if is_missing(response) then
    referrers.note(self.registry, self.container, false)
  end
  return false
end

-- One page, or nil where there is no API.
local function ask(self, url, digest, from)
  local registry = self.registry
  local response = registry:do_request("GET", url, {
    accept = media_types.index,
    from = from,
    http2 = true,
    max_bytes = registry._limits.manifest,
    purpose = from and "link" or nil,
    repository = self.container.api_prefix,
  })
  return is_supported(self, response, digest, from == nil) and response or nil
end

-- Has the server left out what is of another type?
local function is_filtered_by_type(response)
  for _, field in ipairs(response.headers "OCI-Filters-Applied") do
    for name in field:gmatch "[^,%s]+" do
      if name == "artifactType" then
        return true
      end
    end
  end
  return false
end

local function first_page(container, digest, wanted)
  local url = container:referrers_url(digest)
  if not wanted.artifact_type then
    return url
  end
  return errors.check(core.url.append_query("https://" .. url, "artifactType", wanted.artifact_type)):sub(9)
end

local function by_api(self, digest, wanted)
  local url, list = first_page(self.container, digest, wanted), {}
  local links, pages, from = {}, 0, nil
  local what = ("referrers of %s in %s"):format(digest, self.container:place())
  while url do
    pages = pages + 1
    if pages > self.registry._limits.pages then
      errors.raise { class = "limit", message = ("%s: more than %d pages"):format(what, pages - 1) }
    end
    local response = ask(self, url, digest, from)
    local entries = response and entries_of(response:json { max_bytes = self.registry._limits.manifest }, what)
    if response and not entries and (from or self.registry._settings.referrers == "api") then
      errors.raise { class = "content", retryable = false, message = ("%s: /manifests is no array"):format(what) }
    elseif not entries then
      return nil
    end
    collect(self, list, entries, wanted, is_filtered_by_type(response))
    from, url = response.hop, remote.next_page(response, links, response.url)
  end
  return list
end

local function by_tag(self, digest, wanted)
  local container, list = self.container:with_tag(referrers.tag(digest)), {}
  local doc, err = errors.try(self.registry.fetch_manifest, self.registry, container)
  if not doc and err.class ~= "not_found" then
    errors.raise(err)
  end
  collect(self, list, doc and manifest.is_index(doc) and doc.manifests or {}, wanted)
  return list
end

local function in_layout(self, digest, wanted)
  local list = {}
  collect(self, list, require("oras.registry.layout_referrers").of(self.registry, self.container, digest), wanted)
  collect(self, list, by_tag(self, digest, {}), wanted)
  return list
end

--- The descriptors of the manifests whose subject is the digest, as the place lists them.
---@param digest string
---@param wanted? oras.ReferrersWanted all by default
---@return table[] the caller's to change
---@raise oras.Error content, limit, auth, ...
function Referrers:of(digest, wanted)
  wanted = wanted or {}
  local list
  if self.container.kind == "layout" then
    list = in_layout(self, digest, wanted)
  elseif referrers.has_api(self.registry, self.container) ~= false then
    list = by_api(self, digest, wanted)
    if list then
      referrers.note(self.registry, self.container, true)
    end
  end
  list = list or by_tag(self, digest, wanted)
  list.seen = nil
  return list
end

return referrers
