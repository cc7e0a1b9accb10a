--- oras-lua repos, and repo ls.
local commanding = require "tests.spec.commanding"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local good, bad = commanding.good, commanding.bad

describe("oras-lua repos", function()
  local host, namespace

  before_each(function()
    local ref = select(2, commanding.place "repos")
    host, namespace = ref:match "^([^/]+)/(.*)$"
    commanding.write("a.txt", "a\n")
    for _, name in ipairs { "/one", "/two/deep", "more" } do
      good("push", ref .. name .. ":v1", "a.txt")
    end
  end)
  after_each(helper.clean)

  it("prints one a line", function()
    local out = good("repos", host)
    assert.truthy(("\n" .. out):find("\n" .. namespace .. "/one\n", 1, true))
    assert.equal(out, good("repo", "ls", host))
    assert.equal(out, good("repo", "list", host))
  end)

  it("lists what is below a namespace, by names from there on; whole names for programs, as oras does", function()
    local place = host .. "/" .. namespace
    assert.equal("one\ntwo/deep\n", good("repos", place))
    assert.equal("two/deep\n", good("repo", "ls", place .. "/", "--last", "one"))
    assert.same({ registry = host, repositories = { namespace .. "/one", namespace .. "/two/deep" } },
      commanding.document("repos", "repos", place, "--format", "json"))
    assert.equal(host, commanding.document("repos", "repos", host, "--format", "json").registry)
    assert.equal("", good("repos", place .. "/none"))
  end)

  it("prints each on one line, without what a terminal obeys", function()
    faults.reset()
    faults.on {
      path = "/v2/_catalog", status = 200, always = true, json = { repositories = { "a\nb", "\27[31mred" } },
    }
    local out = good("repos", faults.host "http")
    assert.equal(2, select(2, out:gsub("\n", "")), out)
    assert.is_nil(out:find("\27", 1, true))
  end)

  it("says what is wrong in one line", function()
    bad(2, "usage: oras%-lua repos", "repos")
    bad(2, "a layout on disk has no list of repositories", "repos", "oci:dir")
    bad(2, "a layout on disk has no list of repositories", "repos", "--oci-layout", "dir")
    faults.reset()
    faults.on { path = "/v2/_catalog", status = 401, always = true }
    bad(1, "", "repos", faults.host "http")
  end)
end)
