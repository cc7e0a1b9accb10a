--- No secret is in any output, at the debug level, whatever goes well or wrong; nor in a file that
--- is left behind.
local core = require "oras.core"
local oras = require "oras"

local canary = require "tests.e2e.canary"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local quote = process.quote

-- Each has characters that base64, URLs and JSON write in another way.
local PASSWORD <const> = "wonder:land" -- alice's
local WRONG <const> = 'c4nary"wrong\\p%ss/w+rd<ü>'
local IDENTITY <const> = "c4nary/identity+t%ken=="
local REFRESHED <const> = "c4nary.refreshed-t0ken_"
local GIVEN <const> = "c4nary/given+t0ken~%41=="
local HEADER <const> = 'c4nary-header"v%lue/+'
local HELPED <const> = 'c4nary"helper\\s%cret/+'
local SIGNED <const> = "c4narysignature/+x=="
local PROXY <const> = "c4nary-proxy-p4ss"
local AWS <const> = "c4naryAWS/secret+key"
local ECR <const> = 'c4nary"ecr/p%ss+'

local SECRETS <const> = { PASSWORD, WRONG, IDENTITY, REFRESHED, GIVEN, HEADER, HELPED, SIGNED, PROXY, AWS, ECR }

local directory, host, seen

-- All that was said, and what the server was sent that may not be said.
local function check()
  local secrets = table.move(SECRETS, 1, #SECRETS, 1, {})
  for _, entry in ipairs(faults.log {}) do
    for _, field in ipairs(entry.headers) do
      if field[1]:lower():find "authorization" then
        secrets[#secrets + 1] = field[2]:match "^%S+%s+(.*)$"
      end
    end
  end
  assert.is_nil(canary.find(seen, secrets))
  assert.is_nil(seen:find "eyJ[%w_-]+%.[%w_-]+%.", "a token is shown")
  assert.equal("", helper.list(directory .. "/tmp"))
  local files = process.sh("cd %s && find . -type f ! -path './kept/*' -exec cat {} +", directory .. "/files")
  assert.is_nil(canary.find(files, secrets))
end

-- Run oras-lua in the work directory; what it says is kept. Gives its status and output.
local function run(variables, words, input)
  local command = ("printf %%s %s | env TMPDIR=%s HOME=%s %s %s"):format(quote(input or ""), quote(directory .. "/tmp"),
    quote(directory .. "/home"), variables, quote(process.oras_lua))
  for _, word in ipairs(words) do
    command = command .. " " .. quote(word)
  end
  local status, out, err = process.shell(("cd %s && %s"):format(quote(directory .. "/files"), command))
  seen = seen .. out .. err
  return status, out .. err
end

-- Run a command with --debug; it ends with that status, and says so much at least.
local function debug(status, ...)
  local got, text = run("", { ... })
  assert.equal(status, got, text)
  assert.is_true(#text > 0)
  return text
end

local function script(status, text, variables)
  local path = helper.write(directory .. "/script.lua", text)
  local got, said = run(variables or "", { "--debug", path, host })
  assert.equal(status, got, said)
  return said
end

local function write_config(document)
  return helper.write(directory .. "/config.json",
    type(document) == "string" and document or oras.json.encode(document))
end

local function basic(user, password)
  return { auth = core.base64.encode(user .. ":" .. password) }
end

before_each(function()
  faults.reset()
  seen = ""
  directory = helper.directory()
  host = faults.host "http"
  process.sh("mkdir -p %s/tmp %s/home %s/files/kept", directory, directory, directory)
  helper.write(directory .. "/files/file.txt", "content\n")
end)
after_each(helper.clean)

describe("the scan for secrets", function()
  it("finds each in every form", function()
    for _, secret in ipairs(SECRETS) do
      local json = core.json.encode { x = secret }
      local url = core.url.append_query("https://h/", "x", secret)
      for _, text in ipairs { secret, json, url, core.base64.encode("alice:" .. secret), core.base64.encode(secret),
        core.base64.encode("a:" .. secret .. "x"), core.base64.encode(":" .. secret) } do
        assert.truthy(canary.find("before " .. text .. " behind", { secret }), text)
      end
      assert.is_nil(canary.find("before behind", { secret }))
    end
  end)
end)

describe("a secret is not shown", function()
  after_each(check)

  for _, protection in ipairs { "basic", "bearer" } do
    it("by commands that go well: " .. protection, function()
      faults.config { auth = { { mode = protection } } }
      local config = directory .. "/config.json"
      local ref = host .. "/canary/app:1"
      local status = run("", {
        "login", host, "-u", "alice", "--password-stdin", "--debug", "--registry-config", config,
      }, PASSWORD)
      assert.equal(0, status)
      local known = { "--debug", "--registry-config", config, "-H", "X-Canary: " .. HEADER }
      local function with(...)
        return table.unpack(table.move(known, 1, #known, select("#", ...) + 1, { ... }))
      end
      debug(0, with("push", ref, "file.txt:text/plain"))
      debug(0, with("attach", ref, "file.txt:text/plain", "--artifact-type", "application/vnd.x"))
      debug(0, with("pull", ref, "-o", "out"))
      debug(0, with("discover", ref))
      debug(0, with("tags", host .. "/canary/app"))
      debug(0, "copy", ref, "oci:layout:1", "--debug", "--from-registry-config", config, "--from-header",
        "X-Canary: " .. HEADER)
      debug(0, with("manifest", "fetch", ref))
      debug(0, "push", host .. "/canary/app:2", "file.txt:text/plain", "-u", "alice", "-p", PASSWORD, "--debug")
      debug(0, with("logout", host))
    end)

    it("by a login that is refused: " .. protection, function()
      faults.config { auth = { { mode = protection } } }
      for _, words in ipairs { { "-u", "alice", "--password", WRONG }, { "--identity-token", IDENTITY } } do
        debug(1, "login", host, "--debug", table.unpack(words))
        debug(1, "push", host .. "/canary/app:1", "file.txt", "--debug", "--no-tty", table.unpack(words))
      end
      assert.is_nil(helper.read(directory .. "/home/.docker/config.json"))
    end)
  end

  it("by the exchange of tokens, nor by a token that the registry refuses", function()
    faults.config { auth = { { mode = "bearer" } } }
    local answer = { access_token = REFRESHED, refresh_token = IDENTITY, expires_in = 60 }
    faults.on { method = "POST", path = "/token", status = 200, json = answer, always = true }
    write_config { auths = { [host] = { identitytoken = IDENTITY } } }
    debug(1, "pull", host .. "/canary/app:1", "--debug", "--registry-config", directory .. "/config.json")
    assert.is_true(faults.saw(faults.log {}, REFRESHED))
    write_config { auths = { [host] = { registrytoken = GIVEN } } }
    debug(1, "pull", host .. "/canary/app:1", "--debug", "--registry-config", directory .. "/config.json")
    assert.is_true(faults.saw(faults.log {}, GIVEN))
  end)

  it("by servers that say again what they were sent", function()
    faults.config { auth = { { mode = "basic" } } }
    local encoded = core.base64.encode("alice:" .. PASSWORD)
    local echo = { errors = { { code = "DENIED", message = "no: Basic " .. encoded, detail = PASSWORD } } }
    faults.on { path = "/v2/echo/*", has = { authorization = "." }, status = 403, json = echo, always = true,
      set = { Warning = ('299 - "you sent %s, alice:%s"'):format(encoded, PASSWORD) } }
    debug(1, "pull", host .. "/echo/app:1", "-u", "alice", "-p", PASSWORD, "--debug")
    assert.is_true(faults.saw(faults.log {}, encoded))
  end)

  it("by signed addresses", function()
    local a = faults.seed { repo = "signed/app", tag = "1", layers = { { data = "x", title = "x.txt" } } }
    local url = core.url.append_query(faults.url "cdn" .. "/v2/signed/app/blobs/" .. a.layers[1].digest, "sig", SIGNED)
    faults.on { listener = "http", path = "/v2/signed/app/blobs/*", redirect = url, always = true }
    debug(0, "pull", host .. "/signed/app:1", "-o", "out", "--debug")
    faults.on { listener = "cdn", path = "*", status = 403, body = "Signature " .. SIGNED, always = true }
    debug(1, "pull", host .. "/signed/app:1", "-o", "out2", "--debug")
    assert.is_true(faults.saw(faults.log { listener = "cdn" }, "sig="))
  end)

  it("by files that are broken", function()
    local encoded = core.base64.encode("alice" .. WRONG)
    for _, document in ipairs {
      { auths = { [host] = { auth = encoded } } }, { auths = { [host] = WRONG } },
      { auths = { [host] = { identitytoken = IDENTITY .. "\n" } } },
      '{"auths":{"' .. host .. '":{"auth":"' .. encoded .. '"}', IDENTITY, WRONG,
      { credHelpers = { [host] = "../" .. IDENTITY } },
    } do
      faults.config { auth = { { mode = "basic" } } }
      local config = write_config(document)
      local status = run("", { "pull", host .. "/a:1", "--debug", "--registry-config", config })
      assert.equal(1, status)
      if type(document) == "string" then
        run("DOCKER_AUTH_CONFIG=" .. quote(document), { "pull", host .. "/a:1", "--debug" })
      end
    end
    seen = seen:gsub("[^\n]*%.%./c4nary[^\n]*", "") -- the name of a helper is none
  end)

  it("by helpers, whatever they do", function()
    faults.config { auth = { { mode = "basic" } } }
    write_config { credsStore = "canary" }
    local secret = helper.write(directory .. "/secret", oras.json.encode { Username = "alice", Secret = HELPED })
    local good = helper.write(directory .. "/good", oras.json.encode { Username = "alice", Secret = PASSWORD })
    for _, case in ipairs {
      { 0, "cat " .. quote(good) }, { 1, "cat " .. quote(secret) }, { 1, ("cat %s; exit 1"):format(quote(secret)) },
      { 1, ("cat %s >&2; exit 1"):format(quote(secret)) }, { 1, ("cat %s %s"):format(quote(secret), quote(secret)) },
      { 1, "kill -9 $$" },
    } do
      helper.write(directory .. "/docker-credential-canary", "#!/bin/sh\ncat >/dev/null\n" .. case[2] .. "\n")
      process.sh("chmod 755 %s", directory .. "/docker-credential-canary")
      local status, text = run(("PATH=%s:$PATH"):format(quote(directory)),
        { "push", host .. "/a:1", "file.txt", "--debug", "--registry-config", directory .. "/config.json" })
      assert.equal(case[1], status, text)
    end
    helper.write(directory .. "/docker-credential-canary", "#!/bin/sh\ncat; cat >&2; exit 1\n")
    local status = run(("PATH=%s:$PATH"):format(quote(directory)), { "login", host, "-u", "alice", "--password-stdin",
      "--debug", "--registry-config", directory .. "/config.json" }, PASSWORD)
    assert.equal(1, status)
  end)

  it("by a proxy that asks for a password, or is not there", function()
    faults.seed { repo = "proxied/app", tag = "1", layers = { { data = "x", title = "x.txt" } } }
    for _, at in ipairs { faults.host "proxy_auth", "127.0.0.1:1" } do
      script(0, ([[
        local oras = require "oras"
        local registry = oras.Registry:new { proxy = "http://proxyuser:%s@%s", retry = { tries = 1 } }
        local ok, err = oras.try(registry.get_manifest, registry, arg[1] .. "/proxied/app:1")
        print(ok, err, registry, pcall(oras.json.encode, registry))
        if err then for key, value in pairs(err) do print(key, value) end end
      ]]):format(PROXY, at))
    end
  end)

  it("by objects, errors and tracebacks", function()
    faults.config { auth = { { mode = "bearer" } } }
    write_config { auths = { [host] = basic("alice", WRONG) } }
    local text = script(1, ([[
      local oras = require "oras"
      local registry = oras.Registry:new { config_path = %q, headers = { ["X-Canary"] = %q } }
      registry:on("request", function(request) print(tostring(request.secret)) end)
      registry:on("retry", function(event) print(event.error) end)
      local function show(value, seen)
        if type(value) == "table" and not seen[value] then
          seen[value] = true
          for key, inner in pairs(value) do show(key, seen) show(inner, seen) end
        else
          print(tostring(value))
        end
      end
      local value, err = oras.try(registry.get_manifest, registry, arg[1] .. "/a:1")
      show(err, {})
      registry:set_basic_auth("alice", %q)
      show(registry, {})
      registry:get_tags(arg[1] .. "/none")
      show(registry, {})
      registry:set_token_auth(%q)
      show(registry, {})
      registry:get_tags(arg[1] .. "/none")
    ]]):format(directory .. "/config.json", HEADER, WRONG, GIVEN))
    assert.matches("traceback", text)
  end)

  it("by ECR and its keys", function()
    local token = core.base64.encode("AWS:" .. ECR)
    local answer = { authorizationData = { { authorizationToken = token, expiresAt = 4e9 } } }
    faults.config { auth = { { mode = "basic" } } }
    faults.on { method = "POST", path = "/", status = 200, json = answer }
    faults.on { method = "POST", path = "/", status = 403, body = AWS, always = true }
    local variables = ("AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=%s AWS_SESSION_TOKEN=%s "
      .. "AWS_REGION=eu-west-1 AWS_ENDPOINT_URL_ECR=%s"):format(quote(AWS), quote(AWS), faults.url "http")
    for _ = 1, 2 do
      script(0, [[
        local oras = require "oras"
        local registry = oras.Registry:new { auth_backend = "ecr", hostname = arg[1] }
        local _, err = oras.try(registry.get_manifest, registry, arg[1] .. "/a:1")
        for key, value in pairs(err) do print(key, value) end
      ]], variables)
    end
    assert.equal(2, #faults.log { method = "POST", path = "/" })
  end)
end)
