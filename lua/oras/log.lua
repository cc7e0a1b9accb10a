--- Lines for whoever runs the program: oras.log.info("pulled %s", name). Secrets are redacted.
local core = require "oras.core"

local log = {}

local function writer(level)
  return function(format, ...)
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
