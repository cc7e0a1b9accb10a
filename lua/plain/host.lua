--- oras.host in a stock lua5.4, where no program stands around the library: it gives no
--- credentials and has registered no functions.
local host = {}

--- Credentials of the host's; nil: it says nothing.
function host.credentials()
  return nil
end

--- Has the host registered a function of that name?
---@return boolean
function host.has()
  return false
end

return host
