local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local run = process.run

local function lines(text)
  return select(2, text:gsub("\n", ""))
end

--- Fails with this status, one line that has the text, and nothing on standard output.
local function refuses(status, text, ...)
  local got, out, err = run(...)
  assert.equal(status, got)
  assert.equal("", out)
  assert.equal(1, lines(err))
  assert.truthy(err:find(text, 1, true), ("%q is not in %q"):format(text, err))
  assert.equal("oras-lua: ", err:sub(1, 10))
end

--- Succeeds, prints exactly this, and nothing on standard error.
local function prints(text, ...)
  local status, out, err = run(...)
  assert.equal("", err)
  assert.equal(text, out)
  assert.equal(0, status)
end

describe("oras-lua as an interpreter", function()
  local dir

  local function script(name, text)
    return helper.write(dir .. "/" .. name, text)
  end

  before_each(function() dir = helper.directory() end)
  after_each(helper.clean)

  it("gives a script its arguments, and what led to it at negative indices", function()
    local path = script("a.lua", "print(arg[0], arg[1], arg[2], #arg, arg[-1], arg[-2] ~= nil, ...)")

    prints(path .. "\tone\ttwo words\t2\t--\ttrue\tone\ttwo words\n", "--", path, "one", "two words")
  end)

  it("runs -e and -l in their order, before the script", function()
    prints("1\n2\ntrue\n", "-e", "print(1)", "-lcjson", "-e", "print(2)", "-e", "print(cjson ~= nil)")
    prints("function\n", "-l", "j=cjson", "-e", "print(type(j.encode))")
  end)

  it("runs standard input for - and when there is no script", function()
    local command = "echo 'print(\"in\", ...)' | " .. process.quote(process.oras_lua)

    assert.equal("in\ta\n", select(2, process.shell(command .. " - a")))
    assert.equal("in\n", select(2, process.shell(command)))
  end)

  it("turns warnings on with -W only", function()
    assert.equal("", select(3, run("-e", "warn 'careful'")))
    assert.equal("oras-lua: warning: careful\n", select(3, run("-W", "-e", "warn('care', 'ful')")))
  end)

  it("prints its version, and help", function()
    prints("oras-lua 0.1.0, Lua 5.4\n", "-v")
    prints("oras-lua 0.1.0, Lua 5.4\n", "--version")
    assert.truthy(select(2, run "--help"):find("usage: oras-lua", 1, true))
  end)

  it("reads and prints lines with -i until the input ends", function()
    local command = "printf '1+1\\nx =\\n5\\nx\\nerror{}\\n' | " .. process.quote(process.oras_lua) .. " -i"
    local status, out, err = process.shell(command)

    assert.equal(0, status)
    assert.equal("> 2\n> >> > 5\n> > \n", out)
    assert.equal("oras-lua: (error object is a table value)\n", err)
  end)

  it("does not read LUA_INIT, and reads LUA_PATH unless -E is given", function()
    script("beside.lua", "return 'found'")
    local env = ("LUA_INIT='error(1)' LUA_PATH='%s/?.lua;;' %s "):format(dir, process.quote(process.oras_lua))

    assert.equal("found\n", select(2, process.shell(env .. "-e 'print((require \"beside\"))'")))
    assert.equal(1, (process.shell(env .. "-E -e 'print(require \"beside\")'")))
  end)

  it("finds modules beside the script", function()
    script("beside.lua", "return 'beside'")
    prints("beside\n", script("main.lua", "print((require 'beside'))"))
  end)

  it("S12 takes no module from the working directory by its name alone", function()
    script("oras.lua", "error 'hijacked'")
    script("other.lua", "error 'hijacked'")
    local there = ("cd %s && %s -e "):format(dir, process.quote(process.oras_lua))

    assert.equal("table\n", select(2, process.shell(there .. "'print(type(require \"oras\"))'")))
    local _, out = process.shell(there .. "'print(pcall(require, \"other\"))'")
    assert.truthy(out:find("module 'other' not found", 1, true))
  end)

  it("S12 finds a command or provider before a file of that name", function()
    script("conda", "error 'hijacked'")
    local status, out = process.shell(("cd %s && %s conda --help"):format(dir, process.quote(process.oras_lua)))

    assert.equal(0, status)
    assert.truthy(out:find("usage: oras-lua conda", 1, true))
  end)

  it("runs a file of that name when no provider has it", function()
    script("plainfile", "print(oras == nil, ...)")
    local command = ("cd %s && %s plainfile x"):format(dir, process.quote(process.oras_lua))

    assert.equal("true\tx\n", select(2, process.shell(command)))
  end)

  it("knows the script that was started from those it loads", function()
    local asks = "return require 'oras'.is_main()"
    script("loaded.lua", asks)
    local path = script("main.lua", [[
      local here = arg[0]:match "^(.*)/"
      print(require "oras".is_main(), dofile(here .. "/loaded.lua"), require "loaded",
        coroutine.wrap(function() return require "oras".is_main() end)())]])

    prints("true\tfalse\tfalse\ttrue\n", path)
    prints("true\n", "-e", "print(require 'oras'.is_main())")
    prints("false\n", script("self.lua", [[
      if arg.again then return require "oras".is_main() end
      arg.again = true
      print(dofile(arg[0]))]]))
  end)

  it("runs busted, with os.exit as a real exit", function()
    local passing = script("pass_spec.lua", "it('passes', function() end)")
    local failing = script("fail_spec.lua", "it('fails', function() error 'x' end)")

    assert.equal(0, (run("/usr/bin/busted", passing)))
    assert.equal(1, (run("/usr/bin/busted", failing)))
  end)
end)

