local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local function ref(repo)
  return faults.host "http" .. "/" .. (repo or "t/app")
end

local function seed(n, repo)
  local tags = {}
  for i = 1, n do
    tags[i] = ("v%03d"):format(i)
  end
  faults.seed { repo = repo or "t/app", tags = tags, layers = {} }
  return tags
end

local function page(link, tags)
  local document = { name = "t/app", tags = tags }
  return { path = "/v2/t/app/tags/list", status = 200, headers = { Link = link }, json = document }
end

describe("get_tags", function()
  before_each(faults.reset)

  it("follows the pages", function()
    local tags = seed(25)
    faults.config { tags_page = 10 }
    assert.same(tags, helper.registry():get_tags(ref()))
    assert.equal(3, #faults.log { path = "/v2/t/app/tags/list" })
  end)

  it("gives at most N, those behind last, and those that a filter wants", function()
    seed(25)
    faults.config { tags_page = 10 }
    local registry = helper.registry()

    assert.same({ "v001", "v002" }, registry:get_tags(ref(), { N = 2 }))
    assert.same({ "v024", "v025" }, registry:get_tags(ref(), { last = "v023" }))
    assert.same({ "v010", "v020" }, registry:get_tags(ref(), { filter = "0$" }))
    assert.same({ "v005" }, registry:get_tags(ref(), { filter = function(tag) return tag == "v005" end }))
    assert.same({ "v010" }, registry:get_tags(ref(), { filter = "0$", N = 1 }))
  end)

  it("leaves out tags that stand for a digest when asked", function()
    local digest_tag = (oras.digest.of("x"):gsub(":", "-"))
    faults.seed { repo = "t/app", tags = { digest_tag, digest_tag .. ".sig", "v1" }, layers = {} }
    local registry = helper.registry()
    assert.equal(3, #registry:get_tags(ref()))
    assert.same({ "v1" }, registry:get_tags(ref(), { exclude_digest_tags = true }))
  end)

  it("asks for pages only as the iterator needs them", function()
    seed(25)
    faults.config { tags_page = 10 }
    for tag in helper.registry():tags(ref()) do
      if tag == "v005" then
        break
      end
    end
    assert.equal(1, #faults.log { path = "/v2/t/app/tags/list" })
  end)

  it("N52 takes null and absent lists as empty", function()
    local registry = helper.registry()
    faults.on { path = "/v2/t/app/tags/list", status = 200, body = '{"name":"t/app","tags":null}' }
    assert.same({}, registry:get_tags(ref()))
    faults.on { path = "/v2/t/app/tags/list", status = 200, body = '{"name":"other"}' }
    assert.same({}, registry:get_tags(ref()))
  end)

  it("N52 refuses lists of other things", function()
    local registry = helper.registry()
    for _, body in ipairs { '{"tags":{}}', '{"tags":[1]}', '{"tags":"x"}', "[]", "no json" } do
      faults.on { path = "/v2/t/app/tags/list", status = 200, body = body }
      local err = helper.fails(registry, "get_tags", ref())
      assert.equal("content", err.class, body)
      assert.matches(("tags of %s/t/app: "):format(faults.host "http"), err.message, 1, true)
      assert.matches("^http://.*/v2/t/app/tags/list$", err.url)
      assert.equal("GET", err.method)
    end
  end)

  it("N52 stops at the cap of pages and at a page that comes again", function()
    local registry = helper.registry { limits = { pages = 5 } }
    for i = 1, 8 do
      faults.on(page(("</v2/t/app/tags/list?last=%d>; rel=next"):format(i), { "a" }))
    end
    local err = helper.fails(registry, "get_tags", ref())
    assert.equal("limit", err.class)
    assert.matches("tags of .*t/app: the list has more than 5 pages", err.message)
    assert.equal(5, #faults.log { path = "/v2/t/app/tags/list" })
    faults.reset()
    local rule = page('</v2/t/app/tags/list?last=a>; rel="next"', { "a" })
    rule.always = true
    faults.on(rule)
    assert.equal("protocol", helper.fails(registry, "get_tags", ref()).class)
  end)

  it("N52 does not follow a link to another origin", function()
    local registry = helper.registry()
    registry:set_basic_auth("alice", "wonder:land")
    faults.on(page(("<%s/v2/t/app/tags/list>; rel=next"):format(faults.url "evil"), { "a" }))
    assert.equal("redirect", helper.fails(registry, "get_tags", ref()).class)
    assert.same({}, faults.log { listener = "evil" })
  end)

  it("N52 reads a very long list", function()
    local tags = {}
    for i = 1, 100000 do
      tags[i] = "t" .. i
    end
    faults.on { path = "/v2/t/app/tags/list", status = 200, json = { name = "t/app", tags = tags } }
    assert.equal(100000, #helper.registry():get_tags(ref()))
  end)

  it("refuses a filter that is no pattern", function()
    for _, method in ipairs { "get_tags", "tags" } do
      assert.equal("usage", helper.fails(helper.registry(), method, ref(), { filter = "[" }).class)
    end
  end)

  it("says which repository is missing", function()
    local err = helper.fails(helper.registry(), "get_tags", ref "t/none")
    assert.equal("not_found", err.class)
    assert.equal(('no repository "t/none" in %s/t/none'):format(faults.host "http"), err.message)
  end)
end)

describe("repositories", function()
  before_each(faults.reset)

  local function collect(iterator)
    local list = {}
    for name in iterator do
      list[#list + 1] = name
    end
    return list
  end

  it("iterates over all pages", function()
    for i = 1, 5 do
      seed(1, "r/app" .. i)
    end
    faults.config { catalog_page = 2 }
    local names = collect(helper.registry():repositories(faults.host "http"))
    assert.same({ "r/app1", "r/app2", "r/app3", "r/app4", "r/app5" }, names)
    local mine = helper.registry { hostname = faults.host "http" }
    assert.same({ "r/app4", "r/app5" }, collect(mine:repositories(nil, { last = "r/app3" })))
  end)

  it("raises what the registry refuses", function()
    faults.on { path = "/v2/_catalog", status = 405 }
    local err = select(2, oras.try(collect, helper.registry():repositories(faults.host "http")))
    assert.equal("unsupported", err.class)
    assert.equal("usage", helper.fails(helper.registry(), "repositories").class)
  end)
end)
