local config = require "oras.auth.config"
local core = require "oras.core"
local oras = require "oras"

local helper = require "tests.spec.helper"

local function auth(user, password)
  return core.base64.encode(user .. ":" .. password)
end

local directory

local function auths(entries)
  for key, value in pairs(entries) do
    entries[key] = type(value) == "string" and { auth = auth(value, "pw") } or value
  end
  return { auths = entries }
end

local function lookup(document, host)
  local text = type(document) == "string" and document or oras.json.encode(document)
  return config.lookup(host or "ghcr.io", helper.write(directory .. "/config.json", text))
end

local function refuses(text, host)
  local value, err = oras.try(lookup, text, host)
  assert.is_nil(value)
  assert.equal("config", err and err.class)
  assert.matches(directory .. "/config.json", err.message, 1, true)
  return err
end

describe("docker's configuration", function()
  before_each(function()
    directory = helper.directory()
  end)
  after_each(helper.clean)

  it("has credentials by exact host and port", function()
    local document = auths { ["ghcr.io"] = { auth = auth("me", "a:b") }, ["ghcr.io:8443"] = "you" }
    assert.same({ username = "me", password = "a:b" }, lookup(document))
    assert.same({ username = "you", password = "pw" }, lookup(document, "ghcr.io:8443"))
    assert.is_nil(lookup(document, "ghcr.io:443"))
  end)

  it("gives nothing to hosts that look alike", function()
    local document = auths { ["ghcr.io"] = "me", ["https://quay.io/v1/"] = "q" }
    for _, host in ipairs {
      "xghcr.io", "ghcr.io.evil.com", "ghcr.iox", "evil.com/ghcr.io", "ghcr.io@evil.com", "me@ghcr.io",
      "ghcr.io.", "GHCR.IO", "ghcr.i", "hcr.io", "xn--ghcr-io", "ghcr.io:80", "ghcr%2eio",
      "quay.io.evil.com", "xquay.io", "https", "https:", "", "quay.io:443", "io", "ghcr.io:",
      "[ghcr.io]", "ghcr.io/", "/ghcr.io", " ghcr.io", "ghcr.io ", "ghcr.io\0", "ghcr-io",
      "www.ghcr.io", "ghcr.io:443", "quay.io.", "QUAY.IO", "quay.io/v1", "quay_io", "ghcr..io",
      ".ghcr.io", "ghcr.io#", "ghcr.io?", "ghcr\u{2024}io", "ghcr.\u{0456}o",
    } do
      assert.is_nil(lookup(document, host), host)
    end
    assert.equal("q", lookup(document, "quay.io").username)
  end)

  it("L20 knows docker's old keys and the names of Docker Hub", function()
    for _, key in ipairs { "https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io" } do
      for _, host in ipairs { "docker.io", "index.docker.io", "registry-1.docker.io" } do
        assert.equal("hub", lookup(auths { [key] = "hub" }, host).username)
      end
    end
    assert.equal("old", lookup(auths { ["http://old.example/v1/"] = "old" }, "old.example").username)
  end)

  it("L20 prefers a registry's token, then an identity token, then auth, then name and password", function()
    local entry = { registrytoken = "r", identitytoken = "i", auth = auth("a", "b"), username = "u", password = "p" }
    local document = { auths = { ["ghcr.io"] = entry } }
    assert.same({ registry_token = "r" }, lookup(document))
    entry.registrytoken = nil
    assert.same({ identity_token = "i" }, lookup(document))
    entry.identitytoken = ""
    assert.same({ username = "a", password = "b" }, lookup(document))
    entry.auth = nil
    assert.same({ username = "u", password = "p" }, lookup(document))
    entry.username, entry.password = "<token>", "secret"
    assert.same({ identity_token = "secret" }, lookup(document))
    document.auths["ghcr.io"] = oras.json.decode "{}"
    assert.is_nil(lookup(document))
  end)

  it("cuts NULs behind a password", function()
    assert.equal("pw", lookup({ auths = { ["ghcr.io"] = { auth = core.base64.encode "me:pw\0\0" } } }).password)
  end)

  it("L14 is nothing when it is missing or empty", function()
    assert.is_nil(config.lookup("ghcr.io", directory .. "/none/config.json"))
    for _, text in ipairs { "", "  \n", "{}", '{"auths":{}}', '{"auths":null}', '{"credsStore":""}' } do
      assert.is_nil(lookup(text))
    end
  end)

  it("L14 names the file when its credentials cannot be sent", function()
    for _, entry in ipairs {
      { auth = core.base64.encode "me\n:secret" }, { auth = core.base64.encode "me:sec\r\nret" },
      { username = "m:e", password = "secret" }, { username = "me", password = "sec\127ret" },
      { registrytoken = "sec ret" }, { registrytoken = "sec\r\nret" }, { identitytoken = "sec\nret" },
    } do
      local err = refuses({ auths = { ["ghcr.io"] = entry } })
      assert.not_matches("sec", err.message:gsub(directory, ""), 1, true)
    end
  end)

  it("L14 names the file when it is broken, and shows nothing of it", function()
    for _, text in ipairs {
      "{", "[]", "5", '{"auths":[1]}', '{"auths":5}', '{"auths":{"ghcr.io":"secret"}}', '{"auths":{"ghcr.io":null}}',
      '{"auths":{"ghcr.io":{"auth":"!!secret!!"}}}', '{"auths":{"ghcr.io":{"auth":5}}}',
      '{"auths":{"ghcr.io":{"auth":"' .. core.base64.encode "secret" .. '"}}}',
      '{"auths":{"ghcr.io":{"auth":"' .. core.base64.encode ":secret" .. '"}}}',
      '{"auths":{},"auths":{"ghcr.io":{"password":"secret"}}}', '\u{FEFF}{}',
      '{"auths":{"ghcr.io":{"identitytoken":{}}}}',
    } do
      assert.is_nil(tostring(refuses(text)):find("secret", 1, true))
    end
  end)

  it("L14 is read through a symbolic link, and a link to nothing is nothing", function()
    local real = helper.write(directory .. "/real.json", oras.json.encode(auths { ["ghcr.io"] = "me" }))
    assert(os.execute(("ln -s '%s' '%s/link.json' && ln -s none '%s/broken.json'"):format(real, directory, directory)))
    assert.equal("me", config.lookup("ghcr.io", directory .. "/link.json").username)
    assert.is_nil(config.lookup("ghcr.io", directory .. "/broken.json"))
    assert.is_nil(config.lookup("ghcr.io", directory .. "/real.json/config.json"))
  end)

  it("L14 is no directory, no FIFO and not endless", function()
    local _, err = oras.try(config.lookup, "ghcr.io", directory)
    assert.equal("config", err.class)
    os.execute(("mkfifo '%s/fifo'"):format(directory))
    _, err = oras.try(config.lookup, "ghcr.io", directory .. "/fifo")
    assert.equal("config", err.class)
    refuses(('{"auths":{"x":"%s"}}'):format(("x"):rep(5000000)))
  end)

  it("L20 has credentials for a part of a host, the longest before the others", function()
    local document = auths {
      ["quay.io"] = "host", ["quay.io/team"] = "team", ["quay.io/team/app"] = "app", ["quay.io:8443/team"] = "port",
      ["docker.io/org"] = "org", ["https://old.example/v1/"] = "old", ["old.example/x"] = "x", ["only.example/a"] = "a",
    }
    local path = helper.write(directory .. "/config.json", oras.json.encode(document))
    local function user(host, repository)
      return (config.lookup(host, path, repository) or {}).username
    end
    for _, row in ipairs {
      { "quay.io", "team/app", "app" }, { "quay.io", "team/app/deep", "app" },
      { "quay.io", "team/application", "team" },
      { "quay.io", "team", "team" }, { "quay.io", "teams/app", "host" }, { "quay.io", nil, "host" },
      { "quay.io:8443", "team/app", "port" }, { "quay.io:8443", "app", nil }, { "quay.io:8443", nil, nil },
      { "registry-1.docker.io", "org/app", "org" }, { "docker.io", "library/app", nil },
      { "old.example", "x/y", "x" }, { "old.example", "y", "old" },
      { "only.example", nil, nil }, { "only.example", "b", nil }, { "only.example", "a", "a" },
    } do
      assert.equal(row[3], user(row[1], row[2]), row[1] .. "/" .. tostring(row[2]))
    end
  end)

  it("L20 passes over entries without credentials, to a shorter key and to the next file", function()
    local document = auths { ["quay.io/team"] = oras.json.decode "{}", ["quay.io"] = "host" }
    local first = helper.write(directory .. "/first.json", oras.json.encode(document))
    local second = helper.write(directory .. "/second.json", oras.json.encode(auths { ["ghcr.io"] = "second" }))
    assert.equal("host", config.lookup("quay.io", first, "team/app").username)
    local files = { directory .. "/none.json", first, second }
    local found, source = config.lookup("ghcr.io", files)
    assert.same({ "second", second }, { found.username, source })
    assert.equal("host", config.lookup("quay.io", files).username)
    assert.equal(files[1], config.path(files))
  end)

  it("is read when a registry asks for credentials, and only then", function()
    local path = helper.write(directory .. "/config.json", "broken")
    local registry = helper.registry { config_path = path }
    assert.equal("ghcr.io/a/b:1", registry:get_container("ghcr.io/a/b:1").uri)
    assert.equal("config", helper.fails(registry, "get_credentials", "ghcr.io").class)
    registry:set_basic_auth("me", "pw")
    assert.same({ username = "me", password = "pw" }, registry:get_credentials "ghcr.io")
  end)
end)
