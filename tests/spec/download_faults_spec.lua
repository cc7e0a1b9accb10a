local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local PATH <const> = "/v2/d/faults/blobs/*"
local SIZE <const> = 1500000 -- several blocks of the worker's ring

describe("a download", function()
  local directory, ref, layer
  before_each(function()
    faults.reset()
    directory = helper.directory()
    ref = faults.host "http" .. "/d/faults"
  end)
  after_each(helper.clean)

  local function seed(size)
    layer = faults.seed({ repo = "d/faults", tag = "1", layers = { { size = size or SIZE } } }).layers[1]
  end

  local function on(rule)
    rule.path, rule.method = PATH, "GET"
    faults.on(rule)
  end

  local function gets()
    return faults.log { method = "GET", path = PATH }
  end

  -- First byte that each request asked for.
  local function firsts()
    local list = {}
    for i, entry in ipairs(gets()) do
      local range = faults.header(entry, "range")
      list[i] = range and tonumber(range:match "^bytes=(%d+)%-$") or 0
    end
    return list
  end

  local function file(name)
    return directory .. "/" .. (name or "file")
  end

  local function expect_good(name)
    assert.equal(layer.digest, oras.digest.of_file(file(name)))
    assert.equal(name or "file", helper.list(directory))
  end

  local function patient(opts)
    opts = opts or {}
    opts.retry = { tries = 50, wait = 0 }
    return helper.registry(opts)
  end

  describe("in one process", function()
    it("N03 N04 goes on behind what it has, wherever it breaks", function()
      math.randomseed(20240229)
      for _, size in ipairs { 100000, 262144, SIZE } do
        for _, how in ipairs { "rst", "fin" } do
          faults.reset()
          seed(size)
          local cuts = {}
          for i = 1, 6 do
            cuts[i] = math.random(0, size // 4)
            on { cut = cuts[i], how = how }
          end
          patient():download_blob(ref, layer, file())
          expect_good()
          local at = firsts()
          assert.equal(7, #at)
          for i = 2, 7 do
            assert.is_true(at[i] >= at[i - 1] and at[i] <= at[i - 1] + cuts[i - 1])
            assert.is_true(how == "rst" or at[i] == at[i - 1] + cuts[i - 1])
          end
          os.remove(file())
        end
      end
    end)

    it("N03 goes on after each single byte", function()
      seed(20)
      for _ = 1, 19 do
        on { cut = 1, how = "fin" }
      end
      patient():download_blob(ref, layer, file())
      expect_good()
      assert.equal(19, firsts()[20])
    end)

    it("N06 goes on after a stall", function()
      seed()
      on { stall = 1000000 }
      patient({ timeout = { stall = 0.5 } }):download_blob(ref, layer, file())
      expect_good()
      assert.is_true(firsts()[2] > 0 and firsts()[2] <= 1000000)
    end)

    it("N18 goes on after a TLS connection was cut", function()
      seed()
      ref = faults.host "https" .. "/d/faults"
      on { cut = 700000, how = "tls" }
      patient({ tls_verify = faults.cert "ca" }):download_blob(ref, layer, file())
      expect_good()
      assert.is_true(firsts()[2] > 0)
    end)

    it("N39 begins anew when it gets the whole", function()
      seed()
      on { cut = 700000, how = "fin" }
      on { ignore_range = true }
      patient():download_blob(ref, layer, file())
      expect_good()
      assert.same({ 0, 700000 }, firsts())
    end)

    it("N39 refuses another part than the one it asked for", function()
      for _, range in ipairs {
        "bytes 0-1499999/1500000", "bytes 699999-1499999/1500000", "bytes 700001-1499999/1500000", "bytes */1500000",
        "bytes 700000-1499998/1500000", "bytes 700000-1499999/700000", "", "items 700000-1499999/1500000", false,
      } do
        faults.reset()
        seed()
        on { cut = 700000, how = "fin" }
        on { set = { ["Content-Range"] = range }, always = true }
        local err = helper.fails(helper.registry(), "download_blob", ref, layer, file())
        assert.equal("protocol", err.class, tostring(range))
        assert.is_nil(helper.read(file()))
        faults.reset { content = false }
        helper.registry():download_blob(ref, layer, file())
        expect_good()
        os.remove(file())
      end
    end)

    it("N39 refuses many parts", function()
      seed()
      on { cut = 700000, how = "fin" }
      on {
        status = 206, always = true, body = "--x\r\nContent-Range: bytes 700000-700001/1500000\r\n\r\nab\r\n--x--\r\n",
        headers = { ["Content-Type"] = "multipart/byteranges; boundary=x" },
      }
      assert.equal("protocol", helper.fails(helper.registry(), "download_blob", ref, layer, file()).class)
      assert.is_nil(helper.read(file()))
    end)

    it("N39 refuses a part that it did not ask for", function()
      seed()
      on { status = 206, body_size = 100, headers = { ["Content-Range"] = "bytes 0-99/1500000" }, always = true }
      assert.equal("protocol", helper.fails(helper.registry(), "download_blob", ref, layer, file()).class)
    end)

    it("N38 begins anew once when the rest is refused", function()
      seed()
      on { cut = 700000, how = "fin" }
      on { status = 416 }
      patient():download_blob(ref, layer, file())
      expect_good()
      assert.same({ 0, 700000, 0 }, firsts())
    end)

    it("N38 ends when everything is refused", function()
      seed()
      on { cut = 700000, how = "fin" }
      on { status = 416, always = true }
      helper.fails(helper.registry(), "download_blob", ref, layer, file())
      assert.is_true(#gets() <= 5)
      assert.equal("", helper.list(directory))
    end)

    it("N40 begins anew once when the content is another behind the break", function()
      seed()
      on { cut = 700000, how = "fin", set = { ETag = '"one"' } }
      on { corrupt = 100, set = { ETag = '"two"' } }
      helper.registry():download_blob(ref, layer, file())
      expect_good()
      assert.same({ 0, 700000, 0 }, firsts())
    end)

    it("N40 gives up when it stays another", function()
      seed()
      on { cut = 700000, how = "fin" }
      on { corrupt = 100, always = true }
      local err = helper.fails(helper.registry(), "download_blob", ref, layer, file())
      assert.equal("integrity", err.class)
      assert.same({ 0, 700000, 0 }, firsts())
      assert.equal("", helper.list(directory))
    end)

    it("C01 that arrives wrong is fetched once more, whole", function()
      for _, size in ipairs { 1000, SIZE } do
        faults.reset()
        seed(size)
        on { corrupt = size // 2 }
        helper.registry():download_blob(ref, layer, file())
        expect_good()
        assert.same({ 0, 0 }, firsts())
        os.remove(file())
      end
    end)

    it("C01 that arrives wrong twice fails, and leaves nothing", function()
      for _, size in ipairs { 1000, SIZE } do
        faults.reset()
        seed(size)
        helper.write(file(), "old")
        on { corrupt = size // 2, always = true }
        local registry = helper.registry()
        local err = helper.fails(registry, "download_blob", ref, layer, file())
        assert.equal("integrity", err.class)
        assert.matches(layer.digest, err.message, 1, true)
        assert.equal(2, #gets())
        assert.equal("file", helper.list(directory))
        assert.equal("old", helper.read(file()))
        faults.reset { content = false }
        registry:download_blob(ref, layer, file())
        expect_good()
      end
    end)

    it("N05 N13 of the wrong length leaves nothing", function()
      for _, rule in ipairs {
        { no_length = true, cut = 700000, how = "fin" }, { status = 200, body_size = SIZE + 1, chunked = 65536 },
        { status = 200, body_size = SIZE - 1 }, { status = 200, body_size = SIZE + 1 }, { status = 200, body = "" },
      } do
        faults.reset()
        seed()
        rule.always = true
        on(rule)
        assert.equal("integrity", helper.fails(helper.registry(), "download_blob", ref, layer, file()).class)
        assert.equal("", helper.list(directory))
      end
    end)
  end)

  describe("into a place", function()
    it("L02 that is a directory, or below a file, fails before it asks", function()
      seed()
      helper.write(file "plain", "x")
      os.execute(("mkdir '%s'"):format(file "sub"))
      for _, path in ipairs { file "sub", file "plain/below", file "sub/", "/proc/none/file", file(("n"):rep(300)) } do
        local err = helper.fails(helper.registry(), "download_blob", ref, layer, path)
        assert.is_true(err.class == "io" or err.class == "usage", tostring(err))
        assert.matches(path:match "^/[^/]+/[^/]+", err.message, 1, true)
      end
      assert.same({}, gets())
      assert.equal("plain sub", helper.list(directory))
    end)

    it("L02 that is a link replaces the link, not what it leads to", function()
      seed()
      helper.write(file "other", "other")
      os.execute(("ln -s other '%s'"):format(file()))
      helper.registry():download_blob(ref, layer, file())
      assert.equal("other", helper.read(file "other"))
      assert.equal(layer.digest, oras.digest.of_file(file()))
    end)

    it("L02 that nobody may write names it", function()
      seed()
      if process.shell "test $(id -u) = 0 && command -v setpriv" ~= 0 then
        pending "setpriv is not there, or we are not root"
        return
      end
      local script = helper.write(file "get.lua", [[
        local registry = require("oras").Registry:new { config_path = "/nonexistent/config.json" }
        registry:download_blob(...)
      ]])
      os.execute(("chmod 755 '%s'; mkdir -m 755 '%s'"):format(directory, file "sub"))
      local words = { "setpriv --reuid=65534 --regid=65534 --clear-groups" }
      for _, word in ipairs { process.oras_lua, script, ref, layer.digest, file "sub/file" } do
        words[#words + 1] = process.quote(word)
      end
      local status, _, err = process.shell(table.concat(words, " "))
      assert.equal(1, status)
      assert.matches("Permission denied", err)
      assert.matches(file "sub", err, 1, true)
      assert.equal("", helper.list(file "sub"))
    end)

    it("L01 that is full says so, and leaves the disk as it was", function()
      seed()
      os.execute(("mkdir '%s'"):format(file "disk"))
      if process.shell(("mount -t tmpfs -o size=512k none '%s'"):format(file "disk")) ~= 0 then
        pending "no tmpfs can be mounted here"
        return
      end
      local registry = helper.registry()
      local good, err = pcall(function()
        for _, size in ipairs { SIZE, 200000 } do
          helper.write(file "disk/ballast", ("x"):rep(size == SIZE and 1 or 400000))
          seed(size)
          local failed = helper.fails(registry, "download_blob", ref, layer, file "disk/file")
          assert.equal("io", failed.class)
          assert.matches("No space left", failed.message)
          assert.matches(file "disk", failed.message, 1, true)
          assert.is_false(failed.retryable == true)
          assert.equal("ballast", helper.list(file "disk"))
        end
        os.remove(file "disk/ballast")
        registry:download_blob(ref, layer, file "disk/file")
        assert.equal(layer.digest, oras.digest.of_file(file "disk/file"))
      end)
      process.shell(("umount '%s'"):format(file "disk"))
      assert.is_true(good, tostring(err))
    end)
  end)
end)
