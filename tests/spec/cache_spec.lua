--- Registry:new { cache = DIR }, and ORAS_CACHE of the command line.
local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local GZIP <const> = oras.oci.media_types.layer_gzip
local MIB <const> = 1024 * 1024

describe("a shared cache", function()
  local dir, cache, artifact, ref

  before_each(function()
    faults.reset()
    dir = helper.directory()
    cache = dir .. "/cache"
    ref = faults.host "http" .. "/c/app:1"
    artifact = faults.seed {
      repo = "c/app", tag = "1", config = { data = '{"a":1}', media_type = "application/vnd.test+json" },
      layers = { { data = "hello", title = "a.txt" }, { size = 3 * MIB, title = "b.bin" } },
    }
  end)

  after_each(helper.clean)

  local function registry(opts)
    opts = opts or {}
    opts.cache = cache
    return helper.registry(opts)
  end

  local function blob(digest)
    return ("%s/blobs/%s"):format(cache, (digest:gsub(":", "/")))
  end

  -- Every blob of the cache is what its name says, and there is nothing else.
  local function is_sound()
    local listed = process.sh("cd %s/blobs/sha256 && sha256sum * | awk '$1 != $2'; ls -A | grep -v '^[0-9a-f]*$' || :",
      cache)
    assert.equal("", listed)
  end

  local function downloads()
    return faults.count { method = "GET", path = "*/blobs/*" }.total
  end

  -- Ways to get the second layer's bytes.
  local ways = {
    ["into memory"] = function(object)
      return object:get_blob(ref, artifact.layers[2]).content
    end,
    ["as a stream"] = function(object)
      local parts = {}
      for chunk in object:get_blob(ref, artifact.layers[2], { stream = true }):chunks() do
        parts[#parts + 1] = chunk
      end
      return table.concat(parts)
    end,
    ["into a file"] = function(object)
      return helper.read(object:download_blob(ref, artifact.layers[2], dir .. "/file"))
    end,
    ["by a copy"] = function(object)
      local target = dir .. "/copy" .. tostring(object):gsub("%W", "")
      object:copy(ref, "oci:" .. target .. ":1")
      return helper.read(target .. "/blobs/" .. artifact.layers[2].digest:gsub(":", "/"))
    end,
    ["by a pull"] = function(object)
      object:pull(ref, { outdir = dir .. "/out" })
      return helper.read(dir .. "/out/b.bin")
    end,
  }

  local function good(bytes)
    return bytes ~= nil and core.digest.of(bytes) == artifact.layers[2].digest
  end

  for name, get in pairs(ways) do
    it("is filled and read: " .. name, function()
      assert.is_true(good(get(registry())))
      assert.is_true(good(helper.read(blob(artifact.layers[2].digest))))
      local before = downloads()
      os.execute(("rm -rf '%s/file' '%s/out' '%s'/copy*"):format(dir, dir, dir))
      assert.is_true(good(get(registry())))
      assert.equal(before, downloads())
      is_sound()
    end)

    for how, spoil in pairs {
      ["another byte"] = "printf XXXXXXXX | dd of=%s bs=1 seek=100000 conv=notrunc status=none",
      ["a part"] = "truncate -s 1000 %s", ["nothing"] = "truncate -s 0 %s", ["more"] = "printf x >>%s",
    } do
      it(("has %s for a blob, which is fetched anew: %s"):format(how, name), function()
        local path = blob(artifact.layers[2].digest)
        assert.is_true(good(ways["into a file"](registry())))
        process.sh(spoil, path)
        os.execute(("rm -rf '%s/file' '%s/out' '%s'/copy*"):format(dir, dir, dir))
        assert.is_true(good(get(registry())))
        assert.equal(2, faults.count { method = "GET", path = "*/blobs/" .. artifact.layers[2].digest }.total)
        is_sound()
      end)
    end
  end

  for how, spoil in pairs {
    ["a link"] = "f=%s; rm $f && ln -s /etc/passwd $f", ["a FIFO"] = "f=%s; rm $f && mkfifo $f",
    ["a directory"] = "f=%s; rm $f && mkdir $f",
  } do
    it(("has %s for a blob, and is not used for it"):format(how), function()
      assert.is_true(good(ways["into a file"](registry())))
      process.sh(spoil, blob(artifact.layers[2].digest))
      for name, get in pairs(ways) do
        os.execute(("rm -rf '%s/file' '%s/out' '%s'/copy*"):format(dir, dir, dir))
        assert.is_true(good(get(registry())), name)
      end
    end)
  end

  it("gives manifests and configs by digest without a request, and tags as the registry has them", function()
    local by_digest = ref:gsub(":1$", "@" .. artifact.digest)
    registry():get_config(ref)
    faults.reset { content = false }
    local object = registry()
    assert.equal(artifact.digest, object:get_manifest(by_digest):descriptor().digest)
    assert.equal(1, object:get_config(by_digest).a)
    assert.equal(0, faults.count({}).total)
    object:get_manifest(ref)
    assert.equal(1, faults.count({}).total)
  end)

  it("has a whole pull by digest without a request", function()
    local by_digest = ref:gsub(":1$", "@" .. artifact.digest)
    registry():pull(ref, { outdir = dir .. "/one" })
    faults.reset { content = false }
    registry():pull(by_digest, { outdir = dir .. "/two" })
    assert.equal(0, faults.count({}).total)
    process.sh("diff -r %s %s", dir .. "/one", dir .. "/two")
  end)

  it("keeps no manifest whose type only the registry tells", function()
    local manifest = ('{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.empty.v1+json",'
      .. '"digest":"%s","size":7},"layers":[]}'):format(artifact.config.digest)
    local seeded = faults.seed { repo = "c/app", tag = "2", manifest = manifest }
    local by_digest = ref:gsub(":1$", "@" .. seeded.digest)
    registry():get_manifest(by_digest)
    registry():get_manifest(by_digest)
    assert.equal(2, faults.count { method = "GET", path = "*/manifests/*" }.total)
  end)

  it("does not say that a repository has a blob", function()
    local object = registry()
    object:get_blob(ref, artifact.layers[1])
    assert.is_false(object:blob_exists(faults.host "http" .. "/other/app", artifact.layers[1]))
    assert.equal("not_found",
      helper.fails(object, "get_blob", faults.host "http" .. "/other/app", artifact.layers[1], { head = true }).class)
  end)

  it("unpacks what is good, and fetches what is not", function()
    process.sh("mkdir -p %s/t/tree && head -c 300000 /dev/urandom >%s/t/tree/a", dir, dir)
    process.sh("tar -C %s/t -czf %s/t.gz tree", dir, dir)
    local seeded = faults.seed { repo = "c/tree", tag = "1", layers = { {
      data = helper.read(dir .. "/t.gz"), title = "tree", media_type = GZIP,
      annotations = { ["io.deis.oras.content.unpack"] = "true" },
    } } }
    ref = faults.host "http" .. "/c/tree:1"
    local broken = "printf XXXXXXXX | dd of=%s bs=1 seek=5000 conv=notrunc status=none"
    for i, spoil in ipairs { "true %s", "true %s", broken } do
      process.sh(spoil, blob(seeded.layers[1].digest))
      registry():pull(ref, { outdir = dir .. "/out" .. i })
      process.sh("diff -r %s %s", dir .. "/t", dir .. "/out" .. i)
    end
    assert.equal(2, downloads())
    is_sound()
  end)

  it("refuses what has another size than was said, and has its own", function()
    registry():get_blob(ref, artifact.layers[1])
    local err = helper.fails(registry(), "get_blob", ref, { digest = artifact.layers[1].digest, size = 4 })
    assert.equal("integrity", err.class)
    assert.equal("limit",
      helper.fails(registry(), "get_blob", ref, artifact.layers[1].digest, { max_bytes = 3 }).class)
  end)

  it("takes nothing from a registry that gives other bytes", function()
    faults.on { path = "*/blobs/*", corrupt = 1000, always = true }
    for name, get in pairs(ways) do
      local value, err = oras.try(get, registry { retry = { tries = 1 } })
      assert.is_nil(value, name)
      assert.equal("integrity", err.class, name)
    end
    assert.is_nil(helper.read(blob(artifact.layers[2].digest)))
  end)

  it("W1 goes on in the cache where a download was cut", function()
    faults.on { path = "*/blobs/" .. artifact.layers[2].digest, cut = 1 * MIB }
    local object = registry { retry = { tries = 1 } }
    helper.fails(object, "download_blob", ref, artifact.layers[2], dir .. "/file")
    registry():download_blob(ref, artifact.layers[2], dir .. "/file")
    local gets = faults.log { method = "GET", path = "*/blobs/*" }
    assert.equal("bytes=1048576-", faults.header(gets[2], "range"))
    is_sound()
  end)

  -- What oras-lua says to a pull with the cache at that path.
  local function pull(path, before)
    return process.shell(("%s; ORAS_CACHE=%s DOCKER_CONFIG=/nonexistent %s pull %s -o '%s/out'"):format(
      before or "true", process.quote(path), process.quote(process.oras_lua), ref, dir))
  end

  local function warns_once(status, out, err)
    assert.equal(0, status, err)
    assert.matches("b%.bin", out)
    assert.equal(1, select(2, err:gsub("\n", "")), err)
    assert.matches('^oras%-lua: warning: the cache ".*" is not written: ', err)
    assert.is_true(good(helper.read(dir .. "/out/b.bin")))
  end

  it("W15 that cannot be written gives one warning, and the work is done without", function()
    helper.write(dir .. "/file", "x")
    process.sh("mkdir -p %s/foreign && touch %s/foreign/x && tar -cf %s/a.tar -C / etc/hostname", dir, dir, dir)
    for _, path in ipairs { "/file", "/file/below", "/foreign", "/a.tar" } do
      warns_once(pull(dir .. path))
      os.remove(dir .. "/out/b.bin")
    end
    registry():get_blob(ref, artifact.layers[1])
    process.sh("rm -r %s/blobs && touch %s/blobs", cache, cache)
    warns_once(pull(cache))
  end)

  it("W15 on a disk that is full is read, and not written", function()
    local mount = ("mkdir -p '%s' && mount -t tmpfs -o size=1m none '%s'"):format(cache, cache)
    if process.shell(("unshare -m sh -c %s"):format(process.quote(mount))) ~= 0 then
      return pending "no file system can be mounted here"
    end
    local command = ("%s && ORAS_CACHE=%s DOCKER_CONFIG=/nonexistent %s pull %s -o %s/out && ls -A %s/blobs/sha256")
      :format(mount, cache, process.oras_lua, ref, dir, cache)
    local status, out, err = process.shell(("unshare -m sh -c %s"):format(process.quote(command)))
    warns_once(status, out, err)
    assert.is_nil(out:find("partial", 1, true))
  end)

  it("ORAS_CACHE is for the command line; the library does not read it", function()
    local script = ('require("oras").Registry:new():get_blob("%s", "%s")'):format(ref, artifact.layers[1].digest)
    process.sh("ORAS_CACHE=%s %s -e %s", cache, process.oras_lua, script)
    assert.is_nil(helper.read(cache .. "/oci-layout"))
    assert.equal(0, (pull(cache)))
    assert.is_true(good(helper.read(blob(artifact.layers[2].digest))))
    process.sh("rm -r %s/out", dir)
    local before = downloads()
    assert.equal(0, (pull(cache)))
    assert.equal(before, downloads())
    assert.equal(0, (pull "")) -- empty is none
  end)

  it("W15 is filled by eight processes at once, of which one is killed", function()
    local refs = { ref, ref, ref, ref }
    for i = 1, 4 do
      local repo = "c/other" .. i
      faults.seed { repo = repo, tag = "1", layers = {
        { size = 3 * MIB, title = "b.bin" }, { size = 2 * MIB, seed = i, title = "own.bin" },
      } }
      refs[#refs + 1] = faults.host "http" .. "/" .. repo .. ":1"
    end
    -- all are in the middle of a blob when the first is killed
    local path = "*/blobs/" .. artifact.layers[2].digest
    faults.on { path = path, method = "GET", hold_body = "held", hold_at = 500000, always = true }
    local lines = { ("export ORAS_CACHE='%s' DOCKER_CONFIG=/nonexistent"):format(cache) }
    for i, one in ipairs(refs) do
      lines[#lines + 1] = ("%s pull %s -o %s/p%d >%s/log%d 2>&1 & p%d=$!"):format(
        process.oras_lua, one, dir, i, dir, i, i)
    end
    local control = faults.state().control
    lines[#lines + 1] = ("curl -s '%s/wait?method=GET&path=%s&count=8&timeout=20' >/dev/null"):format(control, path)
    lines[#lines + 1] = "kill -9 $p1; wait $p1 2>/dev/null"
    lines[#lines + 1] = ("curl -s -d '{\"name\": \"held\"}' %s/release >/dev/null"):format(control)
    lines[#lines + 1] = "status=0; for p in $p2 $p3 $p4 $p5 $p6 $p7 $p8; do wait $p || status=1; done; exit $status"
    local status, _, err = process.shell(table.concat(lines, "\n"))
    assert.equal(0, status, err)
    for i = 2, 8 do
      assert.is_true(good(helper.read(("%s/p%d/b.bin"):format(dir, i))), i)
    end
    faults.reset { content = false }
    registry():pull(refs[1], { outdir = dir .. "/again" })
    assert.is_true(good(helper.read(dir .. "/again/b.bin")))
    registry():get_blob(ref, artifact.layers[1])
    -- the part of the one that was killed is kept for a day; no other is left
    process.sh("cd %s/blobs/sha256 && rm -f .oras-partial-sha256-" .. artifact.layers[2].digest:sub(8), cache)
    is_sound()
    assert.equal(0, downloads()) -- what the others brought is there
  end)

  describe("of oras", function()
    local peer = (os.getenv "ORAS_TEST_PEERS" or "") .. "/oras"

    local function oras_it(name, fn)
      it(name, function()
        local host = services.get "registry"
        if not host or not helper.read(peer) then
          return pending(host and "there is no oras" or services.missing "registry")
        end
        fn(host)
      end)
    end

    local function theirs(...)
      local words = {}
      for i, word in ipairs { ... } do
        words[i] = process.quote(word)
      end
      words = table.concat(words, " ")
      return process.sh(("cd %s && HOME=%s ORAS_CACHE=%s %s %s"):format(dir, dir, cache, peer, words))
    end

    local function push(host)
      helper.write(dir .. "/f.bin", ("0123456789"):rep(100000))
      theirs("push", "--plain-http", host .. "/cache/app:1", "f.bin")
      return host .. "/cache/app:1"
    end

    oras_it("is read by us", function(host)
      ref = push(host)
      theirs("pull", "--plain-http", ref, "-o", dir .. "/theirs")
      local seen = {}
      local object = registry()
      object:on("request", function(request)
        seen[#seen + 1] = request.url:match "/(%a+)/[^/]*$"
      end)
      object:pull(ref, { outdir = dir .. "/ours" })
      assert.same({ "manifests" }, seen)
      process.sh("diff -r %s %s", dir .. "/ours", dir .. "/theirs")
      is_sound()
    end)

    oras_it("can be ours", function(host)
      ref = push(host)
      registry():pull(ref, { outdir = dir .. "/ours" })
      local digest = registry():get_manifest(ref).layers[1].digest
      local inode = process.sh("stat -c %%i %s", blob(digest))
      theirs("pull", "--plain-http", ref, "-o", dir .. "/theirs")
      process.sh("diff -r %s %s", dir .. "/ours", dir .. "/theirs")
      assert.equal(inode, process.sh("stat -c %%i %s", blob(digest))) -- they took it
      is_sound()
      registry():pull(ref, { outdir = dir .. "/again" })
    end)
  end)
end)
