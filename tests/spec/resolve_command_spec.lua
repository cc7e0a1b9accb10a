--- oras-lua resolve.
local core = require "oras.core"

local commanding = require "tests.spec.commanding"
local helper = require "tests.spec.helper"

local good, bad = commanding.good, commanding.bad

describe("oras-lua resolve", function()
  local ref, digest

  before_each(function()
    ref = select(2, commanding.place "resolve")
    commanding.write("a.txt", "a\n")
    digest = good("push", ref .. ":v1", "a.txt"):match "%S+"
  end)
  after_each(helper.clean)

  it("prints the digest, or the reference by digest", function()
    assert.equal(digest .. "\n", good("resolve", ref .. ":v1"))
    assert.equal(digest .. "\n", good("digest", ref .. "@" .. digest))
    assert.equal(("%s@%s\n"):format(ref, digest), good("resolve", "-l", ref .. ":v1"))
    assert.equal(("%s@%s\n"):format(ref, digest), good("resolve", "--full-reference", ref .. ":v1"))
  end)

  it("gives the descriptor as a document (W12)", function()
    local document = commanding.document("resolve", "resolve", ref .. ":v1", "--format", "json")
    assert.equal(ref .. "@" .. digest, document.reference)
    assert.equal(digest, document.digest)
    assert.equal("application/vnd.oci.image.manifest.v1+json", document.mediaType)
  end)

  it("chooses the manifest of a platform", function()
    good("push", ref .. ":arm", "a.txt", "--artifact-platform", "linux/arm64")
    local registry = helper.registry()
    local arm = registry:resolve(ref .. ":arm")
    arm.platform = { os = "linux", architecture = "arm64" }
    registry:upload_manifest(ref .. ":all", { schemaVersion = 2, manifests = { arm } })
    assert.equal(arm.digest .. "\n", good("resolve", ref .. ":all", "--platform", "linux/arm64"))
    local own = "linux/" .. core.architecture
    good("push", ref .. ":own", "a.txt", "--artifact-platform", "linux")
    good("manifest", "index", "create", ref .. ":both", "own", "arm")
    local expected = good("resolve", ref .. ":both", "--platform", own)
    assert.equal(expected, good("resolve", ref .. ":both", "--platform=linux"))
    bad(1, "no platform linux/arm64", "resolve", ref .. ":all", "--platform", "linux/arm64:10.0")
    bad(1, "no platform linux/s390x", "resolve", ref .. ":all", "--platform", "linux/s390x")
  end)

  it("says what is wrong in one line", function()
    bad(1, 'no manifest "none"', "resolve", ref .. ":none")
    bad(2, "usage: oras%-lua resolve", "resolve")
    bad(2, "unknown option '%-%-full'", "resolve", "--full", ref)
  end)
end)
