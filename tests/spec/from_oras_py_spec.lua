--- docs/from-oras-py.md against both sides: what it names exists here, and no public name of oras-py is missing in it.
local helper = require "tests.spec.helper"
local oras = require "oras"
local process = require "tests.spec.process"

local PAGE <const> = "docs/from-oras-py.md"

-- oras-py's own machinery: its messages, its containers of Docker, its helpers for files.
local INTERNAL <const> = [[
import ast, glob, os, sys
base = sys.argv[1]
for path in sorted(glob.glob(base + "/**/*.py", recursive=True)):
    module = os.path.relpath(path, base)
    if module.split("/")[0] in ("tests", "utils", "logger.py", "main", "decorator.py"):
        continue
    for node in ast.parse(open(path).read()).body:
        if isinstance(node, ast.FunctionDef) or isinstance(node, ast.ClassDef):
            print(node.name)
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    print(member.name)
]]

local function page()
  return assert(helper.read(PAGE))
end

local function has_word(text, word)
  return text:find("%f[%w_]" .. word .. "%f[^%w_]") ~= nil
end

local function registry_methods()
  local names = {}
  for name in assert(helper.read "types/oras/registry.lua"):gmatch "\nfunction Registry:([%w_]+)" do
    names[name] = true
  end
  return names
end

describe("docs/from-oras-py.md", function()
  it("names every method of Registry", function()
    local text = page()
    for name in pairs(registry_methods()) do
      local is_plumbing = name == "init" or name == "new"
      assert.is_truthy(is_plumbing or has_word(text, name), name)
    end
  end)

  it("names only functions that are there", function()
    local Registry = oras.Registry
    local places = {
      Registry, Registry:new():get_container "a.b/c", oras.layout.Layout, oras.oci,
      getmetatable(oras.oci.Annotations()),
      require("oras.response").new { status = 200 }, _G,
    }
    for line in page():gmatch "\n(|[^\n]+)" do
      local here = line:match "^|[^|]*|([^|]*)|" or ""
      for name in here:gmatch "`([%l_]+)[%(%s{][^`]*`" do
        local found
        for _, place in ipairs(places) do
          found = found or place[name]
        end
        assert.is_truthy(found, name)
      end
      for module, name in here:gmatch "`oras%.(%l+)%.([%l_]+)" do
        if module ~= "core" then
          assert.is_truthy(oras[module][name], module .. "." .. name)
        end
      end
      for part, name in here:gmatch "`oras%.core%.(%l+)%.([%l_]+)" do
        assert.is_function(require("oras.core")[part][name], part .. "." .. name)
      end
    end
  end)

  it("leaves out no public name of oras-py", function()
    local peers = os.getenv "ORAS_TEST_PEERS"
    local pipe = io.popen(("ls -d '%s'/venv/lib/python3*/site-packages/oras 2>/dev/null"):format(peers or ""))
    local base = pipe:read "l"
    pipe:close()
    if not base then
      return pending "oras-py is not among the peers (scripts/peers)"
    end
    local status, out, err = process.shell(("python3 -c %s %s"):format(process.quote(INTERNAL), process.quote(base)))
    assert.equal(0, status, err)
    local text, count = page(), 0
    for name in out:gmatch "[^\n]+" do
      if name:sub(1, 1) ~= "_" then
        count = count + 1
        assert.is_truthy(has_word(text, name), name)
      end
    end
    assert.is_true(count > 60, count)
  end)
end)
