-- pull.lua CONCURRENCY REFERENCE DIRECTORY: pull an artifact.
local oras = require "oras"

local registry = oras.Registry:new { concurrency = math.tointeger(arg[1]) }
registry:pull(arg[2], { outdir = arg[3] })
