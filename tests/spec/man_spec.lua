--- The manual pages: what --help says, in roff that formatters take without a word.
local commands = require "oras.cli.commands"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local summary = require "oras.cli.summary"

local dir

local function has(program)
  return os.execute(("command -v %s >/dev/null 2>&1"):format(program)) == true
end

-- The pages as the build makes them.
local function make_pages()
  process.sh("mkdir %s %s %s %s", dir .. "/man", dir .. "/bash", dir .. "/zsh", dir .. "/fish")
  local status, out, err = process.run("cmake/pages.lua", dir)
  assert.same({ 0, "", "" }, { status, out, err })
end

local function page_of(name)
  return dir .. "/man/oras-lua-" .. name:gsub(" ", "-") .. ".1"
end

-- Text of a page as it would be on a very wide terminal, in single blanks.
local function rendered(path)
  local text = process.sh("GROFF_NO_SGR=1 groff -ww -man -Tascii -P-c -rLL=1000n %s 2>&1", path)
  return (text:gsub(".\b", ""):gsub("%s+", " "))
end

describe("the manual", function()
  before_each(function()
    dir = helper.directory()
    make_pages()
  end)
  after_each(helper.clean)

  it("has a page for each command, and one for the program", function()
    local wanted = { "oras-lua.1" }
    for _, name in ipairs(summary.names()) do
      wanted[#wanted + 1] = "oras-lua-" .. name:gsub(" ", "-") .. ".1"
    end
    table.sort(wanted)
    assert.equal(process.sh("printf '%%s\\n' %s | LC_ALL=C sort", table.concat(wanted, "\n")),
      process.sh("ls %s | LC_ALL=C sort", dir .. "/man"))
    local files = { ["bash/oras-lua"] = "bash", ["fish/oras-lua.fish"] = "fish", ["zsh/_oras-lua"] = "zsh" }
    for name, shell in pairs(files) do
      assert.equal(select(2, process.run("completion", shell)), helper.read(dir .. "/" .. name))
    end
  end)

  it("says what --help says", function()
    if not has "groff" then
      return pending "groff is not installed"
    end
    for _, name in ipairs(summary.names()) do
      local cmd, text = commands.load(name), rendered(page_of(name))
      local function says(part)
        assert.truthy(text:find((part:gsub("%s+", " ")), 1, true), ("%q is not in the page of %s"):format(part, name))
      end
      says((("oras-lua %s [FLAG...] %s"):format(name, cmd.usage):gsub("%s+$", "")))
      says(cmd.about)
      says(cmd.example)
      for _, flag in ipairs(cmd.all_flags) do
        if not flag.hidden then
          says(table.concat(flag, ", ") .. (flag.value and " " .. flag.value or "") .. " " .. flag.about)
        end
      end
      local help = process.sh("%s help " .. name, process.oras_lua)
      for flag in help:gmatch "%-%-[%w-]+" do
        says(cmd.sides and flag:gsub("^%-%-", "") or flag)
      end
    end
  end)

  it("names all commands and options in the program's page", function()
    if not has "groff" then
      return pending "groff is not installed"
    end
    local text = rendered(dir .. "/man/oras-lua.1")
    for _, name in ipairs(summary.names()) do
      assert.truthy(text:find("oras-lua-" .. name:gsub(" ", "-") .. "(1)", 1, true), name)
    end
    for _, option in ipairs(require "oras.cli.options".LIST) do
      local head = table.concat(option, ", ") .. (option.value and " " .. option.value or "")
      assert.truthy(text:find(head .. " " .. option.about, 1, true), head)
    end
  end)

  for program, command in pairs {
    groff = "groff -ww -man -z -Tutf8 %s 2>&1",
    man = "MANPAGER=cat man --warnings -l %s 2>&1 >/dev/null",
    mandoc = "mandoc -T lint -W warning %s 2>&1",
  } do
    it("is taken by " .. program .. " without a warning", function()
      if not has(program) then
        return pending(program .. " is not installed")
      end
      local count = 0
      for path in process.sh("ls -d %s/man/*", dir):gmatch "[^\n]+" do
        count = count + 1
        assert.same({ 0, "", "" }, { process.shell(command:format(process.quote(path))) }, path)
      end
      assert.is_true(count > 10)
    end)
  end

  it("has the date that a reproducible build names", function()
    process.sh("SOURCE_DATE_EPOCH=86400 %s cmake/pages.lua %s", process.oras_lua, dir)
    assert.truthy(helper.read(dir .. "/man/oras-lua.1"):find("^%.TH ORAS\\%-LUA 1 1970%-01%-02 "))
  end)
end)
