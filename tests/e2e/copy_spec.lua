--- Copies between real registries and layouts: what other clients read of ours, what we read of
--- theirs, the same manifests and blobs on every side.
local oras = require "oras"

local helper = require "tests.spec.helper"
local places = require "tests.e2e.places"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local quote = process.quote

local LAYER <const> = "application/vnd.oci.image.layer.v1.tar"
local CONFIG <const> = oras.oci.media_types.config
local INDEX <const> = oras.oci.media_types.index

local OPEN <const> = {
  { name = "docker-registry", service = "registry" },
  { name = "distribution v3", service = "registry_v3" },
  { name = "go-containerregistry", service = "registry_ggcr" },
}

-- How each client copies an image with all its platforms, and how it names a layout.
local PEERS <const> = {
  oras = "cp --from-plain-http --to-plain-http %s %s",
  crane = "copy --insecure %s %s",
  regctl = "image copy %s %s",
  skopeo = "copy --all --preserve-digests --src-tls-verify=false --dest-tls-verify=false docker://%s docker://%s",
}

local directory, registry
local count = 0

local function path_of(peer)
  if peer == "skopeo" then
    return process.shell "command -v skopeo" == 0 and "skopeo" or nil
  end
  return services.peer(peer)
end

-- Run a program in the directory of the test; it must succeed.
local function run(program, words)
  local status, out, err = process.shell(("cd %s && export HOME=%s DOCKER_CONFIG=%s && %s %s"):format(
    quote(directory), quote(directory), quote(directory), quote(program), words))
  assert.equal(0, status, ("%s %s\n%s%s"):format(program, words, out, err))
  return out
end

local function peer(name, format, ...)
  if name == "regctl" then
    run(path_of(name), ("registry set --tls disabled %s"):format(services.get "registry"))
    for _, place in ipairs(OPEN) do
      if services.get(place.service) then
        run(path_of(name), "registry set --tls disabled " .. services.get(place.service))
      end
    end
  end
  return run(path_of(name), format:format(...))
end

local function ours(format, ...)
  return run(process.oras_lua, format:format(...))
end

-- A repository of its own at a place; nil and why there is none.
local function new_ref(place, tag)
  local host = services.get(place.service)
  if not host then
    return nil, services.missing(place.service)
  end
  count = count + 1
  return ("%s/e2e/copy-%d:%s"):format(host, count, tag or "1")
end

