--- pull in several processes: killed and taken up again, two into one directory.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local PATH <const> = "/v2/d/pull/blobs/*"
local GZIP <const> = oras.oci.media_types.layer_gzip

describe("pull in several processes", function()
  local dir, ref, layers

  before_each(function()
    faults.reset()
    dir = helper.directory()
    ref = faults.host "http" .. "/d/pull:1"
  end)
  after_each(helper.clean)

  local function tree()
    local place = helper.directory()
    assert(os.execute(("cd '%s' && mkdir -p tree/sub && head -c 1500000 /dev/urandom >tree/sub/big && echo a >tree/a \z
      && tar -czf t.gz tree"):format(place)))
    return { data = helper.read(place .. "/t.gz"), title = "tree", media_type = GZIP, annotations = {
      ["io.deis.oras.content.unpack"] = "true",
    } }
  end

  local function seed(contents)
    layers = faults.seed({ repo = "d/pull", tag = "1", layers = contents }).layers
  end

  local function command(more)
    return ("DOCKER_CONFIG=/nonexistent %s pull %s -o '%s/out' %s"):format(
      process.quote(process.oras_lua), ref, dir, more or "")
  end

  -- Start a pull whose bodies stop at a byte, wait until something is there, kill -9.
  local function kill_in_the_middle(at, what)
    faults.on { path = PATH, method = "GET", hold_body = "held", hold_at = at, always = true }
    local _, out = process.shell(([[%s & child=$!
      until test -n "$(find '%s/out' %s 2>/dev/null)"; do
        kill -0 $child || exit 9
        sleep 0.01
      done
      kill -9 $child
      wait $child 2>/dev/null
      ls -A '%s/out']]):format(command(), dir, what, dir))
    faults.release "held"
    faults.reset { content = false }
    return out
  end

  it("L09 goes on with the file that it was killed in, and tidies up", function()
    seed { { size = 1500000, title = "file" } }
    local left = kill_in_the_middle(1000000, "-name '.oras-partial-*' -size +100k")
    assert.matches("^%.oras%-partial%-[^\n]+\n$", left)
    assert.equal(0, (process.shell(command())))
    assert.equal("file", helper.list(dir .. "/out"))
    assert.equal(layers[1].digest, oras.digest.of_file(dir .. "/out/file"))
    assert.matches("^bytes=%d+%-$", faults.header(faults.log({ path = PATH })[1], "range"))
  end)

  it("L09 leaves no half of a directory, and removes what it left", function()
    seed { tree() }
    local left = kill_in_the_middle(1000000, "-name big -size +100k")
    assert.matches("^%.oras%-partial%-[^\n]+\n$", left)
    assert.equal(0, (process.shell(command())))
    assert.equal("tree", helper.list(dir .. "/out"))
    assert.equal("a sub", helper.list(dir .. "/out/tree"))
  end)

  it("L11 has two write into one directory: no mixed file, nothing left", function()
    for _ = 1, 5 do
      seed { { size = 700000, title = "file" }, { size = 10, seed = 2, title = "sub/small" }, tree() }
      local _, out = process.shell(("%s >/dev/null 2>'%s/e1' & one=$!; %s >/dev/null 2>'%s/e2' & two=$!\n"):format(
        command(), dir, command(), dir) .. "wait $one; a=$?; wait $two; echo $a $?")
      local errs = helper.read(dir .. "/e1") .. helper.read(dir .. "/e2")
      assert.is_true(out == "0 0\n" or errs:find "exists" ~= nil, out .. errs)
      assert.equal("file sub tree", helper.list(dir .. "/out"))
      assert.equal(layers[1].digest, oras.digest.of_file(dir .. "/out/file"))
      assert.equal(layers[2].digest, oras.digest.of_file(dir .. "/out/sub/small"))
      assert.equal("a sub", helper.list(dir .. "/out/tree"))
      assert(os.execute(("rm -rf '%s/out'"):format(dir)))
    end
  end)

  it("L12 makes files as the umask says, also in a directory that nobody else can read", function()
    seed { { data = "x", title = "file" }, tree() }
    for umask, modes in pairs { ["077"] = "600 700 600", ["022"] = "644 755 644", ["000"] = "666 755 644" } do
      local line = "umask %s; %s >/dev/null; cd '%s/out' && stat -c %%a file tree tree/a | xargs"
      local _, out = process.shell(line:format(umask, command(), dir))
      assert.equal(modes .. "\n", out, umask)
      assert(os.execute(("rm -rf '%s/out'"):format(dir)))
    end
  end)

  it("L02 says that a directory cannot be written", function()
    seed { { data = "x", title = "file" } }
    assert(os.execute(("mkdir -m 555 '%s/out'"):format(dir)))
    local status, out, err = process.shell(
      ("setpriv --reuid=65534 --regid=65534 --clear-groups sh -c %s"):format(process.quote(command())))
    if status == 127 or err:find "setpriv" then
      return pending "setpriv is not there, or not allowed"
    end
    assert.same({ 1, "" }, { status, out })
    assert.matches("oras%-lua: io: .*Permission denied", err)
  end)
end)
