--- oras: a client of OCI registries and layouts that is extended in Lua.
---
---     local oras = require "oras"
---     local Mirror = oras.Registry:extend "Mirror"
---
--- Parts are read in when they are first used; nothing happens before.
local core = require "oras.core"

local oras = {
  version = core.version,
  is_main = core.is_main,
}

local MODULES <const> = {
  archive = true, client = true, cron = true, defaults = true, digest = true, json = true, layout = true,
  log = true, oci = true, provider = true, task = true, time = true,
}

local MEMBERS <const> = {
  Error = { "oras.error", "Error" },
  Registry = { "oras.registry" },
  every = { "oras.every" },
  gather = { "oras.task", "gather" },
  map = { "oras.task", "map" },
  spawn = { "oras.task", "spawn" },
  try = { "oras.error", "try" },
}

local function load(_, name)
  local member = MEMBERS[name]
  local value
  if member then
    value = require(member[1])
    value = member[2] and value[member[2]] or value
  elseif MODULES[name] then
    value = require("oras." .. name)
  end
  oras[name] = value
  return value
end

return setmetatable(oras, { __index = load, __name = "oras" })
