local core = require "oras.core"
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local KILLS <const> = 50

-- Arguments: reference without tag, name of the writer, how many manifests it stores; each has a
-- layer of its own, its name and the name "moving".
local WRITER <const> = [[
local oras = require "oras"
local ref, name, count = arg[1], arg[2], tonumber(arg[3])
local registry = oras.Registry:new()
for i = 1, count do
  local data = name:rep(20000) .. i
  local layer = registry:upload_blob(ref, { data = data }, { mediaType = "text/plain", digest = oras.digest.of(data) })
  local config = registry:upload_blob(ref, { data = "{}" })
  registry:upload_manifest(ref .. ":" .. name .. i, {
    schemaVersion = 2, mediaType = "application/vnd.oci.image.manifest.v1+json", config = config, layers = { layer },
  }, { tags = { "moving" } })
  print(i)
  io.stdout:flush()
end
]]

-- Everything that is listed is whole.
local CHECKER <const> = [[
local oras = require "oras"
local ref, count, must = arg[1], tonumber(arg[2]), { table.unpack(arg, 3) }
local registry = oras.Registry:new()
for _ = 1, count do
  local there = {}
  for _, tag in ipairs(registry:get_tags(ref)) do
    there[tag] = true
    local manifest = registry:get_manifest(ref .. ":" .. tag)
    registry:get_blob(ref, manifest.config)
    for _, layer in ipairs(manifest.layers) do
      assert(#registry:get_blob(ref, layer).content == layer.size)
    end
  end
  for _, tag in ipairs(must) do
    assert(there[tag], "lost: " .. tag)
  end
end
]]

local directory, ref, writer, checker

before_each(function()
  directory = helper.directory() .. "/layout"
  ref = "oci:" .. directory
  writer = helper.write(helper.directory() .. "/writer.lua", WRITER)
  checker = helper.write(helper.directory() .. "/checker.lua", CHECKER)
end)
after_each(helper.clean)

local function command(...)
  local words = { process.quote(process.oras_lua) }
  for _, word in ipairs { ... } do
    words[#words + 1] = process.quote(word)
  end
  return table.concat(words, " ")
end

local function run(...)
  local status, out, err = process.run(...)
  assert.equal(0, status, err)
  return out
end

local function partials()
  local _, out = process.shell(("find '%s' -name '.oras-*'"):format(directory))
  return out
end

describe("a layout that several processes write", function()
  it("C39 L11: loses no name of either", function()
    local lines = {}
    for _, name in ipairs { "a", "b", "c" } do
      lines[#lines + 1] = ("%s >/dev/null & %s=$!"):format(command(writer, ref, name, 20), name)
    end
    lines[#lines + 1] = "wait $a && wait $b && wait $c"
    local status, _, err = process.shell(table.concat(lines, "\n"))
    assert.equal(0, status, err)
    local tags = oras.Registry:new():get_tags(ref)
    assert.equal(61, #tags)
    run(checker, ref, 1)
    assert.equal("", partials())
  end)

  it("C39: shows its readers something whole at any time", function()
    run(writer, ref, "first", 1)
    local status, _, err = process.shell(("%s >/dev/null & writer=$!\n%s\nchecked=$?\nwait $writer && exit $checked")
      :format(command(writer, ref, "x", 40), command(checker, ref, 60, "first1", "moving")))
    assert.equal(0, status, err)
  end)

  it("L09: is whole after kill -9 at any time, and the next one sweeps", function()
    run(writer, ref, "first", 1)
    for i = 1, KILLS do
      local name = ("k%dx"):format(i)
      -- killed behind a random number of manifests, somewhere in the next one
      local _, out = process.shell(([[
        mkfifo '%s/pipe'
        %s >'%s/pipe' 2>&1 & child=$!
        exec 3<'%s/pipe'
        n=0
        while test $n -lt %d; do read line <&3 || break; n=$((n + 1)); done
        for _ in %s; do :; done
        kill -9 $child
        wait $child 2>/dev/null
        echo $n
        rm '%s/pipe']]):format(directory, command(writer, ref, name, 1000), directory, directory, math.random(0, 4),
        ("x "):rep(math.random(0, 3000)), directory))
      local stored = {}
      for n = 1, tonumber(out) do
        stored[n] = name .. n
      end
      run(checker, ref, 1, "first1", "moving", table.unpack(stored))
    end
    run(writer, ref, "last", 1)
    assert.equal("", partials())
  end)
end)

describe("a layout that is made", function()
  local file

  before_each(function()
    file = helper.write(helper.directory() .. "/file", "hello")
  end)

  local function push(tag)
    return ("%s push --disable-path-validation '%s:%s' '%s'"):format(process.quote(process.oras_lua), ref, tag, file)
  end

  it("C39: is made by several processes at once, while others look", function()
    for _ = 1, 12 do
      local status, _, err = process.shell(([[
        exec 3>&2
        rm -rf '%s'
        %s & a=$!
        %s & b=$!
        %s & c=$!
        while kill -0 $a 2>/dev/null; do
          %s pull '%s:a' -o '%s/out' 2>&1 >/dev/null | grep -v -e 'not_found: ' -e MANIFEST_UNKNOWN >&3
        done
        wait $a && wait $b && wait $c]]):format(directory, push "a", push "b", push "c",
        process.quote(process.oras_lua), ref, helper.directory()))
      assert.equal(0, status, err)
      assert.equal("", err)
      assert.same({ "a", "b", "c" }, oras.Registry:new():get_tags(ref))
      assert.equal("", partials())
    end
  end)

  it("L09: is made by the next one when its maker was killed at any call", function()
    for call in ("mkdir:1 renameat2:1 mkdirat:1 mkdirat:2 renameat2:2 fdatasync:1 fdatasync:2 fsync:1 fsync:2")
      :gmatch "%S+" do
      local name, when = call:match "(.*):(.*)"
      process.shell(("rm -rf '%s'; strace -f -o /dev/null -e trace=%s -e inject=%s:signal=SIGKILL:when=%s %s")
        :format(directory, name, name, when, push "a"))
      assert.equal("not_found", helper.fails(oras.Registry:new(), "resolve", ref .. ":a").class, call)
      local status, _, err = process.shell(push "b")
      assert.equal(0, status, ("%s: %s"):format(call, err))
      assert.same({ "b" }, oras.Registry:new():get_tags(ref))
      assert.equal("", partials())
    end
  end)
end)

describe("the lock of a layout", function()
  local layout

  -- Another process takes the lock and gives it back when something is written into the pipe.
  local function hold()
    layout = oras.layout.create(directory)
    local pipe = helper.directory() .. "/pipe"
    assert(os.execute(("mkfifo '%s'"):format(pipe)))
    local holder = assert(io.popen(("flock '%s/oci-layout' sh -c 'echo held; read line <%s'"):format(directory, pipe)))
    assert.equal("held", holder:read "l")
    return holder, pipe
  end

  it("is waited for, while other tasks go on", function()
    local holder, pipe = hold()
    local events = {}
    oras.gather(function()
      local _ <close> = layout:lock()
      events[#events + 1] = "locked"
    end, function()
      core.clock.sleep(0)
      events[#events + 1] = "released"
      helper.write(pipe, "\n")
    end)
    holder:close()
    assert.same({ "released", "locked" }, events)
  end)

  it("is not waited for for ever", function()
    local holder, pipe = hold()
    local err = helper.fails(layout, "lock", 0)
    helper.write(pipe, "\n")
    holder:close()
    assert.equal("io", err.class)
    assert.matches("locked by another process", err.message)
    assert.matches(directory, err.message, 1, true)
    layout:lock(0):unlock()
  end)

  it("holds off the tasks of the same process, too", function()
    layout = oras.layout.create(directory)
    local registry = oras.Registry:new()
    local tags = {}
    for i = 1, 30 do
      tags[i] = ("t%02d"):format(i)
    end
    oras.map(tags, function(tag)
      registry:upload_manifest(ref .. ":" .. tag, oras.json.encode {
        schemaVersion = 2, config = oras.oci.empty_descriptor(), layers = oras.json.array {}, annotations = { a = tag },
      })
    end)
    assert.same(tags, layout:tags())
  end)

  it("is let go when its task ends in the middle", function()
    layout = oras.layout.create(directory)
    pcall(oras.gather, function()
      local _ <close> = layout:lock()
      core.clock.sleep(60)
    end, function()
      core.clock.sleep(0)
      error("enough", 0)
    end)
    layout:lock(0):unlock()
  end)

  it("is needed for what changes the index", function()
    layout = oras.layout.create(directory)
    local lock = layout:lock()
    lock:unlock()
    lock:unlock()
    local _, err = pcall(lock.write_index, lock, "{}")
    assert.equal("usage", err.class)
    lock = layout:lock()
    layout:close()
    _, err = pcall(lock.write_index, lock, "{}")
    assert.equal("usage", err.class)
    lock:unlock()
  end)

  it("L02: is io where the layout cannot be written", function()
    layout = oras.layout.create(directory)
    os.remove(directory .. "/oci-layout")
    assert.equal("io", helper.fails(layout, "lock").class)
  end)
end)
