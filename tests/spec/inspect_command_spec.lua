--- oras-lua inspect.
local commanding = require "tests.spec.commanding"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local good, bad = commanding.good, commanding.bad

describe("oras-lua inspect", function()
  local ref, digest

  before_each(function()
    ref = select(2, commanding.place "inspect")
    commanding.write("a.txt", "a\n")
    digest = good("push", ref .. ":v1", "a.txt:text/plain", "--artifact-type", "application/vnd.x", "-a", "k=v",
      "-a", "a.txt:lang=en", "--artifact-platform", "linux/arm64"):match "%S+"
  end)
  after_each(helper.clean)

  it("shows manifest, config and layers", function()
    local out = good("inspect", ref .. ":v1")
    for _, text in ipairs {
      "Name:         " .. ref .. ":v1\n", "Digest:       " .. digest .. "\n", "ArtifactType: application/vnd.x\n",
      "Annotations:\n  k = v\n", "Platform:     linux/arm64\n", "Layers (1):\n",
      "  2 B  text/plain  a.txt\n    lang = en\n",
    } do
      assert.truthy(out:find(text, 1, true), text .. "\n" .. out)
    end
  end)

  it("gives the same as a document (W12), or the bytes", function()
    local document = commanding.document("inspect", "inspect", ref .. ":v1", "--format", "json")
    assert.same({ architecture = "arm64", os = "linux" }, document.config)
    assert.equal("a.txt", document.manifest.layers[1].annotations["org.opencontainers.image.title"])
    assert.equal(digest, document.digest)
    assert.equal(good("manifest", "fetch", ref .. ":v1"), good("inspect", ref .. ":v1", "--raw"))
  end)

  it("shows the manifests of an index, or one of them", function()
    local registry = helper.registry()
    local one = registry:resolve(ref .. ":v1")
    one.platform = { os = "linux", architecture = "arm64" }
    registry:upload_manifest(ref .. ":all", { schemaVersion = 2, manifests = { one } })
    local out = good("inspect", ref .. ":all")
    assert.matches("Manifests %(1%):\n  " .. digest:gsub("%-", "%%-") .. "  [^\n]*  linux/arm64\n", out)
    assert.matches("Layers %(1%)", good("inspect", ref .. ":all", "--platform", "linux/arm64"))
    commanding.document("inspect", "inspect", ref .. ":all", "--format", "json")
  end)

  it("lets nothing of a server's command the terminal", function()
    faults.reset()
    faults.seed {
      repo = "i/app", tag = "1", annotations = { ["a\27[2J"] = "b\27]0;x\7\nDigest: none" },
      layers = { { data = "x", media_type = "text/\27[31m", title = "\27c" } },
    }
    local out = good("inspect", faults.host "http" .. "/i/app:1")
    assert.is_nil(out:find "[\27\7]")
    assert.is_nil(out:find "\nDigest: none")
  end)

  it("says what is wrong in one line", function()
    bad(1, 'no manifest "none"', "inspect", ref .. ":none")
    bad(2, "usage: oras%-lua inspect", "inspect")
  end)
end)
