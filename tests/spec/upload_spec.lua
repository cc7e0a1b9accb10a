--- Uploads of blobs: what is asked and sent, in how many requests, from which sources.
local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local up = require "tests.spec.uploading"

local BIG <const>, stored <const>, settled <const> = up.BIG, up.stored, up.settled

local registry, ref

local digest_of <const> = oras.digest.of

local function trace()
  local lines = faults.trace()
  faults.reset { content = false }
  return lines
end

local function pieces(list)
  local i = 0
  return function()
    i = i + 1
    return list[i]
  end
end

before_each(function()
  up.begin()
  registry, ref = up.registry, up.ref
end)
after_each(helper.clean)

describe("upload_blob", function()
  it("takes two requests for a new small blob and one for what is there", function()
    local d, done = registry:upload_blob(ref, { data = "hello" })
    assert.same({ mediaType = "application/octet-stream", digest = digest_of "hello", size = 5 }, d)
    assert.equal("uploaded", done)
    assert.same({ "POST uploads 202", "PUT upload 201" }, trace())
    d, done = registry:upload_blob(ref, { data = "hello" })
    assert.equal(digest_of "hello", d.digest)
    assert.equal("exists", done)
    assert.same({ "POST uploads 201" }, trace())
    stored "hello"
    settled()
  end)

  it("takes three for a big one, until the registry is known to tell what is there", function()
    registry:upload_blob(ref, { data = BIG })
    assert.same({ "POST uploads 202", "HEAD blob 404", "PUT upload 201" }, trace())
    registry:upload_blob(ref, { data = BIG })
    assert.same({ "POST uploads 201" }, trace())
    registry:upload_blob(ref, { data = BIG .. "2" })
    assert.same({ "POST uploads 202", "PUT upload 201" }, trace())
    stored(BIG .. "2")
  end)

  it("asks first where things are probably there", function()
    registry:upload_blob(ref, { data = "hello" })
    trace()
    local _, done = registry:upload_blob(ref, { data = "hello" }, nil, { expect = "present" })
    assert.equal("exists", done)
    assert.same({ "HEAD blob 200" }, trace())
    _, done = registry:upload_blob(ref, { data = BIG }, nil, { expect = "present" })
    assert.equal("uploaded", done)
    assert.same({ "HEAD blob 404", "POST uploads 202", "PUT upload 201" }, trace())
  end)

  it("finds what is there where no mount tells, and asks first from then on", function()
    local other = helper.registry()
    other:upload_blob(ref, { data = BIG })
    faults.reset { content = false }
    faults.config { mount = false }
    local _, done = registry:upload_blob(ref, { data = BIG })
    assert.equal("exists", done)
    assert.same({ "POST uploads 202", "HEAD blob 200", "DELETE upload 204" }, faults.trace())
    faults.reset { content = false }
    faults.config { mount = false }
    registry:upload_blob(ref, { data = BIG })
    assert.same({ "HEAD blob 200" }, faults.trace())
    settled()
  end)

  it("asks for small ones too when it is strict", function()
    helper.registry():upload_blob(ref, { data = "hello" })
    faults.reset { content = false }
    faults.config { mount = false }
    local _, done = registry:upload_blob(ref, { data = "hello" }, nil, { strict = true })
    assert.equal("exists", done)
    assert.same({ "POST uploads 202", "HEAD blob 200", "DELETE upload 204" }, faults.trace())
  end)

  it("proves once that a mount tells, for those who have many", function()
    registry:upload_blob(ref, { data = "first" }, nil, { prove_mount = true })
    assert.same({ "POST uploads 202", "PUT upload 201", "POST uploads 201" }, trace())
    registry:upload_blob(ref, { data = BIG }, nil, { prove_mount = true })
    assert.same({ "POST uploads 202", "PUT upload 201" }, trace())
  end)

  it("mounts from another repository", function()
    faults.seed { repo = "up/base", blobs = { { data = BIG } } }
    local _, done = registry:upload_blob(ref, { data = BIG }, nil, { mount_from = "up/base" })
    assert.equal("mounted", done)
    assert.same({ "POST uploads 201" }, trace())
    stored(BIG)
    local base = registry:get_container(faults.host "http" .. "/up/base")
    _, done = registry:upload_blob(faults.host "http" .. "/up/third", { data = BIG }, nil, { mount_from = base })
    assert.equal("mounted", done)
  end)

  it("mounts nothing from another registry", function()
    faults.seed { repo = "up/base", blobs = { { data = "hello" } } }
    local elsewhere = registry:get_container(faults.host "cdn" .. "/up/base")
    local _, done = registry:upload_blob(ref, { data = "hello" }, nil, { mount_from = elsewhere })
    assert.equal("uploaded", done)
    assert.matches("from=up/app", faults.log()[1].target, 1, true)
  end)

  it("takes what to mount from as a name or a reference of the same registry", function()
    local host = faults.host "http"
    faults.seed { repo = "up/base", blobs = { { data = BIG } } }
    for i, from in ipairs { "up/base", host .. "/up/base", host .. "/up/base:1", "up/base:1",
      host .. "/up/base@" .. digest_of "x" } do
      local _, done = registry:upload_blob(host .. "/up/to" .. i, { data = BIG }, nil, { mount_from = from })
      assert.equal("mounted", done, from)
      assert.matches("from=up/base$", faults.log()[i].target)
    end
  end)

  it("never names another registry or a layout to the target", function()
    for i, from in ipairs { faults.host "cdn" .. "/up/base", "ghcr.io/up/base:1", "oci:lay:1", "localhost/up/base" } do
      local _, done = registry:upload_blob(ref, { data = "hello" .. i }, nil, { mount_from = from })
      assert.equal("uploaded", done)
    end
    for _, entry in ipairs(faults.log { method = "POST" }) do
      assert.matches("from=up/app$", entry.target)
    end
  end)

  it("mounts from nothing that is no repository", function()
    for _, from in ipairs { "Bad Repo!", "", "up//base", "up/base?x=1", "../up", { repository = "up/base" } } do
      for _, target in ipairs { ref, "oci:" .. helper.directory() .. "/lay:1" } do
        local err = helper.fails(registry, "upload_blob", target, { data = "hello" }, nil, { mount_from = from })
        assert.equal("usage", err.class)
        assert.matches("mount_from", err.message, 1, true)
      end
    end
    assert.same({}, faults.log())
  end)

  it("asks first for small ones too, once no mount tells of what it has stored itself", function()
    faults.config { mount = false }
    local function outline(data, expected)
      local _, done = registry:upload_blob(ref, { data = data })
      assert.equal(expected, done)
      local lines = faults.trace()
      faults.reset { content = false }
      faults.config { mount = false }
      return lines
    end
    assert.same({ "POST uploads 202", "PUT upload 201" }, outline("hello", "uploaded"))
    assert.same({ "POST uploads 202", "PUT upload 201" }, outline("other", "uploaded"))
    assert.same({ "POST uploads 202", "HEAD blob 200", "DELETE upload 204" }, outline("hello", "exists"))
    assert.same({ "HEAD blob 200" }, outline("hello", "exists"))
    assert.same({ "HEAD blob 200" }, outline("other", "exists"))
    assert.same({ "HEAD blob 404", "POST uploads 202", "PUT upload 201" }, outline("third", "uploaded"))
    settled()
  end)

  it("does not hold a mount that tells nothing against another repository", function()
    registry:upload_blob(ref, { data = "hello" })
    trace()
    registry:upload_blob(faults.host "http" .. "/up/other", { data = "hello" })
    assert.same({ "POST uploads 202", "PUT upload 201" }, trace())
  end)

  it("stores zero bytes", function()
    local d = registry:upload_blob(ref, { data = "" })
    assert.equal(0, d.size)
    assert.equal("0", faults.header(faults.log { method = "PUT" }[1], "content-length"))
    stored ""
  end)

  it("stores by sha512, which the session is told", function()
    local digest = oras.digest.of("hello", "sha512")
    registry:upload_blob(ref, { data = "hello" }, digest)
    assert.equal(5, faults.content("up/app").blobs[digest])
    assert.matches("digest-algorithm=sha512", faults.log()[1].target, 1, true)
  end)

  it("says octets, a length and nothing of Expect", function()
    registry:upload_blob(ref, { data = "hello" })
    local post, put = table.unpack(faults.log())
    assert.equal("0", faults.header(post, "content-length"))
    assert.equal("5", faults.header(put, "content-length"))
    assert.equal("application/octet-stream", faults.header(put, "content-type"))
    assert.is_nil(faults.header(put, "expect"))
    assert.is_nil(faults.header(put, "content-range"))
  end)

  it("keeps what the descriptor says", function()
    local given = { mediaType = "text/plain", annotations = { a = "b" } }
    local d = registry:upload_blob(ref, { data = "hello" }, given)
    assert.same({ mediaType = "text/plain", annotations = { a = "b" }, digest = digest_of "hello", size = 5 }, d)
    assert.same({ mediaType = "text/plain", annotations = { a = "b" } }, given)
    d = registry:upload_blob(ref, { data = "hello" }, nil, { media_type = "text/html" })
    assert.equal("text/html", d.mediaType)
  end)

  it("tells how far it is", function()
    local events = {}
    registry:on("progress", function(event)
      events[#events + 1] = event
    end)
    local path = helper.write(helper.directory() .. "/file", BIG)
    registry:upload_blob(ref, path, nil, { title = "file" })
    local last = events[#events]
    assert.equal("upload", last.phase)
    assert.equal("file", last.title)
    assert.equal(digest_of(BIG), last.digest)
    assert.equal(#BIG, last.done)
    assert.equal(#BIG, last.total)
  end)
end)

describe("sources of upload_blob", function()
  it("may be a path", function()
    local path = helper.write(helper.directory() .. "/file", BIG)
    registry:upload_blob(ref, path)
    registry:upload_blob(ref, { path = helper.write(helper.directory() .. "/other", "small") })
    stored(BIG)
    stored "small"
  end)

  it("may be a file without bytes", function()
    registry:upload_blob(ref, helper.write(helper.directory() .. "/file", ""))
    stored ""
  end)

  it("may be a source of the core, which stays the caller's", function()
    local path = helper.write(helper.directory() .. "/file", BIG)
    local source <close> = core.source.file(path)
    registry:upload_blob(ref, { source = source })
    stored(BIG)
    assert.equal(#BIG, source:size())
  end)

  it("may be a tree that is packed while it is sent", function()
    local dir = helper.directory()
    helper.write(dir .. "/a.txt", BIG)
    local source <close> = core.archive.pack { path = dir, mtime = 0 }
    local d = registry:upload_blob(ref, { source = source })
    assert.equal("chunked", faults.header(faults.log { method = "PATCH" }[1], "transfer-encoding"))
    assert.same({ "POST uploads 202", "PATCH upload 202", "PUT upload 201" }, trace())
    assert.equal(d.size, faults.content("up/app").blobs[d.digest])
  end)

  it("are packed and hashed first where a registry wants to know the length", function()
    faults.config { chunked_coding = false }
    local dir = helper.directory()
    helper.write(dir .. "/a.txt", BIG)
    local source <close> = core.archive.pack { path = dir, mtime = 0 }
    local d = registry:upload_blob(ref, { source = source })
    assert.equal(d.size, faults.content("up/app").blobs[d.digest])
    assert.same({ "POST uploads 202", "PATCH upload 411", "DELETE upload 204", "POST uploads 202", "PUT upload 201" },
      trace())
    settled()
  end)

  it("may be a reader of little, which is known before it is sent", function()
    local d = registry:upload_blob(ref, { reader = pieces { "hel", "", "lo" } })
    assert.equal(digest_of "hello", d.digest)
    assert.same({ "POST uploads 202", "PUT upload 201" }, trace())
  end)

  it("may be a reader of much, whose bytes are sent as they come", function()
    local list = {}
    for i = 1, 30 do
      list[i] = ("%05d"):format(i):rep(20000)
    end
    local d, done = registry:upload_blob(ref, { reader = pieces(list) })
    local whole = table.concat(list)
    assert.equal("uploaded", done)
    assert.equal(digest_of(whole), d.digest)
    assert.equal(#whole, d.size)
    assert.same({ "POST uploads 202", "PATCH upload 202", "PUT upload 201" }, trace())
    stored(whole)
  end)

  it("may be a reader whose size and digest are known", function()
    local list = {}
    for i = 1, 30 do
      list[i] = ("%05d"):format(i):rep(20000)
    end
    local whole = table.concat(list)
    registry:upload_blob(ref, { reader = pieces(list), size = #whole }, digest_of(whole))
    assert.same({ "POST uploads 202", "HEAD blob 404", "PUT upload 201" }, trace())
    stored(whole)
  end)

  it("may be a reader whose bytes are sent in chunks, which can be sent again", function()
    local list = {}
    for i = 1, 40 do
      list[i] = ("%05d"):format(i):rep(10000)
    end
    local whole = table.concat(list)
    for _, rule in ipairs {
      { method = "PATCH", nth = 3, status = 503 }, { method = "PATCH", nth = 3, status = 416 },
      { method = "PATCH", nth = 3, read = 1000, process = true, drop = "rst" },
    } do
      faults.reset()
      faults.on(rule)
      local d = registry:upload_blob(ref, { reader = pieces(list) }, nil, { chunked = true, chunk_size = 120000 })
      assert.equal(digest_of(whole), d.digest)
      assert.equal(#whole, d.size)
      assert.equal(1, #faults.log { method = "POST" })
      stored(whole)
      settled()
    end
  end)

  it("may be a reader in chunks, which cannot begin anew", function()
    local n = 0
    faults.on { method = "PATCH", nth = 3, lose = true }
    local err = helper.fails(registry, "upload_blob", ref, { reader = function()
      n = n + 1
      return n <= 20 and ("x"):rep(100000) or nil
    end }, nil, { chunked = true, chunk_size = 500000 })
    assert.equal("not_found", err.class)
    assert.same({}, faults.content("up/app").blobs)
  end)

  it("may be sent again where a connection broke, unless they are readers", function()
    local dir = helper.directory()
    helper.write(dir .. "/a.txt", BIG)
    local source <close> = core.archive.pack { path = dir, mtime = 0 }
    faults.on { method = "PATCH", status = 503 }
    local d = registry:upload_blob(ref, { source = source })
    assert.equal(d.size, faults.content("up/app").blobs[d.digest])
    faults.on { method = "PATCH", status = 503 }
    local n = 0
    local err = helper.fails(registry, "upload_blob", ref, { reader = function()
      n = n + 1
      return n <= 20 and ("x"):rep(100000) or nil
    end })
    assert.equal("server", err.class)
    settled()
  end)

  it("may be a reader that asks a registry meanwhile", function()
    faults.seed { repo = "up/from", blobs = { { data = BIG:rep(20) } } }
    local from = faults.host "http" .. "/up/from"
    local chunks = helper.registry():get_blob(from, digest_of(BIG:rep(20)), { stream = true }):chunks()
    registry:upload_blob(ref, { reader = function()
      return chunks()
    end })
    stored(BIG:rep(20))
  end)

  it("work in tasks, several at a time", function()
    oras.map({ 1, 2, 3, 4, 5, 6, 7, 8 }, function(i)
      local n = 0
      registry:upload_blob(ref, { reader = function()
        n = n + 1
        return n <= 20 and tostring(i):rep(100000) or nil
      end })
    end, { concurrency = 4 })
    for i = 1, 8 do
      stored(tostring(i):rep(2000000))
    end
    settled()
  end)

  it("that raise raise, and leave no session", function()
    for _, raised in ipairs { "plain", { a = 1 } } do
      local n = 0
      local good, err = pcall(registry.upload_blob, registry, ref, { reader = function()
        n = n + 1
        if n > 20 then
          error(raised, 0)
        end
        return ("x"):rep(100000)
      end })
      assert.is_false(good)
      assert.equal(raised, err)
      faults.wait { method = "DELETE", count = 1, finished = true }
      settled()
    end
  end)

  it("that raise before anything is sent send nothing", function()
    local good, err = pcall(registry.upload_blob, registry, ref, { reader = function()
      error("broken", 0)
    end })
    assert.is_false(good)
    assert.equal("broken", err)
    assert.same({}, faults.log { method = "POST" })
  end)

  it("that give no strings are told so", function()
    local err = helper.fails(registry, "upload_blob", ref, { reader = function()
      return 5
    end })
    assert.equal("usage", err.class)
    assert.matches("the reader gives strings and nil at the end, not a number", err.message, 1, true)
  end)

  it("that give more or less than they said are content", function()
    for _, size in ipairs { 4, 6, 3000000, 1500000 } do
      local n = 0
      local err = helper.fails(registry, "upload_blob", ref, { size = size, reader = function()
        n = n + 1
        if size < 10 then
          return n == 1 and "hello" or nil
        end
        return n <= 20 and ("x"):rep(100000) or nil
      end })
      assert.equal("content", err.class, tostring(err))
      settled()
    end
  end)

  it("may be fetched, only when the bytes are needed", function()
    local calls = 0
    local function fetch(sink)
      calls = calls + 1
      helper.registry():get_blob(faults.host "http" .. "/up/from", digest_of(BIG), { sink = sink })
    end
    faults.seed { repo = "up/from", blobs = { { data = BIG } } }
    local d = { mediaType = "a/b", digest = digest_of(BIG), size = #BIG }
    local _, done = registry:upload_blob(ref, { fetch = fetch }, d)
    assert.equal("uploaded", done)
    stored(BIG)
    _, done = registry:upload_blob(ref, { fetch = fetch }, d)
    assert.equal("exists", done)
    assert.equal(1, calls)
  end)

  it("that cannot be fetched raise what the fetch raised", function()
    local d = { mediaType = "a/b", digest = digest_of(BIG), size = #BIG }
    local err = helper.fails(registry, "upload_blob", ref, { fetch = function(sink)
      helper.registry():get_blob(faults.host "http" .. "/up/from", d.digest, { sink = sink })
    end }, d)
    assert.equal("not_found", err.class)
    faults.wait { method = "DELETE", count = 1, finished = true }
    settled()
  end)

  it("that are not there or cannot be read are io", function()
    local err = helper.fails(registry, "upload_blob", ref, "/nonexistent/file")
    assert.equal("io", err.class)
    assert.matches("/nonexistent/file", err.message, 1, true)
    assert.same({}, trace())
  end)

  it("that are files whose size the kernel does not tell are read once", function()
    local layout = "oci:" .. helper.directory() .. "/layout"
    for _, place in ipairs { ref, layout } do
      local text = helper.read "/proc/self/cmdline"
      local found, done = registry:upload_blob(place, "/proc/self/cmdline")
      assert.same({ "uploaded", #text, digest_of(text) }, { done, found.size, found.digest })
      assert.equal(text, registry:get_blob(place, found).content)
      local err = helper.fails(registry, "upload_blob", place, "/proc/self/cmdline", { size = #text + 1 })
      assert.equal("content", err.class)
    end
  end)

  it("that are no regular file are refused", function()
    local err = helper.fails(registry, "upload_blob", ref, helper.directory())
    assert.equal("usage", err.class)
    assert.same({}, trace())
  end)

  it("that are not what the descriptor says are content", function()
    local err = helper.fails(registry, "upload_blob", ref, { data = "hello" }, digest_of "other")
    assert.equal("content", err.class)
    err = helper.fails(registry, "upload_blob", ref, { data = "hello" }, { digest = digest_of "hello", size = 4 })
    assert.equal("content", err.class)
    local path = helper.write(helper.directory() .. "/file", "hello")
    err = helper.fails(registry, "upload_blob", ref, path, { digest = digest_of "hello", size = 4 })
    assert.equal("content", err.class)
    assert.same({}, trace())
    err = helper.fails(registry, "upload_blob", ref, path, digest_of "other")
    assert.equal("content", err.class)
    assert.matches(digest_of "hello", err.message, 1, true)
    settled()
  end)
end)

describe("arguments of upload_blob", function()
  local function usage(text, ...)
    local err = helper.fails(registry, "upload_blob", ...)
    assert.equal("usage", err.class, tostring(err))
    assert.matches(text, err.message, 1, true)
    assert.matches("tests/spec", err.where, 1, true)
    assert.same({}, faults.log())
  end

  it("are checked", function()
    usage("not a nil", ref)
    usage("not a number", ref, 5)
    usage("has a path, data or a reader", ref, {})
    usage("has either data or reader", ref, { data = "", reader = print })
    usage("has either path or data", ref, { data = "", path = "" })
    usage("is empty", ref, "")
    usage('unknown option "dat" (data?)', ref, { dat = "" })
    usage('"data" is a string, not an integer', ref, { data = 1 })
    usage("not a boolean", ref, { data = "" }, true)
    usage("digest", ref, { data = "" }, "sha256:zz")
    usage("whole number", ref, { data = "" }, { size = -1 })
    usage('unknown option "chunk" (chunked?)', ref, { data = "" }, nil, { chunk = true })
    usage('unknown option "do_chunked" (chunked?)', ref, { data = "" }, nil, { do_chunked = true })
    usage("chunk_size is at least 1024", ref, { data = "" }, nil, { chunk_size = 1 })
    usage("expect is", ref, { data = "" }, nil, { expect = "maybe" })
    usage("the reference comes before the source", "file", registry:get_container(ref))
    usage("described by digest and size", ref, { fetch = print })
  end)
end)

describe("steps of an upload", function()
  it("can be overridden", function()
    local Logged = oras.Registry:extend "Logged"
    local steps = {}
    for _, name in ipairs { "start_upload", "put_upload", "patch_upload", "finish_upload", "cancel_upload",
      "upload_status", "chunked_upload", "stream_upload", "blob_exists" } do
      Logged[name] = function(self, ...)
        steps[#steps + 1] = name
        return oras.Registry[name](self, ...)
      end
    end
    local own = Logged:new { config_path = "/nonexistent" }
    own:upload_blob(ref, { data = BIG }, nil, { chunked = true, chunk_size = 100000 })
    assert.equal("start_upload blob_exists chunked_upload patch_upload patch_upload finish_upload",
      table.concat(steps, " "))
  end)

  it("go through do_request, which may give plain tables", function()
    local Fake = oras.Registry:extend "Fake"
    local asked = {}
    function Fake.do_request(_, method, url, opts)
      asked[#asked + 1] = { method, url, opts.body }
      if method == "POST" then
        return { status = 202, headers = { Location = "/v2/a/b/blobs/uploads/1?x=y" }, body = "" }
      end
      return { status = 201, headers = {}, body = "" }
    end
    local own = Fake:new { config_path = "/nonexistent" }
    local _, done = own:upload_blob("127.0.0.1:5/a/b", { data = "hello" })
    assert.equal("uploaded", done)
    local put = asked[2]
    assert.same({ "PUT", "http://127.0.0.1:5/v2/a/b/blobs/uploads/1?x=y&digest=" .. digest_of "hello", "hello" },
      put)
  end)
end)

describe("credentials of uploads", function()
  local function known(opts)
    local own = helper.registry(opts)
    own:set_basic_auth("alice", "wonder:land")
    return own
  end

  it("one token serves the whole upload", function()
    local own = known()
    local place = faults.host "http" .. "/bearer/up"
    own:upload_blob(place, { data = BIG })
    local tokens = faults.log { path = "/token" }
    assert.equal(1, #tokens)
    assert.matches("scope=repository:bearer/up:pull,push&", tokens[1].target, 1, true)
    own:upload_blob(place, { data = BIG .. "2" }, nil, { expect = "present" })
    assert.equal(1, #faults.log { path = "/token" })
    stored(BIG, "bearer/up")
  end)

  it("a mount asks for the source, too", function()
    faults.seed { repo = "bearer/from", blobs = { { data = BIG } } }
    local _, done = known():upload_blob(faults.host "http" .. "/bearer/up", { data = BIG }, nil,
      { mount_from = "bearer/from" })
    assert.equal("mounted", done)
    local target = faults.log({ path = "/token" })[1].target
    assert.matches("repository:bearer/from:pull", target, 1, true)
    assert.matches("repository:bearer/up:pull,push", target, 1, true)
  end)

  it("N49 falls back to an upload where the source may not be read", function()
    faults.seed { repo = "bearer/secret", blobs = { { data = BIG } } }
    faults.on { method = "POST", target = "from=bearer/secret", status = 403, always = true,
      json = { errors = { { code = "DENIED", message = "no" } } } }
    local _, done = known():upload_blob(faults.host "http" .. "/bearer/up", { data = BIG }, nil,
      { mount_from = "bearer/secret" })
    assert.equal("uploaded", done)
    stored(BIG, "bearer/up")
  end)

  it("Basic is sent at once after the first challenge", function()
    known():upload_blob(faults.host "http" .. "/basic/up", { data = "hello" })
    assert.same({ "POST uploads 401", "POST uploads 202", "PUT upload 201" }, faults.trace())
    stored("hello", "basic/up")
  end)

  it("N32 a token that expires on the way is renewed, and the bytes sent again", function()
    local own = known()
    local place = faults.host "http" .. "/bearer/up"
    local path = helper.write(helper.directory() .. "/file", BIG)
    faults.on { method = "PUT", path = "*/uploads/*", expire = true }
    own:upload_blob(place, path)
    assert.same({ "PUT upload 401", "PUT upload 201" }, faults.trace { method = "PUT" })
    stored(BIG, "bearer/up")
    settled "bearer/up"
  end)

  it("W2 N32 a token that expires between chunks is renewed", function()
    local own = known()
    local place = faults.host "http" .. "/bearer/up"
    local path = helper.write(helper.directory() .. "/file", BIG)
    faults.on { method = "PATCH", nth = 2, expire = true }
    own:upload_blob(place, path, nil, { chunked = true, chunk_size = 50000 })
    stored(BIG, "bearer/up")
    assert.equal(1, #faults.log { method = "POST", path = "*/uploads/" } - 1)
  end)

  it("are refused like anywhere", function()
    local err = helper.fails(registry, "upload_blob", faults.host "http" .. "/basic/up", { data = "hello" })
    assert.equal("auth", err.class)
    local own = helper.registry()
    own:set_basic_auth("alice", "wrong")
    err = helper.fails(own, "upload_blob", faults.host "http" .. "/basic/up", { data = "hello" })
    assert.equal("auth", err.class)
    assert.is_nil(tostring(err):find("wrong", 1, true))
  end)
end)
