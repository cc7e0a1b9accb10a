--- What the specs about referrers share: a subject, those who refer to it, and hostile lists.
local oras = require "oras"

local faults = require "tests.support.faults"

local referring = {
  INDEX = oras.oci.media_types.index,
  MANIFEST = oras.oci.media_types.manifest,
}

--- A seeded artifact.
---@param repo string
---@param more? table
---@return table seeded
function referring.seed(repo, more)
  local spec = { repo = repo, layers = { { data = "x" } } }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  return faults.seed(spec)
end

--- A seeded artifact that refers to another.
---@param repo string
---@param subject table seeded
---@param name string its type is application/x.NAME
---@param annotations? table
---@return table seeded
function referring.refer(repo, subject, name, annotations)
  return faults.seed {
    repo = repo, layers = { { data = name } }, subject = subject.digest, annotations = annotations,
    artifact_type = "application/x." .. name,
  }
end

--- An entry of a list for a seeded artifact.
---@param seeded table
---@param more? table
---@return table
function referring.entry(seeded, more)
  local entry = { mediaType = referring.MANIFEST, digest = seeded.digest, size = seeded.size }
  for key, value in pairs(more or {}) do
    entry[key] = value
  end
  return entry
end

--- The bytes of a list.
---@param ... table entries
---@return string
function referring.list(...)
  return oras.json.encode {
    schemaVersion = 2, mediaType = referring.INDEX, manifests = oras.json.array { ... },
  }
end

--- A rule that answers the referrers of a digest (all by default) with a list.
---@param digest? string
---@param ... table entries
---@return table rule
function referring.rule(digest, ...)
  return {
    path = "*/referrers/" .. (digest or "*"), status = 200, headers = { ["Content-Type"] = referring.INDEX },
    always = true, body = referring.list(...),
  }
end

--- The digests of descriptors, in their order.
---@param list table[]
---@return string[]
function referring.digests(list)
  local digests = {}
  for i, one in ipairs(list) do
    digests[i] = one.digest
  end
  return digests
end

--- A server without the API from now on, as docker-registry is.
function referring.without_api()
  faults.config { referrers = false, oci_subject = false, tag_param = false }
end

return referring
