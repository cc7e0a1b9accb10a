--- What other clients pushed, read by us: the bytes are what a plain curl gets, the members what
--- tar and Python list, the digests what those clients say.
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local reading = require "tests.e2e.reading"
local services = require "tests.support.services"

local TITLE <const> = "org.opencontainers.image.title"
local GZIP_LAYER <const> = "application/vnd.oci.image.layer.v1.tar+gzip"
local DOCKER_LAYER <const> = "application/vnd.docker.image.rootfs.diff.tar.gzip"

--- An artifact of the list; or nil and why it is not there. One that could not be pushed fails.
local function find(name)
  local list, skipped = services.artifacts()
  for _, one in ipairs(list or {}) do
    if one.name == name then
      return one
    end
  end
  local reason = type(skipped) == "string" and skipped or name .. " was not pushed"
  for _, one in ipairs(type(skipped) == "table" and skipped or {}) do
    if one.name == name or name:find(one.name .. "-", 1, true) == 1 then
      reason = one.reason
    end
  end
  assert(not reason:find "^failed:", ("%s: %s"):format(name, reason))
  return nil, reason
end

local function access_of(one)
  if one.registry == services.get "registry_cdn" then
    local faults = require "tests.support.faults"
    return {
      scheme = "https", ca = services.get "ca",
      token = faults.token { user = "alice", scope = ("repository:%s:pull"):format(one.repository) },
    }
  end
  return { scheme = "http" }
end

local function registry_for(one)
  if one.registry ~= services.get "registry_cdn" then
    return helper.registry()
  end
  local registry = helper.registry { tls_verify = services.get "ca" }
  registry:set_basic_auth(services.get "user", services.get "password")
  return registry
end

--- A test of one artifact, pending where its maker is absent.
local function artifact(name, title, test)
  it(("%s: %s"):format(name, title), function()
    local one, reason = find(name)
    if not one then
      return pending(("%s: %s"):format(name, reason))
    end
    test(one, registry_for(one), access_of(one))
  end)
end

--- Everything of an image or artifact, and what the list of the pushed says of it.
local function check_image(one, registry, access)
  local seen = reading.check_all(registry, access, one.reference)
  local descriptor = seen.manifest:descriptor()
  assert.same({ one.digest, one.size, one.media_type },
    { descriptor.digest, descriptor.size, descriptor.mediaType })
  return seen
end

