--- The rockspec, used as a newcomer would: built by luarocks against the system's libraries into a
--- tree of its own, then required by plain lua5.4.
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local quote, shell = process.quote, process.shell
local ROCKSPEC <const> = "oras-0.1.0-1.rockspec"

local function missing()
  if not os.execute "command -v luarocks >/dev/null 2>&1" then
    return "luarocks is not installed"
  elseif not os.execute "command -v lua5.4 >/dev/null 2>&1" then
    return "lua5.4 is not installed"
  end
end

local function fields()
  local spec = {}
  assert(loadfile(ROCKSPEC, "t", spec))()
  return spec
end

describe("the rockspec", function()
  local tree

  setup(function()
    tree = os.tmpname()
    os.remove(tree)
  end)

  teardown(function()
    os.execute("rm -rf " .. quote(tree))
  end)

  it("is of the library's version, and its name says so", function()
    local spec = fields()
    assert.equal(require("oras").version .. "-1", spec.version)
    assert.equal(ROCKSPEC, ("%s-%s.rockspec"):format(spec.package, spec.version))
  end)

  it("builds what lua5.4 requires, and no program with it", function()
    local why = missing()
    if why then
      return pending(why)
    end
    local status, out, err = shell(("env -u LUA_PATH -u LUA_CPATH luarocks --lua-version 5.4 --tree %s make %s")
      :format(quote(tree), ROCKSPEC))
    assert.equal(0, status, out .. err)

    local paths = ("LUA_PATH='%s/share/lua/5.4/?.lua;%s/share/lua/5.4/?/init.lua' LUA_CPATH='%s/lib/lua/5.4/?.so'")
      :format(tree, tree, tree)
    status, out, err = shell(paths .. " lua5.4 examples/inspect.lua oci:examples/layout:1.0.0-0")
    assert.same({ 0, "" }, { status, err })
    assert.truthy(out:find("greeting", 1, true))
    assert.is_nil(helper.read(tree .. "/share/lua/5.4/oras/cli.lua"))
  end)
end)
