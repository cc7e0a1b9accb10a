--- The sandbox's child: what src/host/sandbox_child.c runs. It waits for a provider's text and for
--- calls of its methods, and asks the parent for all that the provider may have. Whatever runs here
--- may be the provider's: the parent believes none of it.
local prim = ... -- what C gives: ask, budget, handle, json, error, module, version

local json <const> = prim.json
local encode <const>, decode <const> = json.encode, json.decode

local loaded = {}
local errors -- oras.error, once it is there

-- Handles that were collected, for the parent to close; told with the next message.
local dropped = {}

local function raise(err)
  errors.raise(err)
end

--- Ask the parent; gives its answer and the bytes that belong to it, or raises what it refuses.
local function ask(message, bytes)
  if dropped[1] then
    message.dropped, dropped = json.array(dropped), {}
  end
  local text, err = encode(message)
  if not text then
    raise(err)
  end
  local answer, payload = prim.ask(text, bytes)
  answer = decode(answer)
  if answer.error then
    raise(answer.error)
  end
  return answer, payload
end

--- Raise: the provider wants what nobody has in here. The parent writes it down.
local function refuse(what)
  ask { op = "refuse", what = what }
end

local function need(name)
  local value = loaded[name]
  if value == nil then
    local make = prim.module(name)
    if not make then
      refuse(("the module '%s'"):format(name))
    end
    value = make(name)
    loaded[name] = value
  end
  return value
end

local link = {
  ask = ask,
  dropped = function(id) dropped[#dropped + 1] = id end,
  handle = prim.handle,
  json = json,
  need = need,
  prim = prim,
  refuse = refuse,
}

local function prepare()
  _G.require = need -- of our modules; the provider has globals of its own
  loaded["oras.sandbox.link"] = link
  loaded["oras.core"] = need "oras.sandbox.core"
  errors = need "oras.error"
  loaded["oras.task"] = need "oras.sandbox.task"
  need "oras.sandbox.guest"
  getmetatable("").__metatable = false
  rawset(string, "dump", nil)
  rawset(coroutine, "close", nil)
end

local class

local function load_provider(name, text)
  local environment = need "oras.sandbox.environment"
  local chunk, message = load(text, name, "t", environment.new(link))
  if not chunk then
    raise { class = "script", message = message }
  end
  class = chunk(name)
  if type(class) ~= "table" or type(class.new) ~= "function" then
    raise { class = "content", message = ("the provider gives a %s, expected a class"):format(type(class)) }
  end
end

-- An iterator gives what it goes over; of a list with fields beside its items, the items.
local function plain(result)
  if type(result) == "function" then
    local items = json.array {}
    for item in result do
      items[#items + 1] = item
    end
    return items
  end
  local is_list = type(result) == "table" and getmetatable(result) == nil and result[1] ~= nil
  return is_list and json.array(table.move(result, 1, #result, 1, {})) or result
end

local function check_count(fn, method, n)
  local info = debug.getinfo(fn, "u")
  local most = math.max(info.nparams - 1, 0) -- without self, which a method need not name
  if not info.isvararg and n > most then
    raise {
      class = "usage", message = ("'%s' takes %d arguments, not %d"):format(method, most, n),
    }
  end
end

local object

local function call(message)
  prim.budget(message.cpu)
  if message.provider then
    load_provider(message.provider, message.text)
  end
  object = object or class:new()
  local fn = message.method:sub(1, 1) ~= "_" and object[message.method]
  if type(fn) ~= "function" then
    raise { class = "not_found", message = ("the provider has no method '%s'"):format(message.method) }
  end
  local args = message.args
  local n = #args
  check_count(fn, message.method, n)
  for i = 1, n do
    if args[i] == json.null then
      args[i] = nil
    end
  end
  local result = plain(fn(object, table.unpack(args, 1, n)))
  local text, err = encode { op = "result", result = result }
  if not text then
    raise(err)
  end
  return text
end

local FIELDS <const> = { "class", "message", "code", "status", "method", "url", "digest", "where" }

-- An error as it can be sent. The provider may raise what it likes: nothing of it is called.
local function describe(value)
  if type(value) ~= "table" then
    local text = (type(value) == "string" or type(value) == "number") and tostring(value)
    return { class = "script", message = text or ("(error object is a %s value)"):format(type(value)) }
  end
  local copy = {}
  for _, field in ipairs(FIELDS) do
    local item = rawget(value, field)
    if type(item) == "string" or math.type(item) == "integer" then
      copy[field] = item
    end
  end
  copy.message = copy.message or "(error object is a table value)"
  return copy
end

prepare()
local answer
while true do
  local text, payload = prim.ask(answer)
  local message = decode(text)
  message.text = payload
  local ok, result = pcall(call, message)
  if not ok then
    answer = encode { op = "error", error = describe(result) }
      or encode { op = "error", error = { class = "script", message = "(an error that is no text)" } }
  else
    answer = result
  end
end
