-- What gateway.c serves: a file of an artifact, by its title.
local oras = require "oras"

local Gateway = oras.Registry:extend "Gateway"

local TITLE <const> = "org.opencontainers.image.title"

local function not_found(path)
  error(require("oras.error").new { class = "not_found", message = ("there is no %s"):format(path) })
end

--- Serve "registry/repository:tag/file".
function Gateway:serve(path, stream)
  local reference, file = path:match "^([^/]+/[^:@]+[:@][^/]+)/(.+)$"
  if not reference then
    not_found(path)
  end
  for _, layer in ipairs(self:get_manifest(reference).layers or {}) do
    if (layer.annotations or {})[TITLE] == file then
      stream:begin { layer.size, layer.mediaType }
      self:get_blob(reference, layer, { sink = stream:sink(layer) })
      return
    end
  end
  not_found(path)
end

return Gateway
