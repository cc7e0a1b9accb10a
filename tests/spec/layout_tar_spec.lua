local core = require "oras.core"
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local MANIFEST <const> = "application/vnd.oci.image.manifest.v1+json"
local EXAMPLE <const> = "oci:examples/layout:1.0.0-0"

local directory, path, ref, registry

before_each(function()
  directory = helper.directory()
  path = directory .. "/a.tar"
  ref = "oci:" .. path
  registry = oras.Registry:new()
end)
after_each(helper.clean)

local function sh(command, ...)
  local status, out, err = process.shell(command:format(...))
  assert.equal(0, status, err)
  return out
end

local function manifest(mark)
  return {
    schemaVersion = 2, mediaType = MANIFEST, config = oras.oci.empty_descriptor(), layers = oras.json.array {},
    annotations = { mark = mark },
  }
end

local function put(mark, name)
  return registry:upload_manifest(ref .. ":" .. name, manifest(mark)).digest
end

local function mark_of(name)
  return oras.Registry:new():get_manifest(ref .. ":" .. name).annotations.mark
end

local function state()
  return oras.digest.of(helper.read(path))
end

-- Everything in the directory but the tar: what should not be left.
local function rest()
  return (helper.list(directory):gsub("a%.tar", ""))
end

describe("a layout in a tar", function()
  -- Pack the example with GNU tar.
  local function pack(words)
    return sh("tar -C examples/layout -cf '%s' %s", path, words)
  end

  local ALL <const> = "oci-layout index.json blobs"

  it("is read, with its entries in any order and spelling", function()
    local expected = registry:get_manifest(EXAMPLE)
    for _, words in ipairs {
      ALL, "blobs index.json oci-layout", ".", "--format=ustar " .. ALL, "--format=pax " .. ALL,
      "--format=gnu ./blobs ./index.json ./oci-layout", "-b 1 " .. ALL, "-b 2000 " .. ALL,
    } do
      pack(words)
      local tar = oras.Registry:new()
      local doc = tar:get_manifest(ref .. ":1.0.0-0")
      assert.equal(expected:raw(), doc:raw(), words)
      for _, layer in ipairs(doc.layers) do
        assert.equal(layer.digest, oras.digest.of(tar:get_blob(ref, layer).content), words)
      end
      assert.same({ "1.0.0-0" }, tar:get_tags(ref))
      assert.is_false(tar:blob_exists(ref, oras.digest.of "other"))
      assert.same(oras.layout.open("examples/layout"):blobs(), oras.layout.open(path):blobs())
    end
    helper.write(directory .. "/unknown", "x")
    sh("tar -C '%s' -rf '%s' unknown", directory, path)
    assert.equal(expected:raw(), oras.Registry:new():get_manifest(ref):raw())
  end)

  it("gives its blobs to everything that takes blobs", function()
    pack(ALL)
    local layers = registry:get_manifest(ref).layers
    local file = registry:download_blob(ref, layers[1], directory .. "/file")
    assert.equal(layers[1].digest, oras.digest.of_file(file))
    local names = 0
    for _, layer in ipairs(layers) do
      if layer.mediaType:find "gzip" then
        for _ in registry:get_blob(ref, layer, { stream = true }):entries() do
          names = names + 1
        end
      end
    end
    assert.is_true(names > 2)
    local source <close> = core.layout.open(path):source(layers[1].digest)
    assert.equal(layers[1].digest, (source:hash()))
    registry:copy(ref, "oci:" .. directory .. "/out:1")
    assert.equal(registry:get_manifest(EXAMPLE):raw(), registry:get_manifest("oci:" .. directory .. "/out:1"):raw())
  end)

  it("C02 C39: is verified as it is read", function()
    pack(ALL)
    local doc = registry:get_manifest(ref)
    local bytes = helper.read(path)
    local layer = doc.layers[1]
    local content = registry:get_blob(ref, layer).content
    local at = bytes:find(content, 1, true)
    helper.write(path, bytes:sub(1, at - 1) .. "#" .. bytes:sub(at + 1))
    assert.equal("integrity", helper.fails(oras.Registry:new(), "get_blob", ref, layer).class)
  end)

  it("C30 C31 C39: is refused when it lies", function()
    local function refused(class, words, command, ...)
      sh("rm -rf '%s/x' '%s' && mkdir '%s/x' && cp -r examples/layout/. '%s/x'", directory, path, directory, directory)
      sh("cd '%s/x' && " .. command, directory, ...)
      local err = helper.fails(oras.Registry:new(), "get_manifest", ref .. ":1.0.0-0")
      assert.equal(class, err.class, command .. ": " .. tostring(err))
      assert.matches(words, err.message, 1, true)
      assert.matches(path, err.message, 1, true)
      local before = state()
      err = helper.fails(oras.Registry:new(), "upload_manifest", ref .. ":new", manifest "1")
      assert.equal(class, err.class)
      assert.equal(before, state(), "it was changed")
    end
    local blob = "blobs/sha256/06a44ca9c42ebd9cf692fbbd777771e7dd8540bd0a5123ab8f6bcb601b87dbf9"
    refused("unsupported", "gzip", "tar -czf ../a.tar .")
    refused("content", "no file 'oci-layout'", "tar -cf ../a.tar blobs index.json")
    refused("not_found", "index.json", "tar -cf ../a.tar blobs oci-layout")
    refused("path", "no regular file", "rm %s && ln -s /etc/passwd %s && tar -cf ../a.tar .", blob, blob)
    refused("path", "no regular file", "mv index.json i && ln -s i index.json && tar -cf ../a.tar .")
    refused("path", "no regular file", "cp %s copy && rm %s && ln copy %s && tar -cf ../a.tar copy .", blob, blob, blob)
    refused("content", "twice", "tar -cf ../a.tar . && tar -rf ../a.tar index.json")
    refused("content", "twice", "tar -cf ../a.tar . && tar -rf ../a.tar %s", blob)
    refused("content", "cut off", "tar -cf ../b.tar oci-layout index.json blobs && head -c 3000 ../b.tar >../a.tar")
    refused("content", "end blocks", "tar -b 1 -cf ../b.tar . && head -c -1024 ../b.tar >../a.tar")
    refused("content", "wrong checksum", "tar -cf ../a.tar . && printf x | dd of=../a.tar bs=1 seek=700 conv=notrunc")
    refused("content", "", "echo not a tar >../a.tar")
    refused("content", "empty", ": >../a.tar")
  end)

  it("L07: is not waited for when it is a FIFO", function()
    sh("mkfifo '%s'", path)
    assert.equal("path", helper.fails(registry, "get_manifest", ref .. ":1").class)
    assert.equal("path", helper.fails(registry, "upload_blob", ref .. ":1", { data = "x" }).class)
  end)
end)

