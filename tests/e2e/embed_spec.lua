--- examples/embed/stream.c and functions.c against real registries.
local helper = require "tests.spec.helper"
local places = require "tests.e2e.places"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local oras = require "oras"

local EXAMPLES <const> = (os.getenv "ORAS_TEST_BUILD" or "") .. "/examples/embed/example_"
local quote = process.quote

local function missing(service)
  if not helper.read(EXAMPLES .. "stream") then
    return "the examples were not built (ORAS_BUILD_EXAMPLES)"
  end
  return not services.get(service) and services.missing(service)
end

describe("examples/embed/stream.c", function()
  after_each(helper.clean)

  for _, size in ipairs { 0, 1, 100000, 9999999 } do
    it(("stores and fetches %d bytes"):format(size), function()
      local reason = missing "registry"
      if reason then
        return pending(reason)
      end
      local dir = helper.directory()
      local command = quote(EXAMPLES .. "stream") .. " examples/embed/stream.lua %s " .. services.get "registry"
        .. "/e2e/stream %s"
      process.sh(("head -c %d /dev/urandom > "):format(size) .. "%s", dir .. "/given")
      local out = process.sh(command:format("put", "< " .. quote(dir .. "/given")))
      local digest = out:match '^"(sha256:%x+)"\n$'
      assert.equal(process.sh("sha256sum < %s", dir .. "/given"):match "^%x+", digest and digest:sub(8))
      process.sh(command:format("get", digest .. " > " .. quote(dir .. "/got")))
      process.sh("cmp %s %s", dir .. "/given", dir .. "/got")
    end)
  end

  it("says what is not there, and gives nothing", function()
    local reason = missing "registry"
    if reason then
      return pending(reason)
    end
    local status, out, err = process.shell(("%s examples/embed/stream.lua get %s/e2e/stream sha256:%s"):format(
      quote(EXAMPLES .. "stream"), services.get "registry", ("0"):rep(64)))
    assert.same({ 3, "" }, { status, out })
    assert.matches("^not_found: [^\n]+\n$", err)
  end)
end)

describe("examples/embed/functions.c", function()
  after_each(helper.clean)

  for _, place in ipairs(places.list) do
    local run = place.auth and not place.tls and it or function() end
    run("gives its credentials to " .. place.name, function()
      local reason = missing(place.service)
      if reason then
        return pending(reason)
      end
      local repository = places.push_example(place, "e2e/functions"):gsub(":[^:]*$", "")
      local function describe_it(user, password)
        return process.shell(("export HOME=/nonexistent REGISTRY_USER=%s REGISTRY_PASSWORD=%s; "
          .. "unset DOCKER_CONFIG DOCKER_AUTH_CONFIG; %s examples/embed/functions.lua %s"):format(
          quote(user), quote(password), quote(EXAMPLES .. "functions"), repository))
      end
      local status, out, err = describe_it(services.get "user", services.get "password")
      assert.same({ 0, "" }, { status, err })
      local found = oras.json.decode(out)
      assert.equal("1.0.0-0", found.tags[1])
      assert.equal(#os.getenv "PATH", found.path)
      status, out, err = describe_it(services.get "user", "canary-7c21")
      assert.same({ 4, "" }, { status, out })
      assert.is_nil(err:find("canary", 1, true))
    end)
  end
end)
