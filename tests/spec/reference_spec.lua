--- scripts/docs, which makes the reference of the Lua API with ldoc.
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local shell = process.shell

describe("the reference", function()
  it("is made without a warning, and has every function and class of types/", function()
    for _, program in ipairs { "ldoc", "lua5.4" } do
      if not os.execute(("command -v %s >/dev/null 2>&1"):format(program)) then
        return pending(program .. " is not installed")
      end
    end
    assert.same({ 0, "", "" }, { shell "scripts/docs" })

    local _, files = shell "cd types && find . -name '*.lua' | sort"
    for path in files:gmatch "%./([^\n]+)%.lua" do
      local page = helper.read(("build/docs/modules/%s.html"):format(path:gsub("/", ".")))
      assert.is_string(page, path)
      local text = helper.read(("types/%s.lua"):format(path))
      for name in text:gmatch "\nfunction [%w_]+[.:]([%w_]+)" do
        assert.truthy(page:find(name .. "(", 1, true) or page:find(name .. " (", 1, true), name)
      end
      for class in text:gmatch "%-%-%-@class ([%w_.]+)[^\n]*\n%-%-%-@field" do
        assert.truthy(page:find(class, 1, true), class)
      end
    end
  end)

  it("keeps what stands in angle brackets", function()
    local page = helper.read "build/docs/modules/oras.options.html"
    if not page then
      return pending "there is no reference"
    end
    assert.truthy(page:find("(table&lt;string, string&gt;)", 1, true))
  end)
end)
