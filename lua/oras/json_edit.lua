--- Changes in the text of a JSON object that leave every other byte as it is: what somebody else
--- wrote keeps its order, its numbers' spelling and its white space.
---
--- The text must be a valid document (core.json.decode says so); here it is only cut.
local core = require "oras.core"

local edit = {}

-- Index behind the string that begins at `at`.
local function after_string(text, at)
  local i = at + 1
  while true do
    local found = text:find('["\\]', i)
    if text:sub(found, found) == '"' then
      return found + 1
    end
    i = found + 2
  end
end

local DEPTH <const> = { ["{"] = 1, ["["] = 1, ["}"] = -1, ["]"] = -1 }

-- Index behind the value that begins at `at`.
local function after_value(text, at)
  if not text:find("^[{%[\"]", at) then
    return text:find("[,%]}%s]", at) or #text + 1
  end
  local depth, i = 0, at
  repeat
    i = text:find('["{}%[%]]', i)
    local step = DEPTH[text:sub(i, i)]
    if step then
      depth, i = depth + step, i + 1
    else
      i = after_string(text, i)
    end
  until depth == 0
  return i
end

local function after_space(text, at)
  return text:find("%S", at)
end

local function key_of(raw)
  return raw:find("\\", 1, true) and core.json.decode("[" .. raw .. "]")[1] or raw:sub(2, -2)
end

-- Members of the object that begins at `open`: where each and its value begin and end.
local function members_of(text, open)
  local members = {}
  local at = after_space(text, open + 1)
  while text:sub(at, at) ~= "}" do
    local behind = after_string(text, at)
    local value = after_space(text, text:find(":", behind, true) + 1)
    local member = { key = key_of(text:sub(at, behind - 1)), from = at, value = value, to = after_value(text, value) }
    members[#members + 1] = member
    at = after_space(text, member.to)
    if text:sub(at, at) == "," then
      at = after_space(text, at + 1)
    end
  end
  return members, at
end

local function find(members, key)
  for i, member in ipairs(members) do
    if member.key == key then
      return member, i
    end
  end
end

local function replace(text, from, to, new)
  return text:sub(1, from - 1) .. new .. text:sub(to)
end

local function indent_of(text, at)
  return text:sub(1, at):match "\n([ \t]*)[^\n]*$" or ""
end

-- What the document itself is indented by; docker's tab where that cannot be seen.
local function unit_of(text)
  return text:match "^%s*{%s*\n([ \t]+)\"" or "\t"
end

-- A member behind the others, laid out as they are.
local function append(text, open, members, close, member)
  if #members > 0 then
    local gap = text:sub(open + 1, members[1].from - 1)
    local last = members[#members].to
    return replace(text, last, last, "," .. gap .. member)
  elseif not text:find("\n", 1, true) then
    return replace(text, open + 1, close, member)
  end
  local indent = indent_of(text, open)
  return replace(text, open + 1, close, ("\n%s%s%s\n%s"):format(indent, unit_of(text), member, indent))
end

local function is_object(text, at)
  return text:sub(at, at) == "{"
end

-- The object in which the last name of `path` is; nil where a part of the way is missing.
local function descend(text, path)
  local open = after_space(text, 1)
  for i = 1, #path - 1 do
    local member = find(members_of(text, open), path[i])
    if not member or not is_object(text, member.value) then
      return nil
    end
    open = member.value
  end
  return open
end

--- The elements of an array, each as its text.
---@param text string a JSON object
---@param path string[] names from the root to a member whose value is an array
---@return string[]
function edit.elements(text, path)
  local elements = {}
  local at = find(members_of(text, descend(text, path)), path[#path]).value
  at = after_space(text, at + 1)
  while text:sub(at, at) ~= "]" do
    local behind = after_value(text, at)
    elements[#elements + 1] = text:sub(at, behind - 1)
    at = after_space(text, behind)
    if text:sub(at, at) == "," then
      at = after_space(text, at + 1)
    end
  end
  return elements
end

--- Give a member a value; objects that are missing on the way are made, a null is taken for none.
---@param text string a JSON object
---@param path string[] names from the root
---@param value string JSON text
---@return string
function edit.put(text, path, value)
  local parent = { table.unpack(path, 1, #path - 1) }
  local open = descend(text, path)
  if not open then
    text = edit.put(text, parent, "{}")
    open = descend(text, path)
  end
  local members, close = members_of(text, open)
  local member = find(members, path[#path])
  if member then
    return replace(text, member.value, member.to, value)
  end
  local colon = text:find("\n", 1, true) and ": " or ":"
  return append(text, open, members, close, core.json.encode(path[#path]) .. colon .. value)
end

--- Take a member away.
---@param text string a JSON object
---@param path string[] names from the root
---@return string
---@return boolean was_there
function edit.remove(text, path)
  local open = descend(text, path)
  if not open then
    return text, false
  end
  local members, close = members_of(text, open)
  local member, i = find(members, path[#path])
  if not member then
    return text, false
  elseif #members == 1 then
    return replace(text, open + 1, close, ""), true
  elseif i == 1 then
    return replace(text, member.from, members[2].from, ""), true
  end
  return replace(text, members[i - 1].to, member.to, ""), true
end

return edit
