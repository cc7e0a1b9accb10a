--- However much a server sends, a process stays small. Each case runs in a process of its own,
--- which says at the end how large it ever was (VmHWM).
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local MOST <const> = 32 * 1024 -- KiB
local REPO <const> = "m/app"

local PRELUDE <const> = [[
  local oras = require "oras"
  local ref, digest, size, target = ...
  local registry = oras.Registry:new {
    config_path = "/nonexistent/config.json", retry = { tries = 1 }, timeout = { total = 45 },
  }
  local layer = { digest = digest, size = math.tointeger(size) }
  local function run()
]]

local FINALE <const> = [[
  end
  local good, result = pcall(run)
  local file <close> = io.open "/proc/self/status"
  print(good and (result or "good") or result.class or result, file:read("a"):match "VmHWM:%s*(%d+)")
]]

local function is_sanitized()
  return process.shell(("ldd %s | grep -q -e libasan -e libtsan"):format(process.quote(process.oras_lua))) == 0
end

describe("memory", function()
  local directory
  before_each(function()
    faults.reset()
    directory = helper.directory()
  end)
  after_each(helper.clean)

  -- Run the body in a process that stays below `most` KiB; gives what it returned, or the class
  -- of its error.
  local function run(body, ref, layer, target, most)
    most = most or MOST
    local script = helper.write(directory .. "/run.lua", PRELUDE .. body .. FINALE)
    local status, out, err = process.run(script, ref, layer.digest, layer.size or "", target or "")
    assert.equal(0, status, err)
    local result, peak = out:match "^(%S+)\t(%d+)\n$"
    if not is_sanitized() then
      assert.is_true(tonumber(peak) < most, ("%s: %s KiB, expected less than %d"):format(result, peak, most))
    end
    return result
  end

  local function seed(repo)
    local made = faults.seed { repo = repo or REPO, tag = "1", layers = { { data = "hello" } } }
    return faults.host "http" .. "/" .. (repo or REPO) .. ":1", made.layers[1]
  end

  it("C05 does not follow an endless manifest, list, index or token", function()
    local ref, layer = seed()
    for _, endless in ipairs { "body", "chunks" } do
      faults.on { path = "/v2/m/app/manifests/*", status = 200, endless = endless, always = true }
      assert.equal("limit", run("registry:get_manifest(ref)", ref, layer))
      faults.on { path = "/v2/m/app/tags/*", status = 200, endless = endless, always = true }
      -- a page of tags may have 32 MiB, in a buffer that doubles
      assert.equal("limit", run("registry:get_tags(ref)", ref, layer, nil, 3 * MOST))
      faults.reset { content = false }
    end
    local protected = seed "public/app"
    faults.on { path = "/token", status = 200, endless = "body", always = true }
    assert.equal("limit", run("registry:get_manifest(ref)", protected, layer))
  end)

  it("N51 does not follow an endless error page, redirect or challenge", function()
    local ref, layer = seed()
    local path = "/v2/m/app/blobs/*"
    faults.on { path = path, status = 404, endless = "body" }
    assert.equal("not_found", run("registry:get_blob(ref, digest)", ref, layer))
    faults.on { path = path, status = 500, endless = "chunks" }
    assert.equal("server", run("registry:get_blob(ref, digest)", ref, layer))
    local location = { Location = ("/v2/m/app/blobs/%s?again"):format(layer.digest) }
    faults.on { path = path, status = 307, endless = "body", headers = location }
    assert.equal("good", run("assert(registry:get_blob(ref, digest).content == 'hello')", ref, layer))
    local challenge = { ["WWW-Authenticate"] = ('Bearer realm="%s/token",service="s"'):format(faults.url()) }
    faults.on { path = path, status = 401, endless = "body", headers = challenge }
    assert.equal("good", run("assert(registry:get_blob(ref, digest).content == 'hello')", ref, layer))
  end)

  it("N11 does not follow endless headers and interim replies", function()
    local ref, layer = seed()
    for _, endless in ipairs { "headers", "interim" } do
      faults.on { path = "/v2/m/app/*", endless = endless, always = true }
      assert.equal("protocol", run("registry:get_blob(ref, digest)", ref, layer))
      faults.reset { content = false }
    end
  end)

  it("C02 does not follow a body that is longer than its descriptor says", function()
    local ref, layer = seed()
    for _, endless in ipairs { "body", "chunks" } do
      faults.on { path = "/v2/m/app/blobs/*", status = 200, endless = endless, always = true }
      assert.equal("integrity", run("registry:get_blob(ref, layer)", ref, layer))
      assert.equal("integrity", run("registry:download_blob(ref, layer, target)", ref, layer, directory .. "/file"))
      assert.equal("run.lua", helper.list(directory))
      faults.reset { content = false }
    end
  end)

  -- The limit of time is no figure: at 5 MB a second (one wait for each piece) it is not met.
  it("stays flat while 256 MiB stream through", function()
    local ref = seed()
    for _, endless in ipairs { "body", "chunks" } do
      faults.on { path = "/v2/m/app/blobs/*", status = 200, endless = endless, always = true }
      local result = run([[
        local n = 0
        for chunk in registry:get_blob(ref, digest, { stream = true }):chunks() do
          n = n + #chunk
          if n >= 256 << 20 then
            return "much"
          end
        end
      ]], ref, { digest = "sha256:" .. ("0"):rep(64) })
      assert.equal("much", result)
      faults.reset { content = false }
    end
  end)

  it("stays flat while a stream is not read", function()
    local ref, layer = seed()
    local big = { digest = "sha256:" .. ("0"):rep(64) }
    faults.on { path = "/v2/m/app/blobs/" .. big.digest, status = 200, endless = "body", always = true }
    local body = ([[
      local streams = {}
      for i = 1, 8 do
        local chunks = registry:get_blob(ref, digest, { stream = true }):chunks()
        assert(#chunks() > 0)
        streams[i] = chunks
      end
      for _ = 1, 200 do
        assert(registry:get_blob(ref, %q).content == "hello")
      end
      for i = 1, 8 do
        assert(#streams[i]() > 0)
      end
      return "kept"
    ]]):format(layer.digest)
    assert.equal("kept", run(body, ref, big))
  end)

  it("stays flat over a thousand requests", function()
    local ref, layer = seed()
    local body = [[
      local function peak()
        collectgarbage()
        local file <close> = io.open "/proc/self/status"
        return tonumber(file:read("a"):match "VmRSS:%s*(%d+)")
      end
      local function some()
        for _ = 1, 500 do
          assert(registry:get_blob(ref, digest).content == "hello")
          pcall(registry.get_blob, registry, ref, "sha256:" .. ("0"):rep(64))
        end
        return peak()
      end
      local first, second = some(), some()
      return second - first < 512 and "flat" or ("grew by %d KiB"):format(second - first):gsub(" ", "-")
    ]]
    if is_sanitized() then
      pending "memory is not measured under a sanitizer"
      return
    end
    assert.equal("flat", run(body, ref, layer))
  end)

  it("is below 32 MiB for a download of 1 GiB, verified", function()
    local host, root = services.get "cdn", services.get "cdn_root"
    if not host then
      pending(services.missing "cdn")
      return
    elseif is_sanitized() then
      pending "memory is not measured under a sanitizer"
      return
    end
    -- a sparse file: SHA-256 of 1 GiB of zeros
    local digest = "sha256:49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14"
    local path = ("%s/blobs/sha256/%s"):format(root, digest:sub(8))
    assert(os.execute(("truncate -s 1G '%s'"):format(path)))
    local layer = { digest = digest, size = 1 << 30 }
    local body = "registry:download_blob(ref, layer, target) return 'all'"
    local result = run(body, host .. "/m/big", layer, directory .. "/big")
    os.remove(path)
    assert.equal("all", result)
  end)
end)
