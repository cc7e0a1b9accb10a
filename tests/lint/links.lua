--- Documents name files that exist; nothing in the tree names a machine's own paths, or where its
--- packages come from.
package.path = "tests/lint/lib/?.lua;" .. package.path
local lint = require "lint"

local SELF = "tests/lint/links.lua"

-- Plain text that must not stand anywhere in the tree: homes of a machine's users, and ways to
-- fetch packages that are not the machine's own.
local FORBIDDEN = { "/root/", "GOPROXY=", "--index-url", "[trusted=" }

local TOPS = {
  include = true, src = true, lua = true, providers = true, examples = true, scripts = true, tests = true, bench = true,
  docs = true, cmake = true,
}

local function exists(path)
  local file = io.open(path, "rb")
  return file ~= nil and file:close()
end

local function is_link_broken(path, target)
  target = target:gsub("#.*$", "")
  if target == "" or target:find "^%a+:" then
    return false
  end
  local place = (path:match "^(.*/)" or "") .. target
  return not exists(place)
end

-- `scripts/try`, `docs/x.md`, `src/base`: a name in backquotes that starts at one of our directories.
local function is_name_broken(name)
  local top = name:match "^(%w+)/"
  return TOPS[top] ~= nil and not name:find "[%*<>{}%s%u]" and not exists(name) and not exists(name .. ".lua")
end

local function document_problems(path, number, line, problems)
  local function add(what)
    problems[#problems + 1] = ("%s:%d: %s does not exist"):format(path, number, what)
  end

  for target in line:gmatch "%]%(([^%s)]+)%)" do
    if is_link_broken(path, target) then
      add(target)
    end
  end
  for name in line:gmatch "`([%w_./-]+)`" do
    if is_name_broken(name) then
      add(name)
    end
  end
end

local function check(path, text)
  local problems = {}

  if text:find "\0" then
    return problems
  end
  for number, line in lint.each_line(text) do
    for _, word in ipairs(FORBIDDEN) do
      if line:find(word, 1, true) then
        problems[#problems + 1] = ("%s:%d: %q"):format(path, number, word)
      end
    end
    if path:find "%.md$" then
      document_problems(path, number, line, problems)
    end
  end
  return problems
end

local function all_files()
  local files = {}

  for _, path in ipairs(lint.files ".") do
    if path ~= SELF then
      files[#files + 1] = path
    end
  end
  return files
end

lint.self_test("links", check, {
  ["docs/x.md"] = { "[a](nowhere.md)", "`scripts/nowhere`", "see /root/x" },
  ["README.md"] = "[a](docs/nowhere.md#b)",
  ["scripts/x"] = "pip install --index-url x",
}, {
  ["docs/x.md"] = "[a](architecture.md#x) [b](https://example.org/x) `include/oras.h` `tests/unit/<room>` [c](#d)",
})
lint.over("links: documents and paths", all_files(), check)
lint.finish()
