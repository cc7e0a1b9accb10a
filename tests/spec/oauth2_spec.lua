local oras = require "oras"
local auth = require "oras.auth"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local function ref(repo, listener)
  return faults.host(listener) .. "/" .. repo .. ":1"
end

local function seed(repo)
  return faults.seed { repo = repo, tag = "1", layers = { { data = "a" } } }
end

local function with_password(opts)
  local registry = helper.registry(opts)
  registry:set_basic_auth("alice", "wonder:land")
  return registry
end

local function with_identity(token, opts)
  local registry = helper.registry(opts)
  registry.get_credentials = function()
    return { identity_token = token }
  end
  return registry
end

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- The fields of a form, each of which stands in it once.
local function fields(entry)
  local found = {}
  for name, value in entry.body:gmatch "([^&=]+)=([^&]*)" do
    assert(not found[name], name .. " stands in the form twice")
    found[name] = unescape(value)
  end
  return found
end

local function tokens(method)
  return faults.log { path = "/token", method = method, listener = "http" }
end

-- An identity token of alice's, as a token server gives it to who asks for offline access; by another
-- listener than that of the tests.
local function identity_token()
  local answer = helper.registry():do_request("POST", faults.url "token" .. "/token", {
    auth = false,
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
    body = "grant_type=password&username=alice&password=wonder%3Aland&access_type=offline&client_id=test",
  })
  return oras.json.decode(answer.content).refresh_token
end