describe("oras-lua at the end of a script", function()
  local dir

  local function script(text)
    return helper.write(dir .. "/script.lua", text)
  end

  before_each(function() dir = helper.directory() end)
  after_each(helper.clean)

  it("exits as os.exit says, also from pcall and coroutines", function()
    for code, status in pairs { ["0"] = 0, ["3"] = 3, ["true"] = 0, ["false"] = 1, ["259"] = 3 } do
      assert.equal(status, (run("-e", ("os.exit(%s)"):format(code))))
    end
    assert.equal(0, (run("-e", "os.exit()")))
    assert.equal(5, (run("-e", "while true do pcall(os.exit, 5) end")))
    assert.equal(6, (run("-e", "coroutine.wrap(function() while true do pcall(os.exit, 6) end end)()")))
    assert.equal(7, (run("-e", "require 'oras'.gather(function() while true do pcall(os.exit, 7) end end)")))
    assert.same({ 3, "before\n", "" }, { run("-e", "print 'before' os.exit(3)") })
  end)

  it("S08 survives a script that overflows the stack, raises nil or takes away hooks", function()
    refuses(1, "stack overflow", "-e", "local function f() return 1 + f() end f()")
    refuses(1, "(error object is a nil value)", "-e", "error(nil)")
    refuses(1, "x", "-e", "debug.sethook(function() debug.sethook() error 'x' end, '', 1) for _ = 1, 9 do end")
    assert.equal(4, (run("-e", "debug.sethook(print, '', 0) while true do pcall(os.exit, 4) end")))
  end)

  it("says where an error was raised, in one line", function()
    refuses(1, "script.lua:2: boom", script "\nerror 'boom'")
    refuses(1, "script.lua:3:", script "\n\nx = = 1")
    refuses(1, "(error object is a table value)", script "error {}")
    refuses(1, "oras-lua: its text", script "error(setmetatable({}, {__tostring = function() return 'its text' end}))")
    refuses(1, "(error object is a table value)", script "error(setmetatable({}, {__tostring = error}))")
    refuses(1, "first second", script "error('first\\n  second', 0)")
    refuses(1, "module 'absent' not found", script "require 'absent'")
  end)

  it("says the caller's line for errors of the library", function()
    refuses(1, "script.lua:2: usage: Registry:new: unknown option \"hostnam\" (hostname?)",
      script "local oras = require 'oras'\noras.Registry:new { hostnam = 'x' }")
    refuses(1, "script.lua:2: not_found: ",
      script "local oras = require 'oras'\noras.Registry:new():get_manifest 'oci:absent/layout:tag'")
  end)

  it("adds a traceback with --debug", function()
    local status, _, err = run("--debug", script "\nerror 'boom'")

    assert.equal(1, status)
    assert.truthy(err:find("script.lua:2: boom\nstack traceback:\n", 1, true))
  end)

  it("logs exchanges with --debug, without secrets", function()
    if not faults.present() then
      return pending "no fault server"
    end
    local image = faults.seed { repo = "basic/app", tag = "v1", layers = { { data = "x" } } }
    local status, out, err = run("--debug", script(([[
      local registry = require "oras".Registry:new()
      registry:set_basic_auth("alice", "wonder:land")
      print(registry:get_manifest("%s/basic/app:v1"):descriptor().digest)]]):format(faults.host())))

    assert.same({ 0, image.digest .. "\n" }, { status, out })
    assert.truthy(err:find(("oras-lua: GET %s/v2/basic/app/manifests/v1 -> 200\n"):format(faults.url()), 1, true))
    assert.is_nil(err:find("wonder", 1, true))
    assert.is_nil(err:find("YWxpY2U6d29uZGVyOmxhbmQ", 1, true))
  end)

  it("S11 refuses what is not a script in text", function()
    refuses(2, "cannot read script '/nonexistent/x.lua': No such file or directory", "/nonexistent/x.lua")
    refuses(2, "it is a directory", "/tmp/")
    refuses(2, "it is bytecode", script(string.dump(load("x = 1", "x", "t"))))
    prints("fine\n", script "\xEF\xBB\xBF#!/usr/bin/env oras-lua\r\nprint 'fine'\r\n")
    local big = dir .. "/big.lua"
    assert(os.execute(("truncate -s 100M '%s'"):format(big)))
    refuses(2, "larger than 32 MiB", big)
  end)

  it("S11 loads no bytecode from within either", function()
    local code = script(string.dump(load("return 1", "x", "t")))

    for _, text in ipairs {
      "load(string.dump(function() end))", "load(string.dump(function() end), 'x', 'b')",
      "load(string.dump(function() end), 'x', 'bt')", ("loadfile(%q)"):format(code),
      ("loadfile(%q, 'b')"):format(code), ("dofile(%q)"):format(code),
      ("(function() package.path = %q; return require 'x' end)()"):format(code),
    } do
      assert.equal("no\n", select(2, run("-e", ("local ok, fn = pcall(function() return (%s) end)\n"
        .. "print(ok and fn and 'yes' or 'no')"):format(text))), text)
    end
    prints("1\t2\n", "-e", "print(load('return 1')(), load('return y', 'n', 't', {y = 2})())")
  end)

  it("refuses options and words that it does not know, with the nearest name", function()
    refuses(2, "unknown option '-z'", "-z")
    refuses(2, "needs a value", "-e")
    refuses(2, "no command, provider or file is called 'cond' (conda?)", "cond")
  end)

  it("L24 fails when standard output is closed or full, and dies quietly of a broken pipe", function()
    local program = process.quote(process.oras_lua)

    for _, target in ipairs { ">&-", ">/dev/full" } do
      local status, _, err = process.shell(program .. " -e 'print(1)' " .. target)
      assert.equal(1, status)
      assert.truthy(err:find("cannot write to standard output", 1, true))
    end
    local status, out, err = process.shell(program .. " -e 'while true do print(1) end' | head -1")
    assert.same({ 0, "1\n", "" }, { status, out, err })
  end)

  it("L05 never writes output into a file that took a closed stream's number", function()
    local path = dir .. "/file"
    local program = process.quote(process.oras_lua)
    local text = ("local f = assert(io.open(%q, 'w')) print 'out' io.stderr:write 'err' f:close()"):format(path)

    process.shell(("%s -e %s <&- >&- 2>&-"):format(program, process.quote(text)))
    assert.equal("", helper.read(path))
  end)
end)

