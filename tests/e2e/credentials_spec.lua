--- Credentials that oras-lua keeps are read by others, and the other way round: real registries,
--- real clients, real helpers.
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local quote = process.quote
local directory, environment

local function user()
  return services.get "user", services.get "password"
end

-- Run a shell line with the test's own places for credentials; $LUA is oras-lua, $IN the password.
local function sh(line)
  local parts = {}
  for name, value in pairs(environment) do
    parts[#parts + 1] = ("export %s=%s"):format(name, quote(value))
  end
  return process.shell(("unset DOCKER_AUTH_CONFIG DOCKER_CONFIG REGISTRY_AUTH_FILE\n%s\n%s"):format(
    table.concat(parts, "\n"), line))
end

local function succeeds(line, ...)
  local status, out, err = sh(line:format(...))
  assert(status == 0, ("%s: %s%s"):format(line, out, err))
  return out, err
end

local function refused(line, ...)
  local status, out, err = sh(line:format(...))
  assert.equal(1, status, out .. err)
  assert.equal("", out)
  return err
end

local PLACES <const> = {
  { name = "docker-registry with htpasswd", service = "registry_basic" },
  { name = "docker-registry with tokens", service = "registry_token" },
}

local function test(place, fn, peer)
  return function()
    local host = services.get(place.service)
    local program, missing = services.peer(peer or "sh")
    if not host or not program then
      return pending(not host and services.missing(place.service) or missing)
    end
    fn(host, quote(program))
  end
end

-- A test for each protected registry that is there; `fn` gets its host and the other client.
local function each(title, fn, peer, only)
  for _, place in ipairs(PLACES) do
    if not only or only == place.service then
      it(("%s: %s"):format(place.name, title), test(place, fn, peer))
    end
  end
end

local function login(host)
  return succeeds('printf %%s "$IN" | $LUA login %s -u "$NAME" --password-stdin', host)
end

-- What a login is good for: a push and a pull of the same.
local function pushes(host)
  helper.write(directory .. "/file.txt", "content of the file\n")
  succeeds("cd %s && $LUA push %s/login/app:1 file.txt:text/plain", quote(directory), host)
  succeeds("cd %s && rm -rf out && $LUA pull %s/login/app:1 -o out", quote(directory), host)
  assert.equal("content of the file\n", helper.read(directory .. "/out/file.txt"))
end

local function is_refused(host)
  local err = refused("cd %s && $LUA push %s/login/app:2 file.txt:text/plain", quote(directory), host)
  assert.matches("^oras%-lua: auth: ", err)
end

before_each(function()
  local name, password = user()
  directory = helper.directory()
  environment = {
    DOCKER_CONFIG = directory .. "/docker", HOME = directory .. "/home", IN = password or "", NAME = name or "",
    XDG_CONFIG_HOME = directory .. "/etc", XDG_RUNTIME_DIR = directory .. "/run", LUA = process.oras_lua,
  }
  process.sh("mkdir -p %s %s %s %s", environment.HOME, environment.XDG_CONFIG_HOME, environment.XDG_RUNTIME_DIR,
    environment.DOCKER_CONFIG)
end)
after_each(helper.clean)

describe("a login", function()
  each("is good for pushes and pulls until the logout", function(host)
    helper.write(directory .. "/file.txt", "content of the file\n")
    is_refused(host)
    assert.equal("Login Succeeded\n", (login(host)))
    pushes(host)
    assert.equal("Logout Succeeded\n", (succeeds("$LUA logout %s", host)))
    is_refused(host)
    assert.equal(("Not logged in to %s\n"):format(host), (succeeds("$LUA logout %s", host)))
  end)

  each("with a wrong password is refused, and keeps what was there", function(host)
    login(host)
    local before = helper.read(environment.DOCKER_CONFIG .. "/config.json")
    local err = refused('printf wrong | $LUA login %s -u "$NAME" --password-stdin', host)
    assert.matches("^oras%-lua: auth: ", err)
    assert.equal(before, helper.read(environment.DOCKER_CONFIG .. "/config.json"))
  end)

  each("of ours is oras's", function(host, peer)
    login(host)
    pushes(host)
    succeeds("cd %s && %s pull --plain-http %s/login/app:1 -o theirs", quote(directory), peer, host)
    assert.equal("content of the file\n", helper.read(directory .. "/theirs/file.txt"))
    succeeds("%s logout %s", peer, host)
    is_refused(host)
  end, "oras")

  each("of oras is ours", function(host, peer)
    succeeds('printf %%s "$IN" | %s login --plain-http %s -u "$NAME" --password-stdin', peer, host)
    pushes(host)
    succeeds("$LUA logout %s", host)
    is_refused(host)
    local document = oras.json.decode(helper.read(environment.DOCKER_CONFIG .. "/config.json"))
    assert.is_nil(next(document.auths))
  end, "oras")

  each("of ours is crane's", function(host, peer)
    login(host)
    pushes(host)
    succeeds("%s manifest --insecure %s/login/app:1", peer, host)
  end, "crane", "registry_basic") -- crane asks no token server on a loopback

  each("W19 of skopeo is ours", function(host, peer)
    environment.DOCKER_CONFIG = nil -- skopeo would write there
    succeeds('printf %%s "$IN" | %s login --tls-verify=false %s -u "$NAME" --password-stdin', peer, host)
    assert.truthy(helper.read(environment.XDG_RUNTIME_DIR .. "/containers/auth.json"))
    pushes(host)
    assert.equal(("Not logged in to %s\n"):format(host), (succeeds("$LUA logout %s", host)))
    pushes(host)
    succeeds("%s logout %s", peer, host)
    is_refused(host)
  end, "skopeo")

  each("W19 of ours is skopeo's, in its own file", function(host, peer)
    environment.REGISTRY_AUTH_FILE = directory .. "/auth.json"
    succeeds("REGISTRY_AUTH_FILE=%s && export REGISTRY_AUTH_FILE && printf %%s \"$IN\" | "
      .. '$LUA login %s -u "$NAME" --password-stdin', quote(directory .. "/auth.json"), host)
    assert.truthy(helper.read(directory .. "/auth.json"))
    local name = user()
    assert.equal(name .. "\n", (succeeds("%s login --authfile %s --get-login %s", peer,
      quote(directory .. "/auth.json"), host)))
    succeeds("%s logout --authfile %s %s", peer, quote(directory .. "/auth.json"), host)
    assert.is_nil(next(oras.json.decode(helper.read(directory .. "/auth.json")).auths))
  end, "skopeo")

  each("W19 for a part of a host is used there alone", function(host)
    local name, password = user()
    local auth = require("oras.core").base64.encode(name .. ":" .. password)
    helper.write(directory .. "/file.txt", "content of the file\n")
    process.sh("mkdir -p %s/containers", environment.XDG_CONFIG_HOME)
    local path = environment.XDG_CONFIG_HOME .. "/containers/auth.json"
    helper.write(path, ('{"auths":{"%s/other":{"auth":"%s"}}}'):format(host, auth))
    is_refused(host)
    helper.write(path, ('{"auths":{"%s/login":{"auth":"%s"}}}'):format(host, auth))
    pushes(host)
  end)

  each("W19 comes from the environment, too", function(host)
    local name, password = user()
    helper.write(directory .. "/file.txt", "content of the file\n")
    environment.CI = ('{"auths":{"%s":{"username":"%s","password":"%s"}}}'):format(host, name, password)
    succeeds('cd %s && DOCKER_AUTH_CONFIG="$CI" $LUA push %s/login/env:1 file.txt:text/plain', quote(directory), host)
    is_refused(host)
  end)

  each("of Docker Hub stands where docker looks for it", function(_, peer)
    local store = require "oras.auth.store"
    local path = store.save("docker.io", { username = "me", password = "pw" }, directory .. "/hub.json")
    for _, name in ipairs { "docker.io", "index.docker.io" } do
      assert.equal("me\n", (succeeds("%s login --authfile %s --get-login %s", peer, quote(path), name)))
    end
  end, "skopeo")
end)

-- A helper "docker-credential-NAME" that keeps what it gets in a file for each server.
local OWN_HELPER <const> = [[#!/usr/bin/env python3
import json, os, sys
verb, text = sys.argv[1], sys.stdin.read()
server = json.loads(text)["ServerURL"] if verb == "store" else text.strip()
path = os.path.join(os.environ["KEPT"], server.replace("/", "_"))
if verb == "store":
    open(path, "w").write(text)
elif not os.path.exists(path):
    sys.exit(print("credentials not found in native keychain") or 1)
elif verb == "get":
    print(open(path).read())
elif verb == "erase":
    os.remove(path)
]]

local function use_own_helper()
  process.sh("mkdir -p %s/bin %s/kept", directory, directory)
  helper.write(directory .. "/bin/docker-credential-own", OWN_HELPER)
  process.sh("chmod 755 %s/bin/docker-credential-own", directory)
  environment.KEPT = directory .. "/kept"
  environment.PATH = ("%s/bin:%s"):format(directory, os.getenv "PATH")
  helper.write(environment.DOCKER_CONFIG .. "/config.json", '{"credsStore":"own"}')
end

-- Debian's helper for pass, with a key without passphrase of the test's own. Gives why not.
local function use_pass()
  if not services.peer "docker-credential-pass" or not services.peer "pass" then
    return "no docker-credential-pass or no pass (scripts/install-deps test installs them)"
  end
  environment.GNUPGHOME = directory .. "/gpg"
  environment.PASSWORD_STORE_DIR = directory .. "/pass"
  local status, out, err = sh([[mkdir -m 700 "$GNUPGHOME" &&
    gpg --batch --quiet --pinentry-mode loopback --passphrase '' \
      --quick-gen-key test@oras.example default default never &&
    pass init test@oras.example]])
  if status ~= 0 then
    return "gpg makes no key here: " .. (out .. err):match "[^\n]*"
  end
  helper.write(environment.DOCKER_CONFIG .. "/config.json", '{"credsStore":"pass"}')
end

describe("a helper", function()
  after_each(function()
    if environment.GNUPGHOME then
      sh "gpgconf --kill all"
    end
  end)

  each("of ours keeps a login", function(host)
    use_own_helper()
    login(host)
    assert.equal('{"credsStore":"own"}', helper.read(environment.DOCKER_CONFIG .. "/config.json"))
    assert.equal(host, helper.list(directory .. "/kept"))
    pushes(host)
    assert.equal("Logout Succeeded\n", (succeeds("$LUA logout %s", host)))
    assert.equal("", helper.list(directory .. "/kept"))
    is_refused(host)
  end)

  each("is shared with oras", function(host, peer)
    use_own_helper()
    login(host)
    pushes(host)
    succeeds("cd %s && %s pull --plain-http %s/login/app:1 -o theirs", quote(directory), peer, host)
    succeeds("%s logout %s", peer, host)
    is_refused(host)
    succeeds('printf %%s "$IN" | %s login --plain-http %s -u "$NAME" --password-stdin', peer, host)
    pushes(host)
    succeeds("$LUA logout %s", host)
    assert.equal("", helper.list(directory .. "/kept"))
  end, "oras")

  each("of Debian, pass, keeps a login", function(host)
    local missing = use_pass()
    if missing then
      return pending(missing)
    end
    login(host)
    assert.equal('{"credsStore":"pass"}', helper.read(environment.DOCKER_CONFIG .. "/config.json"))
    pushes(host)
    assert.equal("Logout Succeeded\n", (succeeds("$LUA logout %s", host)))
    is_refused(host)
    assert.equal(("Not logged in to %s\n"):format(host), (succeeds("$LUA logout %s", host)))
  end)
end)
