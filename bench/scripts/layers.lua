-- layers.lua REFERENCE DIRECTORY: download every layer under its title, 16 at a time.
local oras = require "oras"

local registry = oras.Registry:new { concurrency = 16 }
local container = registry:get_container(arg[1])
local directory = arg[2]

oras.map(registry:get_manifest(container).layers, function(layer)
  local title = layer.annotations["org.opencontainers.image.title"]
  registry:download_blob(container, layer, directory .. "/" .. title, { resume = false })
end, { concurrency = 16 })
