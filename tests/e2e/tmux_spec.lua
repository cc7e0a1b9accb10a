--- What a user sees: progress, prompts and interrupts, looked at in a terminal.
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local tmux = require "tests.e2e.tmux"

local MIB <const> = 1024 * 1024
local REPO <const> = "tmux/app"

local missing = tmux.missing()

local function terminal_it(name, fn)
  it(name, function()
    if missing then
      return pending(missing)
    end
    fn()
  end)
end

local function ref(listener, repo)
  return ("%s/%s:1"):format(faults.host(listener or "http"), repo or REPO)
end

describe("on a terminal", function()
  local directory, terminal

  local function start(columns, rows, environment)
    environment = environment or {}
    environment.HOME = directory
    environment.DOCKER_CONFIG = directory
    terminal = tmux.start(columns or 80, rows or 20, environment)
  end

  local function run(...)
    local words = { process.oras_lua }
    for _, word in ipairs { ... } do
      words[#words + 1] = word:find "^[%w/._:-]+$" and word or process.quote(word)
    end
    terminal:run(table.concat(words, " "))
  end

  -- Blobs of which each stops after a part, until "go" is released.
  local function seed_slow(n, size, names)
    local layers = {}
    for i = 1, n do
      layers[i] = { size = size or 4 * MIB, seed = i, title = names and names[i] or "file" .. i }
    end
    faults.on { method = "GET", path = "*/blobs/*", hold_body = "go", hold_at = 1 * MIB, always = true }
    return faults.seed { repo = REPO, tag = "1", layers = layers }
  end

  before_each(function()
    faults.reset()
    directory = helper.directory()
  end)

  after_each(function()
    faults.reset()
    if terminal then
      terminal:close()
      terminal = nil
    end
    helper.clean()
  end)

  terminal_it("a pull shows a line for each blob and one for all, which go at its end", function()
    seed_slow(3)
    start()
    run("pull", ref(), "-o", directory .. "/out")
    local screen = terminal:wait "of 3 blobs  3%.0 MiB / 12%.0 MiB +25%%"
    for i = 1, 3 do
      assert.matches(("file%d +1%%.0 MiB / 4%%.0 MiB +25%%%%"):format(i), screen)
    end
    faults.release "go"
    local status, last = terminal:wait_end()
    assert.equal(0, status)
    assert.is_nil(last:find("blobs", 1, true))
    assert.is_nil(last:find("MiB", 1, true))
    assert.matches("file3", last)
  end)

  terminal_it("what stands still has no rate after a while", function()
    seed_slow(1)
    start()
    run("pull", ref(), "-o", directory .. "/out")
    terminal:wait "file1 .* 0 B/s"
  end)

  terminal_it("a push shows what the registry took", function()
    local slowly = { bytes = 65536, every = 0.02 }
    faults.on { method = "PUT", path = "*/blobs/uploads/*", read_slowly = slowly, always = true }
    helper.write(directory .. "/one.bin", ("x"):rep(6 * MIB))
    helper.write(directory .. "/two.bin", ("y"):rep(6 * MIB))
    start()
    run("push", "--disable-path-validation", ref(), directory .. "/one.bin", directory .. "/two.bin")
    terminal:wait "two%.bin +%d.- / 6%.0 MiB +%d+%% .*\n.*of 3 blobs"
    terminal:press "C-c"
    assert.equal(130, (terminal:wait_end()))
  end)

  terminal_it("a copy shows its blobs", function()
    faults.seed { repo = "tmux/src", tag = "1", layers = { { size = 4 * MIB } } }
    faults.on { listener = "cdn", method = "GET", path = "*/blobs/*", hold_body = "go", hold_at = 2 * MIB }
    start()
    run("copy", ref("cdn", "tmux/src"), ref())
    terminal:wait "sha256:%x+ .*/ 4%.0 MiB +%d+%%"
    faults.release "go"
    assert.equal(0, (terminal:wait_end()))
  end)

  terminal_it("a backup and a restore show their blobs", function()
    seed_slow(1)
    start()
    run("backup", "-o", directory .. "/backup", ref())
    terminal:wait "1%.0 MiB / 4%.0 MiB +25%%"
    faults.release "go"
    assert.equal(0, (terminal:wait_end()))
    local slowly = { bytes = 65536, every = 0.02 }
    faults.on { method = "PUT", path = "*/blobs/uploads/*", read_slowly = slowly, always = true }
    run("restore", "--input", directory .. "/backup", ref("http", "tmux/again"))
    terminal:wait "/ 4%.0 MiB +%d+%% .*\n%d of 2 blobs"
    terminal:press "C-c"
    assert.equal(130, (terminal:wait_end()))
  end)

  terminal_it("a terminal of 20 columns has names and shares", function()
    seed_slow(2, nil, { "a-name-that-is-far-too-long.tar.gz", "日本語の名前.bin" })
    start(20, 10)
    run("pull", ref(), "-o", directory .. "/out")
    local screen = terminal:wait "\n0 of 2 blobs +25%%$"
    assert.matches("a%-name%-that%.%. +25%%\n", screen)
    assert.matches("日本語の名%.%. +25%%\n", screen)
    faults.release "go"
    assert.equal(0, (terminal:wait_end()))
  end)

  terminal_it("never takes more lines than there are", function()
    seed_slow(8)
    start(80, 5)
    run("pull", "--concurrency", "8", ref(), "-o", directory .. "/out")
    local screen = terminal:wait "5 more on the way"
    assert.equal(3, select(2, screen:gsub("file%d ", "")))
    faults.release "go"
    assert.equal(0, (terminal:wait_end()))
  end)

  terminal_it("follows a terminal that is resized, and leaves nothing behind", function()
    seed_slow(3)
    start(80, 20)
    run("pull", ref(), "-o", directory .. "/out")
    terminal:wait "of 3 blobs  3%.0 MiB"
    for _, columns in ipairs { 40, 24, 100, 30 } do
      terminal:resize(columns, 20)
      terminal:wait(function(screen)
        local lines = select(2, screen:gsub("file%d ", ""))
        local sums = select(2, screen:gsub("of 3 blobs", ""))
        return lines == 3 and sums == 1
      end)
    end
    terminal:resize(80, 20)
    faults.release "go"
    local status, last = terminal:wait_end()
    assert.equal(0, status)
    assert.is_nil(last:find("of 3 blobs", 1, true), last)
    assert.is_nil(last:find("MiB", 1, true), last)
  end)

  for name, how in pairs {
    ["--no-tty"] = { flag = "--no-tty" },
    ["TERM=dumb"] = { environment = { TERM = "dumb" } },
    ["a pipe"] = { behind = " 2>&1 | cat" },
  } do
    terminal_it(("nothing is drawn: %s"):format(name), function()
      seed_slow(1)
      start(80, 20, { NO_COLOR = "1" })
      local words = { "env", "TERM=" .. (how.environment or { TERM = "screen" }).TERM, process.oras_lua, "pull" }
      words[#words + 1] = how.flag
      words[#words + 1] = ("%s -o %s/out%s"):format(ref(), directory, how.behind or "")
      terminal:run(table.concat(words, " "))
      faults.wait { method = "GET", path = "*/blobs/*", count = 1 }
      require("oras.core").clock.sleep(0.5) -- nothing happens: there is no event to wait for
      assert.is_nil(terminal:screen():find("MiB", 1, true))
      faults.release "go"
      assert.equal(0, (terminal:wait_end()))
    end)
  end

  terminal_it("a warning stands above the lines", function()
    faults.on {
      method = "GET", path = "*/blobs/*", hold_body = "first", hold_at = 1 * MIB,
      set = { Warning = '299 - "this goes away"' },
    }
    seed_slow(2)
    start()
    run("pull", "--concurrency", "1", ref(), "-o", directory .. "/out")
    terminal:wait "file1 .*\n0 of 2 blobs"
    faults.release "first"
    terminal:wait "this goes away\nfile2 .*\n1 of 2 blobs"
    faults.release "go"
    local status, screen = terminal:wait_end()
    assert.equal(0, status)
    assert.equal(1, select(2, screen:gsub("this goes away", "")), screen)
    assert.is_nil(screen:find("MiB", 1, true), screen)
  end)

  terminal_it("W1 W23 SIGINT ends a pull with one line; the next goes on where it stopped", function()
    local seeded = seed_slow(2)
    start()
    run("pull", ref(), "-o", directory .. "/out")
    terminal:wait "0 of 2 blobs  2%.0 MiB"
    terminal:press "C-c"
    local status, screen = terminal:wait_end()
    assert.equal(130, status)
    assert.is_nil(screen:find("MiB", 1, true), screen)
    assert.equal(1, select(2, screen:gsub("oras%-lua: interrupted; what was downloaded is kept, ", "")), screen)
    assert.is_nil(helper.read(directory .. "/out/file1")) -- nothing under a final name,
    assert.equal(2, select(2, helper.list(directory .. "/out"):gsub("%.oras%-%S+", ""))) -- both parts kept

    faults.reset { content = false }
    run("pull", ref(), "-o", directory .. "/out")
    assert.equal(0, (terminal:wait_end()))
    for i, layer in ipairs(seeded.layers) do
      local gets = faults.log { method = "GET", path = "*/blobs/" .. layer.digest }
      assert.equal(1, #gets)
      assert.matches("^bytes=%d+%-", faults.header(gets[1], "range"))
      local digest = require("oras.core").digest.of_file(("%s/out/file%d"):format(directory, i))
      assert.equal(layer.digest, digest)
    end
    assert.equal("file1 file2", helper.list(directory .. "/out")) -- no part is left behind
  end)

  terminal_it("SIGINT ends a push with one line and its upload session", function()
    faults.on { method = "PUT", path = "*/blobs/uploads/*", early = true, read = 1000, hold = "put", always = true }
    helper.write(directory .. "/big.bin", ("x"):rep(8 * MIB))
    start()
    run("push", "--disable-path-validation", ref(), directory .. "/big.bin")
    faults.wait { method = "PUT", count = 2 }
    terminal:wait "big%.bin "
    terminal:press "C-c"
    local status, screen = terminal:wait_end()
    assert.equal(130, status)
    assert.equal(1, select(2, screen:gsub("oras%-lua: interrupted", "")), screen)
    assert.is_nil(screen:find("MiB", 1, true), screen)
    faults.wait { method = "DELETE", path = "*/blobs/uploads/*", count = 2, finished = true }
    assert.equal(0, faults.content(REPO).uploads)
  end)

  -- The prompts of login.
  local function config()
    return helper.read(directory .. "/config.json") or ""
  end

  terminal_it("login asks for the user and, hidden, for the password", function()
    start()
    run("login", faults.host "http")
    terminal:wait "\nUsername:$"
    terminal:line "alice"
    terminal:wait "\nUsername: alice\nPassword:$"
    terminal:line "wonder:land"
    local status, screen = terminal:wait_end()
    assert.equal(0, status, screen)
    assert.matches("Login Succeeded", screen)
    assert.is_nil(screen:find("wonder", 1, true))
    assert.matches(faults.host "http", config(), 1, true)
    run("logout", faults.host "http") -- what is typed is shown again
    assert.equal(0, (terminal:wait_end()))
  end)

  terminal_it("login takes a password from the terminal while standard input is something else", function()
    start()
    terminal:run(("%s login -u alice %s </dev/null"):format(process.oras_lua, faults.host "http"))
    terminal:wait "\nPassword:$"
    terminal:line "wonder:land"
    assert.equal(0, (terminal:wait_end()))
  end)

  for key, name in pairs { ["C-c"] = "an interrupt", ["C-d"] = "the end of input" } do
    terminal_it(("login keeps nothing when %s comes for a password, and the echo is back"):format(name), function()
      start()
      run("login", "-u", "alice", faults.host "http")
      terminal:wait "\nPassword:$"
      terminal:press(key)
      local status, screen = terminal:wait_end()
      assert.equal(key == "C-c" and 130 or 1, status, screen)
      if key == "C-c" then
        assert.equal(1, select(2, screen:gsub("oras%-lua: interrupted", "")), screen)
      end
      assert.equal("", config())
      terminal:line "echo visi''ble"
      terminal:wait "echo visi''ble\nvisible"
    end)
  end

  for _, number in ipairs { "INT", "TERM" } do
    terminal_it(("a signal %s to login puts the echo back"):format(number), function()
      start()
      local pid = directory .. "/pid"
      terminal:run(("sh -c 'echo $$ >%s; exec %s login -u alice %s'"):format(pid, process.oras_lua, faults.host "http"))
      terminal:wait "\nPassword:$"
      process.sh("kill -%s $(cat %s)", number, pid)
      assert.equal(number == "INT" and 130 or 143, (terminal:wait_end()))
      terminal:line "echo visi''ble"
      terminal:wait "echo visi''ble\nvisible"
    end)
  end
end)
