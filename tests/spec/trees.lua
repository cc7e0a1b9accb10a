--- Trees on disk that are the same on every run, and what is in one, for specs that pack and unpack.
local process = require "tests.spec.process"

local trees = {}

local made = {}

--- A directory in which there is `tree` alone, made once; trees.clean removes it.
---@param kind string of make_tree.py: "plain", "hard", "hard bytes"
---@return string
function trees.get(kind)
  if not made[kind] then
    local name = os.tmpname()
    os.remove(name)
    process.sh("python3 tests/support/make_tree.py %s " .. kind, name .. "/tree")
    made[kind] = name
  end
  return made[kind]
end

--- Remove what trees.get made.
function trees.clean()
  for _, name in pairs(made) do
    process.sh("rm -rf %s", name)
  end
  made = {}
end

--- Kinds, names, links and contents of all there is below a directory; with `modes`, their bits, too.
---@param path string
---@param modes boolean?
---@return string
function trees.look(path, modes)
  return process.sh([[cd %s && export LC_ALL=C &&
    find . -mindepth 1 -printf %s | sort -z | tr '\0' '\n' &&
    find . -type f -print0 | sort -z | xargs -0 sha256sum]], path, (modes and "%y %m" or "%y") .. [[ %p -> %l\0]])
end

return trees
