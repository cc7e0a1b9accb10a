--- Referrers on real registries, with the API and without: what oras and regctl see of ours, and
--- what we see of theirs.
local oras = require "oras"

local helper = require "tests.spec.helper"
local json_keys = require "tests.spec.json_keys"
local places = require "tests.e2e.places"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local quote = process.quote

local OPEN <const> = {
  { name = "docker-registry", service = "registry" },
  { name = "distribution v3", service = "registry_v3" },
  { name = "go-containerregistry", service = "registry_ggcr", has_api = true },
}

local directory, registry
local count = 0

local function run(program, format, ...)
  local words = {}
  for i, word in ipairs { ... } do
    words[i] = quote(word)
  end
  local text = format:format(table.unpack(words))
  local status, out, err = process.shell(("cd %s && export HOME=%s DOCKER_CONFIG=%s && %s %s"):format(
    quote(directory), quote(directory), quote(directory), quote(program), text))
  assert.equal(0, status, ("%s %s\n%s%s"):format(program, text, out, err))
  return out
end

local function ours(format, ...)
  return run(process.oras_lua, format, ...)
end

-- A test on each registry, of a repository with an artifact at ":v1".
local function each(title, test, peer)
  for _, place in ipairs(OPEN) do
    it(("%s: %s"):format(place.name, title), function()
      local host, missing = services.get(place.service), services.missing(place.service)
      local program, absent = "", nil
      if peer then
        program, absent = services.peer(peer)
      end
      if not host or not program then
        return pending(not host and missing or absent)
      end
      count = count + 1
      local repository = ("%s/e2e/referrers-%d"):format(host, count)
      ours("push %s a.txt", repository .. ":v1")
      test(repository, place, program)
    end)
  end
end

