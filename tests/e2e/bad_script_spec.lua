--- What else goes wrong around a script: no place to write to, no standard output, a script that
--- is none, a provider that gives nonsense. One line, the right exit code, no file left.
local bad = require "tests.e2e.bad"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local quote = process.quote

local function it_with_faults(title, test)
  it(title, function()
    if not faults.present() then
      return pending "no fault server"
    end
    test()
  end)
end

--- The exit code, nothing on standard output, and one line that has the text.
local function refuses(code, text, status, out, err)
  assert.same({ code, "" }, { status, out }, err)
  assert.matches("^oras%-lua: [^\n]*\n$", err)
  assert.truthy(err:find(text, 1, true), ("%q is not in %q"):format(text, err))
end

describe("a place to write to", function()
  after_each(helper.clean)

  local CODE <const> = "registry:download_blob(x.ref, x.layer, x.file)"

  it_with_faults("L04 that is full leaves nothing", function()
    local mount = "unshare --user --map-root-user --mount sh -c %s"
    local fits = process.shell(mount:format(quote "mount -t tmpfs -o size=8k none /mnt")) == 0
    if not fits then
      return pending "tmpfs cannot be mounted here"
    end
    -- 5000 bytes fit into two pages; 50000 do not
    for _, code in ipairs { CODE, "registry:download_blob(x.ref, { digest = x.layer, size = x.size }, x.file)" } do
      local row = {
        code = code, class = "io", says = { "io: ", "No space left on device", "/mnt/file" },
        setup = function(x)
          local made = faults.seed { repo = "bad/app", tag = "v1", layers = { { size = 50000 } } }
          x.layer, x.size, x.file = made.layers[1].digest, 50000, "/mnt/file"
        end,
      }
      bad.check_command(row, function(_, program)
        return mount:format(quote(
          ("mount -t tmpfs -o size=8k none /mnt && %s; status=$?; ls -A /mnt; exit $status"):format(program)))
      end)
    end
  end)

  it_with_faults("L02 that is read-only is named", function()
    local as_nobody = ""
    if process.shell "test $(id -u) = 0" == 0 then
      as_nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups "
      if process.shell(as_nobody .. quote(process.oras_lua) .. " -e 'x = 1'") ~= 0 then
        return pending "the program cannot be run as another user here"
      end
    end
    local row = {
      code = "registry:download_blob(x.ref, x.layer, x.target)", class = "io",
      says = { "io: ", "Permission denied", "/closed" }, left = "^closed$",
      setup = function(x)
        x.target = x.dir .. "/closed/file"
        assert(os.execute(("mkdir '%s/closed' && chmod 555 '%s/closed'"):format(x.dir, x.dir)))
      end,
    }
    bad.check_command(row, function(x, program)
      return ("%s%s; status=$?; ls -A '%s/closed'; exit $status"):format(as_nobody, program, x.dir)
    end)
    row.setup = function(x)
      x.target = x.dir .. "/closed/file"
      assert(os.execute(("mkdir '%s/closed' && chmod 000 '%s/closed'"):format(x.dir, x.dir)))
    end
    bad.check_command(row, function(_, program) return as_nobody .. program end)
  end)
end)

describe("a network", function()
  after_each(helper.clean)

  it_with_faults("N01 that has no way to the registry is named", function()
    local alone = "unshare --user --map-root-user --net "
    if process.shell(alone .. "true") ~= 0 then
      return pending "no network of one's own can be made here"
    end
    for _, code in ipairs {
      "registry:get_manifest('192.0.2.1:5000/a:v1')", "registry:download_blob('192.0.2.1:5000/a', x.layer, x.file)",
    } do
      bad.check_command({ code = code, class = "network", says = { "network: '192.0.2.1:5000'", "unreachable" } },
        function(_, program) return alone .. program end)
    end
  end)
end)

describe("standard output", function()
  after_each(helper.clean)

  it("L24 that is closed or full is one line and 1", function()
    for _, words in ipairs {
      "-e 'print(1)'", "examples/inspect.lua", "conda inspect oci:examples/layout:1.0.0-0", "--help", "-v",
      "-e 'io.write((\"x\"):rep(100000))'",
    } do
      for _, target in ipairs { ">&-", ">/dev/full" } do
        local status, out, err = process.shell(("%s %s %s"):format(quote(process.oras_lua), words, target))
        refuses(1, "cannot write to standard output", status, out, err)
      end
    end
  end)
end)