describe("OAuth2", function()
  before_each(function()
    faults.reset()
  end)

  it("changes an identity token for an access token, at the realm only", function()
    seed "bearer/app"
    local identity = identity_token()
    with_identity(identity):get_manifest(ref "bearer/app")

    local posts = tokens "POST"
    assert.equal(1, #posts)
    assert.equal("application/x-www-form-urlencoded", faults.header(posts[1], "content-type"))
    assert.is_nil(faults.header(posts[1], "authorization"))
    assert.same({
      grant_type = "refresh_token", refresh_token = identity, service = "oras-test", client_id = "oras-lua",
      scope = "repository:bearer/app:pull",
    }, fields(posts[1]))
    assert.equal(0, #tokens "GET")
    for _, entry in ipairs(faults.log {}) do
      if entry.path ~= "/token" then
        assert.is_nil((entry.target .. (faults.header(entry, "authorization") or "")):find(identity, 1, true))
      end
    end
  end)

  it("names a mount's two scopes once, separated by a blank", function()
    local a = seed "bearer/from"
    seed "bearer/to"
    local registry = with_identity(identity_token())
    registry:upload_blob(ref "bearer/to", { data = "a" }, a.layers[1].digest, { mount_from = "bearer/from" })
    local posts = tokens "POST"
    local scope = fields(posts[#posts]).scope
    assert.matches("repository:bearer/from:pull repository:bearer/to:", scope, 1, true)
  end)

  it("takes access_token where there is no token", function()
    seed "bearer/app"
    faults.config { token_fields = { "access_token", "expires_in" } }
    with_identity(identity_token()):get_manifest(ref "bearer/app")
    faults.config { token_fields = { "token" } }
    with_identity(identity_token()):get_manifest(ref "bearer/app")
  end)

  it("goes on with the refresh token that an answer brings", function()
    for i = 1, 3 do
      seed("bearer/app" .. i)
    end
    local identity = identity_token()
    faults.config { rotate_refresh = true }
    local registry = with_identity(identity)
    for i = 1, 3 do
      registry:get_manifest(ref("bearer/app" .. i))
    end
    local seen = {}
    for i, post in ipairs(tokens "POST") do
      assert.equal(200, post.status)
      seen[i] = fields(post).refresh_token
    end
    assert.equal(identity, seen[1])
    assert.equal(3, #seen)
    assert.is_true(seen[1] ~= seen[2] and seen[2] ~= seen[3])
  end)

  it("asks with a refresh token that is good once for one token after the other", function()
    for i = 1, 6 do
      seed("bearer/app" .. i)
    end
    local identity = identity_token()
    faults.config { rotate_refresh = true }
    local registry = with_identity(identity)
    oras.map({ 1, 2, 3, 4, 5, 6 }, function(i)
      return registry:get_manifest(ref("bearer/app" .. i)).digest
    end, { concurrency = 6 })
    local posts = tokens "POST"
    assert.equal(6, #posts)
    for _, post in ipairs(posts) do
      assert.equal(200, post.status)
    end
  end)

  it("keeps the rotated token when a token has expired", function()
    seed "bearer/app"
    local identity = identity_token()
    faults.config { rotate_refresh = true }
    local registry = with_identity(identity)
    registry:get_manifest(ref "bearer/app")
    faults.expire()
    registry:get_manifest(ref "bearer/app")
    local posts = tokens "POST"
    assert.equal(2, #posts)
    assert.is_true(fields(posts[2]).refresh_token ~= identity)
  end)

  it("forgets the rotated one for other credentials", function()
    seed "bearer/app"
    local first, second = identity_token(), identity_token()
    faults.config { rotate_refresh = true }
    local registry = with_identity(first)
    registry:get_manifest(ref "bearer/app")
    registry.get_credentials = function()
      return { identity_token = second }
    end
    faults.expire()
    registry:get_manifest(ref "bearer/app")
    assert.equal(second, fields(tokens("POST")[2]).refresh_token)
  end)

  it("says that an identity token is refused, and does not show it", function()
    seed "bearer/app"
    faults.on { path = "/token", status = 400, json = {
      error = "invalid_grant", error_description = "no grant for hunter2-identity",
    } }
    local err = helper.fails(with_identity "hunter2-identity", "get_manifest", ref "bearer/app")
    assert.equal("auth", err.class)
    assert.matches("refuses the credentials", err.message, 1, true)
    assert.is_nil(tostring(err):find("hunter2", 1, true))
    assert.equal(1, #tokens())
  end)

  it("shows no rotated token that a server says back", function()
    seed "bearer/app"
    seed "bearer/other"
    local good = faults.token { user = "alice", scope = "repository:bearer/app:pull" }
    faults.script {
      { path = "/token", status = 200, json = { token = good, refresh_token = "hunter2-rotated" } },
      { path = "/token", status = 401, json = { details = "hunter2-rotated is no good" } },
    }
    local registry = with_identity "hunter1"
    registry:get_manifest(ref "bearer/app")
    local err = helper.fails(registry, "get_manifest", ref "bearer/other")
    assert.equal("auth", err.class)
    assert.matches("*** is no good", err.message, 1, true)
    assert.equal("hunter2-rotated", fields(tokens("POST")[2]).refresh_token)
  end)

  it("never takes an identity token where a redirect of the realm leads", function()
    seed "bearer/app"
    for _, status in ipairs { 301, 302, 303, 307, 308 } do
      faults.on { path = "/token", status = status, headers = { Location = faults.url "evil" .. "/token" } }
      local registry = with_identity("identity", { upload_origins = { faults.url "evil" } })
      assert.equal("redirect", helper.fails(registry, "get_manifest", ref "bearer/app").class)
    end
    assert.equal(0, #faults.log { listener = "evil" })
  end)

  it("changes a password by POST where the server does not know the GET", function()
    for _, status in ipairs { 404, 405 } do
      faults.reset()
      seed "bearer/app"
      seed "bearer/other"
      faults.config { token_get = status }
      local registry = with_password()
      registry:get_manifest(ref "bearer/app")
      assert.same({
        grant_type = "password", username = "alice", password = "wonder:land", service = "oras-test",
        client_id = "oras-lua", scope = "repository:bearer/app:pull",
      }, fields(tokens("POST")[1]))
      registry:get_manifest(ref "bearer/other")
      assert.equal(1, #tokens "GET")
      assert.equal(2, #tokens "POST")
    end
  end)

  it("tells what the server said where it knows neither", function()
    seed "bearer/app"
    faults.config { token_get = false, token_post = false }
    local err = helper.fails(with_password(), "get_manifest", ref "bearer/app")
    assert.equal(405, err.status)
    assert.equal(1, #tokens "GET")
    assert.equal(1, #tokens "POST")
  end)

  it("does not send a password by POST when the GET refuses it", function()
    seed "bearer/app"
    local registry = helper.registry()
    registry:set_basic_auth("alice", "wrong")
    assert.equal("auth", helper.fails(registry, "get_manifest", ref "bearer/app").class)
    assert.equal(0, #tokens "POST")
  end)

  it("asks for an anonymous token by GET only", function()
    seed "public/app"
    faults.config { token_get = 405 }
    helper.fails(helper.registry(), "get_manifest", ref "public/app")
    assert.equal(0, #tokens "POST")
  end)

  it("changes a password by POST from the start if the scheme says so, and by GET where that is not known", function()
    seed "bearer/app"
    with_password({ auth_backend = auth.new("token", { grant = "password" }) }):get_manifest(ref "bearer/app")
    assert.equal(0, #tokens "GET")
    assert.equal(1, #tokens "POST")

    faults.config { token_post = false }
    with_password({ auth_backend = auth.new("token", { grant = "password" }) }):get_manifest(ref "bearer/app")
    assert.equal(1, #tokens "GET")
  end)

  it("refuses a grant and a backend that it does not know", function()
    for _, arguments in ipairs { { "token", { grant = "implicit" } }, { "kerberos" }, { "token", { grants = "x" } } } do
      local _, err = oras.try(auth.new, table.unpack(arguments))
      assert.equal("usage", err.class)
    end
  end)

  it("lets a scheme of one's own answer the challenge", function()
    seed "bearer/app"
    local asked = {}
    local scheme = {
      prepare = function() end,
      answer = function(_, _, request, response)
        asked[#asked + 1] = response.headers["WWW-Authenticate"]
        local token = faults.token { user = "alice", scope = "repository:bearer/app:pull" }
        request.secret = oras.try(require("oras.core").auth.bearer, request.origin, token)
        return #asked == 1
      end,
    }
    helper.registry({ auth_backend = scheme }):get_manifest(ref "bearer/app")
    assert.equal(1, #asked)
    assert.matches("^Bearer realm=", asked[1])
    assert.equal(0, #tokens())
  end)

  it("follows the challenge of each registry with one object", function()
    seed "bearer/app"
    seed "basic/app"
    local registry = helper.registry()
    registry.get_credentials = function()
      return { username = "alice", password = "wonder:land" }
    end
    for _ = 1, 2 do
      registry:get_manifest(ref("basic/app", "cdn"))
      registry:get_manifest(ref "bearer/app")
    end
    assert.equal(1, #faults.log { path = "/token" })
  end)
end)
