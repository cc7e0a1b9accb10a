--- The texts of --help: what stands there is what the commands say of themselves.
local commands = require "oras.cli.commands"
local process = require "tests.spec.process"
local summary = require "oras.cli.summary"

local run = process.run

local function prints(...)
  local status, out, err = run(...)
  assert.same({ 0, "" }, { status, err })
  return out
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

local function assert_screen(text, most)
  local lines = lines_of(text)
  assert.is_true(#lines <= most, ("%d lines:\n%s"):format(#lines, text))
  for _, line in ipairs(lines) do
    assert.is_true(utf8.len(line) <= 80, "over 80 columns: " .. line)
  end
end

describe("help", function()
  it("of the program is a screen with every command", function()
    local text = prints "--help"
    assert_screen(text, 24)
    for _, name in ipairs(summary.names()) do
      assert.truthy(text:find(name:match "%S+$", 1, true), name)
    end
    assert.equal(text, prints "help")
    assert.equal(text, prints "-h")
  end)

  it("has a few words for every command", function()
    for _, group in ipairs(summary.groups()) do
      assert.not_equal("more", group.title, (group[1] or {})[1])
    end
  end)

  for _, name in ipairs(summary.names()) do
    local cmd = commands.load(name)
    local words = {}
    for word in name:gmatch "%S+" do
      words[#words + 1] = word
    end
    local function with(...)
      return table.unpack(table.move({ ... }, 1, select("#", ...), #words + 1, table.move(words, 1, #words, 1, {})))
    end

    it("of " .. name .. " has usage, its flags first, all flags and an example", function()
      local text = prints(with "--help")
      assert_screen(text, 40)
      assert.equal(("usage: oras-lua %s"):format(name), text:sub(1, #name + 16))
      local last = 0
      for _, flag in ipairs(cmd.flags) do
        local at = text:find("\n  " .. (flag[1]:sub(1, 2) == "--" and "    " or "") .. flag[1], 1, true)
        assert.equal(flag.hidden or false, at == nil, flag[1])
        assert.is_true(flag.hidden or at > last, flag[1])
        last = at or last
      end
      for _, flag in ipairs(cmd.all_flags) do
        local shown = flag[2] or flag[1]
        for _, side in ipairs(cmd.sides or {}) do
          shown = shown:gsub("^%-%-" .. side .. "%-", "--")
        end
        assert.equal(not flag.hidden, text:find(shown, 1, true) ~= nil, shown)
      end
      assert.truthy(text:find(cmd.about:match "^%S+ %S+", 1, true))
      assert.truthy(cmd.example, "no example")
      assert.equal(" " .. cmd.example .. "\n", text:sub(-#cmd.example - 2))
      assert.equal(text, prints("help", table.unpack(words)))
    end)

    it("of " .. name .. " has an example that its flags allow", function()
      local quoted, rest = process.quote(process.oras_lua), cmd.example
      assert.equal("oras-lua " .. name .. " ", (rest .. " "):sub(1, #name + 10))
      local status, out, err = process.shell(quoted .. rest:sub(9) .. " --help </dev/null")
      assert.same({ 0, "" }, { status, err })
      assert.truthy(out:find "^usage: ")
    end)
  end

  it("of groups names their commands", function()
    for _, group in ipairs { "manifest", "blob", "manifest index", "repo" } do
      local words = {}
      for word in group:gmatch "%S+" do
        words[#words + 1] = word
      end
      if next(commands.next_words(group)) then
        local text = prints("help", table.unpack(words))
        assert_screen(text, 24)
        for _, name in ipairs(commands.names()) do
          local rest = name:sub(1, #group + 1) == group .. " " and name:sub(#group + 2)
          assert.truthy(not rest or text:find("\n  " .. rest, 1, true), name)
        end
        words[#words + 1] = "--help"
        assert.equal(text, prints(table.unpack(words)))
      end
    end
  end)

  it("explains the flags that many commands have", function()
    local text = prints("help", "flags")
    assert_screen(text, 40)
    for _, flag in ipairs(commands.load("push").registry_flags) do
      assert.truthy(text:find(flag.about:match "^%S+ ?%S*", 1, true), flag[1])
    end
  end)

  it("says the nearest command of one that is none", function()
    local function refuses(text, ...)
      local status, out, err = run(...)
      assert.same({ 2, "" }, { status, out })
      assert.truthy(err:find(text, 1, true), err)
    end
    refuses("there is no command 'pusch' (push?)", "help", "pusch")
    refuses("there is no command 'push x'", "help", "push", "x")
  end)
end)

describe("oras-lua version", function()
  it("says what it is", function()
    local version = require "oras.core".version
    assert.equal(("oras-lua %s\nLua 5.4\n"):format(version), prints "version")
    assert.same({ version = version, lua = "5.4" },
      require "tests.spec.json_keys".check_text("version", prints("version", "--format=json")))
  end)
end)
