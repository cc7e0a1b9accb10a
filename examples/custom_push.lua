--- A push of one's own: which layers there are and what they are called is decided here.
---
---     oras-lua examples/custom_push.lua REFERENCE FILE[:MEDIA/TYPE]...
---     oras-lua examples/custom_push.lua oci:notes:1 README.md:text/markdown docs
---
--- GITHUB_USER and GITHUB_TOKEN, when both are set, are the credentials for the registry that
--- is named; ORAS_CA_FILE names a PEM file that is trusted instead of the system's CAs.
local oras = require "oras"

local MyProvider = oras.provider.Registry:extend "MyProvider"

function MyProvider:push(name, blobs)
  -- Parse the name into a container
  local container = self:get_container(name)

  -- Prepare a new manifest, and annotations for each of its parts
  local manifest = oras.oci.NewManifest()
  local annotations = oras.oci.Annotations()
  annotations:add("$manifest", "org.example.made-by", "custom_push.lua")

  -- Upload the blobs; a directory is packed
  for _, blob in ipairs(blobs) do
    local layer, source = oras.oci.NewLayer(blob.path, blob.media_type, {
      title = blob.path,
      annotations = annotations:get_annotations(blob.path),
    })
    self:upload_blob(container, source, layer)
    table.insert(manifest.layers, layer)
  end

  -- The config is just another blob
  local config, source = oras.oci.ManifestConfig()
  self:upload_blob(container, source, config)
  manifest.config = config
  manifest.annotations = annotations:get_annotations "$manifest"

  -- The manifest makes them an artifact
  return self:upload_manifest(container, manifest)
end

local function blob_of(word)
  local path, media_type = word:match "^(.+):(.+/.+)$"
  return { path = path or word, media_type = media_type }
end

local function main(name, ...)
  local user, token = os.getenv "GITHUB_USER", os.getenv "GITHUB_TOKEN"
  local registry = MyProvider:new { tls_verify = os.getenv "ORAS_CA_FILE" }
  local blobs = {}

  if not name or not ... then
    io.stderr:write "usage: custom_push.lua REFERENCE FILE[:MEDIA/TYPE]...\n"
    os.exit(2)
  end
  for i, word in ipairs { ... } do
    blobs[i] = blob_of(word)
  end
  if user and token and not name:find("^oci:") then
    registry:set_basic_auth(user, token)
  end
  local descriptor = registry:push(name, blobs)
  print(("pushed %s (%d bytes)"):format(descriptor.digest, descriptor.size))
end

if oras.is_main() then
  main(table.unpack(arg))
end

return MyProvider
