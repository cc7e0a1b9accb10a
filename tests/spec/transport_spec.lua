local oras = require "oras"

local faults = require "tests.support.faults"
local faulty = require "tests.spec.faulty"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

describe("connecting", function()
  before_each(faults.reset)

  it("N01 names the host when it is refused, unknown, or not there", function()
    local registry = faulty.once()
    for _, host in ipairs { "127.0.0.1:1", "[::1]:1", "localhost:1", "none.invalid" } do
      local err = helper.fails(registry, "get_tags", host .. "/a/b")
      assert.equal("network", err.class)
      assert.is_true(err.retryable)
      assert.matches(host:gsub("%[::1%]", "::1"), err.message:gsub("%[::1%]", "::1"), 1, true)
    end
    faulty.expect_usable(registry, faulty.seed())
  end)

  it("N01 tries the second address of a name", function()
    local _, layer = faulty.seed()
    local ref = faults.host("http", "localhost") .. "/t/app"
    assert.equal(5000, #faulty.once():get_blob(ref, layer).content)
  end)

  it("N02 gives up a black hole after the connect limit", function()
    local pipe <close> = assert(io.popen([[exec python3 -c '
import select, socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(0)
full = [socket.socket() for _ in range(4)]
for c in full:
    c.setblocking(False)
    c.connect_ex(s.getsockname())
print(s.getsockname()[1], flush=True)
gone = select.poll()
gone.register(1, 0)
gone.poll()']]))
    local host = "127.0.0.1:" .. pipe:read "l"
    local registry = faulty.once { timeout = { connect = 0.3 } }
    local err = helper.fails(registry, "get_tags", host .. "/a/b")
    assert.equal("timeout", err.class)
    assert.is_true(err.retryable)
    assert.matches(host, err.message, 1, true)
  end)

  it("N02 counts the TLS handshake as connecting", function()
    faults.on { on = "connect", listener = "https", stall = 0, always = true }
    local registry = faulty.once { tls_verify = faults.cert "ca", timeout = { connect = 1 } }
    local err = helper.fails(registry, "get_tags", faults.host("https", "localhost") .. "/t/app")
    assert.equal("timeout", err.class)
    faults.reset()
    faulty.seed()
    assert.same({ "1" }, registry:get_tags(faults.host("https", "localhost") .. "/t/app"))
  end)
end)

describe("a reply that breaks off", function()
  it("N03 N04 is a network error, to be tried again", function()
    faulty.expect("network", true, { cut = 1000, how = "rst" })
    faulty.expect("network", true, { cut = 1000, how = "fin" })
    faulty.expect("network", true, { cut = 1000, how = "fin", chunked = 100 })
  end)

  it("N03 N04 is taken up where it broke", function()
    local directory = helper.directory()
    for _, how in ipairs { "rst", "fin" } do
      faults.reset()
      local ref, layer = faulty.seed { size = 60000 }
      faulty.on { cut = 20000, how = how, times = 1 }
      helper.registry():download_blob(ref, layer, directory .. "/" .. how)
      assert.equal(layer.digest, oras.digest.of_file(directory .. "/" .. how))
      local range = faults.header(faults.log({ path = faulty.PATH })[2], "range")
      assert.is_true(tonumber(range:match "^bytes=(%d+)%-$") <= 20000)
    end
    helper.clean()
  end)

  it("N05 without a length is of wrong size, tried once more", function()
    local rule = { no_length = true, cut = 1000, how = "fin" }
    local err = faulty.expect("integrity", false, rule, { registry = { retry = { wait = 0 } } })
    assert.matches("1000 bytes, expected 5000", err.message)
    assert.equal(2, err.requests)
  end)

  it("N04 inside its headers is no success", function()
    faulty.expect("protocol", true, { cut_headers = 40, how = "fin" })
    faulty.expect("network", true, { cut_headers = 40, how = "rst" })
  end)
end)

describe("a reply that does not come", function()
  local function times_out(words, rule, timeout)
    local err = faulty.expect("timeout", true, rule, { registry = { timeout = timeout } })
    assert.matches(words, err.message)
  end

  it("N06 times out before the headers and after them", function()
    local limits = { first_byte = 0.5, stall = 0.5 }
    times_out("no answer after 0.5 seconds", { stall_headers = 0 }, limits)
    times_out("no answer after 0.5 seconds", { stall_headers = 20 }, limits)
    times_out("too slow for 0.5 seconds", { stall = 0 }, limits)
    times_out("too slow for 0.5 seconds", { stall = 1000 }, limits)
  end)

  it("N07 in drops times out by the total limit", function()
    local limits, drops = { total = 1, stall = 10 }, { bytes = 1, every = 0.02 }
    times_out("not done after 1 seconds", { trickle = drops }, limits)
    times_out("not done after 1 seconds", { trickle_headers = drops }, limits)
  end)

  it("N07 fast enough is left alone", function()
    faulty.succeeds({ trickle = { bytes = 1000, every = 0.1 } }, { size = 7000 })
  end)

  it("N08 in single bytes and chunks is as good as any", function()
    faulty.succeeds({ trickle = { bytes = 1, every = 0 } }, { size = 1000 })
    faulty.succeeds({ chunked = 1 }, { size = 1000 })
    faulty.succeeds { trickle_headers = { bytes = 1, every = 0 } }
  end)
end)

describe("a connection that is kept", function()
  before_each(faults.reset)

  local function connections()
    local seen, n = {}, 0
    for _, entry in ipairs(faults.log { path = faulty.PATH }) do
      n = n + (seen[entry.connection] and 0 or 1)
      seen[entry.connection] = true
    end
    return n
  end

  it("is used again", function()
    local ref, layer = faulty.seed()
    local registry = faulty.once()
    for _ = 1, 5 do
      registry:get_blob(ref, layer)
    end
    assert.equal(1, connections())
  end)

  it("N10 N54 is replaced silently when the server closed it", function()
    for _, rule in ipairs { { reused = true, drop = "fin" }, { reused = true, drop = "rst" } } do
      faults.reset()
      local ref, layer = faulty.seed()
      local registry = faulty.once()
      registry:get_blob(ref, layer)
      faulty.on(rule)
      assert.equal(5000, #registry:get_blob(ref, layer).content)
      assert.equal(3, #faults.log { path = faulty.PATH })
      assert.equal(2, connections())
    end
  end)

  it("N54 is replaced when it was closed after an answer, said or not", function()
    for _, rule in ipairs { { close = true }, { say_close = true } } do
      faults.reset()
      local ref, layer = faulty.seed()
      local registry = faulty.once()
      faulty.on(rule)
      for _ = 1, 3 do
        assert.equal(5000, #registry:get_blob(ref, layer).content)
      end
      assert.equal(3, connections())
    end
  end)

  it("N57 is not inherited by children, and outlives them", function()
    local ref, layer = faulty.seed()
    local registry = faulty.once()
    registry:get_blob(ref, layer)
    local status, out = process.shell [[exec python3 -c '
import os
tcp = open("/proc/net/tcp").read() + open("/proc/net/tcp6").read()
for fd in os.listdir("/proc/self/fd"):
    try:
        name = os.readlink("/proc/self/fd/" + fd)
    except OSError:
        continue
    if name.startswith("socket:") and " %s " % name[8:-1] in tcp:
        print(fd, name)']]
    assert.equal(0, status)
    assert.equal("", out)
    registry:get_blob(ref, layer)
    assert.equal(1, connections())
  end)
end)
