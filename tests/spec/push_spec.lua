--- push: what is given becomes the layers of one manifest, the same bytes each time.
local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local TITLE <const> = "org.opencontainers.image.title"
local UNPACK <const> = "io.deis.oras.content.unpack"
local CONTENT <const> = "io.deis.oras.content.digest"
local CREATED <const> = "org.opencontainers.image.created"
local GZIP <const> = oras.oci.media_types.layer_gzip
local EMPTY <const> = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

local registry, dir, repo, ref

local function text(title, data, more)
  local file = { data = data or "data of " .. title, title = title, media_type = "text/plain" }
  for key, value in pairs(more or {}) do
    file[key] = value
  end
  return file
end

local function tree(path)
  assert(os.execute(("mkdir -p '%s/deep/er'"):format(path)))
  helper.write(path .. "/a.txt", "a\n")
  helper.write(path .. "/deep/er/b", ("b"):rep(100000))
  return path
end

-- A script in a directory of its own, and what it printed; the module's tests do not change theirs.
local function run_in(where, script)
  helper.write(where .. "/.script.lua", script)
  return process.shell(("cd '%s' && '%s' ./.script.lua"):format(where, process.oras_lua))
end

local function uploads(method)
  local n = 0
  for _, entry in ipairs(faults.log { method = method }) do
    n = n + (entry.path:find("/blobs/uploads/", 1, true) and 1 or 0)
  end
  return n
end

local function nothing_stored()
  local content = faults.content(repo)
  assert.same({}, content.tags)
  assert.same({}, content.manifests)
  assert.equal(0, content.uploads)
end

