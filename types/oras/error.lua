---@meta oras.error
--- What methods raise.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.Error
---@field class string usage, auth, denied, not_found, rate, server, network, timeout, tls,
--- protocol, redirect, integrity, content, limit, path, exists, io, config, helper, cancelled,
--- memory, script, sandbox, unsupported
---@field message string one line, without secrets
---@field code? string the registry's own code, "MANIFEST_UNKNOWN"
---@field status? integer
---@field method? string
---@field url? string redacted
---@field digest? string
---@field where? string "file:line" of the caller, outside of this library
---@field retryable? boolean
---@field attempts? integer
local Error = {}
