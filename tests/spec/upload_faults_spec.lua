--- Uploads to registries that fail, lie, lag or send us elsewhere.
local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local up = require "tests.spec.uploading"

local BIG <const>, UPLOADS <const>, CHUNKED <const> = up.BIG, up.UPLOADS, up.CHUNKED
local stored <const>, absent <const>, settled <const>, fails <const> = up.stored, up.absent, up.settled, up.fails
local uploads <const>, file <const> = up.uploads, up.file
local count_retries <const>, once <const> = up.count_retries, up.once

before_each(up.begin)
after_each(helper.clean)

describe("the start of an upload", function()
  it("N41 gives a Location", function()
    faults.on { method = "POST", set = { Location = false }, always = true }
    local err = fails { data = "hello" }
    assert.equal("protocol", err.class)
    assert.matches("no Location", err.message, 1, true)
  end)

  it("N41 is 202, not another success", function()
    for _, status in ipairs { 200, 201, 204 } do
      faults.reset()
      faults.config { mount = false }
      faults.on { method = "POST", set_status = status, always = true }
      local opts = { expect = "present" } -- then no mount is asked for
      local err = fails({ data = "hello" }, nil, opts)
      assert.equal("protocol", err.class)
      assert.matches(tostring(status), err.message, 1, true)
      absent "hello"
    end
  end)

  it("N41 says which request was answered otherwise", function()
    faults.on { method = "POST", set_status = 200, always = true }
    local err = fails { data = "hello" }
    assert.equal("POST", err.method)
    assert.matches("/v2/up/app/blobs/uploads/", err.url, 1, true)
  end)

  it("says that there is no such repository, or no way into it", function()
    for _, opts in ipairs { {}, { expect = "present" } } do
      faults.reset()
      faults.on { method = "POST", status = 404, always = true, json = { errors = { {
        code = "NAME_UNKNOWN", message = "repository name not known" } } } }
      local err = fails({ data = "hello" }, nil, opts)
      assert.equal("not_found", err.class)
      assert.equal("NAME_UNKNOWN", err.code)
      assert.equal("POST", err.method)
      assert.equal(404, err.status)
      assert.matches("/v2/up/app/blobs/uploads/", err.url, 1, true)
      assert.matches("no repository to upload to", err.message, 1, true)
      assert.matches("up/app", err.message, 1, true)
      assert.matches("repository name not known", err.message, 1, true)
    end
  end)

  it("N41 is over with a 201 where a mount was asked for", function()
    faults.on { method = "POST", status = 201, headers = { Location = "/v2/up/app/blobs/x" } }
    local _, done = up.registry:upload_blob(up.ref, { data = "hello" })
    assert.equal("exists", done)
  end)

  it("N47 a mount of something else is integrity", function()
    faults.on { method = "POST", status = 201,
      headers = { ["Docker-Content-Digest"] = oras.digest.of "other" } }
    assert.equal("integrity", fails({ data = "hello" }).class)
  end)

  it("N42 may lead to any path of the registry", function()
    for _, location in ipairs { "absolute", "relative", "sibling" } do
      faults.reset()
      faults.config { location = location }
      uploads { data = "hello" .. location }
      stored("hello" .. location)
      uploads({ data = BIG .. location }, CHUNKED)
      stored(BIG .. location)
      settled()
    end
  end)

  it("N42 may have a query, none, a part behind #, a digest, or be long", function()
    for _, settings in ipairs {
      { location_state = false }, { location_extra = "#part" }, { location_extra = "&a=b%3D%26c" },
      { location_extra = "&x=" .. ("y"):rep(7000) },
    } do
      faults.reset()
      faults.config(settings)
      uploads { data = "hello" }
      stored "hello"
    end
    local put = faults.log { method = "PUT" }[1]
    assert.matches("&digest=" .. oras.digest.of "hello", put.target, 1, true)
    faults.reset()
    faults.config { location_state = false }
    uploads { data = "hello" }
    assert.matches("?digest=sha256:", faults.log({ method = "PUT" })[1].target, 1, true)
  end)

  it("N42 is not longer than any URL has to be", function()
    faults.config { location_extra = "&x=" .. ("y"):rep(20000) }
    assert.equal("protocol", fails({ data = "hello" }).class)
  end)

  it("N42 gives one Location", function()
    faults.on { method = "POST", set = { Location = { "/v2/a", "/v2/b" } } }
    assert.equal("protocol", fails({ data = "hello" }).class)
  end)

  it("N42 gives a Location that is a URL", function()
    for _, location in ipairs { "http://[", "ftp://x/y", "http://u:p@h/x", "http:///x", "javascript:x" } do
      faults.reset()
      faults.on { method = "POST", set = { Location = location } }
      local err = fails { data = "hello" }
      assert.is_truthy(err.class == "protocol" or err.class == "redirect", tostring(err))
      assert.equal(0, #faults.log { method = "PUT" })
    end
  end)

  it("GHSA-jxpm-75mh-9fp7 does not lead to another origin", function()
    for _, listener in ipairs { "evil", "https" } do
      faults.reset()
      faults.config { location = listener }
      up.registry = helper.registry { headers = { ["X-Secret"] = "header-secret" } }
      up.registry:set_basic_auth("alice", "wonder:land")
      up.ref = faults.host "http" .. "/basic/app"
      local err = fails { data = "secret bytes" }
      assert.equal("redirect", err.class)
      assert.matches("upload_origins", err.message, 1, true)
      assert.same({}, faults.log { listener = listener })
    end
  end)

  it("GHSA-jxpm-75mh-9fp7 leads to an origin that is allowed, without any credentials", function()
    for _, opts in ipairs { {}, CHUNKED } do
      faults.reset()
      faults.config { location = "evil", location_state = true, auth = { { repo = "basic/", listener = "evil",
        mode = "none" } } }
      up.registry = helper.registry {
        headers = { ["X-Secret"] = "header-secret" }, upload_origins = { "http://" .. faults.host "evil" },
      }
      up.registry:set_basic_auth("alice", "wonder:land")
      up.ref = faults.host "http" .. "/basic/app"
      uploads({ data = BIG }, opts)
      stored(BIG, "basic/app")
      local log = faults.log { listener = "evil" }
      assert.is_true(#log > 0)
      assert.is_false(faults.saw(log, "Basic"))
      assert.is_false(faults.saw(log, "header-secret"))
      for _, entry in ipairs(log) do
        assert.is_nil(faults.header(entry, "authorization"))
      end
    end
  end)

  it("GHSA-jxpm-75mh-9fp7 an allowed origin that asks for credentials gets none", function()
    faults.config { location = "evil" }
    up.registry = helper.registry { upload_origins = { "http://" .. faults.host "evil" } }
    up.registry:set_basic_auth("alice", "wonder:land")
    up.ref = faults.host "http" .. "/basic/app"
    local err = fails { data = "hello" }
    assert.equal("auth", err.class)
    for _, entry in ipairs(faults.log { listener = "evil" }) do
      assert.is_nil(faults.header(entry, "authorization"))
    end
  end)

  it("GHSA-jxpm-75mh-9fp7 a later Location does not lead elsewhere, either", function()
    faults.on { method = "PATCH", set = { Location = "http://" .. faults.host "evil" .. "/v2/up/app/blobs/uploads/1" } }
    assert.equal("redirect", fails({ data = BIG }, nil, CHUNKED).class)
    assert.same({}, faults.log { listener = "evil" })
    settled()
  end)

  it("CVE-2024-39897 asks for no mount from where other credentials hold", function()
    faults.seed { repo = "up/base", blobs = { { data = "hello" } } }
    local base = up.registry:get_container(faults.host "cdn" .. "/up/base")
    up.registry:upload_blob(up.ref, { data = "hello" }, nil, { mount_from = base })
    for _, entry in ipairs(faults.log()) do
      assert.is_nil(entry.target:find("from=up/base", 1, true))
    end
  end)
end)

describe("a HEAD", function()
  it("that is answered otherwise does not keep from uploading", function()
    for _, status in ipairs { 400, 403, 405, 500 } do
      faults.reset()
      once()
      faults.on { method = "HEAD", status = status, always = true }
      uploads { data = BIG }
      stored(BIG)
    end
  end)
end)

describe("a mount", function()
  it("N49 that is not heeded becomes an upload", function()
    faults.config { mount = false }
    local _, done = up.registry:upload_blob(up.ref, { data = BIG }, nil, { mount_from = "up/base" })
    assert.equal("uploaded", done)
    assert.same({ "POST uploads 202", "HEAD blob 404", "PUT upload 201" }, faults.trace())
    stored(BIG)
  end)

  it("N49 that is refused becomes an upload", function()
    for _, status in ipairs { 400, 401, 403, 404, 405 } do
      faults.reset()
      up.registry = helper.registry()
      faults.on { method = "POST", target = "mount=", status = status, always = true }
      local _, done = up.registry:upload_blob(up.ref, { data = "hello" }, nil, { mount_from = "up/base" })
      assert.equal("uploaded", done, status)
      _, done = up.registry:upload_blob(up.ref, { data = "hello2" })
      assert.equal("uploaded", done, status)
      stored "hello2"
    end
  end)
end)

describe("sending", function()
  it("N26 follows 307 and 308 at the same origin, with the bytes", function()
    for _, status in ipairs { 307, 308 } do
      for _, source in ipairs { { data = BIG }, file() } do
        faults.reset()
        faults.on { method = "PUT", status = status, headers = { Location = "/v2/up/app/blobs/uploads/moved" } }
        faults.on { method = "PUT", path = "*/uploads/moved", status = 201 }
        uploads(source)
        local moved = faults.log { method = "PUT", path = "*/uploads/moved" }[1]
        assert.equal(oras.digest.of(BIG), moved.body_digest)
      end
    end
  end)

  it("N26 follows nothing else", function()
    for _, status in ipairs { 301, 302, 303 } do
      faults.reset()
      faults.on { method = "PUT", status = status, headers = { Location = "/v2/elsewhere" } }
      assert.equal("redirect", fails({ data = "hello" }).class)
      settled()
    end
    for _, status in ipairs { 307, 308 } do
      faults.reset()
      faults.on { method = "PUT", status = status,
        headers = { Location = "http://" .. faults.host "evil" .. "/v2/x" } }
      assert.equal("redirect", fails({ data = "hello" }).class)
      assert.same({}, faults.log { listener = "evil" })
    end
  end)

  it("N26 follows 307 to another origin when that is allowed, without any credentials", function()
    up.registry = helper.registry {
      headers = { ["X-Secret"] = "header-secret" }, upload_origins = { "http://" .. faults.host "evil" },
    }
    up.registry:set_basic_auth("alice", "wonder:land")
    up.ref = faults.host "http" .. "/basic/app"
    faults.on { method = "PUT", listener = "http", has = { authorization = ".*" }, status = 307,
      headers = { Location = "http://" .. faults.host "evil" .. "/elsewhere" } }
    faults.on { listener = "evil", method = "PUT", path = "/elsewhere", status = 201 }
    uploads(file())
    local log = faults.log { listener = "evil" }
    assert.equal(oras.digest.of(BIG), log[1].body_digest)
    assert.is_nil(faults.header(log[1], "authorization"))
    assert.is_false(faults.saw(log, "header-secret"))
  end)

  it("N36 goes on after failures that pass, with a new session", function()
    for _, status in ipairs { 408, 429, 500, 502, 503, 504 } do
      for _, method in ipairs { "POST", "PUT" } do
        faults.reset()
        faults.on { method = method, status = status }
        uploads { data = "hello" }
        stored "hello"
        settled()
      end
    end
  end)

  it("N36 ends after five tries, and leaves no session", function()
    faults.on { method = "PUT", status = 503, always = true }
    local err = fails { data = "hello" }
    assert.equal("server", err.class)
    assert.is_true(err.retryable)
    assert.equal(5, #faults.log { method = "PUT" })
    settled()
  end)

  it("N37 waits as long as it is told, or not at all", function()
    up.registry = helper.registry { retry = { wait = 0, max_retry_after = 2 } }
    local delays = {}
    up.registry:on("retry", function(failure)
      delays[#delays + 1] = failure.delay
    end)
    faults.on { method = "PUT", status = 429, headers = { ["Retry-After"] = "0" } }
    uploads { data = "hello" }
    assert.same({ 0 }, delays)
    faults.on { method = "PUT", status = 429, headers = { ["Retry-After"] = "1000" } }
    assert.equal("rate", fails({ data = "other" }).class)
    settled()
  end)

  it("N43 opens a new session where one was lost", function()
    faults.on { method = "PUT", lose = true }
    uploads(file())
    stored(BIG)
    assert.equal(2, #faults.log { method = "POST" })
    faults.reset()
    faults.on { method = "PUT", lose = true, always = true }
    assert.equal("not_found", fails({ data = "hello" }).class)
    assert.equal(2, #faults.log { method = "POST" })
  end)

  it("N43 begins anew where a session of chunks was lost", function()
    faults.on { method = "PATCH", nth = 3, lose = true }
    uploads(file(), CHUNKED)
    stored(BIG)
    settled()
  end)

  it("N01 N03 goes on after connections that break", function()
    for _, how in ipairs { "fin", "rst" } do
      for _, read in ipairs { 0, 10000 } do
        faults.reset()
        faults.on { method = "PUT", early = read == 0 or nil, read = read > 0 and read or nil, drop = how }
        uploads(file())
        stored(BIG)
        settled()
      end
    end
  end)

  it("asks whether the blob is there when the last answer was lost, before anything is sent again", function()
    for _, how in ipairs { "fin", "rst" } do
      for _, source in ipairs { { data = "hello" }, file() } do
        for _, close in ipairs { true, false } do -- whether the connection was used before
          faults.reset()
          local retries = count_retries()
          faults.on { method = "POST", say_close = close or nil }
          faults.on { method = "PUT", process = true, drop = how }
          uploads(source, { expect = "present" })
          assert.same({ "HEAD blob 404", "POST uploads 202", "PUT upload cut", "HEAD blob 200" }, faults.trace())
          stored(source.data or BIG)
          assert.same({ "PUT" }, retries)
        end
      end
    end
  end)

  it("asks so at the end of chunks, too", function()
    local retries = count_retries()
    faults.on { method = "PUT", process = true, drop = "fin" }
    uploads(file(), CHUNKED)
    assert.same({ "PUT" }, retries)
    assert.equal(1, #faults.log { method = "POST" })
    assert.equal(4, #faults.log { method = "PATCH" })
    stored(BIG)
  end)

  it("does so after a 500, too", function()
    faults.on { method = "PUT", process = true, status = 500 }
    uploads { data = "hello" }
    assert.equal(1, #faults.log { method = "POST" })
    stored "hello"
  end)

  it("N46 tells the status of an early answer, not the broken pipe", function()
    once()
    local path = file(BIG:rep(100))
    for status, class in pairs { [413] = "limit", [403] = "denied", [507] = "limit", [400] = "protocol" } do
      faults.reset()
      faults.on { method = "PUT", early = true, status = status, always = true }
      faults.on { method = "PATCH", early = true, status = status, always = true }
      local err = fails(path)
      assert.equal(class, err.class, tostring(err))
      assert.equal(status, err.status)
      settled()
    end
  end)

  it("N46 asks nothing more on a connection where a body was refused", function()
    once()
    faults.on { method = "PUT", status = 403, always = true }
    assert.equal("denied", fails(file(BIG)).class)
    settled()
    local refused = faults.log { method = "PUT" }[1]
    local ended = faults.log { method = "DELETE" }[1]
    assert.are_not.equal(refused.connection, ended.connection)
  end)

  it("N47 other bytes than were sent are integrity, and not tried again", function()
    faults.on { method = "PUT", set = { ["Docker-Content-Digest"] = oras.digest.of "other" } }
    local err = fails { data = "hello" }
    assert.equal("integrity", err.class)
    assert.matches(oras.digest.of "other", err.message, 1, true)
    assert.equal(1, #faults.log { method = "PUT" })
  end)

  it("N47 a digest by another algorithm, or none, says nothing", function()
    faults.on { method = "PUT", set = { ["Docker-Content-Digest"] = oras.digest.of("hello", "sha512") } }
    uploads { data = "hello" }
    faults.config { dcd = false }
    uploads { data = "hello2" }
  end)

  it("ends with 201, or nearly", function()
    for _, status in ipairs { 200, 201, 204 } do
      faults.reset()
      faults.on { method = "PUT", process = true, status = status }
      uploads { data = "hello" }
    end
    faults.reset()
    faults.on { method = "PUT", status = 202, always = true }
    local err = fails { data = "hello" }
    assert.equal("protocol", err.class)
    assert.matches("202", err.message, 1, true)
    settled()
  end)

  it("needs no Location in the end", function()
    faults.on { method = "PUT", set = { Location = false } }
    uploads { data = "hello" }
  end)

  it("says what the registry has against it", function()
    once()
    for status, case in pairs {
      [405] = { "unsupported", "is it read-only?" },
      [413] = { "limit", "too large" },
      [507] = { "limit", "no space left" },
      [403] = { "denied", "quota" },
    } do
      faults.reset()
      faults.on { method = "PUT", status = status, always = true, json = { errors = { {
        code = "DENIED", message = "quota exceeded" } } } }
      local err = fails { data = "hello" }
      assert.equal(case[1], err.class)
      assert.matches(case[2], err.message, 1, true)
      assert.matches(oras.digest.of "hello", err.message, 1, true)
      assert.matches("up/app", err.message, 1, true)
      settled()
    end
  end)

  it("a read-only registry is said to be one", function()
    faults.config { read_only = true }
    local err = fails { data = "hello" }
    assert.equal("unsupported", err.class)
    assert.matches("is it read-only?", err.message, 1, true)
  end)

  it("L06 a file that changes while it is sent is content, and nothing is stored", function()
    for _, change in ipairs { BIG .. "more", BIG:sub(2), ("x"):rep(#BIG) } do
      faults.reset()
      up.registry = helper.registry()
      local path = file()
      up.registry:on("request", function(request)
        if request.method == "PUT" then
          helper.write(path, change)
        end
      end)
      local err = fails(path)
      assert.equal("content", err.class, tostring(err))
      absent(BIG)
      absent(change)
      settled()
    end
  end)

  it("L06 a file that is replaced while it is sent goes up as it was, or not at all", function()
    local path = file()
    up.registry:on("request", function(request)
      if request.method == "PUT" then
        helper.write(path .. ".new", ("x"):rep(#BIG))
        os.rename(path .. ".new", path)
      end
    end)
    local good, err = oras.try(up.registry.upload_blob, up.registry, up.ref, path)
    assert.is_true(good ~= nil or err.class == "content")
    absent(("x"):rep(#BIG))
    settled()
  end)

  it("looks at its source again when the registry got something else", function()
    faults.on { method = "PUT", status = 400, json = { errors = { { code = "DIGEST_INVALID" } } } }
    uploads(file())
    assert.equal(2, #faults.log { method = "POST" })
    stored(BIG)
    faults.reset()
    faults.on { method = "PUT", status = 400, always = true, json = { errors = { { code = "DIGEST_INVALID" } } } }
    local err = fails { data = "hello" }
    assert.equal("DIGEST_INVALID", err.code)
    assert.equal(2, #faults.log { method = "POST" })
    settled()
  end)
end)

describe("an upload that is left", function()
  local function begun(opts)
    faults.on { method = "PUT", path = UPLOADS, read = 1000, stall_headers = 0, always = true }
    faults.on { method = "PATCH", path = UPLOADS, read = 1000, stall_headers = 0, always = true }
    local task = oras.spawn(up.registry.upload_blob, up.registry, up.ref, file(BIG:rep(50)), nil, opts)
    oras.spawn(function()
      repeat
        core.clock.sleep(0.01)
      until #faults.log { method = opts and "PATCH" or "PUT" } > 0
      task:cancel()
    end)
    return task
  end

  it("N55 ends its session, when its task is cancelled", function()
    for _, opts in ipairs { false, CHUNKED } do
      faults.reset()
      local task = begun(opts or nil)
      local started
      local _, err = oras.try(function()
        task:wait()
      end)
      assert.equal("cancelled", err.class)
      started = faults.wait { method = "DELETE", count = 1, finished = true }
      assert.equal(1, #started)
      assert.equal(0, faults.content("up/app").uploads)
    end
  end)

  it("N55 does not wait for a registry that does not answer", function()
    faults.on { method = "DELETE", stall_headers = 0, always = true }
    local task = begun()
    oras.try(function()
      task:wait()
    end)
    assert.equal("cancelled", task:status())
  end)

  it("N56 does not take others along", function()
    local path = file()
    faults.on { method = "PUT", target = "digest=" .. oras.digest.of "bad", status = 403, always = true }
    local results = oras.map({ "a", "bad", "c", "d" }, function(text)
      local _, err = oras.try(up.registry.upload_blob, up.registry, up.ref, text == "a" and path or { data = text })
      return err and err.class or "good"
    end, { concurrency = 4 })
    assert.same({ "good", "denied", "good", "good" }, results)
    stored(BIG)
    stored "d"
    settled()
  end)
end)
