--- Layouts that other clients read after we wrote them, and that we read and write after them:
--- directories and tars, the same bytes on every side.
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local IMAGE <const> = "application/vnd.oci.image.manifest.v1+json"
local INDEX <const> = "application/vnd.oci.image.index.v1+json"

local directory, registry

before_each(function()
  directory = helper.directory()
  registry = helper.registry()
end)
after_each(helper.clean)

local function path_of(peer)
  if peer == "skopeo" then
    return (process.shell "command -v skopeo") == 0 and "skopeo" or nil
  end
  local peers = services.get "peers"
  local path = peers and ("%s/%s"):format(peers, peer)
  return path and (process.shell(("test -x '%s'"):format(path))) == 0 and path or nil
end

-- Run a client in the directory; what it prints.
local function run(peer, command, ...)
  local words = command:format(...)
  local status, out, err = process.shell(("cd '%s' && export HOME='%s' && '%s' %s"):format(
    directory, directory, path_of(peer), words))
  assert.equal(0, status, ("%s %s: %s%s"):format(peer, words, out, err))
  return out
end

--- A test with another client, pending where it is absent.
local function peer_it(peer, title, test)
  it(("%s: %s"):format(peer, title), function()
    if not path_of(peer) then
      return pending(("%s is not there"):format(peer))
    end
    test()
  end)
end

local function ref(name)
  return ("oci:%s/%s"):format(directory, name)
end

-- A small image, as tools for images want it; gives its descriptor.
local function put_image(place, tags, mark)
  local tar = ("\0"):rep(1024)
  local layer = registry:upload_blob(place, { data = tar }, { mediaType = "application/vnd.oci.image.layer.v1.tar" })
  local config = registry:upload_blob(place, { data = oras.json.encode {
    architecture = "amd64", os = "linux", created = "2020-01-01T00:00:00Z", author = mark,
    rootfs = { type = "layers", diff_ids = oras.json.array { oras.digest.of(tar) } },
  } }, { mediaType = "application/vnd.oci.image.config.v1+json" })
  return registry:upload_manifest(place, {
    schemaVersion = 2, mediaType = IMAGE, config = config, layers = oras.json.array { layer },
  }, { tags = tags })
end

local function put_index(place, manifests)
  for _, one in ipairs(manifests) do
    one.platform = { os = "linux", architecture = "amd64" }
  end
  return registry:upload_manifest(place, {
    schemaVersion = 2, mediaType = INDEX, manifests = oras.json.array(manifests),
  })
end

local function raw(reference)
  return helper.registry():get_manifest(reference):raw()
end

describe("a layout that we wrote", function()
  peer_it("oras", "pulls what we pushed", function()
    helper.write(directory .. "/file.txt", "content")
    local script = helper.write(directory .. "/push.lua", [[
      print(require("oras").Registry:new():push("oci:ours:v1", { "file.txt:text/plain" }).digest)
    ]])
    local status, out, err = process.shell(("cd '%s' && '%s' '%s'"):format(directory, process.oras_lua, script))
    assert.equal(0, status, err)
    local digest = out:match "%S+"
    assert.equal(raw(ref "ours:v1"), run("oras", "manifest fetch --oci-layout ours:v1"))
    assert.equal(digest .. "\n", run("oras", "resolve --oci-layout ours:v1"))
    run("oras", "pull --oci-layout -o out ours:v1")
    assert.equal("content", helper.read(directory .. "/out/file.txt"))
    run("oras", "cp --from-oci-layout ours:v1 --to-oci-layout theirs:v1")
    assert.equal(raw(ref "ours:v1"), raw(ref "theirs:v1"))
    assert.equal("v1\n", run("oras", "repo tags --oci-layout ours"))
  end)

  peer_it("oras", "discovers a referrer, and pulls the child of an index by its digest", function()
    local image = put_image(ref "ours:a")
    local referrer = registry:upload_manifest(ref "ours:r", {
      schemaVersion = 2, mediaType = IMAGE, artifactType = "test/referrer", config = oras.oci.empty_descriptor(),
      layers = oras.json.array { oras.oci.empty_descriptor() }, subject = image,
    })
    registry:upload_blob(ref "ours", { data = "{}" })
    registry:untag(ref "ours:r")
    local found = run("oras", "discover --oci-layout --format json ours:a")
    assert.matches(referrer.digest, found, 1, true)
    assert.matches("test/referrer", found, 1, true)
    put_index(ref "ours:i", { image })
    registry:untag(ref "ours:a")
    assert.equal(raw(ref("ours@" .. image.digest)), run("oras", "manifest fetch --oci-layout ours@%s", image.digest))
    run("oras", "cp -r --from-oci-layout ours:i --to-oci-layout theirs:i")
    assert.equal(raw(ref "ours:i"), raw(ref "theirs:i"))
    assert.is_true(helper.registry():blob_exists(ref "theirs", image))
  end)

  peer_it("oras", "reads a tar", function()
    put_image(ref "ours.tar:a", { "b" })
    assert.equal(raw(ref "ours.tar:b"), run("oras", "manifest fetch --oci-layout ours.tar:b"))
    run("oras", "cp --from-oci-layout ours.tar:a --to-oci-layout theirs:a")
    assert.equal(raw(ref "ours.tar:a"), raw(ref "theirs:a"))
  end)

  peer_it("skopeo", "inspects and copies an image and an index", function()
    local image = put_image(ref "ours:a")
    put_index(ref "ours:i", { image })
    assert.equal(raw(ref "ours:a"), run("skopeo", "inspect --raw oci:ours:a"))
    assert.equal(raw(ref "ours:i"), run("skopeo", "inspect --raw oci:ours:i"))
    run("skopeo", "--insecure-policy copy --preserve-digests oci:ours:a oci:theirs:x")
    run("skopeo", "--insecure-policy copy --preserve-digests --all oci:ours:i oci:theirs:i")
    assert.equal(raw(ref "ours:a"), raw(ref "theirs:x"))
    assert.equal(raw(ref "ours:i"), raw(ref "theirs:i"))
    run("skopeo", "--insecure-policy copy --preserve-digests oci:ours:a oci:ours:b") -- into ours
    assert.equal(raw(ref "ours:a"), raw(ref "ours:b"))
  end)

  peer_it("skopeo", "reads a tar as its oci-archive", function()
    put_image(ref "ours.tar:a")
    assert.equal(raw(ref "ours.tar:a"), run("skopeo", "inspect --raw oci-archive:ours.tar:a"))
    run("skopeo", "--insecure-policy copy --preserve-digests oci-archive:ours.tar:a oci:theirs:a")
    assert.equal(raw(ref "ours.tar:a"), raw(ref "theirs:a"))
  end)

  peer_it("regctl", "reads and copies an image and an index", function()
    local image = put_image(ref "ours:a")
    put_index(ref "ours:i", { image })
    assert.equal(raw(ref "ours:a"), run("regctl", "manifest get --format raw-body ocidir://ours:a"))
    assert.equal("a\ni\n", run("regctl", "tag ls ocidir://ours"))
    run("regctl", "image copy ocidir://ours:i ocidir://theirs:i")
    assert.equal(raw(ref "ours:i"), raw(ref "theirs:i"))
    assert.is_true(helper.registry():blob_exists(ref "theirs", image))
  end)
end)

