local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local archive = oras.archive

-- A directory packed by tar with these options; gives the path of the archive.
local function pack(options, name)
  local directory = helper.directory()
  os.execute(("mkdir -p '%s/in/sub'"):format(directory))
  helper.write(directory .. "/in/a.txt", "alpha")
  helper.write(directory .. "/in/sub/b.txt", ("b"):rep(100000))
  os.execute(("ln -s a.txt '%s/in/link'"):format(directory))
  local path = directory .. "/" .. (name or "x.tar")
  local command = "tar -C '%s/in' --sort=name --mtime=@1000 %s -cf '%s' ."
  assert(os.execute(command:format(directory, options, path)))
  return path
end

local function names(list)
  local found = {}
  for i, entry in ipairs(list) do
    found[i] = entry.path
  end
  return table.concat(found, " ")
end

describe("an archive", function()
  after_each(helper.clean)

  it("is listed from a path, from bytes, plain and packed", function()
    for _, options in ipairs { "", "-z", "-j", "--zstd" } do
      local path = pack(options)
      local expected = ". a.txt link sub sub/b.txt"
      local listed = names(archive.list(path))
      assert.equal(listed, names(archive.list { path = path }))
      assert.equal(listed, names(archive.list { data = helper.read(path) }))
      assert.matches((expected:gsub("^%. ", ""):gsub("%.", "%%.")) .. "$", listed)
    end
  end)

  it("has entries with type, size, mode, time and target", function()
    local by_path = {}
    for entry in archive.entries(pack "") do
      by_path[entry.path] = entry
    end
    assert.equal("file", by_path["a.txt"].type)
    assert.equal(5, by_path["a.txt"].size)
    assert.equal(1000, by_path["a.txt"].mtime)
    assert.equal("directory", by_path.sub.type)
    assert.equal("symlink", by_path.link.type)
    assert.equal("a.txt", by_path.link.linkname)
    assert.equal("entry a.txt", tostring(by_path["a.txt"]))
  end)

  it("gives the bytes of a member while it is current", function()
    local kept
    for entry in archive.entries(pack "-z") do
      if entry.path == "a.txt" then
        kept = entry
        assert.equal("al", entry:read(2))
        assert.equal("pha", entry:read())
        assert.is_nil(entry:read(1))
      elseif entry.path == "sub/b.txt" then
        assert.equal(100000, #entry:read())
      end
    end
    assert.equal("usage", helper.fails(kept, "read").class)
  end)

  it("C36 is refused when it is not packed as its media type says", function()
    faults.reset()
    local gzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    local plain = "application/vnd.oci.image.layer.v1.tar"
    local cases = { [gzip] = { "", "--zstd" }, [plain] = { "-z" } }
    for media_type, wrong in pairs(cases) do
      for _, options in ipairs(wrong) do
        local layer = { data = helper.read(pack(options)), media_type = media_type }
        local a = faults.seed { repo = "a/app", tag = "1", layers = { layer } }
        local blob = helper.registry():get_blob(faults.host "http" .. "/a/app", a.layers[1])
        local _, err = oras.try(function()
          for _ in blob:entries() do end -- luacheck: ignore
        end)
        assert.equal("content", err and err.class, media_type .. options)
      end
    end
  end)

  it("keeps to limits that are given", function()
    local path = pack ""
    for _, limits in ipairs { { max_bytes = 1000 }, { max_entries = 2 }, { max_depth = 1 } } do
      assert.equal("limit", select(2, oras.try(archive.list, path, limits)).class)
    end
    assert.matches("max_bytes%?", select(2, oras.try(archive.list, path, { maxbytes = 1 })).message)
  end)

  it("says what is no archive, and what is not there", function()
    local path = helper.write(helper.directory() .. "/x", ("no archive "):rep(200))
    assert.equal("content", select(2, oras.try(archive.list, path)).class)
    local _, err = oras.try(archive.list, path .. ".none")
    assert.is_true(err.class == "io" or err.class == "not_found")
    assert.matches(path .. ".none", err.message, 1, true)
    assert.equal("usage", select(2, oras.try(archive.list, 5)).class)
  end)
end)
