--- oras-lua manifest fetch, fetch-config, push and delete.
local oras = require "oras"

local commanding = require "tests.spec.commanding"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local good, bad = commanding.good, commanding.bad

local MANIFEST <const> = "application/vnd.oci.image.manifest.v1+json"

describe("oras-lua manifest", function()
  local ref, digest, raw

  before_each(function()
    ref = select(2, commanding.place "manifest")
    commanding.write("a.txt", "a\n")
    commanding.write("c.json", '{"b":1,"a":[]}')
    digest = good("push", ref .. ":v1", "a.txt", "--config", "c.json:application/vnd.c+json"):match "%S+"
    raw = helper.registry():get_manifest(ref .. ":v1"):raw()
  end)
  after_each(helper.clean)

  describe("fetch", function()
    it("prints the bytes as they are, or many lines", function()
      assert.equal(raw, good("manifest", "fetch", ref .. ":v1"))
      assert.equal(raw, good("manifest", "get", ref .. "@" .. digest, "-o", "-"))
      local pretty = good("manifest", "fetch", ref .. ":v1", "--pretty")
      assert.same(oras.json.decode(raw), oras.json.decode(pretty))
      assert.matches('\n  "mediaType"', pretty)
    end)

    it("writes a file, which is replaced", function()
      commanding.write("m.json", "old")
      assert.equal("", good("manifest", "fetch", ref .. ":v1", "-o", "m.json"))
      assert.equal(raw, commanding.read "m.json")
      local line = good("manifest", "fetch", ref .. ":v1", "-o", "n.json", "--descriptor")
      assert.equal(digest, oras.json.decode(line).digest)
      assert.equal(raw, commanding.read "n.json")
      bad(2, "both go to standard output", "manifest", "fetch", ref, "--descriptor", "-o", "-")
      bad(2, "'[.]' names no file", "manifest", "fetch", ref .. ":v1", "-o", ".")
    end)

    it("prints the descriptor, in oras's order of keys", function()
      assert.equal(('{"mediaType":"%s","digest":"%s","size":%d}'):format(MANIFEST, digest, #raw),
        good("manifest", "fetch", ref .. ":v1", "--descriptor"))
      assert.matches('^{\n  "mediaType"', good("manifest", "fetch", ref .. ":v1", "--descriptor", "--pretty"))
    end)

    it("gives the manifest in a document (W12)", function()
      local document = commanding.document("manifest fetch", "manifest", "fetch", ref .. ":v1", "--format", "json")
      assert.equal(ref .. "@" .. digest, document.reference)
      assert.equal("application/vnd.c+json", document.content.config.mediaType)
      document = commanding.document("manifest fetch", "manifest", "fetch", ref .. ":v1", "--descriptor",
        "--format", "json")
      assert.is_nil(document.content)
    end)

    it("asks for the types that it is told", function()
      faults.reset()
      faults.seed { repo = "m/app", tag = "1", layers = {} }
      good("manifest", "fetch", faults.host "http" .. "/m/app:1", "--media-type", MANIFEST .. ",application/x")
      assert.equal(MANIFEST .. ", application/x", faults.header(faults.log { method = "GET" }[1], "Accept"))
    end)

    it("prints nothing when the bytes are not what the digest says", function()
      faults.reset()
      local a = faults.seed { repo = "m/app", tag = "1", layers = {} }
      faults.on { method = "GET", path = "/v2/m/app/manifests/*", corrupt = 5, always = true }
      bad(1, "integrity", "manifest", "fetch", faults.host "http" .. "/m/app@" .. a.digest)
      bad(1, "integrity", "manifest", "fetch", faults.host "http" .. "/m/app@" .. a.digest, "-o", "m.json")
      assert.is_nil(commanding.read "m.json")
    end)
  end)

  describe("fetch-config", function()
    it("prints the config as it is, its descriptor or a document", function()
      assert.equal('{"b":1,"a":[]}', good("manifest", "fetch-config", ref .. ":v1"))
      assert.equal('{\n  "b": 1,\n  "a": []\n}\n', good("manifest", "get-config", ref .. ":v1", "--pretty"))
      local line = oras.json.decode(good("manifest", "fetch-config", ref .. ":v1", "--descriptor"))
      assert.same({ "application/vnd.c+json", 14 }, { line.mediaType, line.size })
      good("manifest", "fetch-config", ref .. ":v1", "-o", "got.json")
      assert.equal('{"b":1,"a":[]}', commanding.read "got.json")
      local document = commanding.document("manifest fetch-config", "manifest", "fetch-config", ref .. ":v1",
        "--format", "json")
      assert.equal(1, document.content.b)
    end)

    it("takes no index for a manifest", function()
      helper.registry():upload_manifest(ref .. ":all", { schemaVersion = 2, manifests = {} })
      bad(1, "needs %-%-platform", "manifest", "fetch-config", ref .. ":all")
    end)
  end)

  describe("push", function()
    it("stores the bytes as they are, under all names", function()
      commanding.write("m.json", raw)
      assert.equal(digest .. "\n", good("manifest", "push", ref .. ":x,y", "m.json"))
      assert.equal(digest .. "\n", good("resolve", ref .. ":y"))
      assert.equal(("Pushed %s:z\nDigest: %s\n"):format(ref, digest),
        good("manifest", "push", ref .. ":z", "m.json", "--format", "text"))
      local document = commanding.document("manifest push", "manifest", "push", ref .. ":b,a", "m.json",
        "--format", "json")
      assert.same({ ref .. ":a", ref .. ":b" }, document.referenceAsTags)
    end)

    it("takes standard input, a type and no tag (W06)", function()
      local text = '{"schemaVersion":2,"manifests":[]}'
      local status, out, err = commanding.run_with(text, "manifest", "push", ref, "-", "--media-type",
        "application/vnd.oci.image.index.v1+json", "--descriptor")
      assert.same({ 0, "" }, { status, err })
      local descriptor = oras.json.decode(out)
      assert.equal(oras.digest.of(text), descriptor.digest)
      assert.equal(text, good("manifest", "fetch", ref .. "@" .. descriptor.digest))
    end)

    it("refuses what is no manifest before anything is sent", function()
      faults.reset()
      commanding.write("bad.json", "no json")
      local place = faults.host "http" .. "/m/app:1"
      bad(2, "media_type has to say", "manifest", "push", place, "bad.json")
      commanding.write("m.json", raw)
      bad(2, "reference says", "manifest", "push", faults.host "http" .. "/m/app@sha256:" .. ("0"):rep(64), "m.json")
      bad(1, "No such file", "manifest", "push", place, "none.json")
      assert.same({}, faults.log())
    end)
  end)

  describe("delete", function()
    before_each(function()
      faults.reset()
      local a = faults.seed { repo = "m/app", tag = "1", layers = {} }
      ref, digest = faults.host "http" .. "/m/app", a.digest
    end)

    it("asks first, and does nothing where nobody can answer", function()
      bad(1, "nobody is there to be asked", "manifest", "delete", ref .. ":1")
      assert.equal(digest, faults.content "m/app".tags["1"])
    end)

    it("deletes with --force, and tells the tags that are gone", function()
      local status, out, err = commanding.run_with("", "manifest", "delete", "-f", ref .. ":1", "--descriptor")
      assert.equal(0, status)
      assert.equal(digest, oras.json.decode(out).digest)
      assert.matches("tags are gone, too: 1", err)
      assert.same({}, faults.content "m/app".manifests)
      bad(1, "no manifest", "manifest", "delete", ref .. ":1")
    end)

    it("takes what is not there as done with --force", function()
      local status, out = commanding.run_with("", "manifest", "rm", "-f", ref .. ":none")
      assert.same({ 0, "" }, { status, out })
      status, out = commanding.run_with("", "delete", "-f", ref .. ":1", "--format", "json")
      assert.equal(0, status)
      local document = require("tests.spec.json_keys").check_text("manifest delete", out)
      assert.equal(digest, document[1].digest)
      bad(2, "needs '%-%-force'", "manifest", "delete", ref .. ":1", "--descriptor")
    end)
  end)
end)
