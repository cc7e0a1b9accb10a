--- The image provider: config, history, and files of images that umoci and skopeo made, and of
--- layers whose marks and links are written for it.
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local oras = require "oras"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local Images = dofile "providers/image.lua"

local LAYER <const> = "application/vnd.oci.image.layer.v1.tar"
local CONFIG <const> = "application/vnd.oci.image.config.v1+json"

local MAKE <const> = [[
import io, json, sys, tarfile
out = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT)
for name, kind, text in json.load(sys.stdin):
    entry = tarfile.TarInfo(name)
    entry.type = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE,
                  "hard": tarfile.LNKTYPE, "fifo": tarfile.FIFOTYPE}[kind]
    data = text.encode() if kind == "file" else b""
    entry.size = len(data)
    if kind in ("link", "hard"):
        entry.linkname = text
    out.addfile(entry, io.BytesIO(data))
out.close()
]]

describe("the image provider", function()
  local images, dir, place

  before_each(function()
    dir = helper.directory()
    place = ("oci:%s/store:1"):format(dir)
    images = Images:new { config_path = "/nonexistent" }
  end)

  after_each(helper.clean)

  -- Layers, lowest first, each a list of {name, kind, text}.
  local function make(layers, config)
    local files = {}
    for i, entries in ipairs(layers) do
      local path = ("%s/%d.tar"):format(dir, i)
      local list = oras.json.array {}
      for j, entry in ipairs(entries) do
        list[j] = oras.json.array { entry[1], entry[2] or "file", entry[3] or "" }
      end
      process.sh("printf %%s %s | python3 -c %s %s", oras.json.encode(list), MAKE, path)
      files[i] = { path = path, media_type = LAYER, title = ("%d.tar"):format(i) }
    end
    config = config or { os = "linux", architecture = "amd64", rootfs = { type = "layers" } }
    images:push(place, files, { config = { data = oras.json.encode(config), media_type = CONFIG } })
  end

  local function read(path)
    return images:read(place, path)
  end

  local function missing(path)
    assert.is_nil(images:find(place, path), path)
    assert.equal("not_found", helper.fails(images, "read", place, path).class)
  end

  it("gives a file's bytes, whichever way its path is written", function()
    make { { { "etc", "dir" }, { "etc/name", "file", "one" }, { "./opt/x", "file", "two" } } }
    assert.equal("one", read "etc/name")
    assert.equal("one", read "/etc//./name")
    assert.equal("one", read "/../etc/a/../name")
    assert.equal("two", read "/opt/x")
    missing "etc/other"
    missing "name"
    local found = images:find(place, "/etc/name")
    assert.same({ "etc/name", "file", 3 }, { found.path, found.type, found.size })
    assert.equal(images:get_manifest(place).layers[1].digest, found.layer)
    assert.equal("directory", images:find(place, "etc").type)
    assert.equal("content", helper.fails(images, "read", place, "etc").class)
  end)

  it("takes the later layer's file", function()
    make { { { "a", "file", "old" }, { "b", "file", "kept" } }, { { "a", "file", "new" } }, { { "c" } } }
    assert.equal("new", read "a")
    assert.equal("kept", read "b")
    assert.equal("", read "c")
  end)

  it("knows what was taken away: a file, what it lay in, all that was in a directory", function()
    make {
      { { "d/a", "file", "1" }, { "d/e/f", "file", "2" }, { "o/a", "file", "3" }, { "o/p/q", "file", "4" } },
      { { "d/.wh.a" }, { "o/.wh..wh..opq" }, { "o/b", "file", "5" } },
      { { ".wh.d" }, { "x" } },
      { { "d/new", "file", "6" } },
    }
    missing "d/a"
    missing "d/e/f"
    missing "o/a"
    missing "o/p/q"
    assert.equal("5", read "o/b")
    assert.equal("6", read "d/new")
    missing ".wh.d"
  end)

  it("sees a file that comes with the mark which takes away the one below", function()
    make { { { "a/f", "file", "old" } }, { { "a/.wh..wh..opq" }, { "a/f", "file", "new" } } }
    assert.equal("new", read "a/f")
    make { { { "a/f", "file", "old" } }, { { "a/f", "file", "again" }, { "a/.wh.f" } } }
    assert.equal("again", read "a/f")
  end)

  it("takes away all that lay below what is a file now", function()
    make { { { "a/f", "file", "old" } }, { { "a", "file", "now a file" } } }
    assert.equal("now a file", read "a")
    missing "a/f"
  end)

  it("follows symbolic links as in the image: of files, of directories, to what is above", function()
    make {
      { { "bin", "link", "usr/bin" }, { "usr/bin/sh", "link", "dash" }, { "usr/bin/dash", "file", "old" },
        { "etc/os", "link", "../usr/lib/os" }, { "usr/lib/os", "file", "os" }, { "abs", "link", "/usr/lib" },
        { "out", "link", "../../../usr/lib/os" } },
      { { "usr/bin/dash", "file", "new" } },
    }
    assert.equal("new", read "/bin/sh")
    assert.equal("os", read "/etc/os")
    assert.equal("os", read "/abs/os")
    assert.equal("os", read "/out")
    assert.equal("usr/bin/dash", images:find(place, "/bin/sh").path)
    local link = images:find(place, "/etc/os", { follow = false })
    assert.same({ "symlink", "../usr/lib/os" }, { link.type, link.linkname })
  end)

  it("follows hard links to what was there when their layer was made", function()
    make {
      { { "a", "file", "first" } },
      { { "b", "hard", "a" }, { "c", "file", "same layer" }, { "d", "hard", "./c" } },
      { { "a", "file", "second" } },
    }
    assert.equal("first", read "b")
    assert.equal("same layer", read "d")
    assert.equal("second", read "a")
  end)

  it("ends with links that go in circles, or nowhere", function()
    make { {
      { "a", "link", "b" }, { "b", "link", "a" }, { "h", "hard", "h" }, { "n", "link", "nothing" },
      { "d", "link", "d/x" },
    } }
    assert.equal("content", helper.fails(images, "read", place, "a").class)
    assert.equal("content", helper.fails(images, "read", place, "h").class)
    assert.equal("content", helper.fails(images, "read", place, "d/y").class)
    missing "n"
  end)

  it("gives no more than max_bytes, and nothing of what is no file", function()
    make { { { "big", "file", ("x"):rep(1000) }, { "pipe", "fifo" } } }
    assert.equal("limit", helper.fails(images, "read", place, "big", { max_bytes = 999 }).class)
    assert.equal(1000, #images:read(place, "big", { max_bytes = 1000 }))
    assert.equal("content", helper.fails(images, "read", place, "pipe").class)
  end)

  it("gives nothing of a layer whose bytes are wrong", function()
    faults.reset()
    make { { { "a", "file", ("x"):rep(5000) }, { "b", "file", ("y"):rep(50000) } } }
    local name = faults.host "http" .. "/image/app:1"
    images:copy(place, name)
    faults.on { method = "GET", path = "/v2/image/app/blobs/*", corrupt = -20000, always = true }
    local own = Images:new { config_path = "/nonexistent", retry = { wait = 0, tries = 1 } }
    own.get_config = function() -- only the layer is spoilt
      return { rootfs = {} }
    end
    local err = helper.fails(own, "read", name, "a")
    assert.equal("integrity", err.class)
  end)

  it("tells the history, with its layers where it has some", function()
    make({ { { "a" } }, { { "b" } }, { { "c" } } }, {
      os = "linux", architecture = "arm64", variant = "v8", created = "2024-01-02T03:04:05Z",
      config = { Env = { "A=b" }, Cmd = { "sh" } }, rootfs = { type = "layers" },
      history = { { created_by = "ADD a" }, { created_by = "ENV A=b", empty_layer = true }, { created_by = "ADD b" } },
    })
    local layers = images:get_manifest(place).layers
    local steps = images:history(place)
    assert.equal(4, #steps)
    assert.same({ "ADD a", layers[1].digest, layers[1].size },
      { steps[1].created_by, steps[1].digest, steps[1].size })
    assert.same({ created_by = "ENV A=b" }, steps[2])
    assert.equal(layers[2].digest, steps[3].digest)
    assert.same({ digest = layers[3].digest, size = layers[3].size }, steps[4])

    local found = images:inspect(place)
    assert.equal("linux/arm64/v8", found.platform)
    assert.equal("2024-01-02T03:04:05Z", found.created)
    assert.same({ "A=b" }, found.config.Env)
    assert.equal(3, #found.layers)
    assert.equal(layers[1].size + layers[2].size + layers[3].size, found.size)
    assert.is_string(oras.json.encode(found))
  end)

  it("says no platform where an image tells none, and unknown for what it does not tell", function()
    for platform, config in pairs {
      [""] = { os = "", architecture = "" }, ["-"] = { os = oras.json.null }, ["linux/unknown"] = { os = "linux" },
      ["unknown/arm64/v8"] = { os = "", architecture = "arm64", variant = "v8" },
      ["linux/arm64"] = { os = "linux", architecture = "arm64", variant = "" },
      ["linux/amd64"] = { os = "linux", architecture = "amd64", variant = 5 },
    } do
      config.rootfs = { type = "layers" }
      make({ { { "a" } } }, config)
      local found = images:inspect(place)
      assert.equal(platform:find "/" and platform or nil, found.platform)
    end
  end)

  it("says what is no image", function()
    assert.equal("content", helper.fails(images, "inspect", "oci:examples/layout:1.0.0-0").class)
  end)
end)

describe("the image provider on images of other tools", function()
  after_each(helper.clean)

  it("reads what umoci made: files, whiteouts, history, and by skopeo from a registry", function()
    local umoci, why = services.peer "umoci"
    local skopeo, no_skopeo = services.peer "skopeo"
    local host = services.get "registry"
    if not (umoci and skopeo and host) then
      return pending(why or no_skopeo or services.missing "registry")
    end
    local dir = helper.directory()
    local function run(command)
      return process.sh(("cd %s && { %s; } 2>&1"):format(process.quote(dir), command))
    end
    run "umoci init --layout img && umoci new --image img:1"
    run "umoci unpack --rootless --image img:1 b && mkdir -p b/rootfs/etc b/rootfs/usr/bin"
    run "echo one >b/rootfs/etc/name; echo gone >b/rootfs/etc/gone; echo sh >b/rootfs/usr/bin/sh"
    run "ln -s usr/bin b/rootfs/bin && umoci repack --image img:1 --history.created_by 'first step' b && rm -rf b"
    run "umoci unpack --rootless --image img:1 b && echo two >b/rootfs/etc/name && rm b/rootfs/etc/gone"
    run "umoci repack --image img:1 --history.created_by 'second step' b"
    run "umoci config --image img:1 --config.env A=b --config.cmd sh"

    local images = Images:new { config_path = "/nonexistent" }
    local function check(place)
      assert.equal("two\n", images:read(place, "/etc/name"))
      assert.is_nil(images:find(place, "/etc/gone"))
      assert.equal("sh\n", images:read(place, "/bin/sh"))
      local steps = images:history(place)
      assert.equal("first step", steps[1].created_by)
      assert.equal("second step", steps[2].created_by)
      assert.equal(images:find(place, "/etc/name").layer, steps[2].digest)
      assert.same({ "sh" }, images:inspect(place).config.Cmd)
    end
    check(("oci:%s/img:1"):format(dir))
    local name = ("%s/image/umoci-%d:1"):format(host, os.time())
    run(("skopeo --insecure-policy copy --dest-tls-verify=false -f v2s2 oci:img:1 docker://%s"):format(name))
    check(name)
  end)
end)
