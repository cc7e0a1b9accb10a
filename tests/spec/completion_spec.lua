--- Completion in the shells themselves: what each of them makes of the script that is for it.
local commands = require "oras.cli.commands"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local quote = process.quote

local dir

local function has(shell)
  return os.execute(("command -v %s >/dev/null 2>&1"):format(shell)) == true
end

local function script(shell)
  local status, out, err = process.run("completion", shell)
  assert.same({ 0, "" }, { status, err })
  return helper.write(dir .. "/" .. (shell == "zsh" and "_oras-lua" or shell), out)
end

-- A test that needs a shell.
local function with(shell, name, test)
  it(name, function()
    if not has(shell) then
      return pending(shell .. " is not installed")
    end
    test(script(shell))
  end)
end

--- What stands on the line when it was typed with tabs and then entered, in a shell on a terminal.
local function typed(shell, lines)
  local keys = {}
  for i, line in ipairs(lines) do
    keys[i] = "oras-lua " .. line .. "\n"
  end
  helper.write(dir .. "/keys", table.concat(keys) .. "exit\n")
  local out = process.sh("script -qec %s /dev/null <%s | tr -d '\\r'", shell, dir .. "/keys")
  local found = {}
  for line in out:gmatch "GOT: ([^\n]*)" do
    found[#found + 1] = line
  end
  return found
end

-- Typed, and what it becomes. The shells stand in a directory with these files.
local TYPED <const> = {
  { "pus\t", "push" },
  { "push --forma\t j\t", "push --format json" },
  { "pull -o dire\t", "pull -o directory" },
  { "push x notes\t", "push x notes.txt" },
  { "completion ba\t", "completion bash" },
  { "-e x pus\t", "-e x push" },
  { "--debu\tpul\t", "--debug pull" },
  { "cp --from-oci-layout-p\tdire\t", "cp --from-oci-layout-path directory" },
  { "pull oci:dire\t", "pull oci:directory" },
  { "scr\t", "script.lua" },
}

local function assert_typed(shell)
  local lines, wanted = {}, {}
  for i, one in ipairs(TYPED) do
    lines[i], wanted[i] = one[1], one[2]
  end
  local found = typed(shell, lines)
  for i, line in ipairs(found) do
    found[i] = line:gsub("/$", ""):gsub("%-path=", "-path ") -- zsh puts "=" behind a long flag
  end
  assert.same(wanted, found)
end

local function names_of(cmd)
  local names = {}
  for _, flag in ipairs(cmd.all_flags) do
    names[#names + 1] = not flag.hidden and (flag[2] or flag[1]) or nil
  end
  table.sort(names)
  return names
end

describe("completion", function()
  before_each(function()
    dir = helper.directory()
    process.sh("mkdir %s && touch %s %s", dir .. "/directory", dir .. "/notes.txt", dir .. "/script.lua")
  end)
  after_each(helper.clean)

  -- What bash would offer for each of some lines, given as words.
  local function offered(file, lines)
    local text = { "source " .. quote(file), "cd " .. quote(dir), [[
      t() { COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _oras_lua
        local IFS=' '; echo "${COMPREPLY[*]}"; }]] }
    for _, words in ipairs(lines) do
      local quoted = { "t oras-lua" }
      for _, word in ipairs(words) do
        quoted[#quoted + 1] = quote(word)
      end
      text[#text + 1] = table.concat(quoted, " ")
    end
    local out, found = process.sh("bash %s", helper.write(dir .. "/try", table.concat(text, "\n"))), {}
    for line in out:gmatch "([^\n]*)\n" do
      found[#found + 1] = line
    end
    return found
  end

  with("bash", "of bash offers words, flags, values and files", function(file)
    local cases = {
      { { "pu" }, "pull push" },
      { { "push", "--form" }, "--format" },
      { { "push", "--format", "" }, "text json" },
      { { "push", "--format", "=" }, "text json" },
      { { "push", "--format", "=", "j" }, "json" },
      { { "push", "localhost", ":", "5000/x", "no" }, "notes.txt" },
      { { "pull", "oci", ":", "di" }, "directory" },
      { { "pull", "oci", ":" }, "directory" },
      { { "pull", "localhost", ":", "50" }, "" },
      { { "pull", "" }, "" },
      { { "--d" }, "--debug --dry-run" },
      { { "-e", "push", "pul" }, "pull" },
      { { "scr" }, "script.lua" },
      { { "script.lua", "no" }, "notes.txt" },
    }
    local lines, wanted = {}, {}
    for i, case in ipairs(cases) do
      lines[i], wanted[i] = case[1], case[2]
    end
    assert.same(wanted, offered(file, lines))
  end)

  with("bash", "of bash has all flags of all commands", function(file)
    local lines, wanted = {}, {}
    for _, name in ipairs(commands.names()) do
      local words = {}
      for word in name:gmatch "%S+" do
        words[#words + 1] = word
      end
      words[#words + 1] = "--"
      lines[#lines + 1] = words
      wanted[#wanted + 1] = names_of(commands.load(name))
    end
    for i, line in ipairs(offered(file, lines)) do
      local names = {}
      for name in line:gmatch "%S+" do
        names[#names + 1] = name
      end
      table.sort(names)
      assert.same(wanted[i], names)
    end
  end)

  with("bash", "of bash works where one types", function(file)
    local rc = helper.write(dir .. "/rc", ([[
      source %s; cd %s; PS1=; bind 'set enable-bracketed-paste off'
      oras-lua() { echo "GOT: $*"; }]]):format(file, dir))
    assert_typed("bash --rcfile " .. rc .. " -i")
  end)

  with("zsh", "of zsh works where one types", function()
    helper.write(dir .. "/.zshrc", ([[
      fpath=(%s $fpath); autoload -U compinit; compinit -u -D; cd %s; PS1=; unsetopt beep
      oras-lua() { print -r -- "GOT: $*" }]]):format(dir, dir))
    assert_typed(("env ZDOTDIR=%s zsh -i"):format(dir))
    process.sh("zsh -n %s", dir .. "/_oras-lua")
  end)

  with("zsh", "of zsh has all flags of all commands", function(file)
    local text = helper.read(file)
    for _, name in ipairs(commands.names()) do
      local part = text:match('\n  "' .. name:gsub("%p", "%%%0") .. '"%)\n(.-;;)')
      for _, flag in ipairs(names_of(commands.load(name))) do
        assert.truthy(part:find(")" .. flag, 1, true) or part:find("*" .. flag, 1, true), name .. " " .. flag)
      end
    end
  end)

  local function fish(file, lines)
    local text = { "source " .. file, "cd " .. dir }
    for _, line in ipairs(lines) do
      text[#text + 1] = ("echo (complete -C '%s' | string replace -r '\\t.*' '')"):format(line)
    end
    local found = {}
    local out = process.sh("HOME=%s fish --no-config %s", dir, helper.write(dir .. "/try", table.concat(text, "\n")))
    for line in out:gmatch "([^\n]*)\n" do
      found[#found + 1] = line
    end
    return found
  end

  with("fish", "of fish offers words, flags, values and files", function(file)
    assert.same({
      "pull push", "--format", "json text", "--format=json", "directory/", "notes.txt", "oci:directory/",
      "bash fish zsh", "--debug", "push", "script.lua", "notes.txt",
    }, fish(file, {
      "oras-lua pu", "oras-lua push --form", "oras-lua push --format ", "oras-lua push --format=j",
      "oras-lua pull -o di",
      "oras-lua push x no", "oras-lua pull oci:di", "oras-lua completion ", "oras-lua --deb", "oras-lua -e pull pus",
      "oras-lua scr", "oras-lua script.lua no",
    }))
  end)

  with("fish", "of fish has all flags of all commands", function(file)
    local lines = {}
    for i, name in ipairs(commands.names()) do
      lines[i] = ("oras-lua %s --"):format(name)
    end
    for i, line in ipairs(fish(file, lines)) do
      local names = {}
      for name in line:gmatch "%S+" do
        names[#names + 1] = name
      end
      table.sort(names)
      assert.same(names_of(commands.load(commands.names()[i])), names)
    end
  end)

  it("is for shells that are known", function()
    local status, out, err = process.run("completion", "bas")
    assert.same({ 2, "" }, { status, out })
    assert.truthy(err:find("not for 'bas' (bash?)", 1, true), err)
    assert.equal("bash", require "tests.spec.json_keys".check_text("completion",
      select(2, process.run("completion", "bash", "--format=json"))).shell)
  end)
end)
