--- Every row of the fault catalogue that reading is about has a test that carries its id; the
--- rows that wait are listed with what they wait for.
package.path = "tests/lint/lib/?.lua;" .. package.path
local lint = require "lint"
local rows = require "rows"

local function quoted_names(line, names)
  for _, opener in ipairs { "it", "describe", "test", "case", "check", "row", "[%w_]+_it" } do
    local _, last = line:find("%f[%w_.:]" .. opener .. "%s*%(?%s*[\"']")
    if last then
      names[#names + 1] = line:sub(last)
    end
  end
end

--- Names of tests in a file: what stands behind it(...) in Lua, function names in C and Python,
--- names of cases in shell. A test that is only `pending` is none.
local function test_names(path, text)
  local names = {}

  for _, line in lint.each_line(text) do
    if path:find "%.lua$" then
      quoted_names(lint.strip_lua(line), names)
    elseif path:find "%.[ch]$" then
      for name in line:gmatch "%f[%w_]test_[%w_]+" do
        names[#names + 1] = name
      end
    elseif path:find "%.py$" then
      names[#names + 1] = line:match "def (test_[%w_]+)"
    else
      names[#names + 1] = line:match "^%s*[%w_]+%s+[\"'](.*)"
    end
  end
  return names
end

--- The ids in a name, "_" and "-" alike: "N03", "CVE-2020-15157".
local function has_id(name, id)
  local plain = " " .. name:gsub("[^%w]", " ") .. " "
  return plain:lower():find(" " .. id:gsub("[^%w]", " "):lower() .. " ", 1, true) ~= nil
end

local function tested(names, ids)
  for _, name in ipairs(names) do
    for _, id in ipairs(ids) do
      if has_id(name, id) then
        return true
      end
    end
  end
  return false
end

local function all_names()
  local names = {}

  for _, path in ipairs(lint.files("%.%w+$", "tests")) do
    if not path:find "^tests/lint/" and not path:find "%.md$" then
      table.move(test_names(path, lint.read(path)), 1, 1 << 20, #names + 1, names)
    end
  end
  return names
end

--- name -> { state, ids }
local function all_rows()
  local list = {}

  for id, state in pairs(rows.ids) do
    list[#list + 1] = { name = id, state = state, ids = { id } }
  end
  for _, row in ipairs(rows.advisories) do
    list[#list + 1] = { name = ("%s (%s)"):format(row[3], row[2]), state = row[1], ids = { table.unpack(row, 3) } }
  end
  table.sort(list, function(a, b)
    return a.name < b.name
  end)
  return list
end

local function sort_out(list, names)
  local gaps, later, done = {}, {}, 0

  for _, row in ipairs(list) do
    local is_tested = tested(names, row.ids)
    if type(row.state) == "table" then
      local waiting = later[row.state.later] or {}
      later[row.state.later] = waiting
      waiting[#waiting + 1] = row.name
    elseif is_tested then
      done = done + 1
    else
      gaps[#gaps + 1] = row.name .. " has no test"
    end
  end
  return gaps, later, done
end

local function self_test()
  local list = { { name = "N03", state = "now", ids = { "N03" } } }
  local problems = {}
  local function expect(is_gap, path, text)
    if (#sort_out(list, test_names(path, text)) > 0) ~= is_gap then
      problems[#problems + 1] = ("%s: %s"):format(path, text)
    end
  end

  expect(false, "a_spec.lua", 'it("N03 resumes", f)')
  expect(false, "a_spec.lua", 'traced_it("N03 resumes", f)')
  expect(false, "test_a.c", "static void test_sink_N03_resumes(void **state)")
  expect(false, "a.sh", "check 'N03: resumes'")
  expect(true, "a_spec.lua", '-- it("N03 resumes", f)')
  expect(true, "a_spec.lua", 'pending("N03 resumes")')
  expect(true, "a_spec.lua", 'it("N031 resumes", f)')
  expect(true, "test_a.c", "/* N03 */ static void test_sink(void **state)")
  lint.test("ids: self-test", problems)
end

local function report_later(later)
  local reasons = {}

  for reason in pairs(later) do
    reasons[#reasons + 1] = reason
  end
  table.sort(reasons)
  for _, reason in ipairs(reasons) do
    print(("# later, with %s: %s"):format(reason, table.concat(later[reason], ", ")))
  end
end

self_test()
local gaps, later, done = sort_out(all_rows(), all_names())
lint.test(("ids: rows with a test (%d) and none without"):format(done), gaps)
report_later(later)
lint.finish()
