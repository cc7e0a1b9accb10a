local oras = require "oras"

local faults = require "tests.support.faults"
local faulty = require "tests.spec.faulty"
local helper = require "tests.spec.helper"

local OK <const> = "HTTP/1.1 200 OK\r\n"

describe("malformed replies", function()
  it("N09 may have 16 interim responses", function()
    faulty.succeeds { interim = { status = 100, count = 16 } }
    faulty.succeeds { interim = { status = 103, count = 3 } }
    local err = faulty.expect("protocol", false, { interim = { status = 100, count = 17 } })
    assert.matches("16 interim", err.message)
    faulty.expect("protocol", false, { interim = { status = 102, count = 5000 } })
    faulty.expect("protocol", false, { endless = "interim" })
  end)

  it("N10 are empty, no HTTP, or HTTP/0.9", function()
    faulty.expect("protocol", true, { drop = "fin" })
    faulty.expect("network", true, { drop = "rst" })
    faulty.expect("protocol", false, { raw = "hello, world" })
    faulty.expect("protocol", false, { raw = "\0\1\2\255\r\n\r\n" })
    faulty.expect("protocol", false, { raw = "SSH-2.0-OpenSSH_9.2\r\n" })
    faulty.expect("protocol", false, { raw = "HTTP/9.9 200 OK\r\n\r\n" })
    faulty.expect("protocol", false, { raw = "HTTP/1.1 2000 OK\r\n\r\n" })
  end)

  it("N11 have too many headers, or one that is too long", function()
    local line = "X-Filler: " .. ("f"):rep(1000) .. "\r\n"
    faulty.expect("protocol", false, { raw = OK .. line:rep(400) .. "\r\n" })
    faulty.expect("protocol", false, { raw = OK .. "X-Filler: " .. ("f"):rep(400000) .. "\r\n\r\n" })
    faulty.expect("protocol", false, { endless = "headers" })
    faulty.expect("protocol", false, { raw = OK .. ("A: b\r\n"):rep(60000) .. "\r\n" })
  end)

  it("N12 have lengths that differ or are none", function()
    for _, length in ipairs {
      { "5000", "5001" }, "5000, 5001", "-1", "-5000", "99999999999999999999", "9223372036854775808", "5000x",
      "0x10", "",
    } do
      faulty.expect("protocol", false, { set = { ["Content-Length"] = length } })
    end
    faulty.succeeds { set = { ["Content-Length"] = { "5000", "5000" } } }
  end)

  it("N12 have a length beside chunks, which then win", function()
    faulty.succeeds { chunked = 1000, set = { ["Content-Length"] = "3" } }
    faulty.succeeds { chunked = 1000, set = { ["Content-Length"] = "99999" } }
  end)

  it("N13 have more bytes than they say, which do no harm", function()
    faulty.succeeds { extra_size = 100000 }
    faulty.succeeds { extra_size = 100000, chunked = 1000 }
  end)

  it("N13 have another reply behind them, which is not taken for the next", function()
    faults.reset()
    local ref, layer = faulty.seed()
    local registry = helper.registry()
    faulty.on { extra = OK .. "Content-Length: 3\r\n\r\nbad", times = 1 }
    for _ = 1, 2 do
      assert.equal(layer.digest, oras.digest.of(registry:get_blob(ref, layer).content))
    end
  end)

  it("N13 have a body where none is", function()
    local registry = faulty.once()
    local ref, layer = faulty.seed()
    local url = ref:gsub("/t/app", "/v2/t/app/x")
    for _, status in ipairs { "204 No Content", "304 Not Modified" } do
      local raw = ("HTTP/1.1 %s\r\nContent-Length: 4\r\n\r\nbody"):format(status)
      faulty.on { path = "/v2/t/app/x", raw = raw, keep = true, times = 1 }
      assert.equal(tonumber(status:sub(1, 3)), registry:do_request("GET", url).status)
    end
    faulty.on { method = "HEAD", raw = OK .. "Content-Length: 5000\r\n\r\nbody", keep = true }
    assert.is_true(registry:blob_exists(ref, layer))
    faulty.expect_usable(registry, ref, layer)
  end)

  it("N14 have broken chunks", function()
    local head = OK .. "Transfer-Encoding: chunked\r\n\r\n"
    for _, size in ipairs { "ffffffffffffffffff", "-5", "zz", "8000000000000000" } do
      faulty.expect("protocol", false, { raw = head .. size .. "\r\nhello\r\n0\r\n\r\n" })
    end
    faulty.expect("protocol", false, { raw = head .. "5\r\nhelloXX5\r\nhello\r\n0\r\n\r\n" })
    faulty.expect("network", true, { raw = head .. "5\r\nhel" })
  end)

  it("N14 have trailers, which say nothing", function()
    local trailers = { { "Content-Length", "3" }, { "Docker-Content-Digest", "sha256:0" }, { "Location", "/x" } }
    faulty.succeeds { chunked = 1000, trailers = trailers }
  end)

  it("N15 are coded: the bytes as sent are hashed, and the coding is named", function()
    for _, rule in ipairs { {}, { chunked = 1000 }, { no_length = true } } do
      rule.encode = "gzip"
      local err = faulty.expect("integrity", false, rule, { content = { data = ("a"):rep(5000) } })
      assert.matches("Content%-Encoding gzip", err.message)
    end
  end)

  it("N16 have odd bytes in their headers, which go nowhere", function()
    for _, value in ipairs { "a\0b", "a\rb", "caf\233", "a\r\n folded", "\27[31mred" } do
      faults.reset()
      local ref, layer = faulty.seed()
      local registry = faulty.once()
      local fields = ('Content-Length: 5000\r\nX-Odd: %s\r\nWarning: 299 - "%s"\r\n\r\n'):format(value, value)
      faulty.on { raw = OK .. fields .. ("x"):rep(5000), times = 1 }
      local _, err = oras.try(registry.get_blob, registry, ref, layer)
      assert.is_true(err.class == "protocol" or err.class == "integrity", tostring(err))
      assert.is_nil(tostring(err):find "[%c\128-\255]")
      faulty.expect_usable(registry, ref, layer)
    end
    for _, location in ipairs { "/x\0y", "/x\ry", "/x\ty", "/a\127b" } do
      faults.reset()
      local ref, layer = faulty.seed()
      local registry = faulty.once()
      local head = "HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n"
      faulty.on { raw = head:format(location), times = 1 }
      local err = helper.fails(registry, "get_blob", ref, layer)
      assert.is_true(err.class == "protocol" or err.class == "redirect", tostring(err))
      assert.equal(1, #faults.log { listener = "http" })
      faulty.expect_usable(registry, ref, layer)
    end
  end)
end)

