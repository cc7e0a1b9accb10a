--- The preset `small`: oras-lua as one file that needs little.
local process = require "tests.spec.process"

local quote, shell = process.quote, process.shell
local LAYOUT <const> = "oci:examples/layout:1.0.0-0"
local MOST <const> = 2 * 1024 * 1024

describe("the small program", function()
  local dir, program

  setup(function()
    dir = os.tmpname()
    os.remove(dir)
    program = dir .. "/src/cli/oras-lua"
    local status, out, err = shell(("cmake --preset small -B %s && cmake --build %s --target oras-lua")
      :format(quote(dir), quote(dir)))
    assert.equal(0, status, out .. err)
    assert.is_nil((out .. err):find("%.[ch]:%d+:%d+: warning"), out .. err) -- the linker may say how it works
  end)

  teardown(function()
    os.execute("rm -rf " .. quote(dir))
  end)

  it("inspects a layout as the usual program does, plain and sandboxed", function()
    local _, expected = process.run("conda", "inspect", LAYOUT)
    assert.matches("recipe/meta.yaml", expected)
    for _, option in ipairs { "", "--sandbox" } do
      local status, out, err = shell(("%s %s conda inspect %s"):format(quote(program), option, LAYOUT))
      assert.same({ 0, expected, "" }, { status, out, err }, option)
    end
  end)

  it("lets scripts require modules in C, with the Lua that is in it", function()
    local words = "-e " .. quote "print(require('lfs').attributes('README.md', 'mode'))"
    assert.same({ 0, "file\n", "" }, { shell(("env -u LUA_PATH %s %s"):format(quote(program), words)) })
  end)

  it("needs libc, libcurl and OpenSSL, and is no more than 2 MiB", function()
    local _, out = shell(("objdump -p %s | awk '/NEEDED/ { print $2 }' | sort"):format(quote(program)))
    assert.equal("libc.so.6\nlibcrypto.so.3\nlibcurl.so.4\nlibm.so.6\n", out)
    local file <close> = assert(io.open(program, "rb"))
    assert.is_true(file:seek "end" <= MOST)
  end)
end)
