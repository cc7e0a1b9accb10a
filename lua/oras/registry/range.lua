--- Ranges of bytes of a blob, {first, last}, inclusive.
local errors = require "oras.error"

local range = {}

-- More than any blob has, and far from what overflows when the bytes are counted.
local FARTHEST <const> = 1 << 62

--- Check a caller's range; gives it in bounds that can be reckoned with.
---@param given table
---@return integer[]
---@raise oras.Error usage
function range.check(given)
  local first, last = given[1], given[2]
  local good = math.type(first) == "integer" and math.type(last) == "integer"
    and first >= 0 and last >= first
  if not good then
    errors.usage "get_blob: range is {first, last}, whole numbers from 0 on, last inclusive"
  end
  return { math.min(first, FARTHEST), math.min(last, FARTHEST) }
end

--- Nothing of the blob is in the range: a mistake of the caller, whoever finds it out.
---@param wanted { digest: string, size?: integer }
---@param container oras.Container
---@param given integer[]
---@param answer? oras.Response that says so
---@raise oras.Error usage
function range.refuse(wanted, container, given, answer)
  local size = wanted.size
  errors.raise {
    class = "usage",
    digest = wanted.digest,
    message = ('blob "%s" in %s: the range begins at %d, the blob %s'):format(wanted.digest,
      container:place(), given[1], size and ("has %d bytes"):format(size) or "ends before it"),
    method = answer and answer.method,
    status = answer and answer.status,
    url = answer and answer.url,
  }
end

return range
