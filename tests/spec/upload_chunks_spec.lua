--- Uploads in chunks, to registries that cap them, lose them, or count otherwise.
local oras = require "oras"
local response = require "oras.response"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local up = require "tests.spec.uploading"

local BIG <const>, UPLOADS <const>, CHUNKED <const> = up.BIG, up.UPLOADS, up.CHUNKED
local stored <const>, settled <const>, fails <const>, uploads <const> = up.stored, up.settled, up.fails, up.uploads
local file <const>, count_retries <const> = up.file, up.count_retries

before_each(up.begin)
after_each(helper.clean)

describe("chunks", function()
  it("are of the size that was asked for", function()
    uploads(file(), CHUNKED)
    assert.same({ "POST uploads 202", "HEAD blob 404", "PATCH upload 202", "PATCH upload 202", "PATCH upload 202",
      "PATCH upload 202", "PUT upload 201" }, faults.trace())
    local patches = faults.log { method = "PATCH" }
    assert.equal("0-39999", faults.header(patches[1], "content-range"))
    assert.equal("120000-159999", faults.header(patches[4], "content-range"))
    assert.equal("40000", faults.header(patches[4], "content-length"))
    stored(BIG)
  end)

  it("are not made of what is no larger than one", function()
    uploads({ data = "hello" }, CHUNKED)
    assert.same({ "POST uploads 202", "PUT upload 201" }, faults.trace())
  end)

  it("N45 are at least as long as the registry wants", function()
    faults.config { chunk_min = 70000 }
    uploads(file(), CHUNKED)
    assert.equal("0-69999", faults.header(faults.log { method = "PATCH" }[1], "content-range"))
    stored(BIG)
  end)

  it("N45 of no sensible least length are as long as was asked for", function()
    for _, least in ipairs { "0", "-5", "many", "1.5", "99999999999999999999999999" } do
      faults.reset()
      faults.config { chunk_min = least }
      uploads(file(), CHUNKED)
      assert.equal("0-39999", faults.header(faults.log { method = "PATCH" }[1], "content-range"), least)
    end
  end)

  it("N45 of a huge least length are one", function()
    faults.config { chunk_min = 1 << 40 }
    uploads(file(), CHUNKED)
    assert.same({ "PUT upload 201" }, faults.trace { method = "PUT" })
    assert.same({}, faults.log { method = "PATCH" })
  end)

  it("N44 may be told in another form", function()
    faults.config { upload_range = "bytes" }
    uploads(file(), CHUNKED)
    stored(BIG)
    assert.equal(0, #faults.log { method = "GET" })
  end)

  it("N44 may be told late, or not at all", function()
    for _, style in ipairs { "stale", "stale_always", "absent" } do
      faults.reset()
      faults.config { upload_range = style }
      uploads(file(), CHUNKED)
      stored(BIG)
      settled()
    end
  end)

  it("N44 may be told as nonsense", function()
    for _, range in ipairs { "garbage", "5-9", "0-", "-1", "0-99999999999999999999", "0-1, 2-3" } do
      faults.reset()
      faults.on { method = "PATCH", set = { Range = range }, always = true }
      uploads(file(), CHUNKED)
      stored(BIG)
    end
  end)

  it("N44 give way to the whole where the registry has more than was sent", function()
    faults.on { method = "PATCH", set = { Range = "0-79999" } }
    faults.on { method = "GET", set = { Range = "0-79999" } }
    uploads(file(), CHUNKED)
    assert.same({ "PATCH", "PUT" }, { faults.log()[3].method, faults.log({ method = "PUT" })[1].method })
    assert.equal(1, #faults.log { method = "PATCH" })
    stored(BIG)
    settled()
  end)

  it("N44 give way to the whole where bytes were doubled on the way", function()
    faults.config { append = true }
    faults.on { method = "PATCH", nth = 2, set_status = 502 } -- stored, but it seems not
    faults.on { method = "GET", status = 204, headers = { Range = "0-39999" } }
    uploads(file(), CHUNKED)
    stored(BIG)
    settled()
  end)

  it("N44 of a reader, which cannot begin anew, say what is wrong", function()
    faults.on { method = "PATCH", set = { Range = "0-79999" } }
    faults.on { method = "GET", set = { Range = "0-79999" } }
    local given = false
    local big = BIG:rep(10)
    local err = fails({ size = #big, reader = function()
      given = not given
      return given and big or nil
    end }, oras.digest.of(big), CHUNKED)
    assert.equal("protocol", err.class)
    assert.matches("80000", err.message, 1, true)
    settled()
  end)

  it("W2 N44 go on where the registry says that it stands", function()
    faults.on { method = "PATCH", read = 10000, process = true, drop = "rst" }
    uploads(file(), CHUNKED)
    stored(BIG)
    assert.equal("10000-49999", faults.header(faults.log { method = "PATCH" }[2], "content-range"))
    settled()
  end)

  it("N44 whose answer is lost are not sent again where they have arrived", function()
    for _, append in ipairs { true, false } do
      for _, how in ipairs { "fin", "rst" } do
        faults.reset()
        faults.config { append = append }
        local retries = count_retries()
        faults.on { method = "PATCH", process = true, drop = how, nth = 2 }
        uploads(file(), CHUNKED)
        stored(BIG)
        assert.equal(4, #faults.log { method = "PATCH" })
        assert.equal(1, #faults.log { method = "POST" })
        assert.same({ "PATCH" }, retries)
        settled()
      end
    end
  end)

  it("N44 begin anew where a chunk that broke off loses the session", function()
    faults.config { keep_broken = false }
    faults.on { method = "PATCH", nth = 2, read = 10000, process = true, drop = "rst" }
    uploads(file(), CHUNKED)
    stored(BIG)
    settled()
  end)

  it("give way to the whole where the registry takes none", function()
    for _, status in ipairs { 405, 501 } do
      faults.reset()
      faults.on { method = "PATCH", status = status, always = true }
      uploads(file(), CHUNKED)
      assert.equal(1, #faults.log { method = "PATCH" })
      assert.equal(2, #faults.log { method = "POST" })
      stored(BIG)
      settled()
    end
  end)

  it("N44 take the registry's word after a 416", function()
    local hit = faults.on { method = "PATCH", nth = 2, status = 416 }
    uploads(file(), CHUNKED)
    assert.equal(1, faults.hits(hit))
    stored(BIG)
    settled()
  end)

  it("N44 give way to the whole where nothing is agreed upon", function()
    faults.on { method = "PATCH", status = 416, always = true }
    uploads(file(), CHUNKED)
    stored(BIG)
    settled()
  end)

  it("N44 are given up where the registry goes back again and again", function()
    local sent = 0
    function up.registry.patch_upload(_, _, _, part)
      sent = sent + 1
      if sent % 2 == 0 then
        return response.new { status = 416, headers = { Range = "0-10" } }
      end
      return response.new { status = 202, headers = { Range = ("0-%d"):format(part.offset + part.size - 1) } }
    end
    uploads(file(), CHUNKED)
    assert.is_true(sent < 40, sent)
    stored(BIG)
    settled()
  end)

  it("of a reader are not as long as a registry likes", function()
    faults.config { chunk_min = 1 << 40 }
    local n = 0
    uploads({ reader = function()
      n = n + 1
      return n <= 20 and ("x"):rep(100000) or nil
    end }, CHUNKED)
    assert.equal("chunked", faults.header(faults.log { method = "PATCH" }[1], "transfer-encoding"))
    stored(("x"):rep(2000000))
  end)

  it("become smaller where they are too large", function()
    faults.act_as("ghcr", { patch_cap = 1 << 20 })
    local big = BIG:rep(20)
    uploads(file(big), { chunked = true, chunk_size = 2 << 20 })
    stored(big)
    settled()
  end)

  it("W2 are made where the whole is too large for something on the way", function()
    local big = BIG:rep(40)
    faults.on { method = "PUT", path = UPLOADS, has = { ["content-length"] = "^\\d{7,}$" }, early = true, status = 413,
      always = true }
    faults.on { method = "PATCH", path = UPLOADS, has = { ["content-length"] = "^[2-9]\\d{6,}$" }, early = true,
      status = 413, always = true }
    uploads(file(big))
    stored(big)
    settled()
  end)

  it("N36 go on after failures that pass", function()
    for _, status in ipairs { 429, 500, 503 } do
      faults.reset()
      faults.on { method = "PATCH", nth = 2, status = status }
      uploads(file(), CHUNKED)
      stored(BIG)
      assert.equal(1, #faults.log { method = "POST" })
      settled()
    end
  end)

  it("N36 end within the budget, and leave no session", function()
    faults.on { method = "PATCH", nth = 2, status = 503, always = true }
    local err = fails(file(), nil, CHUNKED)
    assert.equal("server", err.class)
    assert.is_true(#faults.log { method = "PATCH" } <= 31)
    settled()
  end)

  it("work where offsets are not looked at", function()
    faults.act_as "docker-registry"
    faults.on { method = "PATCH", nth = 2, read = 10000, process = true, drop = "rst" }
    uploads(file(), CHUNKED)
    stored(BIG)
    settled()
  end)

  it("work with ECR", function()
    faults.act_as "ecr"
    uploads(file(), CHUNKED)
    stored(BIG)
    assert.is_true(#faults.log { method = "GET" } <= 1)
  end)
end)
