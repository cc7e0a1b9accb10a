--- Where credentials are looked for: docs/credentials.md has the order as a table, and each row of
--- it comes before all rows below.
local config = require "oras.auth.config"
local core = require "oras.core"
local oras = require "oras"

local helper = require "tests.spec.helper"

local HOST <const> = "ghcr.io"

local directory, variables

local function document(user)
  return oras.json.encode { auths = { [HOST] = { auth = core.base64.encode(user .. ":pw") } } }
end

local function write(path, user)
  assert(os.execute(("mkdir -p '%s/%s'"):format(directory, path:match "^(.*)/" or "")))
  return helper.write(directory .. "/" .. path, document(user))
end

-- Each place: how the row of the table begins, and how credentials of that name come there. The
-- functions get the options of Registry:new, and the object afterwards.
local PLACES <const> = {
  { row = "set_basic_auth", late = function(registry)
    registry:set_basic_auth("set_basic_auth", "pw", HOST)
  end },
  { row = "get_credentials", class = function(class)
    function class:get_credentials(hostname, repository)
      local found = class.super.get_credentials(self, hostname, repository)
      return found and found.username == "set_basic_auth" and found or { username = "get_credentials", password = "pw" }
    end
  end },
  { row = "config_path", early = function(opts)
    opts.config_path = { directory .. "/none", write("named.json", "config_path") }
  end },
  { row = "DOCKER_AUTH_CONFIG", early = function()
    variables.DOCKER_AUTH_CONFIG = document "DOCKER_AUTH_CONFIG"
  end },
  { row = "REGISTRY_AUTH_FILE", early = function()
    variables.REGISTRY_AUTH_FILE = write("auth.json", "REGISTRY_AUTH_FILE")
  end },
  { row = "$DOCKER_CONFIG/config.json", early = function()
    variables.DOCKER_CONFIG = directory .. "/docker"
    write("docker/config.json", "$DOCKER_CONFIG/config.json")
  end },
  { row = "$XDG_RUNTIME_DIR/containers/auth.json", early = function()
    variables.XDG_RUNTIME_DIR = directory .. "/run"
    write("run/containers/auth.json", "$XDG_RUNTIME_DIR/containers/auth.json")
  end },
  { row = "$XDG_CONFIG_HOME/containers/auth.json", early = function()
    variables.XDG_CONFIG_HOME = directory .. "/etc"
    write("etc/containers/auth.json", "$XDG_CONFIG_HOME/containers/auth.json")
  end },
}

-- The names that begin the rows of the first table.
local function rows_of_document()
  local rows = {}
  for line in io.lines "docs/credentials.md" do
    local row = line:match "^| `([^`]+)`"
    if row then
      rows[#rows + 1] = row
    elseif #rows > 0 then
      return rows
    end
  end
end

local function user_with(first, last)
  variables = { HOME = directory .. "/nobody", XDG_RUNTIME_DIR = directory .. "/nowhere" }
  local opts, class = {}, oras.Registry:extend "Company"
  local function call(step, value)
    for i = first, last do
      if PLACES[i][step] then
        PLACES[i][step](value)
      end
    end
  end
  call("early", opts)
  call("class", class)
  local registry = class:new(opts)
  call("late", registry)
  return (registry:get_credentials(HOST) or {}).username
end

describe("the places of credentials", function()
  local getenv = os.getenv

  before_each(function()
    directory = helper.directory()
    variables = {}
    os.getenv = function(name) -- luacheck: ignore
      return variables[name]
    end
  end)
  after_each(function()
    os.getenv = getenv -- luacheck: ignore
    helper.clean()
  end)

  it("stand in the documentation in the order of this test", function()
    local rows = {}
    for i, place in ipairs(PLACES) do
      rows[i] = place.row
    end
    assert.same(rows, rows_of_document())
  end)

  it("L20 W19 come each before all that are below it", function()
    for i, place in ipairs(PLACES) do
      assert.equal(place.row, user_with(i, i), place.row)
      for last = i + 1, #PLACES do
        assert.equal(place.row, user_with(i, last), ("%s before %s"):format(place.row, PLACES[last].row))
      end
    end
    assert.is_nil(user_with(1, 0))
  end)

  it("end with config_path, and with REGISTRY_AUTH_FILE for the files of containers", function()
    user_with(4, #PLACES)
    assert.is_nil(config.lookup(HOST, directory .. "/none"))
    variables.DOCKER_AUTH_CONFIG, variables.DOCKER_CONFIG = nil, nil
    variables.REGISTRY_AUTH_FILE = directory .. "/none"
    assert.is_nil(config.lookup(HOST))
    variables.REGISTRY_AUTH_FILE = ""
    assert.equal("$XDG_RUNTIME_DIR/containers/auth.json", config.lookup(HOST).username)
  end)

  it("have defaults below the home and for the user's number", function()
    variables.HOME = "/home/me"
    local uid = io.popen("id -ru"):read "l"
    assert.same({
      "/home/me/.docker/config.json", ("/run/containers/%s/auth.json"):format(uid),
      "/home/me/.config/containers/auth.json",
    }, config.files())
    assert.equal("/home/me/.docker/config.json", config.path())
    variables.DOCKER_CONFIG = "/etc/docker"
    assert.equal("/etc/docker/config.json", config.path())
    variables.REGISTRY_AUTH_FILE = "/a.json"
    assert.equal("/a.json", config.path())
    assert.same({ "/a.json", "/etc/docker/config.json" }, config.files())
    assert.equal("/mine", config.path "/mine")
    assert.same({ "/mine", "/yours" }, config.files { "/mine", "/yours" })
    variables = {}
    assert.is_nil(config.path())
  end)

  it("L14 name the variable that is broken, and show nothing of it", function()
    for _, text in ipairs { "secret", '{"auths":{"ghcr.io":{"auth":"secret!"}}}', "[]" } do
      variables.DOCKER_AUTH_CONFIG = text
      local _, err = oras.try(config.lookup, HOST)
      assert.equal("config", err.class)
      assert.matches("DOCKER_AUTH_CONFIG", err.message)
      assert.not_matches("secret", tostring(err), 1, true)
    end
  end)

  it("L17 do not call a helper that the variable names", function()
    variables.DOCKER_AUTH_CONFIG = '{"credsStore":"none","credHelpers":{"ghcr.io":"none"}}'
    assert.is_nil(config.lookup(HOST))
  end)
end)
