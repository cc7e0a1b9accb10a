-- manifest.lua REFERENCE: print one manifest.
local oras = require "oras"

io.write(oras.Registry:new():get_manifest(arg[1]):raw())
