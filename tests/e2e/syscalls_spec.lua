--- Calls of the system that fail, are interrupted or are not there: strace says so for them.
local oras = require "oras"

local crash = require "tests.e2e.crash"
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local SCRIPT <const> = [[
local registry = require("oras").Registry:new { retry = { tries = 1 } }
registry:download_blob(arg[1], arg[2], arg[3], { durable = true })
]]

local READ <const> = [[
local oras = require "oras"
local manifest = oras.Registry:new():get_manifest(arg[1])
print(#oras.Registry:new():get_blob(arg[1], manifest.layers[1]).content)
]]

local EXAMPLE <const> = "oci:examples/layout:1.0.0-0"

local directory

local function can_trace()
  return process.shell "strace -f -o /dev/null true" == 0
end

local function quoted(words)
  local parts = {}
  for i, word in ipairs(words) do
    parts[i] = process.quote(word)
  end
  return table.concat(parts, " ")
end

--- Run a script under strace with injections; gives status, output, errors, and how often a
--- call was tampered with.
local function traced(injections, script, ...)
  local trace = directory .. "/trace"
  local words = { "strace", "-f", "-qq", "-o", trace, "-e", "signal=none" }
  for _, injection in ipairs(injections) do
    words[#words + 1] = "-e"
    words[#words + 1] = "inject=" .. injection
  end
  local path = helper.write(directory .. "/script.lua", script)
  local all = { process.oras_lua, path, ... }
  local status, out, err = process.shell(quoted(words) .. " " .. quoted(all) .. " </dev/null")
  local _, count = helper.read(trace):gsub("%(INJECTED%)", "")
  return status, out, err, count
end

local function seed(size)
  local made = faults.seed { repo = "r/app", tag = "1", layers = { { size = size } } }
  return faults.host "http" .. "/r/app", made.layers[1].digest
end

local function target_names()
  local names = {}
  for name in helper.list(directory .. "/target"):gmatch "%S+" do
    names[#names + 1] = name
  end
  return names
end

local function traced_it(name, fn)
  it(name, function()
    if not can_trace() then
      return pending "strace is not there or may not trace"
    end
    fn()
  end)
end

describe("calls of the system", function()
  before_each(function()
    faults.reset()
    directory = helper.directory()
    assert(os.execute(("mkdir '%s/target'"):format(directory)))
  end)
  after_each(helper.clean)

  traced_it("L03: interrupted ones are made again", function()
    for _, when in ipairs { "pwrite64=2+3", "recvfrom=2+3", "epoll_wait=1+2", "fdatasync=1", "fsync=1" } do
      local call, times = when:match "^(%w+_?%w*)=(.*)$"
      local reference, digest = seed(3000000)
      local path = directory .. "/target/" .. call
      local injection = ("%s:error=EINTR:when=%s"):format(call, times)
      local status, _, err, count = traced({ injection }, SCRIPT, reference, digest, path)

      assert.equal("", err)
      assert.equal(0, status, call)
      assert.is_true(count > 0, call)
      assert.equal(digest, oras.digest.of_file(path))
    end
  end)

  traced_it("L04: a write or a sync that fails leaves nothing under the final name", function()
    for _, call in ipairs { "pwrite64", "fdatasync", "renameat", "fchmod" } do
      local reference, digest = seed(3000000)
      local path = directory .. "/target/" .. call
      local status, _, err, count = traced({ call .. ":error=EIO:when=1+" }, SCRIPT, reference, digest, path)

      assert.is_true(count > 0, call)
      assert.equal(1, status, call)
      assert.matches("io: ", err)
      assert.matches("Input/output error", err)
      assert.matches(path, err, 1, true)
      assert.is_nil(helper.read(path))
    end
    for _, name in ipairs(target_names()) do
      assert.matches("^%.oras%-partial%-", name)
    end
  end)

  traced_it("L04: a read that fails is no short file", function()
    local blob = "examples/layout/blobs/sha256/9b86c2333fa986af5e0d0f9c2f2f0dac2c41f61819bb26f8ce3f2ae9a880f14e"
    local status, out = traced({}, READ, EXAMPLE)
    assert.equal(0, status)
    assert.equal("1180\n", out)

    local path = helper.write(directory .. "/read.lua", READ)
    local real = io.popen("realpath " .. blob):read "l"
    local words = {
      "strace", "-f", "-qq", "-o", directory .. "/trace", "-P", real, "-e", "inject=read,pread64,preadv2:error=EIO",
      process.oras_lua, path, EXAMPLE,
    }
    local failed, printed, err = process.shell(quoted(words) .. " </dev/null")
    assert.equal(1, failed)
    assert.equal("", printed)
    assert.matches("io: ", err)
    assert.matches("Input/output error", err)
  end)

  traced_it("L10: newer calls of the system that are absent are done without", function()
    for _, errno in ipairs { "ENOSYS", "EPERM" } do
      local reference, digest = seed(300000)
      local path = directory .. "/target/" .. errno
      local missing = {}
      for _, call in ipairs { "openat2", "renameat2", "copy_file_range", "statx", "fallocate" } do
        missing[#missing + 1] = ("%s:error=%s"):format(call, errno)
      end
      for _, script in ipairs { SCRIPT, SCRIPT:gsub("durable = true", "overwrite = false"), nil } do
        os.remove(path)
        local status, _, err = traced(missing, script, reference, digest, path)

        assert.equal("", err)
        assert.equal(0, status)
        assert.equal(digest, oras.digest.of_file(path))
      end
    end
  end)

  traced_it("L10: where nothing can be renamed without replacing, nothing is replaced", function()
    local reference, digest = seed(300000)
    local path = directory .. "/target/file"
    local script = SCRIPT:gsub("durable = true", "overwrite = false")
    local missing = { "renameat2:error=ENOSYS", "linkat:error=EPERM" }
    local status, _, err, count = traced(missing, script, reference, digest, path)

    assert.equal(1, status)
    assert.equal(2, count)
    assert.matches("io: ", err)
    assert.equal("", helper.list(directory .. "/target"))
  end)
end)

describe("writes of several files", function()
  for _, world in ipairs(crash.worlds) do
    it("L03 L10 end well without newer calls, with short and with interrupted ones: " .. world, function()
      local reason = crash.reason("absent", world)
      return reason and pending(reason)
    end)
  end
end)

describe("file systems", function()
  before_each(function()
    faults.reset()
    directory = helper.directory()
  end)
  after_each(helper.clean)

  --- Run a download in a mount namespace of its own, onto a fresh file system.
  local function on_mount(mount, reference, digest)
    local script = helper.write(directory .. "/script.lua", SCRIPT)
    local words = quoted { process.oras_lua, script, reference, digest, directory .. "/m/file" }
    local command = ("mkdir -p '%s/m' && %s && { %s; r=$?; ls -A '%s/m'; exit $r; }"):format(
      directory, mount:gsub("DIR", directory), words, directory)
    return process.shell("unshare --mount sh -c " .. process.quote(command))
  end

  local function can_mount()
    return process.shell "unshare --mount sh -c 'mount -t tmpfs none /mnt'" == 0
  end

  it("L13: tmpfs and overlay take a download", function()
    if not can_mount() then
      return pending "no mount namespace of our own (needs root)"
    end
    local reference, digest = seed(300000)
    local status, out, err = on_mount("mount -t tmpfs none 'DIR/m'", reference, digest)
    assert.equal("", err)
    assert.equal(0, status)
    assert.equal("file\n", out)

    local overlay = "mkdir -p 'DIR/l' 'DIR/t' && mount -t tmpfs none 'DIR/t' && mkdir 'DIR/t/u' 'DIR/t/w' && "
      .. "mount -t overlay none -o 'lowerdir=DIR/l,upperdir=DIR/t/u,workdir=DIR/t/w' 'DIR/m'"
    local attempt = ("mkdir -p DIR/m && " .. overlay):gsub("DIR", directory)
    if process.shell("unshare --mount sh -c " .. process.quote(attempt)) == 0 then
      status, out = on_mount(overlay, reference, digest)
      assert.equal(0, status)
      assert.equal("file\n", out)
    end
  end)

  it("L13: a file system without a free inode is an error that names the file", function()
    if not can_mount() then
      return pending "no mount namespace of our own (needs root)"
    end
    local reference, digest = seed(300000)
    local status, out, err = on_mount("mount -t tmpfs -o nr_inodes=1 none 'DIR/m'", reference, digest)
    assert.equal(1, status)
    assert.equal("", out)
    assert.matches("io: ", err)
    assert.matches("No space left on device", err)
    assert.matches(directory .. "/m", err, 1, true)
  end)

  it("L01: a full file system leaves nothing behind", function()
    if not can_mount() then
      return pending "no mount namespace of our own (needs root)"
    end
    local reference, digest = seed(300000)
    local status, out, err = on_mount("mount -t tmpfs -o size=64k none 'DIR/m'", reference, digest)
    assert.equal(1, status)
    assert.matches("io: ", err)
    assert.matches("No space left on device", err)
    assert.is_nil(out:find("file\n", 1, true))
  end)
end)
