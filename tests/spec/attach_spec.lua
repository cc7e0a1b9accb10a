--- Registry:attach, and the command.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local json_keys = require "tests.spec.json_keys"
local process = require "tests.spec.process"
local referring = require "tests.spec.referring"

local quote = process.quote

local registry, ref, subject, dir

before_each(function()
  faults.reset()
  registry = helper.registry()
  ref = faults.host "http" .. "/a/app"
  subject = referring.seed("a/app", { tag = "v1" })
  dir = helper.directory()
  helper.write(dir .. "/hi.txt", "hi\n")
end)
after_each(helper.clean)

local function tags()
  local names = {}
  for name in pairs(faults.content("a/app").tags) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

describe("attach", function()
  it("stores an artifact that refers to another, by its digest alone", function()
    local d, manifest = registry:attach(ref .. ":v1", { { path = dir .. "/hi.txt", title = "hi.txt" } }, {
      artifact_type = "a/b", annotations = { k = "v" },
    })
    assert.equal("a/b", manifest.artifactType)
    assert.same({ mediaType = referring.MANIFEST, digest = subject.digest, size = subject.size }, manifest.subject)
    assert.same({ k = "v" }, manifest.annotations)
    assert.equal("hi.txt", manifest.layers[1].annotations["org.opencontainers.image.title"])
    assert.same({ "v1" }, tags())
    assert.same({ d.digest }, referring.digests(registry:referrers(ref .. ":v1")))
  end)

  it("takes a digest, an annotation alone, more names", function()
    local d = registry:attach(ref .. "@" .. subject.digest, {}, {
      artifact_type = "a/b", annotations = { k = "v" }, tags = { "sig" },
    })
    assert.same({ "sig", "v1" }, tags())
    local nested = registry:attach(ref .. ":sig", {}, { artifact_type = "a/c", annotations = { k = "v" } })
    assert.equal(nested.digest, registry:discover(ref .. ":v1").referrers[1].referrers[1].digest)
    assert.equal(d.digest, registry:resolve(ref .. ":sig").digest)
  end)

  it("refers to the manifest of a platform", function()
    registry:upload_manifest(ref .. ":all", { manifests = {
      referring.entry(subject, { platform = { os = "linux", architecture = "arm64" } }),
    } })
    local _, manifest = registry:attach(ref .. ":all", {}, {
      artifact_type = "a/b", annotations = { k = "v" }, platform = "linux/arm64",
    })
    assert.equal(subject.digest, manifest.subject.digest)
    _, manifest = registry:attach(ref .. ":all", {}, { artifact_type = "a/b", annotations = { k = "v" } })
    assert.equal(oras.oci.media_types.index, manifest.subject.mediaType)
  end)

  it("stores nothing when something is missing", function()
    local function fails(class, text, ...)
      local err = helper.fails(registry, "attach", ...)
      assert.equal(class, err.class, tostring(err))
      assert.matches(text, err.message, 1, true)
    end
    local list = { { data = "x" } }
    fails("usage", "the option artifact_type says", ref .. ":v1", list)
    fails("usage", 'attach: unknown option "artifact_typ" (artifact_type?)', ref .. ":v1", list,
      { artifact_typ = "a/b" })
    fails("usage", "attach: options are a table, not a string", ref .. ":v1", list, "a/b")
    fails("usage", 'attach: option "artifact_type" is a string, not an integer', ref .. ":v1", list,
      { artifact_type = 5 })
    fails("usage", "artifact_type", ref .. ":v1", list, {})
    fails("usage", "a list of files", ref .. ":v1", "hi.txt", { artifact_type = "a/b" })
    fails("usage", "neither a file nor an annotation", ref .. ":v1", {}, { artifact_type = "a/b" })
    fails("usage", "the first argument", ref .. ":v1", list, { artifact_type = "a/b", subject = ref .. ":v1" })
    fails("usage", "has no name", ref .. ":v1", list, { artifact_type = "a/b", untagged = true })
    fails("usage", "artifact_type", ref .. ":v1", list, { artifact_type = "no type" })
    fails("not_found", "nothing", ref .. ":nothing", list, { artifact_type = "a/b" })
    fails("usage", 'unknown option "artifact_typ"', ref .. ":v1", list, { artifact_type = "a/b", artifact_typ = "x" })
    assert.equal(0, faults.count({ method = "PUT" }).total)
    assert.equal(0, faults.count({ method = "POST" }).total)
  end)

  it("sends the manifest again where a registry denies its digest for a moment", function()
    faults.on { method = "PUT", path = "*/manifests/*", status = 400, times = 2,
      body = '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"},{"code":"DIGEST_INVALID"}]}' }
    local retries = 0
    registry:on("retry", function(failure)
      retries = retries + 1
      assert.equal("PUT", failure.method)
    end)
    local d = registry:attach(ref .. ":v1", {}, { artifact_type = "a/b", annotations = { k = "v" } })
    assert.equal(2, retries)
    assert.same({ d.digest }, referring.digests(registry:referrers(ref .. ":v1")))
    faults.on { method = "PUT", path = "*/manifests/*", status = 400, always = true,
      body = '{"errors":[{"code":"DIGEST_INVALID"}]}' }
    local err = helper.fails(registry, "attach", ref .. ":v1", {}, { artifact_type = "a/c", annotations = { k = "v" } })
    assert.equal("DIGEST_INVALID", err.code)
  end)
end)

