--- Many logins at once, and readers and deaths meanwhile: the file is always a whole one, and none
--- of them is lost.
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local LOGINS <const>, HOSTS <const>, KILLS <const> = 10, 3, 20

-- Arguments: file, name, how many hosts it logs in to. The registries say yes.
local LOGIN <const> = [[
local oras = require "oras"
local path, name, count = arg[1], arg[2], tonumber(arg[3])
local registry = oras.Registry:new { config_path = path }
function registry:do_request()
  return { status = 200 }
end
print(io.open("/proc/self/stat"):read "n")
io.stdout:flush()
for i = 1, count do
  registry:login { hostname = ("%s-%d.example"):format(name, i), username = name, password = "pw" }
  print(i)
  io.stdout:flush()
end
]]

-- Arguments: file, a file that ends it. What it reads is whole and has what was there before.
local READER <const> = [[
local core = require "oras.core"
local last
repeat
  last = io.open(arg[2])
  local document = core.json.decode(assert(core.file.read(arg[1], 1 << 20)))
  assert(document.before == 1 and document.auths["before.example"].auth == "YTpi")
until last
]]

local BEFORE <const> = '{\n  "before": 1.0,\n  "auths": {"before.example": {"auth": "YTpi"}}\n}\n'

local directory, path, login, reader

local function sh(command)
  local status, out, err = process.shell(("LUA=%s LOGIN=%s READER=%s FILE=%s DONE=%s\n%s"):format(
    process.quote(process.oras_lua), process.quote(login), process.quote(reader), process.quote(path),
    process.quote(directory .. "/done"), command))
  assert.same({ 0, "" }, { status, err })
  return out
end

local function count_of(document, name)
  local count = 0
  while document.auths[("%s-%d.example"):format(name, count + 1)] do
    count = count + 1
  end
  return count
end

describe("logins of many processes", function()
  before_each(function()
    directory = helper.directory()
    assert(os.execute(("mkdir '%s/docker'"):format(directory)))
    path = helper.write(directory .. "/docker/config.json", BEFORE)
    login = helper.write(directory .. "/login.lua", LOGIN)
    reader = helper.write(directory .. "/reader.lua", READER)
  end)
  after_each(helper.clean)

  it("L15 L16 lose none, and readers meanwhile see the file before or after one", function()
    sh(([[
      set -e
      "$LUA" "$READER" "$FILE" "$DONE" & reader=$!
      "$LUA" "$READER" "$FILE" "$DONE" & other=$!
      pids=
      for i in $(seq %d); do "$LUA" "$LOGIN" "$FILE" "p$i" %d >/dev/null & pids="$pids $!"; done
      for pid in $pids; do wait $pid; done
      : >"$DONE"
      wait $reader; wait $other]]):format(LOGINS, HOSTS))
    local text = helper.read(path)
    local document = oras.json.decode(text)
    for i = 1, LOGINS do
      assert.equal(HOSTS, count_of(document, "p" .. i))
    end
    assert.equal(BEFORE:sub(1, -7), text:sub(1, #BEFORE - 6))
    assert.equal("config.json", helper.list(directory .. "/docker"))
    assert.equal("600", process.sh("stat -c %%a %s", path):match "%d+")
  end)

  it("L15 lose none in tasks of one process", function()
    local registry = oras.Registry:new { config_path = path }
    function registry.do_request()
      return { status = 200 }
    end
    local hosts = {}
    for i = 1, LOGINS do
      hosts[i] = ("t-%d.example"):format(i)
    end
    oras.map(hosts, function(host)
      registry:login { hostname = host, username = "t", password = "pw" }
    end, { concurrency = LOGINS })
    assert.equal(LOGINS, count_of(oras.json.decode(helper.read(path)), "t"))
  end)

  it("L15 that are killed leave the file as it was or as it will be", function()
    for i = 1, KILLS do
      local out = sh(([[exec 2>/dev/null
        "$LUA" "$LOGIN" "$FILE" "k%d" 1000 | {
        read pid
        while read n && [ "$n" -lt %d ]; do :; done
        kill -9 $pid
        echo "$n"
        cat
      }]]):format(i, i % 4))
      local done = tonumber(out:match "(%d+)%s*$") or 0
      local document = oras.json.decode(helper.read(path))
      local kept = count_of(document, "k" .. i)
      assert.is_true(kept == done or kept == done + 1, ("%d of %d"):format(kept, done))
    end
    sh [["$LUA" "$LOGIN" "$FILE" last 1 >/dev/null]]
    local document = oras.json.decode(helper.read(path))
    assert.equal(1, count_of(document, "last"))
    assert.equal("YTpi", document.auths["before.example"].auth)
    assert.equal("config.json", helper.list(directory .. "/docker"))
  end)
end)
