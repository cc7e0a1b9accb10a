--- examples/embed/gateway.c: an HTTP server of another's, in one loop with oras, serves files out of a
--- registry. Its clients are tests/e2e/gateway.py.
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local oras = require "oras"

local quote = process.quote
local BUILD <const> = os.getenv "ORAS_TEST_BUILD"
local PROGRAM <const> = (BUILD or "") .. "/examples/embed/example_gateway"
local SIZE <const> = 10000000

local function reason_against()
  if not BUILD or not helper.read(PROGRAM) then
    return "the gateway was not built (ORAS_BUILD_EXAMPLES, libmicrohttpd)"
  end
  return not services.get "registry" and services.missing "registry"
end

local stored

--- A big file in the registry: its path below the gateway and its digest.
local function file()
  if not stored then
    local dir = helper.directory()
    process.sh("head -c " .. SIZE .. " /dev/urandom > %s", dir .. "/big.bin")
    local reference = services.get "registry" .. "/e2e/gateway:1"
    oras.Registry:new():push(reference, { dir .. "/big.bin" }, { disable_path_validation = true })
    local digest = process.sh("sha256sum < %s", dir .. "/big.bin"):match "^%x+"
    local title = oras.Registry:new():get_manifest(reference).layers[1].annotations["org.opencontainers.image.title"]
    stored = { path = reference .. "/" .. title, digest = digest }
  end
  return stored
end

local function scenario(name, registry, path, digest, size)
  local status, out, err = process.shell(table.concat({
    "python3 tests/e2e/gateway.py", name, quote(PROGRAM), "examples/embed/gateway.lua", registry, quote(path),
    digest, tostring(size),
  }, " "))
  assert.same({ 0, "", "" }, { status, out, err })
end

describe("the gateway", function()
  local TITLES <const> = {
    serves = "serves a file, and says what it does not have",
    many = "serves 50 clients at once, in little memory",
    slow = "is not stopped by clients that do not read",
    leaves = "ends the transfers of clients that leave",
  }
  for _, name in ipairs { "serves", "many", "slow", "leaves" } do
    it(TITLES[name], function()
      local reason = reason_against()
      if reason then
        return pending(reason)
      end
      local given = file()
      scenario(name, services.get "registry", given.path, given.digest, SIZE)
    end)
  end

  it("never gives the whole of what is not right", function()
    local reason = reason_against()
    if reason then
      return pending(reason)
    end
    faults.reset()
    local host = faults.host "http"
    local bytes = ("gateway"):rep(100000)
    local dir = helper.directory()
    helper.write(dir .. "/f", bytes)
    oras.Registry:new():push(host .. "/gateway:1", { dir .. "/f" }, { disable_path_validation = true })
    local layer = oras.Registry:new():get_manifest(host .. "/gateway:1").layers[1]
    faults.on { method = "GET", path = "/v2/gateway/blobs/" .. layer.digest, corrupt = 350000, always = true }
    scenario("broken", host, host .. "/gateway:1/" .. layer.annotations["org.opencontainers.image.title"],
      layer.digest:match ":(.*)", #bytes)
    faults.reset()
  end)
end)
