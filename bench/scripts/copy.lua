-- copy.lua SOURCE TARGET: copy an artifact.
local oras = require "oras"

oras.Registry:new():copy(arg[1], arg[2])
