--- The globals of a provider in the sandbox: what computes, and `require` of what is ours and computes.
local environment = {}

local ALLOWED <const> = {
  "_VERSION", "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget",
  "rawlen", "rawset", "select", "tonumber", "tostring", "type", "xpcall", "string", "table", "math", "utf8",
  "coroutine",
}

local REFUSED <const> = {
  arg = true, collectgarbage = true, debug = true, dofile = true, io = true, loadfile = true, os = true,
  package = true, warn = true, jit = true, ffi = true,
}

-- A finalizer runs where nobody looks; "__gc" is refused also when it comes later, as Lua only
-- notes the field when the metatable is set.
local function set_metatable(link)
  local native <const> = setmetatable
  return function(value, meta)
    if type(meta) == "table" and rawget(meta, "__gc") ~= nil then
      link.refuse "a metatable with __gc"
    end
    return native(value, meta)
  end
end

local function load_text(link, globals)
  local native <const> = load
  return function(chunk, name, mode, env)
    if type(chunk) == "function" then
      local parts = {}
      for piece in chunk do
        if type(piece) ~= "string" or piece == "" then
          break
        end
        parts[#parts + 1] = piece
      end
      chunk = table.concat(parts)
    end
    if type(chunk) == "string" and chunk:sub(1, 1) == "\27" then
      link.refuse "loading of compiled code"
    end
    if mode ~= nil and mode ~= "t" and mode ~= "bt" then
      link.refuse "loading of compiled code"
    end
    if env == nil then
      env = globals
    end
    return native(chunk, name, "t", env)
  end
end

local function print_to_log(link)
  local to_text <const> = tostring
  return function(...)
    local parts = {}
    for i = 1, select("#", ...) do
      parts[i] = to_text((select(i, ...)))
    end
    link.ask({ op = "say" }, table.concat(parts, "\t"))
  end
end

--- Make the globals.
---@param link table what leads to the parent
---@return table
function environment.new(link)
  local globals = {}
  for _, name in ipairs(ALLOWED) do
    globals[name] = _G[name]
  end
  globals._G = globals
  globals.load = load_text(link, globals)
  globals.print = print_to_log(link)
  globals.setmetatable = set_metatable(link)
  function globals.require(name)
    if name ~= "oras" and name ~= "oras.yaml" then
      link.refuse(("require of '%s'"):format(tostring(name)))
    end
    return link.need(name)
  end
  return setmetatable(globals, {
    __index = function(_, name)
      if REFUSED[name] then
        link.refuse(("the global '%s'"):format(name))
      end
    end,
    __metatable = false,
  })
end

return environment
