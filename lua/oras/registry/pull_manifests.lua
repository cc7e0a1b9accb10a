--- The manifests whose layers pull brings.
local errors = require "oras.error"
local manifest = require "oras.manifest"

-- The platforms of an index, to choose from.
local function choices(index)
  local platform = require "oras.platform"
  local names = {}
  for _, entry in ipairs(index.manifests) do
    local p = entry.platform
    if type(p) == "table" and type(p.os) == "string" and type(p.architecture) == "string" and p.os ~= "unknown" then
      names[#names + 1] = platform.format(p, true)
    end
  end
  return #names > 0 and table.concat(names, ", ") or "none"
end

local function expect_layers(container, doc)
  if manifest.is_index(doc) then
    errors.raise {
      class = "content",
      message = ('"%s" is an index; say which platform, of: %s'):format(container.uri, choices(doc)),
    }
  elseif type(doc) ~= "table" or type(doc.layers) ~= "table" then
    errors.raise { class = "content", message = ('"%s" is no manifest with layers'):format(container.uri) }
  end
  return doc
end

--- The manifest and, if asked for, what it is about, and what that is about.
---@param self oras.Registry
---@param container oras.Container
---@param opts { platform?: string|table, include_subject?: boolean }
---@return { container: oras.Container, doc: oras.Manifest }[]
---@raise oras.Error not_found, content, limit, ...
return function(self, container, opts)
  local doc = self:get_manifest(container, { platform = opts.platform })
  local found = { { container = container, doc = expect_layers(container, doc) } }
  local seen = { [doc:descriptor().digest] = true }
  while opts.include_subject and doc.subject and not seen[doc.subject.digest] do
    if #found > self._limits.index_depth then
      errors.raise {
        class = "limit",
        message = ("%s: subjects are nested more than %d deep"):format(container.uri, self._limits.index_depth),
      }
    end
    seen[doc.subject.digest] = true
    local place = container:with_digest(doc.subject.digest)
    doc = self:get_manifest(place, {})
    found[#found + 1] = { container = place, doc = expect_layers(place, doc) }
  end
  return found
end
