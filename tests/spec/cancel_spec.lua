--- What is left when work is ended in the middle: nothing.
local core = require "oras.core"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local SIGINT <const>, SIGTERM <const> = 2, 15
local MIB <const> = 1024 * 1024

local function ref(repo, listener)
  return ("%s/%s:1"):format(faults.host(listener or "http"), repo or "cancel/app")
end

local pid = helper.read("/proc/self/stat"):match "^%d+"

local function open_files()
  local n = 0
  local pipe <close> = assert(io.popen(("ls /proc/%s/fd"):format(pid)))
  for _ in pipe:lines() do
    n = n + 1
  end
  return n
end

-- The server answers DELETE of a session after the task has ended: what is open is asked for anew.
local function no_session_left(repo)
  local path = ("/v2/%s/blobs/uploads/*"):format(repo or "cancel/app")
  local opened = 0
  for _, one in ipairs(faults.log { method = "POST" }) do
    opened = opened + (one.status == 202 and 1 or 0)
  end
  local put = 0
  for _, one in ipairs(faults.log { method = "PUT", path = path }) do
    put = put + (one.status == 201 and 1 or 0)
  end
  faults.wait { method = "DELETE", path = path, count = opened - put, finished = true }
  assert.equal(0, faults.content(repo or "cancel/app").uploads)
end