-- All digests of a tree with their depth and type, sorted.
local function flat(node)
  local list = {}
  local function add(one, depth)
    for _, child in ipairs(one.referrers) do
      list[#list + 1] = ("%d %s %s"):format(depth, child.digest, child.artifactType)
      add(child, depth + 1)
    end
  end
  add(node, 1)
  table.sort(list)
  return list
end

local function without_types(list)
  local digests = {}
  for i, line in ipairs(list) do
    digests[i] = line:match "^%d+ %S+"
  end
  return digests
end

local function digest_in(out)
  return out:match "(sha256:%x+)\n$"
end

before_each(function()
  directory = helper.directory()
  helper.write(directory .. "/a.txt", "a\n")
  helper.write(directory .. "/b.txt", "b\n")
  registry = helper.registry()
end)
after_each(helper.clean)

describe("attach and discover", function()
  each("by our commands", function(repository)
    local ref = repository .. ":v1"
    local sbom = digest_in(ours("attach --artifact-type test/sbom %s b.txt -a k=v", ref))
    local document = json_keys.check_text("attach",
      ours("attach --artifact-type test/sig %s -a x=y --format json", ref))
    local deep = digest_in(ours("attach --artifact-type test/deep %s b.txt", repository .. "@" .. sbom))
    local root = json_keys.check_text("discover", ours("discover %s --format json", ref))
    local expected = {
      "1 " .. sbom .. " test/sbom", "1 " .. document.digest .. " test/sig", "2 " .. deep .. " test/deep",
    }
    table.sort(expected)
    assert.same(expected, flat(root))
    assert.same({ "1 " .. sbom .. " test/sbom", "2 " .. deep .. " test/deep" },
      flat(oras.json.decode(ours("discover %s --format json --artifact-type test/deep", ref))))
    assert.matches("└── test/sig\n    └── " .. document.digest .. "\n",
      ours("discover %s --artifact-type test/sig", ref), 1, true)
    assert.matches("└── test/deep\n", ours("discover %s --format tree -v", ref), 1, true)
    ours("pull -o out %s", ref)
    assert.equal("a\n", helper.read(directory .. "/out/a.txt"))
    ours("pull -o out %s", repository .. "@" .. deep)
    assert.equal("b\n", helper.read(directory .. "/out/b.txt"))
  end)

  each("filters by type and annotation", function(repository)
    local ref = repository .. ":v1"
    local sbom = registry:attach(ref, {}, { artifact_type = "test/sbom+json", annotations = { k = "v" } })
    registry:attach(ref, {}, { artifact_type = "test/sig", annotations = { k = "w" } })
    for _, opts in ipairs {
      { artifact_type = "test/sbom+json" }, { annotations = { k = "v" } },
      { artifact_type = "test/sbom+json", annotations = { k = true } },
    } do
      local list = helper.registry():referrers(ref, opts)
      assert.equal(1, #list)
      assert.equal(sbom.digest, list[1].digest)
      assert.equal("test/sbom+json", list[1].artifactType)
    end
  end)

  each("deletes leave the rest listed", function(repository)
    local ref = repository .. ":v1"
    local first = registry:attach(ref, {}, { artifact_type = "test/a", annotations = { k = "v" } })
    local second = registry:attach(ref, {}, { artifact_type = "test/b", annotations = { k = "v" } })
    registry:delete_manifest(repository .. "@" .. first.digest)
    local list = helper.registry():referrers(ref)
    assert.equal(1, #list)
    assert.equal(second.digest, list[1].digest)
  end)

  for _, spec in ipairs { "v1.1-referrers-api", "v1.1-referrers-tag" } do
    each("as --distribution-spec says: " .. spec, function(repository, place)
      if spec:find "api" and not place.has_api then
        return
      end
      local ref = repository .. ":v1"
      local one = digest_in(ours("attach --artifact-type test/a %s b.txt --distribution-spec %s", ref, spec))
      assert.matches("└── test/a\n    └── " .. one .. "\n",
        ours("discover %s --distribution-spec %s", ref, spec), 1, true)
      local subject = registry:resolve(ref).digest:gsub(":", "-")
      local has_tag = oras.try(registry.resolve, registry, repository .. ":" .. subject) ~= nil
      assert.equal(spec:find "tag" ~= nil, has_tag)
    end)
  end
end)

describe("oras", function()
  each("sees what we attach, we see what it attaches", function(repository, _, program)
    local ref = repository .. ":v1"
    local sbom = digest_in(ours("attach --artifact-type test/sbom %s b.txt -a k=v", ref))
    local sig = digest_in(run(program, "attach --plain-http --artifact-type test/sig %s b.txt", ref))
    run(program, "attach --plain-http --artifact-type test/theirs %s b.txt", repository .. "@" .. sbom)
    ours("attach --artifact-type test/ours %s b.txt", repository .. "@" .. sig)
    local by_us = flat(oras.json.decode(ours("discover --format json %s", ref)))
    local by_them = flat(oras.json.decode(run(program, "discover --plain-http --format json %s", ref)))
    assert.equal(4, #by_us)
    assert.same(without_types(by_them), without_types(by_us))
    for _, name in ipairs { "sbom", "sig", "theirs", "ours" } do -- ours are right where ggcr lists another
      assert.matches("test/" .. name, table.concat(by_us, "\n"), 1, true)
    end
    assert.matches("sha256:%x+", run(program, "pull --plain-http %s", repository .. "@" .. sbom))
  end, "oras")

  it("sees what we attach in a layout, we see what it attaches", function()
    local program, absent = services.peer "oras"
    if not program then
      return pending(absent)
    end
    ours "push oci:layout:v1 a.txt"
    local sbom = digest_in(ours "attach --oci-layout --artifact-type test/sbom layout:v1 b.txt")
    run(program, "attach --oci-layout --artifact-type test/sig layout:v1 b.txt")
    run(program, "attach --oci-layout --artifact-type test/theirs %s b.txt", "layout@" .. sbom)
    local by_us = flat(oras.json.decode(ours "discover --format json oci:layout:v1"))
    assert.equal(3, #by_us)
    assert.same(flat(oras.json.decode(run(program, "discover --oci-layout --format json layout:v1"))), by_us)
  end)
end)

describe("regctl", function()
  local function listed(program, ref)
    local out = run(program, "artifact list --format %s %s", "{{range .Descriptors}}{{println .Digest}}{{end}}", ref)
    local list = {}
    for digest in out:gmatch "sha256:%x+" do
      list[#list + 1] = digest
    end
    table.sort(list)
    return list
  end

  local function by_us(ref)
    local list = {}
    for i, one in ipairs(registry:referrers(ref)) do
      list[i] = one.digest
    end
    table.sort(list)
    return list
  end

  each("lists what we attach, we list what it attaches", function(repository, _, program)
    local ref = repository .. ":v1"
    run(program, "registry set --tls disabled %s", (repository:match "^[^/]+"))
    ours("attach --artifact-type test/sbom %s b.txt -a k=v", ref)
    run(program, "artifact put --artifact-type test/sig --subject %s -f b.txt", ref)
    ours("attach --artifact-type test/more %s b.txt", ref)
    local list = by_us(ref)
    assert.equal(3, #list)
    assert.same(listed(program, ref), list)
  end, "regctl")

  it("lists what we attach in a layout by the tag, and we what it has put there", function()
    local program, absent = services.peer "regctl"
    if not program then
      return pending(absent)
    end
    local place = "oci:" .. directory .. "/layout"
    ours "push oci:layout:v1 a.txt"
    run(program, "artifact put --artifact-type test/sig --subject ocidir://layout:v1 -f b.txt")
    ours "attach --artifact-type test/sbom oci:layout:v1 b.txt"
    local list = by_us(place .. ":v1")
    assert.equal(2, #list)
    assert.same(listed(program, "ocidir://layout:v1"), list)
    ours "push oci:other:v1 a.txt"
    ours "attach --artifact-type test/sbom oci:other:v1 b.txt --distribution-spec v1.1-referrers-tag"
    assert.same(by_us("oci:" .. directory .. "/other:v1"), listed(program, "ocidir://other:v1"))
  end)
end)

describe("attach with credentials", function()
  for _, place in ipairs(places.list) do
    if place.service ~= "registry_cdn" then
      it("works on " .. place.name, function()
        local host, missing = places.host(place)
        if not host then
          return pending(missing)
        end
        count = count + 1
        local known = places.known(place)
        local ref = ("%s/e2e/referrers-%d:v1"):format(host, count)
        known:push(ref, { { data = "x" } })
        local d = known:attach(ref, { { data = "y" } }, { artifact_type = "test/sbom" })
        assert.equal(d.digest, places.known(place):discover(ref).referrers[1].digest)
      end)
    end
  end
end)

describe("sha512", function()
  it("W21: go-containerregistry stores artifacts by it", function()
    local host = services.get "registry_ggcr"
    if not host then
      return pending(services.missing "registry_ggcr")
    end
    count = count + 1
    local ref = ("%s/e2e/referrers-%d"):format(host, count)
    local d = registry:push(ref .. ":v1", { { data = "x", title = "x" } }, { algorithm = "sha512" })
    assert.matches("^sha512:", d.digest)
    local place = registry:get_container(ref):with_digest(d.digest)
    assert.equal(d.digest, registry:get_manifest(place):descriptor().digest)
    registry:pull(place, { outdir = directory .. "/out" })
    assert.equal("x", helper.read(directory .. "/out/x"))
    registry:copy(place, "oci:" .. directory .. "/layout:v1")
    assert.equal(d.digest, registry:resolve("oci:" .. directory .. "/layout:v1").digest)
    registry:attach(place, {}, { algorithm = "sha512", artifact_type = "a/b", annotations = { k = "v" } })
    assert.equal("a/b", registry:discover(place).referrers[1].artifactType)
  end)

  for _, place in ipairs { OPEN[1], OPEN[2] } do
    it(("W21: %s stores blobs by it, and says of manifests that it does not"):format(place.name), function()
      local host = services.get(place.service)
      if not host then
        return pending(services.missing(place.service))
      end
      count = count + 1
      local ref = ("%s/e2e/referrers-%d"):format(host, count)
      local blob = registry:upload_blob(ref, { data = "x" }, nil, { algorithm = "sha512" })
      assert.equal("x", registry:get_blob(ref, blob.digest).content)
      local err = helper.fails(registry, "push", ref .. ":v1", { { data = "x" } }, { algorithm = "sha512" })
      assert.equal("DIGEST_INVALID", err.code)
      assert.matches("by sha256 only", err.message, 1, true)
    end)
  end
end)
