--- The tag that lists the referrers of a manifest where the registry has no API for them
--- (distribution-spec, "Referrers Tag Schema"): read, changed, written, and read again, as no
--- registry does that in one.
local core = require "oras.core"
local crew = require "oras.crew"
local descriptor = require "oras.descriptor"
local errors = require "oras.error"
local manifest = require "oras.manifest"
local media_types = require "oras.media_types"
local oci = require "oras.oci"
local referrers = require "oras.registry.referrers"
local adopt = require("oras.response").adopt

local fallback = {}

-- Others may write at the same time: how often it is tried, and the pause that grows.
local TRIES <const> = 6
local PAUSE <const> = 0.2

-- One at a time for each list, whoever in this process changes it.
local queues = {}

local function in_turn(key, fn)
  local queue = queues[key] or {}
  queues[key] = queue
  local _, err = errors.try(crew.in_turn, queue, fn)
  if #queue == 0 then
    queues[key] = nil
  end
  if err then
    errors.raise(err)
  end
end

-- Does the registry list referrers by itself? Asked once for each repository.
local function has_api(registry, container, digest)
  local endpoint = registry:_endpoint(container.host, container.host)
  endpoint.lists_referrers = endpoint.lists_referrers or {}
  local known = endpoint.lists_referrers[container.api_prefix]
  if known == nil then
    local answer = adopt(registry:do_request("GET", container:referrers_url(digest), {
      accept = media_types.index, http2 = true, max_bytes = registry._limits.manifest,
      repository = container.api_prefix,
    }), "do_request")
    known = answer.status == 200 and media_types.of_field(answer.headers["Content-Type"]) == media_types.index
    endpoint.lists_referrers[container.api_prefix] = known
  end
  return known
end

-- The list as it is: its bytes decoded anew, so that what we do not know of it stays.
local function read(registry, container)
  local doc, err = errors.try(registry.fetch_manifest, registry, container)
  if not doc then
    if err.class ~= "not_found" then
      errors.raise(err)
    end
    return oci.NewIndex(), false
  elseif not manifest.is_index(doc) or doc:media_type() ~= media_types.index then
    errors.raise {
      class = "content", retryable = false,
      message = ("%s should list referrers, but is no index; it is left as it is"):format(container.uri),
    }
  end
  return errors.check(core.json.decode(doc:raw(), { max_bytes = #doc:raw() })), true
end

local function position(list, digest)
  for i, entry in ipairs(list) do
    if entry.digest == digest then
      return i
    end
  end
end

local function write(registry, container, index)
  return errors.try(registry.upload_manifest, registry, container, errors.check(core.json.encode(index)), {
    media_type = media_types.index, referrers = false,
  })
end

-- A registry takes no list of what it does not have: entries whose manifests are gone.
local function drop_missing(registry, container, list, digest)
  local backend = registry:_backend(container)
  for i = #list, 1, -1 do
    local entry = list[i]
    if entry.digest ~= digest and not backend.head_manifest(registry, container:with_digest(entry.digest)) then
      table.remove(list, i)
    end
  end
end

local function store(registry, container, index, digest)
  local stored, err = write(registry, container, index)
  if not stored and err.code == "MANIFEST_BLOB_UNKNOWN" then
    drop_missing(registry, container, index.manifests, digest)
    stored, err = write(registry, container, index)
  end
  return stored or errors.raise(err)
end

-- Change the list until the change is seen in it.
local function persist(registry, container, digest, is_right, change)
  for try = 1, TRIES do
    local index = read(registry, container)
    if is_right(position(index.manifests, digest)) then
      return
    end
    if try == TRIES then
      break
    end
    if try > 1 then
      core.clock.sleep(PAUSE * try * math.random())
    end
    change(index.manifests)
    store(registry, container, index, digest)
  end
  errors.raise {
    class = "server", digest = digest, retryable = true,
    message = ("%s lists referrers; somebody else keeps changing it at the same time"):format(container.uri),
  }
end

local function change_list(registry, container, subject, digest, is_right, change)
  local place = container:with_tag(referrers.tag(subject.digest))
  in_turn(place.uri, function()
    persist(registry, place, digest, is_right, change)
  end)
end

-- An entry of the list: the type of an artifact without one is that of its config.
local function entry_of(out)
  local doc, entry = out.document, out:descriptor()
  local config = not media_types.is_index(out.media_type) and doc.config
  entry.artifactType = entry.artifactType or (config and config.mediaType) or nil
  entry.annotations = doc.annotations
  return entry
end

--- A manifest with a subject was stored: list it, unless the registry does.
---@param registry oras.Registry
---@param container oras.Container
---@param out oras.Outgoing
---@raise oras.Error content, server, ...
function fallback.add(registry, container, out)
  local subject = out.document.subject
  descriptor.of_caller(subject, "subject")
  if has_api(registry, container, subject.digest) then
    return
  end
  change_list(registry, container, subject, out.digest, function(found)
    return found ~= nil
  end, function(list)
    list[#list + 1] = entry_of(out)
  end)
end

--- A manifest with a subject was deleted: take it from the list, if there is one.
---@param registry oras.Registry
---@param container oras.Container
---@param subject table descriptor
---@param digest string
---@raise oras.Error content, server, ...
function fallback.remove(registry, container, subject, digest)
  if has_api(registry, container, subject.digest) then
    return
  end
  change_list(registry, container, subject, digest, function(found)
    return found == nil
  end, function(list)
    table.remove(list, position(list, digest))
  end)
end

return fallback
