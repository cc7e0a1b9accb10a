--- What the helpers of the specs share: JSON, and a small HTTP client that does not go through oras.
--- The client is curl in a process of its own, so that a defect of ours cannot hide itself.

local wire = {}

local dkjson_found, dkjson = pcall(require, "dkjson")

---@param text string
---@return any
function wire.decode(text)
  if dkjson_found then
    local value, _, message = dkjson.decode(text, 1, nil, nil, nil)
    if message then
      error("not JSON: " .. message, 2)
    end
    return value
  end
  return assert(require("oras.core").json.decode(text))
end

---@param value any
---@return string
function wire.encode(value)
  if dkjson_found then
    return dkjson.encode(value)
  end
  return require("oras.core").json.encode(value)
end

--- Mark a table as a JSON array, also when it is empty.
---@param list table
---@return table
function wire.array(list)
  if dkjson_found then
    return setmetatable(list, { __jsontype = "array" })
  end
  return require("oras.core").json.array(list)
end

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

--- Standard base64, for bytes that JSON cannot carry.
---@param data string
---@return string
function wire.base64(data)
  local out = {}
  for start = 1, #data, 3 do
    local a, b, c = data:byte(start, start + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    for place = 0, 3 do
      local index = (bits >> (18 - 6 * place) & 63) + 1
      out[#out + 1] = ALPHABET:sub(index, index)
    end
    if not c then
      out[#out] = "="
    end
    if not b then
      out[#out - 1] = "="
    end
  end
  return table.concat(out)
end

--- A word for the shell.
---@param text string
---@return string
function wire.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Run a command; its standard output and its exit code.
---@param command string
---@return string output
---@return integer code
function wire.run(command)
  local pipe = assert(io.popen(command, "r"))
  local output = pipe:read("a")
  local _, _, code = pipe:close()
  return output, code or 0
end

--- One request to a control port; gives the decoded answer or raises.
---@param method string
---@param url string
---@param value any? sent as JSON
---@return any
function wire.call(method, url, value)
  local command = "curl -sS --noproxy '*' -X " .. method .. " " .. wire.quote(url)
  local path
  if value ~= nil then
    path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write(wire.encode(value))
    file:close()
    command = command .. " -H 'Content-Type: application/json' --data-binary @" .. wire.quote(path)
  end
  local output, code = wire.run(command)
  if path then
    os.remove(path)
  end
  if code ~= 0 then
    error(("curl gave %d for %s %s"):format(code, method, url), 2)
  end
  local answer = wire.decode(output)
  if type(answer) == "table" and answer.error then
    error(("%s %s: %s"):format(method, url, answer.error), 2)
  end
  return answer
end

return wire
