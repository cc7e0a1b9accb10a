local core = require "oras.core"
local errors = require "oras.error"
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local INDEX <const> = "application/vnd.oci.image.index.v1+json"
local MANIFEST <const> = "application/vnd.oci.image.manifest.v1+json"
local NAME <const> = "org.opencontainers.image.ref.name"
local EMPTY <const> = '{"schemaVersion":2,"mediaType":"' .. INDEX .. '","manifests":[]}'

local directory, ref, registry

before_each(function()
  directory = helper.directory() .. "/layout"
  ref = "oci:" .. directory
  registry = oras.Registry:new()
end)
after_each(helper.clean)

local function manifest(mark)
  return {
    schemaVersion = 2, mediaType = MANIFEST, config = oras.oci.empty_descriptor(), layers = oras.json.array {},
    annotations = { mark = mark },
  }
end

-- Store a manifest of that mark; gives its digest.
local function put(mark, name, opts)
  return registry:upload_manifest(name and ref .. ":" .. name or ref, manifest(mark), opts).digest
end

local function index()
  return oras.json.decode(helper.read(directory .. "/index.json"))
end

-- Store one by its digest alone.
local function put_unnamed(mark)
  local bytes = oras.json.encode(manifest(mark))
  return registry:upload_manifest(ref .. "@" .. oras.digest.of(bytes), bytes).digest
end

-- "name=mark" of each entry, in their order; "-" for no name.
local function listed()
  local list = {}
  for i, entry in ipairs(index().manifests) do
    local text = helper.read(directory .. "/blobs/" .. entry.digest:gsub(":", "/"))
    local mark = text and oras.json.decode(text).annotations
    list[i] = ("%s=%s"):format(entry.annotations and entry.annotations[NAME] or "-", mark and mark.mark or "?")
  end
  return table.concat(list, " ")
end

local function blob(digest)
  return helper.read(directory .. "/blobs/" .. digest:gsub(":", "/"))
end

local function sh(command, ...)
  assert(os.execute(command:format(...)))
end

local function partials()
  local _, out = process.shell(("find '%s' -name '.oras-*'"):format(directory))
  return out
end

