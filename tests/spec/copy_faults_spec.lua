--- Copies that fail, on either side.
local oras = require "oras"

local copying = require "tests.spec.copying"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local OCTETS <const> = "application/octet-stream"
local source <const>, target <const> = copying.source, copying.target
local seed <const>, has <const> = copying.seed, copying.has
local no_session_left <const>, writes <const> = copying.no_session_left, copying.writes

local registry

before_each(function()
  faults.reset()
  registry = helper.registry()
end)

after_each(helper.clean)

describe("copy that fails", function()
  it("says that the source has no such manifest or blob", function()
    local a = seed { { data = "x" }, { size = 200000 } }
    local err = helper.fails(registry, "copy", source("src/app", "none"), target())
    assert.same({ "not_found", "source" }, { err.class, err.origin })
    assert.equal(0, writes "http")
    faults.on { listener = "cdn", path = "*/blobs/" .. a.layers[2].digest, status = 404, always = true }
    err = helper.fails(registry, "copy", source(), target())
    assert.same({ "not_found", "source" }, { err.class, err.origin })
    assert.equal(a.layers[2].digest, err.digest)
    assert.same({}, has("dst/app").tags)
    no_session_left()
  end)

  it("C01 puts no blob that came wrong", function()
    local a = seed { { size = 3000000 } }
    faults.on { listener = "cdn", path = "*/blobs/*", corrupt = 2000000, always = true }
    local err = helper.fails(registry, "copy", source(), target())
    assert.same({ "integrity", "source" }, { err.class, err.origin })
    assert.is_nil(has("dst/app").blobs[a.layers[1].digest])
    no_session_left()
  end)

  it("C01 tries once more when a blob came wrong once", function()
    local a = seed { { size = 3000000 } }
    faults.on { listener = "cdn", path = "*/blobs/*", corrupt = 2000000 }
    registry:copy(source(), target())
    assert.equal(3000000, has("dst/app").blobs[a.layers[1].digest])
  end)

  for name, size in pairs { shorter = 199999, longer = 1 << 62 } do
    it(("C02 puts no blob whose manifest says it is %s"):format(name), function()
      local blob = faults.seed { repo = "src/app", blobs = { { size = 200000 } } }.blobs[1]
      faults.seed { repo = "src/app", tag = "1", media_type = oras.oci.media_types.manifest,
        manifest = oras.json.encode {
          schemaVersion = 2, mediaType = oras.oci.media_types.manifest, config = oras.oci.empty_descriptor(),
          layers = oras.json.array { { mediaType = OCTETS, digest = blob.digest, size = size } },
        } }
      local err = helper.fails(registry, "copy", source(), target())
      assert.same({ "integrity", "source" }, { err.class, err.origin })
      assert.is_nil(has("dst/app").blobs[blob.digest])
      no_session_left()
    end)
  end

  it("goes on after a source that broke off", function()
    local a = seed { { size = 3000000 } }
    faults.on { listener = "cdn", path = "*/blobs/*", cut = 1000000, how = "rst" }
    registry:copy(source(), target())
    assert.equal(3000000, has("dst/app").blobs[a.layers[1].digest])
    no_session_left()
  end)

  it("sends again after a target that broke off", function()
    local a = seed { { size = 3000000 } }
    faults.on { listener = "http", method = "PUT", path = "*/blobs/uploads/*", early = true, read = 100000,
      drop = "rst" }
    registry:copy(source(), target())
    assert.equal(3000000, has("dst/app").blobs[a.layers[1].digest])
    no_session_left()
  end)

  it("says that the target refuses", function()
    seed { { size = 200000 } }
    faults.on { listener = "http", method = "POST", status = 403, always = true }
    local err = helper.fails(registry, "copy", source(), target())
    assert.same({ "denied", "destination" }, { err.class, err.origin })
    faults.reset { content = false }
    faults.on { listener = "http", method = "PUT", path = "*/manifests/*", status = 413, always = true }
    err = helper.fails(registry, "copy", source(), target())
    assert.same({ "limit", "destination" }, { err.class, err.origin })
  end)

  it("N56 ends the others at the first failure and leaves no session", function()
    local layers = {}
    for i = 1, 100 do
      layers[i] = { size = 200000 + i, seed = i }
    end
    local a = seed(layers)
    faults.on { listener = "cdn", path = "*/blobs/" .. a.layers[50].digest, status = 403, always = true }
    for _ = 1, 3 do
      local err = helper.fails(registry, "copy", source(), target())
      assert.same({ "denied", "source" }, { err.class, err.origin })
    end
    assert.same({}, has("dst/app").tags)
    no_session_left()
    assert.equal(0, faults.unfinished())
  end)

  it("is refused for options that mean nothing", function()
    for _, opts in ipairs {
      { concurrency = 0 }, { platforms = {} }, { form = registry }, { from = {} }, { to = { is_a = 1 } },
    } do
      assert.equal("usage", helper.fails(registry, "copy", source(), target(), opts).class)
    end
    assert.equal("usage", helper.fails(registry, "copy", source()).class)
    assert.equal("usage", helper.fails(registry, "copy", source(), target(), { tags = { "a b" } }).class)
    assert.equal(0, faults.count().total)
  end)
end)