describe("what other clients pushed", function()
  after_each(helper.clean)

  it("was pushed by every client that is there", function()
    local list, skipped = services.artifacts()
    if not list then
      return pending(skipped)
    end
    for _, one in ipairs(skipped) do
      assert.is_nil(one.reason:find "^failed:", ("%s: %s"):format(one.name, one.reason))
    end
    assert.is_true(#list > 0)
  end)

  artifact("oras-files", "files, a directory, annotations", function(one, registry, access)
    local seen = check_image(one, registry, access)
    local manifest = seen.manifest
    local layers = registry:organize_layers(manifest)

    assert.same({ "hello.txt", "data.json", "tree" }, seen.titles)
    assert.equal("application/vnd.test", manifest.artifactType)
    assert.equal("test", manifest.annotations["org.example.kind"])
    assert.equal("", manifest.annotations.empty)
    assert.equal("ünïcödé", layers["text/plain"].annotations["org.example.file"])
    assert.same({ answer = 42 }, registry:get_blob(one.reference, layers["application/json"]):json())
    assert.equal("tree tree/a.txt tree/deep tree/deep/b.txt", reading.paths(seen.archives.tree))
    assert.equal("b\n", seen.archives.tree[4].bytes)
    assert.is_nil(seen.archives["hello.txt"])
    local config, descriptor = registry:get_config(one.reference)
    assert.equal("application/vnd.oci.empty.v1+json", descriptor.mediaType)
    assert.same({}, config)
  end)

  artifact("crane-image", "an image with one layer", function(one, registry, access)
    local seen = check_image(one, registry, access)
    local layers = registry:organize_layers(seen.manifest, { [GZIP_LAYER] = "layer", [DOCKER_LAYER] = "layer" })

    assert.equal("etc/motd bin/run", reading.paths(seen.archives[layers.layer.digest]))
  end)

  artifact("regctl-artifact", "an artifact with titles", function(one, registry, access)
    local seen = check_image(one, registry, access)

    assert.same({ "hello.txt", "data.json" }, seen.titles)
    assert.equal("application/vnd.test", seen.manifest.artifactType)
    assert.equal("regctl", seen.manifest.annotations["made.by"])
  end)

  artifact("skopeo-image", "an OCI image", function(one, registry, access)
    local seen = check_image(one, registry, access)
    local layer = seen.manifest.layers[1]

    assert.equal(GZIP_LAYER, layer.mediaType)
    assert.equal("welcome\n", seen.archives[layer.digest][1].bytes)
    local same = registry:get_manifest(one.reference, { platform = "linux/amd64" })
    assert.equal(one.digest, same:descriptor().digest)
    local err = helper.fails(registry, "get_manifest", one.reference, { platform = "linux/s390x" })
    assert.equal("not_found", err.class)
    assert.matches("linux/amd64", err.message, 1, true)
  end)

  artifact("skopeo-docker", "a docker image of schema 2", function(one, registry, access)
    local seen = check_image(one, registry, access)
    local layer = seen.manifest.layers[1]

    assert.equal("application/vnd.docker.distribution.manifest.v2+json", seen.manifest:media_type())
    assert.equal(DOCKER_LAYER, layer.mediaType)
    assert.equal("etc/motd bin/run", reading.paths(seen.archives[layer.digest]))
    assert.equal("amd64", registry:get_config(one.reference).architecture)
  end)

  artifact("oras-py-files", "files and a directory", function(one, registry, access)
    local seen = check_image(one, registry, access)

    assert.same({ "hello.txt", "tree" }, seen.titles)
    assert.equal("oras-py", seen.manifest.annotations["made.by"])
    assert.truthy(reading.paths(seen.archives.tree):find("deep/b.txt", 1, true))
  end)
end)

describe("an index of another client", function()
  after_each(helper.clean)

  artifact("oras-index", "each platform's manifest", function(one, registry, access)
    local index = reading.check_manifest(registry, access, one.reference)
    local container = registry:get_container(one.reference)

    assert.equal(one.digest, index:descriptor().digest)
    assert.equal(2, #registry:get_image_index(one.reference).manifests)
    for i, arch in ipairs { "amd64", "arm64" } do
      local chosen = registry:select_platform(index, "linux/" .. arch)
      assert.equal(index.manifests[i].digest, chosen.digest)
      assert.equal(chosen.digest, registry:resolve(one.reference, { platform = "linux/" .. arch }).digest)
      local manifest = registry:get_manifest(one.reference, { platform = "linux/" .. arch })
      assert.equal(chosen.digest, manifest:descriptor().digest)
      assert.equal(manifest:raw(), registry:get_manifest(("%s:%s"):format(
        one.reference:match "^(.*):", arch)):raw())
      local seen = reading.check_all(registry, access, container:with_digest(chosen.digest))
      assert.same({ "hello.txt" }, seen.titles)
    end
    local err = helper.fails(registry, "select_platform", index, "windows/amd64")
    assert.equal("not_found", err.class)
    assert.matches("linux/amd64, linux/arm64", err.message, 1, true)
  end)

  --- A referrers index: one entry, whose subject is the artifact of that name.
  local function check_referrers(one, registry, access, subject)
    local index = reading.check_manifest(registry, access, one.reference)
    local entry = index.manifests[1]

    assert.equal("application/spdx+json", entry.artifactType)
    local container = registry:get_container(one.reference):with_digest(entry.digest)
    local seen = reading.check_all(registry, access, container)
    assert.equal(assert(find(subject)).digest, seen.manifest.subject.digest)
    local sbom = registry:get_blob(container, seen.manifest.layers[1]):json()
    assert.equal("SPDX-2.3", sbom.spdxVersion)
    local err = helper.fails(registry, "get_config", one.reference)
    assert.equal("content", err.class)
    assert.matches("has no config", err.message, 1, true)
  end

  artifact("oras-attach", "a referrer and its subject", function(one, registry, access)
    check_referrers(one, registry, access, "oras-files")
  end)

  artifact("regctl-referrer", "a referrer and its subject", function(one, registry, access)
    check_referrers(one, registry, access, "regctl-artifact")
  end)
end)

describe("a conda package", function()
  after_each(helper.clean)

  -- The members of the tar inside of a package, as zstd and tar list them.
  local function tar_lists(bytes)
    local path = helper.write(helper.directory() .. "/inner", bytes)
    local status, out = process.shell(("zstd -dc < %s | tar -tf -"):format(process.quote(path)))
    assert.equal(0, status)
    return (out:gsub("/?\n", " "):gsub(" $", ""))
  end

  local function check_package(one, registry, access)
    local seen = check_image(one, registry, access)
    local package = registry:organize_layers(seen.manifest)["application/vnd.conda.package.v2"]
    local members = seen.archives[package.annotations[TITLE]]

    local inner = 0
    for _, member in ipairs(members) do
      if member.path:find "%.tar%.zst$" then
        inner = inner + 1
        local list = oras.archive.list { data = member.bytes }
        assert.equal(tar_lists(member.bytes), reading.paths(list))
      end
    end
    assert.equal(2, inner)
    local config, descriptor = registry:get_config(one.reference)
    assert.same({ {}, 0 }, { config, descriptor.size })
    return seen
  end

  artifact("conda", "package, info archive, index", check_package)
  artifact("conda-oras", "the same, copied by oras", check_package)
  artifact("conda-cdn", "the same with tokens, TLS and a CDN", check_package)
  artifact("example", "the example with a bzip2 package", function(one, registry, access)
    local seen = check_image(one, registry, access)
    assert.truthy(seen.archives["greeting-1.0.0-0.tar.bz2"])
  end)
  artifact("example-cdn", "the same with tokens, TLS and a CDN", check_image)
end)

describe("digests", function()
  --- What another client says of each artifact of the open registry. `command` has P for the
  --- program and R for the reference; for an index the reference follows a platform, too.
  local function agrees(name, command, platforms)
    it(("are those of %s"):format(name), function()
      local program, reason = services.peer(name)
      if not program then
        return pending(reason)
      end
      local list, missing = services.artifacts()
      if not list then
        return pending(missing)
      end
      local registry, seen = helper.registry(), 0
      local empty = helper.directory()
      local function ask(reference, platform)
        local words = command:gsub("%f[%u]%u%f[%U]", {
          P = process.quote(program), R = (platform and "--platform " .. platform .. " " or "") .. reference,
        })
        local status, out, err = process.shell(("export HOME=%s DOCKER_CONFIG=%s; %s"):format(empty, empty, words))
        assert.same({ 0, "" }, { status, status == 0 and "" or err })
        return "sha256:" .. out:match("%x+", (out:find ":" or 0) + 1)
      end
      for _, one in ipairs(list) do
        if one.registry == services.get "registry" then
          seen = seen + 1
          assert.equal(ask(one.reference), registry:resolve(one.reference).digest, one.name)
        end
        if one.name == "oras-index" then
          for _, platform in ipairs(platforms or {}) do
            assert.equal(ask(one.reference, platform), registry:resolve(one.reference, { platform = platform }).digest)
          end
        end
      end
      helper.clean()
      assert.is_true(seen > 0)
    end)
  end

  agrees("crane", "P digest --insecure R", { "linux/amd64", "linux/arm64" })
  agrees("oras", "P resolve --plain-http R", { "linux/amd64", "linux/arm64" })
  agrees("skopeo", "P inspect --tls-verify=false --raw docker://R | sha256sum")
end)

describe("tags", function()
  it("are those that crane lists", function()
    local program, reason = services.peer "crane"
    local list, missing = services.artifacts()
    if not (program and list) then
      return pending(reason or missing)
    end
    local registry, done = helper.registry(), {}
    for _, one in ipairs(list) do
      local name = one.registry .. "/" .. one.repository
      if one.registry == services.get "registry" and not done[name] then
        done[name] = true
        local status, out = process.shell(("%s ls --insecure %s"):format(process.quote(program), name))
        assert.equal(0, status)
        local theirs, ours = {}, registry:get_tags(name)
        for tag in out:gmatch "[^\n]+" do
          theirs[#theirs + 1] = tag
        end
        table.sort(theirs)
        table.sort(ours)
        assert.same(theirs, ours)
      end
    end
    assert.truthy(next(done))
  end)
end)
