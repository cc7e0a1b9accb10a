--- oras-lua copy, tag, untag, delete.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local function ref(name, listener)
  return faults.host(listener or "http") .. "/" .. name
end

local function good(...)
  local status, out, err = process.run(...)
  assert.equal(0, status, err)
  return out, err
end

local function bad(expected, ...)
  local status, out, err = process.run(...)
  assert.equal(expected, status, err)
  assert.equal("", out)
  assert.truthy(err:find "^oras%-lua: [^\n]*\n$", err)
  return err
end

describe("oras-lua", function()
  local a

  before_each(function()
    faults.reset()
    a = faults.seed { repo = "src/app", tag = "1", layers = { { size = 300000 }, { data = "x" } } }
  end)

  after_each(helper.clean)

  local function tags(repo)
    return faults.content(repo or "dst/app").tags
  end

  describe("copy", function()
    it("copies and says what", function()
      local out, err = good("copy", ref("src/app:1", "cdn"), ref "dst/app:2,3", "--format=text")
      assert.equal(("Copied %s => %s\nDigest: %s\n"):format(ref("src/app:1", "cdn"), ref "dst/app:2,3", a.digest), out)
      assert.equal("", err)
      assert.same({ ["2"] = a.digest, ["3"] = a.digest }, tags())
    end)

    it("gives a pipe the digest alone", function()
      assert.equal(a.digest .. "\n", (good("cp", ref("src/app:1", "cdn"), ref "dst/app:2")))
    end)

    it("stores by digest alone where the target has no tag", function()
      good("cp", ref("src/app:1", "cdn"), ref "dst/app")
      assert.same({}, tags())
      assert.truthy(faults.content("dst/app").manifests[a.digest])
    end)

    it("gives one document", function()
      local document = oras.json.decode((good("cp", ref("src/app:1", "cdn"), ref "dst/app:2", "--format", "json")))
      assert.equal(a.digest, document.digest)
      assert.equal(ref "dst/app@" .. a.digest, document.reference)
      assert.same({ ref "dst/app:2" }, { document.referenceAsTags[1] })
      assert.same({ copied = 3, mounted = 0, skipped = 0 },
        { copied = document.blobs.copied, mounted = document.blobs.mounted, skipped = document.blobs.skipped })
      assert.equal(1, document.manifests)
    end)

    it("mounts within a registry, and not when the two sides have other flags", function()
      good("cp", ref "src/app:1", ref "dst/app:2")
      assert.equal(0, faults.count { path = "/v2/src/app/blobs/*" }.total)
      good("cp", ref "src/app:1", ref "dst/other:2", "--from-username", "alice", "--from-password", "wonder:land",
        "--to-username", "bob", "--to-password", "builder")
      assert.is_true(faults.count { path = "/v2/src/app/blobs/*" }.total > 0)
    end)

    it("shows each side its own credentials and headers", function()
      faults.seed { repo = "basic/src", tag = "1", layers = { { data = "y" } } }
      good("cp", ref("basic/src:1", "cdn"), ref "basic/dst:1", "--from-username", "alice", "--from-password",
        "wonder:land", "--to-username", "bob", "--to-password", "builder", "--from-header", "X-Side: from",
        "--to-header", "X-Side: to")
      for _, one in ipairs(faults.log()) do
        assert.equal(one.listener == "cdn" and "from" or "to", faults.header(one, "x-side"))
        local sent = faults.header(one, "authorization")
        local own = one.listener == "cdn" and "YWxpY2U6d29uZGVyOmxhbmQ=" or "Ym9iOmJ1aWxkZXI="
        assert.is_true(sent == nil or sent == "Basic " .. own)
      end
    end)

    it("shows both sides the same credentials where both are told them", function()
      faults.seed { repo = "basic/src", tag = "1", layers = { { data = "y" } } }
      good("cp", ref("basic/src:1", "cdn"), ref "basic/dst:1", "--from-username", "alice", "--from-password",
        "wonder:land", "--to-username", "alice", "--to-password", "wonder:land")
      assert.truthy(faults.content("basic/dst").tags["1"])
    end)

    it("takes one platform, or several", function()
      local entries = {}
      for i, name in ipairs { "amd64", "arm64", "s390x" } do
        local image = faults.seed { repo = "src/multi", tag = name, layers = { { data = name } } }
        entries[i] = { mediaType = image.media_type, digest = image.digest, size = image.size,
          platform = { os = "linux", architecture = name } }
      end
      local index = "application/vnd.oci.image.index.v1+json"
      faults.seed { repo = "src/multi", tag = "1", media_type = index, manifest = oras.json.encode {
        schemaVersion = 2, mediaType = index, manifests = oras.json.array(entries) } }
      good("cp", ref("src/multi:1", "cdn"), ref "dst/one:1", "--platform", "linux/arm64")
      assert.equal(entries[2].digest, tags("dst/one")["1"])
      good("cp", ref("src/multi:1", "cdn"), ref "dst/two:1", "--platform", "linux/arm64", "--platform=linux/amd64")
      local n = 0
      for _ in pairs(faults.content("dst/two").manifests) do
        n = n + 1
      end
      assert.equal(3, n)
    end)

    it("takes referrers along", function()
      local signature = faults.seed { repo = "src/app", layers = { { data = "s" } }, subject = a.digest,
        artifact_type = "application/x.signature" }
      good("cp", "-r", ref("src/app:1", "cdn"), ref "dst/app:1")
      assert.truthy(faults.content("dst/app").manifests[signature.digest])
    end)

    it("says what it would do", function()
      local out = good("cp", "--dry-run", ref("src/app:1", "cdn"), ref "dst/app:1")
      assert.truthy(out:find("would copy  " .. a.layers[1].digest, 1, true))
      assert.truthy(out:find("would copy  " .. a.digest, 1, true))
      assert.is_nil(out:find("copied", 1, true))
      assert.truthy(out:find("3 blobs to copy (293.5 KiB), 0 to mount, 0 there, 1 manifest to put\n", 1, true))
      assert.same({}, tags())
      local plan = oras.json.decode((good("cp", "--dry-run", "--format=json", ref "src/app:1", ref "dst/app:1"))).plan
      assert.equal(4, #plan)
    end)

    it("goes between registries and layouts", function()
      local directory = helper.directory()
      good("cp", ref("src/app:1", "cdn"), "oci:" .. directory .. "/layout:v1")
      good("cp", "oci:" .. directory .. "/layout:v1", "oci:" .. directory .. "/other:v2")
      good("cp", "oci:" .. directory .. "/other:v2", ref "dst/app:9")
      assert.equal(a.digest, tags()["9"])
    end)

    it("is told in one line what is wrong", function()
      assert.truthy(bad(1, "cp", ref "src/app:none", ref "dst/app:1"):find("MANIFEST_UNKNOWN", 1, true))
      assert.truthy(bad(1, "cp", "oci:/nonexistent:1", ref "dst/app:1"):find("/nonexistent", 1, true))
      assert.truthy(bad(2, "cp", ref "src/app:1"):find("usage", 1, true))
      assert.truthy(bad(2, "cp", ref "src/app:1", ref "dst/app:1", "--plain-htp"):find("--plain-htp", 1, true))
      assert.truthy(bad(2, "cp", ref "src/app:1", ref "dst/app:a b"):find("a b", 1, true))
      assert.truthy(bad(2, "cp", ref "src/app:1", ref "dst/app:1", "--platform", "linux/"):find("linux/", 1, true))
      assert.same({}, tags())
    end)
  end)

  describe("tag", function()
    it("gives names, and prints them", function()
      assert.equal("2\n3\n", (good("tag", ref "src/app:1", "2", "3")))
      assert.same({ ["1"] = a.digest, ["2"] = a.digest, ["3"] = a.digest }, tags "src/app")
      assert.equal('[\n  "4"\n]\n', (good("tag", ref("src/app@" .. a.digest), "4", "--format", "json")))
    end)

    it("is told what is wrong", function()
      bad(1, "tag", ref "src/app:none", "2")
      bad(2, "tag", ref "src/app:1", "a b")
      bad(2, "tag", ref "src/app:1")
      assert.same({ ["1"] = a.digest }, tags "src/app")
    end)
  end)

  describe("untag", function()
    it("takes names away and leaves the others", function()
      good("tag", ref "src/app:1", "2", "3")
      assert.equal("1\n3\n", (good("untag", ref "src/app", "1", "3")))
      assert.same({ ["2"] = a.digest }, tags "src/app")
    end)

    it("says which names were not there", function()
      local out, err = good("untag", ref "src/app", "none")
      assert.equal("", out)
      assert.equal('oras-lua: there is no tag "none"\n', err)
    end)

    it("takes no sibling along where the registry deletes no tags", function()
      faults.config { delete_tags = 400 }
      good("tag", ref "src/app:1", "2")
      assert.equal("1\n", (good("untag", ref "src/app", "1")))
      assert.same({ ["2"] = a.digest }, tags "src/app")
    end)

    it("says what would be lost where nothing else helps", function()
      faults.config { delete_tags = 400 }
      good("tag", ref "src/app:1", "2")
      faults.config { delete_manifests = false }
      assert.truthy(bad(1, "untag", ref "src/app", "1"):find("the tags 2 would go with it", 1, true))
      assert.same({ ["1"] = a.digest, ["2"] = a.digest }, tags "src/app")
    end)
  end)

  describe("delete", function()
    it("deletes a manifest with its names, and says so", function()
      good("tag", ref "src/app:1", "2")
      local out, err = good("delete", "-f", ref "src/app:1")
      assert.equal(a.digest .. "\n", out)
      assert.equal("oras-lua: its tags are gone, too: 1, 2\n", err)
      assert.same({}, tags "src/app")
    end)

    it("does nothing where it cannot ask, which is no fault of the words", function()
      assert.truthy(bad(1, "delete", ref "src/app:1"):find("--force", 1, true))
      assert.truthy(tags("src/app")["1"])
    end)

    it("is told what is wrong", function()
      bad(1, "delete", ref "src/app:none") -- with -f it is well, as in oras
      faults.config { delete_manifests = false }
      assert.truthy(bad(1, "delete", "-f", ref "src/app:1"):find "UNSUPPORTED")
    end)
  end)
end)
