--- Registry:referrers: who refers to a manifest, by the API, by the tag, in a layout.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local referring = require "tests.spec.referring"

local digests, entry, refer = referring.digests, referring.entry, referring.refer

local registry, ref, subject

local function list_tag(one)
  return (one.digest:gsub(":", "-"))
end

local function seed_list(...)
  faults.seed {
    repo = "r/app", tag = list_tag(subject), media_type = referring.INDEX, manifest = referring.list(...),
  }
end

local function usage(text, ...)
  local err = helper.fails(registry, "referrers", ...)
  assert.equal("usage", err.class, tostring(err))
  assert.matches(text, err.message, 1, true)
end

local function sorted(list)
  local names = digests(list)
  table.sort(names)
  return names
end

local function sort(...)
  local names = { ... }
  table.sort(names)
  return names
end

before_each(function()
  faults.reset()
  registry = helper.registry()
  ref = faults.host "http" .. "/r/app"
  subject = referring.seed("r/app", { tag = "v1" })
end)
after_each(helper.clean)

describe("referrers", function()
  it("lists descriptors with type and annotations", function()
    local sbom = refer("r/app", subject, "sbom", { k = "v" })
    local list = registry:referrers(ref .. ":v1")
    assert.same({ entry(sbom, { artifactType = "application/x.sbom", annotations = { k = "v" } }) }, list)
  end)

  it("asks with one request by digest, whether or not the subject is there", function()
    assert.same({}, registry:referrers(ref .. "@" .. oras.digest.of "gone"))
    assert.same({ "GET referrers 200" }, faults.trace())
  end)

  it("says when a tag is not there", function()
    assert.equal("not_found", helper.fails(registry, "referrers", ref .. ":nothing").class)
  end)

  it("follows pages, and lists nobody twice", function()
    local all = {}
    for i = 1, 7 do
      all[i] = refer("r/app", subject, "n" .. i)
    end
    faults.config { referrers_page = 2 }
    assert.same(sort(table.unpack(digests(all))), sorted(registry:referrers(ref .. ":v1")))
    assert.equal(4, faults.count({ path = "*/referrers/*" }).total)
    faults.on(referring.rule(nil, entry(all[1]), entry(all[1]), entry(all[2])))
    assert.same({ all[1].digest, all[2].digest }, digests(registry:referrers(ref .. ":v1")))
  end)

  it("N52 fails on pages that go in circles, or without end", function()
    local rule = referring.rule()
    rule.headers.Link = '</v2/r/app/referrers/' .. subject.digest .. '?page=2>; rel="next"'
    faults.on(rule)
    assert.equal("protocol", helper.fails(registry, "referrers", ref .. ":v1").class)
    faults.reset { content = false }
    for i = 2, 6 do
      faults.config { referrers_page = 1 }
      refer("r/app", subject, "n" .. i)
    end
    registry = helper.registry { limits = { pages = 3 } }
    local err = helper.fails(registry, "referrers", ref .. ":v1")
    assert.equal("limit", err.class)
    assert.matches("more than 3 pages", err.message, 1, true)
  end)

  it("N35 does not take a later page that is missing for a registry without the API", function()
    for i = 1, 3 do
      refer("r/app", subject, "n" .. i)
    end
    faults.config { referrers_page = 2 }
    faults.on { path = "*/referrers/*", target = "start=", status = 404 }
    assert.equal("not_found", helper.fails(registry, "referrers", ref .. ":v1").class)
  end)

  it("N35 fails on a later page that lists nothing, and does not forget the first", function()
    for i = 1, 3 do
      refer("r/app", subject, "n" .. i)
    end
    faults.config { referrers_page = 2 }
    faults.on {
      path = "*/referrers/*", target = "start=", status = 200, headers = { ["Content-Type"] = referring.INDEX },
      body = "{}",
    }
    local err = helper.fails(registry, "referrers", ref .. ":v1")
    assert.equal("content", err.class)
    assert.matches("/manifests is no array", err.message, 1, true)
  end)

  it("checks what it is given, and what a list says", function()
    usage("annotations", ref, { annotations = { 1 } })
    usage("annotations", ref, { annotations = { a = false } })
    usage('unknown option "artifactType" (artifact_type?)', ref, { artifactType = "x" })
    faults.on(referring.rule(nil, { mediaType = "a/b", digest = "sha256:../..", size = 1 }))
    local err = helper.fails(registry, "referrers", ref .. "@" .. subject.digest)
    assert.equal("content", err.class)
    assert.matches("referrers of " .. subject.digest, err.message, 1, true)
  end)
end)

