--- clang-format and luacheck have nothing to say; skipped where they are absent.
package.path = "tests/lint/lib/?.lua;" .. package.path
local lint = require "lint"

local function tool(...)
  for _, name in ipairs { ... } do
    if #lint.lines(("command -v %s"):format(name)) > 0 then
      return name
    end
  end
end

local function run(command)
  return lint.lines(command .. " 2>&1 | grep -E '^[^ ]+:[0-9]+:' | head -40")
end

local function in_temporary(extension, text, command)
  local path = os.tmpname()
  local named = path .. extension
  local file = assert(io.open(named, "w"))
  file:write(text)
  file:close()
  local found = run(command:format(named))
  os.remove(named)
  os.remove(path)
  return found
end

local function report(name, command, files, extension, bad, good)
  local problems = in_temporary(extension, good, command)

  if #in_temporary(extension, bad, command) == 0 then
    problems[#problems + 1] = "finds nothing in: " .. bad
  end
  lint.test(name .. ": self-test", problems)
  lint.test(name, run(command:format(table.concat(files, " "))))
end

local clang_format = tool("clang-format", "clang-format-14")
if clang_format then
  local command = clang_format .. " --style=file:.clang-format --dry-run -Werror %s"
  local files = lint.files("%.[ch]$", "include src tests bench examples")
  report("format: clang-format", command, files, ".c", "int  a;\n", "int a;\n")
else
  lint.skip("format: clang-format", "clang-format is not installed")
end

if tool "luacheck" then
  local files = lint.files("%.lua$")
  local command = "luacheck -q --no-color --formatter plain %s"
  report("format: luacheck", command, files, ".lua", "x = 1\n", "local x = 1\nreturn x\n")
else
  lint.skip("format: luacheck", "luacheck is not installed")
end
lint.finish()
