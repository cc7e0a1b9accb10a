--- pull of directories: unpacked beside what is there, whole or not at all.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local GZIP <const> = oras.oci.media_types.layer_gzip

local registry, dir, repo, ref

-- An archive of what a shell command makes in an empty directory.
local function archive(command, members)
  local place = helper.directory()
  local status, out, err = process.shell(("cd '%s' && mkdir t && cd t && { %s\n} && tar -cz --sort=name -f ../t.gz %s")
    :format(place, command, members or "*"))
  assert.equal(0, status, out .. err)
  return helper.read(place .. "/t.gz")
end

local function layer(title, bytes, annotations)
  annotations = annotations or { ["io.deis.oras.content.unpack"] = "true" }
  return { data = bytes, title = title, media_type = GZIP, annotations = annotations }
end

local function seed(layers)
  faults.seed { repo = repo, tag = "1", layers = layers }
end

-- Everything below a directory: type, path, content, sorted.
local function listing(path)
  local _, out = process.shell(("cd '%s' && find . -mindepth 1 -printf '%%y %%P\\n' | sort"):format(path))
  return (out:gsub("\n", " "))
end

describe("pull of a directory", function()
  before_each(function()
    faults.reset()
    registry, dir, repo = helper.registry(), helper.directory(), "d/app"
    ref = ("%s/%s:1"):format(faults.host "http", repo)
  end)
  after_each(helper.clean)

  it("unpacks what says so, under its title", function()
    seed { layer("a/tree", archive("mkdir -p a/tree/x; echo 1 >a/tree/x/f; echo 2 >a/tree/g", "a/tree")) }
    local files = registry:pull(ref, { outdir = dir })
    assert.same({ dir .. "/a/tree", true }, { files[1].path, files[1].unpacked })
    assert.equal("d a d a/tree d a/tree/x f a/tree/g f a/tree/x/f ", listing(dir))
  end)

  it("puts what has no such prefix into the directory of the title", function()
    seed { layer("tree", archive("echo 1 >f")) }
    registry:pull(ref, { outdir = dir })
    assert.equal("d tree f tree/f ", listing(dir))
  end)

  it("unpacks under another name without the title that the archive has in it", function()
    seed { layer("a/tree", archive("mkdir -p a/tree/x; echo 1 >a/tree/x/f", "a/tree")) }
    local files = registry:pull(ref, { outdir = dir, name = function()
      return "renamed"
    end })
    assert.equal(dir .. "/renamed", files[1].path)
    assert.equal("d renamed d renamed/x f renamed/x/f ", listing(dir))
    seed { layer("tree/..", archive("mkdir -p t; echo 1 >t/f")) } -- what is no title is no prefix
    registry:pull(ref, { outdir = dir, name = function()
      return "other"
    end })
    assert.equal("d other d other/t d renamed d renamed/x f other/t/f f renamed/x/f ", listing(dir))
  end)

  it("takes names that differ only in case when it is told to", function()
    seed { layer("tree", archive("echo 1 >f; echo 2 >F")) }
    assert.equal("exists", helper.fails(registry, "pull", ref, { outdir = dir }).class)
    registry:pull(ref, { outdir = dir, portable = false })
    assert.equal("d tree f tree/F f tree/f ", listing(dir))
  end)

  it("W9 unpacks every packed tar when told to, and none when told not to", function()
    seed { layer("t", archive("mkdir t; echo 1 >t/f"), {}), { data = "plain", title = "p" } }
    registry:pull(ref, { outdir = dir .. "/all", unpack = "all" })
    assert.equal("d t f p f t/f ", listing(dir .. "/all"))
    registry:pull(ref, { outdir = dir .. "/default" })
    assert.equal("f p f t ", listing(dir .. "/default"))
    seed { layer("t", archive("mkdir t; echo 1 >t/f")) }
    registry:pull(ref, { outdir = dir .. "/none", unpack = false })
    assert.equal("f t ", listing(dir .. "/none"))
  end)

  it("L08 merges into a directory that is there, and deletes nothing", function()
    seed { layer("t", archive("mkdir -p t/sub; echo new >t/f; echo new >t/sub/g")) }
    assert(os.execute(("cd '%s' && mkdir -p t/sub && echo old >t/f && echo mine >t/mine"):format(dir)))
    registry:pull(ref, { outdir = dir })
    assert.equal("d t d t/sub f t/f f t/mine f t/sub/g ", listing(dir))
    assert.equal("new\n", helper.read(dir .. "/t/f"))
    assert.equal("mine\n", helper.read(dir .. "/t/mine"))
  end)

  it("L08 leaves a directory that is there, or refuses, before any download", function()
    seed { layer("t", archive("mkdir t; echo new >t/f")) }
    assert(os.execute(("mkdir '%s/t'"):format(dir)))
    local files = registry:pull(ref, { outdir = dir, overwrite = false })
    assert.equal(0, #files)
    assert.equal("exists", files.skipped[1].reason)
    assert.equal("exists", helper.fails(registry, "pull", ref, { outdir = dir, keep_old_files = true }).class)
    os.remove(dir .. "/t")
    helper.write(dir .. "/t", "a file")
    assert.equal("exists", helper.fails(registry, "pull", ref, { outdir = dir }).class)
    assert.equal(0, #faults.log { method = "GET", path = "/v2/d/app/blobs/*" })
    assert.equal("f t ", listing(dir))
  end)

  it("C31 C23 C24 C25 shows nothing of an archive that is not as it must be", function()
    local outside = helper.directory()
    for name, case in pairs {
      dots = { "mkdir t; echo x >t/f; echo x >../up", "t ../up -P" },
      absolute = { "mkdir t; echo x >t/f", "-P t/f /etc/hostname" },
      symlink = { ("mkdir t; ln -s %s t/out; echo x >t/z"):format(outside) },
      fifo = { "mkdir t; echo x >t/f; mkfifo t/p" },
      twice = { "mkdir t; echo x >t/f", "t/f t/f" },
      case = { "mkdir t; echo x >t/f; echo x >t/F" },
    } do
      seed { layer("t", archive(case[1], case[2])) }
      local err = helper.fails(registry, "pull", ref, { outdir = dir })
      assert.is_true(err.class == "path" or err.class == "exists", ("%s: %s"):format(name, tostring(err)))
      assert.equal("", listing(dir), name)
      assert.equal("", listing(outside))
    end
  end)

  it("C01 shows nothing of an archive whose bytes or whose content have another digest", function()
    local bytes = archive("mkdir t; echo x >t/f")
    seed { layer("t", bytes, {
      ["io.deis.oras.content.unpack"] = "true", ["io.deis.oras.content.digest"] = oras.digest.of "other",
    }) }
    assert.equal("integrity", helper.fails(registry, "pull", ref, { outdir = dir }).class)
    assert.equal("", listing(dir))
    seed { layer("t", bytes) }
    faults.on { path = "/v2/d/app/blobs/*", corrupt = -1, always = true }
    local err = helper.fails(registry, "pull", ref, { outdir = dir })
    assert.is_true(err.class == "integrity" or err.class == "content", tostring(err))
    assert.equal("", listing(dir))
    faults.reset { content = false }
    registry:pull(ref, { outdir = dir })
    assert.equal("d t f t/f ", listing(dir))
  end)

  it("N03 begins again what broke off", function()
    seed { layer("t", archive("mkdir t; head -c 300000 /dev/urandom >t/f")) }
    faults.on { path = "/v2/d/app/blobs/*", cut = 100000, how = "rst" }
    registry:pull(ref, { outdir = dir })
    assert.equal("d t f t/f ", listing(dir))
  end)

  describe("that is there", function()
    local function blob_requests()
      return #faults.log { method = "GET", path = "/v2/d/app/blobs/*" }
    end

    -- A directory that push stored, with files, a link, an empty directory.
    local function push_tree()
      local place = helper.directory()
      local status, out = process.shell(("cd '%s' && umask 022 && %s"):format(place,
        "mkdir -p t/sub t/empty; echo 1 >t/f; echo 2 >t/sub/x; chmod 755 t/sub/x; ln -s sub t/l"))
      assert.equal(0, status, out)
      registry:push(ref, { { path = place .. "/t", title = "a/t" } }, { disable_path_validation = true })
    end

    local function pull(opts)
      opts = opts or {}
      opts.outdir = opts.outdir or dir
      local before = blob_requests()
      local files = registry:pull(ref, opts)
      return files, blob_requests() - before
    end

    it("L08 is not fetched again with the same content", function()
      push_tree()
      local files, requests = pull()
      assert.same({ 1, 0, 1 }, { #files, #files.skipped, requests })
      local totals = {}
      registry:on("progress", function(event)
        totals[#totals + 1] = event.blobs and event.blobs.total
      end)
      files, requests = pull()
      assert.same({ 0, 1, 0 }, { #files, #files.skipped, requests })
      local one = files.skipped[1]
      assert.same({ "same content", "a/t", dir .. "/a/t" }, { one.reason, one.title, one.path })
      assert.same({}, totals)
    end)

    it("L08 is not fetched again under another name", function()
      push_tree()
      local function rename()
        return "b"
      end
      pull { name = rename }
      local files, requests = pull { name = rename }
      assert.same({ "same content", dir .. "/b", 0 }, { files.skipped[1].reason, files.skipped[1].path, requests })
    end)

    it("L08 is fetched again when anything in it differs", function()
      push_tree()
      for i, change in ipairs {
        "echo 3 >f", "echo mine >mine", "rm sub/x", "chmod 600 f", "chmod 700 sub", "mkdir more", "rmdir empty",
        "mkfifo p", "ln -s sub l2", "ln -s /etc out", "ln -sfn empty l", "mv f g",
      } do
        local outdir = ("%s/%d"):format(dir, i)
        pull { outdir = outdir }
        assert(os.execute(("cd '%s/a/t' && %s"):format(outdir, change)))
        local before = blob_requests()
        local files, err = oras.try(registry.pull, registry, ref, { outdir = outdir })
        assert.is_true(files ~= nil or change == "ln -sfn empty l", change .. ": " .. tostring(err))
        assert.equal(before + 1, blob_requests(), change)
        assert.equal("1\n", helper.read(outdir .. "/a/t/f"), change)
      end
    end)

    it("L08 is fetched again where links are refused, or nothing says what it has", function()
      push_tree()
      pull()
      assert.equal("path", helper.fails(registry, "pull", ref, { outdir = dir, links = false }).class)
      seed { layer("t", archive("mkdir t; echo 1 >t/f")) }
      pull()
      local files, requests = pull()
      assert.same({ 1, 0, 1 }, { #files, #files.skipped, requests })
    end)

    it("CVE-2025-45582 is not looked for behind a link", function()
      push_tree()
      local outside = helper.directory()
      pull { outdir = outside }
      assert(os.execute(("ln -s '%s/a' '%s/a'"):format(outside, dir)))
      assert.equal("path", helper.fails(registry, "pull", ref, { outdir = dir }).class)
    end)
  end)

  it("has the limits that it is given", function()
    seed { layer("t", archive("mkdir t; echo 1 >t/a; echo 2 >t/b; head -c 100000 /dev/zero >t/c")) }
    for _, limits in ipairs { { max_entries = 2 }, { max_bytes = 1000 } } do
      assert.equal("limit", helper.fails(registry, "pull", ref, { outdir = dir, limits = limits }).class)
      assert.equal("", listing(dir))
    end
  end)

  it("makes links that stay inside, unless it is told not to", function()
    seed { layer("t", archive("mkdir -p t/d; echo 1 >t/f; ln -s ../f t/d/l")) }
    registry:pull(ref, { outdir = dir .. "/a" })
    assert.equal("d t d t/d f t/f l t/d/l ", listing(dir .. "/a"))
    assert.equal("path", helper.fails(registry, "pull", ref, { outdir = dir .. "/b", links = false }).class)
    assert.equal("", listing(dir .. "/b"))
  end)

  it("CVE-2025-45582 does not write through a link that an earlier pull made", function()
    seed { layer("t", archive("mkdir -p t/real; ln -s real t/link")) }
    registry:pull(ref, { outdir = dir })
    seed { layer("t", archive("mkdir -p t/link; echo 1 >t/link/f")) }
    local err = helper.fails(registry, "pull", ref, { outdir = dir })
    assert.is_true(err.class == "path" or err.class == "exists", tostring(err))
    assert.equal("d t d t/real l t/link ", listing(dir))
  end)
end)
