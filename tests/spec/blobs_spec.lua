local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

describe("get_blob", function()
  before_each(faults.reset)

  local function seed(content, repo)
    content.media_type = content.media_type or "application/octet-stream"
    local a = faults.seed { repo = repo or "b/app", tag = "1", layers = { content } }
    return faults.host "http" .. "/" .. (repo or "b/app"), a.layers[1]
  end

  it("gives verified content and JSON as often as wanted", function()
    local ref, layer = seed { data = '{"n":9007199254740993,"list":[]}' }
    local blob = helper.registry():get_blob(ref, layer)

    assert.equal(200, blob.status)
    assert.equal(blob.content, blob.content)
    assert.equal(9007199254740993, blob:json().n)
    assert.is_true(oras.json.is_array(blob:json().list))
    assert.are_not.equal(blob:json(), blob:json())
    assert.equal(tostring(#blob.content), blob.headers["content-length"])
    assert.equal("response 200", tostring(blob))
  end)

  it("takes a digest as well as a descriptor", function()
    local ref, layer = seed { data = "hello" }
    assert.equal("hello", helper.registry():get_blob(ref, layer.digest).content)
  end)

  it("gives chunks and entries of what was not streamed, and content of what was", function()
    local ref, layer = seed { data = "hello" }
    local registry = helper.registry()
    local blob = registry:get_blob(ref, layer)
    for _ = 1, 2 do
      local parts = {}
      for chunk in blob:chunks() do
        parts[#parts + 1] = chunk
      end
      assert.equal("hello", table.concat(parts))
    end
    assert.equal("hello", registry:get_blob(ref, layer, { stream = true }).content)
  end)

  it("streams: bytes come while they arrive", function()
    local ref, layer = seed { size = 3000000 }
    local n, digest = 0, oras.digest.new()
    for chunk in helper.registry():get_blob(ref, layer, { stream = true }):chunks() do
      n = n + 1
      digest:update(chunk)
    end
    assert.equal(layer.digest, digest:final())
    assert.is_true(n > 5)
  end)

  -- The server has seen the client go in the middle of each of n answers.
  local function expect_gone(n)
    local all = faults.wait { path = "/v2/b/app/blobs/*", finished = true, count = n }
    assert.equal(n, #all)
    assert.equal("gone", all[n].outcome)
  end

  it("ends the transfer when the loop is left early, and by close", function()
    local ref, layer = seed { size = 20000000 }
    local registry = helper.registry()
    for chunk in registry:get_blob(ref, layer, { stream = true }):chunks() do
      if #chunk > 0 then
        break
      end
    end
    expect_gone(1)
    do
      local blob <close> = registry:get_blob(ref, layer, { stream = true })
      assert.equal(200, blob.status)
    end
    expect_gone(2)
    local chunks = registry:get_blob(ref, layer, { stream = true }):chunks()
    chunks()
    chunks:close()
    assert.is_nil(chunks())
    expect_gone(3)
  end)

  it("is collected with the transfer behind it", function()
    local ref, layer = seed { size = 20000000 }
    local registry = helper.registry()
    local function begin()
      local chunks = registry:get_blob(ref, layer, { stream = true }):chunks()
      chunks()
    end
    begin()
    collectgarbage()
    collectgarbage()
    expect_gone(1)
  end)

  it("asks for the headers only", function()
    local ref, layer = seed { data = "hello" }
    local blob = helper.registry():get_blob(ref, layer, { head = true })
    assert.equal("5", blob.headers["Content-Length"])
    assert.equal("", blob.content)
    assert.equal("HEAD", faults.log({ path = "/v2/b/app/blobs/*" })[1].method)
  end)

  it("gives a range, also from servers that ignore it", function()
    local ref, layer = seed { data = "0123456789" }
    local registry = helper.registry()
    local blob = registry:get_blob(ref, layer, { range = { 2, 4 } })
    assert.equal(206, blob.status)
    assert.equal("234", blob.content)
    faults.on { path = "/v2/b/app/blobs/*", ignore_range = true, always = true }
    assert.equal("234", registry:get_blob(ref, layer, { range = { 2, 4 } }).content)
  end)

  it("N39 gives what there is of a range, and says when there is nothing", function()
    local ref, layer = seed { data = "0123456789" }
    local path = helper.directory()
    helper.write(path .. "/oci-layout", '{"imageLayoutVersion":"1.0.0"}')
    helper.write(path .. "/index.json", '{"schemaVersion":2,"manifests":[]}')
    os.execute(("mkdir -p '%s/blobs/sha256'"):format(path))
    helper.write(path .. "/blobs/" .. layer.digest:gsub(":", "/"), "0123456789")
    local registry = helper.registry()
    local function check(place, blob)
      for _, last in ipairs { 9, 10, 1 << 40, math.maxinteger } do
        assert.equal("0123456789", registry:get_blob(place, blob, { range = { 0, last } }).content)
        assert.equal("9", registry:get_blob(place, blob, { range = { 9, last } }).content)
      end
      for _, range in ipairs { { 10, 10 }, { 99, math.maxinteger }, { 1 << 62, math.maxinteger } } do
        local err = helper.fails(registry, "get_blob", place, blob, { range = range })
        assert.equal("usage", err.class)
        assert.matches(('blob "%s" in %s: the range begins at %d, '):format(
          layer.digest, registry:get_container(place):place(), range[1]), err.message, 1, true)
      end
    end
    for _, place in ipairs { ref, "oci:" .. path } do
      check(place, layer)
      check(place, layer.digest)
    end
    faults.on { path = "/v2/b/app/blobs/*", ignore_range = true, always = true }
    check(ref, layer)
    helper.clean()
  end)

  it("N39 refuses a wrong range", function()
    local ref, layer = seed { data = "0123456789" }
    faults.on { path = "/v2/b/app/blobs/*", set = { ["Content-Range"] = "bytes 3-5/10" }, always = true }
    assert.equal("protocol", helper.fails(helper.registry(), "get_blob", ref, layer, { range = { 2, 4 } }).class)
  end)

  it("refuses bad arguments at the caller's line, before any request", function()
    local ref = faults.host "http" .. "/b/app"
    local registry = helper.registry()
    for _, blob in ipairs { "", "sha256:", "sha256:zz", "nonsense", "md5:d41d8cd98f00b204e9800998ecf8427e", {} } do
      assert.equal("usage", helper.fails(registry, "get_blob", ref, blob).class)
    end
    local digest = oras.digest.of "x"
    assert.equal("usage", helper.fails(registry, "get_blob", ref, { digest = digest, size = 1.5 }).class)
    assert.matches("the reference comes before", helper.fails(registry, "get_blob", { digest = digest }, ref).message)
    for _, range in ipairs { { 5, 2 }, { 5 }, { -1, 2 }, { "0", 2 }, { 0.5, 2 }, {} } do
      assert.matches("range is", helper.fails(registry, "get_blob", ref, digest, { range = range }).message)
    end
    assert.matches("stream%?", helper.fails(registry, "get_blob", ref, digest, { streem = true }).message)
    assert.same({}, faults.log { listener = "http" })
  end)

  it("C01 C02 refuses altered, long and short blobs, streamed or not", function()
    local ref, layer = seed { data = ("x"):rep(1000) }
    for _, rule in ipairs {
      { corrupt = 500 }, { body = ("x"):rep(1001), status = 200 }, { body = ("x"):rep(999), status = 200 },
    } do
      faults.reset { content = false }
      rule.path, rule.always = "/v2/b/app/blobs/*", true
      faults.on(rule)
      local function read(stream)
        return helper.registry():get_blob(ref, layer, { stream = stream }).content
      end
      for _, stream in ipairs { false, true } do
        local _, err = oras.try(read, stream)
        assert.equal("integrity", err.class)
        assert.equal(layer.digest, err.digest)
        assert.equal("GET", err.method)
        assert.matches("/v2/b/app/blobs/" .. layer.digest, err.url, 1, true)
      end
    end
  end)

  it("C01 tries once more when the bytes were wrong", function()
    local ref, layer = seed { data = "hello" }
    faults.on { path = "/v2/b/app/blobs/*", corrupt = 1 }
    assert.equal("hello", helper.registry():get_blob(ref, layer).content)
  end)

  it("stops at the limit for memory", function()
    local ref, layer = seed { size = 100000 }
    local registry = helper.registry { limits = { blob = 1000 } }
    assert.equal("limit", helper.fails(registry, "get_blob", ref, layer).class)
    assert.equal(100000, #registry:get_blob(ref, layer, { max_bytes = 100000 }).content)
    assert.equal(100000, #registry:get_blob(ref, layer, { stream = true }).content)
  end)

  it("N35 says which blob is missing", function()
    local ref = seed { data = "x" }
    local err = helper.fails(helper.registry(), "get_blob", ref, oras.digest.of "other")
    assert.equal("BLOB_UNKNOWN", err.code)
    assert.equal(('no blob "%s" in %s'):format(oras.digest.of "other", ref), err.message)
  end)

  it("sends concurrent requests for many blobs from tasks", function()
    local contents = {}
    for i = 1, 30 do
      contents[i] = { data = "blob " .. i }
    end
    local a = faults.seed { repo = "b/many", tag = "1", layers = contents }
    local registry = helper.registry()
    local ref = faults.host "http" .. "/b/many"
    local got = oras.map(a.layers, function(layer)
      return registry:get_blob(ref, layer).content
    end)
    for i = 1, 30 do
      assert.equal("blob " .. i, got[i])
    end
  end)
end)

describe("blob_exists", function()
  before_each(faults.reset)

  it("is true, false, or raises what cannot be answered", function()
    local a = faults.seed { repo = "b/is", tag = "1", layers = { { data = "x" } } }
    local ref = faults.host "http" .. "/b/is"
    local registry = helper.registry()

    assert.is_true(registry:blob_exists(ref, a.layers[1]))
    assert.is_false(registry:blob_exists(ref, oras.digest.of "other"))
    faults.on { path = "/v2/b/is/blobs/*", status = 403 }
    assert.equal("denied", helper.fails(registry, "blob_exists", ref, a.layers[1]).class)
  end)

  it("N50 asks by GET where HEAD is not allowed", function()
    local a = faults.seed { repo = "b/is", tag = "1", layers = { { size = 5000000 } } }
    faults.on { path = "/v2/b/is/blobs/*", method = "HEAD", status = 405, always = true }
    local registry = helper.registry()
    assert.is_true(registry:blob_exists(faults.host "http" .. "/b/is", a.layers[1]))
    assert.is_false(registry:blob_exists(faults.host "http" .. "/b/is", oras.digest.of "other"))
  end)
end)

describe("download_blob", function()
  local directory
  before_each(function()
    faults.reset()
    directory = helper.directory()
  end)
  after_each(helper.clean)

  local function seed(content)
    local a = faults.seed { repo = "d/app", tag = "1", layers = { content } }
    return faults.host "http" .. "/d/app", a.layers[1]
  end

  local function gets()
    return faults.log { method = "GET", path = "/v2/d/app/blobs/*" }
  end

  it("gives the path of a complete, verified file; directories are made", function()
    local ref, layer = seed { data = "hello" }
    local path = directory .. "/a/b/file"

    assert.equal(path, helper.registry():download_blob(ref, layer, path))
    assert.equal("hello", helper.read(path))
    assert.equal("file", helper.list(directory .. "/a/b"))
  end)

  it("takes a digest without a size, and an empty blob", function()
    local ref, layer = seed { data = "" }
    helper.registry():download_blob(ref, layer.digest, directory .. "/empty")
    assert.equal("", helper.read(directory .. "/empty"))
  end)

  it("L08 overwrites by default and refuses when told to", function()
    local ref, layer = seed { data = "new" }
    local path = helper.write(directory .. "/file", "old")
    local err = helper.fails(helper.registry(), "download_blob", ref, layer, path, { overwrite = false })

    assert.equal("exists", err.class)
    assert.equal("old", helper.read(path))
    assert.same({}, gets())
    helper.registry():download_blob(ref, layer, path)
    assert.equal("new", helper.read(path))
  end)

  it("L02 names the target that cannot be", function()
    local ref, layer = seed { data = "x" }
    helper.write(directory .. "/file", "x")
    for _, path in ipairs { directory, directory .. "/file/below" } do
      local err = helper.fails(helper.registry(), "download_blob", ref, layer, path)
      assert.is_truthy(({ io = true, path = true, exists = true })[err.class], err.class)
      assert.matches(directory, err.message, 1, true)
    end
    assert.equal("io", helper.fails(helper.registry(), "download_blob", ref, layer, "/proc/none/x").class)
  end)

  it("N03 N04 goes on with a range where the connection broke", function()
    for _, how in ipairs { "rst", "fin" } do
      faults.reset()
      local ref, layer = seed { size = 3000000 }
      faults.on { method = "GET", path = "/v2/d/app/blobs/*", cut = 2000000, how = how }
      helper.registry():download_blob(ref, layer, directory .. "/" .. how)

      assert.equal(layer.digest, oras.digest.of_file(directory .. "/" .. how))
      local all = gets()
      assert.equal(2, #all)
      local first = tonumber(faults.header(all[2], "range"):match "^bytes=(%d+)%-")
      assert.is_true(first > 0 and first <= 2000000)
    end
    assert.equal("fin rst", helper.list(directory))
  end)

  it("L09 removes what dead processes left behind, with the first success in a directory", function()
    local ref, layer = seed { size = 100 }
    helper.write(directory .. "/.oras-partial-own-0123", "left")
    helper.write(directory .. "/.oras-partial-sha256-old", "left")
    helper.write(directory .. "/.oras-partial-sha256-new", "to be taken up")
    os.execute(("touch -d @1000 '%s/.oras-partial-sha256-old'"):format(directory))
    helper.registry():download_blob(ref, layer, directory .. "/file")
    assert.equal(".oras-partial-sha256-new file", helper.list(directory))
  end)

  it("goes on in the next process, and not when resume is false", function()
    local ref, layer = seed { size = 3000000 }
    faults.on { method = "GET", path = "/v2/d/app/blobs/*", cut = 2000000, how = "rst" }
    local once = helper.registry { retry = { tries = 1 } }
    local err = helper.fails(once, "download_blob", ref, layer, directory .. "/file")
    assert.equal("network", err.class)
    assert.equal(1, err.attempts)
    assert.matches("^%.oras%-partial%-", helper.list(directory))

    helper.registry():download_blob(ref, layer, directory .. "/file")
    assert.equal(layer.digest, oras.digest.of_file(directory .. "/file"))
    assert.is_truthy(faults.header(gets()[2], "range"))
    assert.equal("file", helper.list(directory))

    faults.on { method = "GET", path = "/v2/d/app/blobs/*", cut = 2000000, how = "rst" }
    helper.fails(once, "download_blob", ref, layer, directory .. "/other", { resume = false })
    assert.equal("file", helper.list(directory))
  end)

  it("N38 begins anew when the range is refused", function()
    local ref, layer = seed { size = 300000 }
    faults.script {
      { method = "GET", path = "/v2/d/app/blobs/*", cut = 200000, how = "rst" },
      { method = "GET", path = "/v2/d/app/blobs/*", has = { range = "." }, status = 416 },
    }
    helper.registry():download_blob(ref, layer, directory .. "/file")
    assert.equal(layer.digest, oras.digest.of_file(directory .. "/file"))
    local all = gets()
    assert.equal(3, #all)
    assert.is_nil(faults.header(all[3], "range"))
  end)

  it("N39 N40 begins anew when the range is ignored or the content changed", function()
    local ref, layer = seed { size = 300000 }
    faults.script {
      { method = "GET", path = "/v2/d/app/blobs/*", cut = 200000, how = "rst" },
      { method = "GET", path = "/v2/d/app/blobs/*", ignore_range = true },
    }
    helper.registry():download_blob(ref, layer, directory .. "/ignored")
    assert.equal(layer.digest, oras.digest.of_file(directory .. "/ignored"))

    faults.reset { content = false }
    faults.script {
      { method = "GET", path = "/v2/d/app/blobs/*", cut = 200000, how = "rst" },
      { method = "GET", path = "/v2/d/app/blobs/*", corrupt = 10 },
    }
    helper.registry():download_blob(ref, layer, directory .. "/changed")
    assert.equal(layer.digest, oras.digest.of_file(directory .. "/changed"))
    assert.is_nil(faults.header(gets()[3], "range"))
  end)

  it("C01 C02 leaves nothing of a wrong blob", function()
    local ref, layer = seed { size = 300000 }
    for _, rule in ipairs {
      { corrupt = 1000 }, { status = 200, body_size = 300001 }, { status = 200, body_size = 299999 },
    } do
      faults.reset { content = false }
      rule.path, rule.always = "/v2/d/app/blobs/*", true
      faults.on(rule)
      local err = helper.fails(helper.registry(), "download_blob", ref, layer, directory .. "/file")
      assert.equal("integrity", err.class)
      assert.equal(2, #gets())
      assert.equal("", helper.list(directory))
    end
  end)

  it("leaves nothing of a blob that is not there", function()
    local ref = seed { data = "x" }
    helper.fails(helper.registry(), "download_blob", ref, oras.digest.of "other", directory .. "/file")
    collectgarbage()
    assert.equal("", helper.list(directory))
  end)

  it("C02 does not believe a huge size", function()
    local ref, layer = seed { data = "hello" }
    local huge = { digest = layer.digest, size = 1 << 62 }
    assert.equal("integrity", helper.fails(helper.registry(), "download_blob", ref, huge, directory .. "/file").class)
  end)

  it("reports progress", function()
    local ref, layer = seed { size = 3000000 }
    faults.on { path = "/v2/d/app/blobs/*", trickle = { bytes = 300000, every = 0.05 } }
    local registry = helper.registry()
    local seen = {}
    registry:on("progress", function(event)
      seen[#seen + 1] = event.done
      assert.equal(layer.digest, event.digest)
      assert.equal(3000000, event.total)
    end)
    registry:download_blob(ref, layer, directory .. "/file")
    assert.is_true(#seen > 0)
    for i = 2, #seen do
      assert.is_true(seen[i] >= seen[i - 1])
    end
    assert.equal(3000000, seen[#seen])
  end)

  it("reports the end of a short transfer, once, and nothing of one that failed", function()
    local ref, layer = seed { data = "hello" }
    local registry = helper.registry()
    local seen = {}
    registry:on("progress", function(event)
      seen[#seen + 1] = ("%s %d %d"):format(event.digest, event.done, event.total)
    end)
    local expected = layer.digest .. " 5 5"
    registry:download_blob(ref, layer, directory .. "/file")
    assert.same({ expected }, seen)
    registry:get_blob(ref, layer.digest)
    assert.same({ expected, expected }, seen)
    registry:get_blob(ref, layer, { head = true })
    helper.fails(registry, "get_blob", ref, oras.digest.of "none")
    assert.same({ expected, expected }, seen)
  end)

  it("goes through an override of do_request and get_container", function()
    local ref, layer = seed { data = "hello" }
    local Mirror = oras.Registry:extend "Mirror"
    local calls = {}
    function Mirror:do_request(method, url, opts)
      calls[#calls + 1] = method
      return Mirror.super.do_request(self, method, url, opts)
    end
    function Mirror:get_container(name)
      return Mirror.super.get_container(self, name == "alias" and ref or name)
    end
    Mirror:new():download_blob("alias", layer, directory .. "/file")
    assert.same({ "GET" }, calls)
    assert.equal("hello", helper.read(directory .. "/file"))
  end)
end)
