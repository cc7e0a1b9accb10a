local oras = require "oras"

local HEX <const> = ("0123456789abcdef"):rep(4)
local DIGEST <const> = "sha256:" .. HEX

describe("a container", function()
  local registry = oras.Registry:new()

  it("has the parts of the reference and URLs without scheme", function()
    local c = registry:get_container("ghcr.io/wolfv/conda-forge/linux-64/xtensor:0.9.0-0")

    assert.equal("ghcr.io", c.registry)
    assert.equal("wolfv/conda-forge/linux-64", c.namespace)
    assert.equal("xtensor", c.repository)
    assert.equal("wolfv/conda-forge/linux-64/xtensor", c.api_prefix)
    assert.equal("0.9.0-0", c.tag)
    assert.is_nil(c.digest)
    assert.equal("ghcr.io/wolfv/conda-forge/linux-64/xtensor:0.9.0-0", c.uri)
    assert.equal(c.uri, tostring(c))
    local base = "ghcr.io/v2/wolfv/conda-forge/linux-64/xtensor"
    assert.equal(base .. "/manifests/0.9.0-0", c:manifest_url())
    assert.equal(base .. "/manifests/other", c:manifest_url("other"))
    assert.equal(base .. "/blobs/" .. DIGEST, c:blob_url(DIGEST))
    assert.equal(base .. "/blobs/uploads/", c:upload_url())
    assert.equal(base .. "/tags/list", c:tags_url())
    assert.equal(base .. "/referrers/" .. DIGEST, c:referrers_url(DIGEST))
  end)

  it("means latest without tag and digest", function()
    assert.equal("latest", registry:get_container("ghcr.io/a/b").tag)
    assert.is_nil(registry:get_container("ghcr.io/a/b@" .. DIGEST).tag)
  end)

  it("prefers the digest in the manifest's URL", function()
    assert.matches("/manifests/sha256:", registry:get_container("ghcr.io/a/b:1@" .. DIGEST):manifest_url())
  end)

  it("takes the host of the option when the reference has none", function()
    local mirror = oras.Registry:new { hostname = "localhost:5000" }
    assert.equal("localhost:5000/a/b:1", mirror:get_container("a/b:1").uri)
  end)

  it("sends Docker Hub's names to its API", function()
    local c = registry:get_container("docker.io/library/alpine:3")
    assert.equal("docker.io/library/alpine:3", c.uri)
    assert.equal("registry-1.docker.io/v2/library/alpine/manifests/3", c:manifest_url())
  end)

  it("drops the digest for another tag and the tag for a digest, as a copy", function()
    local c = registry:get_container("ghcr.io/a/b:1@" .. DIGEST)
    assert.equal("ghcr.io/a/b:2", c:with_tag("2").uri)
    assert.equal("ghcr.io/a/b@" .. DIGEST, registry:get_container("ghcr.io/a/b:1"):with_digest(DIGEST).uri)
    assert.equal("1", c.tag)
    assert.equal("usage", select(2, oras.try(c.with_tag, c, "no good")).class)
    assert.equal("usage", select(2, oras.try(c.with_digest, c, "sha256:12")).class)
  end)

  it("of a layout may have a whole reference as its name", function()
    local c = registry:get_container "oci:some/dir::localhost:5000/a/b:v1"
    assert.same({ "layout", "some/dir", "localhost:5000/a/b:v1" }, { c.kind, c.path, c.tag })
    assert.equal("oci:some/dir::localhost:5000/a/b:v1", c.uri)
    assert.equal("oci:x.tar:v1", registry:get_container("oci:x.tar::v1").uri)
    assert.equal("oci:d::[::1]:5000/a:1", registry:get_container("oci:d"):with_tag("[::1]:5000/a:1").uri)
    assert.equal("oci:some/dir:v2", c:with_tag("v2").uri)
    assert.is_nil(c.implicit_tag)
    for _, bad in ipairs { "a b", "a/b\n", ("x"):rep(600) .. "/" .. ("y"):rep(600), "/a" } do
      assert.equal("usage", select(2, oras.try(c.with_tag, c, bad)).class)
    end
    local plain = registry:get_container "localhost:5000/a"
    assert.equal("usage", select(2, oras.try(plain.with_tag, plain, "localhost:5000/b:1")).class)
  end)

  it("names a layout on disk, which has no URLs", function()
    local c = registry:get_container("oci:some/dir:v1")
    assert.equal("layout", c.kind)
    assert.equal("some/dir", c.path)
    assert.equal("v1", c.tag)
    assert.equal("oci:some/dir:v1", c.uri)
    assert.equal("usage", select(2, oras.try(c.manifest_url, c)).class)
  end)

  it("is given back as it is by get_container", function()
    local c = registry:get_container("ghcr.io/a/b")
    assert.equal(c, registry:get_container(c))
  end)

  it("C38 refuses what is no reference", function()
    for _, text in ipairs {
      "", " ", "ghcr.io/", "ghcr.io/A", "ghcr.io/a:", "ghcr.io/a@", "ghcr.io/a@sha256:12", "http://ghcr.io/a",
      "user@ghcr.io/a/b", "ghcr.io/a..b", "ghcr.io/a/b:" .. ("t"):rep(129), "ghcr.io:65536/a", "ghcr.io/a b",
      "ghcr.io/../a", "oci:", "ghcr.io/" .. ("a"):rep(10000),
    } do
      local _, err = oras.try(registry.get_container, registry, text)
      assert.equal("usage", err and err.class, text:sub(1, 40))
    end
    assert.equal("usage", select(2, oras.try(registry.get_container, registry, nil)).class)
    assert.equal("usage", select(2, oras.try(registry.get_container, registry, {})).class)
  end)
end)
