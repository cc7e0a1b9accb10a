--- How names, manifests and blobs leave a registry without taking others along.
local core = require "oras.core"
local errors = require "oras.error"
local oci = require "oras.oci"
local task = require "oras.task"
local adopt = require("oras.response").adopt

local remote = {}

-- Statuses that say "not here", of registries that differ.
local UNSUPPORTED <const> = { [400] = true, [405] = true, [501] = true }
local UNKNOWN <const> = { MANIFEST_UNKNOWN = true, NAME_UNKNOWN = true, TAG_UNKNOWN = true }
local PLACEHOLDER <const> = "application/vnd.oras-lua.placeholder.v1"
local SHOWN <const> = 10 -- siblings that a message names

-- A DELETE that was sent twice may have worked the first time.
local function delete(registry, container, url)
  local answer = adopt(registry:do_request("DELETE", url, {
    http2 = true, repository = container.api_prefix,
  }), "do_request")
  return answer, answer.status < 300 or (answer.status == 404 and (answer.attempts or 1) > 1)
end

local function delete_digest(registry, container, digest)
  return delete(registry, container, container:manifest_url(digest))
end

-- The manifest of a tag, or nil.
local function find(registry, container)
  local doc, err = errors.try(registry.fetch_manifest, registry, container)
  if not doc and err.class ~= "not_found" then
    errors.raise(err)
  end
  return doc
end

-- Does a tag stand for a digest? What cannot be asked is no sibling.
local function names_it(registry, container, tag, digest)
  local found, err = errors.try(registry.resolve, registry, container:with_tag(tag))
  if err and err.class ~= "not_found" and err.class ~= "content" then
    errors.raise(err)
  end
  return found ~= nil and found.digest == digest
end

-- All tags of a manifest, sorted.
local function tags_of(registry, container, digest)
  local tags, found = registry:get_tags(container), {}
  local is_one = task.map(tags, function(tag)
    return names_it(registry, container, tag, digest)
  end)
  for i, tag in ipairs(tags) do
    if is_one[i] then
      found[#found + 1] = tag
    end
  end
  table.sort(found)
  return found
end

local function placeholder(registry)
  local _, raw = registry:pack_manifest {
    artifact_type = PLACEHOLDER,
    annotations = { ["org.oras-lua.placeholder"] = ("%016x%016x"):format(math.random(0), math.random(0)) },
  }
  return raw, core.digest.of(raw)
end

-- Can a manifest be deleted by digest at all? Asked with one that is not there.
local function deletes(registry, container, digest)
  local answer, good = delete_digest(registry, container, digest)
  if not good and answer.status ~= 404 and not UNSUPPORTED[answer.status] then
    registry:check_response(answer, "delete of manifest", digest, container)
  end
  return good or answer.status == 404
end

local function algorithm_of(doc)
  return doc:descriptor().digest:match "^[^:]+"
end

-- Whatever happens on the way, the tag ends where it was or nowhere.
local Restored = {}

function Restored.__close(state)
  if not state.is_done then
    errors.try(state.registry.upload_manifest, state.registry, state.place, state.before:raw(), {
      algorithm = algorithm_of(state.before), media_type = state.before:media_type(), referrers = false,
    })
  end
end

-- A manifest that nothing else names takes the tag, and the tag goes with it.
local function replace(registry, place, before)
  local raw, digest = placeholder(registry)
  if not deletes(registry, place, digest) then
    return false
  end
  registry:upload_blob(place, { data = "{}" }, oci.empty_descriptor())
  local state <close> = setmetatable({ registry = registry, place = place, before = before }, Restored)
  registry:upload_manifest(place, raw, { referrers = false })
  local answer, good = delete_digest(registry, place, digest)
  state.is_done = good
  if not good and not UNSUPPORTED[answer.status] then
    registry:check_response(answer, "delete of manifest", digest, place)
  end
  return good
end

local function refuse(registry, place, digest)
  local siblings = {}
  for _, tag in ipairs(tags_of(registry, place, digest)) do
    if tag ~= place.tag then
      siblings[#siblings + 1] = tag
    end
  end
  local text = "it has no other tag"
  if #siblings > 0 then
    text = ("the tags %s%s would go with it"):format(table.concat(siblings, ", ", 1, math.min(#siblings, SHOWN)),
      #siblings > SHOWN and (" and %d more"):format(#siblings - SHOWN) or "")
  end
  errors.raise {
    class = "unsupported", code = "UNSUPPORTED", digest = digest, method = "DELETE", retryable = false,
    message = ('%s deletes no tags, only whole manifests: with "%s" %s would be deleted, and %s (force = true does it)')
      :format(place:place(), place.tag, digest, text),
  }
end

local function is_refused(registry, place, answer)
  if UNSUPPORTED[answer.status] then
    return true
  elseif answer.status ~= 404 then
    registry:check_response(answer, "delete of tag", place.tag, place)
  end
  local code = require("oras.registry.status").read(answer)
  return not UNKNOWN[code] -- a server that knows no such request says 404, too
end

--- Take a tag away.
---@param registry oras.Registry
---@param container oras.Container
---@param tag string
---@param opts { placeholder?: boolean, force?: boolean }
---@return boolean deleted false: it was not there
function remote.delete_tag(registry, container, tag, opts)
  local place = container:with_tag(tag)
  local answer, good = delete(registry, place, place:manifest_url())
  if good or not is_refused(registry, place, answer) then
    return good
  end
  local before = find(registry, place)
  if not before then
    return false
  elseif opts.placeholder ~= false and replace(registry, place, before) then
    return true
  end
  local digest = before:descriptor().digest
  if not opts.force then
    refuse(registry, place, digest)
  end
  remote.delete_manifest(registry, place, digest, { find_tags = false })
  return true
end

-- The document, for its subject; what cannot be read has none that could be known.
local function read(registry, container)
  local doc, err = errors.try(registry.fetch_manifest, registry, container)
  local is_unreadable = err and (err.class == "content" or err.class == "integrity" or err.class == "limit")
  if not doc and not is_unreadable then
    errors.raise(err)
  end
  return doc
end

--- Delete a manifest, and with it all its tags.
---@param registry oras.Registry
---@param container oras.Container
---@param digest string
---@param opts { find_tags?: boolean }
---@return string[]? tags
function remote.delete_manifest(registry, container, digest, opts)
  local place = container:with_digest(digest)
  local doc = read(registry, place)
  local tags
  if opts.find_tags ~= false then
    tags = tags_of(registry, place, digest)
  end
  local answer, good = delete_digest(registry, place, digest)
  if not good then
    registry:check_response(answer, "delete of manifest", digest, place)
  end
  if doc and doc.subject then
    require("oras.registry.fallback_tag").remove(registry, place, doc.subject, digest)
  end
  return tags
end

--- Delete a blob.
---@param registry oras.Registry
---@param container oras.Container
---@param digest string
function remote.delete_blob(registry, container, digest)
  local answer, good = delete(registry, container, container:blob_url(digest))
  if not good then
    registry:check_response(answer, "blob", digest, container)
  end
end

--- Give a manifest more names.
---@param registry oras.Registry
---@param container oras.Container
---@param names string[]
---@return table descriptor
function remote.tag(registry, container, names)
  local doc = registry:get_manifest(container)
  return registry:upload_manifest(container:with_tag(names[1]), doc:raw(), {
    algorithm = algorithm_of(doc), media_type = doc:media_type(), tags = names, referrers = false,
  })
end

return remote
