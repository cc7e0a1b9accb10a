--- Registry:discover: the tree of what refers to a manifest; and the command.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local json_keys = require "tests.spec.json_keys"
local process = require "tests.spec.process"
local referring = require "tests.spec.referring"

local entry, refer = referring.entry, referring.refer

local registry, ref, subject

-- A tree as lists of digests: {digest, children...}.
local function shape(node)
  local list = {}
  for i, child in ipairs(node.referrers) do
    list[i] = { child.digest, table.unpack(shape(child)) }
  end
  table.sort(list, function(a, b)
    return a[1] < b[1]
  end)
  return list
end

local function by_digest(...)
  local list = { ... }
  table.sort(list, function(a, b)
    return a[1] < b[1]
  end)
  return list
end

before_each(function()
  faults.reset()
  registry = helper.registry()
  ref = faults.host "http" .. "/d/app"
  subject = referring.seed("d/app", { tag = "v1" })
end)
after_each(helper.clean)

describe("discover", function()
  local sbom, signature, counter

  before_each(function()
    sbom, signature = refer("d/app", subject, "sbom", { k = "v" }), refer("d/app", subject, "signature")
    counter = refer("d/app", sbom, "counter")
  end)

  it("gives the manifest with all that refers to it, and to that", function()
    local root = registry:discover(ref .. ":v1")
    assert.equal(subject.digest, root.digest)
    assert.equal(referring.MANIFEST, root.mediaType)
    assert.same(by_digest({ sbom.digest, { counter.digest } }, { signature.digest }), shape(root))
    assert.same({ k = "v" }, (root.referrers[1].annotations or root.referrers[2].annotations))
    assert.equal(1, faults.count({ method = "HEAD" }).total)
    assert.equal(5, #faults.log())
  end)

  it("goes as deep as it is told", function()
    local root = registry:discover(ref .. ":v1", { depth = 1 })
    assert.same(by_digest({ sbom.digest }, { signature.digest }), shape(root))
    assert.equal(2, #faults.log())
    root = registry:discover(ref .. ":v1", { depth = 2 })
    assert.same(by_digest({ sbom.digest, { counter.digest } }, { signature.digest }), shape(root))
    assert.equal("usage", helper.fails(registry, "discover", ref .. ":v1", { depth = 0 }).class)
  end)

  it("shows what is of a type, and what leads there", function()
    local root = registry:discover(ref .. ":v1", { artifact_type = "application/x.counter" })
    assert.same({ { sbom.digest, { counter.digest } } }, shape(root))
    root = registry:discover(ref .. ":v1", { artifact_type = "application/x.sbom" })
    assert.same({ { sbom.digest } }, shape(root))
    root = registry:discover(ref .. ":v1", { artifact_type = "application/x.sbom", depth = 1 })
    assert.same({ { sbom.digest } }, shape(root))
    assert.matches("artifactType=", faults.log()[#faults.log()].target, 1, true)
    assert.same({}, shape(registry:discover(ref .. ":v1", { artifact_type = "application/x.counter", depth = 1 })))
  end)

  it("asks about the manifest of a platform", function()
    local config = '{"os":"linux","architecture":"arm64"}'
    local child = referring.seed("d/app", {
      config = { data = config, media_type = oras.oci.media_types.config }, layers = { { data = "arm" } },
    })
    registry:upload_manifest(ref .. ":all", { manifests = {
      entry(child, { platform = { os = "linux", architecture = "arm64" } }),
    } })
    local mine = refer("d/app", child, "mine")
    assert.same({ { mine.digest } }, shape(registry:discover(ref .. ":all", { platform = "linux/arm64" })))
    assert.same({}, shape(registry:discover(ref .. ":all")))
    assert.equal(mine.digest, registry:referrers(ref .. ":all", { platform = "linux/arm64" })[1].digest)
  end)

  it("asks through the method that a provider overrides", function()
    local asked = {}
    function registry:referrers(container, opts)
      asked[#asked + 1] = container.digest
      return oras.Registry.referrers(self, container, opts)
    end
    registry:discover(ref .. ":v1")
    assert.equal(4, #asked)
    function registry.referrers()
      return "none"
    end
    assert.equal("usage", helper.fails(registry, "discover", ref .. ":v1").class)
  end)
end)

describe("discover of hostile lists", function()
  it("C12 ends where referrers go in circles or refer to themselves", function()
    local a, b = refer("d/app", subject, "a"), refer("d/app", subject, "b")
    faults.on(referring.rule(nil, entry(subject), entry(a), entry(b), entry(a)))
    local root = registry:discover(ref .. ":v1")
    assert.same(by_digest({ a.digest }, { b.digest }), shape(root))
    assert.equal(3, faults.count({ path = "*/referrers/*" }).total)
  end)

  it("C12 has a limit of levels", function()
    local last = subject
    for i = 1, 5 do
      last = refer("d/app", last, "n" .. i)
    end
    registry = helper.registry { limits = { referrers_depth = 4 } }
    local err = helper.fails(registry, "discover", ref .. ":v1")
    assert.equal("limit", err.class)
    assert.matches("more than 4 levels", err.message, 1, true)
    assert.equal(1, #registry:discover(ref .. ":v1", { depth = 4 }).referrers)
    assert.equal(subject.digest, helper.registry { limits = { referrers_depth = 6 } }:discover(ref .. ":v1").digest)
  end)

  it("C12 is a document as deep as the limit is", function()
    local last = subject
    for i = 1, 30 do
      last = refer("d/app", last, "n" .. i)
    end
    local root = registry:discover(ref .. ":v1")
    assert.matches(last.digest, oras.json.encode(root), 1, true)
    refer("d/app", last, "more")
    assert.equal("limit", helper.fails(registry, "discover", ref .. ":v1").class)
  end)

  it("C12 has a limit of manifests", function()
    for i = 1, 5 do
      refer("d/app", subject, "n" .. i)
    end
    registry = helper.registry { limits = { graph = 4 } }
    local err = helper.fails(registry, "discover", ref .. ":v1")
    assert.equal("limit", err.class)
    assert.matches("more than 4", err.message, 1, true)
  end)
end)

describe("discover without the API", function()
  local function list_of(one, ...)
    faults.seed {
      repo = "d/app", tag = (one.digest:gsub(":", "-")), media_type = referring.INDEX, manifest = referring.list(...),
    }
  end

  local all, deep
  local function plant(count)
    local entries = {}
    all = {}
    for i = 1, count do
      all[i] = refer("d/app", subject, "n" .. i)
      entries[i] = entry(all[i], { artifactType = "application/x.n" .. i })
    end
    deep = refer("d/app", all[1], "deep")
    list_of(subject, table.unpack(entries))
    list_of(all[1], entry(deep, { artifactType = "application/x.deep" }))
    referring.without_api()
  end

  local function expected()
    local list = { { all[1].digest, { deep.digest } } }
    for i = 2, #all do
      list[i] = { all[i].digest }
    end
    return by_digest(table.unpack(list))
  end

  it("asks the list of tags who has none, instead of each", function()
    plant(20)
    assert.same(expected(), shape(registry:discover(ref .. ":v1")))
    -- subject, its referrers, its list; the tags; the list of the first; that of the one below
    assert.equal(1, faults.count({ path = "*/tags/list" }).total)
    assert.equal(5, #faults.log())
  end)

  it("asks each where they are few", function()
    plant(3)
    assert.same(expected(), shape(registry:discover(ref .. ":v1")))
    assert.equal(0, faults.count({ path = "*/tags/list" }).total)
  end)

  it("asks each where the list of tags is refused, or does not have what is there", function()
    for _, rule in ipairs {
      { status = 403 }, { status = 404 },
      { status = 200, headers = { ["Content-Type"] = "application/json" }, body = '{"name":"d/app","tags":["v1"]}' },
    } do
      faults.reset()
      registry = helper.registry()
      subject = referring.seed("d/app", { tag = "v1" })
      plant(20)
      rule.path = "*/tags/list"
      faults.on(rule)
      assert.same(expected(), shape(registry:discover(ref .. ":v1")))
      assert.equal(22, faults.count({ path = "*/manifests/sha256-*" }).total)
    end
  end)
end)

describe("oras-lua discover", function()
  local sbom, counter

  local function run(...)
    local status, out, err = process.run("discover", ...)
    assert.same({ 0, "" }, { status, err })
    return out
  end

  before_each(function()
    sbom = refer("d/app", subject, "sbom", { k = "v\27[2J", a = "b" })
    counter = refer("d/app", sbom, "counter")
  end)

  it("prints a tree by type", function()
    assert.equal(([[
%s@%s
└── application/x.sbom
    └── %s
        └── application/x.counter
            └── %s
]]):format(ref, subject.digest, sbom.digest, counter.digest), run(ref .. ":v1", "--format", "tree"))
    assert.equal(run(ref .. ":v1", "--format", "tree"), run(ref .. ":v1", "--format", "text"))
  end)

  it("shows annotations when asked, in which nothing commands a terminal", function()
    local out = run(ref .. ":v1", "--format", "text", "-v", "--depth", "1")
    assert.equal(([[
%s@%s
└── application/x.sbom
    └── %s
        └── [annotations]
            ├── a: b
            └── k: v\x1b[2J
]]):format(ref, subject.digest, sbom.digest), out)
  end)

  it("prints the tree to a pipe, too", function()
    assert.equal(run(ref .. ":v1", "--format", "tree"), run(ref .. ":v1"))
    assert.equal(("%s@%s\n"):format(ref, counter.digest), run(ref .. "@" .. counter.digest))
  end)

  it("prints a document", function()
    local document = json_keys.check_text("discover", run(ref .. ":v1", "--format", "json"))
    assert.equal(ref .. "@" .. subject.digest, document.reference)
    assert.equal(ref .. "@" .. counter.digest, document.referrers[1].referrers[1].reference)
    assert.same({ a = "b", k = "v\27[2J" }, document.referrers[1].annotations)
    document = json_keys.check_text("discover", run(ref .. ":v1", "--format", "json", "--artifact-type",
      "application/x.counter"))
    assert.equal(counter.digest, document.referrers[1].referrers[1].digest)
  end)

  it("says what it cannot do", function()
    local function fails(expected, pattern, ...)
      local status, out, err = process.run("discover", ...)
      assert.same({ expected, "" }, { status, out }, err)
      assert.matches(pattern, err, 1, true)
    end
    fails(2, "'--depth' is at least 1", ref .. ":v1", "--depth", "0")
    fails(2, "usage: oras-lua discover")
    fails(2, "v1.1-referrers-api or v1.1-referrers-tag", ref .. ":v1", "--distribution-spec", "v1.0")
    fails(1, "no manifest", ref .. ":nothing")
    fails(2, "'--format'", ref .. ":v1", "--format", "yaml")
  end)

  it("asks as --distribution-spec says", function()
    faults.reset { content = false }
    local out = run(ref .. ":v1", "--distribution-spec", "v1.1-referrers-tag")
    assert.equal(("%s@%s\n"):format(ref, subject.digest), out)
    assert.equal(0, faults.count({ path = "*/referrers/*" }).total)
  end)
end)
