--- Registry:verify and oras-lua verify: files on the disk beside an artifact.
local commanding = require "tests.spec.commanding"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local good, bad, write = commanding.good, commanding.bad, commanding.write

describe("verify", function()
  local dir, ref

  before_each(function()
    dir, ref = commanding.place "verify"
    write("a.txt", "a\n")
    write("deep/b.txt", "b\n")
    write("tree/f", "f")
    write("tree/sub/g", "g")
    process.sh("ln -s f %s; ln %s %s", dir .. "/tree/link", dir .. "/tree/f", dir .. "/tree/hard")
    good("push", ref .. ":v1", "a.txt", "deep/b.txt", "tree")
    good("pull", ref .. ":v1", "-o", "out")
  end)
  after_each(helper.clean)

  local function statuses(result)
    local words = {}
    for _, one in ipairs(result) do
      words[#words + 1] = one.path .. "=" .. one.status
      for _, inner in ipairs(one.files or {}) do
        words[#words + 1] = inner.path .. "=" .. inner.status
      end
    end
    return (table.concat(words, " "):gsub("out/", ""))
  end

  -- What verify says of the directory "out", without the place it is in.
  local function said(opts)
    local result = helper.registry():verify(ref .. ":v1", dir .. "/out", opts)
    for _, one in ipairs(result) do
      one.path = one.path:sub(#dir + 2)
      for _, inner in ipairs(one.files or {}) do
        inner.path = inner.path:sub(#dir + 2)
      end
    end
    return statuses(result), result
  end

  it("finds that all is as it was pulled (W22)", function()
    local text, result = said()
    assert.equal("a.txt=same deep/b.txt=same tree=same", text)
    assert.is_true(result.ok)
    assert.equal("", good("verify", "out", ref .. ":v1"))
    assert.matches("^ok +out/a.txt\n.*all files are as in", good("verify", "out", ref .. ":v1", "--format", "text"))
    assert.is_true(commanding.document("verify", "verify", "out", ref .. ":v1", "--format", "json").ok)
  end)

  it("finds what is missing, changed and of another kind (W22)", function()
    write("out/a.txt", "A\n")
    process.sh("rm -r %s && mkdir %s", dir .. "/out/deep", dir .. "/out/deep")
    assert.equal("a.txt=changed deep/b.txt=missing tree=same", (said()))
    process.sh("rm -r %s && touch %s && rm %s && mkdir %s", dir .. "/out/tree", dir .. "/out/tree",
      dir .. "/out/a.txt", dir .. "/out/a.txt")
    assert.equal("a.txt=kind deep/b.txt=missing tree=kind", (said()))
    process.sh("rm -r %s && ln -s ../a.txt %s", dir .. "/out/a.txt", dir .. "/out/a.txt")
    assert.equal("a.txt=kind deep/b.txt=missing tree=kind", (said()))
    local status, out = commanding.run_with("", "verify", "out", ref .. ":v1")
    assert.equal(1, status)
    assert.equal("other kind  out/a.txt (it is no regular file)\nmissing     out/deep/b.txt\n"
      .. "other kind  out/tree (it is no directory)\n", out)
  end)

  it("says which files of a directory are different (W22)", function()
    write("out/tree/f", "F")
    process.sh("rm -r %s", dir .. "/out/tree/sub")
    process.sh("rm %s; ln -s g %s", dir .. "/out/tree/link", dir .. "/out/tree/link")
    assert.equal("a.txt=same deep/b.txt=same tree=changed tree/f=changed tree/link=changed tree/sub=missing "
      .. "tree/sub/g=missing", (said()))
    write("out/tree/hard", "other")
    assert.matches("tree/hard=changed", (said()))
  end)

  it("takes other times and modes for the same content", function()
    process.sh("touch -d 2001-01-01 %s; chmod 600 %s", dir .. "/out/tree/f", dir .. "/out/tree/sub/g")
    assert.equal("a.txt=same deep/b.txt=same tree=same", (said()))
  end)

  it("lists what is not of the artifact when it is asked to (W22)", function()
    write("out/more", "m")
    write("out/deep/more", "m")
    write("out/tree/sub/more", "m")
    local text, result = said()
    assert.equal("a.txt=same deep/b.txt=same tree=same", text)
    assert.same({}, result.extra)
    text, result = said { extra = true }
    assert.equal("a.txt=same deep/b.txt=same tree=changed tree/sub/more=extra", text)
    assert.same({ dir .. "/out/deep/more", dir .. "/out/more" }, result.extra)
    assert.is_false(result.ok)
    local status, out = commanding.run_with("", "verify", "out", ref .. ":v1", "--extra", "--format", "json")
    assert.equal(1, status)
    local document = require("tests.spec.json_keys").check_text("verify", out)
    assert.same({ "out/deep/more", "out/more" }, document.extra)
  end)

  it("looks at some files only, and at packed ones", function()
    write("out/a.txt", "A\n")
    assert.equal("deep/b.txt=same", (said { only = "deep/*" }))
    assert.equal("tree=kind", (said { only = "tree", unpack = false }))
    good("pull", ref .. ":v1", "-o", "packed", "--no-unpack")
    assert.equal("", good("verify", "packed", ref .. ":v1", "--no-unpack"))
  end)

  it("fails on a directory that is not there, and on a layer that is not what it says", function()
    bad(1, "none", "verify", "none", ref .. ":v1")
    bad(2, "usage: oras%-lua verify", "verify", "out")
    faults.reset()
    good("copy", ref .. ":v1", faults.host "http" .. "/v/app:1")
    write("out/tree/f", "F") -- so that the layer is fetched
    faults.on { method = "GET", path = "/v2/v/app/blobs/*", corrupt = -1, always = true }
    bad(1, "content", "verify", "out", faults.host "http" .. "/v/app:1")
    faults.reset { content = false } -- a layer that says what is on the disk
    local evil = process.sh("tar -C %s -czf - tree | base64 -w0", dir .. "/out")
    faults.on { method = "GET", path = "/v2/v/app/blobs/*", status = 200, body_base64 = evil, always = true }
    bad(1, "integrity", "verify", "out", faults.host "http" .. "/v/app:1")
  end)
end)
