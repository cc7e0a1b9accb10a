--- reference: write types/ once more, in the words that ldoc understands (scripts/docs).
---
---     lua5.4 scripts/reference.lua FOLDER
---
--- ldoc knows neither classes nor types as editors do: a class becomes a table, a type stands in
--- parentheses, what is optional says so.
local FOLDER <const> = assert(arg[1], "usage: reference.lua FOLDER")

local HTML <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }

-- The first word is the type; it has blanks inside of brackets, behind "fun():" and around nothing else.
local function split_type(text)
  local at = 1
  while true do
    local rest = text:sub(at)
    local piece = rest:match "^fun%b():? ?[^ ]*" or rest:match "^[%w_.]+%b<>[%[%]?]*" or rest:match "^%b{}[%[%]?]*"
      or rest:match "^%b()[%[%]?]*" or rest:match '^"[^"]*"' or rest:match "^[^ |]+" or ""
    at = at + #piece
    if text:sub(at, at) ~= "|" then
      return text:sub(1, at - 1), text:sub(at + 1)
    end
    at = at + 1
  end
end

local function typed(text)
  local kind, said = split_type(text)
  return ("(%s)%s"):format(kind, said ~= "" and " " .. said or "")
end

-- One line of a comment, or nil for what only editors need.
local function line_of(text)
  local tag, rest = text:match "^@(%l+) ?(.*)"
  if tag == "param" then
    local name, mark, behind = rest:match "^([%w_.]+)(%??) (.*)"
    return name ~= "self" and ("-- @param%s %s %s"):format(mark == "?" and "[opt]" or "", name, typed(behind)) or nil
  elseif tag == "return" then
    return "-- @return " .. typed(rest)
  elseif tag == "field" then
    local name, mark, behind = rest:match "^%[?([%w_]+)%]?(%??) (.*)"
    return ("-- @field %s %s%s"):format(name, typed(behind), mark == "?" and " (optional)" or "")
  elseif tag then
    return nil
  end
  return text:find "^ Raises " and "-- @raise" .. text:sub(8) or "--" .. text
end

-- ldoc ends a comment's text with its first tag: prose behind one belongs to it.
local function put_comment(out, lines, first, last)
  out[#out + 1] = first
  for _, line in ipairs(lines) do
    local said = line_of(line)
    if said then
      out[#out + 1] = (said:gsub("[&<>]", HTML))
    end
  end
  out[#out + 1] = last
end

local function put_class(out, name, lines)
  local fields, has_fields = {}, false
  for _, line in ipairs(lines) do
    has_fields = has_fields or line:find "^@field" ~= nil
    fields[#fields + 1] = line
  end
  if has_fields then
    put_comment(out, fields, ("--- Fields of `%s`."):format(name), "-- @table " .. name)
    out[#out + 1] = ""
  end
end

-- Moves a function's prose before its tags, in the order it has.
local function in_order(lines)
  local prose, tags = {}, {}
  for _, line in ipairs(lines) do
    local into = (line:find "^@" or line:find "^ Raises " or #tags > 0) and tags or prose
    into[#into + 1] = line
  end
  return prose, tags
end

local function put_function(out, lines, code)
  local prose, tags = in_order(lines)
  local first = (prose[1] or " "):gsub("^ ", "")
  table.remove(prose, 1)
  table.move(tags, 1, #tags, #prose + 1, prose)
  put_comment(out, prose, "--- " .. first, code)
  out[#out + 1] = ""
end

local function convert(path)
  local out, comment, module = {}, {}, nil
  local file <close> = assert(io.open(path))
  for line in (file:read "a" .. "\n"):gmatch "([^\n]*)\n" do
    local said = line:match "^%-%-%-(.*)"
    if said and said:find "^@meta" then
      module = said:match "^@meta (.+)"
    elseif said then
      comment[#comment + 1] = said
    else
      local class = comment[1] and comment[1]:match "^@class ([%w_.]+)"
      if module and #out == 0 then
        out[1] = ("---%s\n-- @module %s\n"):format(comment[1], module)
      elseif class then
        put_class(out, class, { table.unpack(comment, 2) })
      elseif line:find "^function " then
        put_function(out, comment, line)
      end
      comment = {}
    end
  end
  return table.concat(out, "\n"), module
end

local list <close> = assert(io.popen "find types -name '*.lua' | sort")
for path in list:lines() do
  local text, module = convert(path)
  local file <close> = assert(io.open(("%s/%s.lua"):format(FOLDER, module), "w"))
  file:write(text)
end
