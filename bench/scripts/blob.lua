-- blob.lua REFERENCE DIGEST FILE: download one blob, verified.
local oras = require "oras"

oras.Registry:new():download_blob(arg[1], arg[2], arg[3], { resume = false })