describe("a layout that is written", function()
  it("is made by the first write, and is what the specification says", function()
    directory = directory .. "/in/deep"
    ref = "oci:" .. directory
    registry:upload_blob(ref, { data = "hello" })
    assert.equal("blobs index.json oci-layout", helper.list(directory))
    assert.equal('{"imageLayoutVersion":"1.0.0"}', helper.read(directory .. "/oci-layout"))
    assert.equal(EMPTY, helper.read(directory .. "/index.json"))
    assert.equal("hello", blob(oras.digest.of "hello"))
    assert.same({}, registry:get_tags(ref))
  end)

  it("is not made by a read", function()
    for _, method in ipairs { "get_manifest", "get_tags" } do
      assert.equal("not_found", helper.fails(registry, method, ref .. ":1").class)
    end
    assert.is_nil(helper.read(directory .. "/oci-layout"))
  end)

  local function push(tag)
    local file = helper.write(helper.directory() .. "/file", "hello")
    return oras.Registry:new():push(ref .. ":" .. (tag or "a"), { file }, { disable_path_validation = true })
  end

  it("C39: is made in an empty directory, and finished where it was begun", function()
    for _, begun in ipairs { "", "blobs", "blobs/sha512", "blobs/sha256" } do
      for _, mark in ipairs { "", '{"imageLayoutVersion":"1.0.0"}' } do
        sh("rm -rf '%s'; mkdir -p '%s/%s'", directory, directory, begun)
        helper.write(directory .. "/.oras-partial-own-0", "left by a dead process")
        if mark ~= "" then
          helper.write(directory .. "/oci-layout", mark)
        end
        assert.equal("not_found", helper.fails(oras.Registry:new(), "get_manifest", ref .. ":a").class)
        push()
        assert.same({ "a" }, oras.Registry:new():get_tags(ref), begun)
        assert.equal("", partials())
      end
    end
  end)

  it("C39: is a copy's target, and a place for blobs, when it was only begun", function()
    local source = "oci:" .. helper.directory() .. "/source"
    registry:upload_blob(source, { data = "{}" })
    registry:upload_manifest(source .. ":a", manifest "1")
    for _, mark in ipairs { false, '{"imageLayoutVersion":"1.0.0"}' } do
      sh("rm -rf '%s'; mkdir '%s'", directory, directory)
      if mark then
        helper.write(directory .. "/oci-layout", mark)
      end
      oras.Registry:new():copy(source .. ":a", ref .. ":a")
      assert.equal("a=1", listed())
      os.remove(directory .. "/index.json")
      assert.equal("not_found", helper.fails(registry, "get_tags", ref).class) -- stays open
      put("2", "b")
      assert.equal("b=2", listed())
      os.remove(directory .. "/index.json")
      oras.Registry:new():upload_blob(ref, { data = "hello" })
      assert.equal(EMPTY, helper.read(directory .. "/index.json"))
    end
  end)

  it("C39: is no directory that has an index or blobs, but no mark", function()
    for _, name in ipairs { "index.json", "blobs/sha256/" .. ("0"):rep(64), "blobs/mine", "blobs/sha1/x", "blobs" } do
      sh("rm -rf '%s'; mkdir -p '%s/%s'", directory, directory, name:match "^(.*)/" or "")
      helper.write(directory .. "/" .. name, EMPTY)
      assert.equal("content", helper.fails(oras.Registry:new(), "get_manifest", ref .. ":1").class, name)
      assert.equal("content", helper.fails(oras.Registry:new(), "upload_blob", ref, { data = "x" }).class, name)
      assert.is_nil(helper.read(directory .. "/oci-layout"))
    end
  end)

  it("C39: never takes over a directory that holds something else", function()
    sh("mkdir -p '%s'", directory)
    helper.write(directory .. "/notes.txt", "mine")
    local err = helper.fails(registry, "upload_blob", ref, { data = "x" })
    assert.equal("content", err.class)
    assert.matches("notes.txt", err.message, 1, true)
    assert.equal("notes.txt", helper.list(directory))
    helper.write(directory .. "/oci-layout", '{"imageLayoutVersion":"9.0.0"}')
    assert.equal("content", helper.fails(registry, "upload_blob", ref, { data = "x" }).class)
    assert.equal("notes.txt oci-layout", (helper.list(directory):gsub("blobs index.json ", "")))
  end)

  it("is found anew when another stands in its place", function()
    put("1", "a")
    sh("rm -rf '%s'", directory)
    assert.equal("not_found", helper.fails(registry, "get_manifest", ref .. ":a").class)
    put("2", "b")
    assert.same({ "b" }, registry:get_tags(ref))
  end)

  it("L02: says what stands in the way", function()
    helper.write(directory, "a file")
    local err = helper.fails(registry, "upload_blob", ref .. "/sub", { data = "x" })
    assert.equal("io", err.class)
    assert.matches(directory, err.message, 1, true)
    assert.equal("a file", helper.read(directory))
  end)
end)