local function put_image(ref, architecture, subject)
  local tar = architecture .. ("\0"):rep(1024 - #architecture)
  local layer = registry:upload_blob(ref, { data = tar }, { mediaType = LAYER })
  local shared = registry:upload_blob(ref, { data = ("shared"):rep(100000) }, { mediaType = LAYER })
  local config = registry:upload_blob(ref, { data = oras.json.encode {
    architecture = architecture, os = "linux", created = "2020-01-01T00:00:00Z",
    config = {}, history = oras.json.array {},
    rootfs = { type = "layers", diff_ids = oras.json.array { layer.digest, shared.digest } },
  } }, { mediaType = CONFIG })
  local doc, raw = registry:pack_manifest { config = config, layers = { layer, shared }, subject = subject }
  local container = registry:get_container(ref):with_digest(doc:descriptor().digest)
  return registry:upload_manifest(container, raw)
end

local function put_artifact(ref, text, subject)
  registry:upload_blob(ref, { data = "{}" }, oras.oci.empty_descriptor())
  local layer = registry:upload_blob(ref, { data = text }, { mediaType = "text/plain" })
  local doc, raw = registry:pack_manifest {
    artifact_type = "application/x." .. text, layers = { layer }, subject = subject,
    annotations = { ["org.example.text"] = text },
  }
  return registry:upload_manifest(registry:get_container(ref):with_digest(doc:descriptor().digest), raw)
end

-- An index of two images under the reference's tag.
local function put_index(ref)
  local entries = {}
  for i, architecture in ipairs { "amd64", "arm64" } do
    entries[i] = put_image(ref, architecture)
    entries[i].platform = { os = "linux", architecture = architecture }
  end
  local _, raw = registry:pack_manifest { manifests = entries, annotations = { ["org.example.kept"] = "yes" } }
  return registry:upload_manifest(ref, raw, { media_type = INDEX }), entries
end

-- Everything that hangs together below a reference, in one line each; each blob is read.
local function tree(ref, known)
  local lines = {}
  local from = known or registry
  local function walk(container)
    local doc = from:get_manifest(container)
    lines[#lines + 1] = tostring(doc)
    for _, d in ipairs(doc.manifests or {}) do
      walk(container:with_digest(d.digest))
    end
    for _, d in ipairs(doc.layers and table.move(doc.layers, 1, #doc.layers, 2, { doc.config }) or {}) do
      lines[#lines + 1] = ("blob %s %d"):format(d.digest, #from:get_blob(container, d).content)
    end
  end
  walk(from:get_container(ref))
  return table.concat(lines, "\n")
end

local function each_pair(title, test)
  for _, from in ipairs(OPEN) do
    for _, to in ipairs(OPEN) do
      it(("%s: %s to %s"):format(title, from.name, to.name), function()
        local src, no_source = new_ref(from)
        local dst, no_target = new_ref(to)
        if not src or not dst then
          return pending(no_source or no_target)
        end
        test(src, dst)
      end)
    end
  end
end

before_each(function()
  directory = helper.directory()
  registry = helper.registry()
end)

after_each(helper.clean)

describe("a copy", function()
  each_pair("brings an index with its images", function(src, dst)
    local index = put_index(src)
    local d, stats = registry:copy(src, dst)
    assert.equal(index.digest, d.digest)
    assert.equal(3, stats.manifests)
    assert.equal(5, stats.blobs.copied + stats.blobs.mounted + stats.blobs.skipped) -- one place has one store for all
    assert.equal(tree(src), tree(dst))
    stats = select(2, registry:copy(src, dst))
    assert.same({ copied = 0, mounted = 0, skipped = 0 }, stats.blobs)
  end)

  each_pair("brings referrers, and theirs", function(src, dst)
    local index, entries = put_index(src)
    local signature = put_artifact(src, "signature", index)
    local sbom = put_artifact(src, "sbom", entries[1])
    local counter = put_artifact(src, "counter", signature)
    registry:copy(src, dst, { recursive = true })
    assert.equal(tree(src), tree(dst))
    local lists = require("oras.registry.referrers").new(registry, registry:get_container(dst))
    for subject, referrer in pairs { [index.digest] = signature, [entries[1].digest] = sbom,
      [signature.digest] = counter } do
      local list = lists:of(subject)
      assert.equal(1, #list)
      assert.equal(referrer.digest, list[1].digest)
      if not dst:find(services.get "registry_ggcr" or "none", 1, true) then -- which tells the config's type
        assert.equal(referrer.artifactType, list[1].artifactType)
      end
    end
  end)

  for name, words in pairs(PEERS) do
    it(("%s copies what we copied, we copy what it did, all the same"):format(name), function()
      if not path_of(name) then
        return pending(name .. " is not there")
      end
      local src, missing = new_ref(OPEN[1])
      if not src then
        return pending(missing)
      end
      put_index(src)
      local by_us, by_them, again = new_ref(OPEN[1]), new_ref(OPEN[1]), new_ref(OPEN[1])
      ours("copy %s %s", src, by_us)
      peer(name, words, by_us, by_them)
      ours("copy %s %s", by_them, again)
      local expected = tree(src)
      assert.equal(expected, tree(by_us))
      assert.equal(expected, tree(by_them))
      assert.equal(expected, tree(again))
    end)
  end

  it("is complete for crane and oras", function()
    local src, missing = new_ref(OPEN[1])
    if not src or not path_of "crane" or not path_of "oras" then
      return pending(missing or "crane and oras are not there")
    end
    put_index(src)
    local dst = new_ref(OPEN[1])
    ours("copy --platform linux/arm64 %s %s", src, dst)
    assert.truthy(peer("crane", "manifest --insecure %s", dst):find("layers", 1, true))
    peer("crane", "validate --insecure --fast --remote %s", dst)
    assert.equal(registry:resolve(dst).digest, (peer("oras", "resolve --plain-http %s", dst):gsub("%s", "")))
  end)

  it("has the referrers that oras cp -r takes", function()
    for _, place in ipairs(OPEN) do
      local src = new_ref(place)
      if src and path_of "oras" then
        local index, entries = put_index(src)
        put_artifact(src, "sbom", entries[1])
        put_artifact(src, "counter", put_artifact(src, "signature", index))
        local by_us, by_them = new_ref(place), new_ref(place)
        ours("copy -r %s %s", src, by_us)
        peer("oras", "cp -r --from-plain-http --to-plain-http %s %s", src, by_them)
        local function seen(ref)
          local text = peer("oras", "discover --plain-http --format tree --depth 5 %s", ref)
          return (text:gsub("^[^\n]*\n", ""))
        end
        assert.equal(seen(by_them), seen(by_us))
        assert.truthy(seen(by_us):find("counter", 1, true))
      end
    end
  end)
end)

describe("a copy with credentials", function()
  for _, place in ipairs(places.list) do
    it("goes within and to " .. place.name, function()
      local host, missing = places.host(place)
      local src, no_source = new_ref(OPEN[1])
      if not host or not src then
        return pending(missing or no_source)
      end
      put_index(src)
      count = count + 1
      local known = places.known(place)
      local first, second = ("%s/e2e/copy-%d:1"):format(host, count), ("%s/e2e/copy-%d-more:2"):format(host, count)
      registry:copy(src, first, { to = known })
      local _, stats = known:copy(first, second)
      assert.same({ copied = 0, mounted = 5, skipped = 0 }, stats.blobs)
      local expected = tree(src)
      assert.equal(expected, tree(first, known))
      assert.equal(expected, tree(second, known))
      local back = new_ref(OPEN[1])
      registry:copy(second, back, { from = known })
      assert.equal(expected, tree(back))
    end)
  end

  it("is refused without them, and says by which side", function()
    local src, missing = new_ref(OPEN[1])
    local host = services.get "registry_basic"
    if not src or not host then
      return pending(missing or services.missing "registry_basic")
    end
    put_index(src)
    local err = helper.fails(registry, "copy", src, host .. "/e2e/copy-refused:1")
    assert.same({ "auth", "destination" }, { err.class, err.origin })
    err = helper.fails(registry, "copy", host .. "/e2e/copy-refused:1", src)
    assert.same({ "auth", "source" }, { err.class, err.origin })
  end)
end)

describe("a copy through a layout", function()
  local src, index, expected

  before_each(function()
    src = new_ref(OPEN[1])
    if src then
      index = put_index(src)
      expected = tree(src)
    end
  end)

  it("comes back as it went", function()
    if not src then
      return pending(services.missing "registry")
    end
    local dst = new_ref(OPEN[1])
    ours("copy %s oci:layout:v1", src)
    ours("copy oci:layout:v1 oci:other:v2")
    ours("copy oci:other:v2 %s", dst)
    assert.equal(expected, tree(dst))
    assert.equal(expected, tree("oci:" .. directory .. "/other:v2"))
  end)

  it("comes back from a tar of one", function()
    if not src then
      return pending(services.missing "registry")
    end
    local dst = new_ref(OPEN[1])
    ours("copy %s oci:layout.tar:v1", src)
    ours("copy oci:layout.tar:v1 oci:other.tar:v2")
    ours("copy oci:other.tar:v2 %s", dst)
    assert.equal(expected, tree(dst))
    if path_of "skopeo" then
      local raw = peer("skopeo", "inspect --raw oci-archive:layout.tar:v1")
      assert.equal(index.digest, oras.digest.of(raw))
    end
    if path_of "oras" then
      dst = new_ref(OPEN[1])
      peer("oras", "cp --from-oci-layout --to-plain-http layout.tar:v1 %s", dst)
      assert.equal(expected, tree(dst))
    end
  end)

  -- From our layout to a registry by the client, and from a registry into a layout that we read.
  for name, words in pairs {
    oras = { "cp --from-oci-layout --to-plain-http layout:v1 %s", "cp --from-plain-http --to-oci-layout %s theirs:v1" },
    regctl = { "image copy ocidir://layout:v1 %s", "image copy %s ocidir://theirs:v1" },
    skopeo = {
      "copy --all --preserve-digests --dest-tls-verify=false oci:layout:v1 docker://%s",
      "copy --all --preserve-digests --src-tls-verify=false docker://%s oci:theirs:v1",
    },
  } do
    it(("%s reads ours, we read its"):format(name), function()
      if not src or not path_of(name) then
        return pending(name .. " is not there")
      end
      local dst = new_ref(OPEN[1])
      ours("copy %s oci:layout:v1", src)
      peer(name, words[1], dst)
      assert.equal(expected, tree(dst))
      peer(name, words[2], src)
      dst = new_ref(OPEN[1])
      ours("copy oci:theirs:v1 %s", dst)
      assert.equal(expected, tree(dst))
      ours("copy oci:layout:v1 oci:theirs:v2") -- into a layout of theirs
      assert.equal(expected, tree("oci:" .. directory .. "/theirs:v2"))
    end)
  end

  it("takes referrers into one and out of one, as oras does", function()
    if not src or not path_of "oras" then
      return pending "oras is not there"
    end
    put_artifact(src, "counter", put_artifact(src, "signature", index))
    ours("copy -r %s oci:layout:v1", src)
    local text = peer("oras", "discover --oci-layout --format tree --depth 5 layout:v1")
    assert.truthy(text:find("application/x.counter", 1, true))
    local dst = new_ref(OPEN[1])
    peer("oras", "cp -r --from-oci-layout --to-plain-http layout:v1 %s", dst)
    local again = new_ref(OPEN[1])
    peer("oras", "cp -r --from-plain-http --to-oci-layout %s theirs:v1", src)
    ours("copy -r oci:theirs:v1 %s", again)
    for _, ref in ipairs { dst, again } do
      text = peer("oras", "discover --plain-http --format tree --depth 5 %s", ref)
      assert.truthy(text:find("application/x.counter", 1, true))
    end
  end)
end)
