local oras = require "oras"
local core = require "oras.core"
local ecr = require "oras.auth.ecr"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local KEY <const>, SECRET <const> = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
local SESSION_KEY <const>, SESSION_SECRET <const> = "ASIAEXAMPLE", "tempSecret/+KeyForTests0123456789abcdefgh"
local SESSION <const> = "IQoJb3JpZ2luX2VjE//+=session"

local HOST <const> = "012345678901.dkr.ecr.eu-west-1.amazonaws.com"

describe("ECR", function()
  local getenv = os.getenv
  local directory, variables

  before_each(function()
    faults.reset()
    directory = helper.directory()
    variables = { HOME = directory, AWS_ENDPOINT_URL_ECR = faults.url "http" }
    os.getenv = function(name) -- luacheck: ignore
      return variables[name]
    end
  end)

  after_each(function()
    os.getenv = getenv -- luacheck: ignore
    helper.clean()
  end)

  local function with_keys(more)
    variables.AWS_ACCESS_KEY_ID, variables.AWS_SECRET_ACCESS_KEY = KEY, SECRET
    for name, value in pairs(more or {}) do
      variables[name] = value
    end
  end

  -- The fault server under the name of one of Amazon's registries.
  local function amazon(opts)
    faults.config { hosts = {
      [HOST .. ":80"] = faults.host "http",
      ["public.ecr.aws:80"] = faults.host "http",
      ["api.ecr.eu-west-1.amazonaws.com:443"] = faults.host "https",
      ["api.ecr-public.us-east-1.amazonaws.com:443"] = faults.host "https",
      ["evil.example.com:80"] = faults.host "evil",
    } }
    opts = opts or {}
    opts.plain_http, opts.proxy, opts.tls_verify = true, faults.url "proxy", false
    return helper.registry(opts)
  end

  local function seed(repo)
    return faults.seed { repo = repo, tag = "1", layers = { { data = "a" } } }
  end

  local function calls(listener)
    return faults.log { listener = listener, method = "POST", path = "/" }
  end

  local function named(opts)
    opts = opts or {}
    opts.auth_backend, opts.hostname = "ecr", faults.host "http"
    variables.AWS_REGION = variables.AWS_REGION or "eu-central-1"
    return helper.registry(opts)
  end

  it("knows Amazon's registries by their names", function()
    for host, expected in pairs {
      [HOST] = "ecr eu-west-1 api.ecr.eu-west-1.amazonaws.com",
      [HOST .. ":443"] = "ecr eu-west-1 api.ecr.eu-west-1.amazonaws.com",
      ["012345678901.dkr.ecr.cn-north-1.amazonaws.com.cn"] = "ecr cn-north-1 api.ecr.cn-north-1.amazonaws.com.cn",
      ["012345678901.dkr.ecr-fips.us-gov-west-1.amazonaws.com"] =
        "ecr us-gov-west-1 ecr-fips.us-gov-west-1.amazonaws.com",
      ["012345678901.dkr-ecr.us-east-2.on.aws"] = "ecr us-east-2 ecr.us-east-2.api.aws",
      ["012345678901.dkr-ecr-fips.us-east-2.on.aws"] = "ecr us-east-2 ecr-fips.us-east-2.api.aws",
      ["public.ecr.aws"] = "ecr-public us-east-1 api.ecr-public.us-east-1.amazonaws.com",
    } do
      local service = ecr.service(host)
      assert.equal(expected, ("%s %s %s"):format(service.name, service.region, service.host))
    end
    for _, host in ipairs {
      "ghcr.io", "012345678901.dkr.ecr.eu-west-1.amazonaws.com.evil.com", "x.dkr.ecr.eu-west-1.amazonaws.com",
      "012345678901.dkr.ecr.eu-west-1.amazonaws.com:8443", "012345678901.dkr.ecr.a.b.amazonaws.com",
      "012345678901.dkr.ecr.eu-west-1xamazonaws.com", "public.ecr.aws.evil.com", "evilpublic.ecr.aws",
      "evil.com/012345678901.dkr.ecr.eu-west-1.amazonaws.com",
    } do
      assert.is_nil(ecr.service(host), host)
    end
  end)

  it("signs the request for a token as Amazon wants it", function()
    seed "basic/app"
    with_keys()
    named():get_manifest(faults.host "http" .. "/basic/app:1")
    local one = calls()[1]
    assert.equal(200, one.status)
    assert.equal("{}", one.body)
    assert.matches("^AWS4%-HMAC%-SHA256 Credential=AKIDEXAMPLE/%d+/eu%-central%-1/ecr/aws4_request, "
      .. "SignedHeaders=content%-type;host;x%-amz%-date;x%-amz%-target, Signature=%x+$",
      faults.header(one, "authorization"))
    assert.equal("AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", faults.header(one, "x-amz-target"))
    assert.is_nil(faults.header(one, "x-amz-security-token"))
  end)

  it("sends and signs the session token of temporary keys", function()
    seed "basic/app"
    with_keys { AWS_ACCESS_KEY_ID = SESSION_KEY, AWS_SECRET_ACCESS_KEY = SESSION_SECRET, AWS_SESSION_TOKEN = SESSION }
    named():get_manifest(faults.host "http" .. "/basic/app:1")
    local one = calls()[1]
    assert.equal(200, one.status)
    assert.equal(SESSION, faults.header(one, "x-amz-security-token"))
    assert.matches("x%-amz%-security%-token", faults.header(one, "authorization"))
  end)

  it("is refused with a wrong secret, and tells why without it", function()
    seed "basic/app"
    with_keys { AWS_SECRET_ACCESS_KEY = "wrongSecret/abcdefghijklmnopqrst" }
    local err = helper.fails(named(), "get_manifest", faults.host "http" .. "/basic/app:1")
    assert.equal("auth", err.class)
    assert.equal(400, err.status)
    assert.matches("InvalidSignatureException: The request signature we calculated", err.message, 1, true)
    assert.is_nil(tostring(err):find("wrongSecret", 1, true))
    assert.equal(1, #calls())
  end)

  it("shows neither the secret nor the session token that the server says back", function()
    seed "basic/app"
    with_keys { AWS_ACCESS_KEY_ID = SESSION_KEY, AWS_SECRET_ACCESS_KEY = SESSION_SECRET, AWS_SESSION_TOKEN = SESSION }
    faults.on { method = "POST", path = "/", status = 400, json = {
      __type = "com.amazon.coral#AccessDeniedException", message = "key " .. SESSION_SECRET .. " token " .. SESSION,
    } }
    local err = helper.fails(named(), "get_manifest", faults.host "http" .. "/basic/app:1")
    assert.matches("AccessDeniedException: key *** token ***", err.message, 1, true)
    assert.is_nil(err.message:find("coral", 1, true))
  end)

  it("keeps the password until it expires, for all requests of the object", function()
    local a = seed "basic/app"
    seed "basic/other"
    with_keys()
    local registry = named()
    local place = faults.host "http" .. "/basic/app:1"
    registry:get_manifest(place)
    registry:get_blob(place, a.layers[1])
    registry:get_manifest(faults.host "http" .. "/basic/other:1")
    assert.equal(1, #calls())
    assert.equal(4, #faults.log { path = "/v2/basic/*" }) -- the first one was a 401
  end)

  it("asks for another when the password has expired", function()
    seed "basic/app"
    with_keys()
    faults.config { aws_ttl = 0 }
    local registry = named()
    registry:get_manifest(faults.host "http" .. "/basic/app:1")
    registry:get_manifest(faults.host "http" .. "/basic/app:1")
    assert.equal(2, #calls())
  end)

  it("asks for another when the password was refused", function()
    seed "basic/app"
    with_keys()
    local registry = named()
    local place = faults.host "http" .. "/basic/app:1"
    registry:get_manifest(place)
    named():get_manifest(place) -- the server's password is another now
    assert.equal("auth", helper.fails(registry, "get_manifest", place).class)
    registry:get_manifest(place)
    assert.equal(3, #calls())
  end)

  it("asks once for many tasks", function()
    local a = seed "basic/app"
    with_keys()
    local registry = named()
    local list = table.move({ 1, 2, 3, 4, 5, 6, 7, 8 }, 1, 8, 1, {})
    oras.map(list, function()
      return registry:get_blob(faults.host "http" .. "/basic/app:1", a.layers[1]).content
    end, { concurrency = 8 })
    assert.equal(1, #calls())
  end)

  it("W20 goes to the API of the region that stands in the registry's name, by itself", function()
    seed "basic/app"
    with_keys()
    variables.AWS_ENDPOINT_URL_ECR = nil
    amazon():get_manifest(HOST .. "/basic/app:1")
    local one = calls "https"
    assert.equal(1, #one)
    assert.equal(200, one[1].status)
    assert.equal("api.ecr.eu-west-1.amazonaws.com", faults.header(one[1], "host"))
    assert.matches("/eu%-west%-1/ecr/aws4_request", faults.header(one[1], "authorization"))
  end)

  it("gets a token of ECR Public, where the password is changed for a bearer token", function()
    seed "bearer/app"
    with_keys()
    variables.AWS_ENDPOINT_URL_ECR = nil
    amazon():get_manifest("public.ecr.aws/bearer/app:1")
    local one = calls "https"
    assert.equal(1, #one)
    assert.equal(200, one[1].status)
    assert.equal("SpencerFrontendService.GetAuthorizationToken", faults.header(one[1], "x-amz-target"))
    assert.matches("/us%-east%-1/ecr%-public/aws4_request", faults.header(one[1], "authorization"))
    local token = faults.log { path = "/token" }[1]
    assert.matches("^Basic ", faults.header(token, "authorization"))
    assert.matches("account=AWS", token.target, 1, true)
  end)

  it("leaves ECR Public anonymous without keys", function()
    seed "public/app"
    amazon():get_manifest("public.ecr.aws/public/app:1")
    assert.equal(0, #calls())
    assert.is_nil(faults.header(faults.log { path = "/token" }[1], "authorization"))
  end)

  it("says what is missing where there are no keys", function()
    seed "basic/app"
    local err = helper.fails(amazon(), "get_manifest", HOST .. "/basic/app:1")
    assert.equal("auth", err.class)
    assert.matches("none are known", err.message, 1, true)
    err = helper.fails(named(), "get_manifest", faults.host "http" .. "/basic/app:1")
    assert.matches("wants keys of AWS", err.message, 1, true)
    assert.equal(0, #calls())
  end)

  it("comes after credentials that are given or stand in a file", function()
    seed "basic/app"
    with_keys()
    local registry = amazon()
    registry:set_basic_auth("alice", "wonder:land")
    registry:get_manifest(HOST .. "/basic/app:1")
    local file = helper.write(directory .. "/config.json", oras.json.encode {
      auths = { [HOST] = { auth = core.base64.encode "alice:wonder:land" } },
    })
    amazon { config_path = file }:get_manifest(HOST .. "/basic/app:1")
    assert.equal(0, #calls())
  end)

  it("gives nothing to another registry, also with auth_backend = \"ecr\"", function()
    seed "basic/app"
    with_keys()
    local registry = amazon { auth_backend = "ecr", hostname = HOST }
    registry:get_manifest(HOST .. "/basic/app:1")
    local err = helper.fails(registry, "get_manifest", "evil.example.com/basic/app:1")
    assert.equal("auth", err.class)
    for _, entry in ipairs(faults.log { listener = "evil" }) do
      assert.is_nil(faults.header(entry, "authorization"))
    end
    assert.equal(1, #calls "http")
  end)

  it("makes another identity of an object, so that nothing is mounted with other rights", function()
    local identity = require "oras.registry.identity"
    local place = oras.Registry:new():get_container(faults.host "http" .. "/a/b")
    local function same(one, other)
      return identity.is_same(one, place, other, place)
    end
    assert.is_true(same(named(), named()))
    assert.is_false(same(named(), helper.registry()))
    assert.is_false(same(helper.registry(), named()))
    assert.is_false(same(named(), helper.registry { auth_backend = "ecr" }))
  end)

  it("needs the region for a registry whose name has none", function()
    seed "basic/app"
    with_keys()
    variables.AWS_REGION = ""
    local err = helper.fails(named(), "get_manifest", faults.host "http" .. "/basic/app:1")
    assert.equal("config", err.class)
    assert.matches("AWS_REGION", err.message, 1, true)
  end)

  it("sends no signed request over plain http to another machine", function()
    seed "basic/app"
    with_keys { AWS_ENDPOINT_URL_ECR = "http://ecr.example.com/" }
    faults.config { hosts = { ["ecr.example.com:80"] = faults.host "evil" } }
    local registry = named { proxy = faults.url "proxy", plain_http = true }
    helper.fails(registry, "get_manifest", faults.host "http" .. "/basic/app:1")
    assert.equal(0, #faults.log { listener = "evil" })
  end)

  it("follows no redirect of the API elsewhere", function()
    seed "basic/app"
    with_keys()
    faults.on { method = "POST", path = "/", redirect_to = "evil" }
    local err = helper.fails(named(), "get_manifest", faults.host "http" .. "/basic/app:1")
    assert.equal("redirect", err.class)
    assert.equal(0, #faults.log { listener = "evil" })
  end)

  it("asks again when the API has failed", function()
    seed "basic/app"
    with_keys()
    faults.on { method = "POST", path = "/", status = 500, json = { __type = "ServerException" } }
    named():get_manifest(faults.host "http" .. "/basic/app:1")
    assert.equal(2, #calls())
  end)

  it("refuses answers that have no token", function()
    seed "basic/app"
    with_keys()
    for _, body in ipairs {
      "", "null", "[]", "{}", '{"authorizationData":7}', '{"authorizationData":[]}',
      '{"authorizationData":[{"authorizationToken":"!!"}]}', '{"authorizationData":[{"authorizationToken":"QVdT"}]}',
      '{"authorizationData":[{"authorizationToken":"QVdTOmENCmI="}]}', -- CR and LF
      '{"authorizationData":{"authorizationToken":{}}}',
    } do
      faults.on { method = "POST", path = "/", status = 200, body = body }
      local err = helper.fails(named(), "get_manifest", faults.host "http" .. "/basic/app:1")
      assert.equal("auth", err.class, body)
    end
  end)

  describe("keys in the shared credentials file", function()
    local function file(text, path)
      return helper.write(path or directory .. "/credentials", text)
    end

    local function keys()
      return require("oras.auth.aws").keys()
    end

    it("are those of the profile that is named, else of the default one", function()
      variables.AWS_SHARED_CREDENTIALS_FILE = file(("\xEF\xBB\xBF# comment\r\n; another\r\n[default]\r\n"
        .. "aws_access_key_id = %s\r\naws_secret_access_key=%s\r\n"
        .. "[ work ]\nAWS_ACCESS_KEY_ID=%s\naws_secret_access_key = %s\naws_session_token = %s\n"
        .. "s3 =\n  max_concurrent_requests = 20\nregion = eu-west-1\n"):format(
        KEY, SECRET, SESSION_KEY, SESSION_SECRET, SESSION))
      assert.same({ access_key = KEY, secret_key = SECRET }, keys())
      variables.AWS_PROFILE = "work"
      assert.same({ access_key = SESSION_KEY, secret_key = SESSION_SECRET, session_token = SESSION }, keys())
      variables.AWS_ACCESS_KEY_ID, variables.AWS_SECRET_ACCESS_KEY = KEY, SECRET
      assert.same({ access_key = KEY, secret_key = SECRET }, keys())
    end)

    it("lie at home unless a variable names the file", function()
      assert.is_nil(keys())
      assert(os.execute(("mkdir '%s/.aws'"):format(directory)))
      file(("[default]\naws_access_key_id=%s\naws_secret_access_key=%s\n"):format(KEY, SECRET),
        directory .. "/.aws/credentials")
      assert.same({ access_key = KEY, secret_key = SECRET }, keys())
      variables.HOME = nil
      assert.is_nil(keys())
    end)

    it("are none where the default profile has none", function()
      variables.AWS_SHARED_CREDENTIALS_FILE = file "[default]\nregion = eu-west-1\n"
      assert.is_nil(keys())
      variables.AWS_SHARED_CREDENTIALS_FILE = file ""
      assert.is_nil(keys())
      variables.AWS_SHARED_CREDENTIALS_FILE = directory .. "/none"
      assert.is_nil(keys())
    end)

    it("are an error that names the file and shows nothing of it", function()
      local bad = {
        ["hunter2"] = "line 1 is neither",
        ["[default\nhunter2=1"] = "line 1 is neither",
        ["aws_access_key_id = hunter2"] = "line 1 is neither",
        ["[default]\nhunter2 and more"] = "line 2 is neither",
        ["[default]\naws_access_key_id=a\naws_access_key_id=hunter2"] = "line 3 has",
        ["[default]\naws_access_key_id=a\naws_secret_access_key=hunter2 # no comment"] = "secret key",
        ["[default]\naws_access_key_id=a\naws_secret_access_key=hunter2\1"] = "secret key",
      }
      for text, message in pairs(bad) do
        variables.AWS_SHARED_CREDENTIALS_FILE = file(text)
        local _, err = oras.try(keys)
        assert.equal("config", err and err.class, text)
        assert.matches(message, err.message, 1, true)
        assert.matches(directory, err.message, 1, true)
        assert.is_nil(err.message:find("hunter2", 1, true))
      end
    end)

    it("are an error where the named profile has none, the file cannot be read or a variable is missing", function()
      local cases = {
        { AWS_PROFILE = "gone", AWS_SHARED_CREDENTIALS_FILE = file "[default]\n" },
        { AWS_PROFILE = "gone", AWS_SHARED_CREDENTIALS_FILE = directory .. "/none" },
        { AWS_SHARED_CREDENTIALS_FILE = directory },
        { AWS_ACCESS_KEY_ID = KEY },
        { AWS_SECRET_ACCESS_KEY = SECRET },
        { AWS_ACCESS_KEY_ID = KEY, AWS_SECRET_ACCESS_KEY = SECRET .. "\r\nX: y" },
      }
      assert(os.execute(("mkfifo '%s/fifo'"):format(directory)))
      cases[#cases + 1] = { AWS_SHARED_CREDENTIALS_FILE = directory .. "/fifo" }
      for i, case in ipairs(cases) do
        variables = case
        local _, err = oras.try(keys)
        assert.equal("config", err and err.class, "case " .. i)
        assert.is_nil(err.message:find(SECRET, 1, true))
      end
    end)
  end)
end)
