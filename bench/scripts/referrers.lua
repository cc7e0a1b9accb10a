-- Give an artifact many referrers: REFERENCE COUNT api|tag. Where a tag lists them it is put once,
-- when all are there.
local oras = require "oras"

local reference, count, api = arg[1], math.tointeger(arg[2]), arg[3]
local registry = oras.Registry:new { plain_http = true, retry = { wait = 0.1 } }
local container = registry:get_container(reference)
local subject = registry:push(container, { { data = "subject", title = "subject" } })
registry:upload_blob(container, { data = "{}" })

local numbers = {}
for i = 1, count do
  numbers[i] = i
end
local entries = oras.map(numbers, function(i)
  local doc, raw = registry:pack_manifest {
    artifact_type = "application/x.bench", subject = subject, annotations = { n = tostring(i) },
  }
  local entry = registry:upload_manifest(container:with_digest(doc:descriptor().digest), raw, { referrers = false })
  entry.artifactType, entry.annotations = doc.artifactType, doc.annotations
  return entry
end)
if api == "tag" then
  registry:upload_manifest(container:with_tag((subject.digest:gsub(":", "-"))), { manifests = entries })
end
