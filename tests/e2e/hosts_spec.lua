--- The same job in every host: oras-lua with a script, oras-lua with a provider, plain lua5.4 from
--- the installed prefix, C programs. Same results, same words for what goes wrong.
local oras = require "oras"

local helper = require "tests.spec.helper"
local places = require "tests.e2e.places"
local process = require "tests.spec.process"
local services = require "tests.support.services"
local wire = require "tests.support.wire"

local PREFIX <const> = os.getenv "ORAS_TEST_PREFIX"
local BUILD <const> = os.getenv "ORAS_TEST_BUILD"
local REPOSITORY <const> = "e2e/hosts"
local CONDA_TAG <const> = "2.0.0-py37_1000"

local PROVIDER <const> = [[
local oras = require "oras"
local ok, found = pcall(function() return dofile(arg[1]):new():inspect(arg[2]) end)
if not ok then io.stderr:write(tostring(found), "\n") os.exit(1) end
print((oras.json.encode(found)))
]]

local function installed_environment()
  local share, lib = PREFIX .. "/share/lua/5.4/", PREFIX .. "/lib/lua/5.4/"
  return ("LUA_PATH='%s?.lua;%s?/init.lua' LUA_CPATH='%s?.so'"):format(share, share, lib)
end

--- The hosts there are: name -> words of the shell that inspect $1.
local function hosts()
  local script = helper.write(helper.directory() .. "/provider.lua", PROVIDER)
  local program = process.quote(process.oras_lua)
  local all = {
    ["oras-lua conda"] = program .. " conda inspect \"$1\"",
    ["oras-lua script"] = ("%s %s providers/conda.lua \"$1\""):format(program, script),
  }
  if PREFIX and helper.read(PREFIX .. "/lib/lua/5.4/oras/core.so") then
    all["lua5.4"] = ("%s lua5.4 %s %s/share/oras/providers/conda.lua \"$1\""):format(
      installed_environment(), script, PREFIX)
  end
  if BUILD and helper.read(BUILD .. "/examples/embed/example_call") then
    all["C"] = BUILD .. "/examples/embed/example_call \"$1\""
    all["C, a loop of its own"] = BUILD .. "/examples/embed/example_loop \"$1\""
  end
  return all
end

--- Run a host; gives exit code, output, errors.
local function inspect(command, config, reference)
  return process.shell(("set -- %s; export HOME=/nonexistent DOCKER_CONFIG=%s; unset DOCKER_AUTH_CONFIG; %s"):format(
    process.quote(reference), process.quote(config or "/nonexistent"), command))
end

--- All hosts succeed with the same; gives it.
local function all_give_same(config, reference)
  local expected
  for name, command in pairs(hosts()) do
    local status, out, err = inspect(command, config, reference)
    assert.same({ 0, "" }, { status, err }, name)
    local found = oras.json.decode(out)
    expected = expected or found
    assert.same(expected, found, name)
  end
  return expected
end

--- All hosts fail, each in one line with these words.
local function all_refuse(config, reference, words)
  for name, command in pairs(hosts()) do
    local status, out, err = inspect(command, config, reference)
    assert.is_true(status ~= 0, name)
    assert.equal("", out)
    assert.matches("^[^\n]+\n$", err)
    assert.truthy(err:find(words, 1, true), ("%s: %q is not in %q"):format(name, words, err))
    assert.is_nil(err:find("canary", 1, true), name)
  end
end

local function config_for(host, password)
  local dir = helper.directory()
  helper.write(dir .. "/config.json", oras.json.encode {
    auths = { [host] = { auth = wire.base64("alice:" .. password) } },
  })
  return dir
end

local pushed = {}

local function example(place)
  pushed[place] = pushed[place] or places.push_example(place, REPOSITORY)
  return pushed[place]
end

