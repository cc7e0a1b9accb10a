local core = require "oras.core"

local DIGEST <const> = "sha256:" .. ("0123456789abcdef"):rep(4)

local function class(call, ...)
  local value, err = call(...)
  assert.is_nil(value)
  assert.equal(core.error, getmetatable(err))
  return err.class
end

local function raised(call, ...)
  local good, err = pcall(call, ...)
  assert.is_false(good)
  assert.equal(core.error, getmetatable(err))
  return err.class
end

describe("core.reference", function()
  it("gives oras-py's fields", function()
    assert.same({
      kind = "registry", registry = "ghcr.io", host = "ghcr.io", namespace = "a/b", repository = "c",
      api_prefix = "a/b/c", tag = "v", digest = DIGEST,
    }, core.reference.parse("ghcr.io/a/b/c:v@" .. DIGEST))
    assert.same({
      kind = "registry", registry = "ghcr.io", host = "ghcr.io", repository = "c", api_prefix = "c", tag = "latest",
    }, core.reference.parse("c", "ghcr.io"))
    assert.same({ kind = "layout", path = "a:b/dir", tag = "v" }, core.reference.parse "oci:a:b/dir:v")
  end)

  it("prints what it parsed, and what was changed", function()
    for _, text in ipairs { "ghcr.io/a/b:v", "[::1]:5000/a@" .. DIGEST, "oci:dir:v@" .. DIGEST, "oci:dir" } do
      assert.equal(text, core.reference.print(core.reference.parse(text)))
    end
    local reference = core.reference.parse "ghcr.io/a/b:v"
    reference.tag, reference.digest = nil, DIGEST
    assert.equal("ghcr.io/a/b@" .. DIGEST, core.reference.print(reference))
    reference.digest = "sha256:x"
    assert.equal("usage", class(core.reference.print, reference))
    assert.equal("ghcr.io/n/r", core.reference.print { registry = "ghcr.io", namespace = "n", repository = "r" })
  end)

  it("gives URLs without a scheme", function()
    local reference = core.reference.parse "alpine"
    assert.equal("registry-1.docker.io/v2/library/alpine/manifests/latest", core.reference.url(reference, "manifest"))
    assert.equal("registry-1.docker.io/v2/library/alpine/blobs/" .. DIGEST,
      core.reference.url(reference, "blob", DIGEST))
    assert.equal("usage", class(core.reference.url, reference, "blob"))
    assert.equal("usage", class(core.reference.url, core.reference.parse "oci:x:y", "manifest"))
    assert.equal("usage", raised(core.reference.url, reference, "nonsense"))
  end)

  it("C38 gives usage for what is no reference, raises for what is no string", function()
    assert.equal("usage", class(core.reference.parse, "http://ghcr.io/a"))
    assert.equal("usage", class(core.reference.parse, "ghcr.io/a\0b"))
    assert.equal("usage", raised(core.reference.parse, 5))
    assert.equal("usage", raised(core.reference.parse, nil))
  end)
end)

describe("core.digest", function()
  it("hashes strings, pieces and files", function()
    local abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert.equal(abc, core.digest.of "abc")
    assert.equal(abc, core.digest.new():update("a"):update("bc"):final())
    assert.matches("^sha512:ddaf35a1", core.digest.of("abc", "sha512"))
    local name = os.tmpname()
    local file = assert(io.open(name, "wb"))
    file:write(("x"):rep(1000000))
    file:close()
    assert.equal(core.digest.of(("x"):rep(1000000)), core.digest.of_file(name))
    assert.equal(core.digest.of(("x"):rep(1000000), "sha512"), core.digest.of_file(name, "sha512"))
    os.remove(name)
  end)

  it("L07 hashes regular files only and does not wait for a FIFO", function()
    local name = os.tmpname()
    os.remove(name)
    assert(os.execute(("mkfifo '%s'"):format(name)))
    assert.equal("io", class(core.digest.of_file, name))
    os.remove(name)
    local _, err = core.digest.of_file "/"
    assert.equal("open '/': Is a directory", err.message)
    assert.equal("io", err.class)
    _, err = core.digest.of_file(name)
    assert.equal("io", err.class)
    assert.equal(2, err.native)
  end)

  it("hashes several files at once in tasks, and lets go of cancelled ones", function()
    local name = os.tmpname()
    local file = assert(io.open(name, "wb"))
    file:write(("y"):rep(3000000))
    file:close()
    local tasks = {}
    for i = 1, 8 do
      tasks[i] = core.task.spawn(core.digest.of_file, name)
    end
    tasks[3]:cancel()
    for i = 1, 8 do
      if i ~= 3 then
        assert.equal(core.digest.of(("y"):rep(3000000)), tasks[i]:wait())
      end
    end
    os.remove(name)
  end)

  it("C04 reads the grammar", function()
    assert.same({ algorithm = "sha256", encoded = DIGEST:sub(8), text = DIGEST }, core.digest.parse(DIGEST))
    for _, text in ipairs { "", "sha256:", "sha256:../x", DIGEST:upper(), DIGEST .. "0", "md5:x", DIGEST .. "\0" } do
      assert.equal("content", class(core.digest.parse, text))
    end
  end)

  it("raises for a hasher that is done and for unknown algorithms", function()
    local hasher = core.digest.new()
    hasher:final()
    assert.equal("usage", raised(hasher.final, hasher))
    assert.equal("usage", raised(hasher.update, hasher, "x"))
    assert.equal("usage", raised(hasher.update, io.stdout, "x"))
    assert.equal("usage", raised(core.digest.of, "x", "md5"))
    assert.equal("oras.hasher", tostring(hasher))
  end)
end)

