--- What the lints share: files of the tree, C without comments, TAP.
--- A lint is run from the project's root: lua5.4 tests/lint/NAME.lua
local lint = {}

local TREE = "include src lua providers examples scripts tests bench docs cmake types .ci"
local count, failed = 0, 0

--- The lines of a command's output, sorted.
---@param command string
---@return string[]
function lint.lines(command)
  local pipe <close> = assert(io.popen(command, "r"))
  local lines = {}

  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  table.sort(lines)
  return lines
end

--- Files below the given places (default: the whole tree) whose name fits a Lua pattern.
---@param pattern string
---@param where? string names of directories or files, space between
---@return string[]
function lint.files(pattern, where)
  local found = {}
  local command = "find %s -name __pycache__ -prune -o -type f -print 2>/dev/null"
  local places = where or TREE .. " $(ls -A | grep -v '^[.]git$')"

  for _, path in ipairs(lint.lines(command:format(places) .. " | sed 's,^[.]/,,' | sort -u")) do
    if path:find(pattern) and not path:find "^build/" and not path:find "^results/" then
      found[#found + 1] = path
    end
  end
  return found
end

--- The text of a file.
---@param path string
---@return string
function lint.read(path)
  local file <close> = assert(io.open(path, "rb"))

  return file:read "a"
end

local function blank(text)
  return (text:gsub("[^\n]", " "))
end

--- C with comments and the insides of strings blanked; lines stay where they are.
---@param text string
---@return string
function lint.strip_c(text)
  local out, at = {}, 1

  while at <= #text do
    local first, last = text:find('["\'/]', at)
    if not first then
      break
    end
    out[#out + 1] = text:sub(at, first - 1)
    local two = text:sub(first, first + 1)
    local _
    local quote = text:sub(first, first)
    if two == "/*" then
      _, last = text:find("*/", first + 2, true)
    elseif two == "//" then
      last = (text:find("\n", first, true) or #text + 1) - 1
    elseif quote ~= "/" then
      last = first + 1
      while last <= #text and text:sub(last, last) ~= quote do
        last = last + (text:sub(last, last) == "\\" and 2 or 1)
      end
    end
    last = math.min(last or #text, #text)
    local piece = text:sub(first, last)
    out[#out + 1] = (#piece > 1) and (quote == "/" and blank(piece) or quote .. blank(piece:sub(2, -2)) .. quote)
      or piece
    at = last + 1
  end
  return table.concat(out) .. text:sub(at)
end

--- Lua with comments blanked (strings stay).
---@param text string
---@return string
function lint.strip_lua(text)
  text = text:gsub("%-%-%[(=*)%[.-%]%1%]", blank)
  return (text:gsub("%-%-[^\n]*", blank))
end

--- Lines of a text, with their numbers.
---@param text string
---@return fun(): integer?, string?
function lint.each_line(text)
  local number = 0
  local next_line = (text .. "\n"):gmatch "([^\n]*)\n"

  return function()
    local line = next_line()
    number = number + 1
    if line then
      return number, line
    end
  end
end

--- One test of the TAP stream: fine when there are no problems.
---@param name string
---@param problems string[]
function lint.test(name, problems)
  count = count + 1
  if #problems == 0 then
    print(("ok %d - %s"):format(count, name))
    return
  end
  failed = failed + 1
  print(("not ok %d - %s"):format(count, name))
  for _, problem in ipairs(problems) do
    print("# " .. problem)
  end
end

--- A test that cannot run here.
---@param name string
---@param reason string
function lint.skip(name, reason)
  count = count + 1
  print(("ok %d - %s # SKIP %s"):format(count, name, reason))
end

--- The self-test of a lint: `check` finds something in each bad text and nothing in the good one.
---@param name string
---@param check fun(path: string, text: string): string[]
---@param bad table<string, string|string[]> path -> a text or texts in which there is a problem
---@param good table<string, string|string[]>
function lint.self_test(name, check, bad, good)
  local problems = {}

  local function each(set, fn)
    for path, texts in pairs(set) do
      for _, text in ipairs(type(texts) == "table" and texts or { texts }) do
        fn(path, text, check(path, text))
      end
    end
  end
  each(bad, function(path, text, found)
    if #found == 0 then
      problems[#problems + 1] = ("finds nothing in %s: %s"):format(path, text)
    end
  end)
  each(good, function(path, text, found)
    if #found > 0 then
      problems[#problems + 1] = ("complains about %s: %s: %s"):format(path, text, found[1])
    end
  end)
  table.sort(problems)
  lint.test(name .. ": self-test", problems)
end

--- Run `check` over files and report as one test.
---@param name string
---@param files string[]
---@param check fun(path: string, text: string): string[]
function lint.over(name, files, check)
  local problems = {}

  if #files == 0 then
    problems[1] = "no files to look at"
  end
  for _, path in ipairs(files) do
    for _, problem in ipairs(check(path, lint.read(path))) do
      problems[#problems + 1] = problem
    end
  end
  lint.test(name, problems)
end

--- End the TAP stream and the program.
function lint.finish()
  print("1.." .. count)
  os.exit(failed == 0)
end

return lint