describe("oras-lua and SIGINT", function()
  local READY <const> = "print 'ready' io.stdout:flush() "

  local function stops(text)
    local status, err = process.interrupt("-e", READY .. text)
    assert.equal(130, status, text)
    assert.equal("oras-lua: interrupted\n", err)
  end

  it("exits with 130 from computing, however it is wrapped", function()
    stops "while true do end"
    stops "while true do pcall(function() while true do end end) end"
    stops "coroutine.wrap(function() while true do pcall(error) end end)()"
    stops [[local function spin() coroutine.wrap(function() while true do pcall(error) end end)() end
      while true do pcall(coroutine.wrap(spin)) end]]
    stops "require 'oras'.gather(function() while true do pcall(error) end end)"
  end)

  it("exits with 130 from waiting for a server that stalls", function()
    if not faults.present() then
      return pending "no fault server"
    end
    faults.reset()
    local waits = ("local oras = require 'oras' local r = oras.Registry:new() "
      .. "local function get() r:get_manifest '%s/stalled/app:v1' end "):format(faults.host())
    for _, text in ipairs {
      "get()", "while true do pcall(get) end", "oras.gather(get, get)", "coroutine.wrap(get)()",
    } do
      faults.on { path = "/v2/stalled/*", always = true, stall_headers = 10 }
      stops(waits .. text)
      faults.reset()
    end
  end)
end)