describe("a tar that is written", function()
  it("is made by the first write, not by a read", function()
    assert.equal("not_found", helper.fails(registry, "get_manifest", ref .. ":1").class)
    assert.equal("", helper.list(directory))
    registry:upload_blob(ref, { data = "hello" })
    assert.equal("a.tar", helper.list(directory))
    assert.equal("hello", oras.Registry:new():get_blob(ref, oras.digest.of "hello").content)
    assert.equal("exists", select(2, registry:upload_blob(ref, { data = "hello" })))
    path = directory .. "/in/deep/a.tar"
    ref = "oci:" .. path
    put("1", "a")
    assert.equal("1", mark_of "a")
  end)

  it("keeps what it had", function()
    sh("tar -C examples/layout -cf '%s' .", path)
    put("1", "a")
    assert.same({ "1.0.0-0", "a" }, oras.Registry:new():get_tags(ref))
    for _, layer in ipairs(registry:get_manifest(EXAMPLE).layers) do
      assert.equal(layer.digest, oras.digest.of(registry:get_blob(ref, layer).content))
    end
    assert.equal("", rest())
  end)

  it("has the same bytes for the same content, whatever came first", function()
    local function write(names)
      os.remove(path)
      local one = oras.Registry:new()
      for _, name in ipairs(names) do
        one:upload_blob(ref, { data = name })
      end
      one:upload_manifest(ref .. ":m", manifest "1")
      return oras.digest.of(helper.read(path))
    end
    assert.equal(write { "a", "b", "c" }, write { "c", "a", "b", "a" })
  end)

  it("is what GNU tar and Python take for one", function()
    put("1", "a")
    registry:upload_blob(ref, { data = "wide" }, oras.digest.of("wide", "sha512"))
    sh("mkdir '%s/x' && tar -C '%s/x' -xf '%s'", directory, directory, path)
    assert.equal("1", registry:get_manifest("oci:" .. directory .. "/x:a").annotations.mark)
    sh("python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1], errorlevel=2).extractall(sys.argv[2])' '%s' '%s/y'",
      path, directory)
    sh("diff -r '%s/x' '%s/y'", directory, directory)
    local wide = oras.digest.of("wide", "sha512")
    assert.equal("wide", oras.Registry:new():get_blob(ref, wide).content)
    assert.equal("wide", helper.read(directory .. "/x/blobs/" .. wide:gsub(":", "/")))
  end)

  it("is written once by a push or a copy", function()
    local inodes = {}
    local function note()
      local inode = helper.read(path) and sh("stat -c %%i '%s'", path) or "none"
      if inodes[#inodes] ~= inode then
        inodes[#inodes + 1] = inode
      end
    end
    local Noted = oras.Registry:extend "Noted"
    for _, method in ipairs { "upload_blob", "upload_manifest" } do
      Noted[method] = function(self, ...)
        note()
        local results = table.pack(oras.Registry[method](self, ...))
        note()
        return table.unpack(results, 1, results.n)
      end
    end
    registry = Noted:new()
    registry:push(ref .. ":p", { "README.md", "CMakeLists.txt" })
    assert.same({ "none" }, inodes)
    note()
    registry:copy(EXAMPLE, ref .. ":c")
    assert.equal(2, #inodes)
    assert.same({ "c", "p" }, oras.Registry:new():get_tags(ref))
    assert.equal("", rest())
  end)

  it("stays as it was when a push or a copy fails", function()
    put("1", "a")
    local before = state()
    local Failing = oras.Registry:extend "Failing"
    function Failing.upload_manifest()
      error("enough", 0)
    end
    registry = Failing:new()
    for _, call in ipairs {
      { "push", ref .. ":p", { "README.md" } }, { "copy", EXAMPLE, ref .. ":c" },
    } do
      assert.is_false((pcall(registry[call[1]], registry, table.unpack(call, 2))))
      assert.equal(before, state())
      assert.equal("", rest())
    end
    assert.same({ "a" }, registry:get_tags(ref))
    assert.is_false(registry:blob_exists(ref, oras.digest.of_file "README.md"))
  end)

  it("takes names, manifests and blobs out", function()
    put("1", "a")
    put("2", "b")
    registry:tag(ref .. ":a", "c")
    assert.is_true(registry:untag(ref .. ":a"))
    assert.same({ "b", "c" }, oras.Registry:new():get_tags(ref))
    local digest, names = registry:delete_manifest(ref .. ":b")
    assert.same({ "b" }, names)
    assert.is_false(oras.Registry:new():blob_exists(ref, digest))
    registry:upload_blob(ref, { data = "x" })
    registry:delete_blob(ref, oras.digest.of "x")
    assert.is_false(oras.Registry:new():blob_exists(ref, oras.digest.of "x"))
    assert.equal("BLOB_UNKNOWN", helper.fails(registry, "delete_blob", ref, oras.digest.of "x").code)
    registry:upload_blob(ref, { data = "stray" })
    local layout <close> = oras.layout.open(path)
    assert.same({ oras.digest.of "stray" }, layout:collect { dry_run = true })
    assert.same({ oras.digest.of "stray" }, layout:collect())
    assert.equal("1", mark_of "c")
    assert.same({ registry:resolve(ref .. ":c").digest }, oras.layout.open(path):blobs())
  end)

  it("takes what tasks write side by side", function()
    local names = {}
    for i = 1, 20 do
      names[i] = ("t%02d"):format(i)
    end
    oras.map(names, function(name)
      registry:upload_blob(ref, { data = name:rep(1000) })
      put(name, name)
    end)
    assert.same(names, oras.Registry:new():get_tags(ref))
    for _, name in ipairs(names) do
      assert.equal(name, mark_of(name))
      assert.is_true(registry:blob_exists(ref, oras.digest.of(name:rep(1000))))
    end
    assert.equal("", rest())
  end)

  local WRITER <const> = [[
    local oras = require "oras"
    local registry = oras.Registry:new()
    for i = 1, tonumber(arg[3]) do
      local data = arg[2]:rep(50000) .. i
      registry:upload_blob(arg[1], { data = data })
      registry:upload_manifest(arg[1] .. ":" .. arg[2] .. i, {
        schemaVersion = 2, mediaType = "application/vnd.oci.image.manifest.v1+json", layers = {
          { mediaType = "text/plain", digest = oras.digest.of(data), size = #data },
        }, config = oras.oci.empty_descriptor(),
      })
      print(i)
      io.stdout:flush()
    end
  ]]

  local function writer(name, count)
    local script = helper.write(helper.directory() .. "/writer.lua", WRITER)
    return ("%s '%s' '%s' %s %d"):format(process.quote(process.oras_lua), script, ref, name, count)
  end

  it("C39 L11: loses nothing that another process writes, not even at its birth", function()
    sh("%s >/dev/null & a=$!\n%s >/dev/null & b=$!\nwait $a && wait $b", writer("a", 10), writer("b", 10))
    local tags = registry:get_tags(ref)
    assert.equal(20, #tags)
    for _, tag in ipairs(tags) do
      assert.is_true(registry:blob_exists(ref, registry:get_manifest(ref .. ":" .. tag).layers[1]))
    end
    assert.equal("", rest())
  end)

  it("L09: is whole after kill -9 at any time, and the next one sweeps", function()
    sh("%s", writer("first", 1))
    for i = 1, 20 do
      process.shell(([[
        mkfifo '%s/pipe'
        %s >'%s/pipe' 2>&1 & child=$!
        exec 3<'%s/pipe'
        n=0
        while test $n -lt %d; do read line <&3 || break; n=$((n + 1)); done
        for _ in %s; do :; done
        kill -9 $child
        wait $child 2>/dev/null
        rm '%s/pipe']]):format(directory, writer(("k%dx"):format(i), 100), directory, directory, math.random(0, 3),
        ("x "):rep(math.random(0, 3000)), directory))
      local one, first = oras.Registry:new(), false
      for _, tag in ipairs(one:get_tags(ref)) do
        first = first or tag == "first1"
        assert.is_true(one:blob_exists(ref, one:get_manifest(ref .. ":" .. tag).layers[1]), tag)
      end
      assert.is_true(first)
    end
    sh("%s", writer("last", 1))
    assert.equal("", rest())
  end)

  it("L01: says why it cannot be written, and stays as it was", function()
    put("1", "a")
    local before = state()
    local script = helper.write(helper.directory() .. "/push.lua", [[
      require("oras").Registry:new():upload_blob(arg[1], { data = ("x"):rep(3000000) })
    ]])
    local status, _, err = process.shell(("ulimit -f 1000; %s '%s' '%s'"):format(
      process.quote(process.oras_lua), script, ref))
    assert.equal(1, status)
    assert.matches("io: ", err)
    assert.equal(before, state())
    assert.equal("", rest())
  end)
end)
