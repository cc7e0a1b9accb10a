--- oras-lua push: what its flags say of files, standard input, times and the manifest's form.
local oras = require "oras"

local commanding = require "tests.spec.commanding"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local good, bad, write = commanding.good, commanding.bad, commanding.write

local TITLE <const> = "org.opencontainers.image.title"
local CREATED <const> = "org.opencontainers.image.created"

describe("oras-lua push", function()
  local dir, ref

  before_each(function()
    dir, ref = commanding.place "push"
    write("a.txt", "a\n")
    write("b.txt", "b\n")
    write("tree/f", "f")
  end)
  after_each(helper.clean)

  local function manifest(tag)
    return oras.json.decode(good("manifest", "fetch", ref .. ":" .. tag))
  end

  describe("annotations of files (W13)", function()
    it("by the file as it was typed, by globs, beside those of the manifest", function()
      good("push", ref .. ":v1", "a.txt:text/plain", "./b.txt", "tree", "-a", "a.txt:lang=en", "-a", "*.txt:kind=x=y:z",
        "-a", "./b.txt:lang=de", "-a", "tree:deep=1", "-a", "k=v")
      local doc = manifest "v1"
      assert.same({ k = "v" }, doc.annotations)
      assert.same({ lang = "en", kind = "x=y:z", [TITLE] = "a.txt" }, doc.layers[1].annotations)
      assert.same({ lang = "de", kind = "x=y:z", [TITLE] = "b.txt" }, doc.layers[2].annotations)
      assert.equal("1", doc.layers[3].annotations.deep)
    end)

    it("but not those whose key has a colon, as oras has them, which is told", function()
      local status, out, err = commanding.run_with(nil, "push", ref .. ":v1", "a.txt", "-a", "no.txt:lang=en")
      assert.same({ 0, 1 }, { status, select(2, err:gsub("\n", "")) }, err)
      assert.matches('no file "no.txt" is among the words', err, 1, true)
      assert.matches("^sha256:%x+\n$", out)
      assert.same({ ["no.txt:lang"] = "en" }, manifest "v1".annotations)
      good("push", ref .. ":v2", "-a", "com.example:key=v")
      assert.same({ ["com.example:key"] = "v" }, manifest "v2".annotations)
    end)

    it("and a file that is not pushed is a mistake", function()
      bad(2, 'no file "c.txt" is among the words', "push", ref .. ":v1", "a.txt", "--title", "c.txt=x")
      bad(2, 'gives "lang" of "a.txt" twice', "push", ref .. ":v1", "a.txt", "-a", "a.txt:lang=en", "-a",
        "a.txt:lang=de")
      bad(2, "takes KEY=VALUE", "push", ref .. ":v1", "a.txt", "-a", "a.txt:lang")
    end)
  end)

  describe("standard input (W06)", function()
    it("is stored without a title, or with the one that it is given", function()
      assert.equal(0, (commanding.run_with("piped", "push", ref .. ":1", "-:text/x")))
      assert.is_nil(manifest("1").layers[1].annotations)
      assert.equal(0, (commanding.run_with("piped", "push", ref .. ":2", "a.txt", "-:text/x", "--title",
        "-=deep/piped.txt", "-a", "-:k=v")))
      assert.same({ k = "v", [TITLE] = "deep/piped.txt" }, manifest("2").layers[2].annotations)
      assert.equal("piped", good("pull", ref .. ":2", "-o", "-", "--only", "text/x"))
    end)

    it("may be of any size", function()
      local big = ("0123456789abcdef"):rep(300000)
      assert.equal(0, (commanding.run_with(big, "push", ref .. ":big", "-", "--title", "-=big")))
      assert.equal(oras.digest.of(big), manifest("big").layers[1].digest)
      assert.equal(#big, manifest("big").layers[1].size)
    end)

    it("is there once", function()
      bad(2, "standard input can be pushed once", "push", ref .. ":1", "-", "-:text/x")
    end)
  end)

  it("stores files under other titles (W07)", function()
    good("push", ref .. ":1", "a.txt:text/x", "tree", "--title", "a.txt=docs/first.txt", "--title", "tree=dir")
    local doc = manifest "1"
    assert.equal("docs/first.txt", doc.layers[1].annotations[TITLE])
    good("pull", ref .. ":1", "-o", "out")
    assert.equal("f", commanding.read "out/dir/f")
    bad(1, "path", "push", ref .. ":1", "a.txt", "--title", "a.txt=../x")
    bad(2, "FILE=TITLE", "push", ref .. ":1", "a.txt", "--title", "a.txt")
    bad(2, 'no file "c.txt"', "push", ref .. ":1", "a.txt", "--title", "c.txt=x")
  end)

  it("packs directories as it is told (W10)", function()
    for compression, media_type in pairs {
      zstd = "application/vnd.oci.image.layer.v1.tar+zstd", gzip = "application/vnd.oci.image.layer.v1.tar+gzip",
      none = "application/vnd.oci.image.layer.v1.tar",
    } do
      good("push", ref .. ":" .. compression, "tree", "--compression", compression)
      assert.equal(media_type, manifest(compression).layers[1].mediaType)
      good("pull", ref .. ":" .. compression, "-o", compression)
      assert.equal("f", commanding.read(compression .. "/tree/f"))
    end
    bad(2, "compression is", "push", ref .. ":x", "tree", "--compression", "xz")
  end)

  describe("times (W03)", function()
    it("are none, so that the same push has the same digest", function()
      local first = good("push", ref .. ":1", "a.txt", "tree")
      process.sh("touch -d 2001-01-01 %s %s", dir .. "/a.txt", dir .. "/tree/f")
      assert.equal(first, good("push", ref .. ":2", "a.txt", "tree"))
      assert.is_nil(manifest("1").annotations)
    end)

    it("are those of SOURCE_DATE_EPOCH, or what the flag says", function()
      local command = ("cd '%s' && SOURCE_DATE_EPOCH=86400 '%s' push '%s:e' a.txt tree"):format(dir, process.oras_lua,
        ref)
      assert.equal(0, process.shell(command))
      assert.equal("1970-01-02T00:00:00Z", manifest("e").annotations[CREATED])
      good("push", ref .. ":t", "a.txt", "--created", "2024-02-29T12:00:00Z")
      assert.equal("2024-02-29T12:00:00Z", manifest("t").annotations[CREATED])
      good("push", ref .. ":n", "a.txt", "--created", "now")
      assert.matches("^20%d%d%-%d%d%-%d%dT", manifest("n").annotations[CREATED])
      bad(2, "created is a time", "push", ref .. ":x", "a.txt", "--created", "yesterday")
    end)
  end)

  it("makes digests by the algorithm that it is told (W21)", function()
    local digest = good("push", "oci:layout:v1", "a.txt", "tree", "--digest-algorithm", "sha512")
    assert.matches("^sha512:%x+\n$", digest)
    assert.equal(digest, good("resolve", "oci:layout:v1"))
    local doc = oras.json.decode(good("manifest", "fetch", "oci:layout:v1"))
    assert.matches("^sha512:", doc.layers[1].digest)
    good("pull", "oci:layout:v1", "-o", "out")
    assert.equal("", good("verify", "out", "oci:layout:v1"))
    bad(2, "algorithm is", "push", "oci:layout:v1", "a.txt", "--digest-algorithm", "md5")
  end)

  describe("image-spec", function()
    it("v1.0 has the artifact's type in the config's", function()
      good("push", ref .. ":1", "a.txt", "--image-spec", "v1.0", "--artifact-type", "application/vnd.x")
      local doc = manifest "1"
      assert.is_nil(doc.artifactType)
      assert.equal("application/vnd.x", doc.config.mediaType)
      assert.equal("{}", good("manifest", "fetch-config", ref .. ":1"))
      local raw = good("push", ref .. ":2", "--image-spec", "v1.0", "-a", "k=v", "--export-manifest", "-")
      assert.matches('"layers":%[%]', raw)
      assert.matches('"config":{"mediaType":"application/vnd.unknown.config.v1%+json"', raw)
    end)

    it("v1.1 is as usual; others there are none", function()
      assert.equal(good("push", ref .. ":1", "a.txt"), good("push", ref .. ":2", "a.txt", "--image-spec", "v1.1"))
      bad(2, 'image_spec is "v1.0" or "v1.1"', "push", ref .. ":x", "a.txt", "--image-spec", "v2")
      write("c", "{}")
      bad(2, "exclude each other in image%-spec v1%.0", "push", ref .. ":x", "a.txt", "--image-spec", "v1.0",
        "--artifact-type", "a/b", "--config", "c")
      bad(2, "an empty config says no type", "push", ref .. ":x", "a.txt", "--config",
        "c:application/vnd.oci.empty.v1+json")
    end)
  end)

  it("prints results of tag, untag and push as documents (W12)", function()
    local document = commanding.document("push", "push", ref .. ":v1,v2", "a.txt", "--format", "json")
    assert.same({ ref .. ":v1", ref .. ":v2" }, document.referenceAsTags)
    assert.same({ "v3", "v4" }, commanding.document("tag", "tag", ref .. ":v1", "v3", "v4", "--format", "json"))
    assert.same({ "v3" }, commanding.document("untag", "untag", ref, "v3", "--format", "json"))
    assert.equal("v1 v2 v4", table.concat((function()
      local tags = helper.registry():get_tags(ref)
      table.sort(tags)
      return tags
    end)(), " "))
  end)

  it("takes a tag away, and its manifest stays (W04)", function()
    local digest = good("push", ref .. ":v1,v2", "a.txt")
    assert.equal("v1\n", good("untag", ref, "v1"))
    assert.equal(digest, good("resolve", ref .. ":v2"))
    bad(1, 'no manifest "v1"', "resolve", ref .. ":v1")
  end)
end)
