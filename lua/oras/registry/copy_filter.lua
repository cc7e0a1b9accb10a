--- What a copy takes along, by type and annotation: patterns as oras.glob has them.
local errors = require "oras.error"
local glob = require "oras.glob"
local options = require "oras.options"

local filter = {}

local FIELDS <const> = {
  exclude_annotations = "string|table", exclude_types = "string|table",
  include_annotations = "string|table", include_types = "string|table",
}

local function list_of(given, name)
  local list = options.texts(given, "filter: " .. name)
  for _, text in ipairs(list) do
    if text == "" then
      errors.usage("filter: %s are patterns, not a text without letters", name)
    end
  end
  return list
end

local function any(tests, d)
  for _, test in ipairs(tests) do
    if test(d) then
      return true
    end
  end
  return false
end

-- The type of an artifact, else that of its manifest.
local function type_tests(list)
  local tests = {}
  for i, pattern in ipairs(list) do
    tests[i] = function(d)
      return glob.match(type(d.artifactType) == "string" and d.artifactType or d.mediaType, pattern)
    end
  end
  return tests
end

-- "KEY" or "KEY=VALUE", the value a pattern.
local function annotation_tests(list)
  local tests = {}
  for i, text in ipairs(list) do
    local key, value = text:match "^([^=]+)=(.*)$"
    tests[i] = function(d)
      local found = (d.annotations or {})[key or text]
      return found ~= nil and (not value or glob.match(found, value))
    end
  end
  return tests
end

--- Make a filter for copy, backup and restore. It looks at referrers only: what an index lists is
--- all taken. Something is taken when one of the `include_` patterns of each kind fits, if there are
--- any, and none of the others does.
---@param given { include_types?: string|string[], exclude_types?: string|string[],
--- include_annotations?: string|string[], exclude_annotations?: string|string[] }
---@return fun(descriptor: table, kind: string): boolean
---@raise oras.Error usage
function filter.new(given)
  options.check(given, FIELDS, "filter")
  local wanted, unwanted = {}, {}
  for kind, make in pairs { types = type_tests, annotations = annotation_tests } do
    local included = make(list_of(given["include_" .. kind], "include_" .. kind))
    wanted[#wanted + 1] = #included > 0 and included or nil
    unwanted[#unwanted + 1] = make(list_of(given["exclude_" .. kind], "exclude_" .. kind))
  end
  return function(d, kind)
    if kind ~= "referrer" then
      return true
    end
    for _, tests in ipairs(wanted) do
      if not any(tests, d) then
        return false
      end
    end
    for _, tests in ipairs(unwanted) do
      if any(tests, d) then
        return false
      end
    end
    return true
  end
end

--- A filter of what a caller gave: a function as it is, or patterns.
---@param given? function|table
---@return function?
function filter.of(given)
  return type(given) == "table" and filter.new(given) or given
end

return filter