describe("a layout that another client wrote", function()
  -- We add to it; everybody finds everything afterwards.
  local function add_to(theirs, read, name)
    local before = raw(ref(theirs .. ":" .. name))
    put_image(ref(theirs .. ":ours"), nil, "ours")
    assert.equal(before, raw(ref(theirs .. ":" .. name)))
    assert.equal(before, read(name))
    assert.equal(raw(ref(theirs .. ":ours")), read "ours")
    registry:tag(ref(theirs .. ":" .. name), "again")
    assert.equal(before, read "again")
    registry:untag(ref(theirs .. ":ours"))
    local layout <close> = oras.layout.open(directory .. "/" .. theirs)
    layout:collect { grace = 0, untagged = true }
    assert.equal(before, read(name))
    assert.same({ "again", name }, helper.registry():get_tags(ref(theirs)))
  end

  peer_it("oras", "is read, and written by both", function()
    helper.write(directory .. "/file.txt", "content")
    run("oras", "push --oci-layout theirs:v1 --artifact-type test/file file.txt:text/plain")
    run("oras", "attach --oci-layout theirs:v1 --artifact-type test/sig file.txt")
    local layer = helper.registry():get_manifest(ref "theirs:v1").layers[1]
    assert.equal("content", registry:get_blob(ref "theirs:v1", layer).content)
    local stats = select(2, registry:copy(ref "theirs:v1", ref "ours:v1", { recursive = true }))
    assert.equal(2, stats.manifests)
    assert.matches("test/sig", run("oras", "discover --oci-layout ours:v1"), 1, true)
    add_to("theirs", function(name)
      return run("oras", "manifest fetch --oci-layout theirs:%s", name)
    end, "v1")
    run("oras", "push --oci-layout theirs:v2 file.txt")
    assert.same({ "again", "v1", "v2" }, helper.registry():get_tags(ref "theirs"))
  end)

  peer_it("skopeo", "is read, and written by both", function()
    put_image(ref "ours:a")
    run("skopeo", "--insecure-policy copy --preserve-digests oci:ours:a oci:theirs:v1")
    add_to("theirs", function(name)
      return run("skopeo", "inspect --raw oci:theirs:%s", name)
    end, "v1")
  end)

  peer_it("skopeo", "is read from its oci-archive, and written by us", function()
    put_image(ref "ours:a")
    run("skopeo", "--insecure-policy copy --preserve-digests oci:ours:a oci-archive:theirs.tar:v1")
    add_to("theirs.tar", function(name)
      return run("skopeo", "inspect --raw oci-archive:theirs.tar:%s", name)
    end, "v1")
  end)

  peer_it("regctl", "is read, and written by both", function()
    put_image(ref "ours:a")
    run("regctl", "image copy ocidir://ours:a ocidir://theirs:v1")
    add_to("theirs", function(name)
      return run("regctl", "manifest get --format raw-body ocidir://theirs:%s", name)
    end, "v1")
  end)

  peer_it("regctl", "is read from its export", function()
    put_image(ref "ours:a")
    run("regctl", "image export --name ours:a ocidir://ours:a theirs.tar")
    local layout <close> = oras.layout.open(directory .. "/theirs.tar")
    assert.equal(1, #layout:index().manifests)
    assert.equal(raw(ref "ours:a"), raw(ref("theirs.tar@" .. layout:index().manifests[1].digest)))
  end)
end)
