--- Which manifests of a layout have a subject. Nothing lists them by that: all that the index leads
--- to is read, once for each state of the index.
local errors = require "oras.error"
local graph = require "oras.registry.graph"
local oci = require "oras.oci"
local place = require "oras.registry.layout_place"
local referrers = require "oras.registry.referrers"

local layout = {}

-- By the decoded index, which is another table when its file is changed.
local known = setmetatable({}, { __mode = "k" })

-- What has been deleted, or never came with the index that lists it, refers to nothing.
local function fetch(registry, container, entry)
  local doc, err = errors.try(registry.fetch_manifest, registry, container:with_digest(entry.digest), {
    expected = entry,
  })
  if not doc and err.class ~= "not_found" then
    errors.raise(err)
  end
  return doc
end

local function note(by_subject, doc)
  local subject = type(doc.subject) == "table" and doc.subject.digest
  if subject then
    by_subject[subject] = by_subject[subject] or {}
    table.insert(by_subject[subject], referrers.describe(doc, doc:descriptor()))
  end
end

local function read_all(registry, container, manifests)
  local by_subject, seen, n = {}, {}, 0
  local function read(entries, depth)
    for _, entry in ipairs(entries) do
      if not seen[entry.digest] and graph.is_manifest(entry.mediaType) then
        seen[entry.digest], n = true, n + 1
        if n > registry._limits.graph or depth > registry._limits.index_depth then
          errors.raise { class = "limit", message = ("%s has too many manifests"):format(container:place()) }
        end
        local doc = fetch(registry, container, entry)
        if doc then
          note(by_subject, doc)
          read((graph.children(doc)), depth + 1)
        end
      end
    end
  end
  read(manifests, 0)
  return by_subject
end

--- The descriptors of the manifests in a layout whose subject is the digest.
---@param registry oras.Registry
---@param container oras.Container
---@param digest string
---@return table[] the caller's to change
---@raise oras.Error content, limit, io, ...
function layout.of(registry, container, digest)
  local store = place.open(registry, container)
  local index = store:current_index()
  local by_subject = known[index] or read_all(registry, container, index.manifests)
  known[index] = not store.changes and by_subject or nil -- a verb's own index is changed where it is
  local list = {}
  for i, entry in ipairs(by_subject[digest] or {}) do
    list[i] = oci.descriptor(entry)
  end
  return list
end

return layout
