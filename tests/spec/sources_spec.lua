--- oras.core.source: what the body of a request can be.
local core = require "oras.core"
local errors = require "oras.error"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local BIG <const> = ("0123456789abcdef"):rep(24 * 1024) -- 384 KiB, more than goes out with the headers

local client, url, n_connections

-- PUT a body to the fault server, which answers anything with 201; the response and its log entry.
local function put(body, more)
  local spec = { method = "PUT", url = url, body = body }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  local response, err = client:request(spec)
  local log = faults.log { path = "/put" }
  return response, err, log[#log]
end

local function digest(text)
  return (core.digest.of(text))
end

local function sleep(seconds)
  core.clock.sleep(seconds)
end

-- Let tasks run until something is so.
local function await(is_so)
  for _ = 1, 500 do
    if is_so() then
      return
    end
    core.task.spawn(sleep, 0.01):wait()
  end
  error "it did not come to that"
end

local function is_connected()
  return faults.connections("http").total > n_connections
end

local function class_of(value, err)
  assert.is_nil(value)
  return err.class
end

before_each(function()
  faults.reset()
  faults.on { path = "/put", status = 201, always = true }
  n_connections = faults.connections("http").total
  client = core.client.new {}
  url = faults.url() .. "/put"
end)
after_each(function()
  helper.clean()
  client:close()
end)

describe("source.string", function()
  it("is sent as it is, small or big", function()
    for _, text in ipairs { "", "hello", BIG } do
      local source = core.source.string(text)
      assert.equal(#text, source:size())
      assert.is_true(source:can_seek())
      local response, _, entry = put(source)
      assert.equal(201, response.status)
      assert.equal(digest(text), entry.body_digest)
      assert.equal(tostring(#text), faults.header(entry, "content-length"))
      assert.is_nil(faults.header(entry, "expect"))
      assert.is_nil(faults.header(entry, "content-type"))
    end
  end)

  it("lives as long as the source does", function()
    local now = os.time() -- so that the string is one that nobody else holds
    local source = core.source.string(("x"):rep(100) .. now)
    local expected = digest(("x"):rep(100) .. now)
    collectgarbage()
    assert.equal(64 + 7, #expected)
    assert.equal(110, source:size())
    assert.equal(source:hash(), source:hash())
  end)
end)

describe("source.file", function()
  it("is sent as it is, however often", function()
    local path = helper.write(helper.directory() .. "/f", BIG)
    local source <close> = assert(core.source.file(path))
    assert.equal(#BIG, source:size())
    for _ = 1, 2 do
      local response, _, entry = put(source)
      assert.equal(201, response.status)
      assert.equal(digest(BIG), entry.body_digest)
    end
  end)

  it("L07 refuses what is no regular file, and says what is missing", function()
    local dir = helper.directory()
    os.execute(("mkfifo '%s/fifo'"):format(dir))
    assert.equal("usage", class_of(core.source.file(dir)))
    assert.equal("usage", class_of(core.source.file(dir .. "/fifo")))
    assert.equal("usage", class_of(core.source.file "/dev/zero"))
    assert.equal("io", class_of(core.source.file(dir .. "/missing")))
  end)

  it("L07 streams a file of the kernel, whose size is not known", function()
    local source <close> = assert(core.source.file "/proc/self/status")
    assert.is_nil(source:size())
    local response, _, entry = put(source)
    assert.equal(201, response.status)
    assert.is_truthy(entry.body:find("Name:", 1, true))
  end)
end)

describe("a part of a body", function()
  local function parts(body)
    local _, _, entry = put(body, { body_offset = 7, body_size = 20 })
    assert.equal(BIG:sub(8, 27), entry.body)
    _, _, entry = put(body, { body_offset = 7 })
    assert.equal(digest(BIG:sub(8)), entry.body_digest)
    _, _, entry = put(body, { body_offset = 7, body_size = 200000 })
    assert.equal(digest(BIG:sub(8, 200007)), entry.body_digest)
    _, _, entry = put(body, { body_offset = #BIG })
    assert.equal(0, entry.body_size)
  end

  it("is taken from a string", function()
    parts(BIG)
  end)

  it("is taken from any source", function()
    parts(core.source.string(BIG))
    parts(assert(core.source.file(helper.write(helper.directory() .. "/f", BIG))))
  end)

  it("must be there", function()
    local source = core.source.string(BIG)
    assert.equal("content", class_of(put(source, { body_size = #BIG + 1 })))
    assert.equal("usage", class_of(put(source, { body_offset = #BIG + 1 })))
    assert.equal("usage", helper.fails(client, "request", { url = url, body = "x", body_offset = 2 }).class)
    assert.equal("usage", helper.fails(client, "request", { url = url, body = "x", body_size = -2 }).class)
    assert.same({}, faults.log { path = "/put" })
  end)
end)

describe("source.stream", function()
  -- Send what `fill` writes into a new stream.
  local function send(options, fill)
    local source = core.source.stream(options)
    local writer = core.task.spawn(fill, source)
    local reader = core.task.spawn(function()
      return put(source)
    end)
    local response, err, entry = reader:wait()
    source:close()
    return response, err, entry, writer
  end

  it("is sent while it is written, in chunks if its size is not known", function()
    local response, _, entry = send({}, function(source)
      for at = 1, #BIG, 1000 do
        assert(source:write(BIG:sub(at, at + 999)))
      end
      assert.is_nil(source:digest())
      assert(source:finish())
      assert.same({ digest(BIG), #BIG }, { source:digest() })
    end)
    assert.equal(201, response.status)
    assert.equal(digest(BIG), entry.body_digest)
    assert.equal("chunked", faults.header(entry, "transfer-encoding"))
  end)

  it("has a length if its size is known", function()
    local response, _, entry = send({ size = #BIG }, function(source)
      assert(source:write(BIG))
      assert(source:finish())
    end)
    assert.equal(201, response.status)
    assert.equal(digest(BIG), entry.body_digest)
    assert.equal(tostring(#BIG), faults.header(entry, "content-length"))
  end)

  it("has a length, too, if all of it is there and it is small", function()
    local source = core.source.stream {}
    assert(source:write "hello")
    assert(source:finish())
    local _, _, entry = put(source)
    assert.equal("5", faults.header(entry, "content-length"))
    assert.equal("hello", entry.body)
  end)

  it("may be empty", function()
    local source = core.source.stream {}
    assert(source:finish())
    local response, _, entry = put(source)
    assert.equal(201, response.status)
    assert.equal(0, entry.body_size)
  end)

  it("ends the request with the writer's error, and no server takes it for complete", function()
    local response, err = send({ size = #BIG }, function(source)
      assert(source:write(BIG))
      sleep(0.01)
      source:fail(errors.new { class = "tls", message = "mine" })
    end)
    assert.is_nil(response)
    assert.equal("tls", err.class)
    assert.equal("mine", err.message)
    assert.equal("request cut", faults.wait({ path = "/put", finished = 1 })[1].outcome)
  end)

  it("L06 of another size than it was said to have is content", function()
    for _, text in ipairs { BIG .. "x", BIG:sub(2) } do
      faults.reset()
      local response, err = send({ size = #BIG }, function(source)
        local _ = source:write(text) and source:finish()
      end)
      assert.equal("content", class_of(response, err))
      assert.equal("request cut", faults.wait({ path = "/put", finished = 1 })[1].outcome)
    end
  end)

  it("tells its writer when nobody reads any more", function()
    faults.reset()
    faults.on { path = "/put", status = 413, early = true, read = 1000 }
    local response, _, _, writer = send({}, function(source)
      while true do
        local written, err = source:write(BIG)
        if not written then
          return err.class
        end
      end
    end)
    assert.equal(413, response.status)
    assert.equal("cancelled", writer:wait())
  end)

  it("can be read again as long as nothing of it is gone", function()
    local small = core.source.stream { size = 5 }
    assert(small:write "hello")
    assert(small:finish())
    assert.is_true(small:can_seek())
    assert.same({ digest "hello", 5 }, { small:hash() })
    for _ = 1, 2 do
      local _, _, entry = put(small)
      assert.equal("hello", entry.body)
    end
    local big = core.source.stream { capacity = 64 * 1024 }
    assert.is_false(big:can_seek())
    assert.equal("unsupported", class_of(big:hash()))
  end)

  it("is no place for two writers, other values, or nothing", function()
    local source = core.source.stream { capacity = 64 * 1024 }
    local first = core.task.spawn(function()
      return source:write(BIG)
    end)
    local second = core.task.spawn(function()
      return helper.fails(source, "write", BIG).class
    end)
    assert.equal("usage", second:wait())
    assert.equal("usage", helper.fails(source, "write", 7).class)
    assert.equal("usage", helper.fails(core.source.string "x", "write", "y").class)
    assert.equal("usage", helper.fails(core.source.string "x", "fail", "y").class)
    source:close()
    assert.equal("cancelled", class_of(first:wait()))
    assert.equal("usage", helper.fails(source, "write", "y").class)
    assert.equal("usage", helper.fails(source, "size").class)
    source:close()
  end)
end)

describe("source:hash", function()
  it("gives digest and size, and the source is at its beginning again", function()
    local path = helper.write(helper.directory() .. "/f", BIG)
    for _, source in ipairs { core.source.string(BIG), core.source.string "x", assert(core.source.file(path)) } do
      local size = source:size()
      local text = size == 1 and "x" or BIG
      assert.same({ digest(text), size }, { source:hash() })
      assert.equal(core.digest.of(text, "sha512"), (source:hash "sha512"))
      local _, _, entry = put(source)
      assert.equal(digest(text), entry.body_digest)
    end
    assert.equal("usage", helper.fails(core.source.string "x", "hash", "md5").class)
  end)

  it("L06 tells a file that changed since it was opened", function()
    local path = helper.write(helper.directory() .. "/f", BIG)
    local source <close> = assert(core.source.file(path))
    helper.write(path, BIG .. "x")
    assert.equal("content", class_of(source:hash()))
    assert.equal("content", class_of(put(source)))
  end)

  it("ends when its source is closed or its task is cancelled", function()
    local path = helper.directory() .. "/sparse"
    os.execute(("truncate -s 64G '%s'"):format(path))
    local source = assert(core.source.file(path))
    local task = core.task.spawn(source.hash, source)
    core.task.spawn(sleep, 0.01):wait()
    source:close()
    assert.equal("cancelled", class_of(task:wait()))
    local other <close> = assert(core.source.file(path))
    task = core.task.spawn(other.hash, other)
    core.task.spawn(sleep, 0.01):wait()
    task:cancel()
    assert.is_false(pcall(task.wait, task))
  end)
end)

describe("source.pipe", function()
  local blob, path

  -- GET a blob into a pipe and PUT what comes out; both results and errors.
  local function copy(expect, options)
    local using = core.client.new { per_host = options and options.per_host }
    local sink, source = core.source.pipe { digest = expect.digest, size = expect.size, capacity = 64 * 1024 }
    local download = core.task.spawn(function()
      local response, err = using:request { url = faults.url() .. (options and options.path or path), sink = sink }
      sink:close()
      return response, err
    end)
    local upload = core.task.spawn(function()
      local response, err = using:request { method = "PUT", url = url, body = source, timeouts = { stall = 5 } }
      source:close()
      return response, err
    end)
    return { upload:wait() }, { download:wait() }
  end

  before_each(function()
    blob = faults.seed({ repo = "pipe/app", blobs = { { data = BIG } } }).blobs[1]
    path = "/v2/pipe/app/blobs/" .. blob.digest
  end)

  it("takes a blob from one request to another", function()
    local up, down = copy(blob)
    assert.equal(200, down[1].status)
    assert.equal(201, up[1].status)
    assert.equal(digest(BIG), faults.log({ path = "/put" })[1].body_digest)
  end)

  it("does not wait for itself where a host has one place", function()
    local up, down = copy(blob, { per_host = 1 })
    assert.equal(200, down[1].status)
    assert.equal(201, up[1].status)
  end)

  it("fails the upload with what failed the download, and the server has no complete request", function()
    faults.on { path = path, corrupt = -1 }
    local up, down = copy(blob)
    assert.equal("integrity", class_of(table.unpack(down, 1, 2)))
    assert.equal("integrity", class_of(table.unpack(up, 1, 2)))
    assert.equal("request cut", faults.wait({ path = "/put", finished = 1 })[1].outcome)
  end)

  it("fails the upload when the download breaks off", function()
    faults.on { path = path, cut = 200000, how = "rst" }
    local up, down = copy(blob)
    assert.equal("network", class_of(table.unpack(down, 1, 2)))
    assert.equal("network", class_of(table.unpack(up, 1, 2)))
    assert.equal("request cut", faults.wait({ path = "/put", finished = 1 })[1].outcome)
  end)

  it("is given up when there is nothing to download", function()
    local up, down = copy(blob, { path = "/v2/pipe/app/blobs/" .. digest "other" })
    assert.equal(404, down[1].status)
    assert.equal("cancelled", class_of(table.unpack(up, 1, 2)))
  end)

  it("stops the download when the upload is over", function()
    faults.reset()
    faults.on { path = "/put", status = 403, early = true, read = 100 }
    blob = faults.seed({ repo = "pipe/app", blobs = { { size = 32 << 20 } } }).blobs[1]
    path = "/v2/pipe/app/blobs/" .. blob.digest
    local up, down = copy(blob)
    assert.equal(403, up[1].status)
    assert.equal("cancelled", class_of(table.unpack(down, 1, 2)))
  end)

  it("is a source that only its sink fills", function()
    local sink, source = core.source.pipe {}
    assert.is_nil(source:size())
    assert.equal("usage", helper.fails(source, "write", "x").class)
    assert.equal("usage", helper.fails(source, "finish").class)
    source:fail "broken"
    sink:close()
    local response, err = put(source)
    assert.equal("script", class_of(response, err))
    assert.equal("broken", err.message)
  end)
end)

describe("a source that is used twice", function()
  it("goes on with the later request", function()
    local source = core.source.stream {}
    local first = core.task.spawn(function()
      return put(source)
    end)
    await(is_connected)
    local second = core.task.spawn(function()
      return put(source)
    end)
    core.task.spawn(function()
      assert(source:write "hello")
      assert(source:finish())
    end)
    assert.equal("cancelled", class_of(first:wait()))
    assert.equal(201, (second:wait()).status)
  end)

  it("ends its request when it is closed", function()
    local source = core.source.stream {}
    local task = core.task.spawn(function()
      return put(source)
    end)
    await(is_connected)
    source:close()
    assert.equal("cancelled", class_of(task:wait()))
    assert.equal("request cut", faults.wait({ path = "/put", finished = 1 })[1].outcome)
  end)
end)
