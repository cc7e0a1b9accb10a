--- What an object knows and must not show: credentials, headers, the proxy with its password.
--- Kept beside the objects, as a dump or an encoder would show what is in them.
---@type table<oras.Registry, { credentials?: table, headers?: table, proxy?: string }>
local private = setmetatable({}, { __mode = "k" })

return private