describe("every host", function()
  after_each(helper.clean)

  it("is there", function()
    local all = hosts()
    for _, name in ipairs { "lua5.4", "C" } do
      if not all[name] then
        return pending(("%s is missing: no installed prefix or no examples (scripts/test makes them)"):format(name))
      end
    end
  end)

  it("inspects the example layout", function()
    local found = all_give_same(nil, "oci:examples/layout:1.0.0-0")
    assert.equal("greeting", found.index.name)
    assert.equal(11, #found.info)
    all_refuse(nil, "oci:examples/layout:nope", 'no manifest "nope" in oci:examples/layout; it has 1.0.0-0')
    all_refuse(nil, "oci:examples/nothing:1", "examples/nothing")
    all_refuse(nil, "ghcr.io/A", "repository 'A', expected lower-case letters")
  end)

  it("inspects the real conda package, from its layout and from the registry", function()
    local data = services.get "data"
    if not data then
      return pending(services.missing "data")
    end
    local from_layout = all_give_same(nil, ("oci:%s/conda:%s"):format(data, CONDA_TAG))
    assert.equal("mock", from_layout.index.name)
    local found
    for _, one in ipairs(services.artifacts() or {}) do
      if one.name == "conda" then
        found = all_give_same(nil, one.reference)
        found.reference = from_layout.reference
        assert.same(from_layout, found)
      end
    end
    if not found then
      return pending(services.missing "artifacts")
    end
  end)

  -- Those that need no word about TLS; examples/inspect.lua below can say which CA is trusted.
  for _, place in ipairs(places.list) do
    local where = places.host(place)
    local run = place.tls and function() end or it
    run(("inspects what lies on %s"):format(place.name), function()
      if not where then
        return pending(services.missing(place.service))
      end
      local reference = example(place)
      local config = place.auth and config_for(where, services.get "password") or nil
      local found = all_give_same(config, reference)
      assert.equal(reference, found.reference)
      assert.equal("greeting-1.0.0-0.tar.bz2", found.package.title)
      local absent = reference:gsub(":[^:]*$", ":absent")
      all_refuse(config, absent, ('no manifest "absent" in %s/%s'):format(where, REPOSITORY))
      if place.auth then
        all_refuse(config_for(where, "canary"), reference, "refuses")
        all_refuse(nil, reference, "none are known")
      end
    end)
  end
end)

describe("examples/inspect.lua under every host", function()
  after_each(helper.clean)

  --- All three run the script with the same output, or the same words.
  local function check(environment, reference, words)
    local expected
    for name, command in pairs {
      ["oras-lua"] = process.quote(process.oras_lua),
      ["lua5.4"] = installed_environment() .. " lua5.4",
      ["C"] = BUILD .. "/examples/embed/example_script",
    } do
      local status, out, err = process.shell(("export HOME=/nonexistent %s; %s examples/inspect.lua %s"):format(
        environment, command, reference))
      if words then
        assert.same({ 1, "" }, { status, out }, name)
        assert.truthy(err:match "^[^\n]*":find(words, 1, true), name .. ": " .. err)
      else
        assert.same({ 0, "" }, { status, err }, name)
        expected = expected or out
        assert.equal(expected, out, name)
      end
    end
    return expected
  end

  it("reads through tokens, TLS and a CDN, or says why not", function()
    local place = places.list[5]
    local host = places.host(place)
    if not host then
      return pending(services.missing(place.service))
    elseif not (PREFIX and helper.read(PREFIX .. "/bin/oras-lua")) then
      return pending "no installed prefix (scripts/test makes it)"
    end
    local reference = example(place)
    local ca = "ORAS_CA_FILE=" .. process.quote(services.get "ca")
    local function as(password)
      return (" GITHUB_USER=alice GITHUB_TOKEN=%s "):format(process.quote(password))
    end
    local good = as(services.get "password")

    assert.truthy(check(ca .. good, reference):find("greeting", 1, true))
    local other = require "tests.support.faults".cert "client_ca"
    check("ORAS_CA_FILE=" .. process.quote(other) .. good, reference, "certificate")
    check(ca, reference, "none are known")
    check(ca .. as "canary", reference, "refuses")
    check("ORAS_CA_FILE=/nonexistent.pem" .. good, reference, "/nonexistent.pem")
    check(ca .. good, (reference:gsub(":[^:]*$", ":absent")), 'no manifest "absent"')
    local config = config_for(host, services.get "password")
    assert.truthy(check(ca .. " DOCKER_CONFIG=" .. config, reference):find("greeting", 1, true))
  end)
end)
