--- oras-lua login and logout: words, what is asked on a terminal, what is printed.
local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local json_keys = require "tests.spec.json_keys"
local process = require "tests.spec.process"

local quote = process.quote
local directory, path, host

-- Run oras-lua with its own DOCKER_CONFIG and these bytes on standard input.
local function run(input, ...)
  local words = { ("printf %%s %s | DOCKER_CONFIG=%s REGISTRY_AUTH_FILE= %s"):format(quote(input), quote(directory),
    quote(process.oras_lua)) }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  return process.shell(table.concat(words, " "))
end

local function succeeds(input, ...)
  local status, out, err = run(input, ...)
  assert.same({ 0, "" }, { status, err })
  return out
end

local function fails(expected, pattern, input, ...)
  local status, out, err = run(input, ...)
  assert.equal(expected, status, err)
  assert.equal("", out)
  assert.matches(pattern, err)
  assert.is_nil(helper.read(path))
end

local function entry()
  return oras.json.decode(helper.read(path)).auths[host]
end

local AUTH <const> = core.base64.encode "alice:wonder:land"

-- A terminal: says what stands there when each prompt is answered, and in the end.
local ON_TERMINAL <const> = [[
import os, pty, sys
answers = sys.argv[1].split("|")
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen = b""
def read():
    try:
        return os.read(fd, 1000)
    except OSError:
        return b""
for answer in answers:
    if answer:
        while not seen.rstrip().endswith(b":"):
            more = read()
            if not more:
                break
            seen += more
        seen += b"<"
        os.write(fd, answer.encode().replace(b"ENTER", b"") + b"\r")
        while b"\n" not in seen[seen.rindex(b"<"):]:
            more = read()
            if not more:
                break
            seen += more
while True:
    more = read()
    if not more:
        break
    seen += more
sys.stdout.write(seen.decode().replace("\r", ""))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
]]

-- Answers are separated by "|"; ENTER is an empty one.
local function on_terminal(answers, ...)
  local words = { ("DOCKER_CONFIG=%s REGISTRY_AUTH_FILE= python3 -c %s"):format(quote(directory), quote(ON_TERMINAL)),
    quote(answers), quote(process.oras_lua) }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  return process.shell(table.concat(words, " "))
end

before_each(function()
  faults.reset()
  faults.config { auth = { { mode = "basic" } } }
  directory = helper.directory()
  path = directory .. "/config.json"
  host = faults.host "http"
end)
after_each(helper.clean)

