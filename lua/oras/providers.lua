--- Providers by name: files with one class each, or classes that a loaded file named.
--- The command line and the C function oras_call_json find them here.
local class = require "oras.class"
local core = require "oras.core"
local errors = require "oras.error"
local host = require "oras.host"
local options = require "oras.options"

local providers = {}

local json = core.json

-- What was found, by the name it was asked for: classes and their one object.
local classes, objects = {}, {}

local function load_class(chunk, message, name)
  if not chunk then
    errors.raise { class = "script", message = message }
  end
  local found = chunk(name)
  if type(found) ~= "table" or type(found.new) ~= "function" then
    errors.raise {
      class = "content",
      message = ("provider '%s' gives a %s, expected a class"):format(name, type(found)),
    }
  end
  return found
end

local function read_source(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read "a"
  file:close()
  return text
end

-- The places of a provider file, best first: chunk name and a function that gives its text.
local function places(name)
  local first, installed = host.provider_dirs()
  local list = {}
  local function add(dir)
    if dir then
      local path = ("%s/%s.lua"):format(dir, name)
      list[#list + 1] = { chunk = "@" .. path, text = function() return read_source(path) end }
    end
  end
  add(first)
  list[#list + 1] = {
    chunk = ("=providers/%s.lua"):format(name),
    text = function() return host.provider_text(name) end,
  }
  add(installed)
  return list
end

local function is_path(name)
  return name:find("/", 1, true) ~= nil
end

--- The text of a provider and the name of its chunk, or nil.
---@param name string a name or a path (with a "/")
---@return string? text
---@return string? chunk
function providers.source(name)
  if is_path(name) then
    return read_source(name), "@" .. name
  end
  if not name:find "^[%w][%w_.-]*$" then
    return nil
  end
  for _, place in ipairs(places(name)) do
    local text = place.text()
    if text then
      return text, place.chunk
    end
  end
end

local function from_source(name)
  local text, chunk = providers.source(name)
  if not text then
    return nil
  end
  if is_path(name) then
    local fn, message = loadfile(name, "t")
    return load_class(fn, message, name)
  end
  local fn, message = load(text, chunk, "t")
  return load_class(fn, message, name)
end

--- Find a provider's class: a file of that name, a path, or a name given to `extend` before.
---@param name string
---@return table? class nil if there is none
---@raise oras.Error script, content
function providers.find(name)
  local found = classes[name] or from_source(name) or class._named[name]
  classes[name] = found
  return found
end

--- Names of the providers inside the library.
---@return string[]
function providers.names()
  return host.provider_names()
end

local function nearest(name, names)
  local near = options.nearest(name, names)
  return near and (" (%s?)"):format(near) or ""
end

local function name_set()
  local set = {}
  for _, name in ipairs(providers.names()) do
    set[name] = true
  end
  return set
end

--- The class of a provider.
---@param name string
---@return table class
---@raise oras.Error not_found, script, content
function providers.class(name)
  local found = providers.find(name)
  if not found then
    local hint = nearest(name, name_set())
    errors.raise { class = "not_found", message = ("no such provider: '%s'%s"):format(name, hint) }
  end
  return found
end

--- The object of a provider: made with no options, once.
---@param name string
---@return oras.Registry
---@raise oras.Error not_found, script, content
function providers.object(name)
  local object = objects[name]
  if not object then
    object = providers.class(name):new()
    objects[name] = object
  end
  return object
end

--- Names of the public methods of an object or class, those of its parents too.
---@return table<string, boolean>
function providers.methods(object)
  local names, current = {}, object
  while type(current) == "table" do
    for name, value in pairs(current) do
      if type(name) == "string" and type(value) == "function" and name:sub(1, 1) ~= "_" then
        names[name] = true
      end
    end
    local meta = getmetatable(current)
    current = meta and rawget(meta, "__index")
  end
  return names
end

--- A public method of an object.
---@param object oras.Registry
---@param provider string its name, for messages
---@param method string
---@return function
---@raise oras.Error not_found
function providers.method(object, provider, method)
  local fn = method:sub(1, 1) ~= "_" and object[method]
  if type(fn) ~= "function" then
    local hint = nearest(method, providers.methods(object))
    errors.raise {
      class = "not_found",
      message = ("provider '%s' has no method '%s'%s"):format(provider, method, hint),
    }
  end
  return fn
end

local function decode_arguments(text)
  if not text then
    return {}, 0
  end
  local args, err = json.decode(text)
  if err then
    errors.usage("arguments are no JSON: %s", err.message)
  elseif type(args) ~= "table" or not json.is_array(args) then
    errors.usage "arguments are a JSON array, as in [\"host/repository:tag\"]"
  end
  local n = #args
  for i = 1, n do
    if args[i] == json.null then
      args[i] = nil
    end
  end
  return args, n
end

--- What JSON has of a result: of a list with fields beside its items (pull's `skipped`), the items.
---@param result any
---@return any
function providers.items_of(result)
  local is_list = type(result) == "table" and getmetatable(result) == nil and (result[1] ~= nil or result.skipped)
  if not is_list then
    return result
  end
  return json.array(table.move(result, 1, #result, 1, {}))
end

--- A method's result as JSON, "null" for none.
---@param result any
---@return string
---@raise oras.Error content
function providers.encode(result)
  if result == nil then
    result = json.null
  end
  return errors.check(json.encode(providers.items_of(result)))
end

-- In a process of its own; see oras_options.sandbox.
local function call_sandboxed(policy, provider, method, args, stream)
  if stream then
    errors.usage "a provider in the sandbox takes and gives JSON, no streams"
  end
  local list, n = decode_arguments(args)
  for i = 1, n do
    list[i] = list[i] == nil and json.null or list[i]
  end
  return providers.encode(require("oras.sandbox.pool").call(policy, provider, method, list))
end

--- Call a method of a provider's object, JSON in and out.
---@param provider string
---@param method string
---@param args? string JSON array; null stands for an argument that is left out
---@param stream? userdata of the host's; the method gets it as its last argument (oras.stream)
---@return string json of the method's first result, "null" for none
---@raise oras.Error not_found, usage, and whatever the method raises
function providers.call(provider, method, args, stream)
  local policy = host.sandbox_policy()
  if policy then
    return call_sandboxed(policy, provider, method, args, stream)
  end
  local object = providers.object(provider)
  local fn = providers.method(object, provider, method)
  local list, n = decode_arguments(args)
  if not stream then
    return providers.encode((fn(object, table.unpack(list, 1, n))))
  end
  list[n + 1] = require("oras.stream").new(stream)
  local text = providers.encode((fn(object, table.unpack(list, 1, n + 1))))
  errors.check(stream:finish())
  return text
end

return providers
