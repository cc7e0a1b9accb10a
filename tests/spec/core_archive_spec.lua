local core = require "oras.core"
local helper = require "tests.spec.helper"

local LAYOUT <const> = "examples/layout"
local NOTHING <const> = ("\0"):rep(1024)

-- A header block of tar with its data.
local function member(name, data, fields)
  fields = fields or {}
  local block = table.concat {
    name, ("\0"):rep(100 - #name), "0000644\0", "0000000\0", "0000000\0",
    ("%011o\0"):format(fields.size or #data), "00000000005\0", "        ", fields.type or "0",
    fields.linkname or "", ("\0"):rep(100 - #(fields.linkname or "")), "ustar\0", "00", ("\0"):rep(247),
  }
  local sum = 0
  for i = 1, #block do
    sum = sum + block:byte(i)
  end
  block = block:sub(1, 148) .. ("%06o\0 "):format(sum) .. block:sub(157)
  return block .. data .. ("\0"):rep(-#data % 512)
end

local function reader(data, opts)
  return assert(core.archive.reader({ data = data }, opts))
end

local function class(call, ...)
  local value, err = call(...)
  assert.is_nil(value)
  assert.equal(core.error, getmetatable(err))
  return err.class
end

local function misuse(call, ...)
  local good, err = pcall(call, ...)
  assert.is_false(good)
  assert.equal("usage", err.class)
end

-- All members with their contents as "path=content".
local function contents(from)
  local list = {}
  for entry in from.next, from do
    list[#list + 1] = entry.path .. "=" .. tostring(from:read())
  end
  return table.concat(list, " ")
end

-- The blobs of the example layout and what they are, from its manifest.
local function example()
  local layout = assert(core.layout.open(LAYOUT))
  local index = core.json.decode(assert(layout:index(1 << 20)))
  local digest = index.manifests[1].digest
  local answer = assert(layout:fetch(digest, core.sink.memory { digest = digest }))
  return layout, core.json.decode(answer.body:string()).layers
end

local function example_archive()
  local layout, layers = example()
  for _, layer in ipairs(layers) do
    if layer.mediaType:find("tar+gzip", 1, true) then
      return layout, layer
    end
  end
end

describe("core.archive.reader", function()
  after_each(helper.clean)

  it("gives what stands in the archive", function()
    local from = reader(member("./d/", "", { type = "5" }) .. member("a", "hello") ..
      member("l", "", { type = "2", linkname = "../x" }) .. NOTHING)
    assert.same({ path = "d", type = "directory", size = 0, mode = 420, mtime = 5 }, from:next())
    assert.same({ path = "a", type = "file", size = 5, mode = 420, mtime = 5 }, from:next())
    assert.same({ path = "l", type = "symlink", size = 0, mode = 420, mtime = 5, linkname = "../x" }, from:next())
    assert.is_nil(from:next())
    assert.is_nil(from:next())
  end)

  it("reads members whole, in pieces, in part or not at all", function()
    local from = reader(member("a", "hello") .. member("b", "") .. member("c", "world") .. member("d", "!") .. NOTHING)
    assert.is_nil(from:read())
    from:next()
    assert.equal("he", from:read(2))
    assert.equal("llo", from:read())
    assert.is_nil(from:read())
    from:next()
    assert.is_nil(from:read(1))
    from:next()
    assert.equal("wo", from:read(2))
    from:next()
    assert.equal("!", from:read(1 << 40))
    assert.is_nil(from:read(1))
    assert.is_nil(from:next())
  end)

  it("gives an empty member once, as a file does", function()
    local from = reader(member("a", "") .. NOTHING)
    from:next()
    assert.equal("", from:read())
    assert.is_nil(from:read())
  end)

  it("C23 C30 refuses by class, and says so again", function()
    local from = reader(member("../a", "") .. NOTHING)
    assert.equal("path", class(from.next, from))
    assert.equal("path", class(from.next, from))
    from = reader(member("a", "hello"):sub(1, 514))
    from:next()
    assert.equal("content", class(from.read, from))
    assert.equal("content", class(from.next, from))
  end)

  it("C32 keeps limits", function()
    local tar = member("a/b", "hello") .. NOTHING
    for _, opts in ipairs { { max_bytes = 4 }, { max_depth = 1 } } do
      local from = reader(tar, opts)
      assert.equal("limit", class(from.next, from))
    end
    local from = reader(member("a", "") .. tar, { max_entries = 1 })
    assert.is_table(from:next())
    assert.equal("limit", class(from.next, from))
  end)

  it("C36 goes by what was promised", function()
    local tar = member("a", "x") .. NOTHING
    local from = reader(tar, { packing = "tar+gzip" })
    assert.equal("content", class(from.next, from))
    assert.equal("a=x", contents(reader(tar, { packing = "tar" })))
    assert.equal("a=x", contents(reader(tar, { packing = "any" })))
  end)

  it("is misused by what is no source, no packing, no size, no limit", function()
    misuse(core.archive.reader, 5)
    misuse(core.archive.reader, {})
    misuse(core.archive.reader, { data = "" }, { packing = "rar" })
    misuse(core.archive.reader, { data = "" }, { max_bytes = -1 })
    misuse(core.archive.reader, { data = "" }, { max_bytes = "1" })
    local from = reader(NOTHING)
    misuse(from.read, from, 0)
    misuse(from.read, from, "a")
    from:close()
    from:close()
    misuse(from.next, from)
  end)

  it("reads files, and names those that cannot be read", function()
    local path = helper.directory() .. "/a.tar"
    helper.write(path, member("a", ("x"):rep(600000)) .. NOTHING)
    local from <close> = assert(core.archive.reader { path = path })
    assert.equal(600000, from:next().size)
    assert.equal(("x"):rep(600000), from:read())
    assert.is_nil(from:next())
    local _, err = core.archive.reader { path = path .. ".missing" }
    assert.equal("io", err.class)
    assert.truthy(err.message:find(path .. ".missing", 1, true))
  end)

  it("reads bodies that are there and bodies that still come, in tasks too", function()
    local layout, layer = example_archive()
    local answer = assert(layout:fetch(layer.digest, core.sink.memory { digest = layer.digest }))
    local expected = contents(assert(core.archive.reader(answer.body, { packing = "tar+gzip" })))
    assert.truthy(#expected > 100)
    local tasks = {}
    for i = 1, 4 do
      tasks[i] = core.task.spawn(function()
        local stream = assert(layout:fetch(layer.digest, core.sink.stream { digest = layer.digest }))
        return contents(assert(core.archive.reader(stream.body)))
      end)
    end
    for i = 1, 4 do
      assert.equal(expected, tasks[i]:wait())
    end
  end)

  it("C13 gives the body's failure when its digest is wrong", function()
    local layout, layer = example_archive()
    local stream = assert(layout:fetch(layer.digest, core.sink.stream { digest = "sha256:" .. ("0"):rep(64) }))
    local from <close> = assert(core.archive.reader(stream.body))
    local entry, err = from:next()
    while entry do
      entry, err = from:next()
    end
    assert.equal("integrity", err.class)
  end)
end)

describe("core.layout", function()
  after_each(helper.clean)

  it("fetches into every sink", function()
    local layout, layers = example()
    local digest, size = layers[1].digest, layers[1].size
    assert.equal(size, layout:size(digest))
    local answer = assert(layout:fetch(digest, core.sink.memory { digest = digest, size = size }))
    assert.equal(200, answer.status)
    assert.equal("oci:" .. LAYOUT .. "@" .. digest, answer.url)
    assert.equal(size, #answer.body)
    local path = helper.directory() .. "/blob"
    assert.is_nil(assert(layout:fetch(digest, core.sink.file { path = path, digest = digest })).body)
    assert.equal(digest, core.digest.of_file(path))
    assert.is_nil(assert(layout:fetch(digest, core.sink.discard { digest = digest })).body)
  end)

  it("C13 publishes nothing that is not what was asked for", function()
    local layout, layers = example()
    local path = helper.directory() .. "/blob"
    local wrong = "sha256:" .. ("0"):rep(64)
    local sink = core.sink.file { path = path, digest = wrong }
    assert.equal("integrity", class(layout.fetch, layout, layers[1].digest, sink))
    assert.is_nil(io.open(path))
  end)

  it("names the digest that is not there", function()
    local layout = example()
    local missing = "sha256:" .. ("0"):rep(64)
    for _, call in ipairs { layout.size, layout.fetch } do
      local _, err = call(layout, missing, core.sink.discard {})
      assert.equal("not_found", err.class)
      assert.equal(missing, err.digest)
    end
  end)

  it("gives up a stream that is left", function()
    local layout, layers = example()
    for _ = 1, 20 do
      local answer = assert(layout:fetch(layers[1].digest, core.sink.stream {}))
      answer.body:close()
      misuse(answer.body.read, answer.body)
    end
    collectgarbage()
  end)

  it("is misused once closed, and by what is no sink", function()
    local layout = example()
    misuse(layout.fetch, layout, "sha256:" .. ("0"):rep(64), {})
    layout:close()
    layout:close()
    misuse(layout.index, layout, 1)
    misuse(layout.size, layout, "x")
  end)
end)
