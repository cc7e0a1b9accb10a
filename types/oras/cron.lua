---@meta oras.cron
--- Times as cron writes them.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.Cron
---@field text string
---@field utc? boolean
local Cron = {}

---@class oras.cron
local cron = {}

--- Read a time.
---@param text string
---@param opts? { utc?: boolean } by universal time; else by the machine's zone (TZ)
---@return oras.Cron
--- Raises oras.Error usage says which field is wrong, or that the time never comes
function cron.parse(text, opts) end

--- The next time that a text means.
---@param text string
---@param time? number seconds since 1970, now by default
---@param opts? { utc?: boolean }
---@return integer seconds since 1970
--- Raises oras.Error usage
function cron.next(text, time, opts) end

--- Is the value a parsed time?
---@return boolean
---@param value any
function cron.is_cron(value) end

--- The next time that is due.
---@param time? number seconds since 1970, now by default
---@return integer seconds since 1970, later than `time`, a full minute
--- Raises oras.Error usage when it never comes
function Cron:next(time) end

return cron
