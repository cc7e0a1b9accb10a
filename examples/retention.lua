--- Delete old tags of a repository: what is older than DAYS, except the newest KEEP.
---
---     oras-lua examples/retention.lua REPOSITORY KEEP DAYS [delete]
---
--- It says what it would do, and does it with `delete`. A manifest goes with all its tags: none that
--- shares its manifest with one that stays, nor what an index that stays is made of, nor the undated.
local oras = require "oras"

local Retention = oras.Registry:extend "Retention"

-- When a manifest was made: what it says, its config, or the first child of an index.
function Retention:created(place, manifest)
  local text = (manifest.annotations or {})["org.opencontainers.image.created"]
  local part = not text and manifest.manifests and manifest.manifests[1]
  if part then
    return self:created(place:with_digest(part.digest), self:get_manifest(place:with_digest(part.digest)))
  end
  local config = not text and manifest.config and self:get_config(place)
  return tostring(text or type(config) == "table" and config.created):match "^%d%d%d%d%-%d%d%-%d%d"
end

-- The manifests that have tags, newest first; `kept` says why one stays.
function Retention:plan(name, keep, days)
  local repository, groups, list = self:get_container(name), {}, {}
  for _, tag in ipairs(self:get_tags(repository, { exclude_digest_tags = true })) do
    local manifest = self:get_manifest(repository:with_tag(tag))
    local digest = manifest:descriptor().digest
    local group = groups[digest] or { place = repository:with_digest(digest), parts = manifest.manifests or {} }
    if not groups[digest] then
      group.date = self:created(group.place, manifest) or " no date"
      groups[digest], list[#list + 1] = group, group
    end
    group[#group + 1] = tag
  end
  table.sort(list, function(a, b) return a.date > b.date end) -- " no date" comes last
  local function stay(group, why)
    if why and group and not group.kept then
      group.kept = why
      for _, part in ipairs(group.parts) do stay(groups[part.digest], "part of another") end
    end
  end
  local limit = os.date("!%Y-%m-%d", os.time() - days * 86400 | 0)
  for i, group in ipairs(list) do
    stay(group, i <= keep and "among the newest"
      or (group.date >= limit or group.date == " no date") and "not known to be old" or nil)
  end
  return list
end

if oras.is_main() then
  local retention, keep, days = Retention:new(), tonumber(arg[2]), tonumber(arg[3])
  local plan = retention:plan(arg[1], assert(keep, "KEEP is a number"), assert(days, "DAYS is a number"))
  for _, g in ipairs(plan) do print(g.kept and "keep" or "delete", g.date, table.concat(g, " "), g.kept or "") end
  for _, group in ipairs(arg[4] == "delete" and plan or {}) do
    local _ = group.kept or retention:delete_manifest(group.place, { find_tags = false })
  end
end

return Retention
