-- What bench/calls.c calls: the digest of a manifest, and many of them at once.
local oras = require "oras"

local Digests = oras.Registry:extend "Digests"

function Digests:digest(reference)
  return self:get_manifest(reference).digest
end

function Digests:digests(reference, count)
  local list = {}
  for i = 1, count do
    list[i] = reference
  end
  return oras.map(list, function(one)
    return self:digest(one)
  end, { concurrency = count })
end

return Digests
