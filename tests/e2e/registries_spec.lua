--- The same reading flow on every real registry: open, with a password, with tokens, behind TLS,
--- with a CDN, and distribution v3.
local core = require "oras.core"
local oras = require "oras"

local helper = require "tests.spec.helper"
local places = require "tests.e2e.places"
local process = require "tests.spec.process"
local reading = require "tests.e2e.reading"
local services = require "tests.support.services"
local wire = require "tests.support.wire"

local quote = process.quote
local REPOSITORY <const> = "e2e/app"
local ABSENT <const> = "sha256:" .. ("0"):rep(63) .. "1"
local CANARY <const> = "canary+7c21/wrong"

--- The forms in which a text could slip out.
local function forms(text)
  local encoded = text:gsub("[^%w._~-]", function(c)
    return ("%%%02X"):format(c:byte())
  end)
  return { text, encoded, wire.base64(text), wire.base64("alice:" .. text) }
end

--- Nothing of a secret is in a text, not even encoded.
local function keeps_secret(text, secret)
  for _, form in ipairs(forms(secret)) do
    assert.is_nil(text:find(form, 1, true), form)
  end
  assert.is_nil(text:find "eyJ[%w_-]+%.", "a token is shown")
end

--- An error that is one line, of that class, which names the registry.
local function check_error(class, place, err)
  local text = tostring(err)
  assert.equal(class, err.class, text)
  assert.is_nil(text:find "[\r\n]")
  assert.truthy(text:find((places.host(place)), 1, true), text)
  keeps_secret(text, CANARY)
  keeps_secret(text, services.get "password")
end

local function failure(class, place, registry, method, ...)
  local err = helper.fails(registry, method, ...)
  check_error(class, place, err)
  return err
end

local pushed = {}

--- The example on a place, pushed once.
local function example(place)
  local host, reason = places.host(place)
  if not host then
    return nil, reason
  end
  pushed[place] = pushed[place] or places.push_example(place, REPOSITORY)
  return pushed[place]
end

--- A test on one place; pending where it is absent.
local function on(place, title, test)
  it(("%s: %s"):format(place.name, title), function()
    local reference, reason = example(place)
    if not reference then
      return pending(("%s: %s"):format(place.name, reason))
    end
    test(reference, places.known(place))
  end)
end

local function each(title, test, wanted)
  for _, place in ipairs(places.list) do
    if not wanted or wanted(place) then
      on(place, title, function(reference, registry)
        test(place, reference, registry)
      end)
    end
  end
end

local function is_protected(place)
  return place.auth ~= nil
end

local function has_tokens(place)
  return place.auth == "token"
end

local function has_tls(place)
  return place.tls
end

local function without_tag(reference)
  return (reference:gsub(":[^:/]+$", ""))
end

