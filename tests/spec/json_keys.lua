--- Is a command's document what docs/json.md says? Each key of it is documented, and each documented
--- one without "?" is there.
local oras = require "oras"

local json_keys = {}

local PAGE <const> = "docs/json.md"

-- The lines of a section, by the command's name.
local function sections()
  local found, current = {}, nil
  for line in io.lines(PAGE) do
    local title = line:match "^## (.+)$"
    if title then
      current = {}
      found[title] = current
    elseif current then
      current[#current + 1] = line
    end
  end
  return found
end

local function new_node()
  return { keys = {} }
end

-- The place in the tree of a path as "files[].path"; `[]` is the node of an array's items.
local function node_at(root, path)
  local node = root
  for part in path:gsub("%[%]", ".[]"):gmatch "[^.]+" do
    node.keys[part] = node.keys[part] or new_node()
    node = node.keys[part]
  end
  return node
end

local function row_of(line)
  return line:match "^| `([^`]+)` | ([^|]-) | "
end

--- The keys of a command as a tree of `{type, optional, keys}`, or nil when it has no section.
---@param command string
---@return table?
function json_keys.tree(command)
  local lines = sections()[command]
  if not lines then
    return nil
  end
  local root = new_node()
  for _, line in ipairs(lines) do
    local path, kind = row_of(line)
    if path then
      local node = node_at(root, (path:gsub("%?$", "")))
      node.type, node.optional = kind, path:sub(-1) == "?"
    elseif line:find "^An array of strings" then
      root.keys["[]"] = { keys = {}, type = "string", optional = true }
    end
  end
  return root
end

local KINDS <const> = {
  array = function(value) return oras.json.is_array(value) end,
  boolean = function(value) return type(value) == "boolean" end,
  integer = function(value) return math.type(value) == "integer" end,
  map = function(value) return type(value) == "table" end,
  object = function(value) return type(value) == "table" and not oras.json.is_array(value) end,
  string = function(value) return type(value) == "string" end,
  tree = function(value) return oras.json.is_array(value) end,
  any = function(value) return value ~= nil end,
}

local check

local function fail(where, format, ...)
  error(("%s: %s"):format(where, format:format(...)), 0)
end

local function check_kind(node, value, where)
  local known = not node.type
  for kind in (node.type or ""):gmatch "%a+" do
    if kind ~= "or" then
      known = known or (KINDS[kind] or fail(where, "docs/json.md names the type %q", kind))(value)
    end
  end
  if not known then
    fail(where, "is no %s", node.type)
  end
end

local function check_items(root, node, value, where)
  for i, item in ipairs(value) do
    check(root, node, item, ("%s[%d]"):format(where, i))
  end
end

local function check_fields(root, node, value, where)
  for key in pairs(value) do
    if not node.keys[key] then
      fail(where, "the key %q is not in docs/json.md", key)
    end
  end
  for key, child in pairs(node.keys) do
    if value[key] ~= nil then
      check(root, child, value[key], ("%s.%s"):format(where, key))
    elseif not child.optional then
      fail(where, "the key %q is missing", key)
    end
  end
end

function check(root, node, value, where)
  check_kind(node, value, where)
  if node.type == "tree" then
    check_items(root, root, value, where)
  elseif node.keys["[]"] then
    check_items(root, node.keys["[]"], value, where)
  elseif next(node.keys) then
    check_fields(root, node, value, where)
  end
end

--- Fail unless a document has the keys that docs/json.md says.
---@param command string "manifest fetch"
---@param document any as decoded by oras.json
function json_keys.check(command, document)
  local root = json_keys.tree(command) or fail(command, "there is no section in docs/json.md")
  check(root, root, document, command)
end

--- The same for text; gives the document.
---@param command string
---@param text string
---@return any
function json_keys.check_text(command, text)
  local document = assert(oras.json.decode(text))
  json_keys.check(command, document)
  return document
end

return json_keys
