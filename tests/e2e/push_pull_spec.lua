--- What we push, read by other clients; what they push, read by us: the same bytes. In
--- registries and in layouts.
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local quote = process.quote

local CREATED <const> = "org.opencontainers.image.created"
local WHEN <const> = "2024-02-29T12:00:00Z"

local PLACES <const> = {
  { name = "docker-registry", service = "registry" },
  { name = "distribution v3", service = "registry_v3" },
  { name = "go-containerregistry", service = "registry_ggcr" },
}

local OURS <const> = { "hello.txt:text/plain", "sub/data.json:application/json", "empty", "tree" }

local work, count = nil, 0

-- What is pushed: files, a name beyond ASCII, a tree with an executable and a link.
local function fill(dir)
  assert(os.execute(("mkdir -p '%s/sub' '%s/tree/deep/er' '%s/tree/bare'"):format(dir, dir, dir)))
  helper.write(dir .. "/hello.txt", "hello\n")
  helper.write(dir .. "/sub/data.json", '{"answer":42}')
  helper.write(dir .. "/empty", "")
  helper.write(dir .. "/tree/a.txt", "a\n")
  helper.write(dir .. "/tree/run", "#!/bin/sh\n")
  helper.write(dir .. "/tree/deep/er/big", ("0123456789abcdef"):rep(200000))
  helper.write(dir .. "/tree/deep/ünïcödé", "ü")
  assert(os.execute(("cd '%s/tree' && chmod 755 run && ln -s ../a.txt deep/link"):format(dir)))
end

-- Run in the directory of the test; must succeed.
local function run(command, ...)
  local words = {}
  for i, word in ipairs { ... } do
    words[i] = quote(word)
  end
  command = ("cd %s && export HOME=%s DOCKER_CONFIG=%s && %s %s"):format(
    quote(work), quote(work), quote(work), command, table.concat(words, " "))
  local status, out, err = process.shell(command)
  assert.equal(0, status, ("%s\n%s%s"):format(command, out, err))
  return out
end

local function ours(...)
  return run(quote(process.oras_lua), ...)
end

local function same(ours_dir, theirs)
  run(("diff -r --no-dereference %s %s"):format(quote(ours_dir), quote(theirs)))
end

-- A new repository at a place, with the tag 1; or nil and why there is none.
local function reference(place)
  local host = services.get(place.service)
  if not host then
    return nil, services.missing(place.service)
  end
  count = count + 1
  return ("%s/e2e/push-%d:1"):format(host, count)
end

local function needs(name)
  local program, reason = services.peer(name)
  return program and quote(program), reason
end

local function each_place(title, peer, test)
  for _, place in ipairs(PLACES) do
    it(("%s at %s"):format(title, place.name), function()
      local program, absent = needs(peer)
      local ref, missing = reference(place)
      if not program or not ref then
        return pending(absent or missing)
      end
      test(program, ref, services.get(place.service))
    end)
  end
end

