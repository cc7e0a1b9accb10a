--- Registry:login and logout: what is asked, what is kept and where, what is forgotten.
local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local quote = process.quote
local directory, path, host

local function read()
  return oras.json.decode(helper.read(path))
end

local function login(registry, opts)
  opts = opts or {}
  opts.hostname = opts.hostname or host
  if not opts.identity_token then
    opts.username, opts.password = opts.username or "alice", opts.password or "wonder:land"
  end
  return registry:login(opts)
end

local function wants(mode)
  faults.config { auth = { { mode = mode } } }
end

local AUTH <const> = core.base64.encode "alice:wonder:land"

describe("login", function()
  before_each(function()
    faults.reset()
    directory = helper.directory()
    path = directory .. "/docker/config.json"
    host = faults.host "http"
  end)
  after_each(helper.clean)

  it("keeps what the registry takes, for the next object and for docker", function()
    for _, mode in ipairs { "basic", "bearer", "none" } do
      os.remove(path)
      wants(mode)
      local registry = helper.registry { config_path = path }
      assert.same({ hostname = host, username = "alice", config_path = path }, login(registry))
      assert.same({ auths = { [host] = { auth = AUTH } } }, read())
      assert.equal("600", process.sh("stat -c %%a %s", path):match "%d+")
      assert.equal("docker", helper.list(directory))
      assert.equal("config.json", helper.list(directory .. "/docker"))
    end
    faults.seed { repo = "basic/app", tag = "1", layers = { { data = "x" } } }
    assert.equal(1, #helper.registry { config_path = path }:get_manifest(host .. "/basic/app:1").layers)
  end)

  it("keeps nothing that the registry refuses", function()
    for _, mode in ipairs { "basic", "bearer" } do
      wants(mode)
      local registry = helper.registry { config_path = path }
      local err = helper.fails(registry, "login", { hostname = host, username = "alice", password = "hush" })
      assert.equal("auth", err.class)
      assert.is_nil(tostring(err):find("hush", 1, true))
      assert.is_nil(helper.read(path))
      assert.equal("", helper.list(directory))
    end
    faults.on { path = "/v2/", status = 404, always = true }
    assert.equal("not_found", helper.fails(helper.registry { config_path = path }, "login",
      { hostname = host, username = "alice", password = "wonder:land" }).class)
    assert.equal("network", helper.fails(helper.registry { config_path = path, retry = { tries = 1 } }, "login",
      { hostname = "127.0.0.1:1", username = "alice", password = "wonder:land" }).class)
    assert.is_nil(helper.read(path))
  end)

  it("takes no token that the object has for an answer, nor what it was given before", function()
    for _, mode in ipairs { "basic", "bearer" } do
      wants(mode)
      faults.seed { repo = "any/app", tag = "1", layers = { { data = "x" } } }
      local registry = helper.registry { config_path = path }
      registry:set_basic_auth("alice", "wonder:land", host)
      registry:get_manifest(host .. "/any/app:1")
      registry:do_request("GET", host .. "/v2/")
      local err = helper.fails(registry, "login", { hostname = host, username = "alice", password = "wrong" })
      assert.equal("auth", err.class)
      assert.equal("alice", registry:get_credentials(host).username)
      login(registry, { username = "bob", password = "builder" })
      assert.equal("bob", registry:get_credentials(host).username)
    end
  end)

  it("asks with these credentials whatever the object would use", function()
    wants "basic"
    for _, backend in ipairs { "anonymous", "ecr", "auto", "basic" } do
      os.remove(path)
      local registry = helper.registry { config_path = path, auth_backend = backend, hostname = host }
      local err = helper.fails(registry, "login", { username = "alice", password = "wrong" })
      assert.matches("refuses the user name or password", err.message)
      assert.equal(host, login(registry).hostname)
    end
  end)

  it("exchanges an identity token, and keeps it as one", function()
    wants "bearer"
    local registry = helper.registry { config_path = path }
    local err = helper.fails(registry, "login", { hostname = host, identity_token = "wrong" })
    assert.equal("auth", err.class)
    local answer = { access_token = "good", expires_in = 60 }
    faults.on { method = "POST", path = "/token", status = 200, json = answer, always = true }
    faults.on { path = "/v2/", has = { authorization = "^Bearer good$" }, status = 200, json = {}, always = true }
    assert.same({ hostname = host, config_path = path }, login(registry, { identity_token = "refresh" }))
    assert.same({ auths = { [host] = { identitytoken = "refresh" } } }, read())
    assert.same({ identity_token = "refresh" }, registry:get_credentials(host))
    wants "none"
    login(registry)
    assert.same({ auths = { [host] = { auth = AUTH } } }, read())
  end)

  it("writes the first of several files and reads all", function()
    local second = helper.write(directory .. "/second.json", '{"auths":{"quay.io":{"auth":"' .. AUTH .. '"}}}')
    local registry = helper.registry { config_path = { path, second } }
    assert.equal(path, login(registry).config_path)
    assert.same({ auths = { [host] = { auth = AUTH } } }, read())
    assert.equal("alice", registry:get_credentials("quay.io").username)
    local third = directory .. "/third.json"
    assert.equal(third, login(registry, { config_path = third }).config_path)
    assert.equal('{\n\t"auths": {\n\t\t"' .. host .. '": {\n\t\t\t"auth": "' .. AUTH .. '"\n\t\t}\n\t}\n}\n',
      helper.read(third))
  end)

  it("L15 leaves all else in the file as it is, tightens its mode and keeps the link to it", function()
    local before = '{"x": [1.10, "\\u0041"],\n  "auths": {"quay.io": {"auth":"eDp5", "email": "e"},\n    "%s": '
      .. '{"email":"mine","auth":"eDp5","identitytoken":"old"}}, "credHelpers":{}\n}'
    assert(os.execute(("mkdir '%s/docker' && ln -s ../real.json '%s'"):format(directory, path)))
    local real = helper.write(directory .. "/real.json", before:format(host))
    assert(os.execute(("chmod 644 '%s'"):format(real)))
    login(helper.registry { config_path = path })
    local old <const> = '"mine","auth":"eDp5","identitytoken":"old"'
    local after = before:format(host):gsub(old, '"mine","auth":"' .. AUTH .. '"')
    assert.equal(after, helper.read(real))
    assert.equal("600 regular file", process.sh("stat -c '%%a %%F' %s", real):match "[^\n]*")
    assert.equal("symbolic link", process.sh("stat -c %%F %s", path):match "[^\n]*")
    assert.equal("docker real.json", helper.list(directory))
  end)

  it("L15 changes no file that is broken, and none that cannot be written", function()
    assert(os.execute(("mkdir '%s/docker'"):format(directory)))
    for _, text in ipairs { "{", "[]", '{"auths":[]}', '{"auths":5}', '{"a":1,"a":2}' } do
      helper.write(path, text)
      local err = helper.fails(helper.registry { config_path = path }, "login",
        { hostname = host, username = "alice", password = "wonder:land" })
      assert.equal("config", err.class, text)
      assert.matches(path, err.message, 1, true)
      assert.equal(text, helper.read(path))
      assert.equal("config.json", helper.list(directory .. "/docker"))
    end
    local err = helper.fails(helper.registry { config_path = "/proc/none/config.json" }, "login",
      { hostname = host, username = "alice", password = "wonder:land" })
    assert.equal("io", err.class)
  end)

  it("L20 keeps Docker Hub under docker's key, by whatever name it is called", function()
    faults.on { path = "/v2/", status = 200, json = {}, always = true }
    local Hub = oras.Registry:extend "Hub"
    local asked
    function Hub:send(request)
      asked = request.url
      request.url = faults.url "http" .. "/v2/"
      request.origin = nil
      return Hub.super.send(self, request)
    end
    for _, name in ipairs { "docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/" } do
      os.remove(path)
      local registry = Hub:new { config_path = path, plain_http = true }
      assert.equal("docker.io", login(registry, { hostname = name }).hostname)
      assert.equal("http://registry-1.docker.io/v2/", asked)
      assert.same({ auths = { ["https://index.docker.io/v1/"] = { auth = AUTH } } }, read())
      assert.equal("alice", registry:get_credentials("docker.io", "library/app").username)
      assert.is_true((registry:logout(name)))
      assert.same({ auths = oras.json.decode "{}" }, read())
    end
  end)

  it("refuses words that make no sense, before it asks", function()
    local registry = helper.registry { config_path = path }
    for _, opts in ipairs {
      {}, { username = "a" }, { password = "b" }, { username = "", password = "b" }, { username = "a", password = "" },
      { identity_token = "" }, { identity_token = "t", username = "a" }, { username = "a:b", password = "c" },
      { username = "a", password = "b\nc" }, { identity_token = "a\rb" }, { user = "a", password = "b" },
      { username = 5, password = "b" }, { username = "a", password = "b", config_path = 5 },
    } do
      opts.hostname = host
      assert.equal("usage", helper.fails(registry, "login", opts).class)
    end
    for _, name in ipairs { "", "a/b", "https://ghcr.io", "a b", "me@ghcr.io", "ghcr.io#", "ghcr.io/v2/", "[::1" } do
      local opts = { hostname = name, username = "a", password = "b" }
      assert.equal("usage", helper.fails(registry, "login", opts).class, name)
      assert.equal("usage", helper.fails(registry, "logout", name).class, name)
    end
    assert.equal("usage", helper.fails(registry, "logout", 5).class)
    assert.equal("usage", helper.fails(registry, "login", { username = "a", password = "b" }).class)
    assert.same({}, faults.log {})
    assert.equal(host, login(helper.registry { config_path = path, hostname = host }).hostname)
  end)

  it("asks in a dry run, and keeps and forgets nothing", function()
    wants "basic"
    local registry = helper.registry { config_path = path, dry_run = true }
    local err = helper.fails(registry, "login", { hostname = host, username = "alice", password = "wrong" })
    assert.equal("auth", err.class)
    err = helper.fails(registry, "login", { hostname = host, username = "alice", password = "wonder:land" })
    assert.same({ "denied", "DRY_RUN" }, { err.class, err.code })
    assert.is_nil(helper.read(path))
    login(helper.registry { config_path = path })
    err = helper.fails(registry, "logout", host)
    assert.same({ "denied", "DRY_RUN" }, { err.class, err.code })
    assert.same({ auths = { [host] = { auth = AUTH } } }, read())
  end)

  it("works on objects whose class gives credentials of its own, and asks with those that were named", function()
    wants "basic"
    local Own = oras.Registry:extend "Own"
    function Own:get_credentials(...) -- luacheck: no unused args
      return { username = "bob", password = "builder" }
    end
    local registry = Own:new { config_path = path }
    local err = helper.fails(registry, "login", { hostname = host, username = "alice", password = "no" })
    assert.equal("auth", err.class)
    login(registry)
    assert.same({ auths = { [host] = { auth = AUTH } } }, read())
    assert.equal("bob", registry:get_credentials(host).username)
  end)
end)

describe("get_credentials", function()
  before_each(faults.reset)

  it("W20 of a provider supplies what its registry wants, without a helper", function()
    local Cloud = oras.Registry:extend "Cloud"
    local asked = {}
    function Cloud:get_credentials(hostname, repository)
      asked[#asked + 1] = ("%s/%s"):format(hostname, repository)
      if hostname == faults.host "http" then
        return { username = "alice", password = "wonder:land" }
      end
      return Cloud.super.get_credentials(self, hostname, repository)
    end
    for _, repository in ipairs { "basic/app", "bearer/app" } do
      faults.seed { repo = repository, tag = "1", layers = { { data = "x" } } }
      local registry = Cloud:new { config_path = "/nonexistent", retry = { wait = 0 } }
      registry:get_manifest(("%s/%s:1"):format(faults.host "http", repository))
      assert.equal(("%s/%s"):format(faults.host "http", repository), table.remove(asked))
      local other = ("%s/%s:1"):format(faults.host "cdn", repository)
      assert.equal("auth", helper.fails(registry, "get_manifest", other).class)
      assert.is_false(faults.saw(faults.log { listener = "cdn" }, AUTH))
    end
  end)

  it("that gives nonsense is a mistake, and shows nothing of it", function()
    local Odd = oras.Registry:extend "Odd"
    faults.seed { repo = "basic/app", tag = "1", layers = { { data = "x" } } }
    for _, value in ipairs { "hush", { "hush" }, { username = "hush" }, { identity_token = { "hush" } }, 5 } do
      function Odd.get_credentials()
        return value
      end
      local err = helper.fails(Odd:new { config_path = "/nonexistent" }, "get_manifest",
        faults.host "http" .. "/basic/app:1")
      assert.equal("usage", err.class)
      assert.is_nil(tostring(err):find("hush", 1, true))
    end
  end)
end)

describe("logout", function()
  before_each(function()
    faults.reset()
    directory = helper.directory()
    path = directory .. "/config.json"
    host = faults.host "http"
  end)
  after_each(helper.clean)

  it("forgets one host in the file, what the object was given, and tokens", function()
    wants "bearer"
    local before = '{\n  "auths": {"quay.io": {"auth":"eDp5"}},\n  "x": 1.0}'
    helper.write(path, before)
    local registry = helper.registry { config_path = path }
    login(registry)
    registry:set_basic_auth("alice", "wonder:land", host)
    assert.equal(200, registry:do_request("GET", host .. "/v2/").status)
    assert.is_true((registry:logout(host)))
    assert.equal(before, helper.read(path))
    assert.is_nil(registry:get_credentials(host))
    local err = helper.fails(registry, "get_manifest", host .. "/any/app:1")
    assert.equal("auth", err.class)
    assert.equal("x", registry:get_credentials("quay.io").username)
  end)

  it("says when there was nothing, and changes nothing then", function()
    local registry = helper.registry { config_path = path }
    assert.is_nil((registry:logout(host)))
    assert.is_nil(helper.read(path))
    local text = '{"auths":{"x' .. host .. '":{"auth":"eDp5"},"' .. host .. '/part":{"auth":"eDp5"}}}'
    helper.write(path, text)
    assert.is_nil((registry:logout(host)))
    assert.equal(text, helper.read(path))
    assert.is_nil((helper.registry { config_path = {} }:logout(host)))
  end)

  it("takes every spelling of the host away, a broken entry, too", function()
    helper.write(path, ('{"auths":{"https://%s/v1/":{"auth":"eDp5"},"%s":"broken","http://%s":{}}}'):format(host, host,
      host))
    assert.is_true((helper.registry { config_path = path }:logout(host)))
    assert.equal('{"auths":{}}', helper.read(path))
  end)

  it("tells where there are more", function()
    local second = helper.write(directory .. "/second.json", '{"auths":{"' .. host .. '":{"auth":"eDp5"}}}')
    helper.write(path, '{"auths":{"' .. host .. '":{"auth":"eDp5"}}}')
    local registry = helper.registry { config_path = { path, second } }
    assert.same({ true, second }, { registry:logout(host) })
    local was_there, elsewhere = registry:logout(host)
    assert.is_nil(was_there)
    assert.equal(second, elsewhere)
    assert.matches("eDp5", helper.read(second))
  end)
end)

describe("login with a helper", function()
  before_each(function()
    faults.reset()
    wants "basic"
    directory = helper.directory()
    path = directory .. "/config.json"
    host = faults.host "http"
    helper.write(directory .. "/docker-credential-t", ([[#!/bin/sh
cd %s
case $1 in
  store) cat >kept ;;
  get) cat >asked; [ -e kept ] || { echo credentials not found in native keychain; exit 1; }; cat kept ;;
  erase) rm -f kept ;;
esac
]]):format(quote(directory)))
    assert(os.execute(("chmod 755 %s/docker-credential-t"):format(quote(directory))))
  end)
  after_each(helper.clean)

  local function run(script)
    local words = { "PATH=" .. quote(directory) .. ":$PATH", quote(process.oras_lua), "-e", quote(([[
      local oras = require "oras"
      local host, path = %q, %q
      local registry = oras.Registry:new { config_path = path }
      %s]]):format(host, path, script)) }
    local status, out, err = process.shell(table.concat(words, " "))
    assert.same({ 0, "" }, { status, err })
    return out
  end

  it("keeps nothing in the file, and takes what was there out of it", function()
    for _, text in ipairs {
      '{"credsStore":"t"}', ('{"credHelpers":{"%s":"t"}}'):format(host),
      ('{"auths":{"%s":{"auth":"eDp5","email":"e"}},"credsStore":"t"}'):format(host),
    } do
      helper.write(path, text)
      run [[registry:login { hostname = host, username = "alice", password = "wonder:land" }]]
      assert.equal((text:gsub('"auth":"eDp5",', "")), helper.read(path))
      assert.same({ ServerURL = host, Username = "alice", Secret = "wonder:land" },
        oras.json.decode(helper.read(directory .. "/kept")))
      assert.equal("200\n", run [[print(registry:do_request("GET", host .. "/v2/").status)]])
      assert.equal(host, helper.read(directory .. "/asked"))
      assert.equal("true\tnil\n", run [[print(registry:logout(host))]])
      assert.is_nil(helper.read(directory .. "/kept"))
      assert.equal("nil\tnil\n", run [[print(registry:logout(host))]])
    end
  end)

  it("is asked about before it keeps anything", function()
    helper.write(path, '{"credsStore":"t"}')
    local out = run [[
      local _, err = oras.try(registry.login, registry, { hostname = host, username = "alice", password = "no" })
      print(err.class)]]
    assert.equal("auth\n", out)
    assert.is_nil(helper.read(directory .. "/kept"))
  end)

  it("goes on in the file's own entries where the helper has nothing", function()
    helper.write(path, ('{"auths":{"%s":{"auth":"%s"}},"credsStore":"t"}'):format(host, AUTH))
    assert.equal("200\n", run [[print(registry:do_request("GET", host .. "/v2/").status)]])
  end)
end)