describe("core.base64", function()
  it("goes both ways and is strict", function()
    assert.equal("AP8=", core.base64.encode "\0\xff")
    assert.equal("\0\xff", core.base64.decode "AP8=")
    assert.equal("", core.base64.decode "")
    assert.equal("content", class(core.base64.decode, "AP8"))
    assert.equal("usage", raised(core.base64.decode, nil))
  end)
end)

describe("core.headers", function()
  it("N52 finds links", function()
    assert.equal("/x?n=1", core.headers.link('<a>; rel=prev, </x?n=1>; rel="next"', "next"))
    assert.is_nil(core.headers.link("<a>; rel=prev", "next"))
    assert.is_nil(core.headers.link(nil, "next"))
  end)

  it("N37 reads Retry-After against a clock that is given", function()
    assert.equal(5, core.headers.retry_after("5"))
    assert.equal(60, core.headers.retry_after("Tue, 14 Nov 2023 22:14:20 GMT", 1700000000))
    assert.equal(60, core.headers.retry_after("Tue, 14 Nov 2023 22:14:20 GMT", 1700000000.5))
    assert.equal("protocol", class(core.headers.retry_after, "soon"))
    assert.is_nil(core.headers.retry_after(nil))
  end)

  it("N39 reads Content-Range", function()
    assert.same({ 0, 9, 10 }, { core.headers.content_range "bytes 0-9/10" })
    assert.same({ 0, 9, -1 }, { core.headers.content_range "bytes 0-9/*" })
    assert.equal("protocol", class(core.headers.content_range, nil))
  end)

  it("reads warnings", function()
    assert.equal('a "b"', core.headers.warning '299 - "a \\"b\\""')
    assert.is_nil(core.headers.warning '199 - "a"')
  end)
end)

describe("core.auth", function()
  it("N30 reads challenges of one line and of many", function()
    assert.same({
      { scheme = "basic", params = { realm = "a, b" } },
      { scheme = "bearer", params = { realm = "https://x/t?y=1", scope = "a b" } },
      { scheme = "negotiate", params = {}, token68 = "abc==" },
    }, core.auth.challenges { 'BASIC Realm="a, b", Bearer realm="https://x/t?y=1",SCOPE="a b"', "Negotiate abc==" })
    assert.same({}, core.auth.challenges(nil))
    assert.same({}, core.auth.challenges {})
    assert.same({ { scheme = "basic", params = { realm = "first" } } },
      core.auth.challenges 'Basic realm=first, realm=second')
  end)

  it("N30 refuses 64 KiB of challenges, in one line or in many", function()
    assert.equal("auth", class(core.auth.challenges, ("x"):rep(65537)))
    assert.equal("auth", class(core.auth.challenges, { ("x"):rep(60000), ("y"):rep(6000) }))
  end)

  it("take secrets out of a text, in any spelling", function()
    local secret = core.auth.basic("https://h", "alice", "won/der land")
    local text = "Basic YWxpY2U6d29uL2RlciBsYW5k, won/der land, won%2fder+land, d29uL2RlciBsYW5k, x"
    assert.equal("***, ***, ***, ***, x", core.auth.redact(text, secret))
    assert.equal("*** and ***", core.auth.redact("hunter2 and abcd", core.auth.bearer("https://h", "abcd"), "hunter2"))
    assert.equal("an abc", core.auth.redact("an abc", core.auth.bearer("https://h", "abc")))
    assert.equal("usage", raised(core.auth.redact, "text", 5))
  end)

  it("makes secrets that show nothing", function()
    local secret = core.auth.basic("https://h", "user", "hunter2")
    assert.equal("oras.secret", tostring(secret))
    assert.is_nil(next(getmetatable(secret).__index))
    assert.equal("usage", class(core.auth.basic, "https://h", "a:b", "c"))
    assert.equal("usage", class(core.auth.bearer, "https://h", "a\r\nb"))
    assert.equal("usage", raised(core.auth.bearer, "nonsense", "a"))
    assert.equal("usage", raised(core.auth.bearer, "https://h", nil))
  end)
end)

describe("core.error", function()
  it("says what is worth another try", function()
    local _, err = core.digest.parse "x"
    assert.is_false(err.retryable)
    assert.equal("oras.Error", core.error.__name)
    assert.is_nil(err.status)
    assert.is_nil(err.code)
  end)
end)