describe("push and pull beside", function()
  before_each(function()
    work = helper.directory()
    fill(work)
  end)
  after_each(helper.clean)

  each_place("oras: pulls what we push", "oras", function(program, ref)
    ours("push", ref, table.unpack(OURS))
    run(program, "pull", "--plain-http", ref, "-o", "out")
    for _, name in ipairs { "hello.txt", "sub", "empty", "tree" } do
      same(name, "out/" .. name)
    end
    local digest = run(program, "resolve", "--plain-http", ref):match "%S+"
    assert.equal(digest, helper.registry():resolve(ref).digest)
  end)

  each_place("oras: we pull what it pushes", "oras", function(program, ref)
    run(program, "push", "--plain-http", ref, table.unpack(OURS))
    local files = helper.registry():pull(ref, { outdir = work .. "/out" })
    assert.equal(4, #files)
    for _, name in ipairs { "hello.txt", "sub", "empty", "tree" } do
      same(name, "out/" .. name)
    end
    assert.same({}, files.skipped)
  end)

  each_place("oras: the same files and options are the same manifest", "oras", function(program, ref)
    helper.write(work .. "/c.json", "{}")
    for i, options in ipairs {
      {},
      { "--artifact-type", "application/vnd.x" },
      { "--config", "c.json:application/vnd.c+json" },
      { "--config", "c.json", "--artifact-type", "application/vnd.x" },
      { "--artifact-platform", "linux/arm64/v8" },
    } do
      local mine, theirs = ref .. "-" .. i, ref .. "-theirs-" .. i
      local words = { "-a", CREATED .. "=" .. WHEN, "-a", "k=v", "hello.txt:text/plain", "sub/data.json", "empty" }
      table.move(options, 1, #options, #words + 1, words)
      ours("push", mine, table.unpack(words))
      run(program, "push", "--plain-http", theirs, table.unpack(words))
      local registry = helper.registry()
      assert.equal(registry:get_manifest(theirs):raw(), registry:get_manifest(mine):raw())
    end
  end)

  each_place("oras: the tar of a directory is the same when times are", "oras", function(program, ref)
    run "find tree -exec touch -h -d @0 {} +"
    run(program, "push", "--plain-http", ref .. "-theirs", "tree")
    ours("push", ref, "tree")
    local registry = helper.registry()
    local function content(of)
      return registry:get_manifest(of).layers[1].annotations["io.deis.oras.content.digest"]
    end
    assert.equal(content(ref .. "-theirs"), content(ref))
  end)

  each_place("oras: an empty artifact, and a subject that it discovers", "oras", function(program, ref)
    local registry = helper.registry()
    local subject = registry:push(ref, {}, { artifact_type = "application/vnd.flag" })
    local sbom = registry:push(ref:gsub("1$", "sbom"), { { data = "{}", title = "sbom.json" } }, {
      artifact_type = "application/spdx+json", subject = subject,
    })
    local found = oras.json.decode(run(program, "discover", "--plain-http", "--format", "json", ref))
    assert.equal(sbom.digest, found.referrers[1].digest)
    run(program, "pull", "--plain-http", ref, "-o", "out")
  end)

  each_place("crane: finds what we push valid", "crane", function(program, ref)
    ours("push", ref, table.unpack(OURS))
    run(program, "validate", "--insecure", "--fast", "--remote", ref)
    -- an image: crane compares the layers with what the config says is in them
    local registry = helper.registry()
    local place = ref:gsub("1$", "image")
    local list = { { path = work .. "/tree", title = "rootfs" } }
    local _, manifest = registry:push(place, list)
    registry:push(place, list, {
      config = {
        data = oras.json.encode {
          architecture = "amd64", os = "linux", config = {},
          rootfs = { type = "layers", diff_ids = { manifest.layers[1].annotations["io.deis.oras.content.digest"] } },
        },
        media_type = oras.oci.media_types.config,
      },
    })
    run(program, "validate", "--insecure", "--remote", place)
    assert.equal(registry:get_manifest(place):raw(), run(program, "manifest", "--insecure", place))
  end)

  each_place("regctl: gets what we push", "regctl", function(program, ref, host)
    ours("push", ref, table.unpack(OURS))
    local regctl = ("%s --host reg=%s,tls=disabled"):format(program, host)
    assert.equal("hello\n", run(regctl, "artifact", "get", ref, "-f", "hello.txt"))
    assert.equal(helper.registry():get_manifest(ref):raw(), run(regctl, "manifest", "get", ref, "--format", "raw-body"))
  end)

  each_place("regctl: we pull what it pushes", "regctl", function(program, ref, host)
    run(("%s --host reg=%s,tls=disabled"):format(program, host), "artifact", "put", "--artifact-type",
      "application/vnd.test", "--file-title", "-f", "hello.txt", "-m", "text/plain", ref)
    helper.registry():pull(ref, { outdir = work .. "/out" })
    same("hello.txt", "out/hello.txt")
  end)

  each_place("oras-py: pulls what we push", "oras-py", function(program, ref)
    ours("push", ref, "hello.txt:text/plain", "tree")
    run(program, "-c", [[
import sys, oras.client
oras.client.OrasClient(insecure=True).pull(target=sys.argv[1], outdir="out", overwrite=True)]], ref)
    same("hello.txt", "out/hello.txt")
    same("tree", "out/tree")
  end)

  each_place("oras-py: we pull what it pushes", "oras-py", function(program, ref)
    run(program, "-c", [[
import sys, oras.client
oras.client.OrasClient(insecure=True).push(target=sys.argv[1], files=["hello.txt:text/plain", "tree"])]], ref)
    helper.registry():pull(ref, { outdir = work .. "/out", unpack = "all" })
    same("hello.txt", "out/hello.txt")
    same("tree", "out/tree")
  end)

  each_place("skopeo: copies what we push as it is", "skopeo", function(program, ref)
    ours("push", ref, "tree", "--config", "sub/data.json:application/vnd.oci.image.config.v1+json")
    run(program .. " --insecure-policy", "copy", "--src-tls-verify=false", "docker://" .. ref, "oci:theirs:1")
    local registry = helper.registry()
    local place = ("oci:%s/theirs:1"):format(work)
    assert.equal(registry:get_manifest(ref):raw(), registry:get_manifest(place):raw())
    registry:pull(place, { outdir = work .. "/out" })
    same("tree", "out/tree")
  end)
end)

describe("layouts beside", function()
  before_each(function()
    work = helper.directory()
    fill(work)
  end)
  after_each(helper.clean)

  local function beside(name, title, test)
    it(("%s: %s"):format(name, title), function()
      local program, reason = needs(name)
      if not program then
        return pending(reason)
      end
      test(program)
    end)
  end

  beside("oras", "pulls what we push", function(program)
    ours("push", "oci:lay:1", table.unpack(OURS))
    run(program, "pull", "--oci-layout", "lay:1", "-o", "out")
    for _, name in ipairs { "hello.txt", "sub", "empty", "tree" } do
      same(name, "out/" .. name)
    end
  end)

  beside("oras", "we pull what it pushes, and push beside it", function(program)
    run(program, "push", "--oci-layout", "lay:1", table.unpack(OURS))
    ours("push", "oci:lay:2", "hello.txt")
    ours("pull", "oci:lay:1", "-o", "out")
    for _, name in ipairs { "hello.txt", "sub", "empty", "tree" } do
      same(name, "out/" .. name)
    end
    assert.equal("1\n2\n", run(program, "repo", "tags", "--oci-layout", "lay"))
  end)

  beside("regctl", "reads what we push", function(program)
    ours("push", "oci:lay:1", table.unpack(OURS))
    assert.equal("hello\n", run(program, "artifact", "get", "ocidir://lay:1", "-f", "hello.txt"))
  end)

  beside("skopeo", "copies what we push as it is", function(program)
    ours("push", "oci:lay:1", "tree", "--config", "sub/data.json:application/vnd.oci.image.config.v1+json")
    run(program .. " --insecure-policy", "copy", "oci:lay:1", "oci:theirs:2")
    local registry = helper.registry()
    assert.equal(registry:get_manifest(("oci:%s/lay:1"):format(work)):raw(),
      registry:get_manifest(("oci:%s/theirs:2"):format(work)):raw())
  end)
end)
