--- Option tables, checked in one place: a mistyped name or a wrong type raises at the
--- caller's line and says what was probably meant.
local errors = require "oras.error"

local options = {}

-- oras-py's names for what has another name here.
local ELSEWHERE <const> = {
  allowed_media_type = "accept",
  configs = "config_path",
  container = "the first argument",
  data = "body",
  do_chunked = "chunked",
  json = "body, with oras.json.encode",
  manifest_annotations = "annotations",
  manifest_config = "config",
  password = "set_basic_auth(user, password)",
  quiet = false,
  refresh_headers = false,
  return_items = false,
  target = "the first argument",
  username = "set_basic_auth(user, password)",
  validation_schema = false,
}

-- Edits between two words, Levenshtein's; the words are short.
local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local best = math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
      diagonal, row[j] = row[j], best
    end
  end
  return row[#b]
end

--- The name nearest to a mistyped one, or nil when none is near.
---@param word string
---@param names table<string, any> the good names are its keys
---@return string?
function options.nearest(word, names)
  local best, best_distance
  for name in pairs(names) do
    local d = distance(word:lower(), name:lower())
    local better = not best_distance or d < best_distance or (d == best_distance and name < best)
    if better then
      best, best_distance = name, d
    end
  end
  if best and best_distance <= math.max(#word < 4 and 1 or 2, #word // 3) then
    return best
  end
end

local function hint(name, spec)
  local near = options.nearest(name, spec)
  if near then
    return (" (%s?)"):format(near)
  end
  local ours = ELSEWHERE[name]
  if ours then
    return (" (here: %s)"):format(ours)
  end
  return ours == false and " (not needed here)" or ""
end

local function unknown(what, name, spec)
  if type(name) ~= "string" then
    errors.usage("%s: options have names, as in { name = value }", what)
  end
  errors.usage("%s: unknown option %q%s", what, name, hint(name, spec))
end

local function kind_of(value)
  return math.type(value) or type(value)
end

local function fits(value, kinds)
  local kind = kind_of(value)
  for wanted in kinds:gmatch("[^|]+") do
    local number = wanted == "number" and (kind == "integer" or kind == "float")
    if wanted == kind or wanted == "any" or number then
      return true
    end
  end
  return false
end

-- "an integer or string".
local function with_article(kinds)
  return ("%s %s"):format(kinds:find "^[aeio]" and "an" or "a", (kinds:gsub("|", " or ")))
end

--- Check an option table against `{name = "string|boolean"}` and give it back.
---@param given? table
---@param spec table<string, string>
---@param what string "Registry:new"
---@return table
---@raise oras.Error usage
function options.check(given, spec, what)
  if given == nil then
    return {}
  end
  if type(given) ~= "table" then
    errors.usage("%s: options are a table, not a %s", what, type(given))
  end
  for name, value in pairs(given) do
    local kinds = spec[name]
    if not kinds then
      unknown(what, name, spec)
    elseif type(value) ~= kinds and not fits(value, kinds) then
      errors.usage("%s: option %q is %s, not %s", what, name, with_article(kinds), with_article(kind_of(value)))
    end
  end
  return given
end

--- Give a list back, unless it has names or gaps: what stands there would be passed over.
---@param list any[]
---@param what string "index: add"
---@return any[]
---@raise oras.Error usage
function options.list(list, what)
  local n = 0
  for key in pairs(list) do
    n = n + 1
    if math.type(key) ~= "integer" then
      errors.usage("%s: a list, without names as %q", what, tostring(key))
    end
  end
  if n ~= #list then
    errors.usage("%s: a list has no gaps", what)
  end
  return list
end

--- What is a text or a list of texts, as a list; nil is an empty one.
---@param given? string|string[]
---@param what string "copy: tags"
---@return string[]
---@raise oras.Error usage
function options.texts(given, what)
  local list = options.list(type(given) == "string" and { given } or given or {}, what)
  for _, text in ipairs(list) do
    if type(text) ~= "string" then
      errors.usage("%s: strings, not a %s", what, type(text))
    end
  end
  return list
end

--- A table with the same fields.
---@param tbl table
---@return table
function options.copied(tbl)
  local copy = {}
  for key, value in pairs(tbl) do
    copy[key] = value
  end
  return copy
end

return options
