--- Public functions say what they do: C prototypes in headers, functions of Lua modules,
--- methods of Lua classes (those with every parameter).
package.path = "tests/lint/lib/?.lua;" .. package.path
local lint = require "lint"

-- In the rooms' own headers the verb says it (new/free, init/dispose, ...); in include/ never.
local PLAIN_VERBS = { "new", "free", "init", "dispose", "close", "ref", "unref", "name" }

local function is_plain(path, name)
  for _, verb in ipairs(PLAIN_VERBS) do
    if path:find "^src/" and name:find("_" .. verb .. "$") then
      return true
    end
  end
  return false
end

--- Blocks of lines without a blank one between: { first line, lines }. A brace keeps a block open.
local function blocks(text)
  local found, current, depth = {}, nil, 0

  for number, line in lint.each_line((text:gsub('extern "C" {', ""))) do
    if line:find "^%s*$" and depth <= 0 then
      current = nil
    else
      if not current then
        current = { first = number }
        found[#found + 1] = current
      end
      current[#current + 1] = line
      depth = depth + select(2, line:gsub("{", "")) - select(2, line:gsub("}", ""))
    end
  end
  return found
end

local function prototypes(block)
  local code = lint.strip_c(table.concat(block, "\n")):gsub("{.-}", "{}")
  local names = {}

  for statement in code:gsub("\n%s*#[^\n]*", "\n"):gsub("^%s*#[^\n]*", ""):gmatch "([^;]+);" do
    local name = statement:match "^%s*[%w_%s%*]-([%a_][%w_]*)%s*%("
    if name and not statement:find "typedef" and not statement:find "%(%s*%*" and name:find "^oras" then
      names[#names + 1] = name
    end
  end
  return names
end

local function check_header(path, text)
  local problems = {}

  for _, block in ipairs(blocks(text)) do
    local commented = block[1]:find "^%s*/%*" ~= nil
    for _, name in ipairs(prototypes(block)) do
      if not commented and not is_plain(path, name) then
        problems[#problems + 1] = ("%s:%d: %s has no comment"):format(path, block.first, name)
      end
    end
  end
  return problems
end

local function comment_above(lines, at)
  local text = {}

  while at > 1 and lines[at - 1]:find "^%-%-" do
    at = at - 1
    table.insert(text, 1, lines[at])
  end
  return text
end

local function missing_parameters(comment, parameters)
  local named, missing = {}, {}

  for _, line in ipairs(comment) do
    local name = line:match "^%-%-%-@param%s+([%w_]+)" or line:match "^%-%-%-@param%s+(%.%.%.)"
    if name then
      named[name] = true
    end
  end
  for name in parameters:gmatch "[%w_.]+" do
    if not name:find "^_" and name ~= "..." and not named[name] then
      missing[#missing + 1] = ("no ---@param %s"):format(name)
    end
    named[name] = nil
  end
  for name in pairs(named) do
    missing[#missing + 1] = ("---@param %s is no parameter"):format(name)
  end
  return missing
end

local function has_prose(comment)
  for _, line in ipairs(comment) do
    if line:find "^%-%-%-?%s*[%w`\"']" then
      return true
    end
  end
  return false
end

local function check_lua(path, text)
  local lines, problems = {}, {}

  for number, line in lint.each_line(text) do
    lines[number] = line
  end
  for number, line in ipairs(lines) do
    local owner, mark, name, parameters = line:match "^function ([%w_.]-)([.:])([%w_]+)%s*%((.-)%)"
    if name and not name:find "^_" then
      local comment = comment_above(lines, number)
      local missing = has_prose(comment) and {} or { "no comment that says what it does" }
      if mark == ":" and owner:find "^%u" and #missing == 0 then
        missing = missing_parameters(comment, parameters)
      end
      for _, what in ipairs(missing) do
        problems[#problems + 1] = ("%s:%d: %s%s%s: %s"):format(path, number, owner, mark, name, what)
      end
    end
  end
  return problems
end

local function check(path, text)
  return path:find "%.h$" and check_header(path, text) or check_lua(path, text)
end

lint.self_test("docs", check, {
  ["include/oras.h"] = {
    "ORAS_API void oras_free(void *p);",
    "int oras_a(int\n  b);",
    "/** x */\n\nint oras_b(void);",
  },
  ["src/base/x.h"] = "bool oras_buf_append(oras_buf *b);",
  ["lua/oras/x.lua"] = {
    "function Registry:get(name)\nend",
    "--- Get.\nfunction Registry:get(name)\nend",
    "---@param name string\nfunction Registry:get(name)\nend",
    "--- Get.\n---@param nam string\nfunction Registry:get(name)\nend",
    "function token.query(a)\nend",
  },
}, {
  ["include/oras.h"] = {
    "/** Frees. */\nORAS_API void oras_free(void *p);",
    "typedef struct oras_x {\n  int (*fn)(int);\n\n  int b;\n} oras_x;",
  },
  ["src/base/x.h"] = {
    "void oras_buf_free(oras_buf *b);",
    "/** Append. */\nbool oras_buf_append(oras_buf *b);\nbool oras_buf_puts(int a);",
  },
  ["lua/oras/x.lua"] = {
    "--- Get.\n---@param name string\n---@param ... any\nfunction Registry:get(name, ...)\nend",
    "function Registry:_x(a)\nend",
  },
})
lint.over("docs: prototypes in headers", lint.files("%.h$", "include src"), check)
lint.over("docs: functions of Lua modules and classes", lint.files("%.lua$", "lua providers"), check)
lint.finish()
