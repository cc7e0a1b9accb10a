--- Backups, restores and indexes on real registries, read by other clients and read from them.
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local quote = process.quote

local CONFIG <const> = oras.oci.media_types.config

local OPEN <const> = {
  { name = "docker-registry", service = "registry" },
  { name = "distribution v3", service = "registry_v3" },
  { name = "go-containerregistry", service = "registry_ggcr" },
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
local function run(program, format, ...)
  local status, out, err = process.shell(("cd %s && export HOME=%s DOCKER_CONFIG=%s && %s %s"):format(
    quote(directory), quote(directory), quote(directory), quote(program), format:format(...)))
  assert.equal(0, status, ("%s %s\n%s%s"):format(program, format, out, err))
  return out
end

local function peer(name, format, ...)
  if name == "regctl" then
    for _, place in ipairs(OPEN) do
      if services.get(place.service) then
        run(path_of(name), "registry set --tls disabled %s", services.get(place.service))
      end
    end
  end
  return run(path_of(name), format, ...)
end

local function ours(format, ...)
  return run(process.oras_lua, format, ...)
end

-- A repository of its own; nil and why there is none.
local function new_repository(place)
  local host = services.get(place.service)
  if not host then
    return nil, services.missing(place.service)
  end
  count = count + 1
  return ("%s/e2e/backup-%d"):format(host, count)
end

local function put_image(repository, tag, architecture)
  local layer = registry:upload_blob(repository, { data = tag .. architecture })
  local config = registry:upload_blob(repository, { data = oras.json.encode {
    architecture = architecture, os = "linux", created = "2020-01-01T00:00:00Z", config = {},
    history = oras.json.array {}, rootfs = { type = "layers", diff_ids = oras.json.array { layer.digest } },
  } }, { mediaType = CONFIG })
  layer.mediaType = oras.oci.media_types.layer
  local _, raw = registry:pack_manifest { config = config, layers = { layer } }
  return registry:upload_manifest(("%s:%s"):format(repository, tag), raw)
end

-- Two images, an index of them, an artifact, and what refers to the index and to an image.
local function fill(repository)
  local amd, arm = put_image(repository, "amd", "amd64"), put_image(repository, "arm", "arm64")
  local index = registry:index(repository .. ":v1", { "amd", "arm" }, { annotations = { kept = "yes" } })
  registry:push(repository .. ":art", { { data = "artifact", title = "a.txt" } }, { artifact_type = "application/x.a" })
  local sbom = registry:attach(repository .. ":v1", { { data = "sbom", title = "s" } },
    { artifact_type = "application/x.sbom" })
  registry:attach(repository .. "@" .. sbom.digest, { { data = "sig", title = "g" } },
    { artifact_type = "application/x.sig" })
  return index, amd, arm, sbom
end

-- What is under the names of a repository or layout, and what refers to that.
local function seen(place)
  local lines = {}
  for _, tag in ipairs(registry:get_tags(place, { exclude_digest_tags = true })) do
    local container = registry:get_container(place):with_tag(tag)
    local doc = registry:get_manifest(container)
    lines[#lines + 1] = ("%s %s"):format(tag, doc:descriptor().digest)
    for _, d in ipairs(doc.manifests or {}) do
      assert.truthy(registry:get_manifest(container:with_digest(d.digest)))
    end
    for _, d in ipairs(doc.layers or {}) do
      assert.equal(d.size, #registry:get_blob(container, d).content)
    end
    for _, d in ipairs(registry:referrers(container)) do
      lines[#lines + 1] = ("%s < %s"):format(tag, d.digest)
      for _, e in ipairs(registry:referrers(container:with_digest(d.digest))) do
        lines[#lines + 1] = ("%s < %s < %s"):format(tag, d.digest, e.digest)
      end
    end
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

local function each(title, test)
  for _, place in ipairs(OPEN) do
    it(("%s: %s"):format(title, place.name), function()
      local repository, missing = new_repository(place)
      if not repository then
        return pending(missing)
      end
      test(repository, place)
    end)
  end
end

before_each(function()
  directory = helper.directory()
  registry = helper.registry()
end)

after_each(helper.clean)

describe("a backup", function()
  each("comes back from a directory and a tar", function(repository, place)
    fill(repository)
    local expected = seen(repository)
    for _, name in ipairs { "saved", "saved.tar" } do
      local again = new_repository(place)
      ours("backup --include-referrers -o %s %s", name, repository)
      ours("restore --input %s %s", name, again)
      assert.equal(expected, seen(again))
      ours("restore --input %s %s", name, again)
      assert.equal(expected, seen(again))
    end
  end)

  each("of ours is restored by oras, and oras's by us", function(repository, place)
    if not path_of "oras" then
      return pending "oras is not there"
    end
    fill(repository)
    local expected = seen(repository)
    for _, name in ipairs { "x", "x.tar" } do
      local by_them, by_us = new_repository(place), new_repository(place)
      ours("backup --include-referrers -o ours-%s %s", name, repository)
      peer("oras", "restore --plain-http --input ours-%s %s", name, by_them)
      assert.equal(expected, seen(by_them))
      peer("oras", "backup --plain-http --include-referrers -o theirs-%s %s", name, repository)
      ours("restore --input theirs-%s %s", name, by_us)
      assert.equal(expected, seen(by_us))
      ours("backup --include-referrers -o theirs-%s %s", name, repository) -- into a layout of theirs
    end
    assert.equal(expected, seen("oci:" .. directory .. "/ours-x"))
    assert.equal(expected, seen("oci:" .. directory .. "/theirs-x"))
  end)

  each("W16 of several repositories keeps their names", function(repository, place)
    local other = new_repository(place)
    local index = fill(repository)
    local image = put_image(other, "v1", "s390x")
    ours("backup -o all %s:v1 %s", repository, other)
    local host = repository:match "^[^/]*"
    ours("restore --input all --map %s/e2e=%s/moved", host, host)
    assert.equal(index.digest, registry:resolve((repository:gsub("/e2e/", "/moved/")) .. ":v1").digest)
    assert.equal(image.digest, registry:resolve((other:gsub("/e2e/", "/moved/")) .. ":v1").digest)
    if path_of "skopeo" then
      local raw = peer("skopeo", "inspect --raw oci:all:%s:v1", other)
      assert.equal(image.digest, oras.digest.of(raw))
    end
  end)

  it("of a whole registry has every repository below a name", function()
    local repository, missing = new_repository(OPEN[1])
    if not repository then
      return pending(missing)
    end
    put_image(repository .. "/a", "v1", "amd64")
    put_image(repository .. "/b", "v1", "amd64")
    local items = registry:backup(repository .. "/", directory .. "/all")
    assert.same({ repository .. "/a:v1", repository .. "/b:v1" }, { items[1].name, items[2].name })
  end)

  for name, words in pairs {
    regctl = "image copy ocidir://saved:v1 %s",
    skopeo = "copy --all --preserve-digests --dest-tls-verify=false oci:saved:v1 docker://%s",
    ["skopeo, the tar"] = "copy --all --preserve-digests --dest-tls-verify=false oci-archive:saved.tar:v1 docker://%s",
    ["crane, the directory"] = "push --insecure --index saved %s",
  } do
    local program = name:match "^%a+"
    it("is read by " .. name, function()
      local repository, missing = new_repository(OPEN[1])
      if not repository or not path_of(program) then
        return pending(missing or program .. " is not there")
      end
      local index = fill(repository)
      ours("backup -o saved %s:v1", repository)
      ours("backup -o saved.tar %s:v1", repository)
      local copy = new_repository(OPEN[1]) .. ":v1"
      peer(program, words, copy)
      local found = registry:get_image_index(copy)
      local is_list = program == "crane" -- which pushes the layout's own index
      assert.equal(index.digest, is_list and found.manifests[1].digest or found:descriptor().digest)
    end)
  end
end)

describe("an index", function()
  each("says of its entries what oras's says", function(repository)
    if not path_of "oras" then
      return pending "oras is not there"
    end
    local _, amd = fill(repository)
    local digest = ours("manifest index create %s:ours amd %s art -a k=v --artifact-type application/x.set",
      repository, amd.digest)
    peer("oras", "manifest index create --plain-http %s:theirs amd art -a k=v --artifact-type application/x.set",
      repository)
    local ours_doc = registry:get_manifest(repository .. ":ours")
    local theirs = registry:get_manifest(repository .. ":theirs")
    assert.equal(digest, ours_doc:descriptor().digest .. "\n")
    assert.same(theirs.annotations, ours_doc.annotations)
    assert.equal(#theirs.manifests, #ours_doc.manifests)
    for i, d in ipairs(theirs.manifests) do
      assert.same(d, ours_doc.manifests[i])
    end
  end)

  each("is changed by us and by oras in turn", function(repository)
    if not path_of "oras" then
      return pending "oras is not there"
    end
    local _, amd, arm = fill(repository)
    peer("oras", "manifest index create --plain-http %s:set amd", repository)
    ours("manifest index update %s:set --add arm --add art", repository)
    peer("oras", "manifest index update --plain-http %s:set --remove %s", repository, amd.digest)
    ours("manifest index update %s:set --remove art --tag done", repository)
    local doc = registry:get_manifest(repository .. ":done")
    assert.equal(1, #doc.manifests)
    assert.equal(arm.digest, doc.manifests[1].digest)
    assert.equal("arm64", doc.manifests[1].platform.architecture)
  end)

  for name, words in pairs {
    crane = "index append --insecure -m %s:amd -m %s:arm -t %s:theirs",
    regctl = "index create --ref %s:amd --ref %s:arm %s:theirs",
  } do
    it(("of %s has the same manifests and platforms, and ours is read by it"):format(name), function()
      local repository, missing = new_repository(OPEN[1])
      if not repository or not path_of(name) then
        return pending(missing or name .. " is not there")
      end
      fill(repository)
      peer(name, words, repository, repository, repository)
      ours("manifest index create %s:ours amd arm", repository)
      local mine = registry:get_manifest(repository .. ":ours")
      local theirs = registry:get_manifest(repository .. ":theirs")
      for i = 1, 2 do
        assert.equal(theirs.manifests[i].digest, mine.manifests[i].digest)
        assert.equal(theirs.manifests[i].platform.architecture, mine.manifests[i].platform.architecture)
      end
      if name == "crane" then
        peer(name, "validate --insecure --fast --remote %s:ours", repository)
        local digest = peer(name, "digest --insecure --platform linux/arm64 %s:ours", repository)
        assert.equal(mine.manifests[2].digest .. "\n", digest)
      else
        local digest = peer(name, "manifest head --platform linux/arm64 %s:ours", repository)
        assert.equal(mine.manifests[2].digest, (digest:gsub("%s", "")))
      end
    end)
  end
end)
