--- Tags that come and go, manifests and blobs that are deleted: never more than was said.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local registry, ref, doc

local digest_of <const> = oras.digest.of

local function tags()
  return faults.content("changes/app").tags
end

local function manifests()
  local count = 0
  for _ in pairs(faults.content("changes/app").manifests) do
    count = count + 1
  end
  return count
end

local function pack(text, more)
  local opts = { artifact_type = "application/x.test", layers = { { mediaType = "text/plain", digest = digest_of(text),
    size = #text } } }
  for key, value in pairs(more or {}) do
    opts[key] = value
  end
  return registry:pack_manifest(opts)
end

local function usage(text, ...)
  local err = helper.fails(registry, ...)
  assert.equal("usage", err.class, tostring(err))
  assert.matches(text, err.message, 1, true)
end

before_each(function()
  faults.reset()
  registry = helper.registry()
  ref = faults.host "http" .. "/changes/app"
  faults.seed { repo = "changes/app", blobs = { { data = "{}" }, { data = "a" }, { data = "b" } } }
  doc = pack "a"
  registry:upload_manifest(ref .. ":one", doc, { tags = { "two", "three" } })
  faults.reset { content = false }
end)
after_each(helper.clean)

describe("tag", function()
  it("gives a manifest more names, with the same bytes", function()
    local d = registry:tag(ref .. ":one", { "x", "y" })
    assert.equal(doc:descriptor().digest, d.digest)
    assert.equal(d.digest, tags().x)
    assert.equal(d.digest, tags().y)
    registry:tag(ref .. "@" .. d.digest, "z")
    assert.equal(d.digest, tags().z)
    assert.equal(1, manifests())
  end)

  it("moves a name from another manifest", function()
    local other = registry:upload_manifest(ref .. ":other", (pack "b"))
    registry:tag(ref .. ":other", "one")
    assert.equal(other.digest, tags().one)
    assert.equal(doc:descriptor().digest, tags().two)
  end)

  it("checks what it is given", function()
    usage("not a nil", "tag", ref .. ":one")
    usage("an empty list", "tag", ref .. ":one", {})
    usage("not a number", "tag", ref .. ":one", { 5 })
    usage("a b", "tag", ref .. ":one", "a b")
    assert.equal("not_found", helper.fails(registry, "tag", ref .. ":nothing", "x").class)
  end)

  it("goes through get_manifest and upload_manifest", function()
    local steps = {}
    for _, name in ipairs { "get_manifest", "upload_manifest" } do
      registry[name] = function(self, ...)
        steps[#steps + 1] = name
        return oras.Registry[name](self, ...)
      end
    end
    registry:tag(ref .. ":one", "x")
    assert.same({ "get_manifest", "upload_manifest" }, steps)
  end)
end)

describe("untag and delete_tags", function()
  it("W4 take names away where the registry does that", function()
    assert.is_true(registry:untag(ref .. ":one"))
    assert.same({ "DELETE manifest 202" }, faults.trace())
    assert.is_true(registry:untag(ref, "two"))
    assert.is_false(registry:untag(ref, "two"))
    assert.same({ three = doc:descriptor().digest }, tags())
  end)

  it("tell what was not there", function()
    local deleted, missing = registry:delete_tags(ref, { "one", "nothing", "three", "one" })
    assert.same({ "one", "three" }, deleted)
    assert.same({ "nothing" }, missing)
    deleted, missing = registry:delete_tags(ref, "two")
    assert.same({ "two" }, deleted)
    assert.same({}, missing)
    assert.equal(1, manifests())
  end)

  it("check what they are given", function()
    usage("which tag", "untag", ref)
    usage("which tag", "untag", ref .. "@" .. digest_of "x")
    usage("delete_tags takes a list", "untag", ref, { "one" })
    usage("not a nil", "delete_tags", ref)
    usage('unknown option "forced" (force?)', "delete_tags", ref, "one", { forced = true })
    assert.same({}, faults.log())
  end)

  for _, status in ipairs { 400, 405, 501 } do
    it(("take a name with a manifest of our own where the registry says %d"):format(status), function()
      faults.config { delete_tags = status }
      local deleted = registry:delete_tags(ref, { "one" })
      assert.same({ "one" }, deleted)
      local digest = doc:descriptor().digest
      assert.same({ two = digest, three = digest }, tags())
      assert.equal(1, manifests())
    end)
  end

  it("do so where a server does not know the request, too", function()
    faults.on { method = "DELETE", path = "*/manifests/one", status = 404, body = "404 page not found",
      headers = { ["Content-Type"] = "text/plain" } }
    assert.is_true(registry:untag(ref .. ":one"))
    assert.is_nil(tags().one)
    assert.is_truthy(tags().two)
  end)

  it("find out that a name is not there where the registry refuses all", function()
    faults.config { delete_tags = 400 }
    local deleted, missing = registry:delete_tags(ref, { "nothing" })
    assert.same({}, deleted)
    assert.same({ "nothing" }, missing)
  end)

  it("put nothing under the name when that is not wanted, and name the siblings", function()
    faults.config { delete_tags = 405 }
    local err = helper.fails(registry, "delete_tags", ref, { "one" }, { placeholder = false })
    assert.equal("unsupported", err.class)
    assert.equal("UNSUPPORTED", err.code)
    assert.matches("the tags three, two would go with it", err.message, 1, true)
    assert.equal(doc:descriptor().digest, err.digest)
    assert.same({}, err.deleted)
    assert.equal(0, #faults.log { method = "PUT" })
    assert.is_truthy(tags().one)
    registry:upload_manifest(ref .. ":alone", (pack "b"))
    err = helper.fails(registry, "untag", ref, "alone", { placeholder = false })
    assert.matches("it has no other tag", err.message, 1, true)
  end)

  it("change nothing where the registry deletes nothing", function()
    faults.on { method = "DELETE", status = 405, always = true }
    local err = helper.fails(registry, "delete_tags", ref, { "one" })
    assert.equal("unsupported", err.class)
    assert.matches("three, two", err.message, 1, true)
    assert.equal(0, #faults.log { method = "PUT" })
    assert.equal(0, #faults.log { method = "POST" })
    assert.equal(doc:descriptor().digest, tags().one)
    assert.equal(1, manifests())
  end)

  it("take the siblings along when that is said", function()
    faults.config { delete_tags = 405 }
    local deleted = registry:delete_tags(ref, { "one" }, { placeholder = false, force = true })
    assert.same({ "one" }, deleted)
    assert.same({}, tags())
    faults.config { delete_manifests = false }
    registry:upload_manifest(ref .. ":one", doc)
    local err = helper.fails(registry, "delete_tags", ref, { "one" }, { force = true })
    assert.equal("unsupported", err.class)
  end)

  it("put the manifest back where its stand-in cannot be deleted after all", function()
    faults.config { delete_tags = 400 }
    faults.on { method = "DELETE", path = "*/manifests/sha256:*", nth = 2, status = 405, always = true }
    local err = helper.fails(registry, "delete_tags", ref, { "one" })
    assert.equal("unsupported", err.class)
    assert.equal(doc:descriptor().digest, tags().one)
  end)

  it("put the manifest back when something breaks meanwhile", function()
    faults.config { delete_tags = 400 }
    faults.on { method = "DELETE", path = "*/manifests/sha256:*", nth = 2, status = 403, always = true }
    local err = helper.fails(registry, "delete_tags", ref, { "one" })
    assert.equal("denied", err.class)
    assert.equal(doc:descriptor().digest, tags().one)
  end)

  it("put no two stand-ins that are the same", function()
    faults.config { delete_tags = 400 }
    registry:delete_tags(ref, { "one", "two" })
    local seen = {}
    for _, entry in ipairs(faults.log { method = "PUT", path = "*/manifests/*" }) do
      assert.is_nil(seen[entry.body_digest])
      seen[entry.body_digest] = true
    end
    assert.same({ three = doc:descriptor().digest }, tags())
  end)

  it("tell what is gone already when one fails", function()
    faults.on { method = "DELETE", path = "*/manifests/two", status = 403, always = true }
    local err = helper.fails(registry, "delete_tags", ref, { "one", "two", "three" })
    assert.equal("denied", err.class)
    assert.same({ "one" }, err.deleted)
    assert.is_truthy(tags().three)
  end)

  it("count a tag as deleted when the answer was lost", function()
    faults.on { method = "DELETE", process = true, status = 503 }
    assert.is_true(registry:untag(ref .. ":one"))
    assert.is_nil(tags().one)
  end)
end)

describe("delete_manifest", function()
  it("tells which tags went with it", function()
    registry:upload_manifest(ref .. ":other", (pack "b"))
    local digest, gone = registry:delete_manifest(ref .. ":one")
    assert.equal(doc:descriptor().digest, digest)
    assert.same({ "one", "three", "two" }, gone)
    assert.equal(1, manifests())
    assert.is_truthy(tags().other)
  end)

  it("does not look for tags when nobody wants to know", function()
    local digest, gone = registry:delete_manifest(ref .. "@" .. doc:descriptor().digest, { find_tags = false })
    assert.equal(doc:descriptor().digest, digest)
    assert.is_nil(gone)
    assert.same({ "GET manifest 200", "DELETE manifest 202" }, faults.trace())
  end)

  it("says what is not there, and what is not supported", function()
    assert.equal("not_found", helper.fails(registry, "delete_manifest", ref .. ":nothing").class)
    assert.equal("not_found", helper.fails(registry, "delete_manifest", ref .. "@" .. digest_of "x").class)
    faults.config { delete_manifests = false }
    local err = helper.fails(registry, "delete_manifest", ref .. ":one")
    assert.equal("unsupported", err.class)
    assert.matches(doc:descriptor().digest, err.message, 1, true)
    usage('unknown option "force"', "delete_manifest", ref .. ":one", { force = true })
    assert.is_truthy(tags().one)
  end)

  it("deletes what cannot be read", function()
    local seeded = faults.seed { repo = "changes/app", tag = "bad", manifest = "{not json", media_type = "a/b" }
    registry:delete_manifest(ref .. "@" .. seeded.digest)
    assert.is_nil(tags().bad)
  end)

  it("takes a referrer from the list of its subject's", function()
    faults.config { referrers = false, oci_subject = false, tag_param = false }
    local first = registry:upload_manifest(ref .. ":s1", (pack("b", { subject = doc })))
    local second = registry:upload_manifest(ref .. ":s2", (pack("b", { subject = doc, annotations = { a = "b" } })))
    local list = ref .. ":" .. doc:descriptor().digest:gsub(":", "-")
    assert.equal(2, #registry:get_manifest(list).manifests)
    registry:delete_manifest(ref .. ":s1")
    assert.equal(second.digest, registry:get_manifest(list).manifests[1].digest)
    assert.equal(1, #registry:get_manifest(list).manifests)
    registry:delete_manifest(ref .. ":s2")
    assert.same({}, { table.unpack(registry:get_manifest(list).manifests) })
    assert.is_nil(faults.content("changes/app").manifests[first.digest])
  end)

  it("leaves lists alone where the registry has them", function()
    registry:upload_manifest(ref .. ":s1", (pack("b", { subject = doc })))
    registry:delete_manifest(ref .. ":s1")
    assert.is_nil(tags()[(doc:descriptor().digest:gsub(":", "-"))])
  end)
end)

describe("delete_blob", function()
  it("deletes a blob", function()
    registry:delete_blob(ref, digest_of "b")
    assert.is_nil(faults.content("changes/app").blobs[digest_of "b"])
    registry:delete_blob(ref, { digest = digest_of "a", size = 1, mediaType = "x/y" })
    assert.is_nil(faults.content("changes/app").blobs[digest_of "a"])
  end)

  it("says what is not there, not supported or no blob", function()
    local err = helper.fails(registry, "delete_blob", ref, digest_of "x")
    assert.equal("not_found", err.class)
    faults.config { delete_blobs = false }
    assert.equal("unsupported", helper.fails(registry, "delete_blob", ref, digest_of "a").class)
    usage("delete_blob", "delete_blob", ref, "sha256:x")
    usage("delete_blob", "delete_blob", ref)
  end)

  it("asks for a token that may delete", function()
    registry:set_basic_auth("alice", "wonder:land")
    faults.seed { repo = "bearer/del", blobs = { { data = "x" } } }
    registry:delete_blob(faults.host "http" .. "/bearer/del", digest_of "x")
    assert.matches("scope=repository:bearer/del:delete", faults.log({ path = "/token" })[1].target, 1, true)
  end)
end)
