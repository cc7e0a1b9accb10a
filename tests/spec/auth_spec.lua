local oras = require "oras"
local scopes = require "oras.auth.scopes"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local function ref(repo, listener)
  return faults.host(listener or "http") .. "/" .. repo .. ":1"
end

local function seed(repo)
  return faults.seed { repo = repo, tag = "1", layers = { { data = "a" }, { data = "b" } } }
end

local function alice(opts)
  local registry = helper.registry(opts)
  registry:set_basic_auth("alice", "wonder:land")
  return registry
end

local function tokens(filter)
  filter = filter or {}
  filter.path = "/token"
  return faults.log(filter)
end

describe("authentication", function()
  before_each(faults.reset)

  it("N28 fetches a token once for several requests of one repository", function()
    local a = seed "bearer/app"
    local registry = alice()
    registry:get_manifest(ref "bearer/app")
    registry:get_blob(ref "bearer/app", a.layers[1])
    registry:get_blob(ref "bearer/app", a.layers[2])

    assert.equal(1, #tokens())
    local all = faults.log { path = "/v2/bearer/*" }
    assert.equal(4, #all)
    assert.is_nil(faults.header(all[1], "authorization"))
    assert.matches("^Bearer %S+$", faults.header(all[2], "authorization"))
    assert.matches("^Basic ", faults.header(tokens()[1], "authorization"))
    assert.matches("scope=repository:bearer/app:pull", tokens()[1].target)
    assert.matches("service=", tokens()[1].target)
  end)

  it("asks for the next repository's token at once", function()
    seed "bearer/one"
    seed "bearer/two"
    local registry = alice()
    registry:get_manifest(ref "bearer/one")
    registry:get_manifest(ref "bearer/two")
    assert.equal(2, #tokens())
    assert.equal(1, #faults.log { path = "/v2/bearer/two/*" })
  end)

  it("fetches one token for many tasks on a cold registry", function()
    local a = seed "bearer/app"
    local registry = alice()
    local list = {}
    for i = 1, 50 do
      list[i] = i
    end
    oras.map(list, function()
      return registry:get_blob(ref "bearer/app", a.layers[1]).content
    end, { concurrency = 50 })
    assert.equal(1, #tokens())
  end)

  it("gets an anonymous token where there are no credentials", function()
    seed "public/app"
    helper.registry():get_manifest(ref "public/app")
    assert.equal(1, #tokens())
    assert.is_nil(faults.header(tokens()[1], "authorization"))
  end)

  it("answers Basic and then sends it at once", function()
    local a = seed "basic/app"
    local registry = alice()
    registry:get_manifest(ref "basic/app")
    registry:get_blob(ref "basic/app", a.layers[1])
    assert.equal(3, #faults.log { path = "/v2/basic/*" })
  end)

  it("refuses wrong and missing credentials, naming the registry", function()
    seed "basic/app"
    seed "bearer/app"
    for _, repo in ipairs { "basic/app", "bearer/app" } do
      local registry = helper.registry()
      local err = helper.fails(registry, "get_manifest", ref(repo))
      assert.equal("auth", err.class)
      assert.equal(401, err.status)
      assert.matches(faults.host "http", err.message, 1, true)

      registry:set_basic_auth("alice", "wrong-secret")
      err = helper.fails(registry, "get_manifest", ref(repo))
      assert.equal("auth", err.class)
      assert.is_nil(tostring(err):find("wrong-secret", 1, true))
      registry:set_basic_auth("alice", "wonder:land")
      registry:get_manifest(ref(repo))
    end
  end)

  it("leaves no file of a download that it refuses", function()
    local a = seed "basic/app"
    seed "bearer/app"
    for _, repo in ipairs { "basic/app", "bearer/app" } do
      local directory = helper.directory()
      local registry = helper.registry()
      helper.fails(registry, "download_blob", ref(repo), a.layers[1], directory .. "/file")
      assert.equal("", helper.list(directory))
      registry:set_basic_auth("alice", "wrong")
      helper.fails(registry, "download_blob", ref(repo), a.layers[1], directory .. "/file")
      assert.equal("", helper.list(directory))
    end
    helper.clean()
  end)

  it("sends a wrong password once", function()
    seed "basic/app"
    local registry = helper.registry()
    registry:set_basic_auth("alice", "wrong")
    helper.fails(registry, "get_manifest", ref "basic/app")
    assert.equal(2, #faults.log { path = "/v2/basic/*" })
  end)

  it("uses a token that was given as it is", function()
    seed "bearer/app"
    local registry = helper.registry()
    registry:set_token_auth(faults.token { user = "alice", scope = "repository:bearer/app:pull" })
    registry:get_manifest(ref "bearer/app")
    assert.equal(0, #tokens())

    registry:set_token_auth("stale")
    assert.equal("auth", helper.fails(registry, "get_manifest", ref "bearer/app").class)
    assert.equal("usage", helper.fails(registry, "set_token_auth", "").class)
  end)

  it("prefers what get_credentials of a subclass gives", function()
    seed "bearer/app"
    local Mine = oras.Registry:extend "Mine"
    local asked
    function Mine.get_credentials(_, hostname, repository)
      asked = { hostname, repository }
      return { username = "bob", password = "builder" }
    end
    Mine:new():get_manifest(ref "bearer/app")
    assert.same({ faults.host "http", "bearer/app" }, asked)
    assert.matches("account=bob", tokens()[1].target)
    function Mine.get_credentials()
      return { user = "bob" }
    end
    assert.equal("usage", helper.fails(Mine:new(), "get_manifest", ref "bearer/app").class)
  end)

  it("exchanges an identity token by POST, to the realm only", function()
    seed "bearer/app"
    local registry = helper.registry()
    function registry.get_credentials()
      return { identity_token = "identity+secret" }
    end
    faults.on {
      path = "/token", method = "POST", status = 200,
      json = { access_token = faults.token { user = "alice", scope = "repository:bearer/app:pull" } },
    }
    registry:get_manifest(ref "bearer/app")
    local body = tokens()[1].body
    assert.matches("grant_type=refresh_token", body)
    assert.matches("refresh_token=identity%%2Bsecret", body)
    assert.matches("client_id=oras%-lua", body)
    assert.is_false(faults.saw(faults.log { path = "/v2/*" }, "secret"))
  end)

  it("keeps the backend that was chosen", function()
    seed "basic/app"
    seed "bearer/app"
    assert.equal("auth", helper.fails(alice { auth_backend = "token" }, "get_manifest", ref "basic/app").class)
    assert.equal("auth", helper.fails(alice { auth_backend = "basic" }, "get_manifest", ref "bearer/app").class)
    assert.equal("auth", helper.fails(alice { auth_backend = "anonymous" }, "get_manifest", ref "bearer/app").class)
    assert.is_false(faults.saw(faults.log {}, "d29uZGVy"))
  end)

  it("takes a scheme of one's own", function()
    seed "bearer/app"
    local core = require "oras.core"
    local answers = 0
    local scheme = {}
    function scheme.prepare() end
    function scheme.answer(_, _, request)
      answers = answers + 1
      local token = faults.token { user = "alice", scope = "repository:bearer/app:pull" }
      request.secret = core.auth.bearer(request.origin, token)
      return true
    end
    helper.registry({ auth_backend = scheme }):get_manifest(ref "bearer/app")
    assert.equal(1, answers)
  end)

  it("N29 stops after two rounds", function()
    seed "loop/app"
    faults.on {
      path = "/v2/loop/*", always = true,
      challenge = ('Bearer realm="%s/token",service="s",scope="repository:loop/app:pull"'):format(faults.url "http"),
    }
    local err = helper.fails(alice(), "get_manifest", ref "loop/app")
    assert.equal("auth", err.class)
    assert.is_true(#tokens() <= 2)
    assert.is_true(#faults.log { path = "/v2/loop/*" } <= 3)
  end)

  it("N29 stops too when every challenge is another", function()
    seed "loop/app"
    for i = 1, 10 do
      local challenge = 'Bearer realm="%s/token",service="s",scope="repository:loop/app%d:pull"'
      faults.on { path = "/v2/loop/*", challenge = challenge:format(faults.url "http", i) }
    end
    assert.equal("auth", helper.fails(alice(), "get_manifest", ref "loop/app").class)
    assert.equal(2, #tokens())
  end)

  it("N30 chooses Bearer before Basic, and passes over what it does not know", function()
    seed "n30/app"
    local bearer = ('bearer Realm="%s/token",service="s"'):format(faults.url "http")
    for _, challenge in ipairs {
      { 'Basic realm="x"', bearer }, { "Negotiate abc==, " .. bearer }, { bearer, bearer },
      { ', , Digest a="b,c" ,' .. bearer, 'BASIC realm="y"' },
    } do
      faults.reset { content = false }
      faults.on { path = "/v2/n30/*", challenge = challenge }
      alice():get_manifest(ref "n30/app")
      assert.equal(1, #tokens())
    end
  end)

  it("N30 gives up where no challenge can be answered", function()
    for _, challenge in ipairs {
      { "Negotiate" }, { "" }, { "===" }, { "Bearer" }, { 'Bearer realm=""' }, { "Bearer realm=" },
      { ("x"):rep(65000) },
    } do
      faults.reset()
      faults.on { path = "/v2/n30/*", challenge = challenge, always = true }
      local err = helper.fails(alice(), "get_manifest", ref "n30/app")
      assert.equal("auth", err.class, challenge[1]:sub(1, 20))
      assert.is_false(faults.saw(faults.log {}, "d29uZGVy"))
    end
    faults.reset()
    faults.on { path = "/v2/n30/*", status = 401, always = true }
    assert.equal("auth", helper.fails(alice(), "get_manifest", ref "n30/app").class)
  end)

  it("N30 gives up where the challenge is too long to be answered", function()
    for _, name in ipairs { "scope", "service", "realm" } do
      faults.reset()
      local realm = name == "realm" and "/token?" .. ("x"):rep(60000) or "/token"
      local challenge = ('Bearer realm="%s%s"'):format(faults.url "http", realm)
      if name ~= "realm" then
        challenge = ('%s,%s="%s"'):format(challenge, name, ("x"):rep(60000))
      end
      faults.on { path = "/v2/n30/*", challenge = { challenge }, always = true }
      local err = helper.fails(alice(), "get_manifest", ref "n30/app")
      assert.equal("auth", err.class, name .. ": " .. err.message)
      assert.is_true(#err.message < 1000)
    end
  end)

  it("N31 refuses broken answers of the token server", function()
    seed "bearer/app"
    local cases = {
      { body = "no json" }, { body = "" }, { json = { other = 1 } }, { json = { token = "a\r\nX: y" } },
      { json = { token = "" } }, { json = { token = 5 } }, { body = '{"token":"a","expires_in":1e999}' },
      { body = "[]" }, { body = "{", endless = "body" },
      { status = 404 }, { status = 401 }, { status = 403 },
    }
    for _, rule in ipairs(cases) do
      faults.reset { content = false }
      rule.path, rule.always, rule.status = "/token", true, rule.status or 200
      faults.on(rule)
      local err = helper.fails(alice { retry = { tries = 1 } }, "get_manifest", ref "bearer/app")
      local good = { auth = true, content = true, limit = true, not_found = true, denied = true }
      assert.is_true(good[err.class], err.class)
      assert.is_false(faults.saw(faults.log { path = "/v2/*" }, "X: y"))
    end
  end)

  it("N31 N33 uses a token whose life is odd, or not said", function()
    seed "bearer/app"
    for _, life in ipairs { "0", "-1", "null", '"x"', "1e300" } do
      faults.reset { content = false }
      local token = faults.token { user = "alice", scope = "repository:bearer/app:pull" }
      faults.on {
        path = "/token", status = 200, always = true,
        body = ('{"token":"%s","expires_in":%s,"issued_at":"2099-01-01T00:00:00Z"}'):format(token, life),
      }
      local registry = alice()
      registry:get_manifest(ref "bearer/app")
      registry:get_manifest(ref "bearer/app")
      assert.equal(1, #tokens(), life)
    end
  end)

  it("N32 fetches another token when the one it has is refused", function()
    local a = seed "bearer/app"
    local registry = alice()
    registry:get_manifest(ref "bearer/app")
    faults.expire()
    assert.equal("a", registry:get_blob(ref "bearer/app", a.layers[1]).content)
    assert.equal(2, #tokens())
  end)

  it("N32 refreshes a token before it ends", function()
    seed "bearer/app"
    local registry = alice()
    registry:get_manifest(ref "bearer/app")
    local endpoint = registry._endpoints[faults.host "http"]
    for _, entry in pairs(endpoint.auth.tokens) do
      entry.fresh_until = 0
    end
    registry:get_manifest(ref "bearer/app")
    assert.equal(2, #tokens())
    assert.equal(3, #faults.log { path = "/v2/bearer/*" })
  end)

  it("N34 says what was denied, once", function()
    seed "bearer/app"
    faults.on { path = "/v2/bearer/*", status = 403, has = { authorization = "Bearer" },
      json = { errors = { { code = "DENIED", message = "not yours" } } }, always = true }
    local err = helper.fails(alice(), "get_manifest", ref "bearer/app")
    assert.equal("denied", err.class)
    assert.equal("DENIED", err.code)
    assert.matches("not yours", err.message)
    assert.matches("scope repository:bearer/app:pull", err.message, 1, true)
    assert.equal(2, #faults.log { path = "/v2/bearer/*" })
  end)

  it("N34 keeps secrets that a server says back out of messages and warnings", function()
    seed "basic/app"
    seed "bearer/app"
    local basic = "YWxpY2U6d29uZGVyOmxhbmQ="
    local words = "you sent Basic " .. basic .. ", wonder:land, wonder%3Aland and d29uZGVyOmxhbmQ"
    local function says(path, status)
      faults.on {
        path = path, always = true, status = status, has = { authorization = "Basic" },
        json = { errors = { { code = "DENIED", message = words } } },
      }
    end
    local function check(text)
      for _, secret in ipairs { basic, "wonder:land", "wonder%3Aland", "d29uZGVyOmxhbmQ" } do
        assert.is_nil(text:find(secret, 1, true), text)
      end
      assert.matches("you sent .*%*%*%*", text)
    end
    says("/v2/basic/*", 403)
    check(helper.fails(alice(), "get_manifest", ref "basic/app").message)
    says("/token", 401)
    check(helper.fails(alice(), "get_manifest", ref "bearer/app").message)
    faults.reset { content = false }
    faults.on { path = "/token", always = true, status = 401, json = { details = "you sent hunter%2Didentity" } }
    local registry = helper.registry()
    function registry.get_credentials()
      return { identity_token = "hunter-identity" }
    end
    local message = helper.fails(registry, "get_manifest", ref "bearer/app").message
    assert.matches("you sent ***", message, 1, true)
    faults.reset { content = false }
    registry = helper.registry()
    registry:set_token_auth "hunter-token"
    faults.on { path = "/v2/basic/*", always = true, status = 403,
      json = { errors = { { code = "DENIED", message = "you sent Bearer hunter-token" } } },
      has = { authorization = "Bearer" } }
    faults.on { path = "/v2/basic/*", always = true, challenge = { 'Bearer realm="https://h.invalid/"' } }
    message = helper.fails(registry, "get_manifest", ref "basic/app").message
    assert.matches("you sent *** (scope", message, 1, true)
    faults.reset { content = false }
    registry = helper.registry()
    local warnings = {}
    registry:on("warning", function(text)
      warnings[#warnings + 1] = text
    end)
    registry:set_header("X-Key", "hunter-key")
    faults.on {
      path = "/v2/x", always = true, status = 200,
      headers = { Warning = '299 - "you sent hunter-key"' },
    }
    registry:do_request("GET", faults.host "http" .. "/v2/x")
    check(warnings[1])
    assert.is_nil(warnings[1]:find("hunter", 1, true))
  end)

  it("N34 keeps passwords, tokens and headers out of what an object shows", function()
    local function show(value, seen)
      if type(value) ~= "table" or seen[value] then
        return tostring(value)
      end
      seen[value] = true
      local parts = { tostring(value) }
      for key, item in next, value do
        parts[#parts + 1] = show(key, seen) .. "=" .. show(item, seen)
      end
      return table.concat(parts, " ")
    end
    seed "bearer/app"
    local registry = helper.registry {
      headers = { ["X-Secret"] = "hunter-head" }, proxy = "http://u:hunter-proxy@127.0.0.1:9",
    }
    registry:set_token_auth "hunter-token"
    assert.not_matches("hunter", show(registry, {}))
    registry = helper.registry { headers = { ["X-Secret"] = "hunter-head" } }
    registry:set_basic_auth("alice", "wonder:land")
    registry:get_manifest(ref "bearer/app")
    assert.not_matches("hunter", show(registry, {}))
    assert.not_matches("wonder", show(registry, {}))
    assert.equal("wonder:land", registry:get_credentials(faults.host "http").password)
    local Mirror = oras.Registry:extend "Mirror"
    local err = select(2, oras.try(oras.json.encode, { a = Mirror:new() }))
    assert.equal("usage", err.class)
    assert.matches("'a'.*Mirror", err.message)
  end)

  it("never sends credentials of one registry to another", function()
    seed "basic/app"
    seed "bearer/app"
    local registry = alice()
    registry:get_manifest(ref "basic/app")
    helper.fails(registry, "get_manifest", ref("basic/app", "cdn"))
    helper.fails(registry, "get_manifest", ref("bearer/app", "cdn"))
    assert.is_false(faults.saw(faults.log { listener = "cdn" }, "d29uZGVy"))
    assert.is_false(faults.saw(faults.log { listener = "cdn" }, "alice"))

    local bound = helper.registry { hostname = faults.host "http" }
    bound:set_basic_auth("alice", "wonder:land")
    helper.fails(bound, "get_manifest", ref("basic/app", "cdn"))
    bound:get_manifest(ref "basic/app")
    assert.is_false(faults.saw(faults.log { listener = "cdn" }, "alice"))
  end)

  it("shares no token between two objects", function()
    seed "bearer/app"
    alice():get_manifest(ref "bearer/app")
    assert.equal("auth", helper.fails(helper.registry(), "get_manifest", ref "bearer/app").class)
  end)
end)

describe("scopes", function()
  it("have one spelling", function()
    assert.equal("repository:a/b:pull,push", scopes.merge("repository:a/b:push,pull"))
    assert.equal("repository:a:pull,push repository:b:pull",
      scopes.merge("repository:b:pull repository:a:push", "repository:a:pull"))
    assert.equal("repository:a:*", scopes.merge("repository:a:pull,*"))
    assert.equal("repository:localhost:5000/a:pull", scopes.merge("repository:localhost:5000/a:pull"))
    assert.equal("aws registry:catalog:*", scopes.merge("registry:catalog:*", "aws aws"))
    assert.equal("", scopes.merge("", ""))
  end)
end)
