--- Scopes of tokens, "repository:NAME:pull,push": merged and in one spelling, so that they can
--- be keys (docker-registry shuffles them from answer to answer).
local scopes = {}

local ACTIONS <const> = { GET = "pull", HEAD = "pull", DELETE = "delete" }

--- What a request needs, in one spelling; "" when it cannot be known.
---@param request table
---@return string
function scopes.of_request(request)
  local scope = request.scope
  if not scope then
    local repository = request.repository or request.url:match("/v2/(.+)/%a+/[^/]+$")
    if not repository then
      return ""
    end
    local actions = ACTIONS[request.method] or "pull,push"
    local pushes = request.endpoint and request.endpoint.pushes
    if actions == "pull" and pushes and pushes[repository] then
      actions = "pull,push" -- one token for all of a push
    end
    scope = ("repository:%s:%s"):format(repository, actions)
    request.scope = scope
  end
  return scope
end

local function sorted_keys(set)
  local keys = {}
  for key in pairs(set) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

-- "type:name:a,b" into resource and actions; what has another shape stays as it is.
local function add(resources, scope)
  local resource, actions = scope:match("^(%a[%w()]*:.+):([%w*,_-]*)$")
  local set = resources[resource or scope] or {}
  resources[resource or scope] = set
  for action in (actions or ""):gmatch "[^,]+" do
    set[action] = true
  end
end

local function print_one(resource, set)
  if next(set) == nil then
    return resource
  end
  return resource .. ":" .. (set["*"] and "*" or table.concat(sorted_keys(set), ","))
end

--- Merge scopes, each a list separated by spaces.
---@param ... string
---@return string
function scopes.merge(...)
  local resources = {}
  for i = 1, select("#", ...) do
    for scope in (select(i, ...)):gmatch "%S+" do
      add(resources, scope)
    end
  end
  local parts = {}
  for _, resource in ipairs(sorted_keys(resources)) do
    parts[#parts + 1] = print_one(resource, resources[resource])
  end
  return table.concat(parts, " ")
end

--- The scope whose token also serves this one: who may push may pull.
---@param scope string
---@return string
function scopes.wider(scope)
  return scope:sub(-5) == ":pull" and scope .. ",push" or scope
end

return scopes
