--- A verb on many references: side by side, and one that fails does not lose the others.
local errors = require "oras.error"
local jobs = require "oras.registry.jobs"

local many = {}

local CONCURRENCY <const> = 8

-- What is wrong with a side as a whole, not with one reference: no more is begun.
local HOPELESS <const> = {
  cancelled = true, config = true, helper = true, io = true, memory = true, network = true, script = true,
  timeout = true, tls = true, usage = true,
}

-- A blob that cannot be read concerns only who needs it.
local function is_hopeless(err)
  return HOPELESS[err.class] and not (err.class == "io" and err.origin == "source")
end

---@class oras.Item
---@field reference string where it came from, or was to come from
---@field error? oras.Error

--- Call `fn(item)` for each; what it raises is kept in the item, whose `done` is "failed" then.
---@param items oras.Item[]
---@param fn fun(item: oras.Item)
---@param concurrency? integer
function many.run(items, fn, concurrency)
  local is_over = false
  local work <close> = jobs.new(math.min(concurrency or CONCURRENCY, math.max(#items, 1)))
  for i = #items, 1, -1 do -- the last job is done first
    local item = items[i]
    work:add(function()
      if is_over or item.error then
        return
      end
      local _, err = errors.try(function()
        fn(item)
        return true
      end)
      item.error = err
      is_over = is_over or (err ~= nil and is_hopeless(err))
    end)
  end
  work:finish()
end

local function split(items)
  local done, failed, left = {}, {}, 0
  for _, item in ipairs(items) do
    if item.error then
      failed[#failed + 1] = item
    elseif item.done then
      done[#done + 1] = item
    else
      left = left + 1
    end
  end
  return done, failed, left
end

--- The items that were done; raises when not all were.
---@param items oras.Item[]
---@param verb string "backed up"
---@return oras.Item[]
---@raise oras.Error of the first failure's class; `failures` has all that failed, `done` what was done
function many.finish(items, verb)
  local done, failed, left = split(items)
  if #failed == 0 then
    return done
  end
  local first = failed[1].error
  local rest = left > 0 and (", %d were not tried"):format(left) or ""
  errors.raise {
    class = first.class, code = first.code, status = first.status, digest = first.digest, origin = first.origin,
    retryable = first.retryable, failures = failed, done = done,
    message = ("%d of %d not %s%s: %s: %s"):format(#failed, #items, verb, rest, failed[1].reference, first.message),
  }
end

--- What copies that run side by side into one place share (registry/copy_blobs.lua).
---@param mounts? table those of the place's registry
---@return table
function many.shared(mounts)
  return { there = {}, moving = {}, mounts = mounts or {} }
end

--- The layout at a path, whatever the path has in it.
---@param registry oras.Registry
---@param path string
---@param verb string
---@return oras.Container
---@raise oras.Error usage
function many.layout_at(registry, path, verb)
  if type(path) ~= "string" or path == "" then
    errors.usage("%s: the layout is the path of a directory or of a .tar, not a %s", verb,
      path == "" and "text without letters" or type(path))
  end
  local any = registry:get_container "oci:layout"
  any.path = path
  local container = any:with_tag "latest" -- raises for what is no path
  container.implicit_tag = true
  return container
end

--- Is it a whole reference, and not a tag?
---@param name string
---@return boolean
function many.is_full(name)
  return name:find("[/@:]") ~= nil
end

return many
