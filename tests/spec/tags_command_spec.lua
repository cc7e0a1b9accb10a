--- oras-lua tags, and repo tags.
local commanding = require "tests.spec.commanding"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local good, bad = commanding.good, commanding.bad

-- The lines in order: docker-registry lists in none.
local function lines(...)
  local list = {}
  for line in good(...):gmatch "[^\n]+" do
    list[#list + 1] = line
  end
  table.sort(list)
  return table.concat(list, "\n")
end

describe("oras-lua tags", function()
  local ref, one, two

  before_each(function()
    ref = select(2, commanding.place "tags")
    commanding.write("a.txt", "a\n")
    commanding.write("b.txt", "b\n")
    one = good("push", ref .. ":a,latest,sha256-" .. ("0"):rep(64), "a.txt"):match "%S+"
    two = good("push", ref .. ":b", "b.txt"):match "%S+"
  end)
  after_each(helper.clean)

  it("prints one a line, and takes oras's other words", function()
    local all = ("a\nb\nlatest\nsha256-%s"):format(("0"):rep(64))
    assert.equal(all, lines("tags", ref))
    assert.equal(all, lines("repo", "tags", ref))
    assert.equal(all, lines("repo", "show-tags", ref))
    assert.equal("a\nb\nlatest", lines("tags", ref, "--exclude-digest-tags"))
    assert.equal("latest\n", good("tags", ref, "--filter", "l*t"))
    assert.equal("", good("tags", ref, "--filter", "none"))
  end)

  it("lists those of one manifest", function()
    assert.equal("a\nlatest", lines("tags", ref .. ":a", "--exclude-digest-tags"))
    assert.equal("b\n", good("tags", ref .. "@" .. two))
    bad(1, 'no manifest "none"', "tags", ref .. ":none")
  end)

  it("tells the digests that they lead to (W12)", function()
    assert.equal(("a  %s\nb  %s"):format(one, two), lines("tags", ref, "--digests", "--filter", "?"))
    local document = commanding.document("tags", "tags", ref, "--digests", "--format", "json")
    assert.equal(4, #document.tags)
    for i, entry in ipairs(document.digests) do
      assert.equal(document.tags[i], entry.tag)
      assert.equal(entry.tag == "b" and two or one, entry.digest)
    end
    assert.same({ tags = { "b" } }, commanding.document("tags", "tags", ref .. ":b", "--format", "json"))
  end)

  it("lists those of one repository in a layout of whole references, as oras does", function()
    for _, name in ipairs { "h/a:1", "h/a:2", "h/ab:3" } do
      good("push", "--oci-layout-path", "lay", name, "a.txt")
    end
    assert.equal("1\n2", lines("repo", "tags", "--oci-layout-path", "lay", "h/a"))
    assert.equal(("1  %s\n2  %s"):format(one, one), lines("tags", "--oci-layout-path", "lay", "h/a", "--digests"))
    assert.equal("h/a:1\nh/a:2\nh/ab:3", lines("tags", "--oci-layout-path", "lay", "h/a:1"))
    bad(1, "no manifest", "tags", "--oci-layout-path", "lay", "h/none")
  end)

  it("begins behind the tag that it is told", function()
    faults.reset()
    for _, tag in ipairs { "a", "b", "c" } do
      faults.seed { repo = "t/app", tag = tag, layers = {} }
    end
    assert.equal("c\n", good("tags", faults.host "http" .. "/t/app", "--last", "b"))
  end)

  it("prints what a registry calls a tag on one line, without what a terminal obeys", function()
    faults.reset()
    faults.on { path = "/v2/t/tags/list", status = 200, always = true, json = { tags = { "a\nb", "\27[31mred" } } }
    local place = faults.host "http" .. "/t"
    local out = good("tags", place)
    assert.equal(2, select(2, out:gsub("\n", "")), out)
    assert.is_nil(out:find("\27", 1, true))
    assert.same({ "a\nb", "\27[31mred" }, commanding.document("tags", "tags", place, "--format", "json").tags)
  end)

  it("leaves out a tag that leads to nothing, and says so", function()
    faults.reset()
    faults.seed { repo = "t/app", tag = "a", layers = {} }
    faults.seed { repo = "t/app", tag = "b", layers = { { data = "b" } } }
    faults.on { path = "/v2/t/app/manifests/a", status = 404, always = true }
    local status, out, err = commanding.run_with("", "tags", faults.host "http" .. "/t/app", "--digests")
    assert.equal(0, status, err)
    assert.matches("^b  sha256:%x+\n$", out)
    assert.matches('"a" leads to nothing', err)
    faults.reset { content = false }
    faults.on { path = "/v2/t/app/manifests/*", status = 403, always = true }
    bad(1, "denied", "tags", faults.host "http" .. "/t/app", "--digests")
  end)
end)
