--- Inspect a conda package in a registry without unpacking it.
---
---     oras-lua examples/inspect.lua                       the layout beside this script
---     oras-lua examples/inspect.lua ghcr.io/wolfv/conda-forge/linux-64/xtensor:0.9.0-0
---
--- GITHUB_USER and GITHUB_TOKEN, when both are set, are the credentials for the registry that
--- is named; ORAS_CA_FILE names a PEM file that is trusted instead of the system's CAs.
local oras = require "oras"

local MyProvider = oras.provider.Registry:extend "MyProvider"

MyProvider.media_types = {
  ["application/vnd.conda.info.v1.tar+gzip"] = "info_archive",
  ["application/vnd.conda.info.index.v1+json"] = "info_index",
  ["application/vnd.conda.package.v1"] = "package",
  ["application/vnd.conda.package.v2"] = "package",
}

function MyProvider:inspect(name)
  -- Parse the name into a container
  local container = self:get_container(name)

  -- Get the manifest with the three layers
  local manifest = self:get_manifest(container)

  -- Organize layers based on media_types
  local layers = self:organize_layers(manifest)

  -- Read the index; list the info archive while it arrives
  local index = self:get_blob(container, layers.info_index):json()
  local members = {}
  for entry in self:get_blob(container, layers.info_archive, { stream = true }):entries() do
    members[#members + 1] = ("%-9s %8d  %s"):format(entry.type, entry.size, entry.path)
  end

  return { manifest = manifest, package = layers.package, index = index, members = members }
end

local function text_of(value)
  if type(value) == "table" then
    return oras.json.encode(value)
  end
  return value == oras.json.null and "null" or tostring(value)
end

local function print_index(index)
  local keys = {}
  for key in pairs(index) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    print(("  %-14s %s"):format(key, text_of(index[key])))
  end
end

local function main(name)
  local user, token = os.getenv "GITHUB_USER", os.getenv "GITHUB_TOKEN"
  local registry = MyProvider:new { tls_verify = os.getenv "ORAS_CA_FILE" }

  if user and token and not name:find("^oci:") then
    registry:set_basic_auth(user, token)
  end

  local found = registry:inspect(name)
  print("manifest " .. found.manifest:descriptor().digest)
  print("package  " .. found.package.annotations["org.opencontainers.image.title"])
  print("         " .. found.package.digest)
  print "index"
  print_index(found.index)
  print "info archive"
  for _, line in ipairs(found.members) do
    print("  " .. line)
  end
end

if oras.is_main() then
  local here = arg[0]:match "^(.*)/[^/]*$" or "."
  main(arg[1] or ("oci:%s/layout:1.0.0-0"):format(here))
end

return MyProvider