describe("referrers of a type", function()
  local sbom, signature
  before_each(function()
    sbom, signature = refer("r/app", subject, "sbom+json", { k = "v" }), refer("r/app", subject, "signature")
  end)

  local function of_type(name)
    return digests(registry:referrers(ref .. "@" .. subject.digest, { artifact_type = "application/x." .. name }))
  end

  it("are asked of the registry, with the type encoded", function()
    assert.same({ sbom.digest }, of_type "sbom+json")
    assert.matches("?artifactType=application/x.sbom%2Bjson", faults.log()[1].target, 1, true)
    assert.same({}, of_type "other")
  end)

  local LIST <const> = function()
    return entry(sbom, { artifactType = "application/x.sbom+json" }),
      entry(signature, { artifactType = "application/x.signature" })
  end

  it("are chosen here where the registry does not filter, or not by type", function()
    for _, field in ipairs { "", "annotations", "artifacttype, x" } do
      faults.reset { content = false }
      local rule = referring.rule(nil, LIST())
      rule.headers["OCI-Filters-Applied"] = field
      faults.on(rule)
      assert.same({ sbom.digest }, of_type "sbom+json")
    end
  end)

  it("are never others although the registry says it has filtered", function()
    local rule = referring.rule(nil, LIST())
    rule.headers["OCI-Filters-Applied"] = "artifactType"
    faults.on(rule)
    assert.same({ sbom.digest }, of_type "sbom+json")
  end)

  it("are taken as the registry filtered them where it tells no types", function()
    local rule = referring.rule(nil, entry(sbom))
    rule.headers["OCI-Filters-Applied"] = "x , artifactType"
    faults.on(rule)
    assert.same({ sbom.digest }, of_type "sbom+json")
    assert.equal(1, #faults.log())
  end)

  it("are found by their manifests where a list tells none, or that of the empty config", function()
    faults.on(referring.rule(nil, entry(sbom), entry(signature, { artifactType = oras.oci.media_types.empty })))
    assert.same({ signature.digest }, of_type "signature")
    assert.equal(2, faults.count({ path = "*/manifests/*" }).total)
    assert.equal("application/x.sbom+json", registry:referrers(ref .. "@" .. subject.digest)[1].artifactType)
  end)

  it("are texts, whatever a list says", function()
    for _, wrong in ipairs { 1, true, oras.json.null, { a = "b" } } do
      faults.reset { content = false }
      local gone = { digest = oras.digest.of "gone", size = 4 }
      faults.on(referring.rule(nil, entry(sbom, { artifactType = wrong }), entry(gone, { artifactType = wrong })))
      local list = registry:referrers(ref .. "@" .. subject.digest)
      assert.same({ "application/x.sbom+json" }, { list[1].artifactType, list[2].artifactType })
    end
  end)

  it("may have annotations to be chosen by", function()
    local function with(annotations)
      return digests(registry:referrers(ref .. ":v1", { annotations = annotations }))
    end
    assert.same({ sbom.digest }, with { k = "v" })
    assert.same({ sbom.digest }, with { k = true })
    assert.same({}, with { k = "w" })
    assert.same({}, with { k = "v", other = true })
    assert.same({}, digests(registry:referrers(ref .. ":v1", {
      annotations = { k = "v" }, artifact_type = "application/x.signature",
    })))
  end)
end)

describe("referrers without the API", function()
  local sbom
  before_each(function()
    sbom = refer("r/app", subject, "sbom")
    seed_list(entry(sbom, { artifactType = "application/x.sbom" }))
    referring.without_api()
  end)

  it("N35 come from the tag, and the API is asked once", function()
    assert.same({ sbom.digest }, digests(registry:referrers(ref .. "@" .. subject.digest)))
    registry:referrers(ref .. "@" .. subject.digest)
    assert.same({ "GET referrers 404", "GET manifest 200", "GET manifest 200" }, faults.trace())
  end)

  it("N35 are nobody where there is no tag, or one that is no list", function()
    assert.same({}, registry:referrers(ref .. "@" .. sbom.digest))
    faults.seed { repo = "r/app", tag = list_tag(subject), layers = { { data = "no list" } } }
    assert.same({}, registry:referrers(ref .. "@" .. subject.digest))
  end)

  it("are filtered here", function()
    assert.equal(1, #registry:referrers(ref .. ":v1", { artifact_type = "application/x.sbom" }))
    assert.equal(0, #registry:referrers(ref .. ":v1", { artifact_type = "application/x.other" }))
  end)

  it("are no list of our own because the registry was busy", function()
    faults.reset { content = false }
    faults.config { oci_subject = false }
    faults.on { path = "*/referrers/*", status = 429, always = true }
    registry = helper.registry { retry = { wait = 0, tries = 1 } }
    local before = faults.content("r/app").tags[list_tag(subject)]
    local err = helper.fails(registry, "attach", ref .. ":v1", {}, { artifact_type = "a/b", annotations = { k = "v" } })
    assert.equal("rate", err.class)
    assert.equal(before, faults.content("r/app").tags[list_tag(subject)])
  end)

  it("are an error where it is not the API that is missing", function()
    for _, case in ipairs { { 401, "auth" }, { 403, "denied" }, { 500, "server" } } do
      faults.on { path = "*/referrers/*", status = case[1], always = true }
      registry = helper.registry { retry = { wait = 0, tries = 1 } }
      assert.equal(case[2], helper.fails(registry, "referrers", ref .. "@" .. subject.digest).class)
      faults.reset { content = false }
    end
  end)

  it("come from the tag where the answer is no list", function()
    faults.on {
      path = "*/referrers/*", status = 200, headers = { ["Content-Type"] = "text/html" }, body = "<p>", always = true,
    }
    assert.same({ sbom.digest }, digests(registry:referrers(ref .. "@" .. subject.digest)))
  end)
end)

describe("the option referrers", function()
  it("tag: never asks the API, and keeps the tag although there is one", function()
    registry = helper.registry { referrers = "tag" }
    local d = registry:attach(ref .. ":v1", {}, { artifact_type = "a/b", annotations = { k = "v" } })
    assert.equal(0, faults.count({ path = "*/referrers/*" }).total)
    assert.same({ d.digest }, digests(registry:get_manifest(ref .. ":" .. list_tag(subject)).manifests))
    assert.same({ d.digest }, digests(registry:referrers(ref .. ":v1")))
    registry:delete_manifest(ref .. "@" .. d.digest)
    assert.same({}, digests(registry:get_manifest(ref .. ":" .. list_tag(subject)).manifests))
    assert.equal(0, faults.count({ path = "*/referrers/*" }).total)
  end)

  it("api: has no other way, and writes no tag", function()
    referring.without_api()
    registry = helper.registry { referrers = "api" }
    local err = helper.fails(registry, "referrers", ref .. ":v1")
    assert.same({ "unsupported", 404 }, { err.class, err.status })
    assert.equal(("%s: the registry has no referrers API"):format(ref:match "^[^/]*"), err.message)
    registry:attach(ref .. ":v1", {}, { artifact_type = "a/b", annotations = { k = "v" } })
    assert.is_nil(faults.content("r/app").tags[list_tag(subject)])
    faults.on { path = "*/referrers/*", status = 200, headers = { ["Content-Type"] = "text/html" }, body = "<p>" }
    assert.equal("unsupported", helper.fails(registry, "referrers", ref .. ":v1").class)
  end)

  it("is one of three", function()
    local err = select(2, oras.try(oras.Registry.new, oras.Registry, { referrers = "both" }))
    assert.equal("usage", err.class)
    assert.matches('"auto", "api" or "tag", not "both"', err.message, 1, true)
  end)
end)

describe("referrers in a layout", function()
  local function attach(place, name, more)
    local opts = { artifact_type = "application/x." .. name, annotations = { name = name } }
    for key, value in pairs(more or {}) do
      opts[key] = value
    end
    return registry:attach(place, {}, opts)
  end

  for _, kind in ipairs { "layout", "layout.tar" } do
    it("are found in a " .. kind, function()
      local place = "oci:" .. helper.directory() .. "/" .. kind
      registry:push(place .. ":v1", { { data = "x" } })
      local sbom = attach(place .. ":v1", "sbom")
      assert.same({ {
        mediaType = referring.MANIFEST, digest = sbom.digest, size = sbom.size, artifactType = "application/x.sbom",
        annotations = { name = "sbom" },
      } }, registry:referrers(place .. ":v1"))
      local other = attach(place .. ":v1", "other")
      assert.same(sort(sbom.digest, other.digest), sorted(registry:referrers(place .. ":v1")))
      registry:delete_manifest(place .. "@" .. sbom.digest)
      assert.same({ other.digest }, digests(registry:referrers(place .. ":v1")))
      assert.same({ "v1" }, registry:get_tags(place))
    end)
  end

  it("are found below an index that lists them, and past what is not there", function()
    local place = "oci:" .. helper.directory()
    local d = registry:push(place .. ":v1", { { data = "x" } })
    local sbom = attach(place .. ":v1", "sbom")
    local gone = { mediaType = referring.MANIFEST, digest = oras.digest.of "gone", size = 4 }
    registry:upload_manifest(place .. ":all", { manifests = { d, sbom, gone } })
    local store = oras.layout.open((place:gsub("^oci:", "")))
    store:edit(function(index)
      for i = #index.manifests, 1, -1 do
        if index.manifests[i].digest == sbom.digest then
          table.remove(index.manifests, i)
        end
      end
      return true
    end)
    assert.same({ sbom.digest }, digests(helper.registry():referrers(place .. ":v1")))
  end)

  it("are kept in the tag that another tool has made, which is made with referrers = \"tag\" only", function()
    local place = "oci:" .. helper.directory()
    local d = registry:push(place .. ":v1", { { data = "x" } })
    attach(place .. ":v1", "before")
    assert.same({ "v1" }, registry:get_tags(place))
    registry = helper.registry { referrers = "tag" }
    local first = attach(place .. ":v1", "first")
    local list = place .. ":" .. list_tag(d)
    assert.same({ first.digest }, digests(registry:get_manifest(list).manifests))
    registry = helper.registry()
    local second = attach(place .. ":v1", "second")
    assert.same({ first.digest, second.digest }, digests(registry:get_manifest(list).manifests))
    registry:delete_manifest(place .. "@" .. first.digest)
    assert.same({ second.digest }, digests(registry:get_manifest(list).manifests))
    assert.equal(2, #registry:referrers(place .. ":v1"))
  end)
end)
