--- What torture runs against a registry: manifest, blobs into memory, into a file and as a
--- stream, side by side.
local oras = require "oras"

local ref, directory = ...
local registry = oras.Registry:new { config_path = "/nonexistent/config.json", retry = { tries = 1 } }
local doc = registry:get_manifest(ref)
assert(#registry:get_config(ref) == 0)
local sizes = oras.map(doc.layers, function(layer)
  local size = #registry:get_blob(ref, layer).content
  for chunk in registry:get_blob(ref, layer, { stream = true }):chunks() do
    size = size + #chunk
  end
  return size
end)
for i, layer in ipairs(doc.layers) do
  assert(sizes[i] == 2 * layer.size)
end
registry:download_blob(ref, doc.layers[1], directory .. "/blob")
assert(os.remove(directory .. "/blob"))
for entry in registry:get_blob(ref, doc.layers[#doc.layers], { stream = true }):entries() do
  assert(entry.path)
end
