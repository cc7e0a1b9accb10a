--- A dry run: reads go out, writes are told and refused, whoever asks for them.
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local oras = require "oras"
local process = require "tests.spec.process"

local function seed()
  return faults.seed { repo = "dry/app", tag = "v1", layers = { { data = "layer" } } }
end

local function writes()
  local list = {}
  for _, entry in ipairs(faults.log { listener = "http" }) do
    if entry.method ~= "GET" and entry.method ~= "HEAD" then
      list[#list + 1] = entry.method .. " " .. entry.path
    end
  end
  return list
end

describe("a dry run", function()
  local registry, told, here

  before_each(function()
    faults.reset()
    here = faults.host "http"
    registry, told = helper.registry { dry_run = true }, {}
    registry:on("write", function(event)
      told[#told + 1] = event.method .. " " .. event.url:gsub("^https?://[^/]+", "")
    end)
  end)

  after_each(helper.clean)

  it("lets reads go out", function()
    local made = seed()
    local ref = here .. "/dry/app:v1"
    assert.equal(made.digest, registry:resolve(ref).digest)
    assert.equal("layer", registry:get_blob(ref, made.layers[1].digest).content)
    assert.same({ "v1" }, registry:get_tags(ref))
    assert.same({}, told)
  end)

  it("refuses what writes before a byte of it leaves, and tells", function()
    local made = seed()
    local ref = here .. "/dry/app:v1"
    local function refused(method, ...)
      local before = #told
      local err = helper.fails(registry, method, ...)
      assert.equal("denied", err.class)
      assert.equal("DRY_RUN", err.code)
      assert.is_not_nil(err.message:find("^dry run: %u+ http://.* not sent$"), err.message)
      assert.is_true(#told > before)
    end
    refused("push", here .. "/dry/app:v2", { { data = "x", title = "x" } })
    refused("upload_blob", ref, { data = "x" })
    refused("upload_manifest", ref, made.manifest)
    refused("tag", ref, "v3")
    refused("untag", ref)
    refused("delete_manifest", ref)
    refused("delete_blob", ref, made.layers[1].digest)
    refused("copy", ref, here .. "/dry/other:v1")
    refused("do_request", "PATCH", here .. "/v2/dry/app/blobs/uploads/1")
    assert.same({}, writes())
    assert.equal("POST /v2/dry/app/blobs/uploads/", told[1]:gsub("%?.*", ""))
  end)

  it("is not got past by a provider that sends by itself", function()
    local Own = oras.Registry:extend "Own"
    function Own.send()
      error "sent"
    end
    local own = Own:new { dry_run = true, retry = { wait = 0 } }
    assert.equal("denied", helper.fails(own, "do_request", "PUT", here .. "/v2/a/manifests/1").class)
    local value, err = registry:send { method = "DELETE", url = "http://" .. here .. "/v2/a/manifests/1" }
    assert.is_nil(value)
    assert.equal("DRY_RUN", err.code)
  end)

  it("is not tried again, whatever a provider thinks of retries", function()
    local err = helper.fails(registry, "do_request", "PUT", here .. "/v2/a/manifests/1")
    assert.equal(1, err.attempts)
    assert.equal(1, #told)
  end)

  it("still asks for tokens, by POST where it has to", function()
    faults.seed { repo = "bearer/app", tag = "v1", layers = { { data = "layer" } } }
    registry.get_credentials = function()
      return { username = "alice", password = "wonder:land" }
    end
    assert.is_not_nil(registry:resolve(here .. "/bearer/app:v1").digest)
    assert.same({}, told)
  end)

  it("shows no secret of a URL", function()
    local err = helper.fails(registry, "do_request", "PUT", here .. "/v2/a/blobs/uploads/1?token=hunter2secret")
    assert.is_nil(err.message:find("hunter2secret", 1, true))
    assert.is_nil(told[1]:find("hunter2secret", 1, true))
  end)

  it("changes no layout", function()
    local dir = helper.directory()
    local place = ("oci:%s/store:1"):format(dir)
    local files = { { data = "x", title = "x" } }
    assert.equal("denied", helper.fails(registry, "push", place, files).class)
    assert.equal("denied", helper.fails(registry, "push", ("oci:%s/store.tar:1"):format(dir), files).class)
    assert.equal("", helper.list(dir))

    helper.registry():push(place, files)
    local before = helper.read(dir .. "/store/index.json")
    assert.equal("denied", helper.fails(registry, "tag", place, "2").class)
    assert.equal("denied", helper.fails(registry, "untag", place).class)
    assert.equal("denied", helper.fails(registry, "delete_manifest", place).class)
    assert.equal("x", registry:get_blob(place, registry:get_manifest(place).layers[1]).content)
    assert.equal(before, helper.read(dir .. "/store/index.json"))
  end)

  it("is said by the object, and an option alone is no dry run of others", function()
    assert.is_true(registry.dry_run)
    assert.is_false(helper.registry().dry_run)
  end)
end)

describe("oras-lua --dry-run", function()
  local here

  before_each(function()
    faults.reset()
    here = faults.host "http"
  end)

  after_each(helper.clean)

  it("makes a dry run of whatever the script does, and says what it would have sent", function()
    seed()
    local script = helper.write(helper.directory() .. "/s.lua", [[
      local oras = require "oras"
      local registry = oras.Registry:new { dry_run = false }
      print(registry.dry_run, registry:resolve(arg[1]).mediaType)
      registry:tag(arg[1], "v2")
    ]])
    local status, out, err = process.run("--dry-run", script, here .. "/dry/app:v1")
    assert.equal(1, status)
    assert.equal("true\tapplication/vnd.oci.image.manifest.v1+json\n", out)
    assert.is_not_nil(err:find("dry run: PUT http://" .. here .. "/v2/dry/app/manifests/v2 not sent", 1, true), err)
    assert.same({}, writes())
  end)

  it("holds for commands, too", function()
    local file = helper.write(helper.directory() .. "/f", "text")
    local status, out, err = process.run("--dry-run", "push", "--disable-path-validation", here .. "/dry/new:1", file)
    assert.equal(1, status)
    assert.equal("", out)
    assert.is_not_nil(err:find("DRY_RUN", 1, true), err)
    assert.same({}, writes())
  end)

  it("says once what is not sent, however many blobs it is asked for", function()
    local dir = helper.directory()
    local words = { "--dry-run", "push", "--disable-path-validation", here .. "/dry/new:1" }
    for i = 1, 3 do
      words[#words + 1] = helper.write(dir .. "/f" .. i, "text" .. i)
    end
    local _, _, err = process.run(table.unpack(words))
    assert.equal(1, select(2, err:gsub("oras%-lua: dry run: POST ", "")), err)

    for i = 1, 2 do
      faults.seed { repo = "dry/app", tag = "v" .. i, layers = { { data = "layer" .. i } } }
    end
    _, _, err = process.run("--dry-run", "backup", here .. "/dry/app", "-o", dir .. "/kept")
    assert.equal(1, select(2, err:gsub("oras%-lua: dry run: upload oci:", "")), err)
    assert.is_nil(helper.list(dir):find("kept", 1, true))
  end)
end)
