--- The helm provider, against charts of helm's own (where helm is) and of its format.
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local oras = require "oras"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local Charts = dofile "providers/helm.lua"

local CONTENT <const> = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

local CHART_YAML <const> = [[
apiVersion: v2
name: demo
description: A chart & its <words>
type: application
version: 0.1.0+build.1
appVersion: "1.10"
kubeVersion: ">=1.20"
home: https://example.com/demo
keywords:
  - demo
sources: [https://example.com/src]
maintainers:
  - name: Ann
    email: ann@example.com
  - name: Bob
annotations:
  category: Tools
dependencies:
  - name: common
    version: 1.x.x
    repository: oci://registry.example.com/charts
]]

-- As `helm package` makes it: one directory, gzip.
local function pack(dir, yaml, name)
  local tree = dir .. "/" .. (name or "demo")
  process.sh("mkdir -p %s", tree .. "/templates")
  helper.write(tree .. "/Chart.yaml", yaml)
  helper.write(tree .. "/values.yaml", "replicas: 1\n")
  helper.write(tree .. "/templates/a.yaml", "kind: A\n")
  local path = dir .. "/packed.tgz"
  process.sh("tar -C %s -czf %s %s", dir, path, name or "demo")
  return path
end

describe("the helm provider", function()
  local charts, dir

  before_each(function()
    faults.reset()
    dir = helper.directory()
    charts = Charts:new { config_path = "/nonexistent", retry = { wait = 0 } }
  end)

  after_each(helper.clean)

  it("W08 stores a chart in helm's format and brings it back as NAME-VERSION.tgz", function()
    local path = pack(dir, CHART_YAML)
    local place = faults.host "http" .. "/charts"
    local stored, manifest = charts:push("oci://" .. place, path)
    assert.equal(stored.digest, manifest:descriptor().digest)

    local found = charts:inspect("oci://" .. place .. "/demo:0.1.0+build.1")
    assert.equal(place .. "/demo:0.1.0_build.1", found.reference)
    assert.equal(stored.digest, found.digest)
    assert.equal("demo-0.1.0+build.1.tgz", found.file)
    assert.equal("1.10", found.chart.appVersion)
    assert.equal("common", found.chart.dependencies[1].name)
    assert.equal(oras.digest.of_file(path), found.content.digest)
    assert.is_false(found.provenance)

    local files = charts:pull(place .. "/demo:0.1.0_build.1", dir .. "/out")
    assert.equal(1, #files)
    assert.equal(dir .. "/out/demo-0.1.0+build.1.tgz", files[1].path)
    assert.equal(helper.read(path), helper.read(files[1].path))
  end)

  it("encodes the metadata as helm does, and annotates the manifest", function()
    local place = ("oci:%s/store:1"):format(dir)
    local _, manifest = charts:push(place, pack(dir, CHART_YAML))
    assert.equal("application/vnd.cncf.helm.config.v1+json", manifest.config.mediaType)
    assert.equal('{"name":"demo","home":"https://example.com/demo","sources":["https://example.com/src"],'
      .. '"version":"0.1.0+build.1","description":"A chart \\u0026 its \\u003cwords\\u003e","keywords":["demo"],'
      .. '"maintainers":[{"name":"Ann","email":"ann@example.com"},{"name":"Bob"}],"apiVersion":"v2",'
      .. '"appVersion":"1.10","annotations":{"category":"Tools"},"kubeVersion":"\\u003e=1.20",'
      .. '"dependencies":[{"name":"common","version":"1.x.x","repository":"oci://registry.example.com/charts"}],'
      .. '"type":"application"}', charts:get_blob(place, manifest.config).content)
    local annotations = manifest.annotations
    assert.equal("Tools", annotations.category)
    assert.equal("Ann (ann@example.com), Bob", annotations["org.opencontainers.image.authors"])
    assert.equal("demo", annotations["org.opencontainers.image.title"])
    assert.equal("0.1.0+build.1", annotations["org.opencontainers.image.version"])
    assert.equal("https://example.com/src", annotations["org.opencontainers.image.source"])
  end)

  it("takes the provenance along, both ways", function()
    local path = pack(dir, CHART_YAML)
    helper.write(path .. ".prov", "signed")
    local place = ("oci:%s/store:1"):format(dir)
    charts:push(place, { path })
    assert.is_true(charts:inspect(place).provenance)
    charts:pull(place, { outdir = dir .. "/out" })
    assert.equal("demo-0.1.0+build.1.tgz demo-0.1.0+build.1.tgz.prov", helper.list(dir .. "/out"))
    assert.equal("signed", helper.read(dir .. "/out/demo-0.1.0+build.1.tgz.prov"))
  end)

  it("gives one file of a chart, and nil for what is not in it", function()
    local place = ("oci:%s/store"):format(dir)
    charts:push(place, pack(dir, CHART_YAML))
    assert.equal("replicas: 1\n", charts:show(place .. ":0.1.0_build.1", "values.yaml"))
    assert.is_nil(charts:show(place .. ":0.1.0_build.1", "../demo/values.yaml"))
  end)

  it("lets the caller choose other names, or leave something out", function()
    local place = ("oci:%s/store:1"):format(dir)
    local path = pack(dir, CHART_YAML)
    helper.write(path .. ".prov", "signed")
    charts:push(place, path)
    charts:pull(place, { outdir = dir .. "/out", name = function(layer)
      return not layer.mediaType:find "prov" and "chart.tgz"
    end })
    assert.equal("chart.tgz", helper.list(dir .. "/out"))
  end)

  it("refuses names and versions that would lead elsewhere", function()
    for i, chart in ipairs {
      { name = "../up", version = "1.0.0" }, { name = "a/b", version = "1.0.0" }, { name = "a", version = "1/../2" },
      { name = "", version = "1.0.0" }, { name = "a" }, { version = "1.0.0" }, { name = 1, version = "1.0.0" },
      { name = "a", version = "1.0.0\n" }, { name = ".a", version = "1.0.0" }, { name = "a", version = "latest" },
    } do
      local repo = "bad/c" .. i
      faults.seed {
        repo = repo, tag = "1", layers = { { data = "x", media_type = CONTENT } },
        config = { data = oras.json.encode(chart), media_type = "application/vnd.cncf.helm.config.v1+json" },
      }
      local err = helper.fails(charts, "pull", ("%s/%s:1"):format(faults.host "http", repo), dir .. "/out")
      assert.equal("content", err.class, err.message)
    end
    assert.equal("", helper.list(dir))
  end)

  it("says what is no chart", function()
    assert.equal("content", helper.fails(charts, "inspect", "oci:examples/layout:1.0.0-0").class)
    local tar = dir .. "/no.tgz"
    helper.write(dir .. "/x", "x")
    process.sh("tar -C %s -czf %s x", dir, tar)
    assert.is_not_nil(helper.fails(charts, "push", "oci:" .. dir .. "/s:1", tar).message:find "has no NAME/Chart.yaml")
    local err = helper.fails(charts, "push", "oci:" .. dir .. "/s:1", pack(dir, CHART_YAML, "other"))
    assert.is_not_nil(err.message:find "in the directory other")
    local odd = pack(dir, "name: demo\nversion: &x 1\n")
    assert.is_not_nil(helper.fails(charts, "push", "oci:" .. dir .. "/s:1", odd).message:find "Chart.yaml, line 2")
  end)
end)

describe("the helm provider and helm", function()
  after_each(helper.clean)

  it("read each other's charts, whose config has the same digest", function()
    local helm, why = services.peer "helm"
    local registry = services.get "registry"
    if not helm or not registry then
      return pending(why or services.missing "registry")
    end
    local dir = helper.directory()
    local charts = Charts:new { config_path = "/nonexistent" }
    local function run(command, ...)
      return process.sh(("cd %s && HELM_CACHE_HOME=%s/c HELM_CONFIG_HOME=%s/f HELM_DATA_HOME=%s/d %s "):format(
        process.quote(dir), dir, dir, dir, process.quote(helm)) .. command, ...)
    end
    run "create demo"
    local file <close> = assert(io.open(dir .. "/demo/Chart.yaml", "a"))
    file:write "keywords: [a, '<b>']\nmaintainers:\n- name: Ann\n  email: ann@example.com\nhome: https://example.com\n"
    file:close()
    run "package demo"
    run("push demo-0.1.0.tgz %s --plain-http", ("oci://%s/theirs"):format(registry))
    charts:push(registry .. "/ours", dir .. "/demo-0.1.0.tgz")

    local theirs = charts:get_manifest(registry .. "/theirs/demo:0.1.0")
    local ours = charts:get_manifest(registry .. "/ours/demo:0.1.0")
    assert.same(theirs.config, ours.config)
    assert.same(theirs.layers, ours.layers)
    theirs.annotations["org.opencontainers.image.created"] = nil -- when it was pushed
    assert.same(theirs.annotations, ours.annotations)

    assert.equal("demo-0.1.0.tgz", charts:inspect(registry .. "/theirs/demo:0.1.0").file)
    local pulled = charts:pull(registry .. "/theirs/demo:0.1.0", dir .. "/out")
    assert.equal(helper.read(dir .. "/demo-0.1.0.tgz"), helper.read(pulled[1].path))
    process.sh("mv %s %s", dir .. "/demo-0.1.0.tgz", dir .. "/theirs.tgz")
    run("pull %s --version 0.1.0 --plain-http", ("oci://%s/ours/demo"):format(registry))
    assert.equal(helper.read(dir .. "/demo-0.1.0.tgz"), helper.read(dir .. "/theirs.tgz"))
    assert.is_not_nil(run("show values %s --version 0.1.0 --plain-http", ("oci://%s/ours/demo"):format(registry))
      :find "replicaCount")
  end)
end)
