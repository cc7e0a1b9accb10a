---@meta oras.log
--- Lines for whoever runs the program.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.log
local log = {}

--- Have a function called before each line that is printed: whoever draws on the terminal makes
--- room for it.
---@param fn? function nil: no more
function log.before(fn) end

--- Something failed.
---@param format string as string.format takes it
---@param ... any
function log.error(format, ...) end

--- Something looks wrong but goes on.
---@param format string
---@param ... any
function log.warn(format, ...) end

--- What is being done.
---@param format string
---@param ... any
function log.info(format, ...) end

--- For those who look for a fault.
---@param format string
---@param ... any
function log.debug(format, ...) end

return log