describe("oras-lua login", function()
  it("takes the password from standard input, without the line's end", function()
    for _, input in ipairs { "wonder:land", "wonder:land\n", "wonder:land\r\n" } do
      os.remove(path)
      assert.equal("Login Succeeded\n", succeeds(input, "login", host, "-u", "alice", "--password-stdin"))
      assert.same({ auth = AUTH }, entry())
    end
  end)

  it("takes it from the command line, with a warning", function()
    local status, out, err = run("", "login", "-u", "alice", "-p", "wonder:land", host)
    assert.same({ 0, "Login Succeeded\n" }, { status, out })
    assert.matches("^oras%-lua: [^\n]*%-%-password%-stdin[^\n]*\n$", err)
    assert.is_nil(err:find("wonder", 1, true))
  end)

  it("takes an identity token, by its flags or without a user", function()
    faults.reset()
    for _, words in ipairs {
      { "", "--identity-token", "tok" }, { "tok\n", "--identity-token-stdin" }, { "tok", "--password-stdin" },
      { "tok", "--password-stdin", "-u", "" },
    } do
      os.remove(path)
      local document = oras.json.decode(succeeds(words[1], "login", host, "--format", "json", table.unpack(words, 2)))
      json_keys.check("login", document)
      assert.same({ registry = host }, document)
      assert.same({ identitytoken = "tok" }, entry())
    end
  end)

  it("prints one document, and writes the first --registry-config", function()
    local own = directory .. "/own.json"
    local document = oras.json.decode(succeeds("wonder:land", "login", host, "--username=alice", "--password-stdin",
      "--registry-config", own, "--registry-config", "/nonexistent", "--format=json"))
    json_keys.check("login", document)
    assert.same({ registry = host, username = "alice" }, document)
    assert.is_nil(helper.read(path))
    assert.same({ auth = AUTH }, oras.json.decode(helper.read(own)).auths[host])
  end)

  it("keeps nothing that is refused, and nothing of words that make no sense", function()
    fails(1, "^oras%-lua: auth: [^\n]*refuses[^\n]*\n$", "wrong", "login", host, "-u", "alice", "--password-stdin")
    fails(2, "empty password", "", "login", host, "-u", "alice", "--password-stdin")
    fails(2, "empty token", "", "login", host, "--password-stdin")
    fails(2, "exclude", "x", "login", host, "--identity-token=a", "--identity-token-stdin")
    fails(2, "stands alone", "x", "login", host, "--identity-token=a", "-u", "alice")
    fails(2, "hostname", "x", "login", host .. "/repo", "-u", "alice", "--password-stdin")
    fails(2, "usage", "x", "login")
    fails(2, "usage", "x", "login", host, host)
    fails(2, "nobody is there to be asked", "x\n", "login", host, "-u", "alice")
  end)

  it("asks on a terminal, the password hidden", function()
    local status, out = on_terminal("alice|wonder:land", "login", host)
    assert.equal(0, status, out)
    assert.equal("Username: <alice\nPassword: <\nLogin Succeeded\n", out)
    assert.same({ auth = AUTH }, entry())
    os.remove(path)
    status, out = on_terminal("wonder:land", "login", host, "-u", "alice")
    assert.same({ 0, "Password: <\nLogin Succeeded\n" }, { status, out })
    faults.reset()
    status, out = on_terminal("ENTER|tok", "login", host)
    assert.same({ 0, "Username: <\nToken: <\nLogin Succeeded\n" }, { status, out })
    assert.same({ identitytoken = "tok" }, entry())
    os.remove(path)
    status, out = on_terminal("alice|ENTER", "login", host)
    assert.equal(2, status)
    assert.matches("empty password", out)
    assert.is_nil(helper.read(path))
    status, out = on_terminal("\4", "login", host) -- the key for the end of a file
    assert.equal(1, status, out)
    assert.matches("the terminal gave no answer", out)
  end)

  it("warns where the environment has other credentials that come before", function()
    local text = oras.json.encode { auths = { [host] = { auth = AUTH } } }
    local status, out, err = process.shell(("echo wonder:land | DOCKER_AUTH_CONFIG=%s DOCKER_CONFIG=%s %s login %s "
      .. "-u alice --password-stdin"):format(quote(text), quote(directory), quote(process.oras_lua), host))
    assert.same({ 0, "Login Succeeded\n" }, { status, out })
    assert.matches("DOCKER_AUTH_CONFIG has credentials for " .. host, err, 1, true)
  end)
end)

describe("a file with credentials", function()
  it("that others can read is told of at the debug level, without what is in it", function()
    local file = helper.write(path, ('{"auths":{"%s":{"auth":"%s"}}}'):format(host, AUTH))
    for mode, said in pairs { ["644"] = true, ["640"] = true, ["600"] = false } do
      assert(os.execute(("chmod %s '%s'"):format(mode, file)))
      local _, _, err = run("", "tags", host .. "/a", "--debug")
      local text = ("%s has credentials and is readable by others (mode %s)"):format(file, mode)
      assert.equal(said, err:find(text, 1, true) ~= nil, err)
    end
    local _, _, err = run("", "tags", host .. "/a")
    assert.is_nil(err:find("readable", 1, true))
  end)
end)

describe("oras-lua logout", function()
  it("says what it did, and that there was nothing", function()
    succeeds("wonder:land", "login", host, "-u", "alice", "--password-stdin")
    assert.equal("Logout Succeeded\n", succeeds("", "logout", host))
    assert.same({ auths = oras.json.decode "{}" }, oras.json.decode(helper.read(path)))
    assert.equal(("Not logged in to %s\n"):format(host), succeeds("", "logout", host))
    local document = oras.json.decode(succeeds("", "logout", host, "--format", "json"))
    json_keys.check("logout", document)
    assert.same({ registry = host, removed = false }, document)
    assert.equal(2, #faults.log {}) -- of the login
  end)

  it("says which other file still has credentials", function()
    local other = helper.write(directory .. "/other.json", ('{"auths":{"%s":{"auth":"eDp5"}}}'):format(host))
    local status, out, err = run("", "logout", host, "--registry-config", path, "--registry-config", other)
    assert.same({ 0, ("Not logged in to %s\n"):format(host) }, { status, out })
    assert.matches(other .. " still has credentials for " .. host, err, 1, true)
  end)
end)
