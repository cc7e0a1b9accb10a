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
    assert.same({ "2 copied, 0 the same", "would copy 1.0", "would copy 1.1" },
      lines(out:gsub(" %(%d+ bytes%)", "")))
    assert.equal("not_found", helper.fails(registry, "get_tags", target).class)

    out = run(SCRIPT, source, target, "^%d")
    assert.same({ "2 copied, 0 the same", "copied 1.0", "copied 1.1" }, lines(out:gsub(" %(%d+ bytes%)", "")))
    assert.equal("1.0 1.1", tags(registry, target))

    registry:push(source .. ":1.1", { { data = "new", title = "f" } })
    out = run("--dry-run", SCRIPT, source, target, "^%d")
    assert.same({ "1 copied, 1 the same", "would copy 1.1" }, lines(out:gsub(" %(%d+ bytes%)", "")))
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
      annotations = date and { [CREATED] = date .. "T00:00:00Z" } or nil,
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
      "delete\t2020-01-01\tv1\t", "delete\t2021-01-01\tv2\t", "keep\t2022-01-01\tv3\tamong the newest",
      ("keep\t%s\tnow\tamong the newest"):format(today),
    }
    assert.same(said, lines((run(SCRIPT, name, "2", "30"))))
    assert.equal("now v1 v2 v3", tags(registry, name))
    assert.same(said, lines((run(SCRIPT, name, "2", "30", "delete"))))
    assert.equal("now v3", tags(registry, name))

    assert.equal(("keep\t%s\tnow\tnot known to be old"):format(today), lines((run(SCRIPT, name, "0", "30")))[2])
    assert.same({ 0, "now v3" }, { (process.run(SCRIPT, name, "0", "99999", "delete")), tags(registry, name) })
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
