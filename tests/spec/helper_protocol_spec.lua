--- Credential helpers: what they get, what they may say, and what they may not do to us.
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local quote = process.quote
local directory

-- A helper "docker-credential-NAME" of these shell lines; $out is the test's directory.
local function install(name, lines, mode)
  local path = ("%s/docker-credential-%s"):format(directory, name)
  helper.write(path, ("#!/bin/sh\nout=%s\n%s\n"):format(quote(directory), lines))
  assert(os.execute(("chmod %s %s"):format(mode or "755", quote(path))))
end

local CALL <const> = [[
  local oras = require "oras"
  local words = oras.json.decode(arg[1])
  local value, err = oras.try(require("oras.auth.helper")[words[1] ], table.unpack(words, 2))
  print(oras.json.encode { value = value, class = err and err.class, message = err and err.message })
]]

-- Call a function of the module in a process of its own, in which PATH begins with ours.
local function call(...)
  local script = helper.write(directory .. "/call.lua", CALL)
  local command = ("cd %s && PATH=%s:$PATH DOCKER_AUTH_CONFIG=kept-out %s %s %s"):format(quote(directory),
    quote(directory), quote(process.oras_lua), quote(script), quote(oras.json.encode { ... }))
  local status, out, err = process.shell(command)
  assert.same({ 0, "" }, { status, err })
  return oras.json.decode(out)
end

local function get(lines, timeout)
  install("t", lines)
  return call("get", "t", "ghcr.io", timeout)
end

local function fails(pattern, lines, timeout)
  local result = get(lines, timeout)
  assert.equal("helper", result.class, lines)
  assert.matches("docker-credential-t", result.message, 1, true)
  assert.matches(pattern, result.message)
  assert.is_nil(result.message:find("hush", 1, true))
  assert.is_nil(result.message:find "%c")
  return result.message
end

local ANSWER <const> = [[printf '{"ServerURL":"ghcr.io","Username":"me","Secret":"hush"}']]

