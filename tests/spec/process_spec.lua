local core = require "oras.core"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local function run(script, opts)
  opts = opts or {}
  opts.file, opts.args = "sh", { "-c", script }
  return core.process.run(opts)
end

local function refused(err, pattern)
  assert.equal("helper", err and err.class)
  assert.matches(pattern, err.message)
end

-- Is a process of that number there, and no zombie?
local function runs(pid)
  local file = io.open(("/proc/%d/stat"):format(pid))
  local state = file and file:read("a"):match "%) (%u)"
  if file then
    file:close()
  end
  return state ~= nil and state ~= "Z" and state ~= "X"
end

-- It ends soon: SIGKILL is on its way.
local function ends(pid)
  local deadline = core.clock.monotonic() + 10
  while runs(pid) and core.clock.monotonic() < deadline do
    core.clock.sleep(0.002)
  end
  return not runs(pid)
end

local function await_file(path)
  local deadline = core.clock.monotonic() + 10
  local text
  repeat
    text = helper.read(path)
    if not (text and text:find "\n") then
      core.clock.sleep(0.002)
    end
  until (text and text:find "\n") or core.clock.monotonic() > deadline
  return math.tointeger(tonumber(text))
end

describe("core.process.run", function()
  local directory

  before_each(function()
    directory = helper.directory()
  end)
  after_each(helper.clean)

  it("needs nothing of its options while it runs", function()
    local opts = { file = directory .. "/" .. ("x"):rep(90), timeout = 0.2 }
    helper.write(opts.file, "#!/bin/sh\nexec sleep 60\n")
    process.sh("chmod +x %s", opts.file)
    local task = core.task.spawn(core.process.run, opts)
    local others = {}
    core.task.spawn(function()
      core.clock.sleep(0.05)
      opts.file = nil
      collectgarbage()
      for i = 1, 2000 do
        others[i] = ("y"):rep(80 + i % 60) .. i
      end
    end)
    local _, err = task:wait()
    assert.matches(("x"):rep(20), err.message, 1, true)
    assert.equal(2000, #others)
  end)

  it("gives what a program prints and how it ended", function()
    local result = run("cat; echo words >&2; exit 3", { input = "a\0b" })
    assert.same({ status = 3, output = "a\0b", stderr = "words\n" }, result)
    result = run "kill -9 $$"
    assert.same({ signal = 9, output = "", stderr = "" }, result)
  end)

  it("L17 tells a program that is missing from one that cannot be run", function()
    local path = helper.write(directory .. "/plain", "#!/bin/sh\n")
    local _, err = core.process.run { file = "oras-no-such-program" }
    refused(err, "'oras%-no%-such%-program' is not in PATH")
    _, err = core.process.run { file = path }
    refused(err, "is not executable")
    _, err = core.process.run { file = directory .. "/none" }
    refused(err, "there is no program")
  end)

  it("L18 ends one that takes too long, with its children", function()
    local pid_file = directory .. "/pid"
    local _, err = run(("trap '' TERM; sleep 1000 & echo $! >%s; wait"):format(pid_file), { timeout = 1 })
    refused(err, "'sh' did not end within 1 seconds")
    assert.is_true(ends(await_file(pid_file)))
  end)

  it("L18 ends what a program leaves behind, though it keeps the pipe", function()
    local result = run "sleep 1000 & echo $!"
    assert.equal(0, result.status)
    assert.is_true(ends(math.tointeger(tonumber(result.output))))
  end)

  it("L18 reads no more than the limit", function()
    local _, err = run "cat /dev/zero"
    refused(err, "'sh' printed more than 65536 bytes")
    _, err = run("printf abcd", { limit = 3 })
    refused(err, "printed more than 3 bytes")
    assert.equal("abc", run("printf abc", { limit = 3 }).output)
    assert.equal(4096, #run("head -c 100000 /dev/zero >&2").stderr)
  end)

  it("L18 does not mind one that reads nothing, and sends us no SIGPIPE", function()
    assert.equal("done\n", run("exec <&-; echo done", { input = ("x"):rep(1000000) }).output)
  end)

  it("L18 leaves no terminal to ask at", function()
    assert.equal("none\n", run("(: </dev/tty) 2>&- || echo none").output)
  end)

  it("L19 sets and takes out variables", function()
    local result = run("echo ${ORAS_A-none} ${HOME-none}", { environment = { ORAS_A = "1 2", HOME = false } })
    assert.equal("1 2 none\n", result.output)
    assert.equal(os.getenv "HOME" .. "\n", run("echo $HOME").output)
  end)

  it("lets other tasks run meanwhile", function()
    local order = {}
    local fifo = directory .. "/fifo"
    process.sh("mkfifo %s", fifo)
    local waits = core.task.spawn(function()
      local output = run(("cat %s"):format(fifo)).output
      order[#order + 1] = output
    end)
    local opens = core.task.spawn(function()
      order[#order + 1] = "first"
      run(("printf second >%s"):format(fifo))
    end)
    assert.is_nil(core.task.join { waits, opens })
    assert.same({ "first", "second" }, order)
  end)

  it("L18 is cancelled with its task, at once", function()
    local pid_file = directory .. "/pid"
    local task = core.task.spawn(function()
      return run(("echo $$ >%s; sleep 1000"):format(pid_file))
    end)
    local pid = core.task.spawn(await_file, pid_file):wait()
    assert.is_true(runs(pid))
    task:cancel()
    assert.is_false(pcall(task.wait, task))
    assert.equal("cancelled", task:status())
    assert.is_true(ends(pid))
  end)

  it("L18 ends with the interrupted program", function()
    local pid_file = directory .. "/pid"
    local script = helper.write(directory .. "/script.lua", ([[
      local core = require "oras.core"
      local task = core.task.spawn(core.process.run, { file = "sh", args = { "-c", "echo $$ >%s; sleep 1000" } })
      core.task.spawn(function()
        while not io.open(%q) do core.clock.sleep(0.002) end
        print "ready"
        io.stdout:flush()
      end)
      task:wait()
    ]]):format(pid_file, pid_file))
    local status, err = process.interrupt(script)
    assert.equal("130 ", status .. " " .. (status == 130 and "" or err))
    assert.is_true(ends(await_file(pid_file)))
  end)

  it("leaves no zombie", function()
    for _ = 1, 20 do
      run "exit 1"
    end
    local children = process.sh("cat /proc/%s/task/*/children", core.process.run {
      file = "sh", args = { "-c", "echo $PPID" },
    }.output:match "%d+")
    for child in children:gmatch "%d+" do
      assert.is_true(runs(math.tointeger(tonumber(child))) or not io.open("/proc/" .. child))
    end
  end)

  it("works where the end of children was ignored", function()
    local script = helper.write(directory .. "/script.lua", [[
      print(require("oras.core").process.run { file = "echo", args = { "done" } }.output)
    ]])
    local _, out = process.shell("python3 -c 'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
      .. (" os.execv(sys.argv[1], sys.argv[1:])' %s %s"):format(process.quote(process.oras_lua), process.quote(script)))
    assert.equal("done\n\n", out)
  end)

  it("runs many at once", function()
    local tasks = {}
    for i = 1, 40 do
      tasks[i] = core.task.spawn(run, "cat", { input = tostring(i) })
    end
    assert.is_nil(core.task.join(tasks))
    for i, task in ipairs(tasks) do
      assert.equal(tostring(i), task:wait().output)
    end
  end)

  it("refuses what it cannot hand on", function()
    for _, spec in ipairs {
      {}, { file = "a\0b" }, { file = "sh", args = { 1 } }, { file = "sh", args = { "a\0b" } },
      { file = "sh", args = "x" }, { file = "sh", input = 7 }, { file = "sh", timeout = 0 },
      { file = "sh", timeout = -1 }, { file = "sh", limit = -1 },
      { file = "sh", environment = { ["A=B"] = "x" } }, { file = "sh", environment = { [""] = "x" } },
      { file = "sh", environment = { A = "x\0y" } }, { file = "sh", environment = { A = true } },
      { file = "sh", environment = { "A=x" } }, { file = "sh", timeout = 0 / 0 },
    } do
      local good, err = pcall(core.process.run, spec)
      assert.is_false(good)
      assert.equal("usage", err.class)
    end
  end)
end)
