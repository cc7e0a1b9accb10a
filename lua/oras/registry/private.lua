--- What an object knows and must not show: credentials, headers, the proxy with its password.
--- Kept beside the objects, as a dump or an encoder would show what is in them.
local errors = require "oras.error"

local meta = { __mode = "k" }

-- Whoever is not here was not made by new: a class itself, or a table of the caller's.
function meta.__index()
  local verb = errors.entry()
  errors.usage("%sthis is no object; new makes one, as in Registry:new()", verb and verb .. ": " or "")
end

---@type table<oras.Registry, { credentials?: table, headers?: table, proxy?: string }>
local private = setmetatable({}, meta)

return private