describe("a manifest that is larger than what is read", function()
  local LIMIT <const> = 4 * 1024 * 1024

  -- As many bytes as wanted, of a manifest.
  local function bytes(size)
    local text = oras.json.encode(manifest "")
    return (text:gsub('"mark":""', function()
      return '"mark":"' .. ("x"):rep(size - #text) .. '"'
    end))
  end

  it("is refused before anything is written, in a directory and in a tar", function()
    for _, place in ipairs { ref, ref .. ".tar" } do
      local err = helper.fails(registry, "upload_manifest", place .. ":a", bytes(LIMIT + 1))
      assert.equal("limit", err.class)
      assert.matches("4194305 bytes, expected at most 4194304", err.message, 1, true)
      sh("test ! -e '%s'", place:sub(5))
      registry:upload_manifest(place .. ":a", bytes(LIMIT))
      assert.equal(LIMIT, #registry:get_manifest(place .. ":a"):raw())
      sh("rm -r '%s'", place:sub(5))
    end
  end)

  it("may be stored by who reads more", function()
    local other = oras.Registry:new { limits = { manifest = LIMIT + 1 } }
    other:upload_manifest(ref .. ":a", bytes(LIMIT + 1))
    assert.equal(LIMIT + 1, #other:get_manifest(ref .. ":a"):raw())
    assert.equal("limit", helper.fails(registry, "get_manifest", ref .. ":a").class)
  end)

  it("is not listed in an index that nobody could read", function()
    put("1", "a")
    local text = helper.read(directory .. "/index.json")
    helper.write(directory .. "/index.json", text:sub(1, -2) .. ',"x":"' .. ("x"):rep(LIMIT - #text - 20) .. '"}')
    local before = helper.read(directory .. "/index.json")
    for _, tag in ipairs { "b", "c" } do
      assert.equal("limit", helper.fails(registry, "upload_manifest", ref .. ":" .. tag, manifest "2").class)
    end
    assert.equal(before, helper.read(directory .. "/index.json"))
  end)
end)

describe("a blob of a layout", function()
  local DATA <const> = ("0123456789abcdef"):rep(50000)
  local DIGEST <const> = oras.digest.of(DATA)

  local function pieces()
    local at = 1
    return function()
      local piece = at <= #DATA and DATA:sub(at, at + 65535) or nil
      at = at + 65536
      return piece
    end
  end

  local function sources()
    local path = helper.write(helper.directory() .. "/source", DATA)
    return {
      { name = "bytes", data = DATA },
      { name = "a path", path = path },
      { name = "a reader", reader = pieces() },
      { name = "a reader of known size", reader = pieces(), size = #DATA },
      { name = "a source of the core", source = core.source.file(path) },
    }
  end

  it("comes from a source of any kind, described or not", function()
    for _, described in ipairs { false, true } do
      for _, source in ipairs(sources()) do
        local name = source.name
        source.name = nil
        sh("rm -rf '%s'", directory)
        local given = described and { mediaType = "a/b", digest = DIGEST, size = #DATA } or nil
        local found, done = registry:upload_blob(ref, source, given)
        assert.equal("uploaded", done, name)
        assert.equal(DIGEST, found.digest, name)
        assert.equal(#DATA, found.size, name)
        assert.equal(DATA, blob(DIGEST), name)
        assert.equal("", partials(), name)
      end
    end
  end)

  it("comes from another place through a sink, verified", function()
    local from = "oci:examples/layout:1.0.0-0"
    local layer = registry:get_manifest(from).layers[1]
    local fetched = 0
    local function fetch(sink)
      fetched = fetched + 1
      registry:get_blob(from, layer, { sink = sink })
    end
    assert.equal("uploaded", select(2, registry:upload_blob(ref, { fetch = fetch }, layer)))
    assert.equal("exists", select(2, registry:upload_blob(ref, { fetch = fetch }, layer)))
    assert.equal(1, fetched)
    assert.equal(layer.digest, oras.digest.of(blob(layer.digest)))
  end)

  it("is not written again", function()
    for _, source in ipairs { { data = "x" }, { path = helper.write(helper.directory() .. "/x", "x") } } do
      registry:upload_blob(ref, { data = "x" })
      local found, done = registry:upload_blob(ref, source, oras.digest.of "x")
      assert.equal("exists", done)
      assert.equal(1, found.size)
      assert.equal("exists", select(2, registry:upload_blob(ref, source)))
    end
  end)

  it("replaces one that was cut off", function()
    registry:upload_blob(ref, { data = "hello" })
    helper.write(directory .. "/blobs/" .. oras.digest.of("hello"):gsub(":", "/"), "hel")
    assert.equal("uploaded", select(2, registry:upload_blob(ref, { data = "hello" })))
    assert.equal("hello", blob(oras.digest.of "hello"))
  end)

  it("has the digest that it should have, of either algorithm", function()
    local sha512 = oras.digest.of(DATA, "sha512")
    registry:upload_blob(ref, { data = DATA }, sha512)
    assert.equal(DATA, blob(sha512))
    assert.equal(DATA, registry:get_blob(ref, sha512).content)
  end)

  it("C01 C02: is not there when the bytes are others, which is the caller's content", function()
    local path = helper.write(helper.directory() .. "/source", DATA)
    local other = oras.digest.of "other"
    local function refused(source, given)
      for _, place in ipairs { ref, ref .. ".tar" } do
        local err = helper.fails(registry, "upload_blob", place, source(), given)
        assert.equal("content", err.class, tostring(err))
        assert.is_nil(blob(given.digest))
        assert.equal("", partials())
      end
      assert.equal("layout", (helper.list(directory:match "^(.*)/")))
    end
    for _, source in ipairs {
      function() return { path = path } end,
      function() return { reader = pieces() } end,
      function() return { source = core.source.file(path) } end,
      function() return { data = DATA } end,
    } do
      refused(source, { digest = other, size = #DATA })
      refused(source, { digest = DIGEST, size = #DATA - 1 })
      refused(source, { digest = DIGEST, size = #DATA + 1 })
    end
    local err = helper.fails(registry, "upload_blob", ref, path, { digest = other, size = #DATA })
    assert.matches(path, err.message, 1, true)
    assert.matches(DIGEST, err.message, 1, true)
  end)

  it("C01: raises what brings it raises", function()
    for _, kind in ipairs { "reader", "fetch" } do
      local err = helper.fails(registry, "upload_blob", ref, { [kind] = function()
        errors.raise { class = "integrity", message = "spoilt" }
      end }, { digest = DIGEST, size = #DATA })
      assert.same({ "integrity", "spoilt" }, { err.class, err.message })
    end
  end)

  it("tells how far it is while it comes, and its end", function()
    local events = {}
    registry:on("progress", function(event)
      events[#events + 1] = event
    end)
    local count = 0
    local function reader() -- the rest comes once something was told
      while count == 12 and #events == 0 do
        core.clock.sleep(0.01)
      end
      count = count + 1
      return count <= 40 and ("x"):rep(100000) or nil
    end
    registry:upload_blob(ref, { reader = reader, size = 4000000 })
    local first, last = events[1], events[#events]
    assert.equal("upload", first.phase)
    assert.is_true(first.done > 0 and first.done < 4000000)
    assert.equal(4000000, last.done)
    assert.equal(4000000, last.total)
    events = {}
    local path = helper.directory() .. "/file"
    registry:download_blob(ref, oras.digest.of(("x"):rep(4000000)), path)
    assert.equal("download", events[#events].phase)
    registry:upload_blob(ref, path)
    assert.same({ 4000000, 4000000 }, { events[#events].done, events[#events].total })
  end)

  it("leaves nothing when its producer fails", function()
    local count = 0
    local function reader()
      count = count + 1
      return count < 30 and ("x"):rep(100000) or error("the disk is on fire", 0)
    end
    local ok, err = pcall(registry.upload_blob, registry, ref, { reader = reader })
    assert.is_false(ok)
    assert.matches("the disk is on fire", tostring(err))
    assert.equal("", partials())
    assert.same({}, oras.layout.open(directory):blobs())
  end)

  it("leaves nothing when its task is cancelled", function()
    local count = 0
    local function reader()
      count = count + 1
      core.clock.sleep(0)
      return ("x"):rep(100000)
    end
    local ok, err = pcall(oras.gather, function()
      registry:upload_blob(ref, { reader = reader })
    end, function()
      repeat
        core.clock.sleep(0)
      until count > 30
      error("enough", 0)
    end)
    assert.is_false(ok)
    assert.equal("enough", err)
    assert.equal("", partials())
    assert.same({}, oras.layout.open(directory):blobs())
  end)

  it("C39 gcr-2306: is never written through a link", function()
    local outside = helper.directory()
    put("1", "a")
    sh("mv '%s/blobs/sha256' '%s/sha256'", directory, outside)
    sh("ln -s '%s/sha256' '%s/blobs/sha256'", outside, directory)
    local before = helper.list(outside .. "/sha256")
    assert.equal("path", helper.fails(registry, "upload_blob", ref, { data = "new" }).class)
    local err = helper.fails(registry, "upload_blob", ref, { reader = pieces() })
    assert.equal("path", err.class)
    assert.matches(directory, err.message, 1, true)
    assert.equal("path", helper.fails(registry, "upload_manifest", ref .. ":b", manifest "2").class)
    assert.equal(before, helper.list(outside .. "/sha256"))
  end)

  it("C39 L08: does not replace what a link leads to", function()
    local precious = helper.write(helper.directory() .. "/precious", "precious")
    registry:upload_blob(ref, { data = "x" })
    local path = directory .. "/blobs/" .. oras.digest.of("hello"):gsub(":", "/")
    sh("ln -s '%s' '%s'", precious, path)
    assert.equal("path", helper.fails(registry, "upload_blob", ref, { data = "hello" }).class)
    sh("cd '%s' && mv index.json other.json && ln -s '%s' index.json", directory, precious)
    assert.equal("path", helper.fails(registry, "upload_manifest", ref .. ":b", manifest "2").class)
    assert.equal("precious", helper.read(precious))
  end)

  it("L12: has the rights that the umask leaves", function()
    local script = helper.write(helper.directory() .. "/push.lua", [[
      local oras = require "oras"
      oras.Registry:new():upload_blob(arg[1], { data = "x" })
      oras.Registry:new():upload_manifest(arg[1] .. ":a", [=[{"schemaVersion":2,"config":{"mediaType":"a/b","size":1,
        "digest":"]] .. oras.digest.of "x" .. [["},"layers":[]}]=])
    ]])
    for umask, rights in pairs { ["022"] = "-rw-r--r-- drwxr-xr-x", ["077"] = "-rw------- drwx------" } do
      sh("rm -rf '%s'; umask %s; %s '%s' '%s'", directory, umask, process.oras_lua, script, ref)
      local _, out = process.shell(("find '%s' -printf '%%M\\n' | sort -u | paste -sd' '"):format(directory))
      assert.equal(rights, (out:gsub("\n", "")))
    end
  end)
end)

describe("the index of a layout", function()
  it("lists a manifest under its names, or without one", function()
    local digest = put("1", "a", { tags = { "b" } })
    put_unnamed "x"
    assert.equal("a=1 b=1 -=x", listed())
    assert.same({ "a", "b" }, registry:get_tags(ref))
    assert.equal(digest, registry:resolve(ref .. ":b").digest)
    assert.equal("x", registry:get_manifest(ref .. "@" .. index().manifests[3].digest).annotations.mark)
    put("1", "a")
    assert.equal("a=1 b=1 -=x", listed())
  end)

  it("says what oras discover and others look for", function()
    local subject = registry:upload_manifest(ref .. ":a", manifest "1")
    local referrer = manifest "2"
    referrer.artifactType, referrer.subject = "test/referrer", subject
    local digest = oras.digest.of(oras.json.encode(referrer))
    registry:upload_manifest(ref .. "@" .. digest, oras.json.encode(referrer))
    local entry = index().manifests[2]
    assert.equal("test/referrer", entry.artifactType)
    assert.equal(digest, entry.digest)
    assert.equal(MANIFEST, entry.mediaType)
    assert.equal(#blob(digest), entry.size)
    assert.is_nil(entry.annotations)
  end)

  it("moves a name; what had it stays listed", function()
    put("1", "a")
    put("2", "a")
    assert.equal("-=1 a=2", listed())
    put("1", "a")
    assert.equal("a=1 -=2", listed())
    put("1", "b")
    put("2", "a")
    assert.equal("b=1 a=2", listed())
  end)

  it("keeps what it does not know, and the order", function()
    put("1", "a")
    put("2", "b")
    local text = helper.read(directory .. "/index.json")
    text = text:gsub('"schemaVersion":2', '"schemaVersion":2,"zebra":[1,{"y":null}],"annotations":{"k":"v"}', 1)
    text = text:gsub('"manifests":%[{', '"manifests":[{"platform":{"os":"linux","architecture":"arm"},', 1)
    helper.write(directory .. "/index.json", text)
    put("3", "c")
    local now = helper.read(directory .. "/index.json")
    assert.equal(text:sub(1, -3), now:sub(1, #text - 2))
    put("1", "d")
    put("3", "a")
    assert.equal("d=1 b=2 c=3 a=3", listed())
    assert.equal("arm", index().manifests[1].platform.architecture)
    now = helper.read(directory .. "/index.json")
    assert.matches('^{"schemaVersion":2,"zebra":%[1,{"y":null}%],"annotations":{"k":"v"},', now)
  end)

  it("has a name once, though another tool gave it twice", function()
    put("1", "a")
    put("2", "b")
    local text = helper.read(directory .. "/index.json"):gsub('"b"', '"a"')
    helper.write(directory .. "/index.json", text)
    put("3", "a")
    assert.equal("-=1 -=2 a=3", listed())
  end)

  it("C39: is not written over when it cannot be read", function()
    put("1", "a")
    for _, text in ipairs { "", "{", "[]", '{"manifests":{}}', '{"manifests":[{"digest":"x"}]}' } do
      helper.write(directory .. "/index.json", text)
      assert.equal("content", helper.fails(registry, "upload_manifest", ref .. ":b", manifest "2").class)
      assert.equal(text, helper.read(directory .. "/index.json"))
    end
  end)

  it("chooses without a tag what alone has a name", function()
    put("1", "a")
    put_unnamed "x"
    assert.equal("1", registry:get_manifest(ref).annotations.mark)
    put("2", "b")
    assert.equal("not_found", helper.fails(registry, "get_manifest", ref).class)
  end)
end)

describe("taking out of a layout", function()
  it("takes a name alone", function()
    put("1", "a", { tags = { "b" } })
    assert.is_true(registry:untag(ref .. ":a"))
    assert.equal("b=1", listed())
    assert.is_false(registry:untag(ref .. ":a"))
    assert.same({ { "b" }, { "a" } }, { registry:delete_tags(ref, { "a", "b" }) })
    assert.equal("-=1", listed())
    assert.equal("1", registry:get_manifest(ref).annotations.mark)
  end)

  it("takes a manifest with its names, and says which", function()
    local digest = put("1", "b", { tags = { "a" } })
    put("2", "c")
    assert.same({ digest, { "a", "b" } }, { registry:delete_manifest(ref .. ":a") })
    assert.equal("c=2", listed())
    assert.is_nil(blob(digest))
    assert.equal("MANIFEST_UNKNOWN", helper.fails(registry, "delete_manifest", ref .. "@" .. digest).code)
  end)

  it("takes a blob", function()
    registry:upload_blob(ref, { data = "x" })
    registry:delete_blob(ref, oras.digest.of "x")
    assert.is_false(registry:blob_exists(ref, oras.digest.of "x"))
    assert.equal("BLOB_UNKNOWN", helper.fails(registry, "delete_blob", ref, oras.digest.of "x").code)
  end)

  it("does not make a layout that is not there", function()
    for method, arguments in pairs {
      untag = {}, delete_tags = { { "a" } }, delete_manifest = {}, delete_blob = { oras.digest.of "x" }, tag = { "b" },
    } do
      assert.equal("not_found", helper.fails(registry, method, ref .. ":a", table.unpack(arguments)).class, method)
      assert.is_nil(helper.read(directory .. "/oci-layout"))
    end
  end)
end)

describe("names in a layout", function()
  it("are given to what is there", function()
    local digest = put("1", "a")
    assert.equal(digest, registry:tag(ref .. ":a", { "b", "c" }).digest)
    assert.same({ "a", "b", "c" }, registry:get_tags(ref))
    assert.equal(digest, registry:tag(ref, "d").digest)
    local err = helper.fails(registry, "tag", ref .. ":nowhere", "e")
    assert.equal("not_found", err.class)
    assert.matches("it has a, b, c, d", err.message)
  end)

  it("are given to what only others name", function()
    local child = registry:upload_manifest(ref .. ":a", manifest "1")
    registry:upload_manifest(ref .. ":i", { manifests = oras.json.array { child } })
    helper.write(directory .. "/index.json", oras.json.encode {
      schemaVersion = 2, manifests = oras.json.array { index().manifests[2] },
    })
    assert.same(child, registry:tag(ref .. "@" .. child.digest, "b"))
    assert.equal("i=? b=1", listed())
    assert.equal("usage", helper.fails(registry, "tag", ref .. ":i", "not a tag").class)
  end)
end)

describe("garbage of a layout", function()
  local layout

  local function layered(mark, fields)
    local layer = registry:upload_blob(ref, { data = "layer " .. mark })
    local config = registry:upload_blob(ref, { data = "config " .. mark })
    local doc = manifest(mark)
    doc.config, doc.layers = config, oras.json.array { layer }
    for key, value in pairs(fields or {}) do
      doc[key] = value
    end
    return doc
  end

  -- What is left, by names that are easier to read than digests.
  local function left()
    local names = {}
    for i, digest in ipairs(layout:blobs()) do
      local text = blob(digest)
      local doc = text:find "^{" and oras.json.decode(text)
      names[i] = doc and (doc.annotations and "manifest " .. doc.annotations.mark or "index") or text
    end
    table.sort(names)
    return table.concat(names, ", ")
  end

  before_each(function()
    layout = oras.layout.create(directory)
  end)

  it("is what the index does not lead to", function()
    local child = registry:upload_manifest(ref .. ":x", layered "child")
    registry:upload_manifest(ref .. ":i", { manifests = oras.json.array { child } })
    registry:upload_manifest(ref .. ":a", layered "1")
    registry:delete_manifest(ref .. ":a")
    registry:upload_blob(ref, { data = "stray" })
    local whole = left()
    local garbage = { oras.digest.of "stray", oras.digest.of "layer 1", oras.digest.of "config 1" }
    table.sort(garbage)
    assert.same(garbage, layout:collect { dry_run = true, grace = 0 })
    assert.equal(whole, left())
    assert.same(garbage, layout:collect { grace = 0 })
    assert.equal("config child, index, layer child, manifest child", left())
    assert.same({}, layout:collect { grace = 0 })
    assert.equal("child", registry:get_manifest(ref .. ":x").annotations.mark)
  end)

  it("is not what a listed manifest is about, or what is about it", function()
    local subject = registry:upload_manifest(ref .. ":s", layered "subject")
    local referrer = registry:upload_manifest(ref .. ":r", layered("referrer", { subject = subject }))
    registry:upload_manifest(ref .. ":rr", layered("second", { subject = referrer }))
    local all = left()
    for _, kept in ipairs { 1, 2, 3 } do
      local text = oras.json.decode(helper.read(directory .. "/index.json"))
      text.manifests = oras.json.array { text.manifests[kept] }
      local before = helper.read(directory .. "/index.json")
      helper.write(directory .. "/index.json", oras.json.encode(text))
      assert.same({}, layout:collect { grace = 0 })
      assert.equal(all, left())
      helper.write(directory .. "/index.json", before)
    end
  end)

  it("is not what is young, or was found wanted a moment ago", function()
    registry:upload_blob(ref, { data = "stray" })
    registry:upload_blob(ref, { data = "old" })
    registry:upload_blob(ref, { data = "old and wanted" })
    sh("touch -d '2 hours ago' '%s'/blobs/sha256/*", directory)
    registry:upload_blob(ref, { data = "young" })
    assert.equal("exists", select(2, registry:upload_blob(ref, { data = "old and wanted" })))
    layout:collect()
    assert.equal("old and wanted, young", left())
  end)

  it("takes, if asked, what has no name along", function()
    local subject = registry:upload_manifest(ref .. ":a", layered "1")
    local child = registry:upload_manifest(ref .. ":x", layered "child")
    registry:upload_manifest(ref .. ":i", { manifests = oras.json.array { child } })
    registry:upload_manifest(ref .. ":r", layered("referrer", { subject = subject }))
    registry:upload_manifest(ref .. ":b", layered "2")
    registry:delete_tags(ref, { "b", "x", "r" })
    assert.same({}, layout:collect { grace = 0 })
    local third = registry:upload_manifest(ref .. ":c", layered "3")
    registry:untag(ref .. ":c")
    assert.equal(0, #layout:collect { untagged = true })
    sh("touch -d '2 hours ago' '%s'/blobs/sha256/*", directory)
    registry:tag(ref .. "@" .. third.digest, "c")
    assert.equal(3, #layout:collect { untagged = true })
    assert.equal("config 1, config 3, config child, config referrer, index, layer 1, layer 3, layer child, " ..
      "layer referrer, manifest 1, manifest 3, manifest child, manifest referrer", left())
    assert.equal("a=1 -=child i=? -=referrer c=3", listed())
  end)

  it("C39: is not removed when a manifest cannot be read", function()
    local digest = registry:upload_manifest(ref .. ":a", layered "1").digest
    registry:upload_blob(ref, { data = "stray" })
    local path = directory .. "/blobs/" .. digest:gsub(":", "/")
    local text = helper.read(path)
    for _, broken in ipairs { text:sub(1, -2), (text:gsub('"1"', '"2"')) } do
      helper.write(path, broken)
      local err = helper.fails(layout, "collect", { grace = 0 })
      assert.equal("integrity", err.class)
      assert.matches(digest, err.message, 1, true)
      assert.equal("stray", blob(oras.digest.of "stray"))
    end
    os.remove(path) -- a layout need not have all
    layout:collect { grace = 0 }
    assert.is_nil(blob(oras.digest.of "stray"))
  end)

  it("is asked for with options that exist", function()
    assert.equal("usage", helper.fails(layout, "collect", { dryrun = true }).class)
  end)
end)

describe("a layout whose changes are gathered", function()
  local function gather()
    put("first", "a")
    local closing, place = registry:_batch(registry:get_container(ref), true)
    return closing, place
  end

  local function put_into(place, mark, name)
    return registry:upload_manifest(place:with_tag(name), manifest(mark)).digest
  end

  it("shows them at once, and is written at the end, with what others changed meanwhile", function()
    do
      local closing, place = gather()
      local _ <close> = closing
      local digest = put_into(place, "second", "b")
      assert.equal(digest, registry:resolve(place:with_tag "b").digest)
      assert.same({ "a", "b" }, registry:get_tags(place))
      put_into(place, "third", "a")
      put("others", "c")
      assert.equal("a=first c=others", listed())
    end
    assert.equal("-=first c=others b=second a=third", listed())
  end)

  it("stays as it is when an error ends it; what was stored can be found again", function()
    local closing, place = gather()
    local digest
    local ok = pcall(function()
      local _ <close> = closing
      digest = put_into(place, "second", "b")
      error "enough"
    end)
    assert.is_false(ok)
    assert.equal("a=first", listed())
    assert.truthy(blob(digest))
  end)
end)
