local core = require "oras.core"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

describe("core.file.lock", function()
  local directory, path

  before_each(function()
    directory = helper.directory()
    path = directory .. "/config.json"
  end)
  after_each(helper.clean)

  local function add_line(place)
    local lock <close> = assert(core.file.lock(place))
    local text = lock:read() or ""
    core.clock.sleep(0) -- whoever had no lock would come in between
    assert(lock:write(text .. "x\n"))
  end

  it("reads nothing where there is nothing, and what was written", function()
    local lock <close> = assert(core.file.lock(path))
    local text, err = lock:read()
    assert.is_nil(text)
    assert.is_nil(err)
    assert.is_true(lock:write "a\0b")
    assert.equal("a\0b", lock:read())
    assert.is_true(lock:write "")
    assert.equal("", lock:read())
    assert.equal("config.json", helper.list(directory))
  end)

  it("L15 makes missing directories, for their owner alone", function()
    local lock <close> = assert(core.file.lock(directory .. "/a/b/config.json"))
    assert(lock:write "{}")
    assert.equal("700 700 600\n", process.sh("echo $(stat -c %%a %s %s %s)", directory .. "/a", directory .. "/a/b",
      directory .. "/a/b/config.json"))
  end)

  it("L15 replaces what a link means, and not the link", function()
    process.sh("mkdir %s && ln -s real/config.json %s", directory .. "/real", path)
    add_line(path)
    assert.equal("x\n", helper.read(directory .. "/real/config.json"))
    assert.equal("real/config.json\n", process.sh("readlink %s", path))
  end)

  it("L15 is held by one task at a time, and the others wait", function()
    local tasks = {}
    for i = 1, 10 do
      tasks[i] = core.task.spawn(add_line, path)
    end
    assert.is_nil(core.task.join(tasks))
    assert.equal(("x\n"):rep(10), helper.read(path))
  end)

  it("L15 is held by one process at a time", function()
    local script = helper.write(directory .. "/add.lua", [[
      local core = require "oras.core"
      for _ = 1, 5 do
        local lock <close> = assert(core.file.lock(arg[1]))
        assert(lock:write((lock:read() or "") .. "x\n"))
      end
    ]])
    local one = ("%s %s %s"):format(process.quote(process.oras_lua), process.quote(script), process.quote(path))
    local status, _, err = process.shell(("for i in 1 2 3 4 5 6 7 8; do %s & pids=\"$pids $!\"; done; "
      .. "for p in $pids; do wait $p || exit 1; done"):format(one))
    assert.equal("", err)
    assert.equal(0, status)
    assert.equal(("x\n"):rep(40), helper.read(path))
  end)

  it("is given up after the time that is asked for", function()
    local lock <close> = assert(core.file.lock(path))
    local other, err = core.file.lock(path, 0.05)
    assert.is_nil(other)
    assert.equal("io", err.class)
    assert.matches("'" .. path .. "' is locked by another process", err.message, 1, true)
    assert.is_true(lock:write "x")
  end)

  it("ends by unlock, at the end of its block, with its task and with its process", function()
    local lock = assert(core.file.lock(path))
    lock:unlock()
    lock:unlock()
    do
      local _ <close> = assert(core.file.lock(path, 0))
    end
    local holder = core.task.spawn(function()
      local _ <close> = assert(core.file.lock(path, 0))
      core.clock.sleep(1000)
    end)
    core.task.spawn(function() end):wait()
    assert.is_nil(core.file.lock(path, 0))
    holder:cancel()
    pcall(holder.wait, holder)
    assert(core.file.lock(path, 0)):unlock()
    local script = helper.write(directory .. "/dies.lua", [[
      local core = require "oras.core"
      local lock = assert(core.file.lock(arg[1], 0))
      print(lock:read())
      io.stdout:flush()
      core.process.run { file = "sh", args = { "-c", "kill -9 $PPID" } }
    ]])
    local _, out = process.shell(("{ %s %s %s </dev/null; } || true"):format(process.quote(process.oras_lua),
      process.quote(script), process.quote(path)))
    assert.equal("nil\n", out)
    assert(core.file.lock(path, 0)):unlock()
  end)

  it("is cancelled while it waits", function()
    local lock = assert(core.file.lock(path))
    local waits = core.task.spawn(core.file.lock, path)
    core.task.spawn(function() end):wait()
    assert.equal("waiting", waits:status())
    waits:cancel()
    assert.is_false(pcall(waits.wait, waits))
    lock:unlock()
    assert(core.file.lock(path, 0)):unlock()
  end)

  it("cannot be used any more when it is unlocked", function()
    local lock = assert(core.file.lock(path))
    lock:unlock()
    for _, use in ipairs { function() lock:read() end, function() lock:write "x" end } do
      local good, err = pcall(use)
      assert.is_false(good)
      assert.equal("usage", err.class)
    end
    assert.is_nil(helper.read(path))
  end)

  it("L14 reads no more than the limit, and only files", function()
    helper.write(path, "12345")
    local lock <close> = assert(core.file.lock(path))
    local text, err = lock:read(4)
    assert.is_nil(text)
    assert.equal("limit", err.class)
    assert.equal("12345", lock:read(5))
    process.sh("mkfifo %s", directory .. "/fifo")
    local fifo <close> = assert(core.file.lock(directory .. "/fifo", 0) or lock)
    assert.equal(lock, fifo) -- one lock for a directory
  end)

  it("L15 refuses paths that mean no file", function()
    for _, place in ipairs { "", directory .. "/", directory .. "/..", directory .. "/add/.." } do
      local lock, err = core.file.lock(place)
      assert.is_nil(lock)
      assert.equal("usage", err.class)
    end
    helper.write(path, "")
    local lock, err = core.file.lock(path .. "/config.json")
    assert.is_nil(lock)
    assert.equal("io", err.class)
  end)
end)
