-- push.lua CONCURRENCY REFERENCE FILE...: push files and directories.
local oras = require "oras"

local registry = oras.Registry:new { concurrency = math.tointeger(arg[1]) }
registry:push(arg[2], { table.unpack(arg, 3) })
