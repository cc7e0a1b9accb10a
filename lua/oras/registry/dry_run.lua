--- A dry run: what reads goes out, what would change a registry or a layout is told and refused.
---
--- It is the last step before anything leaves (`send`, and the functions that write a layout), so
--- that no provider's method gets past it.
local core = require "oras.core"
local errors = require "oras.error"

local dry_run = {}

local READS <const> = { GET = true, HEAD = true }

-- Many blobs that go to one place are one line.
local function tell(registry, text)
  local told = registry._told or {}
  if not told[text] then
    registry._told, told[text] = told, true
    core.log.write("info", text)
  end
end

local function refusal(registry, event)
  local text = ("dry run: %s %s not sent"):format(event.method, event.url)
  registry:_emit("write", event)
  tell(registry, text)
  return errors.new {
    class = "denied", code = "DRY_RUN", message = text, method = event.method, url = event.url, retryable = false,
  }
end

--- Why a request is not sent, or nil when it is: it only reads, or asks a realm for a token.
---@param registry oras.Registry
---@param request table
---@return oras.Error?
function dry_run.refusal(registry, request)
  if READS[request.method] or request.purpose == "token" then
    return nil
  end
  return refusal(registry, { method = request.method, url = core.url.redact(request.url) })
end

-- Gathering writes for a tar makes files beside it, which a dry run does without.
local function guarded_batch(batch)
  return function(registry, container, ...)
    if registry.dry_run then
      return nil, container
    end
    return batch(registry, container, ...)
  end
end

--- Let the functions that write a layout refuse in a dry run. Each is called with a registry and
--- a container.
---@param backend table<string, function>
---@return table<string, function> the same
function dry_run.guard(backend)
  for name, write in pairs(backend) do
    backend[name] = name == "batch" and guarded_batch(write) or function(registry, container, ...)
      if registry.dry_run then
        errors.raise(refusal(registry, { method = name, url = container:place() }))
      end
      return write(registry, container, ...)
    end
  end
  return backend
end

return dry_run
