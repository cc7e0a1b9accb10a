--- Keep tags of one repository in another: what has changed is copied, everything else is left.
---
---     oras-lua examples/mirror.lua SOURCE TARGET [PATTERN [PLATFORM,...]]
---     oras-lua --dry-run examples/mirror.lua docker.io/library/alpine localhost:5000/alpine '^3%.%d+$' linux/amd64
---     EVERY='0 3 * * *' oras-lua examples/mirror.lua SOURCE TARGET
---
--- PATTERN is Lua's; of several platforms the target gets an index of these. EVERY (seconds, or a
--- time of cron) makes it go on until it is interrupted. With --dry-run it says what it would copy.
local oras = require "oras"

local Mirror = oras.Registry:extend "Mirror"

-- Copy one tag; gives what was done: "same", "copied", "would copy".
function Mirror:mirror_tag(source, target, tag, platforms)
  local from, to = self:get_container(source):with_tag(tag), self:get_container(target):with_tag(tag)
  self:wait_for_rate(from)
  local copied, stats = self:copy(from, to, { platforms = platforms, dry_run = self.dry_run })
  local before = self.dry_run and self:find_manifest(to)
  if self.dry_run then
    return before and before.digest == copied.digest and "same" or "would copy", stats
  end
  return stats.manifests == 0 and stats.blobs.copied + stats.blobs.mounted == 0 and "same" or "copied", stats
end

function Mirror:mirror(source, target, pattern, platforms)
  local counts = {}
  for tag in self:tags(source, { filter = pattern, exclude_digest_tags = true }) do
    local done, stats = self:mirror_tag(source, target, tag, platforms)
    counts[done] = (counts[done] or 0) + 1
    if done ~= "same" then
      print(("%s %s (%d bytes)"):format(done, tag, stats.bytes))
    end
  end
  return counts
end

local function main(source, target, pattern, platforms)
  if not target then
    io.stderr:write "usage: mirror.lua SOURCE TARGET [PATTERN [PLATFORM,...]]\n"
    os.exit(2)
  end
  local list = {}
  for one in (platforms or ""):gmatch "[^,]+" do
    list[#list + 1] = one
  end
  local mirror, when = Mirror:new(), os.getenv "EVERY"
  oras.every(tonumber(when) or when or 1, function()
    local counts = mirror:mirror(source, target, pattern, list[1] and list)
    local verb = mirror.dry_run and "would be copied" or "copied"
    print(("%d %s, %d the same"):format(counts.copied or counts["would copy"] or 0, verb, counts.same or 0))
  end, { count = not when and 1 or nil, on_error = when and function(err) oras.log.error("%s", err) end or nil })
end

if oras.is_main() then
  main(table.unpack(arg))
end

return Mirror
