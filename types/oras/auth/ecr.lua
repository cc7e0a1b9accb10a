---@meta oras.auth.ecr
--- Amazon's registries.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.EcrService
---@field name string the service that is signed for
---@field region string
---@field target string the operation
---@field host string where the API lives
---@field variable string of the environment: its endpoint

---@class oras.auth.ecr
local ecr = {}

--- Which service a registry's name belongs to.
---@param hostname string
---@return oras.EcrService? nil for a host that is none of Amazon's
function ecr.service(hostname) end

--- The credentials for one of Amazon's registries.
---@param registry oras.Registry
---@param host string
---@param request table what the registry has asked us about
---@param wanted? boolean auth_backend is "ecr": without keys of Amazon's this is an error
---@return { username: string, password: string, fresh_until: number }? nil for another registry, or without keys
--- Raises oras.Error auth, config, network, ...
function ecr.credentials(registry, host, request, wanted) end

return ecr
