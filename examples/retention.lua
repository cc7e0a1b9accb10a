--- Delete old tags of a repository: what is older than DAYS, except the newest KEEP.
---
---     oras-lua examples/retention.lua REPOSITORY KEEP DAYS [delete]
---
--- It says what it would do, and does it with `delete`. A manifest goes with all its tags: none that
--- shares its manifest with one that stays, nor what an index that stays is made of, nor the undated.
local oras = require "oras"

local Retention = oras.Registry:extend "Retention"

local NO_TIME <const> = -math.huge

-- Builders that want the same bytes every time say 1970 or 1980; there were no images before 2013.
local FIRST <const> = 1356998400

-- Seconds since 1970 of a time of RFC 3339; what is none, or made up, is no time.
local function seconds_of(text)
  local y, m, d, h, min, s, zone = tostring(text):match "^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt](%d%d):(%d%d):(%d%d%.?%d*)(.+)$"
  local sign, hours, minutes = (zone or ""):match "^([+-])(%d%d):(%d%d)$"
  y, m, d, h, min, s = tonumber(y), tonumber(m), tonumber(d), tonumber(h), tonumber(min), tonumber(s)
  if not (sign or zone == "Z" or zone == "z") or m < 1 or m > 12 or d < 1 or d > 31 or h > 23 or min > 59 or s > 60 then
    return NO_TIME
  end
  local year = m > 2 and y or y - 1 -- from March to February, so that a leap day comes last
  local days = year * 365 + year // 4 - year // 100 + year // 400 + (153 * ((m + 9) % 12) + 2) // 5 + d - 719469
  local seconds = ((days * 24 + h) * 60 + min) * 60 + s
  if sign then
    seconds = seconds - tonumber(sign .. "1") * (hours * 60 + minutes) * 60
  end
  return seconds >= FIRST and seconds or NO_TIME
end

local function show(time)
  return time == NO_TIME and "no date" or os.date("!%Y-%m-%dT%H:%M:%SZ", time // 1 | 0)
end

-- When a manifest was made: what it says, its config, or the first child of an index.
function Retention:created(place, manifest)
  local text = (manifest.annotations or {})["org.opencontainers.image.created"]
  local part = not text and manifest.manifests and manifest.manifests[1]
  if part then
    return self:created(place:with_digest(part.digest), self:get_manifest(place:with_digest(part.digest)))
  end
  local config = not text and manifest.config and self:get_config(place)
  return seconds_of(text or type(config) == "table" and config.created)
end

-- The digests of what an index is made of, those in its indexes, too: they may have no tag.
function Retention:parts(place, manifest, digests)
  for _, part in ipairs(manifest.manifests or {}) do
    local new, kind = not digests[part.digest], part.mediaType
    digests[part.digest] = true
    if new and (kind:find "index" or kind:find "manifest%.list") then
      self:parts(place, self:get_manifest(place:with_digest(part.digest)), digests)
    end
  end
  return digests
end

-- The manifests that have tags, newest first; `kept` says why one stays.
function Retention:plan(name, keep, days)
  local repository, groups, list = self:get_container(name), {}, {}
  for _, tag in ipairs(self:get_tags(repository, { exclude_digest_tags = true })) do
    local manifest = self:get_manifest(repository:with_tag(tag))
    local digest = manifest:descriptor().digest
    local group = groups[digest] or { place = repository:with_digest(digest) }
    if not groups[digest] then
      group.parts = self:parts(repository, manifest, {})
      group.time = self:created(group.place, manifest)
      groups[digest], list[#list + 1] = group, group
    end
    group[#group + 1] = tag
  end
  table.sort(list, function(a, b) return a.time > b.time end) -- without a time: last
  local function stay(group, why)
    if why and group and not group.kept then
      group.kept = why
      for digest in pairs(group.parts) do stay(groups[digest], "part of another") end
    end
  end
  local limit, last = os.time() - days * 86400, list[math.min(keep, #list)]
  for _, group in ipairs(list) do -- of several as new as the last of the newest, none is older
    stay(group, last and group.time >= last.time and "among the newest"
      or (group.time >= limit or group.time == NO_TIME) and "not known to be old" or nil)
  end
  return list
end

if oras.is_main() then
  local name, keep, days, verb = arg[1], math.tointeger(tonumber(arg[2])), tonumber(arg[3]), arg[4]
  if not keep or keep < 0 or not days or days < 0 or verb and verb ~= "delete" then
    io.stderr:write "usage: retention.lua REPOSITORY KEEP DAYS [delete]\n"
    os.exit(2)
  end
  local retention = Retention:new()
  local plan = retention:plan(name, keep, days)
  for _, g in ipairs(plan) do print(g.kept and "keep" or "delete", show(g.time), table.concat(g, " "), g.kept or "") end
  for _, group in ipairs(verb and plan or {}) do
    local _ = group.kept or retention:delete_manifest(group.place, { find_tags = false })
  end
end

return Retention
