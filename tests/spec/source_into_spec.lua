--- source:into of oras.core: a source into a sink.
local core = require "oras.core"

local helper = require "tests.spec.helper"

local source, sink = core.source, core.sink
local dir

describe("source:into", function()
  before_each(function()
    dir = helper.directory()
  end)
  after_each(helper.clean)

  it("fills a file from bytes, from a file and from a pack, and says what they were", function()
    local digest, size = source.string("hello"):into(sink.file { path = dir .. "/a", digest = core.digest.of "hello" })
    assert.same({ core.digest.of "hello", 5 }, { digest, size })
    assert.equal("hello", helper.read(dir .. "/a"))
    local big = ("0123456789abcdef"):rep(300000)
    helper.write(dir .. "/big", big)
    assert.equal(core.digest.of(big), (source.file(dir .. "/big"):into(sink.file {
      path = dir .. "/copy", digest = core.digest.of(big), size = #big,
    })))
    assert.equal(big, helper.read(dir .. "/copy"))
    local packed = core.archive.pack { path = dir, prefix = "x" }
    local expected = packed:hash()
    packed:into(sink.file { path = dir .. ".tar.gz", digest = expected })
    assert.equal(expected, core.digest.of_file(dir .. ".tar.gz"))
    os.remove(dir .. ".tar.gz")
  end)

  it("leaves nothing that is not what it should be", function()
    for _, expect in ipairs { { digest = core.digest.of "other" }, { size = 4, digest = core.digest.of "hell" } } do
      expect.path = dir .. "/a"
      local made = sink.file(expect)
      local value, err = source.string("hello"):into(made)
      made:close(true)
      assert.is_nil(value)
      assert.equal("integrity", err.class)
      assert.equal("", helper.list(dir))
    end
  end)

  it("fails as the source or the sink fails", function()
    local value, err = source.file(dir .. "/missing")
    assert.is_nil(value)
    assert.equal("io", err.class)
    local broken = source.stream {}
    broken:fail(err)
    value, err = broken:into(sink.discard {})
    assert.is_nil(value)
    assert.equal("io", err.class)
    helper.write(dir .. "/a", "old")
    local made = sink.file { path = dir .. "/a", digest = core.digest.of "new", overwrite = false }
    value, err = source.string("new"):into(made)
    assert.is_nil(value)
    assert.equal("exists", err.class)
  end)

  it("is a task among others, and can be cancelled", function()
    local waiting = source.stream {}
    local task = core.task.spawn(function()
      return waiting:into(sink.file { path = dir .. "/a", digest = core.digest.of "hi" })
    end)
    core.task.spawn(function()
      waiting:write "hi"
      waiting:finish()
    end)
    assert.equal(core.digest.of "hi", (task:wait()))
    local never = source.stream {}
    task = core.task.spawn(function()
      return never:into(sink.file { path = dir .. "/b", digest = core.digest.of "hi", resume = false })
    end)
    core.task.spawn(function()
      task:cancel()
    end):wait()
    pcall(task.wait, task)
    collectgarbage()
    assert.equal("a", helper.list(dir))
  end)

  it("refuses what is no source or sink", function()
    assert.has_error(function()
      source.string("x"):into {}
    end)
    local closed = sink.discard {}
    closed:close()
    assert.has_error(function()
      source.string("x"):into(closed)
    end)
    local gone = source.string "x"
    gone:close()
    assert.has_error(function()
      gone:into(sink.discard {})
    end)
  end)
end)