describe("oras-lua PROVIDER METHOD", function()
  local LAYOUT <const> = "oci:examples/layout:1.0.0-0"

  it("prints the result as JSON", function()
    local status, out, err = run("conda", "inspect", LAYOUT)

    assert.same({ 0, "" }, { status, err })
    assert.equal("greeting", require "oras".json.decode(out).index.name)
    assert.truthy(out:find("\n  \"digest\": ", 1, true))
  end)

  it("prints what an iterator gives as an array", function()
    for _, method in ipairs { "tags", "get_tags" } do
      assert.same({ 0, '[\n  "1.0.0-0"\n]\n', "" }, { run("conda", method, "oci:examples/layout") })
    end
  end)

  it("gives the same result as the library", function()
    local text = "local C = dofile 'providers/conda.lua' io.write(require 'oras'.json.encode("
      .. ("C:new():inspect '%s', {indent = 2}), '\\n')"):format(LAYOUT)

    assert.same({ run("conda", "inspect", LAYOUT) }, { run("-e", text) })
  end)

  it("shows its doc comments as help", function()
    local _, list = run("conda", "--help")
    local _, method = run("conda", "inspect", "--help")

    assert.truthy(list:find("  inspect NAME\n      Show what a conda package", 1, true))
    assert.truthy(method:find("usage: oras-lua conda inspect NAME\n\nShow what a conda package", 1, true))
    assert.is_nil(method:find("@param", 1, true))
  end)

  it("exits with 2 for the caller's mistakes, with 1 when the world refuses", function()
    refuses(2, "which method of 'conda'", "conda")
    refuses(2, "no method 'inspekt' (inspect?)", "conda", "inspekt")
    refuses(2, "unknown option '--plain-htp' (--plain-http?)", "conda", "inspect", "--plain-htp", LAYOUT)
    refuses(2, "usage: ", "conda", "inspect", "not a reference")
    refuses(2, "'inspect' takes 1 argument, not 2", "conda", "inspect", LAYOUT, "extra")
    refuses(1, "absent", "conda", "inspect", "oci:examples/layout:absent")
  end)
end)
