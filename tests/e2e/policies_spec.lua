--- The examples that are policies: mirror.lua and retention.lua, on real registries.
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local REGISTRIES <const> = { "registry", "registry_v3" }
local CREATED <const> = "org.opencontainers.image.created"

local function each(name, fn)
  for _, service in ipairs(REGISTRIES) do
    it(name .. ": " .. service, function()
      local host = services.get(service)
      if not host then
        return pending(services.missing(service))
      end
      fn(host, helper.registry())
    end)
  end
end

local made = 0

-- A name that no other test has.
local function fresh(host, name)
  made = made + 1
  return ("%s/policies/%s-%d-%d"):format(host, name, os.time(), made)
end

local function lines(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    list[#list + 1] = line
  end
  table.sort(list)
  return list
end

local function tags(registry, name)
  local list = registry:get_tags(name)
  table.sort(list)
  return table.concat(list, " ")
end

local function run(...)
  local status, out, err = process.run(...)
  assert.equal(0, status, err)
  return out, err
end

-- An index of artifacts for two platforms.
local function push_index(registry, name, tag, text)
  local entries = oras.json.array {}
  for i, architecture in ipairs { "amd64", "arm64" } do
    local stored = registry:push(name, { { data = text .. architecture, title = "f" } }, {
      platform = "linux/" .. architecture, untagged = true,
    })
    stored.platform = { os = "linux", architecture = architecture }
    entries[i] = stored
  end
  local index = oras.oci.NewIndex()
  index.manifests = entries
  return registry:upload_manifest(name .. ":" .. tag, index)
end

describe("examples/mirror.lua", function()
  local SCRIPT <const> = "examples/mirror.lua"

  after_each(helper.clean)

  each("copies the tags of a pattern, and the next time only what has changed", function(host, registry)
    local source, target = fresh(host, "from"), fresh(host, "to")
    for _, tag in ipairs { "1.0", "1.1", "edge" } do
      registry:push(source .. ":" .. tag, { { data = tag, title = "f" } })
    end
    local out = run("--dry-run", SCRIPT, source, target, "^%d")
    assert.same({ "2 would be copied, 0 the same", "would copy 1.0", "would copy 1.1" },
      lines(out:gsub(" %(%d+ bytes%)", "")))
    assert.equal("not_found", helper.fails(registry, "get_tags", target).class)

    out = run(SCRIPT, source, target, "^%d")
    assert.same({ "2 copied, 0 the same", "copied 1.0", "copied 1.1" }, lines(out:gsub(" %(%d+ bytes%)", "")))
    assert.equal("1.0 1.1", tags(registry, target))

    registry:push(source .. ":1.1", { { data = "new", title = "f" } })
    out = run("--dry-run", SCRIPT, source, target, "^%d")
    assert.same({ "1 would be copied, 1 the same", "would copy 1.1" }, lines(out:gsub(" %(%d+ bytes%)", "")))
    out = run(SCRIPT, source, target, "^%d")
    assert.same({ "1 copied, 1 the same", "copied 1.1" }, lines(out:gsub(" %(%d+ bytes%)", "")))
    assert.equal("0 copied, 2 the same\n", (run(SCRIPT, source, target, "^%d")))
    assert.equal(registry:resolve(source .. ":1.1").digest, registry:resolve(target .. ":1.1").digest)
  end)

  each("takes one platform, or an index of some", function(host, registry)
    local source, target = fresh(host, "from"), fresh(host, "to")
    push_index(registry, source, "1", "one")
    run(SCRIPT, source, target, "^1$", "linux/arm64")
    local only = registry:get_manifest(target .. ":1")
    assert.equal("onearm64", registry:get_blob(target, only.layers[1]).content)
    assert.equal("0 copied, 1 the same\n", (run(SCRIPT, source, target, "^1$", "linux/arm64")))

    local both = fresh(host, "both")
    run(SCRIPT, source, both, ".", "linux/arm64,linux/amd64")
    assert.equal(registry:resolve(source .. ":1").digest, registry:resolve(both .. ":1").digest)
  end)

  it("copies between registries of two kinds", function()
    local from, to = services.get "registry", services.get "registry_v3"
    if not from or not to then
      return pending(services.missing "registry_v3")
    end
    local registry, source, target = helper.registry(), fresh(from, "from"), fresh(to, "to")
    local stored = registry:push(source .. ":1", { { data = "x", title = "f" } })
    run(SCRIPT, source, target)
    assert.equal(stored.digest, registry:resolve(target .. ":1").digest)
  end)

  it("says how it is used", function()
    local status, _, err = process.run(SCRIPT, "a/b")
    assert.equal(2, status)
    assert.equal("usage: mirror.lua SOURCE TARGET [PATTERN [PLATFORM,...]]\n", err)
  end)
end)

describe("examples/retention.lua", function()
  local SCRIPT <const> = "examples/retention.lua"

  local function push(registry, name, tag, date)
    return registry:push(name .. ":" .. tag, { { data = tag, title = "f" } }, {
      annotations = date and { [CREATED] = date:find "[Tt]" and date or date .. "T00:00:00Z" } or nil,
    })
  end

  each("deletes what is old, but for the newest, and says first what it would do", function(host, registry)
    local name = fresh(host, "keep")
    local today = os.date "!%Y-%m-%d"
    push(registry, name, "v1", "2020-01-01")
    push(registry, name, "v2", "2021-01-01")
    push(registry, name, "v3", "2022-01-01")
    push(registry, name, "now", today)
    local said = {
      "delete\t2020-01-01T00:00:00Z\tv1\t", "delete\t2021-01-01T00:00:00Z\tv2\t",
      "keep\t2022-01-01T00:00:00Z\tv3\tamong the newest",
      ("keep\t%sT00:00:00Z\tnow\tamong the newest"):format(today),
    }
    assert.same(said, lines((run(SCRIPT, name, "2", "30"))))
    assert.equal("now v1 v2 v3", tags(registry, name))
    assert.same(said, lines((run(SCRIPT, name, "2", "30", "delete"))))
    assert.equal("now v3", tags(registry, name))

    local out = lines((run(SCRIPT, name, "0", "30")))
    assert.equal(("keep\t%sT00:00:00Z\tnow\tnot known to be old"):format(today), out[2])
    assert.same({ 0, "now v3" }, { (process.run(SCRIPT, name, "0", "99999", "delete")), tags(registry, name) })
  end)

  each("knows which of one day is newer, in other zones and by parts of a second, too", function(host, registry)
    local name = fresh(host, "keep")
    push(registry, name, "early", "2020-01-01T01:00:00Z")
    push(registry, name, "mid", "2020-01-01T12:00:00Z")
    push(registry, name, "late", "2020-01-01T23:00:00Z")
    run(SCRIPT, name, "2", "30", "delete")
    assert.equal("late mid", tags(registry, name))

    push(registry, name, "later", "2020-01-01T21:30:00.25-02:00") -- 23:30 UTC
    push(registry, name, "last", "2020-01-01t23:30:00.5z")
    push(registry, name, "before", "2020-01-02T04:59:59+05:30") -- 23:29:59 UTC of the day before
    run(SCRIPT, name, "3", "30", "delete")
    assert.equal("before last later", tags(registry, name))
    run(SCRIPT, name, "1", "30", "delete")
    assert.equal("last", tags(registry, name))
  end)

  each("lets all stay that are as new as the oldest of the newest", function(host, registry)
    local name = fresh(host, "keep")
    for _, tag in ipairs { "a", "b", "c", "d" } do
      push(registry, name, tag, "2020-01-02T00:00:00Z")
    end
    push(registry, name, "older", "2020-01-01T23:59:59Z")
    run(SCRIPT, name, "2", "30", "delete")
    assert.equal("a b c d", tags(registry, name))
  end)

  each("takes no time that was made up for a date, nor one that is none", function(host, registry)
    local name = fresh(host, "keep")
    local kept = {}
    for i, date in ipairs {
      "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1980-01-01T00:00:01Z", -- of Go, of reproducible builds
      "2020-13-01T00:00:00Z", "2020-01-01T25:00:00Z", "2020-01-01T00:00:00", "2020-01-01T00:00:00 yesterday", "",
    } do
      kept[i] = "t" .. i
      push(registry, name, kept[i])
      local place = name .. ":" .. kept[i]
      local manifest = registry:get_manifest(place)
      manifest.annotations = { [CREATED] = date }
      registry:upload_manifest(place, manifest)
    end
    push(registry, name, "old", "2020-01-01")
    run(SCRIPT, name, "0", "30", "delete")
    assert.equal(table.concat(kept, " "), tags(registry, name))
  end)

  it("says how it is used", function()
    for _, words in ipairs {
      {}, { "a/b" }, { "a/b", "2" }, { "a/b", "two", "30" }, { "a/b", "-1", "30" }, { "a/b", "1.5", "30" },
      { "a/b", "2", "long" }, { "a/b", "2", "-30" }, { "a/b", "2", "30", "delte" },
    } do
      local status, out, err = process.run(SCRIPT, table.unpack(words))
      assert.same({ 2, "", "usage: retention.lua REPOSITORY KEEP DAYS [delete]\n" }, { status, out, err })
    end
  end)

  each("takes no tag of a manifest that stays, nor a manifest with a tag that stays", function(host, registry)
    local name = fresh(host, "keep")
    push(registry, name, "old", "2020-01-01")
    push(registry, name, "stable", "2021-01-01")
    registry:tag(name .. ":stable", { "a-sibling", "z-sibling" })
    run(SCRIPT, name, "1", "30", "delete")
    assert.equal("a-sibling stable z-sibling", tags(registry, name))
  end)

  each("keeps what an index that stays is made of, and what says no date", function(host, registry)
    local name = fresh(host, "keep")
    local part = push(registry, name, "part", "2019-01-01")
    push(registry, name, "old", "2020-01-01")
    local undated = push(registry, name, "undated")
    part.platform = { os = "linux", architecture = "amd64" }
    local index = oras.oci.NewIndex()
    index.manifests = { part }
    index.annotations = { [CREATED] = "2021-01-01T00:00:00Z" }
    registry:upload_manifest(name .. ":all", index)

    run(SCRIPT, name, "1", "30", "delete")
    assert.equal("all part undated", tags(registry, name))
    assert.equal(undated.digest, registry:resolve(name .. ":undated").digest)
    run(SCRIPT, name, "0", "30", "delete") -- now the index is old, too
    assert.equal("undated", tags(registry, name))
  end)

  each("keeps the parts of an index without a tag in an index that stays", function(host, registry)
    local name = fresh(host, "keep")
    local part = push(registry, name, "part", "2019-01-01")
    push(registry, name, "old", "2020-01-01")
    local inner = oras.oci.NewIndex()
    inner.manifests = { part }
    local outer = oras.oci.NewIndex()
    local bytes = oras.json.encode(inner)
    outer.manifests = { registry:upload_manifest(("%s@%s"):format(name, oras.digest.of(bytes)), bytes) }
    outer.annotations = { [CREATED] = "2021-01-01T00:00:00Z" }
    registry:upload_manifest(name .. ":all", outer)

    run(SCRIPT, name, "1", "30", "delete")
    assert.equal("all part", tags(registry, name))
  end)

  each("takes the date of an image from its config, and leaves tags of referrers alone", function(host, registry)
    local name = fresh(host, "keep")
    local function push_image(tag, date)
      return registry:push(name .. ":" .. tag, { { data = tag, title = "f" } }, {
        config = { data = ('{"created":"%sT01:02:03.5Z"}'):format(date),
          media_type = "application/vnd.oci.image.config.v1+json" },
      })
    end
    local kept = push_image("new", "2024-01-01")
    push_image("old", "2020-01-01")
    registry:attach(name .. ":new", { { data = "{}", title = "s" } }, {
      artifact_type = "application/vnd.example", annotations = { [CREATED] = "2010-01-01T00:00:00Z" },
    })
    run(SCRIPT, name, "1", "30", "delete")
    assert.equal(kept.digest, registry:resolve(name .. ":new").digest)
    assert.equal("not_found", helper.fails(registry, "resolve", name .. ":old").class)
    assert.equal(1, #registry:referrers(name .. ":new"))
  end)

  each("changes nothing in a dry run", function(host, registry)
    local name = fresh(host, "keep")
    push(registry, name, "v1", "2020-01-01")
    assert.equal(1, (process.run("--dry-run", SCRIPT, name, "0", "30", "delete")))
    assert.equal("v1", tags(registry, name))
  end)
end)
