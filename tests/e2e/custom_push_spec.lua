--- The examples that push: a push of one's own, under every host and read by another client.
local oras = require "oras"

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local quote = process.quote

local ROOT <const> = assert(os.getenv "PWD")

local function here(...)
  local words = { "cd", quote(helper.made[1]), "&&", quote(process.oras_lua) }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  return process.shell(table.concat(words, " "))
end

describe("examples/custom_push.lua", function()
  local dir

  before_each(function()
    dir = helper.directory()
    helper.write(dir .. "/notes.md", "# notes\n")
    assert(os.execute(("mkdir '%s/tree' && echo a >'%s/tree/a'"):format(dir, dir)))
  end)
  after_each(helper.clean)

  local function check(place)
    local status, out, err = here(ROOT .. "/examples/custom_push.lua", place, "notes.md:text/markdown", "tree")
    assert.same({ 0, "" }, { status, err })
    local registry = helper.registry()
    local reference = place:gsub("^oci:", "oci:" .. dir .. "/")
    local manifest = registry:get_manifest(reference)
    assert.equal(("pushed %s (%d bytes)\n"):format(manifest:descriptor().digest, #manifest:raw()), out)
    assert.equal("custom_push.lua", manifest.annotations["org.example.made-by"])
    assert.equal("text/markdown", manifest.layers[1].mediaType)
    os.execute(("rm -rf '%s/out'"):format(dir))
    local files = registry:pull(reference, { outdir = dir .. "/out" })
    assert.same({ false, true }, { files[1].unpacked, files[2].unpacked })
    assert.equal("# notes\n", helper.read(dir .. "/out/notes.md"))
    assert.equal("a\n", helper.read(dir .. "/out/tree/a"))
    return manifest
  end

  it("stores into a layout", function()
    check "oci:layout:1"
  end)

  it("stores into a registry, where oras finds it", function()
    local host = services.get "registry"
    if not host then
      return pending(services.missing "registry")
    end
    local reference = host .. "/e2e/custom:1"
    check(reference)
    local program, reason = services.peer "oras"
    if not program then
      return pending(reason)
    end
    local status, _, err = process.shell(("cd %s && %s pull --plain-http %s -o theirs"):format(
      quote(dir), quote(program), reference))
    assert.equal(0, status, err)
    assert.equal("a\n", helper.read(dir .. "/theirs/tree/a"))
  end)

  it("gives the same manifest in both", function()
    local host = services.get "registry"
    if not host then
      return pending(services.missing "registry")
    end
    assert.equal(check("oci:layout:1"):raw(), check(host .. "/e2e/custom-same:1"):raw())
  end)

  it("says how it is used, and what is missing", function()
    local status, out, err = here(ROOT .. "/examples/custom_push.lua")
    assert.same({ 2, "" }, { status, out })
    assert.matches("^usage: ", err)
    status, out, err = here(ROOT .. "/examples/custom_push.lua", "oci:layout:1", "missing")
    assert.same({ 1, "" }, { status, out })
    assert.matches("missing", err, 1, true)
  end)
end)

describe("the conda provider", function()
  after_each(helper.clean)

  it("stores a package from the command line", function()
    local dir = helper.directory()
    local example = ("oci:%s/examples/layout:1.0.0-0"):format(ROOT)
    oras.Registry:new():pull(example, { outdir = dir })
    local status, out, err = here("conda", "push", "oci:channel:1", "greeting-1.0.0-0.tar.bz2")
    assert.same({ 0, "" }, { status, err })
    local stored = oras.json.decode(out)
    status, out, err = here("conda", "inspect", "oci:channel:1")
    assert.same({ 0, "" }, { status, err })
    local found = oras.json.decode(out)
    assert.equal(stored.digest, found.digest)
    assert.equal("greeting", found.index.name)
  end)
end)
