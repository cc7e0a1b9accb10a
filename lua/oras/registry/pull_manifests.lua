--- The manifests whose layers pull brings.
local errors = require "oras.error"
local manifest = require "oras.manifest"
local media_types = require "oras.media_types"
local task = require "oras.task"

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
  return names
end

local function expect_layers(container, doc)
  if manifest.is_index(doc) then
    local names = table.concat(choices(doc), ", ")
    errors.raise {
      class = "content",
      message = ('"%s" is an index; say which platform, of: %s'):format(container.uri, names),
    }
  elseif type(doc) ~= "table" or type(doc.layers) ~= "table" then
    errors.raise { class = "content", message = ('"%s" is no manifest with layers'):format(container.uri) }
  end
  return doc
end

local function too_deep(gathering, what)
  local self, container = gathering.registry, gathering.container
  errors.raise {
    class = "limit",
    message = ("%s: %s are nested more than %d deep"):format(container.uri, what, self._limits.index_depth),
  }
end

local function add(gathering, container, doc)
  local digest = doc:descriptor().digest
  if not gathering.seen[digest] then
    gathering.seen[digest] = true
    table.insert(gathering.found, { container = container, doc = expect_layers(container, doc) })
    return true
  end
end

-- What the artifact is about, and what that is about.
local function add_subjects(gathering, doc)
  local depth = 0
  while doc.subject and not gathering.seen[doc.subject.digest] do
    depth = depth + 1
    if depth > gathering.registry._limits.index_depth then
      too_deep(gathering, "subjects")
    end
    local place = gathering.container:with_digest(doc.subject.digest)
    doc = gathering.registry:get_manifest(place, {})
    add(gathering, place, doc)
  end
end

-- An index without platforms is no choice, but gathers artifacts: all of them, as oras has it.
local function is_gathered(doc)
  return manifest.is_index(doc) and #choices(doc) == 0
end

local function add_all(gathering, container, doc, depth)
  if not is_gathered(doc) then
    if add(gathering, container, doc) and gathering.include_subject then
      add_subjects(gathering, doc)
    end
    return
  elseif depth == gathering.registry._limits.index_depth then
    too_deep(gathering, "indexes")
  end
  local places = {}
  for _, entry in ipairs(doc.manifests) do
    local is_known = media_types.is_manifest(entry.mediaType) or media_types.is_index(entry.mediaType)
    if is_known and not gathering.asked[entry.digest] then
      gathering.asked[entry.digest] = true
      places[#places + 1] = container:with_digest(entry.digest)
    end
  end
  local docs = task.map(places, function(place)
    return gathering.registry:get_manifest(place, {})
  end, { concurrency = gathering.concurrency })
  for i, place in ipairs(places) do
    add_all(gathering, place, docs[i], depth + 1)
  end
end

--- The manifest, or all that an index without platforms gathers, and, if asked for, what it is
--- about, and what that is about.
---@param self oras.Registry
---@param container oras.Container
---@param opts { platform?: string|table, include_subject?: boolean, concurrency?: integer }
---@return { container: oras.Container, doc: oras.Manifest }[]
---@return table descriptor of what was asked for
---@raise oras.Error not_found, content, limit, ...
return function(self, container, opts)
  local doc = self:get_manifest(container, { platform = opts.platform })
  local gathering = {
    registry = self, container = container, include_subject = opts.include_subject,
    concurrency = opts.concurrency or self._settings.concurrency, found = {}, seen = {}, asked = {},
  }
  add_all(gathering, container, doc, 0)
  return gathering.found, doc:descriptor()
end
