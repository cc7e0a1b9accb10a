--- What specs of copies share: content to be copied, and what is there afterwards.
local assert = require "luassert"
local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"

local INDEX <const> = oras.oci.media_types.index

local copying = {}

--- At a host that copies name as if it were another registry: another origin, same content.
function copying.source(repo, tag)
  return ("%s/%s:%s"):format(faults.host "cdn", repo or "src/app", tag or "1")
end

function copying.target(repo, tag)
  return ("%s/%s:%s"):format(faults.host "http", repo or "dst/app", tag or "1")
end

function copying.seed(layers, more)
  local spec = { repo = "src/app", tag = "1", layers = layers }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  return faults.seed(spec)
end

function copying.entry(a, more)
  local d = { mediaType = a.media_type, digest = a.digest, size = a.size }
  for key, value in pairs(more or {}) do
    d[key] = value
  end
  return d
end

function copying.seed_index(entries, more)
  local spec = { repo = "src/app", tag = "1" }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  spec.manifest = oras.json.encode {
    schemaVersion = 2, mediaType = INDEX, manifests = oras.json.array(entries),
  }
  spec.media_type = INDEX
  return faults.seed(spec)
end

function copying.image(text, os, arch)
  return copying.seed({ { data = text } }, { tag = text, config = {
    data = oras.json.encode { os = os, architecture = arch }, media_type = oras.oci.media_types.config,
  } })
end

--- An index of two images; gives it and them.
function copying.multi()
  local a, b = copying.image("amd", "linux", "amd64"), copying.image("arm", "linux", "arm64")
  local index = copying.seed_index {
    copying.entry(a, { platform = { os = "linux", architecture = "amd64" } }),
    copying.entry(b, { platform = { os = "linux", architecture = "arm64" } }),
  }
  return index, a, b
end

function copying.has(repo)
  return faults.content(repo)
end

--- A session that was ended may take a moment more to be gone.
function copying.no_session_left(repo)
  for _ = 1, 500 do
    if copying.has(repo or "dst/app").uploads == 0 then
      return
    end
    oras.gather(function()
      core.clock.sleep(0.01)
    end)
  end
  assert.equal(0, copying.has(repo or "dst/app").uploads)
end

function copying.size_of(map)
  local n = 0
  for _ in pairs(map) do
    n = n + 1
  end
  return n
end

--- How many requests there were that change something. The end of a session is none: it takes a
--- beginning, which counts, and that of the test before may still be on its way.
function copying.writes(listener)
  local counts = faults.count { listener = listener }
  return counts.POST + counts.PUT + counts.PATCH + counts.DELETE
    - faults.count({ listener = listener, method = "DELETE", path = "*/blobs/uploads/*" }).total
end

return copying
