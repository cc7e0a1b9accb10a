--- Every Lua block of README and docs runs, against the layout that the repository carries.
--- A comment before a block says what it needs:
---   <!-- lua: raises CLASS -->   the block ends with an oras.Error of that class
---   <!-- lua: continues -->      the block goes on where the one before it ended
---   <!-- lua: module -->         the block is a file that others load, not the program
---
--- Every C block is a program, compiled against the headers and the library of this build as strictly
--- as can be, and run; `<!-- c: file NAME -->` gives it a name for the blocks of commands behind it.
--- Blocks of commands (sh) run in a folder with these files, against an installed prefix.
local helper = require "tests.spec.helper"
local oras = require "oras"

local process = require "tests.spec.process"

local quote, shell = process.quote, process.shell
local REFERENCE <const> = "oci:examples/layout:1.0.0-0"

local function documents()
  local found = { "README.md" }
  local pipe <close> = assert(io.popen("find docs -name '*.md' | sort"))

  for path in pipe:lines() do
    found[#found + 1] = path
  end
  return found
end

local function finish(block, blocks)
  block.text = table.concat(block.lines, "\n")
  local before = blocks[#blocks]

  if block.marker == "continues" then
    block.first = before.first
    block.text = before.text .. "\n" .. block.text
  end
  blocks[#blocks + 1] = block
end

local function blocks_of(path, language)
  local blocks, block, marker = {}, nil, nil
  local fence, comment = "```" .. language, "^<!%-%- " .. language .. ": (.-) %-%->$"
  local number = 0

  for line in io.lines(path) do
    number = number + 1
    if block and line:find "^```" then
      finish(block, blocks)
      block = nil
    elseif block then
      block.lines[#block.lines + 1] = line
    elseif line == fence then
      block, marker = { path = path, first = number, marker = marker, lines = {} }, nil
    else
      marker = line:match(comment) or (line ~= "" and nil or marker)
    end
  end
  return blocks
end

--- What a block sees: it is the script that was started, it prints to nowhere.
local function environment(is_main)
  local shown = setmetatable({ is_main = function() return is_main end }, { __index = oras })
  local function require_shown(name)
    return name == "oras" and shown or require(name)
  end

  return setmetatable({
    arg = { [0] = "example.lua", REFERENCE },
    print = function() end,
    require = require_shown,
  }, { __index = _G })
end

local function run(block)
  local name = ("=%s:%d"):format(block.path, block.first)
  local chunk = assert(load(block.text, name, "t", environment(block.marker ~= "module")))
  return oras.try(function()
    chunk()
    return true
  end)
end

local function check(block)
  local class = block.marker and block.marker:match "^raises (%S+)$"
  local done, err = run(block)

  if class then
    assert.is_nil(done)
    assert.equal(class, err.class)
  else
    assert.is_true(done, tostring(err))
  end
end

describe("documents", function()
  local count = 0

  for _, path in ipairs(documents()) do
    for _, block in ipairs(blocks_of(path, "lua")) do
      count = count + 1
      it(("have a block that runs: %s:%d"):format(block.path, block.first), function()
        check(block)
      end)
    end
  end

  describe("in C", function()
    local build = os.getenv "ORAS_TEST_BUILD" or "build/ci"
    local library, dir = build .. "/src", nil
    local STRICT <const> = "cc -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -pedantic -Werror -Iinclude "
      .. "$(pkg-config --cflags lua5.4) -o %s -x c %s %s"

    setup(function()
      dir = helper.directory()
    end)

    teardown(function()
      helper.clean()
    end)

    local function compiled(text, name)
      local source, program = dir .. "/" .. name, dir .. "/program"
      helper.write(source, text)
      local link = ("-x none %s/liboras.so -Wl,-rpath,%s $(pkg-config --libs lua5.4)"):format(library, library)
      local status, out, err = shell(STRICT:format(quote(program), quote(source), link))
      return status, out .. err, program
    end

    for _, path in ipairs(documents()) do
      for _, block in ipairs(blocks_of(path, "c")) do
        count = count + 1
        it(("have a program that runs: %s:%d"):format(path, block.first), function()
          if not helper.read(library .. "/liboras.so") then
            return pending("there is no library in " .. build)
          end
          local name = block.marker and block.marker:match "^file (%S+)$" or "block.c"
          local status, said, program = compiled(block.text, name)
          assert.same({ 0, "" }, { status, said })
          local out, err
          status, out, err = shell(program)
          assert.equal(0, status, out .. err)
        end)
      end
      for _, block in ipairs(blocks_of(path, "sh")) do
        count = count + 1
        it(("have commands that run: %s:%d"):format(path, block.first), function()
          local prefix = os.getenv "ORAS_TEST_PREFIX"
          if not prefix or not helper.read(prefix .. "/lib/pkgconfig/oras.pc") then
            return pending "no installed prefix (scripts/test makes it)"
          end
          os.execute(("ln -sfn \"$PWD/examples\" %s"):format(quote(dir .. "/examples")))
          local status, out, err = shell(("cd %s && export PATH=%s/bin:\"$PATH\" LD_LIBRARY_PATH=%s/lib "
            .. "PKG_CONFIG_PATH=%s/lib/pkgconfig && sh -euc %s"):format(quote(dir), prefix, prefix, prefix,
            quote(block.text)))
          assert.equal(0, status, out .. err)
        end)
      end
    end

    it("would be caught with a program that has a warning", function()
      if helper.read(library .. "/liboras.so") then
        assert.equal(1, (compiled("int main(void)\n{\n    int unused;\n    return 0;\n}\n", "x.c")))
      end
    end)
  end)

  it("have blocks", function()
    assert.is_true(count > 5)
  end)

  it("would be caught with a block that does not run", function()
    assert.has_error(function()
      check { path = "x", first = 1, text = "local x = nil; x.y = 1" }
    end)
    assert.has_error(function()
      check { path = "x", first = 1, marker = "raises usage", text = "local x = 1" }
    end)
  end)
end)
