--- Classes: a table from `extend`, methods in it, objects from `new`.
---
--- A class is its own `__index`; its metatable leads to the parent. A plain table with
--- `setmetatable(T, {__index = Parent})` is adopted when `new` or `extend` is called on it.
local errors = require "oras.error"

---@class oras.Object
---@field super? oras.Object the parent class
---@field options? table<string, string> options that `new` takes, by name: their types
local Object = { __name = "Object" }
Object.__index = Object

-- Classes by the names given to extend: a host finds them so.
Object._named = {}

local function class_text(self)
  return "class " .. rawget(self, "__name")
end

local function class_call(self, ...)
  return self:new(...)
end

local function is_class(value)
  return type(value) == "table" and rawget(value, "__index") == value
end

-- Metamethods are looked up raw by Lua: a child gets its parent's, unless it has its own.
local function inherit_metamethods(child, parent)
  for name, value in pairs(parent) do
    local is_meta = type(name) == "string" and name:sub(1, 2) == "__"
    if is_meta and name ~= "__index" and name ~= "__name" and rawget(child, name) == nil then
      child[name] = value
    end
  end
end

local function link(child, parent)
  inherit_metamethods(child, parent)
  child.__index = child
  child.super = parent
  return setmetatable(child, { __index = parent, __call = class_call, __tostring = class_text })
end

-- The table itself when it is a class, else a bare subclass made into one.
local function adopt(self, verb)
  if is_class(self) then
    return self
  end
  local meta = type(self) == "table" and getmetatable(self)
  if type(meta) ~= "table" or is_class(meta) then
    errors.usage("%s is called on a class, as in Class:%s(...)", verb, verb)
  end
  local parent = rawget(meta, "__index")
  if type(parent) ~= "table" then
    errors.usage("%s: the table does not inherit from a class", verb)
  end
  parent = adopt(parent, verb)
  if rawget(self, "__name") == nil then
    self.__name = parent.__name
  end
  return link(self, parent)
end

--- Make a subclass.
---@param name string shown by tostring and in messages
---@return table class
---@raise oras.Error usage
function Object:extend(name)
  local parent = adopt(self, "extend")
  if type(name) ~= "string" or name == "" then
    errors.usage('extend: the name of the class is a string, as in Class:extend "Mirror"')
  end
  local class = link({ __name = name }, parent)
  Object._named[name] = class
  return class
end

--- Make an object; the arguments go to `init`. Never overridden.
---@return table object
---@raise oras.Error usage
function Object:new(...)
  local class = adopt(self, "new")
  local object = setmetatable({}, class)
  local prepare = class._prepare
  if prepare then
    prepare(object)
  end
  object:init(...)
  return object
end

--- Set up a new object; overridden by classes that have something to set up.
function Object.init() end

--- Is the object or class one of the class or of a subclass of it?
---@param class table
---@return boolean
function Object:is_a(class)
  local current = self
  if not is_class(current) then
    current = getmetatable(current)
  end
  while type(current) == "table" do
    if current == class then
      return true
    end
    local parent = rawget(current, "super")
    if parent == nil and not is_class(current) then
      parent = rawget(current, "__index")
    end
    current = parent
  end
  return false
end

--- The options that a class takes: its own and those of the classes above it.
---@return table<string, string>
function Object:_all_options()
  local all, class = {}, self
  while class do
    for name, kind in pairs(rawget(class, "options") or {}) do
      if all[name] == nil then
        all[name] = kind
      end
    end
    class = rawget(class, "super")
  end
  return all
end

--- The class's name; no address, no contents.
---@return string
function Object:__tostring()
  return getmetatable(self).__name
end

setmetatable(Object, { __call = class_call, __tostring = class_text })

return Object