describe("a credential helper", function()
  before_each(function()
    directory = helper.directory()
  end)
  after_each(helper.clean)

  it("is asked by standard input and answers by standard output", function()
    local result = get('echo "$@" >$out/args; cat >$out/input; ' .. ANSWER)
    assert.same({ username = "me", password = "hush" }, result.value)
    assert.equal("get\n", helper.read(directory .. "/args"))
    assert.equal("ghcr.io", helper.read(directory .. "/input"))
  end)

  it("L20 says by the user <token> that it has an identity token", function()
    local result = get [[printf '{"ServerURL":"x","Username":"<token>","Secret":"hush"}']]
    assert.same({ identity_token = "hush" }, result.value)
  end)

  it("L18 has nothing when it says so, on standard output", function()
    assert.same({}, get "echo credentials not found in native keychain; exit 1")
    assert.same({}, get "printf '  credentials not found in native keychain\\r\\n'; exit 1")
    assert.same({}, get [[echo '{"ServerURL":"","Username":"","Secret":""}']]) -- docker-credential-pass 0.6.4
    fails("native keychain$", "echo credentials not found in native keychain >&2; echo; exit 1")
    fails("status 1: no credentials server URL$", "echo no credentials server URL; exit 1")
  end)

  it("keeps and forgets by standard input", function()
    install("t", 'echo "$@" >>$out/args; cat >$out/$1')
    assert.same({}, call("store", "t", "ghcr.io", { username = "me", password = 'hu"sh' }))
    assert.same({ ServerURL = "ghcr.io", Username = "me", Secret = 'hu"sh' },
      oras.json.decode(helper.read(directory .. "/store")))
    assert.same({}, call("store", "t", "https://index.docker.io/v1/", { identity_token = "hush" }))
    assert.same({ ServerURL = "https://index.docker.io/v1/", Username = "<token>", Secret = "hush" },
      oras.json.decode(helper.read(directory .. "/store")))
    assert.same({}, call("erase", "t", "ghcr.io"))
    assert.equal("ghcr.io", helper.read(directory .. "/erase"))
    assert.equal("store\nstore\nerase\n", helper.read(directory .. "/args"))
  end)

  it("L17 is looked for in PATH alone, by a name that is no path", function()
    install("t", ANSWER, "644")
    for _, name in ipairs { "t", "missing", ".", "-rf" } do
      local result = call("get", name, "ghcr.io")
      assert.equal("helper", result.class)
      assert.matches("docker-credential-" .. name, result.message, 1, true)
    end
    process.sh("mkdir %s/docker-credential-x && cp /bin/true %s/docker-credential-x/y", directory, directory)
    for _, name in ipairs { "x/y", "../x", "a b", "a\nb", "", "/bin/true", "a;b", "$x", "é" } do
      local result = call("get", name, "ghcr.io")
      assert.equal("helper", result.class, name)
      assert.matches("the name .* of a credential helper", result.message)
      assert.is_nil(result.message:find "%c")
    end
  end)

  it("L18 that hangs is ended with all that it has started", function()
    fails("second", "sleep 100", 0.2)
    fails("second", "trap '' TERM; echo $$ >$out/pid; while :; do sleep 100; done", 0.3)
    local pid = helper.read(directory .. "/pid"):match "%d+"
    assert.is_nil(helper.read(("/proc/%s/stat"):format(pid)))
    fails("second", "sleep 100 & wait", 0.2)
    assert.same({ username = "me", password = "hush" }, get("sleep 100 & " .. ANSWER, 20).value)
  end)

  it("L18 that says too much, nothing or nonsense is refused", function()
    fails("printed more than 65536 bytes$", "cat /dev/zero")
    for _, lines in ipairs {
      "true", "echo hush", "printf '\\0'", "echo '[\"hush\"]'", "echo 5", "echo '{}'", "echo null",
      [[echo '{"Username":"me"}']], [[echo '{"Secret":"hush"}']], [[echo '{"Username":"","Secret":"hush"}']],
      [[echo '{"Username":"me","Secret":""}']], [[echo '{"Username":5,"Secret":"hush"}']],
      [[echo '{"Username":"me","Secret":["hush"]}']], ANSWER .. "; " .. ANSWER,
      [[printf '{"Username":"me","Secret":"hush\000"}']], [[printf '{"Username":"me","Secret":"hush\\n"}']],
      [[echo '{"Username":"m:e","Secret":"hush"}']], [[echo '{"Username":"me","Secret":"hush","Secret":"hush"}']],
    } do
      fails("", lines)
    end
  end)

  it("L18 that fails is heard, but not what may be a secret, and nothing that commands a terminal", function()
    fails("status 3$", "exit 3")
    fails("status 3: on its error output$", "echo on its error output >&2; exit 3")
    fails("status 2: first line$", "echo first line; echo second line; exit 2")
    fails("signal 9", "kill -9 $$")
    fails("status 1$", ANSWER .. "; exit 1")
    fails("status 1: %S+red$", "printf '\\033[31mred'; exit 1")
    local message = fails("status 1: x+$", "head -c 5000 /dev/zero | tr '\\0' x; exit 1")
    assert.is_true(#message < 300)
    install("t", "cat; exit 1")
    local result = call("store", "t", "ghcr.io", { username = "me", password = "hush" })
    assert.equal("helper", result.class)
    assert.is_nil(result.message:find("hush", 1, true))
    install("t", "sed 's/.*\\(hush\\).*/the password \\1 is bad/' >&2; exit 1")
    result = call("store", "t", "ghcr.io", { username = "me", password = "hush" })
    assert.matches("the password %S+ is bad", result.message)
    assert.is_nil(result.message:find("hush", 1, true))
  end)

  it("L18 that reads nothing, or asks a terminal, does no harm", function()
    install("t", "exec 0<&-; true")
    assert.same({}, call("store", "t", "ghcr.io", { username = "me", password = ("x"):rep(100000) }))
    fails("status 7", "(: </dev/tty) 2>/dev/null || exit 7", 20)
  end)

  it("L18 that calls us is not called by us again", function()
    local inner = helper.write(directory .. "/inner.lua", [[
      local found, err = require("oras").try(require("oras.auth.helper").get, arg[1], "ghcr.io")
      print(found and found.username or err)
    ]])
    local ask = ("%s %s %%s >$out/said; %s"):format(quote(process.oras_lua), quote(inner), ANSWER:gsub("%%", "%%%%"))
    install("other", [[printf '{"Username":"other","Secret":"s"}']])
    install("t", (ask:format "t"))
    assert.equal("me", call("get", "t", "ghcr.io").value.username)
    local said = helper.read(directory .. "/said")
    assert.matches("docker-credential-t: it asks for credentials that it has to give", said, 1, true)
    install("t", (ask:format "other"))
    assert.equal("me", call("get", "t", "ghcr.io").value.username)
    assert.equal("other\n", helper.read(directory .. "/said"))
    install("other", ask:format "t")
    assert.equal("me", call("get", "t", "ghcr.io").value.username)
  end)

  it("is asked once by tasks that want the same, and again later", function()
    install("t", "echo asked >>$out/asked; cat >/dev/null; " .. ANSWER)
    local script = helper.write(directory .. "/tasks.lua", [[
      local oras = require "oras"
      local get = require("oras.auth.helper").get
      local function wave()
        for _, found in ipairs(oras.map({ 1, 2, 3, 4, 5, 6, 7, 8 }, function() return get("t", "ghcr.io") end)) do
          assert(found.username == "me" and found.password == "hush")
        end
      end
      wave()
      wave()
      local tasks = { oras.spawn(get, "t", "quay.io"), oras.spawn(get, "t", "quay.io") }
      tasks[1]:cancel()
      assert(tasks[2]:wait().username == "me")
    ]])
    local status, out, err = process.shell(("PATH=%s:$PATH %s %s"):format(quote(directory), quote(process.oras_lua),
      quote(script)))
    assert.same({ 0, "", "" }, { status, out, err })
    assert.equal(("asked\n"):rep(3), helper.read(directory .. "/asked"))
  end)

  it("L19 sees no secret in its arguments or its environment, and no file of ours", function()
    install("t", "{ tr '\\0' '\\n' </proc/$$/cmdline; env; ls /proc/$$/fd; } >$out/seen 2>&1; cat >/dev/null; true")
    assert.same({}, call("store", "t", "ghcr.io", { username = "me", password = "hush" }))
    local seen = helper.read(directory .. "/seen")
    assert.is_nil(seen:find("hush", 1, true))
    assert.is_nil(seen:find("kept-out", 1, true))
    assert.matches("\nORAS_CREDENTIAL_HELPERS=t\n", seen, 1, true)
    assert.is_nil(seen:find("\n[4-9]\n"))
  end)
end)
