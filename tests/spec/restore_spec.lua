--- Registry:restore: what a layout has under its names, into registries.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local json_keys = require "tests.spec.json_keys"
local process = require "tests.spec.process"

local registry, path

-- Backups come from one host and go to another, which have the same content: other repositories.
local function from(name)
  return faults.host "cdn" .. "/" .. name
end

local function to(name)
  return faults.host "http" .. "/" .. name
end

local function seed(repo, tag, more)
  local spec = { repo = repo, tag = tag, layers = { { data = repo .. tag }, { data = "shared by all" } } }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  return faults.seed(spec)
end

local function tags(repo)
  return faults.content(repo).tags
end

local function writes()
  return faults.count({ listener = "http", method = "PUT" }).total
end

before_each(function()
  faults.reset()
  registry = helper.registry()
  path = helper.directory() .. "/saved"
end)

after_each(helper.clean)

describe("restore", function()
  it("W16 brings all names of a layout into a repository, each blob once", function()
    local expected = {}
    for i = 1, 12 do
      expected["v" .. i] = seed("src/a", "v" .. i).digest
    end
    registry:backup(from "src/a", path)
    local items = registry:restore(path, to "dst/a")
    assert.equal(12, #items)
    assert.same(expected, tags "dst/a")
    assert.equal(to "dst/a:v1", items[1].reference)
    assert.equal("copied", items[1].done)
    -- a PUT for each manifest, each layer, the shared one and {}
    assert.equal(12 + 12 + 2, writes())
  end)

  it("brings some names only", function()
    local a = seed("src/a", "v1")
    local b = seed("src/a", "v2")
    seed("src/a", "v3")
    registry:backup(from "src/a", path)
    registry:restore(path, to "dst/a:v1,v2")
    assert.same({ v1 = a.digest, v2 = b.digest }, tags "dst/a")
    registry:restore(path, to "dst/b:v2")
    assert.same({ v2 = b.digest }, tags "dst/b")
    registry:restore(path, to "dst/c", { tags = "v1" })
    assert.same({ v1 = a.digest }, tags "dst/c")
    assert.equal("not_found", helper.fails(registry, "restore", path, to "dst/d:v9").class)
  end)

  it("reads a tar", function()
    local a = seed("src/a", "v1")
    registry:backup(from "src/a", path .. ".tar")
    registry:restore(path .. ".tar", to "dst/a")
    assert.same({ v1 = a.digest }, tags "dst/a")
  end)

  it("W16 brings several repositories to another registry, below a part, or one of them", function()
    local a, b = seed("src/a", "v1"), seed("src/b", "v1", { layers = { { data = "b" } } })
    registry:backup({ from "src/a", from "src/b" }, path)
    registry:restore(path, to "mirror/")
    assert.same({ v1 = a.digest }, tags "mirror/src/a")
    assert.same({ v1 = b.digest }, tags "mirror/src/b")
    local items = registry:restore(path, to "src/b")
    assert.equal(1, #items)
    assert.equal(from "src/b:v1", items[1].name)
    items = registry:restore(path, faults.host "http")
    assert.same({ to "src/a:v1", to "src/b:v1" }, { items[1].reference, items[2].reference })
    items = registry:restore(path)
    assert.same({ from "src/a:v1", from "src/b:v1" }, { items[1].reference, items[2].reference })
    assert.same({ "exists", "exists" }, { items[1].done, items[2].done })
  end)

  it("W16 maps names by their beginnings, or as a function says", function()
    local a = seed("src/a", "v1")
    local b = seed("src/ab", "v2")
    registry:backup({ from "src/a", from "src/ab" }, path)
    registry:restore(path, nil, { map = { [from "src"] = to "x", [from "src/a"] = to "y/one" } })
    assert.same({ v1 = a.digest }, tags "y/one")
    assert.same({ v2 = b.digest }, tags "x/ab")
    registry:restore(path, nil, { map = function(reference, name)
      assert.equal(reference, name)
      return reference:find "v2$" and to "z:only" or nil
    end })
    assert.same({ only = b.digest }, tags "z")
    registry:backup(from "src/a", path .. "2")
    registry:restore(path .. "2", to "w", { map = function(reference, name)
      assert.same({ to "w:v1", "v1" }, { reference, name })
      return to "w:other"
    end })
    assert.same({ other = a.digest }, tags "w")
  end)

  it("writes nothing when a beginning to be mapped is that of no name", function()
    seed("src/a", "v1")
    seed("src/ab", "v2")
    registry:backup({ from "src/a", from "src/ab" }, path)
    faults.reset { content = false }
    for _, typo in ipairs { "127.0.0.1:1", from "sr", from "src/abc", from "src/a:v", "" } do
      for _, map in ipairs { { [typo] = to "x" }, { [from "src"] = to "x", [typo] = to "y" } } do
        local err = helper.fails(registry, "restore", path, nil, { map = map })
        assert.equal("usage", err.class)
        assert.matches(('map: no name begins with "%s"'):format(typo), err.message, 1, true)
      end
    end
    local err = helper.fails(registry, "restore", path, nil, { tags = "v1", map = { [from "src/ab"] = to "x" } })
    assert.equal("usage", err.class)
    local status, _, text = process.run("restore", "--input", path, "--map", "127.0.0.1:1=" .. to "x")
    assert.equal(2, status)
    assert.matches("no name begins with", text, 1, true)
    assert.equal(0, faults.count({ method = "PUT" }).total + faults.count({ method = "POST" }).total)
    registry:restore(path, nil, { map = {
      [from ""] = to "all/", [from "src/a:v1"] = to "one:1", [from "src"] = to "x",
    } })
    assert.truthy(tags("one")["1"])
    assert.truthy(tags("x/ab").v2)
  end)

  it("puts what is named by its digest there by its digest", function()
    local a, b = seed("src/a", "v1"), seed("src/a", "v2")
    registry:backup({ from "src/a:v1", from "src/a@" .. b.digest }, path)
    registry:restore(path, to "dst/a")
    assert.same({ v1 = a.digest }, tags "dst/a")
    assert.truthy(faults.content("dst/a").manifests[b.digest])
  end)

  it("mounts between the repositories of a registry what several have", function()
    local shared = { data = ("z"):rep(100000) }
    seed("src/a", "v1", { layers = { shared } })
    seed("src/b", "v1", { layers = { shared } })
    registry:backup({ from "src/a", from "src/b" }, path)
    local items = registry:restore(path, to "mirror/", { concurrency = 1 })
    assert.same({ copied = 0, mounted = 2, skipped = 0 }, items[2].stats.blobs)
  end)

  it("brings referrers unless it is told not to", function()
    local a = seed("src/a", "v1")
    local sbom = faults.seed {
      repo = "src/a", layers = { { data = "s" } }, subject = a.digest, artifact_type = "x/sbom",
    }
    registry:backup(from "src/a", path, { referrers = true })
    registry:restore(path, to "dst/none", { referrers = false })
    assert.is_nil(faults.content("dst/none").manifests[sbom.digest])
    registry:restore(path, to "dst/all")
    assert.equal(sbom.digest, registry:referrers(to "dst/all:v1")[1].digest)
    registry:restore(path, to "dst/some", { filter = { exclude_types = "x/*" } })
    assert.is_nil(faults.content("dst/some").manifests[sbom.digest])
  end)

  it("sends nothing twice: one question a name", function()
    for i = 1, 4 do
      seed("src/a", "v" .. i)
    end
    registry:backup(from "src/a", path)
    registry:restore(path, to "dst/a", { referrers = false })
    faults.reset { content = false }
    local items = registry:restore(path, to "dst/a", { referrers = false })
    assert.equal("exists", items[4].done)
    assert.equal(4, faults.count({ listener = "http" }).total)
    assert.equal(4, faults.count({ listener = "http", method = "HEAD" }).total)
  end)

  it("is taken up where it broke off", function()
    for i = 1, 4 do
      seed("src/a", "v" .. i)
    end
    registry:backup(from "src/a", path)
    faults.on { listener = "http", method = "PUT", path = "*/manifests/v3", status = 400, always = true }
    local err = helper.fails(registry, "restore", path, to "dst/a")
    assert.equal(3, #err.done)
    faults.reset { content = false }
    registry:restore(path, to "dst/a")
    assert.equal(1, writes())
    assert.truthy(tags("dst/a").v3)
  end)

  it("changes nothing in a dry run, and says what would move", function()
    seed("src/a", "v1")
    registry:backup(from "src/a", path)
    local items = registry:restore(path, to "dst/a", { dry_run = true })
    assert.equal(3, items[1].stats.blobs.copied)
    assert.equal(1, items[1].stats.manifests)
    assert.equal(0, writes())
    assert.equal(0, faults.count({ listener = "http", method = "POST" }).total)
  end)
end)

describe("restore that fails", function()
  it("loses none of the others, names what failed and raises at the end", function()
    for i = 1, 5 do
      seed("src/a", "v" .. i)
    end
    registry:backup(from "src/a", path)
    faults.on { listener = "http", method = "PUT", path = "*/manifests/v2", status = 403, always = true }
    local err = helper.fails(registry, "restore", path, to "dst/a")
    assert.equal("denied", err.class)
    assert.equal("v2", err.failures[1].name)
    assert.matches("1 of 5 not restored: " .. to "dst/a:v2", err.message, 1, true)
    assert.is_nil(tags("dst/a").v2)
    assert.truthy(tags("dst/a").v5)
  end)

  it("puts no manifest whose blob is broken in the layout", function()
    local a = seed("src/a", "v1")
    local b = seed("src/a", "v2")
    registry:backup(from "src/a", path)
    local blob = path .. "/blobs/" .. a.layers[1].digest:gsub(":", "/")
    process.sh("chmod u+w %s && printf X | dd of=%s conv=notrunc 2>/dev/null", blob, blob)
    local err = helper.fails(registry, "restore", path, to "dst/a")
    assert.same({ "integrity", "source", a.layers[1].digest },
      { err.class, err.failures[1].error.origin, err.digest })
    assert.same({ v2 = b.digest }, tags "dst/a")
  end)

  it("refuses what has no place", function()
    seed("src/a", "v1")
    seed("src/b", "v1")
    registry:backup(from "src/a", path)
    for _, case in ipairs {
      { path }, { path, to "" }, { path, to "mirror/" }, { "" }, { path, to "a@" .. oras.digest.of "x" },
      { path, to "a", { concurrency = 0 } }, { path, to "a", { map = function() return 1 end } },
      { path, to "a", { referers = false } }, { path, to "a", { map = { 1 } } }, { path, to "a", { map = { a = 1 } } },
      { path, to "a", { tags = { 5 } } }, { path, to "a", { tags = { v1 = true } } },
      { path, to "a", { platforms = { 5 } } }, { path, to "a", { platforms = {} } },
    } do
      assert.equal("usage", helper.fails(registry, "restore", table.unpack(case)).class)
    end
    assert.equal("not_found", helper.fails(registry, "restore", path .. "-none", to "a").class)
    assert.equal(0, writes())
  end)
end)

describe("oras-lua restore", function()
  it("says what is where now, and gives one document", function()
    local a = seed("src/a", "v1")
    seed("src/a", "v2")
    registry:backup(from "src/a", path)
    local status, out, err = process.run("restore", "--input", path, to "dst/a:v1")
    assert.equal(0, status, err)
    assert.equal(("%s %s\n"):format(a.digest, to "dst/a:v1"), out)
    status, out, err = process.run("restore", "--input", path, to "dst/a", "--format", "json")
    assert.equal(0, status, err)
    local document = json_keys.check_text("restore", out)
    assert.same({ "exists", "copied" }, { document[1].done, document[2].done })
    status, out = process.run("restore", "--input", path, to "dst/b", "--dry-run", "--format", "text")
    assert.equal(0, status)
    assert.truthy(out:find("would copy " .. to "dst/b:v1", 1, true))
    assert.same({}, tags "dst/b")
  end)

  it("maps, and leaves referrers out", function()
    local a = seed("src/a", "v1")
    local sig = faults.seed { repo = "src/a", layers = { { data = "s" } }, subject = a.digest, artifact_type = "x/sig" }
    local status, _, err = process.run("backup", "-o", path, "--include-referrers", from "")
    assert.equal(0, status, err)
    status, _, err = process.run("restore", "--input", path, "--exclude-referrers", "--map",
      from "src" .. "=" .. to "far")
    assert.equal(0, status, err)
    assert.same({ v1 = a.digest }, tags "far/a")
    assert.is_nil(faults.content("far/a").manifests[sig.digest])
  end)

  it("has a line for what failed, and nothing on standard output", function()
    seed("src/a", "v1")
    registry:backup(from "src/a", path)
    local status, out, err = process.run("restore", "--input", path, to "dst/a:v1,v8,v9")
    assert.same({ 1, "" }, { status, out })
    assert.equal(3, select(2, err:gsub("oras%-lua: [^\n]*\n", "")), err)
    assert.truthy(tags("dst/a").v1)
    status, out = process.run("restore", to "dst/a")
    assert.same({ 2, "" }, { status, out })
  end)
end)
