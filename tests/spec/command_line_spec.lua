--- docs/command-line.md: its table of commands is made of what they say of themselves
--- (ORAS_TEST_WRITE=1 writes it), its options and flags are those that there are.
local commands = require "oras.cli.commands"
local helper = require "tests.spec.helper"
local options = require "oras.cli.options"
local summary = require "oras.cli.summary"

local PAGE <const> = "docs/command-line.md"
local BEGIN <const>, END <const> = "<!-- commands -->\n", "<!-- end of commands -->\n"

local function cell(text)
  return (text:gsub("\n", " "):gsub("|", "\\|"))
end

local function table_of_commands()
  local lines = { "| command | |", "|---|---|" }
  for _, name in ipairs(summary.names()) do
    local cmd = commands.load(name)
    local usage = (name .. " " .. cmd.usage):gsub("%s+$", "")
    lines[#lines + 1] = ("| `%s` | %s |"):format(cell(usage), cell(cmd.about))
  end
  return table.concat(lines, "\n") .. "\n"
end

describe("docs/command-line.md", function()
  local text = assert(helper.read(PAGE))

  it("has a table of all commands", function()
    local first = select(2, text:find(BEGIN, 1, true))
    local last = text:find(END, 1, true)
    local wanted = table_of_commands()
    if os.getenv "ORAS_TEST_WRITE" == "1" then
      helper.write(PAGE, text:sub(1, first) .. wanted .. text:sub(last))
      text = assert(helper.read(PAGE))
      last = text:find(END, 1, true)
    end
    assert.equal(wanted, text:sub(first + 1, last - 1))
  end)

  it("has all options", function()
    for _, option in ipairs(options.LIST) do
      for _, name in ipairs(option) do
        local shown = option.value and name .. " " .. option.value or name
        assert.truthy(text:find("`" .. shown .. "`", 1, true), shown)
      end
    end
  end)

  it("has the flags that many commands have, and no others that are not there", function()
    local known = {}
    for _, name in ipairs(commands.names()) do
      for _, flag in ipairs(commands.load(name).all_flags) do
        known[flag[1]], known[flag[2] or flag[1]] = true, true
      end
    end
    for _, option in ipairs(options.LIST) do
      known[option[1]], known[option[2] or option[1]] = true, true
    end
    for name in text:gmatch "`(%-%-?%a[%w-]*)" do
      assert.truthy(known[name] or name:find "^%-%-from" or name:find "^%-%-to" or name == "--flag"
        or #name == 2 or name == "-rf" or name == "-fvalue", name)
    end
    local push = commands.load "push"
    for _, list in ipairs { push.registry_flags, push.common_flags } do
      for _, flag in ipairs(list) do
        assert.equal(not flag.hidden, text:find("`" .. flag[#flag], 1, true) ~= nil or
          text:find("`" .. flag[1], 1, true) ~= nil, flag[#flag])
      end
    end
  end)
end)