describe("oras-lua attach", function()
  local function run(...)
    local words = { ("cd %s && DOCKER_CONFIG=/nonexistent %s attach"):format(quote(dir), quote(process.oras_lua)) }
    for _, word in ipairs { ... } do
      words[#words + 1] = quote(word)
    end
    return process.shell(table.concat(words, " "))
  end

  local function succeeds(...)
    local status, out, err = run(...)
    assert.same({ 0, "" }, { status, err })
    return out
  end

  it("prints the digest, words or a document", function()
    local args = { "--artifact-type", "a/b", ref .. ":v1", "hi.txt:text/plain", "-a", "k=v" }
    local digest = succeeds(table.unpack(args)):match "^(%S+)\n$"
    assert.same({ digest }, referring.digests(registry:referrers(ref .. ":v1", { artifact_type = "a/b" })))
    args[#args + 1] = "--format"
    args[#args + 1] = "text"
    assert.equal(("Attached to %s@%s\nDigest: %s\n"):format(ref, subject.digest, digest), succeeds(table.unpack(args)))
    args[#args] = "json"
    local document = json_keys.check_text("attach", succeeds(table.unpack(args)))
    assert.equal(ref .. "@" .. digest, document.reference)
    assert.equal("a/b", document.artifactType)
    assert.same({ k = "v" }, document.annotations)
  end)

  it("takes a config, an annotation file, standard input, and exports the manifest", function()
    helper.write(dir .. "/c.json", "{}")
    helper.write(dir .. "/notes.json", '{"$manifest":{"m":"n"},"hi.txt":{"x":"y"}}')
    succeeds("--artifact-type", "a/b", ref .. ":v1", "hi.txt", "--config", "c.json:c/d", "--annotation-file",
      "notes.json", "--export-manifest", "out.json")
    local manifest = oras.json.decode(helper.read(dir .. "/out.json"))
    assert.equal("c/d", manifest.config.mediaType)
    assert.same({ m = "n" }, manifest.annotations)
    assert.equal("y", manifest.layers[1].annotations.x)
    assert.equal(subject.digest, manifest.subject.digest)
    local out = succeeds("--artifact-type", "a/b", ref .. ":v1", "hi.txt", "--export-manifest", "-")
    assert.equal("a/b", oras.json.decode(out).artifactType)
  end)

  it("says what is missing", function()
    local function fails(expected, text, ...)
      local status, out, err = run(...)
      assert.same({ expected, "" }, { status, out }, err)
      assert.matches(text, err, 1, true)
    end
    fails(2, "'--artifact-type'", ref .. ":v1", "hi.txt")
    fails(2, "neither a file nor '--annotation'", "--artifact-type", "a/b", ref .. ":v1")
    fails(2, "usage: oras-lua attach", "--artifact-type", "a/b")
    fails(1, "nothing", "--artifact-type", "a/b", ref .. ":nothing", "hi.txt")
    fails(1, "outside", "--artifact-type", "a/b", ref .. ":v1", "/etc/hostname")
    fails(1, "missing.txt", "--artifact-type", "a/b", ref .. ":v1", "missing.txt")
    assert.equal(0, faults.count({ method = "PUT" }).total)
  end)

  it("attaches in a layout", function()
    local place = "oci:" .. dir .. "/layout"
    registry:push(place .. ":v1", { { data = "x" } })
    local digest = succeeds("--oci-layout", "--artifact-type", "a/b", "layout:v1", "hi.txt"):match "^(%S+)\n$"
    assert.same({ digest }, referring.digests(registry:referrers(place .. ":v1")))
    digest = succeeds("--oci-layout-path", "layout", "--artifact-type", "a/c", "v1", "hi.txt"):match "^(%S+)\n$"
    assert.same({ digest }, referring.digests(registry:referrers(place .. ":v1", { artifact_type = "a/c" })))
  end)
end)
