--- Lines for whoever runs the program: oras.log.info("pulled %s", name). Secrets are redacted.
local core = require "oras.core"

local log = {}

local RANKS <const> = { error = 1, warn = 2, info = 3, debug = 4 }

local before

local function is_heard(level)
  local most = core.log.level()
  return most ~= nil and RANKS[level] <= RANKS[most]
end

--- Have a function called before each line that is printed: whoever draws on the terminal makes
--- room for it.
---@param fn? function nil: no more
function log.before(fn)
  before = fn
end

local function writer(level)
  return function(format, ...)
    if before and is_heard(level) then
      before()
    end
    if select("#", ...) > 0 then
      format = format:format(...)
    end
    core.log.write(level, tostring(format))
  end
end

--- Something failed.
log.error = writer "error"
--- Something looks wrong but goes on.
log.warn = writer "warn"
--- What is being done.
log.info = writer "info"
--- For those who look for a fault.
log.debug = writer "debug"

return log