describe("push", function()
  before_each(function()
    faults.reset()
    registry, dir, repo = helper.registry(), helper.directory(), "q/app"
    ref = ("%s/%s:1"):format(faults.host "http", repo)
  end)
  after_each(helper.clean)

  it("makes a layer of each thing, and gives descriptor and manifest", function()
    helper.write(dir .. "/file", "from a file")
    local pieces = { "from ", "a ", "reader" }
    local descriptor, manifest = registry:push(ref, {
      { path = dir .. "/file", title = "f.bin" },
      text("d.txt", "from a string", { annotations = { kind = "note" } }),
      { title = "r", reader = function()
        return table.remove(pieces, 1)
      end },
      { data = "untitled", media_type = "application/x.y+json" },
    }, { annotations = { made = "here" }, artifact_type = "application/vnd.test" })

    assert.equal(oras.oci.media_types.manifest, descriptor.mediaType)
    local stored = registry:get_manifest(ref)
    assert.same(stored:descriptor(), manifest:descriptor())
    assert.equal(descriptor.digest, stored:descriptor().digest)
    assert.equal("application/vnd.test", stored.artifactType)
    assert.equal("here", stored.annotations.made)
    assert.equal(EMPTY, stored.config.digest)
    local seen = {}
    for i, layer in ipairs(stored.layers) do
      seen[i] = ("%s %s %s"):format((layer.annotations or {})[TITLE], layer.mediaType,
        registry:get_blob(ref, layer).content)
    end
    assert.same({
      "f.bin application/vnd.oci.image.layer.v1.tar from a file",
      "d.txt text/plain from a string",
      "r application/vnd.oci.image.layer.v1.tar from a reader",
      "nil application/x.y+json untitled",
    }, seen)
    assert.equal("note", stored.layers[2].annotations.kind)
    assert.is_nil(stored.layers[4].annotations)
  end)

  it("has the bytes that oras writes: order, empty config, no data that was not asked for", function()
    local _, manifest = registry:push(ref, { text("a", "x") }, { annotations = { [CREATED] = "2024-01-01T00:00:00Z" } })
    assert.equal('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",'
      .. '"artifactType":"application/vnd.unknown.artifact.v1",'
      .. '"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"' .. EMPTY .. '","size":2,"data":"e30="},'
      .. '"layers":[{"mediaType":"text/plain","digest":"' .. oras.digest.of "x" .. '","size":1,'
      .. '"annotations":{"org.opencontainers.image.title":"a"}}],'
      .. '"annotations":{"org.opencontainers.image.created":"2024-01-01T00:00:00Z"}}', manifest:raw())
  end)

  it("packs a directory, says so and says what is inside", function()
    local descriptor, manifest = registry:push(ref, { { path = tree(dir .. "/t"), title = "sub/tree" } })
    local layer = manifest.layers[1]
    assert.equal(GZIP, layer.mediaType)
    assert.equal("sub/tree", layer.annotations[TITLE])
    assert.equal("true", layer.annotations[UNPACK])
    local list = {}
    for entry in registry:get_blob(ref, layer):entries() do
      list[#list + 1] = entry.path
    end
    assert.same({ "sub/tree", "sub/tree/a.txt", "sub/tree/deep", "sub/tree/deep/er", "sub/tree/deep/er/b" }, list)
    helper.write(dir .. "/blob.gz", registry:get_blob(ref, layer).content)
    local _, sum = process.shell(("gzip -dc '%s/blob.gz' | sha256sum"):format(dir))
    assert.equal(layer.annotations[CONTENT], "sha256:" .. sum:sub(1, 64))

    -- the same tree elsewhere and younger, under the same title
    tree(dir .. "/other")
    local again = registry:push(("%s/q/two:1"):format(faults.host "http"),
      { { path = dir .. "/other", title = "sub/tree" } }, { concurrency = 1 })
    assert.equal(descriptor.digest, again.digest)
  end)

  it("W10 packs a directory as it is told", function()
    for compression, suffix in pairs { zstd = "+zstd", none = "" } do
      local list = { { path = tree(dir .. "/t"), title = "t" } }
      local _, manifest = registry:push(ref, list, { compression = compression })
      assert.equal("application/vnd.oci.image.layer.v1.tar" .. suffix, manifest.layers[1].mediaType)
      local files = registry:pull(ref, { outdir = dir .. "/" .. compression })
      assert.is_true(files[1].unpacked)
      assert.equal("a\n", helper.read(dir .. "/" .. compression .. "/t/a.txt"))
    end
  end)

  it("comes back as it was by pull", function()
    helper.write(dir .. "/plain", "plain\n")
    registry:push(ref, { { path = tree(dir .. "/t"), title = "tree" }, { path = dir .. "/plain", title = "x/plain" } })
    local files = registry:pull(ref, { outdir = dir .. "/out" })
    assert.same({ true, false }, { files[1].unpacked, files[2].unpacked })
    assert.equal(0, (process.shell(("diff -r '%s/t' '%s/out/tree' && cmp '%s/plain' '%s/out/x/plain'"):format(
      dir, dir, dir, dir))))
    local packed = registry:pull(ref, { outdir = dir .. "/packed", unpack = false })
    assert.is_false(packed[1].unpacked)
    assert.equal(packed[1].descriptor.digest, oras.digest.of_file(dir .. "/packed/tree"))
  end)

  it("stores into a layout as into a registry, the same manifest", function()
    local list = { text "a", { path = tree(dir .. "/t"), title = "t" } }
    local remote = registry:push(ref, list, { artifact_type = "a/b" })
    local place = ("oci:%s/layout:1"):format(dir)
    local here = registry:push(place, list, { artifact_type = "a/b", tags = { "2" } })
    assert.same({ remote.digest, remote.size }, { here.digest, here.size })
    assert.same({ "1", "2" }, registry:get_tags(place))
    registry:pull(("oci:%s/layout:2"):format(dir), { outdir = dir .. "/out" })
    assert.equal("data of a", helper.read(dir .. "/out/a"))
    assert.equal("a\n", helper.read(dir .. "/out/t/a.txt"))
    assert.equal(here.digest, registry:push(place, list, { artifact_type = "a/b" }).digest)
  end)

  it("asks once for each blob of an unchanged tree, and uploads nothing", function()
    local list = { text "a", text "b", { path = tree(dir .. "/t"), title = "t" } }
    local first = registry:push(ref, list)
    faults.reset { content = false }
    local second = helper.registry():push(ref, list)
    assert.equal(first.digest, second.digest)
    assert.equal(0, uploads "POST")
    assert.equal(0, uploads "PUT")
    local heads = {}
    for _, entry in ipairs(faults.log { method = "HEAD", path = "/v2/q/app/blobs/*" }) do
      heads[#heads + 1] = entry.path
    end
    assert.equal(4, #heads)
  end)

  it("uploads the same content once, under two titles", function()
    local _, manifest = registry:push(ref, { text("a", "same"), text("b", "same"), text("c", "{}") })
    assert.equal(manifest.layers[1].digest, manifest.layers[2].digest)
    assert.equal(2, uploads "PUT")
  end)

  it("stores nothing without a file but what is asked for", function()
    local _, manifest = registry:push(ref, {}, { artifact_type = "application/vnd.flag" })
    assert.equal(EMPTY, manifest.layers[1].digest)
    assert.equal(1, #manifest.layers)
    assert.equal("e30=", manifest.layers[1].data)
    assert.equal("{}", registry:get_blob(ref, EMPTY).content)
    registry:push(ref, {}, { annotations = { only = "this" } })
    local err = helper.fails(registry, "push", ref, {})
    assert.equal("usage", err.class)
    assert.matches("nothing to push", err.message)
  end)

  it("takes a config as a file, as bytes, or a platform for which it makes one", function()
    helper.write(dir .. "/c.json", '{"a":1}')
    local _, manifest = registry:push(ref, { text "a" }, { config = dir .. "/c.json:application/vnd.c+json" })
    assert.equal("application/vnd.c+json", manifest.config.mediaType)
    assert.is_nil(manifest.artifactType)
    assert.same({ a = 1 }, (registry:get_config(ref)))
    _, manifest = registry:push(ref, { text "a" }, { config = { data = "x" }, artifact_type = "a/b" })
    assert.equal("application/vnd.unknown.config.v1+json", manifest.config.mediaType)
    assert.equal("a/b", manifest.artifactType)
    for _, case in ipairs {
      { "linux/amd64", '{"architecture":"amd64","os":"linux"}' },
      { "linux/arm64/v8", '{"architecture":"arm64","os":"linux","variant":"v8"}' },
      { "linux/x86_64", '{"architecture":"amd64","os":"linux"}' },
    } do
      _, manifest = registry:push(ref, { text "a" }, { platform = case[1] })
      assert.equal(oras.oci.media_types.config, manifest.config.mediaType)
      assert.equal(case[2], registry:get_blob(ref, manifest.config).content)
      assert.equal("application/vnd.unknown.artifact.v1", manifest.artifactType)
    end
    assert.equal("data of a", registry:get_blob(ref, registry:get_manifest(ref, {
      platform = "linux/amd64",
    }).layers[1]).content)
  end)

  it("names a subject by reference, descriptor or manifest", function()
    local subject, doc = registry:push(ref, { text "app" })
    local place = ("%s/%s:sbom"):format(faults.host "http", repo)
    for _, about in ipairs { ref, subject, doc, registry:get_container(ref) } do
      local _, manifest = registry:push(place, { text "sbom" }, { subject = about })
      assert.same({ mediaType = subject.mediaType, digest = subject.digest, size = subject.size },
        { mediaType = manifest.subject.mediaType, digest = manifest.subject.digest, size = manifest.subject.size })
    end
    for _, about in ipairs { {}, { digest = subject.digest }, "host/other/repo:1", { 1 } } do
      assert.equal("usage", helper.fails(registry, "push", place, { text "x" }, { subject = about }).class)
    end
  end)

  it("gives more tags, or none", function()
    local descriptor = registry:push(ref, { text "a" }, { tags = { "2", "latest" } })
    assert.same({ ["1"] = descriptor.digest, ["2"] = descriptor.digest, latest = descriptor.digest },
      faults.content(repo).tags)
    local other = ("%s/q/untagged"):format(faults.host "http")
    local alone = registry:push(other, { text "a" }, { untagged = true })
    assert.same({}, faults.content("q/untagged").tags)
    assert.equal(alone.digest, registry:get_manifest(other .. "@" .. alone.digest):descriptor().digest)
    assert.equal("usage", helper.fails(registry, "push", ref, { text "a" }, { tags = { "no tag" } }).class)
  end)

  it("W3 says when it was made only when asked", function()
    local function created(value)
      local _, manifest = registry:push(ref, { text "a" }, { created = value })
      return (manifest.annotations or {})[CREATED]
    end
    assert.is_nil(created(nil))
    assert.is_nil(created(false))
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", created(true))
    assert.equal("2001-09-09T01:46:40Z", created(1000000000))
    assert.equal("2024-02-29T12:00:00+02:00", created "2024-02-29T12:00:00+02:00")
    for _, bad in ipairs { "yesterday", "2024-02-29", "2024-02-29T12:00:00", math.maxinteger } do
      assert.equal("usage", helper.fails(registry, "push", ref, { text "a" }, { created = bad }).class)
    end
    local _, out = process.shell(("SOURCE_DATE_EPOCH=1000000000 '%s' -e '%s'"):format(process.oras_lua, ([[
      local _, m = require("oras").Registry:new():push("%s", { { data = "x", title = "x" } })
      print(m.annotations["%s"]) ]]):format(ref, CREATED)))
    assert.equal("2001-09-09T01:46:40Z\n", out)
  end)

  it("takes titles from paths below the working directory, and no others", function()
    tree(dir .. "/t")
    helper.write(dir .. "/with:colon", "c")
    helper.write(dir .. "/typed", "t")
    local status, out, err = run_in(dir, ([[
      local oras = require "oras"
      local r, ref = oras.Registry:new(), %q
      local _, m = r:push(ref, {
        "./t//a.txt", "%s/t/deep", "with:colon", "typed:application/vnd.t+json", { path = "typed", title = "again" },
      })
      for _, layer in ipairs(m.layers) do
        print(layer.annotations[%q], layer.mediaType)
      end
      for _, bad in ipairs { "../x", "/etc/passwd", "t/../../x", ".", "%s" } do
        local ok, e = oras.try(r.push, r, ref, { bad })
        print(ok, e.class)
      end
      local _, m = r:push(ref, { "/etc/passwd", "with:colon:" }, { disable_path_validation = true })
      print(m.layers[1].annotations[%q], m.layers[2].annotations[%q])
    ]]):format(ref, dir, TITLE, dir, TITLE, TITLE))
    assert.equal("", err)
    assert.equal(0, status)
    assert.equal(table.concat({
      "t/a.txt\tapplication/vnd.oci.image.layer.v1.tar",
      "t/deep\tapplication/vnd.oci.image.layer.v1.tar+gzip",
      "with:colon\tapplication/vnd.oci.image.layer.v1.tar",
      "typed\tapplication/vnd.t+json",
      "again\tapplication/vnd.oci.image.layer.v1.tar",
      "nil\tpath", "nil\tpath", "nil\tpath", "nil\tpath", "nil\tpath",
      "etc/passwd\twith:colon", "",
    }, "\n"), out)
  end)

  it("refuses titles that nobody could pull", function()
    for _, title in ipairs { "/abs", "../x", "a/../b", "", ".", "a\nb", "a\27b", ("x"):rep(300) } do
      assert.equal("path", helper.fails(registry, "push", ref, { text(title, "x") }).class)
      assert.equal("path", helper.fails(registry, "push", ref, {
        { data = "x", annotations = { [TITLE] = title } },
      }).class)
    end
    for _, pair in ipairs { { "a", "a" }, { "a", "./a" }, { "a", "a/b" }, { "x/y/z", "x" } } do
      local err = helper.fails(registry, "push", ref, { text(pair[1]), text(pair[2]) })
      assert.equal("usage", err.class)
    end
    nothing_stored()
  end)

  it("L04 L07 refuses what is missing, unreadable, or no file, before anything is sent", function()
    tree(dir .. "/t")
    assert(os.execute(("mkfifo '%s/fifo'"):format(dir)))
    assert(os.execute(([[python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('%s/socket')"]]):format(dir)))
    for name, class in pairs { missing = "io", fifo = "usage", socket = "usage", ["t/a.txt/below"] = "io" } do
      local path = dir .. "/" .. name
      local err = helper.fails(registry, "push", ref, { text "good", { path = path, title = "x" } })
      assert.equal(class, err.class, name)
      assert.matches(path, err.message, 1, true)
    end
    assert.equal("usage", helper.fails(registry, "push", ref, { { path = "/dev/null", title = "x" } }).class)
    assert.equal("usage", helper.fails(registry, "push", ref, {}, { config = dir }).class)
    assert.same({}, faults.log { method = "POST" })
    nothing_stored()
  end)

  it("L04 says that a file of a directory cannot be read, and leaves no manifest", function()
    tree(dir .. "/t")
    assert(os.execute(("mkfifo '%s/t/deep/fifo'"):format(dir)))
    local err = helper.fails(registry, "push", ref, { { path = dir .. "/t", title = "t" } })
    assert.equal("path", err.class)
    assert.matches("fifo", err.message, 1, true)
    nothing_stored()
  end)

  it("L06 stores no manifest of a file that changes while it is sent", function()
    local path = helper.write(dir .. "/grows", ("x"):rep(300000))
    registry:on("request", function(request)
      if request.method == "PUT" and request.url:find("/uploads/", 1, true) then
        helper.write(path, ("y"):rep(300000))
      end
    end)
    local err = helper.fails(registry, "push", ref, { { path = path, title = "g" } })
    assert.equal("content", err.class)
    assert.matches("changed", err.message)
    nothing_stored()
  end)

  it("raises what a reader raises", function()
    local err = helper.fails(registry, "push", ref, { { title = "r", reader = function()
      oras.json.decode "{"
    end } })
    assert.equal("content", err.class)
    nothing_stored()
  end)

  it("cancels the others when one upload fails, and stores no manifest", function()
    faults.on { method = "PUT", path = "/v2/q/app/blobs/uploads/*", status = 413, nth = 2, always = true }
    local list = {}
    for i = 1, 20 do
      list[i] = text("f" .. i)
    end
    local err = helper.fails(registry, "push", ref, list)
    assert.equal(413, err.status)
    assert.same({}, faults.content(repo).manifests)
    local begun, ended = {}, {}
    for _, entry in ipairs(faults.log { path = "/v2/q/app/blobs/uploads/?*" }) do
      begun[#begun + 1] = entry.method == "PUT" and entry.status ~= 201 and entry.path or nil
      ended[entry.method == "DELETE" and entry.path or ""] = true
    end
    assert.is_true(#begun > 0)
    for _, session in ipairs(begun) do
      assert.is_true(ended[session], session)
    end
    faults.reset { content = false }
    registry:push(ref, list)
  end)

  it("says in one line what the registry refuses, and stores no manifest", function()
    local uploads_path, manifests = "/v2/q/app/blobs/uploads/*", "/v2/q/app/manifests/*"
    for _, case in ipairs {
      { "POST", uploads_path, 405, "unsupported" }, { "POST", uploads_path, 403, "denied" },
      { "PUT", uploads_path, 413, "limit" }, { "PUT", uploads_path, 507, "limit" },
      { "PUT", manifests, 405, "unsupported" }, { "PUT", manifests, 413, "limit" }, { "PUT", manifests, 500, "server" },
    } do
      faults.reset()
      faults.on { method = case[1], path = case[2], status = case[3], always = true }
      local err = helper.fails(helper.registry(), "push", ref, { text "a" })
      assert.same({ case[4], case[3] }, { err.class, err.status }, tostring(err))
      assert.matches("q/app", tostring(err), 1, true)
      assert.is_nil(tostring(err):find "\n")
      assert.same({}, faults.content(repo).tags)
    end
  end)

  it("sends everything through the steps that a class may override", function()
    local Own = oras.Registry:extend "Own"
    local seen = {}
    for _, name in ipairs { "upload_blob", "pack_manifest", "upload_manifest" } do
      Own[name] = function(self, ...)
        seen[#seen + 1] = name
        return Own.super[name](self, ...)
      end
    end
    Own:new({ config_path = "/nonexistent" }):push(ref, { text "a" }, { concurrency = 1 })
    assert.same({ "upload_blob", "upload_blob", "pack_manifest", "upload_manifest" }, seen)
  end)

  it("sends several blobs at once", function()
    faults.on { method = "PUT", path = "/v2/q/app/blobs/uploads/*", hold = "all", always = true }
    local done
    oras.gather(function()
      done = registry:push(ref, { text "a", text "b", text "c" })
    end, function()
      repeat
        core.clock.sleep(0.01)
      until uploads "PUT" >= 4
      faults.release "all"
      faults.reset { content = false }
    end)
    assert.truthy(done)
  end)

  it("asks for one token, which may push and pull", function()
    local place = faults.host "http" .. "/bearer/app:1"
    registry:set_basic_auth("alice", "wonder:land")
    registry:push(place, { text "a", text "b" })
    assert.equal(1, #faults.log { path = "/token" })
  end)

  it("says that an override of a step gives nothing", function()
    local Own = oras.Registry:extend "Own"
    function Own.upload_blob() end
    local err = helper.fails(Own:new(), "push", ref, { { reader = function() end } })
    assert.equal("usage", err.class)
    assert.matches("upload_blob gives a descriptor", err.message)
  end)

  it("tells how far it is, and pull too", function()
    local told = {}
    registry:on("progress", function(event)
      table.insert(told, event)
    end)
    local list = { text "a", { path = tree(dir .. "/t"), title = "t" }, { path = dir .. "/t/a.txt", title = "f" } }
    local function check(phases, total)
      local last, seen = told[#told].blobs, {}
      assert.same({ done = total, total = total }, { done = last.done, total = last.total })
      for _, event in ipairs(told) do
        seen[#seen + 1] = event.title and ("%s %s"):format(event.phase, event.title)
      end
      for _, phase in ipairs(phases) do
        assert.truthy((" " .. table.concat(seen, " ") .. " "):find(" " .. phase .. " ", 1, true), phase)
      end
      told = {}
    end
    registry:push(ref, list)
    check({ "upload a", "pack t", "hash f", "upload f" }, 4)
    registry:pull(ref, { outdir = dir .. "/out" })
    check({ "download a", "extract t", "download f" }, 3)
    helper.write(dir .. "/out/t/mine", "more")
    registry:pull(ref, { outdir = dir .. "/out" })
    check({ "extract t" }, 1)
    os.remove(dir .. "/out/t/mine")
    assert.equal(3, #registry:pull(ref, { outdir = dir .. "/out" }).skipped)
    for _, event in ipairs(told) do
      assert.is_nil(event.blobs) -- of the manifest alone
    end
  end)

  it("refuses bad options and files at the caller's line, with oras-py's names explained", function()
    local one = { text "a" }
    for _, case in ipairs {
      { one, { compression = "xz" } }, { one, { concurrency = 0 } }, { one, { artifact_type = "nonsense" } },
      { one, { annotations = { a = 1 } } }, { one, { platform = "linux" } }, { one, { tags = { a = "b" } } },
      { one, { platform = "linux/amd64", config = "x" } }, { one, { annotations = {}, annotation_file = "x" } },
      { "file" }, { { path = "x" } }, { { 1 } }, { { "" } }, { { {} } }, { { { path = "x", data = "y" } } },
      { { { data = "x", media_type = "nonsense" } } }, { { { data = "x", size = 1 } } },
      { { { data = "x", titel = "y" } } }, { { { data = "x", annotations = { a = true } } } },
    } do
      local err = helper.fails(registry, "push", ref, case[1], case[2])
      assert.equal("usage", err.class, err.message)
      assert.matches(case[2] and case[2].platform == "linux" and "^platform" or "^push", err.message)
    end
    local err = helper.fails(registry, "push", ref, one, { manifest_annotations = {} })
    assert.matches("here: annotations", err.message, 1, true)
    err = helper.fails(registry, "push", ref, one, { manifest_config = "x" })
    assert.matches("here: config", err.message, 1, true)
    err = helper.fails(registry, "push", ref .. "@" .. EMPTY, one)
    assert.equal("usage", err.class)
    assert.same({}, faults.log { listener = "http" })
  end)
end)
