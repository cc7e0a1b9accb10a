--- Trees as archives: always the same bytes, complete or not at all, and what is refused.
local core = require "oras.core"
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local GZIP_LAYER <const> = "application/vnd.oci.image.layer.v1.tar+gzip"

local sh <const> = process.sh

-- A tree in a directory of its own, which has nothing else in it.
local function tree(kind)
  local path = helper.directory() .. "/tree"
  sh("python3 tests/support/make_tree.py %s %s", path, kind or "plain")
  return path
end

local function small_tree()
  local path = helper.directory() .. "/tree"
  sh("mkdir -p %s/sub && echo hello >%s/sub/file", path, path)
  return path
end

local function fails(path, target, opts)
  local result, err = oras.try(oras.archive.pack, path, target, opts)
  assert.is_nil(result)
  return err
end

local function names(path)
  local list = {}
  for i, entry in ipairs(oras.archive.list(path)) do
    list[i] = entry.path
  end
  return list
end

describe("archive.pack", function()
  after_each(helper.clean)

  it("says what it made", function()
    local from, dir = tree(), helper.directory()
    local made = oras.archive.pack(from, dir .. "/new/dir/a.tgz")
    assert.equal(dir .. "/new/dir/a.tgz", made.path)
    assert.equal(oras.digest.of_file(made.path), made.digest)
    assert.equal(#helper.read(made.path), made.size)
    assert.equal(GZIP_LAYER, made.media_type)
    assert.equal(made.content_digest, "sha256:" .. sh("zcat %s | sha256sum", made.path):match "^%x+")
    assert.equal(made.content_size, tonumber(sh("zcat %s | wc -c", made.path)))
  end)

  it("W3 gives the same bytes wherever the tree lies, whenever and in whatever order it was made", function()
    local from, dir = tree(), helper.directory()
    local first = oras.archive.pack(from, dir .. "/1.tgz")
    sh("cd %s && mkdir other && find %s -mindepth 1 -depth -printf '%%P\\n' | sort -r >list", dir, from)
    sh("cd %s && tar cf - --no-recursion -T %s/list | tar xf - -C %s/other -m", from, dir, dir)
    sh("chmod 755 %s/other", dir)
    local second = oras.archive.pack(dir .. "/other", dir .. "/2.tgz", { prefix = "tree" })
    assert.equal(first.digest, second.digest)
    assert.equal(first.digest, oras.archive.pack(from .. "/", dir .. "/3.tgz").digest)
  end)

  it("chooses the compression by the target's name", function()
    local from, dir = small_tree(), helper.directory()
    for name, media_type in pairs {
      ["a.tar"] = "application/vnd.oci.image.layer.v1.tar", ["a.tar.gz"] = GZIP_LAYER, ["a"] = GZIP_LAYER,
      ["a.tar.zst"] = "application/vnd.oci.image.layer.v1.tar+zstd",
    } do
      local made = oras.archive.pack(from, dir .. "/" .. name)
      assert.equal(media_type, made.media_type)
      assert.same({ "tree", "tree/sub", "tree/sub/file" }, names(made.path))
      local other = oras.archive.pack(from, dir .. "/other.tar", { compression = "gzip", prefix = "a/b" })
      assert.equal(GZIP_LAYER, other.media_type)
      assert.same({ "a/b", "a/b/sub", "a/b/sub/file" }, names(other.path))
    end
  end)

  it("has the tree's members at the top, or one file alone", function()
    local from, dir = small_tree(), helper.directory()
    oras.archive.pack(from, dir .. "/top.tgz", { prefix = "" })
    assert.same({ "sub", "sub/file" }, names(dir .. "/top.tgz"))
    oras.archive.pack(from .. "/sub/file", dir .. "/one.tgz")
    assert.same({ "file" }, names(dir .. "/one.tgz"))
  end)

  it("takes SOURCE_DATE_EPOCH for all times, and refuses one that is no number", function()
    local from, dir = small_tree(), helper.directory()
    local script = helper.write(dir .. "/script.lua", [[
      local oras = require "oras"
      oras.archive.pack(arg[1], arg[2])
      for _, entry in ipairs(oras.archive.list(arg[2])) do print(entry.mtime) end
    ]])
    local command = "SOURCE_DATE_EPOCH=%s " .. table.concat({
      process.quote(process.oras_lua), script, from, dir .. "/a.tgz",
    }, " ")
    local status, out = process.shell(command:format "1234567890")
    assert.same({ 0, ("1234567890\n"):rep(3) }, { status, out })
    status, out = process.shell(command:format "")
    assert.same({ 0, ("0\n"):rep(3) }, { status, out })
    for _, bad in ipairs { "now", "-1", "1e9", "99999999999999999999" } do
      local code, _, err = process.shell(command:format(bad))
      assert.equal(1, code)
      assert.truthy(err:find("SOURCE_DATE_EPOCH is '" .. bad, 1, true), err)
    end
  end)

  it("leaves what stands there when it may not overwrite", function()
    local from, dir = small_tree(), helper.directory()
    local target = helper.write(dir .. "/a.tgz", "mine")
    assert.equal("exists", fails(from, target, { overwrite = false }).class)
    assert.equal("mine", helper.read(target))
    oras.archive.pack(from, target)
    assert.not_equal("mine", helper.read(target))
  end)

  it("leaves nothing behind when it fails", function()
    local from, dir = small_tree(), helper.directory()
    helper.write(dir .. "/old.tgz", "old")
    sh("mkfifo %s/sub/pipe", from)
    for _, target in ipairs { "old.tgz", "new.tgz" } do
      local err = fails(from, dir .. "/" .. target)
      assert.equal("path", err.class)
      assert.truthy(err.message:find("sub/pipe' is a FIFO", 1, true), err.message)
    end
    assert.equal("old.tgz\n", sh("ls -A %s", dir))
    assert.equal("old", helper.read(dir .. "/old.tgz"))
  end)

  it("is not put into the tree that it is made of", function()
    local from, dir = small_tree(), helper.directory()
    sh("ln -s %s %s/way", from, dir)
    for _, target in ipairs { from .. "/a.tgz", from .. "/sub/no/such/a.tgz", dir .. "/way/a.tgz" } do
      local err = fails(from, target)
      assert.equal("path", err.class)
      assert.truthy(err.message:find("which it is made of", 1, true), err.message)
    end
    assert.equal("sub\n", sh("ls -A %s", from))
    oras.archive.pack(from .. "/sub", from .. "/sub.tgz")
  end)

  it("L07 refuses what is no file, and what is not there", function()
    local dir = helper.directory()
    sh("mkfifo %s/pipe", dir)
    assert.equal("path", fails(dir .. "/pipe", dir .. "/a.tgz").class)
    assert.equal("path", fails("/dev/zero", dir .. "/a.tgz").class)
    local err = fails(dir .. "/missing", dir .. "/a.tgz")
    assert.equal("io", err.class)
    assert.truthy(err.message:find("missing': No such file or directory", 1, true), err.message)
    assert.equal("pipe\n", sh("ls -A %s", dir))
  end)

  it("refuses a link that leads out of the tree, by its name", function()
    for _, to in ipairs { "/etc/passwd", "../../x" } do
      local from, dir = small_tree(), helper.directory()
      sh("ln -s %s %s/sub/link", to, from)
      local err = fails(from, dir .. "/a.tgz")
      assert.equal("path", err.class)
      assert.truthy(err.message:find("sub/link'", 1, true), err.message)
    end
  end)

  it("is told wrong arguments", function()
    local from = small_tree()
    for _, call in ipairs {
      { 1, "a" }, { "a" }, { "a", 1 }, { "a", "b", { leve = 1 } }, { "a", "b", { level = "high" } },
      { from, "b", { level = 99 } }, { from, "b", { compression = "lzma" } }, { from, "b", { mtime = -2 } },
      { from, "b", { prefix = "../a" } }, { from, "b", { max_entries = -1 } },
    } do
      local err = fails(call[1], call[2], call[3])
      assert.equal("usage", err.class)
    end
  end)
end)

describe("a pack as a source", function()
  after_each(helper.clean)

  it("knows its size and digests when it was read once", function()
    local source = assert(core.archive.pack { path = small_tree() })
    assert.is_nil(source:size())
    assert.is_nil(source:digest())
    assert.is_nil(source:content())
    assert.is_true(source:can_seek())
    local digest, size = source:hash()
    assert.same({ digest, size }, { source:digest() })
    assert.equal(size, source:size())
    local content, content_size = source:content()
    assert.truthy(content:find "^sha256:%x+$")
    assert.equal(0, content_size % 512)
    assert.same({ digest, size }, { source:hash() })
    source:close()
    assert.is_nil(core.source.string("x"):content())
  end)

  it("L06 is not packed to something else the second time", function()
    local from = small_tree()
    local source = assert(core.archive.pack { path = from })
    assert(source:hash())
    helper.write(from .. "/sub/file", "changed")
    local digest, err = source:hash()
    assert.is_nil(digest)
    assert.equal("content", err.class)
  end)

  it("ends at once when it is closed or collected while it works", function()
    local from = tree()
    for _ = 1, 5 do
      local source = assert(core.archive.pack { path = from })
      local task = core.task.spawn(function()
        return source:hash()
      end)
      core.clock.sleep(0)
      task:cancel()
      source:close()
      assert.equal("cancelled", helper.fails(task, "wait").class)
    end
    collectgarbage()
  end)
end)
