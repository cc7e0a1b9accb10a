--- Delete old tags of a repository: what is older than DAYS, except the newest KEEP.
---
---     oras-lua examples/retention.lua REPOSITORY KEEP DAYS [delete]
---
--- It says what it would do, and does it with `delete`. A manifest goes with all its tags; what is part
--- of an index that stays, and what has no date, stays.
local oras = require "oras"
local Retention = oras.Registry:extend "Retention"
-- Builders that want the same bytes every time say 1970 or 1980; there were no images before 2013.
local FIRST <const>, UNDATED <const> = 1356998400, -math.huge

-- When a manifest was made: what it says, its config, or the first part of an index. `parts` gets the
-- digests of what an index is made of, those in its indexes, too: they may have no tag.
function Retention:look(place, manifest, parts)
  local text = (manifest.annotations or {})["org.opencontainers.image.created"]
  local config = not text and manifest.config and self:get_config(place)
  local time = oras.time.seconds(text or type(config) == "table" and config.created)
  for i, part in ipairs(manifest.manifests or {}) do
    local child, is_new, kind = place:with_digest(part.digest), not parts[part.digest], part.mediaType
    parts[part.digest] = true
    if is_new and (kind:find "index" or kind:find "manifest%.list") or i == 1 and not text then
      local made = self:look(child, self:get_manifest(child), parts)
      time = time or not text and i == 1 and made or nil
    end
  end
  return time and time >= FIRST and time or UNDATED
end

-- The manifests that have tags, newest first; `kept` says why one stays.
function Retention:plan(name, keep, days)
  local place, groups, list = self:get_container(name), {}, {}
  for _, tag in ipairs(self:get_tags(place, { exclude_digest_tags = true })) do
    local manifest = self:get_manifest(place:with_tag(tag))
    local digest = manifest:descriptor().digest
    if not groups[digest] then
      groups[digest] = { place = place:with_digest(digest), parts = {} }
      groups[digest].time = self:look(groups[digest].place, manifest, groups[digest].parts)
      list[#list + 1] = groups[digest]
    end
    table.insert(groups[digest], tag)
  end
  table.sort(list, function(a, b) return a.time > b.time end)
  local function stay(group, why)
    group.kept = group.kept or why
    for digest in pairs(why and group.parts or {}) do
      local _ = groups[digest] and stay(groups[digest], "part of another")
    end
  end
  local limit, last = os.time() - days * 86400, list[math.min(keep, #list)]
  for _, group in ipairs(list) do -- of several as new as the last of the newest, none is older
    stay(group, last and group.time >= last.time and "among the newest"
      or (group.time >= limit or group.time == UNDATED) and "not known to be old" or nil)
  end
  return list
end

if oras.is_main() then
  local retention, keep, days = Retention:new(), math.tointeger(tonumber(arg[2])), tonumber(arg[3])
  if not keep or keep < 0 or not days or days < 0 or arg[4] and arg[4] ~= "delete" then
    io.stderr:write "usage: retention.lua REPOSITORY KEEP DAYS [delete]\n"
    os.exit(2)
  end
  local plan = retention:plan(arg[1], keep, days)
  for _, group in ipairs(plan) do
    local time = group.time == UNDATED and "no date" or os.date("!%Y-%m-%dT%H:%M:%SZ", group.time // 1 | 0)
    print(group.kept and "keep" or "delete", time, table.concat(group, " "), group.kept or "")
  end
  for _, group in ipairs(arg[4] and plan or {}) do
    local _ = group.kept or retention:delete_manifest(group.place, { find_tags = false })
  end
end

return Retention
