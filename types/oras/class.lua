---@meta oras.class
--- What all classes have.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.Object
---@field super? oras.Object the parent class
---@field options? table<string, string> options that `new` takes, by name: their types
local Object = {}

--- Set up a new object; overridden by classes that have something to set up.
function Object.init() end

--- Is the object or class one of the class or of a subclass of it?
---@param class table
---@return boolean
function Object:is_a(class) end

--- Make a subclass.
---@generic T
---@param self T
---@param name string shown by tostring and in messages
---@return T class
function Object:extend(name) end

--- Make an object; the arguments go to `init`. Never overridden.
---@generic T
---@param self T
---@param ... any
---@return T object
function Object:new(...) end

return Object
