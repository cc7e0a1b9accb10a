--- The part of YAML that people write Chart.yaml and the like in: mappings and lists in block and
--- flow style, scalars plain, quoted and as blocks (| and >), comments. Anchors, tags, several
--- documents, keys that are no plain words and tabs are refused, never guessed at.
local errors = require "oras.error"
local json = require "oras.json"

local yaml = {}

local MAX_DEPTH <const>, MAX_BYTES <const> = 32, 1024 * 1024

local Reader = {}
Reader.__index = Reader

local function fail(reader, why, ...)
  errors.raise { class = "content", message = ("%s, line %d: %s"):format(reader.name, reader.at, why:format(...)) }
end

-- Lines as {indent, text}; what is empty or a comment has no indent.
local function lines_of(text)
  local lines = {}
  for line in (text:gsub("\r\n", "\n") .. "\n"):gmatch "(.-)\n" do
    local blanks, rest = line:match "^( *)(.*)$"
    local is_empty = rest == "" or rest:find "^#" or rest:find "^%s+$"
    lines[#lines + 1] = { indent = not is_empty and #blanks or nil, text = rest, raw = line }
  end
  return lines
end

-- The next line that says something, which becomes the current one.
local function peek(reader)
  while reader.lines[reader.at] and not reader.lines[reader.at].indent do
    reader.at = reader.at + 1
  end
  return reader.lines[reader.at]
end

local WORDS <const> = {
  ["true"] = true, ["True"] = true, ["TRUE"] = true, ["false"] = false, ["False"] = false, ["FALSE"] = false,
  ["null"] = json.null, ["Null"] = json.null, ["NULL"] = json.null, ["~"] = json.null, [""] = json.null,
}

local function plain(reader, text)
  if WORDS[text] ~= nil then
    return WORDS[text]
  elseif text:find "^[&*!|>%%@`\"'%[%]{}]" or text:find "^[?:-] " or text:find ": " or text:find ":$" then
    fail(reader, "%q is not understood here (quote it?)", text:sub(1, 40))
  elseif text:find "^[-+]?%d+$" and #text < 18 then
    return math.tointeger(tonumber(text))
  elseif text:find "^[-+]?%d*%.%d+$" or text:find "^[-+]?%d+%.%d*$" then
    return tonumber(text)
  end
  return text
end

local ESCAPES <const> = {
  n = "\n", t = "\t", r = "\r", ["0"] = "\0", ["\\"] = "\\", ['"'] = '"', ["/"] = "/", [" "] = " ",
}

-- A quoted scalar that begins at a position; gives the text and the position behind it.
local function quoted(reader, text, from)
  local quote, parts, i = text:sub(from, from), {}, from + 1
  while true do
    local c = text:sub(i, i)
    if c == "" then
      fail(reader, "a quoted text does not end in its line")
    elseif c == quote and quote == "'" and text:sub(i + 1, i + 1) == "'" then
      parts[#parts + 1], i = "'", i + 2
    elseif c == quote then
      return table.concat(parts), i + 1
    elseif c == "\\" and quote == '"' then
      local kind = text:sub(i + 1, i + 1)
      local width = ({ x = 2, u = 4, U = 8 })[kind]
      local hex = width and text:match("^" .. ("%x"):rep(width), i + 2)
      local code = hex and tonumber(hex, 16)
      if not ESCAPES[kind] and not (code and code <= 0x10FFFF and not (code >= 0xD800 and code < 0xE000)) then
        fail(reader, "the escape \\%s is not understood", kind)
      end
      parts[#parts + 1] = ESCAPES[kind] or utf8.char(code)
      i = i + 2 + (ESCAPES[kind] and 0 or width)
    else
      parts[#parts + 1], i = c, i + 1
    end
  end
end

local function skip(text, i)
  return text:match("^%s*()", i)
end

local flow

-- The members of a flow list or mapping up to its end.
local function flow_members(reader, text, i, depth, close, add)
  i = skip(text, i)
  while text:sub(i, i) ~= close do
    i = skip(text, add(i, depth))
    local c = text:sub(i, i)
    if c == "," then
      i = skip(text, i + 1)
    elseif c ~= close then
      fail(reader, "expected ',' or '%s'", close)
    end
  end
  return i + 1
end

-- A key that is not there yet.
local function fresh(reader, map, key)
  if map[key] ~= nil then
    fail(reader, "the key %q is there twice", key)
  end
  return key
end

local function flow_list(reader, text, i, depth)
  local list = json.array {}
  return list, flow_members(reader, text, i, depth, "]", function(at)
    local value, behind = flow(reader, text, at, depth)
    list[#list + 1] = value
    return behind
  end)
end

local function flow_map(reader, text, i, depth)
  local map = {}
  return map, flow_members(reader, text, i, depth, "}", function(at)
    local key, behind = flow(reader, text, at, depth, true)
    at = skip(text, behind)
    if text:sub(at, at) ~= ":" then
      fail(reader, "expected ':' behind the key %q", tostring(key))
    end
    local value
    value, behind = flow(reader, text, skip(text, at + 1), depth)
    map[fresh(reader, map, key)] = value
    return behind
  end)
end

-- A value in flow style; gives it and the position behind it.
function flow(reader, text, i, depth, is_key)
  local c = text:sub(i, i)
  if depth > MAX_DEPTH then
    fail(reader, "more than %d levels", MAX_DEPTH)
  elseif c == "[" then
    return flow_list(reader, text, i + 1, depth + 1)
  elseif c == "{" then
    return flow_map(reader, text, i + 1, depth + 1)
  elseif c == '"' or c == "'" then
    return quoted(reader, text, i)
  end
  local word = text:match(is_key and "^[^,%[%]{}:]+" or "^[^,%[%]{}]+", i) or ""
  local clean = word:gsub("%s+$", "")
  return is_key and clean or plain(reader, clean), i + #word
end

-- What stands in one line behind a key or a dash, without a comment.
local function inline(reader, text, depth)
  local c = text:sub(1, 1)
  if c == '"' or c == "'" or c == "[" or c == "{" then
    local value, behind = flow(reader, text, 1, depth)
    if not text:find("^%s*$", behind) and not text:find("^%s+#", behind) then
      fail(reader, "%q is left over", text:sub(behind, behind + 20))
    end
    return value
  end
  return plain(reader, (text:gsub("%s+#.*$", ""):gsub("%s+$", "")))
end

-- Lines of a block scalar: all that are indented more than its parent, or empty.
local function block_lines(reader, parent)
  local list, width = {}, nil
  while reader.lines[reader.at] do
    local raw = reader.lines[reader.at].raw
    local blanks = #raw:match "^ *"
    local is_empty = raw:find "^%s*$"
    if not is_empty then
      width = width or blanks
      if blanks <= parent or blanks < width then
        break
      end
    end
    list[#list + 1] = is_empty and "" or raw
    reader.at = reader.at + 1
  end
  for i, raw in ipairs(list) do
    list[i] = raw:sub((width or 0) + 1)
  end
  return list
end

local function folded(list)
  local parts, before = {}, nil
  for _, line in ipairs(list) do
    local joins = before and before ~= "" and line ~= "" and not line:find "^ " and not before:find "^ "
    if before and not (before == "" and line ~= "") then
      parts[#parts + 1] = joins and " " or (line ~= "" and "\n" or "")
    end
    parts[#parts + 1] = line == "" and "\n" or line
    before = line
  end
  return table.concat(parts)
end

local function block_scalar(reader, style, chomp, parent)
  local list = block_lines(reader, parent)
  local empty = 0
  while list[#list] == "" do
    list[#list], empty = nil, empty + 1
  end
  local text = style == "|" and table.concat(list, "\n") or folded(list)
  if chomp == "-" or text == "" then
    return text
  end
  return text .. "\n" .. (chomp == "+" and ("\n"):rep(empty) or "")
end

local block

-- The value behind "key:" or "-": in the same line, a block scalar, or what is indented below.
local function value_of(reader, text, parent, depth, below_too)
  local style, chomp = text:match "^([|>])([-+]?)%s*$"
  if not style then
    style, chomp = text:match "^([|>])([-+]?)%s+#.*$"
  end
  reader.at = reader.at + 1
  if style then
    return block_scalar(reader, style, chomp, parent)
  elseif text ~= "" and not text:find "^#" then
    reader.at = reader.at - 1
    local value = inline(reader, text, depth)
    reader.at = reader.at + 1
    local more = peek(reader)
    if more and more.indent > parent then
      fail(reader, "a text that goes on in the next line is written with | or >")
    end
    return value
  end
  local more = peek(reader)
  if more and (more.indent > parent or (below_too and more.indent == parent and more.text:find "^%-%s")) then
    return block(reader, more.indent, depth + 1)
  end
  return json.null
end

local function key_of(reader, text)
  if text:find "^[\"']" then
    local key, behind = quoted(reader, text, 1)
    local rest = text:match("^%s*:%s+(.*)$", behind) or text:match("^%s*:()$", behind) and ""
    return key, rest
  end
  local key, rest = text:match "^([%w_.][^:#%[%]{},&*!|>'\"%%@`]-)%s*:%s+(.*)$"
  if not key then
    key, rest = text:match "^([%w_.][^:#%[%]{},&*!|>'\"%%@`]-)%s*:$", ""
  end
  if not key then
    key, rest = text:match "^([%w_.])%s*:%s*(.*)$"
  end
  return key, rest
end

local function block_map(reader, indent, depth)
  local map = {}
  while true do
    local line = peek(reader)
    if not line or line.indent < indent then
      return map
    elseif line.indent > indent then
      fail(reader, "indented more than what it belongs to")
    end
    local key, rest = key_of(reader, line.text)
    if not key or not rest then
      fail(reader, "expected \"key: value\", not %q", line.text:sub(1, 40))
    end
    key = fresh(reader, map, key)
    map[key] = value_of(reader, rest, indent, depth, true)
  end
end

local function block_list(reader, indent, depth)
  local list = json.array {}
  while true do
    local line = peek(reader)
    local is_item = line and line.indent == indent and (line.text == "-" or line.text:find "^%-%s")
    if not is_item then
      if line and line.indent > indent then
        fail(reader, "indented more than what it belongs to")
      end
      return list
    end
    local blanks, rest = line.text:match "^%-(%s*)(.*)$"
    local key, behind = nil, nil
    if rest ~= "" and not rest:find "^[%[{]" then
      key, behind = key_of(reader, rest)
    end
    local starts_more = (key and behind) or rest:find "^%-%s"
    if starts_more then -- "- key: value" begins a mapping that goes on below, at that column
      line.indent, line.text = indent + 1 + #blanks, rest
      list[#list + 1] = block(reader, line.indent, depth + 1)
    else
      list[#list + 1] = value_of(reader, rest, indent, depth)
    end
  end
end

function block(reader, indent, depth)
  local line = peek(reader)
  if depth > MAX_DEPTH then
    fail(reader, "more than %d levels", MAX_DEPTH)
  elseif line.text == "-" or line.text:find "^%-%s" then
    return block_list(reader, indent, depth)
  end
  return block_map(reader, indent, depth)
end

--- Decode a document whose outermost value is a mapping or a list.
---@param text string
---@param name? string of the file, for messages
---@return table
---@raise oras.Error content
function yaml.decode(text, name)
  local reader = setmetatable({ name = name or "YAML", at = 1 }, Reader)
  if #text > MAX_BYTES then
    fail(reader, "more than %d bytes", MAX_BYTES)
  elseif not utf8.len(text) then
    fail(reader, "it is not UTF-8")
  elseif text:find "[%z\1-\8\11\12\14-\31\127]" then
    fail(reader, "it has control characters")
  end
  reader.lines = lines_of((text:gsub("^\u{FEFF}", "")))
  local line = peek(reader)
  if line and line.raw:find "^%-%-%-%s*$" then
    reader.at = reader.at + 1
    line = peek(reader)
  end
  if not line then
    fail(reader, "it is empty")
  end
  for i, one in ipairs(reader.lines) do
    if one.indent and one.text:find "^\t" then
      reader.at = i
      fail(reader, "a tab cannot indent")
    end
  end
  local value = block(reader, line.indent, 1)
  if peek(reader) then
    fail(reader, "%q is left over", reader.lines[reader.at].raw:sub(1, 40))
  end
  return value
end

return yaml
