--- What the specs share.
local oras = require "oras"

local helper = {}

--- A Registry that does not wait between tries and reads no configuration of the user's.
---@param opts table?
---@return oras.Registry
function helper.registry(opts)
  opts = opts or {}
  opts.config_path = opts.config_path or "/nonexistent/config.json"
  opts.retry = opts.retry or { wait = 0 }
  return oras.Registry:new(opts)
end

--- The oras.Error that a method raises; fails when it raises none.
---@param object table
---@param method string
---@return oras.Error
function helper.fails(object, method, ...)
  local value, err = oras.try(object[method], object, ...)
  if not err then
    error(("%s raised nothing but gave %s"):format(method, tostring(value)), 2)
  end
  return err
end

--- An empty directory that is removed by helper.clean.
---@return string
function helper.directory()
  local name = os.tmpname()
  os.remove(name)
  assert(os.execute(("mkdir -p '%s'"):format(name)))
  helper.made = helper.made or {}
  table.insert(helper.made, name)
  return name
end

--- Remove what helper.directory made.
function helper.clean()
  for _, name in ipairs(helper.made or {}) do
    os.execute(("rm -rf '%s'"):format(name))
  end
  helper.made = nil
end

--- Write a file and give its path.
function helper.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

--- The bytes of a file, or nil.
function helper.read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read("a")
  file:close()
  return text
end

--- Names of what is in a directory, hidden ones too, sorted and joined by blanks.
function helper.list(path)
  local pipe <close> = assert(io.popen(("ls -A '%s'"):format(path)))
  local names = {}
  for name in pipe:lines() do
    names[#names + 1] = name
  end
  return table.concat(names, " ")
end

return helper
