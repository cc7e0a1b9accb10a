--- Registry:backup: many manifests into one layout.
local copying = require "tests.spec.copying"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local json_keys = require "tests.spec.json_keys"
local process = require "tests.spec.process"

local registry, path

local function host()
  return faults.host "http"
end

local function ref(name)
  return host() .. "/" .. name
end

local function seed(repo, tag, text, more)
  local spec = { repo = repo, tag = tag, layers = { { data = text or (repo .. tag) }, { data = "shared by all" } } }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  return faults.seed(spec)
end

-- Every blob of the manifest in the layout is there and right.
local function is_whole(name, layout)
  local place = registry:get_container("oci:" .. (layout or path)):with_tag(name)
  local doc = registry:get_manifest(place)
  for _, d in ipairs(table.move(doc.layers, 1, #doc.layers, 2, { doc.config })) do
    assert.equal(d.size, #registry:get_blob(place, d).content)
  end
  return doc:descriptor().digest
end

local function names(layout)
  return registry:get_tags("oci:" .. (layout or path))
end

local function gets(glob)
  return faults.count({ method = "GET", path = glob }).total
end

before_each(function()
  faults.reset()
  registry = helper.registry()
  path = helper.directory() .. "/saved"
end)

after_each(helper.clean)

describe("backup", function()
  it("W16 stores all tags of a repository under their names, each blob once", function()
    local all = {}
    for i = 1, 12 do
      all[i] = seed("a/b", "v" .. i)
    end
    local items = registry:backup(ref "a/b", path)
    assert.equal(12, #items)
    for i = 1, 12 do
      assert.equal(all[i].digest, is_whole("v" .. i))
    end
    assert.equal("v1", items[1].name)
    assert.equal("copied", items[1].done)
    assert.equal(ref "a/b:v1", items[1].reference)
    -- 12 layers and the one that is shared; {} is known
    assert.equal(13, gets "*/blobs/*")
    assert.equal(12, gets "*/manifests/*")
  end)

  it("stores several tags and digests, whichever way they are named", function()
    local a, b, c = seed("a/b", "1"), seed("a/b", "2"), seed("a/b", "3")
    registry:backup({ ref "a/b:1,2", registry:get_container(ref "a/b:2"), ref "a/b@" .. c.digest }, path)
    assert.same({ "1", ref "a/b@" .. c.digest, "2" }, names())
    assert.equal(a.digest, is_whole "1")
    assert.equal(b.digest, is_whole "2")
    assert.equal(c.digest, is_whole(ref "a/b@" .. c.digest))
  end)

  it("W16 keeps several repositories apart by whole references", function()
    local a, b = seed("a/b", "v1"), seed("c", "v1", "other")
    registry:backup({ ref "a/b", ref "c:v1" }, path)
    assert.same({ ref "a/b:v1", ref "c:v1" }, names())
    assert.equal(a.digest, is_whole(ref "a/b:v1"))
    assert.equal(b.digest, is_whole(ref "c:v1"))
    assert.equal(a.digest, registry:resolve(registry:get_container("oci:" .. path):with_tag(ref "a/b:v1")).digest)
  end)

  it("W16 stores a whole registry, or what is below a part of its names", function()
    seed("team/a", "1")
    seed("team/b", "1")
    seed("teams", "1")
    registry:backup(host(), path)
    assert.same({ ref "team/a:1", ref "team/b:1", ref "teams:1" }, names())
    registry:backup(ref "team/", path .. "2")
    assert.same({ ref "team/a:1", ref "team/b:1" }, names(path .. "2"))
    registry:backup(host() .. "/", path .. "3", { select = function(place)
      return place.api_prefix == "teams"
    end })
    assert.same({ ref "teams:1" }, names(path .. "3"))
  end)

  it("is a tar under a name that ends so, with all or none of it", function()
    for i = 1, 3 do
      seed("a/b", "v" .. i)
    end
    local tar = path .. ".tar"
    registry:backup(ref "a/b", tar)
    assert.same({ "v1", "v2", "v3" }, names(tar))
    is_whole("v2", tar)
    assert.equal("saved.tar", helper.list(tar:match "^(.*)/"))
    seed("a/b", "v4")
    faults.reset { content = false }
    registry:backup(ref "a/b", tar)
    assert.equal(1, gets "*/blobs/*")
    is_whole("v4", tar)
  end)

  it("fetches nothing that is there: one question a tag", function()
    for i = 1, 3 do
      seed("a/b", "v" .. i)
    end
    registry:backup(ref "a/b", path)
    faults.reset { content = false }
    local items = registry:backup(ref "a/b", path)
    assert.same({ "exists", "exists", "exists" }, { items[1].done, items[2].done, items[3].done })
    assert.equal(3, faults.count { method = "HEAD" }.total)
    assert.equal(1, gets "*")
  end)

  it("is taken up where it broke off", function()
    local a = seed("a/b", "v1", ("x"):rep(200000))
    seed("a/b", "v2", ("y"):rep(200000))
    faults.on { method = "GET", path = "*/manifests/v2", status = 404, always = true }
    helper.fails(registry, "backup", ref "a/b", path)
    assert.same({ "v1" }, names())
    faults.reset { content = false }
    registry:backup(ref "a/b", path)
    assert.equal(0, gets("*/blobs/" .. a.layers[1].digest))
    is_whole "v2"
  end)

  it("moves a name that stands for something else now", function()
    seed("a/b", "v1", "old")
    registry:backup(ref "a/b", path)
    local new = seed("a/b", "v1", "new")
    registry:backup(ref "a/b", path)
    assert.same({ "v1" }, names())
    assert.equal(new.digest, is_whole "v1")
  end)

  it("writes the index once", function()
    for i = 1, 20 do
      seed("a/b", "v" .. i)
    end
    local layouts = require "oras.layout"
    local edit, n = layouts.Layout.edit, 0
    layouts.Layout.edit = function(...)
      n = n + 1
      return edit(...)
    end
    local ok, err = pcall(registry.backup, registry, ref "a/b", path)
    layouts.Layout.edit = edit
    assert.is_true(ok, tostring(err))
    assert.equal(1, n)
    assert.equal(20, #names())
  end)

  it("brings referrers, and theirs, when it is told to", function()
    local a = seed("a/b", "v1")
    local sbom = faults.seed { repo = "a/b", layers = { { data = "s" } }, subject = a.digest, artifact_type = "x/sbom" }
    local note = faults.seed { repo = "a/b", layers = { { data = "n" } }, subject = sbom.digest, artifact_type = "x/n" }
    registry:backup(ref "a/b", path)
    assert.is_false(registry:blob_exists("oci:" .. path, sbom.digest))
    registry:backup(ref "a/b", path, { referrers = true })
    local found = registry:referrers("oci:" .. path .. ":v1")
    assert.equal(sbom.digest, found[1].digest)
    assert.equal(note.digest, registry:referrers("oci:" .. path .. "@" .. sbom.digest)[1].digest)
    registry:backup(ref "a/b", path .. "2", { referrers = true, filter = { exclude_types = "x/n" } })
    assert.is_false(registry:blob_exists("oci:" .. path .. "2", note.digest))
    assert.is_true(registry:blob_exists("oci:" .. path .. "2", sbom.digest))
  end)

  it("leaves out the tags that list referrers, but no others with a digest in them", function()
    local a = seed("a/b", "v1")
    seed("a/b", a.digest:gsub(":", "-"), "list")
    seed("a/b", a.digest:gsub(":", "-") .. ".sig", "cosign's")
    registry:backup(ref "a/b", path)
    assert.same({ (a.digest:gsub(":", "-")) .. ".sig", "v1" }, names())
  end)

  it("W5 takes some platforms of indexes, and what is none as it is", function()
    local amd = copying.image("amd", "linux", "amd64")
    local arm = copying.image("arm", "linux", "arm64")
    copying.seed_index {
      copying.entry(amd, { platform = { os = "linux", architecture = "amd64" } }),
      copying.entry(arm, { platform = { os = "linux", architecture = "arm64" } }),
    }
    registry:backup({ ref "src/app:1", ref "src/app:amd" }, path, { platforms = { "linux/arm64" } })
    assert.equal(arm.digest, is_whole "1")
    assert.equal(amd.digest, is_whole "amd")
    registry:backup(ref "src/app:1", path .. "2", { platforms = "*/arm64" })
    assert.equal(1, #registry:get_manifest("oci:" .. path .. "2:1").manifests)
  end)

  it("changes nothing in a dry run, and says what would move", function()
    seed("a/b", "v1")
    local items = registry:backup(ref "a/b", path, { dry_run = true })
    assert.equal(3, items[1].stats.blobs.copied)
    assert.equal(4, #items[1].stats.plan)
    assert.equal("", helper.list(path:match "^(.*)/"))
  end)
end)

describe("backup that fails", function()
  it("loses none of the others, names what failed and raises at the end", function()
    for i = 1, 5 do
      seed("a/b", "v" .. i)
    end
    local bad = seed("a/b", "bad")
    faults.on { method = "GET", path = "*/blobs/" .. bad.layers[1].digest, corrupt = 1, always = true }
    local err = helper.fails(registry, "backup", { ref "a/b", ref "a/b:nothing" }, path)
    assert.equal(2, #err.failures)
    assert.same({ ref "a/b:bad", ref "a/b:nothing" }, { err.failures[1].reference, err.failures[2].reference })
    assert.same({ "integrity", "not_found" }, { err.failures[1].error.class, err.failures[2].error.class })
    assert.equal("integrity", err.class)
    assert.matches("2 of 7 not backed up: " .. ref "a/b:bad", err.message, 1, true)
    assert.equal(5, #err.done)
    assert.same({ "v1", "v2", "v3", "v4", "v5" }, names())
    is_whole "v5"
  end)

  it("writes a tar with what was well", function()
    seed("a/b", "v1")
    helper.fails(registry, "backup", { ref "a/b:v1,v2" }, path .. ".tar")
    assert.same({ "v1" }, names(path .. ".tar"))
    is_whole("v1", path .. ".tar")
  end)

  it("goes on when a repository cannot be listed", function()
    seed("a/b", "v1")
    seed("c/d", "v1")
    faults.on { path = "/v2/a/b/tags/list", status = 403, always = true }
    local err = helper.fails(registry, "backup", host(), path)
    assert.equal("denied", err.class)
    assert.equal(ref "a/b", err.failures[1].reference)
    assert.same({ ref "c/d:v1" }, names())
  end)

  it("finds nothing to store in repositories of the catalog that have no tags", function()
    seed("a/b", "v1")
    faults.seed { repo = "a/blobs", blobs = { { data = "x" } } }
    faults.seed { repo = "a/null", blobs = { { data = "x" } } }
    faults.seed { repo = "a/list", blobs = { { data = "x" } } }
    faults.on { path = "/v2/a/blobs/tags/list", status = 404, always = true,
      body = '{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}' }
    faults.on { path = "/v2/a/null/tags/list", status = 200, always = true, body = '{"name":"a/null","tags":null}' }
    for i, name in ipairs { host(), host() .. "/", ref "a/" } do
      local items = registry:backup(name, path .. i)
      assert.equal(1, #items)
      assert.same({ ref "a/b:v1" }, names(path .. i))
    end
    local err = helper.fails(registry, "backup", { host(), ref "a/blobs" }, path .. "5") -- that one was asked for
    assert.same({ "not_found", "NAME_UNKNOWN" }, { err.class, err.code })
    assert.same({ ref "a/b:v1" }, names(path .. "5"))
    faults.on { path = "/v2/a/list/tags/list", status = 404, always = true } -- what has no lists does not say that
    assert.equal("not_found", helper.fails(registry, "backup", host(), path .. "6").class)
  end)

  it("says when no repository is below what was asked for", function()
    seed("team/a", "1")
    local err = helper.fails(registry, "backup", ref "taem/", path)
    assert.same({ "not_found", ref "taem/" }, { err.class, err.failures[1].reference })
  end)

  it("begins no more when nothing can be reached", function()
    for i = 10, 49 do
      seed("a/b", "v" .. i)
    end
    registry = helper.registry { retry = { tries = 1 } }
    faults.on { path = "*/manifests/*", drop = "rst", always = true }
    local err = helper.fails(registry, "backup", ref "a/b", path, { concurrency = 2 })
    assert.equal("network", err.class)
    assert.is_true(#err.failures <= 2)
    assert.matches("were not tried", err.message)
  end)

  it("leaves what it has for the next time when it is interrupted, and no name for what is not whole", function()
    local a = seed("a/b", "v1")
    local b = seed("a/b", "v2", ("y"):rep(300000))
    for _, name in ipairs { path, path .. ".tar" } do
      faults.on { method = "GET", path = "*/blobs/" .. b.layers[1].digest, stall = 1000 }
      local wait = ("%s/wait?count=1&timeout=20&path=*/blobs/%s"):format(faults.state().control, b.layers[1].digest)
      local status, out, err = process.interrupt_when(wait, 2, "backup", "-o", name, "--concurrency", "1", ref "a/b")
      assert.same({ 130, "" }, { status, out }, err)
      assert.equal("saved", helper.list(path:match "^(.*)/")) -- nothing is beside it, and no tar is half of one
      faults.reset { content = false }
    end
    assert.same({}, names())
    registry:backup(ref "a/b", path)
    assert.equal(0, gets("*/blobs/" .. a.layers[1].digest))
    assert.same({ "v1", "v2" }, names())
    is_whole "v2"
  end)

  it("refuses what it is not", function()
    for _, case in ipairs {
      { {}, path }, { nil, path }, { { a = ref "a/b" }, path }, { ref "a/b", "" }, { ref "a/b", 1 },
      { ref "a/b", path, { concurrency = 0 } }, { 1, path },
      { ref "a/b", path, { refferers = true } }, { ref "A/b", path }, { ref "a/b", path, { platforms = { 5 } } },
      { ref "a/b", path, { platforms = {} } }, { ref "a/b", path, { platforms = "no/such/platform/x" } },
    } do
      assert.equal("usage", helper.fails(registry, "backup", table.unpack(case)).class)
    end
    assert.equal("", helper.list(path:match "^(.*)/"))
  end)
end)

describe("oras-lua backup", function()
  it("says what it stored, and gives one document", function()
    local a = seed("a/b", "v1")
    seed("a/b", "v2")
    local status, out, err = process.run("backup", "-o", path, ref "a/b:v1,v2")
    assert.equal(0, status, err)
    assert.equal(("%s %s"):format(a.digest, ref "a/b:v1"), out:match "^[^\n]*")
    status, out, err = process.run("backup", "--output", path .. ".tar", ref "a/b", "--format", "json")
    assert.equal(0, status, err)
    local document = json_keys.check_text("backup", out)
    assert.same({ "v1", "v2" }, { document[1].name, document[2].name })
    status, out = process.run("backup", "-o", path, ref "a/b", "--format", "text")
    assert.equal(0, status)
    assert.truthy(out:find("^is there   " .. ref "a/b:v1" .. " sha256:"))
  end)

  it("of several repositories is read by the names that it has", function()
    local a = seed("a/b", "v1")
    seed("c", "v1")
    registry:backup({ ref "a/b", ref "c" }, path)
    for _, words in ipairs {
      { "--from-oci-layout-path", path, ref "a/b:v1", ref "d:1" },
      { "oci:" .. path .. "::" .. ref "a/b:v1", ref "d:2" },
    } do
      local status, _, err = process.run("copy", table.unpack(words))
      assert.equal(0, status, err)
    end
    assert.same({ ["1"] = a.digest, ["2"] = a.digest }, faults.content("d").tags)
  end)

  it("has a line for each that failed, and nothing on standard output", function()
    seed("a/b", "v1")
    local status, out, err = process.run("backup", "-o", path, ref "a/b:v1,x,y")
    assert.same({ 1, "" }, { status, out })
    assert.equal(3, select(2, err:gsub("oras%-lua: [^\n]*\n", "")))
    assert.truthy(err:find(ref "a/b:x: MANIFEST_UNKNOWN", 1, true))
    assert.truthy(err:find(ref "a/b:y: ", 1, true))
    assert.same({ "v1" }, names())
    status, out = process.run("backup", ref "a/b")
    assert.same({ 2, "" }, { status, out })
  end)
end)
