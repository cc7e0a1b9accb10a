--- oras-lua blob fetch, push and delete.
local oras = require "oras"

local commanding = require "tests.spec.commanding"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local good, bad = commanding.good, commanding.bad

describe("oras-lua blob", function()
  local ref, digest
  local BYTES <const> = "some bytes\0of a blob\n"

  before_each(function()
    ref = select(2, commanding.place "blob")
    commanding.write("data", BYTES)
    digest = oras.digest.of(BYTES)
  end)
  after_each(helper.clean)

  it("stores a file, and gives it back as it is", function()
    assert.equal(digest .. "\n", good("blob", "push", ref, "data"))
    assert.equal(BYTES, good("blob", "fetch", ref .. "@" .. digest))
    assert.equal(BYTES, good("blob", "get", ref .. "@" .. digest, "-o", "-"))
    assert.equal("", good("blob", "fetch", ref .. "@" .. digest, "--output", "got"))
    assert.equal(BYTES, commanding.read "got")
  end)

  it("takes a digest, size and type, and checks them before anything is sent", function()
    local line = good("blob", "push", ref .. "@" .. digest, "data", "--size", #BYTES .. "", "--media-type", "text/x",
      "--descriptor")
    assert.equal(('{"mediaType":"text/x","digest":"%s","size":%d}'):format(digest, #BYTES), line)
    bad(1, "21 bytes, not 20", "blob", "push", ref, "data", "--size", "20")
    bad(1, "", "blob", "push", ref .. "@sha256:" .. ("0"):rep(64), "data")
    bad(2, "has a tag", "blob", "push", ref .. ":v1", "data")
  end)

  it("stores what comes on standard input, of any size (W06)", function()
    local big = ("0123456789abcdef"):rep(200000)
    local status, out, err = commanding.run_with(big, "blob", "push", ref, "-")
    assert.same({ 0, oras.digest.of(big) .. "\n", "" }, { status, out, err })
    assert.equal(big, good("blob", "fetch", ref .. "@" .. oras.digest.of(big)))
  end)

  it("describes a blob (W12)", function()
    good("blob", "push", ref, "data")
    assert.equal(('{"mediaType":"application/octet-stream","digest":"%s","size":%d}'):format(digest, #BYTES),
      good("blob", "fetch", "--descriptor", ref .. "@" .. digest))
    local document = commanding.document("blob fetch", "blob", "fetch", ref .. "@" .. digest, "--format", "json")
    assert.equal(#BYTES, document.size)
    document = commanding.document("blob push", "blob", "push", ref, "data", "--format", "json")
    assert.equal(ref .. "@" .. digest, document.reference)
  end)

  it("prints nothing of a blob that is not what its digest says", function()
    faults.reset()
    for _, size in ipairs { 1000, 5000000 } do
      local a = faults.seed { repo = "b/app", tag = "1", layers = { { size = size } } }
      faults.on { method = "GET", path = "/v2/b/app/blobs/*", corrupt = size - 1, always = true }
      bad(1, "integrity", "blob", "fetch", faults.host "http" .. "/b/app@" .. a.layers[1].digest)
      bad(1, "integrity", "blob", "fetch", faults.host "http" .. "/b/app@" .. a.layers[1].digest, "-o", "got")
      assert.is_nil(commanding.read "got")
      faults.reset()
    end
  end)

  it("goes on where a big one broke off, and prints it once (W01)", function()
    faults.reset()
    local a = faults.seed { repo = "b/app", tag = "1", layers = { { size = 5000000 } } }
    faults.on { method = "GET", path = "/v2/b/app/blobs/*", cut = 3000000, how = "rst" }
    local status, out = commanding.run_with("", "blob", "fetch", faults.host "http" .. "/b/app@" .. a.layers[1].digest)
    assert.equal(0, status)
    assert.equal(a.layers[1].digest, oras.digest.of(out))
    assert.truthy(faults.header(faults.log { method = "GET" }[2], "Range"))
  end)

  it("deletes after a question, or with --force", function()
    faults.reset()
    local a = faults.seed { repo = "b/app", tag = "1", layers = { { data = "x" } } }
    local place = faults.host "http" .. "/b/app@" .. a.layers[1].digest
    bad(1, "nobody is there to be asked", "blob", "delete", place)
    assert.truthy(faults.content "b/app".blobs[a.layers[1].digest])
    assert.equal(a.layers[1].digest .. "\n", good("blob", "delete", "-f", place))
    assert.is_nil(faults.content "b/app".blobs[a.layers[1].digest])
    bad(1, "no blob", "blob", "delete", place)
    local status, out = commanding.run_with("", "blob", "rm", "-f", place, "--format", "json")
    assert.same({ 0, "[]\n" }, { status, out })
    bad(2, "no digest", "blob", "delete", faults.host "http" .. "/b/app:1")
  end)

  it("says what is wrong in one line", function()
    for _, words in ipairs { { "--format", "json" }, { "--descriptor" } } do
      bad(2, "both go to standard output", "blob", "fetch", ref .. "@" .. digest, "-o", "-", table.unpack(words))
    end
    bad(2, "no digest", "blob", "fetch", ref .. ":v1")
    bad(1, "no blob", "blob", "fetch", ref .. "@" .. digest)
    bad(1, "no blob", "blob", "fetch", ref .. "@" .. digest, "-o", "got")
    assert.is_nil(commanding.read "got")
    bad(1, "No such file", "blob", "push", ref, "none")
  end)
end)
