--- oras.core: a directory held open and what is below it, files that are written there, titles.
local core = require "oras.core"

local helper = require "tests.spec.helper"

local directory, root

local function file(name)
  return directory .. "/" .. name
end

local function refused(class, value, err)
  assert.is_nil(value)
  assert.equal(class, err.class, tostring(err))
end

-- Write through a sink below the root.
local function write(path, text, opts)
  local wanted = { root = root, path = path, digest = core.digest.of(text), size = #text }
  for name, value in pairs(opts or {}) do
    wanted[name] = value
  end
  local sink <close>, err = core.sink.file(wanted)
  if not sink then
    return nil, err
  end
  local source <close> = core.source.string(text)
  return source:into(sink)
end

describe("a root", function()
  before_each(function()
    directory = helper.directory()
    root = assert(core.file.root(file "root", { create = true }))
    helper.write(file "outside", "outside")
    helper.write(file "root/f", "text")
    os.execute(("cd '%s' && mkdir d && ln -s ../outside l && ln -s .. up && mkfifo p"):format(file "root"))
  end)
  after_each(function()
    root:close()
    helper.clean()
  end)

  it("lists directories and reads links, and follows none", function()
    local names = root:list "."
    table.sort(names)
    assert.same({ "d", "f", "l", "p", "up" }, names)
    assert.same({}, root:list "d")
    assert.equal("../outside", root:link "l")
    refused("path", root:list "up")
    refused("path", root:list "../root")
    refused("path", root:link "up/outside")
    refused("not_found", root:list "none")
    refused("not_found", root:link "none")
    refused("io", root:link "f")
  end)

  it("gives a file the mode that is asked for (W11)", function()
    assert(write("tool", "t", { mode = 511, exact = true }))
    assert.equal(511, root:look "tool".mode)
    assert(write("tool", "u", { mode = 384 }))
    assert.equal(384, root:look "tool".mode)
  end)

  it("looks without following links", function()
    assert.same({ type = "file", size = 4, mode = 420 }, root:look "f")
    assert.equal("directory", root:look("d").type)
    assert.equal("directory", root:look(".").type)
    assert.equal("symlink", root:look("l").type)
    assert.equal("other", root:look("p").type)
    assert.is_nil(root:look "nothing")
    assert.is_nil((select(2, root:look "nothing/at/all")))
    for _, path in ipairs { "up/outside", "l/x", "f/x", "../outside", "/etc", "d/", "" } do
      refused("path", root:look(path))
    end
  end)

  it("hashes a file, on a worker", function()
    assert.equal(core.digest.of "text", root:digest "f")
    assert.equal(core.digest.of("text", "sha512"), root:digest("f", "sha512"))
    refused("path", root:digest "l")
    refused("path", root:digest "up/outside")
    refused("path", root:digest "d")
    refused("not_found", root:digest "nothing")
  end)

  it("writes files, making directories step by step (C18)", function()
    assert(write("a/b/c", "new"))
    assert.equal("new", helper.read(file "root/a/b/c"))
    assert(write("a/b/c", "newer", { durable = true }))
    assert.equal("newer", helper.read(file "root/a/b/c"))
    refused("exists", write("a/b/c", "again", { overwrite = false }))
    for _, path in ipairs { "l", "up/x", "up/outside", "f/x", "../x", "/x", "a//x", "a/", ".", ".." } do
      refused("path", write(path, "bad"))
    end
    assert.equal("outside", helper.read(file "outside"))
    assert.equal("outside root", helper.list(directory))
    assert.equal("a d f l p up", helper.list(file "root"))
  end)

  it("stays the same directory when its name goes to another", function()
    os.execute(("mv '%s' '%s' && mkdir '%s'"):format(file "root", file "moved", file "root"))
    assert(write("x", "x"))
    assert.equal("x", helper.read(file "moved/x"))
    assert.equal("", helper.list(file "root"))
  end)

  it("sweeps what dead processes left (L09)", function()
    os.execute(("cd '%s' && mkdir -p d/.oras-partial-tree-1/x d/.oras-partial-x && touch d/.oras-partial-own-1")
      :format(file "root"))
    assert.is_true(root:sweep "d")
    assert.equal(".oras-partial-x", helper.list(file "root/d"))
    assert.is_true(root:sweep())
    refused("path", root:sweep "up")
    refused("not_found", root:sweep "nothing")
  end)

  it("is closed once and for all, and tells misuse", function()
    refused("not_found", core.file.root(file "nothing"))
    refused("io", core.file.root(file "outside"))
    root:close()
    root:close()
    for _, misuse in ipairs {
      function() root:look "f" end, function() core.sink.file { root = root, path = "x" } end,
      function() core.sink.file { root = 7, path = "x" } end, function() core.sink.tree { path = "x" } end,
      function() core.sink.tree { root = root, path = "x" } end, function() core.file.root "a\0b" end,
    } do
      local good, err = pcall(misuse)
      assert.is_false(good)
      assert.equal("usage", err.class)
    end
    assert.equal("oras.root", tostring(root))
  end)
end)

describe("path", function()
  it("takes titles that are plain relative paths (C17 C19 C20)", function()
    assert.equal("a/b", core.path.title "./a/./b")
    for _, title in ipairs { "", ".", "..", "a/../b", "/a", "a/", "a//b", "a\nb", "a\0b", "\xff", "C:x", "nul" } do
      refused("path", core.path.title(title))
    end
    assert.equal("C:x", core.path.title("C:x", true))
    refused("path", core.path.title("..", true))
  end)

  it("is told relative to a directory", function()
    assert.equal("c", core.path.relative("/a/b/c", "/a/b"))
    assert.equal(".", core.path.relative "x/..")
    assert.is_nil(core.path.relative("/a/bc", "/a/b"))
    assert.is_nil(core.path.relative "..")
    refused("limit", core.path.relative(("x/"):rep(40000)))
  end)
end)