describe("a cancelled task", function()
  local registry, directory

  before_each(function()
    faults.reset()
    directory = helper.directory()
    registry = helper.registry()
  end)

  after_each(helper.clean)

  -- Run, cancel when `there` says so, and give what the task raised.
  local function cancelled(fn, there)
    local task = oras.spawn(fn)
    local good, err = pcall(function()
      there(task)
    end)
    task:cancel()
    local _, failure = oras.try(task.wait, task)
    if not good then
      error(err, 0)
    end
    assert.truthy(failure, "it was done before it was cancelled")
    return failure
  end

  local function sees(filter)
    return function()
      -- the fault server is asked from inside a task, so that the other one goes on
      local found = oras.gather(function()
        for _ = 1, 500 do
          if #faults.log(filter) > 0 then
            return true
          end
          core.clock.sleep(0.01)
        end
      end)
      assert.is_true(found)
    end
  end

  local function upload(size)
    return function()
      registry:upload_blob(ref(), { data = ("x"):rep(size) })
    end
  end

  it("N55 that hashes a file asks nothing and closes it", function()
    local path = directory .. "/big"
    assert(os.execute(("truncate -s 8G '%s'"):format(path)))
    collectgarbage()
    local before = open_files()
    local err = cancelled(function()
      registry:upload_blob(ref(), path)
    end, function(task)
      oras.gather(function()
        core.clock.sleep(0)
      end)
      assert.equal("waiting", task:status())
    end)
    assert.equal("cancelled", err.class)
    assert.equal(0, faults.count().total)
    collectgarbage()
    collectgarbage()
    for _ = 1, 500 do -- the worker closes it when it looks up
      if open_files() <= before then
        return
      end
      core.clock.sleep(0.01)
    end
    assert.equal(before, open_files())
  end)

  it("N55 that opens a session ends the one that opens all the same", function()
    faults.on { method = "POST", hold = "post" }
    local err = cancelled(upload(1000), function(task)
      sees { method = "POST" } ()
      task:cancel()
      faults.release "post"
    end)
    assert.equal("cancelled", err.class)
    no_session_left()
  end)

  it("N55 that sends a blob ends its session", function()
    faults.on { method = "PUT", early = true, read = 100000, hold = "put" }
    assert.equal("cancelled", cancelled(upload(8 * MIB), sees { method = "PUT" }).class)
    no_session_left()
    assert.same({}, faults.content("cancel/app").blobs)
  end)

  it("N55 that waits for the answer to a blob ends its session", function()
    faults.on { method = "PUT", hold = "put" }
    assert.equal("cancelled", cancelled(upload(1000), sees { method = "PUT" }).class)
    no_session_left()
  end)

  it("N55 that sends chunks ends its session", function()
    faults.on { method = "PATCH", nth = 2, hold = "patch" }
    local err = cancelled(function()
      registry:upload_blob(ref(), { data = ("x"):rep(5 * MIB) }, nil, { chunked = true, chunk_size = MIB })
    end, function()
      oras.gather(function()
        while #faults.log { method = "PATCH" } < 2 do
          core.clock.sleep(0.01)
        end
      end)
    end)
    assert.equal("cancelled", err.class)
    no_session_left()
  end)

  it("N55 that sends what a producer makes ends its session, and the producer", function()
    faults.on { method = "PATCH", early = true, read = 1000, hold = "patch" }
    local made = 0
    local err = cancelled(function()
      registry:upload_blob(ref(), { reader = function()
        made = made + 1
        return ("x"):rep(MIB)
      end })
    end, sees { method = "PATCH" })
    assert.equal("cancelled", err.class)
    no_session_left()
    local before = made
    oras.gather(function()
      core.clock.sleep(0.05)
    end)
    assert.equal(before, made)
  end)

  it("N55 that waits for its next try tries no more", function()
    faults.on { method = "PUT", status = 503, headers = { ["Retry-After"] = "30" }, always = true }
    local waits = false
    registry:on("retry", function()
      waits = true
    end)
    local err = cancelled(upload(1000), function()
      oras.gather(function()
        while not waits do
          core.clock.sleep(0.01)
        end
      end)
    end)
    assert.equal("cancelled", err.class)
    assert.equal(1, faults.count { method = "PUT" }.total)
    no_session_left()
  end)

  it("N55 that downloads leaves a file to go on with, or nothing where none is wanted", function()
    local a = faults.seed { repo = "cancel/app", tag = "1", layers = { { size = 3 * MIB } } }
    local begun
    registry:on("progress", function(event)
      begun = begun or event.done > 0
    end)
    for resume, left in pairs { [false] = "", [true] = ".oras-partial" } do
      begun = false
      faults.reset { content = false }
      faults.on { path = "*/blobs/*", stall = 1000000 }
      local path = ("%s/%s"):format(directory, resume)
      os.execute(("mkdir '%s'"):format(path))
      local err = cancelled(function()
        registry:download_blob(ref(), a.layers[1], path .. "/file", { resume = resume })
      end, function()
        oras.gather(function()
          while not begun do
            core.clock.sleep(0.01)
          end
        end)
      end)
      assert.equal("cancelled", err.class)
      assert.equal(left, helper.list(path):sub(1, #left))
      assert.is_nil(helper.read(path .. "/file"))
      if not resume then
        assert.equal("", helper.list(path))
      end
    end
  end)

  it("N55 that copies ends both sides", function()
    faults.seed { repo = "cancel/src", tag = "1", layers = { { size = 3 * MIB }, { size = 2 * MIB, seed = 2 } } }
    faults.on { listener = "cdn", path = "*/blobs/*", stall = 1000000, always = true }
    collectgarbage()
    local err = cancelled(function()
      registry:copy(ref("cancel/src", "cdn"), ref())
    end, function()
      sees { listener = "cdn", path = "*/blobs/*" } ()
      sees { listener = "http", method = "PUT", path = "*/blobs/*" } ()
    end)
    assert.equal("cancelled", err.class)
    no_session_left()
    assert.same({}, faults.content("cancel/app").tags)
    for _, one in ipairs(faults.wait { listener = "cdn", path = "*/blobs/*", finished = true, count = 1 }) do
      assert.equal("gone", one.outcome)
    end
  end)

  it("N55 that copies into a layout puts nothing under a final name", function()
    local a = faults.seed { repo = "cancel/src", tag = "1", layers = { { size = 3 * MIB } } }
    faults.on { listener = "cdn", path = "*/blobs/*", stall = 1000000, always = true }
    local err = cancelled(function()
      registry:copy(ref("cancel/src", "cdn"), "oci:" .. directory .. "/layout:1")
    end, sees { listener = "cdn", path = "*/blobs/*" })
    assert.equal("cancelled", err.class)
    assert.is_nil(helper.read(directory .. "/layout/blobs/sha256/" .. a.layers[1].digest:sub(8)))
    local layout <close> = oras.layout.open(directory .. "/layout")
    assert.same({}, layout:tags())
  end)

  -- A directory of files that do not shrink.
  local function fill(path)
    assert(os.execute(("mkdir -p '%s/sub' && head -c 3000000 /dev/urandom > '%s/one' && cp '%s/one' '%s/sub/two'")
      :format(path, path, path, path)))
    return path
  end

  it("N55 that packs a directory ends its session", function()
    local path = fill(directory .. "/tree")
    faults.on { method = "PATCH", early = true, read = 1000, hold = "body" }
    faults.on { method = "PUT", early = true, read = 1000, hold = "body" }
    local err = cancelled(function()
      registry:push(ref(), { path }, { disable_path_validation = true })
    end, function()
      oras.gather(function()
        while #faults.log { method = "PATCH" } + #faults.log { method = "PUT" } == 0 do
          core.clock.sleep(0.01)
        end
      end)
    end)
    assert.equal("cancelled", err.class)
    no_session_left()
    assert.same({}, faults.content("cancel/app").tags)
  end)

  it("N55 that unpacks a directory leaves nothing of it", function()
    local path = fill(directory .. "/tree")
    registry:push(ref(), { path }, { disable_path_validation = true })
    faults.reset { content = false }
    faults.on { method = "GET", path = "*/blobs/*", stall = 4000000 }
    local moved = 0
    registry:on("progress", function(event)
      moved = math.max(moved, event.done)
    end)
    local out = directory .. "/out"
    local err = cancelled(function()
      registry:pull(ref(), { outdir = out })
    end, function()
      oras.gather(function()
        while moved < 3900000 do
          core.clock.sleep(0.01)
        end
      end)
    end)
    assert.equal("cancelled", err.class)
    local left = process.shell(("find '%s' -type f | grep -v '/\\.oras-partial-[^/]*$'"):format(out))
    assert.equal(1, left) -- grep found none
    assert.equal(1, (process.shell(("find '%s' -name '.oras-partial-tree-*' | grep ."):format(out))))
  end)

  it("N55 that waits for a layout's lock waits no more, and others get it", function()
    local layout <close> = oras.layout.create(directory .. "/layout")
    do
      local _ <close> = layout:lock()
      local err = cancelled(function()
        registry:upload_manifest("oci:" .. directory .. "/layout:1", registry:pack_manifest {}, {})
      end, function(task)
        oras.gather(function()
          core.clock.sleep(0.05)
        end)
        assert.equal("waiting", task:status())
      end)
      assert.equal("cancelled", err.class)
    end
    registry:upload_manifest("oci:" .. directory .. "/layout:2", registry:pack_manifest {}, {})
    assert.same({ "2" }, layout:tags())
  end)

  it("N55 leaves no descriptor open, however often it happens", function()
    faults.on { method = "PUT", early = true, read = 1000, hold = "put", always = true }
    helper.write(directory .. "/file", ("x"):rep(4 * MIB))
    local function once()
      cancelled(function()
        registry:upload_blob(ref(), directory .. "/file")
      end, function()
        local n = faults.count { method = "PUT" }.total
        oras.gather(function()
          while faults.count { method = "PUT" }.total == n do
            core.clock.sleep(0.01)
          end
        end)
      end)
      collectgarbage()
      collectgarbage()
    end
    once()
    local before = open_files()
    for _ = 1, 10 do
      once()
    end
    assert.is_true(open_files() <= before + 1) -- a connection that is kept
  end)
end)

describe("a signal", function()
  local directory

  before_each(function()
    faults.reset()
    directory = helper.directory()
  end)

  after_each(helper.clean)

  local function wait_url(query, count)
    return ("%s/wait?count=%d&timeout=20&%s"):format(faults.state().control, count or 1, query)
  end

  local function ends(status, out, err, number, more)
    assert.equal(128 + number, status, err)
    assert.equal("", out)
    assert.equal(("oras-lua: interrupted%s\n"):format(more or ""), err)
  end

  local KEPT <const> = "; what was downloaded is kept, the same command goes on from there"

  for name, number in pairs { SIGINT = SIGINT, SIGTERM = SIGTERM } do
    it(("N55 %s ends a push with its sessions"):format(name), function()
      faults.on { method = "PUT", path = "*/blobs/*", early = true, read = 1000, hold = "put", always = true }
      helper.write(directory .. "/file", ("x"):rep(8 * MIB))
      helper.write(directory .. "/other", ("y"):rep(8 * MIB))
      local status, out, err = process.interrupt_when(wait_url("method=PUT", 3), number,
        "push", "--disable-path-validation", ref(), directory .. "/file", directory .. "/other")
      ends(status, out, err, number)
      no_session_left()
      assert.same({}, faults.content("cancel/app").tags)
    end)
  end

  it("N55 SIGINT ends a copy with its sessions", function()
    faults.seed { repo = "cancel/src", tag = "1", layers = { { size = 3 * MIB }, { size = 2 * MIB, seed = 2 } } }
    faults.on { listener = "cdn", path = "*/blobs/*", stall = 1000000, always = true }
    local status, out, err = process.interrupt_when(wait_url("method=PUT", 3), SIGINT,
      "copy", ref("cancel/src", "cdn"), ref())
    ends(status, out, err, SIGINT)
    no_session_left()
  end)

  it("N55 SIGINT ends a pull; nothing stands under a final name", function()
    faults.seed { repo = "cancel/app", tag = "1", layers = { { size = 3 * MIB, title = "file" } } }
    faults.on { path = "*/blobs/*", stall = 1000000, always = true }
    local status, out, err = process.interrupt_when(wait_url "method=GET&path=*/blobs/*", SIGINT,
      "pull", ref(), "-o", directory)
    ends(status, out, err, SIGINT, helper.list(directory) ~= "" and KEPT or nil)
    assert.is_nil(helper.read(directory .. "/file"))
  end)

  for _, size in ipairs { 1000, 3 * MIB } do
    it(("N55 SIGINT says that %d bytes of a file are kept, and the same goes on from there"):format(size), function()
      local made = faults.seed { repo = "cancel/app", tag = "1", layers = { { size = 4 * MIB, title = "file" } } }
      local digest = made.layers[1].digest
      local script = [[
        local registry = require "oras".Registry:new()
        registry:on("progress", function(event)
          if event.phase == "download" and (event.done or 0) >= %d then
            print "ready"
            io.stdout:flush()
          end
        end)
        registry:pull(%q, { outdir = %q })
      ]]
      script = script:format(size, ref(), directory)
      faults.on { path = "*/blobs/" .. digest, stall = size, always = true }
      local status, err = process.interrupt("-e", script)
      ends(status, "", err, SIGINT, KEPT)
      assert.matches("^%.oras%-partial%-%S+$", helper.list(directory))

      faults.reset { content = false }
      assert.equal(0, (process.run("pull", ref(), "-o", directory)))
      assert.equal(("bytes=%d-"):format(size), faults.header(faults.log { path = "*/blobs/" .. digest }[1], "range"))
      assert.equal("file", helper.list(directory))
    end)
  end

  it("N55 SIGINT does not wait for a registry that does not answer", function()
    faults.on { method = "PUT", hold = "put", always = true }
    faults.on { method = "DELETE", hold = "delete", always = true }
    helper.write(directory .. "/file", "x")
    local status, out, err = process.interrupt_when(wait_url "method=PUT", SIGINT,
      "push", "--disable-path-validation", ref(), directory .. "/file")
    ends(status, out, err, SIGINT)
    assert.is_true(faults.count { method = "DELETE" }.total > 0)
  end)
end)