describe("a script", function()
  after_each(helper.clean)

  local function script(text)
    return helper.write(helper.directory() .. "/script.lua", text)
  end

  it("S11 that cannot be read, or is bytecode, is usage", function()
    refuses(2, "/nonexistent.lua", process.run "/nonexistent.lua")
    refuses(2, "directory", process.run "/tmp/")
    refuses(2, "bytecode", process.run(script(string.dump(function() end))))
    refuses(2, "bytecode", process.run(script("\27Lua")))
    refuses(2, "bytecode", process.run(script("#!/usr/bin/env oras-lua\n" .. string.dump(function() end))))
  end)

  it("S08 that raises no string ends with 1", function()
    local oras = require "oras"
    for code, text in pairs {
      ["error {}"] = "(error object is a table value)", ["error(nil)"] = "(error object is a nil value)",
      ["error(true)"] = "(error object is a boolean value)", ["error(print)"] = "(error object is a function value)",
      ["error(42)"] = "42", ["error(io.stdout)"] = "file (", ["error(coroutine.create(print))"] = "thread",
      ["error(setmetatable({}, {__tostring = function() return 'own' end}))"] = "own",
      ["error(setmetatable({}, {__tostring = function() return {} end}))"] = "table value",
      ["error(setmetatable({}, {__tostring = function() error 'x' end}))"] = "table value",
      ["error('a\\nb\\27[31mc', 0)"] = "a b",
      ["error(('x'):rep(100000), 0)"] = "xxx",
      ["error('', 0)"] = "oras-lua: ",
      ["error(require 'oras'.Error)"] = "error",
      ["x = = 1"] = "script.lua:1:", ["local x <const> = 1; x = 2"] = "script.lua:1:", ["return nothing.x"] = "nothing",
      ["require 'absent'"] = "module 'absent' not found",
      ["coroutine.wrap(error)({})"] = "table value",
      ["require 'oras'.gather(function() error({}) end)"] = "table value",
      ["require 'oras'.try(error, {})"] = "table value",
    } do
      local status, out, err = process.run(script(code))
      refuses(1, text, status, out, err)
      assert.is_nil(err:sub(1, -2):find "%c", code)
    end
    assert.truthy(oras.Error)
  end)
end)

describe("S09 a provider that gives nonsense", function()
  after_each(helper.clean)

  local VALUES <const> = { "7", "'text'", "true", "print", "{}" }
  local CONFIG <const> = "get_config(x.ref)"
  local FOR_PLATFORM <const> = "get_manifest(x.index, { platform = 'linux/amd64' })"

  -- Which override, what is called then, what {} is: nonsense too, unless it is said.
  local CASES <const> = {
    { "get_container", "get_manifest(x.ref)" },
    { "send", "get_manifest(x.ref)" },
    { "do_request", "get_manifest(x.ref)" },
    { "do_request", "get_tags(x.name)" },
    { "fetch_manifest", CONFIG },
    { "fetch_manifest", "get_manifest(x.ref)" },
    { "get_manifest", CONFIG, table_is = "content" },
    { "get_image_index", FOR_PLATFORM },
    { "select_platform", FOR_PLATFORM },
    { "get_blob", CONFIG },
    { "get_credentials", "get_manifest(x.closed)" },
  }

  it_with_faults("names the method", function()
    local rows = {}
    for _, case in ipairs(CASES) do
      for _, value in ipairs(VALUES) do
        local is_table = value == "{}"
        rows[#rows + 1] = {
          code = ("local Mine = oras.Registry:extend 'Mine' function Mine.%s() return %s end\n"):format(case[1], value)
            .. ("Mine:new { config_path = '/nonexistent' }:%s"):format(case[2]),
          line = 2, class = is_table and case.table_is or "usage", says = is_table and case.table_is or case[1],
          setup = function(x)
            faults.config { auth = { { repo = "closed/", mode = "basic" } } }
            x.closed = x.host .. "/closed/app:v1"
            x.index = x.name .. ":index"
            faults.seed { repo = "bad/app", tag = "index", manifest = {
              schemaVersion = 2, mediaType = "application/vnd.oci.image.index.v1+json",
              manifests = { { mediaType = "application/vnd.oci.image.manifest.v1+json", size = 2,
                digest = x.absent, platform = { os = "linux", architecture = "amd64" } } },
            } }
          end,
        }
      end
    end
    bad.check(rows)
  end)

  it_with_faults("names what is no scheme of authentication", function()
    local rows = {}
    for _, value in ipairs { "{}", "{ prepare = print }", "{ prepare = 1, answer = 2 }" } do
      rows[#rows + 1] = {
        code = ("oras.Registry:new { auth_backend = %s }:get_manifest(x.ref)"):format(value),
        class = "usage", says = { "auth_backend", "prepare" },
      }
    end
    for _, value in ipairs { "7", "'basic'", "{}" } do
      rows[#rows + 1] = {
        code = ("local mine = oras.Registry:new() mine.auth = %s mine:get_manifest(x.ref)"):format(value),
        class = "usage", says = { "auth", "prepare" },
      }
    end
    bad.check(rows)
  end)
end)
