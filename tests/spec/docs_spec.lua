--- Every Lua block of README and docs runs, against the layout that the repository carries.
--- A comment before a block says what it needs:
---   <!-- lua: raises CLASS -->   the block ends with an oras.Error of that class
---   <!-- lua: continues -->      the block goes on where the one before it ended
---   <!-- lua: module -->         the block is a file that others load, not the program
local oras = require "oras"

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

local function blocks_of(path)
  local blocks, block, marker = {}, nil, nil
  local number = 0

  for line in io.lines(path) do
    number = number + 1
    if block and line:find "^```" then
      finish(block, blocks)
      block = nil
    elseif block then
      block.lines[#block.lines + 1] = line
    elseif line == "```lua" then
      block, marker = { path = path, first = number, marker = marker, lines = {} }, nil
    else
      marker = line:match "^<!%-%- lua: (.-) %-%->$" or (line ~= "" and nil or marker)
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
    for _, block in ipairs(blocks_of(path)) do
      count = count + 1
      it(("have a block that runs: %s:%d"):format(block.path, block.first), function()
        check(block)
      end)
    end
  end

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
