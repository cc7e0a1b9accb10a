--- Secrets that must not be seen: every form in which one may stand in a text.
local core = require "oras.core"

local canary = {}

local LEAST <const> = 6 -- bytes of a form that is looked for

local function percent(text, format, keep)
  return (text:gsub("[^%w" .. keep .. "]", function(char)
    return format:format(char:byte())
  end))
end

local function json_escaped(text)
  return core.json.encode(text):sub(2, -2)
end

-- The characters of base64 that a text has whatever stands before and behind it.
local function base64_inside(text, before)
  local encoded = core.base64.encode((" "):rep(before) .. text)
  local first = (before * 8 + 5) // 6 + 1
  local last = ((before + #text) * 8) // 6
  return encoded:sub(first, last)
end

--- The forms of a secret: as it is, in base64 wherever it begins, %-encoded, escaped as in JSON, and
--- base64 in the alphabet of URLs.
---@param secret string
---@return string[]
function canary.forms(secret)
  local json = json_escaped(secret)
  local forms = { secret, json, (json:gsub("/", "\\/")), ("%q"):format(secret):sub(2, -2) }
  for _, format in ipairs { "%%%02X", "%%%02x" } do
    for _, keep in ipairs { "._~-", "._~%-/:", "._~%-!*'()" } do
      forms[#forms + 1] = percent(secret, format, keep)
    end
  end
  for before = 0, 2 do
    local inside = base64_inside(secret, before)
    forms[#forms + 1] = inside
    forms[#forms + 1] = inside:gsub("+", "-"):gsub("/", "_")
    forms[#forms + 1] = percent(inside, "%%%02X", "")
  end
  return forms
end

--- Where a text has a secret, in whatever form; nil where it has none.
---@param text string
---@param secrets string[]
---@return string? found
function canary.find(text, secrets)
  for _, secret in ipairs(secrets) do
    for _, form in ipairs(canary.forms(secret)) do
      local at = #form >= LEAST and text:find(form, 1, true)
      if at then
        return ("%q in: %s"):format(secret, text:sub(math.max(1, at - 100), at + #form + 100))
      end
    end
  end
end

return canary