describe("reading from", function()
  after_each(helper.clean)

  each("manifest, config, layers and members are what curl gets", function(place, reference, registry)
    local seen = reading.check_all(registry, places.access(place, REPOSITORY), reference)
    local layers = registry:organize_layers(seen.manifest)

    assert.same({ "greeting-1.0.0-0.tar.bz2" }, { seen.titles[1] })
    assert.equal("greeting", registry:get_blob(reference,
      layers["application/vnd.conda.info.index.v1+json"]):json().name)
  end)

  each("what is not there is named, with the registry's code", function(place, reference, registry)
    local name = without_tag(reference)
    local host = places.host(place)
    local cases = {
      { "MANIFEST_UNKNOWN", "absent-tag", "get_manifest", name .. ":absent-tag" },
      { "MANIFEST_UNKNOWN", ABSENT, "get_manifest", name .. "@" .. ABSENT },
      { "MANIFEST_UNKNOWN", "absent-tag", "resolve", name .. ":absent-tag" },
      { "BLOB_UNKNOWN", ABSENT, "get_blob", name, ABSENT },
      { "NAME_UNKNOWN", "e2e/nothing", "get_tags", host .. "/e2e/nothing" },
    }
    for _, case in ipairs(cases) do
      local err = failure("not_found", place, registry, table.unpack(case, 3))
      assert.equal(case[1], err.code)
      assert.equal(404, err.status)
      assert.truthy(err.message:find(case[2], 1, true), err.message)
    end
    failure("not_found", place, registry, "get_manifest", host .. "/e2e/nothing:1")
    local dir = helper.directory()
    failure("not_found", place, registry, "download_blob", name, ABSENT, dir .. "/file")
    assert.equal("", helper.list(dir))
    assert.is_false(registry:blob_exists(name, ABSENT))
  end)

  each("a range beyond the end is refused, and the next one is given", function(place, reference, registry)
    local layer = registry:get_manifest(reference).layers[1]
    local beyond = { range = { layer.size + 5, layer.size + 9 } }
    local known = helper.fails(registry, "get_blob", reference, layer, beyond) -- by its size, unasked
    local asked = helper.fails(registry, "get_blob", reference, layer.digest, beyond)

    assert.same({ "usage", "usage" }, { known.class, asked.class })
    assert.equal(416, asked.status, tostring(asked))
    assert.is_nil((tostring(known) .. tostring(asked)):find "\n")
    assert.equal(10, #registry:get_blob(reference, layer, { range = { 0, 9 } }).content)
    local last = registry:get_blob(reference, layer, { range = { layer.size - 3, layer.size + 100 } })
    assert.equal(3, #last.content, place.name)
  end)

  each("a hundred gets at once", function(_, reference, registry)
    local manifest = registry:get_manifest(reference)
    local list, expected = {}, {}
    for i = 1, 100 do
      local layer = manifest.layers[i % #manifest.layers + 1]
      list[i], expected[i] = layer, layer.digest
    end
    local function digest_of(layer)
      return oras.digest.of(registry:get_blob(reference, layer).content)
    end
    assert.same(expected, oras.map(list, digest_of, { concurrency = 100 }))
    assert.same(expected, oras.map(list, digest_of))
    local dir = helper.directory()
    oras.map(list, function(layer, i)
      registry:download_blob(reference, layer, ("%s/%d"):format(dir, i))
    end, { concurrency = 100 })
    for i, digest in ipairs(expected) do
      assert.equal(digest, oras.digest.of_file(("%s/%d"):format(dir, i)))
    end
    assert.is_nil(helper.list(dir):find "partial")
  end)

  each("a task's error leaves the others' registry usable", function(place, reference, registry)
    local good = registry:get_manifest(reference).layers[1]
    local list = { good, ABSENT, good, ABSENT, good }
    local _, err = oras.try(oras.map, list, function(blob)
      return registry:get_blob(reference, blob).content
    end)
    check_error("not_found", place, err)
    assert.equal(good.size, #registry:get_blob(reference, good).content)
  end)
end)

describe("lists of", function()
  local MANY <const> = 250

  each("250 tags", function(place, _, registry)
    places.push_tags(place, "e2e/tags", "t[001-250]")
    local name = places.host(place) .. "/e2e/tags"
    local tags = registry:get_tags(name)
    table.sort(tags)

    assert.equal(MANY, #tags)
    for i, tag in ipairs(tags) do
      assert.equal(("t%03d"):format(i), tag)
    end
    local seen = {}
    for tag in registry:tags(name) do
      seen[tag] = true
    end
    for _, tag in ipairs(tags) do
      assert.is_true(seen[tag])
    end
    assert.equal(7, #registry:get_tags(name, { N = 7 }))
    assert.same({ "t123" }, registry:get_tags(name, { filter = "^t123$" }))
    local index = registry:get_image_index(name .. ":t250")
    assert.equal(registry:resolve(name .. ":t001").digest, index:descriptor().digest)
    assert.equal(0, #index.manifests)
  end)

  each("more repositories than a page has", function(place, _, registry)
    -- One token is for repositories that it names: a few are enough to have a list.
    local many = place.auth ~= "token"
    places.push_repositories(place, many and "many/r[001-130]" or "many/r001", REPOSITORY)
    local seen, count = {}, 0
    for name in registry:repositories((places.host(place))) do
      assert.is_nil(seen[name])
      seen[name] = true
      count = count + 1
    end
    assert.is_true(seen[REPOSITORY])
    assert.is_true(seen["many/r001"])
    if many then
      assert.is_true(seen["many/r130"])
      assert.is_true(count > 130)
    end
    local first = registry:repositories((places.host(place)), { last = REPOSITORY })()
    assert.is_true(first > REPOSITORY)
  end)
end)

describe("credentials for", function()
  after_each(helper.clean)

  local function user()
    return services.get "user", services.get "password"
  end

  --- Reads manifest and a blob.
  local function reads(registry, reference)
    local manifest = registry:get_manifest(reference)
    local layer = manifest.layers[1]
    assert.equal(layer.size, #registry:get_blob(reference, layer).content)
  end

  each("a wrong password, then the right one", function(place, reference)
    local registry = places.registry(place)
    registry:set_basic_auth("alice", CANARY)
    for _, case in ipairs {
      { "get_manifest", reference }, { "resolve", reference }, { "get_tags", without_tag(reference) },
      { "get_blob", reference, ABSENT }, { "blob_exists", reference, ABSENT },
    } do
      local err = failure("auth", place, registry, table.unpack(case))
      assert.equal(401, err.status)
      assert.truthy(err.message:find "refuses")
    end
    registry:set_basic_auth(user())
    reads(registry, reference)
  end, is_protected)

  each("none", function(place, reference)
    local registry = places.registry(place)
    local err = failure("auth", place, registry, "get_manifest", reference)
    assert.truthy(err.message:find "none are known" or err.message:find "no anonymous token", err.message)
    local dir = helper.directory()
    failure("auth", place, registry, "download_blob", reference, ABSENT, dir .. "/file")
    assert.equal("", helper.list(dir))
    registry:set_basic_auth(user())
    reads(registry, reference)
  end, is_protected)

  each("another host are not used", function(place, reference)
    local registry = places.registry(place)
    local name, password = user()
    registry:set_basic_auth(name, password, "registry.example.org")
    failure("auth", place, registry, "get_manifest", reference)
  end, is_protected)

  local function config_of(place, entry)
    local path = helper.directory() .. "/config.json"
    return helper.write(path, oras.json.encode { auths = { [places.host(place)] = entry } }), path
  end

  each("a docker configuration", function(place, reference)
    local name, password = user()
    for _, entry in ipairs { { username = name, password = password }, { auth = wire.base64(places.user()) } } do
      reads(places.registry(place, { config_path = config_of(place, entry) }), reference)
    end
    local wrong = config_of(place, { auth = wire.base64("alice:" .. CANARY) })
    failure("auth", place, places.registry(place, { config_path = wrong }), "get_manifest", reference)
    local broken = config_of(place, { auth = wire.base64(CANARY) })
    local err = helper.fails(places.registry(place, { config_path = broken }), "get_manifest", reference)
    assert.equal("config", err.class)
    assert.truthy(err.message:find(broken, 1, true))
    keeps_secret(tostring(err), CANARY)
  end, is_protected)

  each("a provider's get_credentials", function(place, reference)
    local Mine = oras.Registry:extend "Mine"
    local asked = {}
    function Mine.get_credentials(_, hostname, repository)
      asked[#asked + 1] = hostname .. " " .. tostring(repository)
      local name, password = user()
      return { username = name, password = password }
    end
    reads(places.registry(place, nil, Mine), reference)
    assert.equal(places.host(place) .. " " .. REPOSITORY, asked[1])
    function Mine.get_credentials()
      return { username = "alice", password = CANARY }
    end
    failure("auth", place, places.registry(place, nil, Mine), "get_manifest", reference)
  end, is_protected)

  each("the backend that fits, and no other", function(place, reference)
    local fits = { basic = "basic", token = "token" }
    for _, backend in ipairs { "auto", "basic", "token", "anonymous" } do
      local registry = places.known(place, { auth_backend = backend })
      if backend == "auto" or backend == fits[place.auth] then
        reads(registry, reference)
      else
        failure("auth", place, registry, "get_manifest", reference)
      end
    end
  end, is_protected)

  each("a scheme of one's own", function(place, reference)
    local scheme = { asked = 0 }
    function scheme:prepare(_, request)
      request.secret = self.secret
    end
    function scheme:answer(_, request)
      self.asked = self.asked + 1
      if place.auth == "basic" then
        self.secret = core.auth.basic(request.origin, user())
      else
        self.secret = core.auth.bearer(request.origin, places.access(place, REPOSITORY).token)
      end
      request.secret = self.secret
      return true
    end
    reads(places.registry(place, { auth_backend = scheme }), reference)
    assert.equal(1, scheme.asked)
  end, is_protected)

  each("nobody, from what is open to all", function(place)
    if place.service ~= "registry_token" then
      return -- the token server gives anonymous tokens for this prefix everywhere
    end
    local reference = places.push_example(place, "public/app")
    reads(places.registry(place), reference)
    reads(places.registry(place, { auth_backend = "anonymous" }), reference)
    reads(places.known(place), reference)
  end, has_tokens)

  each("a token that was fetched by hand", function(place, reference)
    local function fetch(repository)
      local realm = place.service == "registry_cdn" and "https://" .. places.host(place) .. "/token"
        or require "tests.support.faults".url "token" .. "/token"
      local scheme, rest = realm:match "^(%a+)://(.*)$"
      local body = reading.curl({ scheme = scheme, ca = services.get "ca", user = places.user() },
        rest .. ("?service=oras-test&scope=repository:%s:pull"):format(repository))
      return wire.decode(body).token
    end
    local registry = places.registry(place)
    registry:set_token_auth(fetch(REPOSITORY))
    reads(registry, reference)
    for _, token in ipairs { fetch "e2e/another", "eyJhbGciOiJub25lIn0.e30.x", CANARY } do
      registry:set_token_auth(token)
      local err = helper.fails(registry, "get_manifest", reference)
      assert.truthy(err.class == "auth" or err.class == "denied", tostring(err))
      keeps_secret(tostring(err), token)
    end
    registry:set_basic_auth(user())
    reads(registry, reference)
  end, has_tokens)
end)

describe("TLS of", function()
  each("is trusted by its CA, or not at all", function(place, reference)
    local err = failure("tls", place, places.known(place, { tls_verify = true }), "get_manifest", reference)
    assert.is_false(err.retryable == true)
    places.known(place, { tls_verify = false }):get_manifest(reference)
    places.known(place):get_manifest(reference)
    -- docker-registry answers in plain text that it wants https, others hang up
    err = helper.fails(places.known(place, { plain_http = true }), "get_manifest", reference)
    assert.truthy(err.class == "protocol" or err.class == "network", err.class)
    assert.truthy(err.message:find("expect https?", 1, true), err.message)
  end, has_tls)

  each("is not verified with --insecure, and is with --ca-file", function(place, reference)
    local config = helper.directory() .. "/config.json"
    helper.write(config, oras.json.encode {
      auths = { [places.host(place)] = { auth = wire.base64(places.user()) } },
    })
    local function resolve(flag)
      return process.run("resolve", "--registry-config", config, flag, reference)
    end
    local status, out = resolve "--insecure"
    assert.equal(0, status)
    assert.matches("^sha256:%x+%s*$", out)
    assert.equal(out, select(2, resolve("--ca-file=" .. services.get "ca")))
    status, out = resolve "--plain-http=false"
    assert.same({ 1, "" }, { status, out })
  end, has_tls)

  each("is named where there is none", function(place, reference)
    local registry = places.known(place, { plain_http = false })
    local err = helper.fails(registry, "get_manifest", reference)
    check_error("tls", place, err)
    assert.truthy(err.message:find "plain", err.message)
  end, function(place)
    return not place.tls
  end)
end)

describe("output about", function()
  after_each(helper.clean)

  local SCRIPT <const> = [[
local oras = require "oras"
local registry = oras.Registry:new { tls_verify = os.getenv "E2E_CA", retry = { wait = 0 } }
if arg[2] then registry:set_basic_auth("alice", arg[2]) end
local manifest = registry:get_manifest(arg[1])
print(manifest:descriptor().digest, #registry:get_blob(arg[1], manifest.layers[1]).content, registry)
oras.log.info(tostring(registry))
]]

  local function run(place, options, config, ...)
    local path = helper.write(helper.directory() .. "/script.lua", SCRIPT)
    local words = { "env", "-u", "DOCKER_AUTH_CONFIG", "HOME=/nonexistent" }
    words[#words + 1] = "DOCKER_CONFIG=" .. (config or "/nonexistent")
    if place.tls then
      words[#words + 1] = "E2E_CA=" .. services.get "ca"
    end
    words[#words + 1] = process.oras_lua
    for _, word in ipairs(options) do
      words[#words + 1] = word
    end
    for _, word in ipairs { path, ... } do
      words[#words + 1] = word
    end
    for i, word in ipairs(words) do
      words[i] = quote(word)
    end
    return process.shell(table.concat(words, " ") .. " </dev/null")
  end

  each("has no secret, with the log on", function(place, reference)
    for _, options in ipairs { {}, { "--debug" } } do
      local status, out, err = run(place, options, nil, reference, services.get "password")
      assert.equal(0, status, err)
      assert.equal(#options > 0, err:find("GET ", 1, true) ~= nil, err)
      keeps_secret(out .. err, services.get "password")
      status, out, err = run(place, options, nil, reference, CANARY)
      assert.equal(place.auth and 1 or 0, status)
      keeps_secret(out .. err, CANARY)
      if place.auth and #options == 0 then
        assert.equal("", out)
        assert.matches("^oras%-lua: [^\n]*script%.lua:4: [^\n]*refuses[^\n]*\n$", err)
      end
    end
  end)

  each("reads DOCKER_CONFIG, and says what is missing in one line", function(place, reference)
    local dir = helper.directory()
    helper.write(dir .. "/config.json", oras.json.encode {
      auths = { [places.host(place)] = { auth = wire.base64(places.user()) } },
    })
    local status, out, err = run(place, {}, dir, reference)
    assert.same({ 0, "" }, { status, err })
    assert.truthy(out:find("sha256:06a44ca9", 1, true))

    status, out, err = run(place, {}, nil, reference)
    assert.same({ 1, "" }, { status, out })
    assert.matches("^oras%-lua: [^\n]*script%.lua:4: [^\n]*\n$", err)
    assert.truthy(err:find((places.host(place)), 1, true))
  end, is_protected)
end)

describe("the CDN", function()
  it("gets requests for blobs, and no credentials", function()
    local place = places.list[5]
    local reference, reason = example(place)
    if not reference then
      return pending(reason)
    end
    local registry = places.known(place, { headers = { ["X-Api-Key"] = CANARY, Cookie = "session=" .. CANARY } })
    local path = services.get "cdn_log"
    local before = #helper.read(path)
    local layer = registry:get_manifest(reference).layers[1]
    assert.equal(layer.size, #registry:get_blob(reference, layer).content)
    assert.equal(100, #registry:get_blob(reference, layer, { range = { 100, 199 } }).content)
    local tries, text = 0
    repeat -- nginx writes its log after the answer has gone
      core.clock.sleep(tries > 0 and 0.02 or 0)
      text, tries = helper.read(path):sub(before + 1), tries + 1
    until select(2, text:gsub("\n", "")) >= 2 or tries > 250
    local count = 0
    for line in text:gmatch "[^\n]+" do
      local entry = wire.decode(line)
      count = count + 1
      assert.same({ "", "", "" }, { entry.authorization, entry.cookie, entry.api_key })
      assert.truthy(entry.target:find(layer.digest, 1, true))
    end
    assert.equal(2, count)
  end)
end)
