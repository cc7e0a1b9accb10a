--- What crash.py lets die: one write, by name.
---
---     oras-lua act.lua pull REF DIRECTORY
---     oras-lua act.lua push REF FILE...
---     oras-lua act.lua copy SOURCE TARGET
local oras = require "oras"

local registry = oras.Registry:new { config_path = "/nonexistent/config.json", retry = { tries = 1 } }

local acts = {}

function acts.pull(ref, directory)
  registry:pull(ref, { outdir = directory })
end

function acts.push(ref, ...)
  registry:push(ref, { ... })
end

function acts.copy(source, target)
  registry:copy(source, target)
end

acts[arg[1]](table.unpack(arg, 2))
