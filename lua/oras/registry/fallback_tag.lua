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
local TRIES <const> = 8
local PAUSE <const> = 0.2

-- Who has read before we wrote and writes after us takes our change away: before it counts as done,
-- the list is looked at again after so many times as long as we took ourselves, within bounds.
local SETTLING <const> = 2
local LEAST_SETTLING <const> = 0.02
local MOST_SETTLING <const> = 1

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

-- Where the processes of a user wait for each other: one lock for all lists, for so many seconds.
local WAIT <const> = 30

local function directory()
  local runtime, cache, home = os.getenv "XDG_RUNTIME_DIR", os.getenv "XDG_CACHE_HOME", os.getenv "HOME"
  for _, path in ipairs { runtime or "", cache or "", (home or "") .. "/.cache" } do
    if path:find "^/." then
      return path
    end
  end
end

-- Without it the list is looked at twice all the same, which is all that there is between machines.
local function lock()
  local path = directory()
  if not path then
    return nil
  end
  local held, err = core.file.lock(path .. "/oras-lua/referrers", WAIT)
  if not held then
    core.log.write("debug", "lists of referrers are changed without a lock: " .. err.message)
  end
  return held
end

-- Does the registry list referrers by itself? Asked once for each repository. A layout does not need
-- a list, but one that other tools have made for theirs is kept.
local function has_api(registry, container, digest)
  if container.kind == "layout" then
    local store = require("oras.registry.layout_place").open(registry, container)
    return registry._settings.referrers ~= "tag" and not store:find_tag(referrers.tag(digest))
  end
  local known = referrers.has_api(registry, container)
  if known ~= nil then
    return known
  end
  local answer = adopt(registry:do_request("GET", container:referrers_url(digest), {
    accept = media_types.index, http2 = true, max_bytes = registry._limits.manifest,
    repository = container.api_prefix,
  }), "do_request")
  if answer.status == 429 or (answer.status >= 500 and answer.status ~= 501) then
    registry:check_response(answer, "list of referrers of", digest, container)
  end
  known = answer.status == 200 and media_types.of_field(answer.headers["Content-Type"]) == media_types.index
  referrers.note(registry, container, known)
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

-- Gives the error when what is listed went between the look and the write: the next look tells.
local function store(registry, container, index, digest)
  local stored, err = write(registry, container, index)
  if not stored and err.code == "MANIFEST_BLOB_UNKNOWN" then
    drop_missing(registry, container, index.manifests, digest)
    stored, err = write(registry, container, index)
  end
  if stored then
    return nil
  end
  return err.code == "MANIFEST_BLOB_UNKNOWN" and err or errors.raise(err)
end

---@class oras.ListChange
---@field registry oras.Registry
---@field place oras.Container of the list
---@field digest string of the manifest
---@field is_right fun(position?: integer): boolean
---@field change fun(list: table[])
---@field known table<string, table> entries that were there at one time
---@field refusal? oras.Error of the last write

-- What others had listed and is not there any more, although its manifest is: it was lost when two
-- wrote at once, and who listed it may have gone.
local function find_lost(job, list)
  local there, found = {}, {}
  for _, entry in ipairs(list) do
    there[entry.digest], job.known[entry.digest] = true, entry
  end
  local backend = job.registry:_backend(job.place)
  for digest, entry in pairs(job.known) do
    if not there[digest] and digest ~= job.digest
      and backend.head_manifest(job.registry, job.place:with_digest(digest)) then
      found[#found + 1] = entry
    end
  end
  return found
end

-- One look; true when all is well, or else it is changed, and others get the time to do so.
local function attempt(job, is_last)
  local began = core.clock.monotonic()
  local index = read(job.registry, job.place)
  local list = index.manifests
  local lost, is_right = find_lost(job, list), job.is_right(position(list, job.digest))
  if is_right and #lost == 0 then
    return true
  elseif is_last then
    return false
  elseif not is_right then
    job.change(list)
  end
  table.move(lost, 1, #lost, #list + 1, list)
  job.refusal = store(job.registry, job.place, index, job.digest)
  local took = core.clock.monotonic() - began
  core.clock.sleep(math.min(math.max(SETTLING * took, LEAST_SETTLING), MOST_SETTLING))
  return false
end

-- Change the list until the change is seen in it.
local function persist(job)
  for try = 1, TRIES do
    if try > 2 then -- the second only looks whether the first has done it
      core.clock.sleep(PAUSE * try * math.random())
    end
    if attempt(job, try == TRIES) then
      return
    end
  end
  errors.raise(job.refusal or {
    class = "server", digest = job.digest, retryable = true,
    message = ("%s lists referrers; somebody else keeps changing it at the same time"):format(job.place.uri),
  })
end

local function change_list(registry, container, subject, digest, is_right, change)
  local place = container:with_tag(referrers.tag(subject.digest))
  in_turn(place.uri, function()
    local _ <close> = lock()
    persist {
      registry = registry, place = place, digest = digest, is_right = is_right, change = change, known = {},
    }
  end)
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
    list[#list + 1] = referrers.describe(out.document, out:descriptor())
  end)
end

--- A manifest with a subject was deleted: take it from the list, if there is one.
---@param registry oras.Registry
---@param container oras.Container
---@param subject table descriptor
---@param digest string
---@raise oras.Error content, server, ...
function fallback.remove(registry, container, subject, digest)
  local is_known = type(subject) == "table" and type(subject.digest) == "string" and core.digest.parse(subject.digest)
  if not is_known or has_api(registry, container, subject.digest) then
    return
  end
  change_list(registry, container, subject, digest, function(found)
    return found == nil
  end, function(list)
    table.remove(list, position(list, digest))
  end)
end

return fallback
