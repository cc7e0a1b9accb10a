--- A program of one's own for one kind of artifact: the template in docs/providers.md.
local helper = require "tests.spec.helper"
local oras = require "oras"
local process = require "tests.spec.process"
local services = require "tests.support.services"

-- The block behind the marker, as a file.
local function template(dir)
  local text = helper.read "docs/providers.md":match "<!%-%- lua: module %-%->\n```lua\n(.-)```"
  return helper.write(dir .. "/recipes.lua", "#!/usr/bin/env oras-lua\n" .. text)
end

describe("W24 a program of one's own", function()
  local dir, program

  before_each(function()
    dir = helper.directory()
    program = template(dir)
    helper.write(dir .. "/soup.md", "# Soup\n")
  end)

  after_each(helper.clean)

  local function run(...)
    local status, out, err = process.run(program, ...)
    assert.equal("", err)
    assert.equal(0, status)
    return out
  end

  local function check(place)
    local stored = oras.json.decode(run("push", place .. ":1", dir .. "/soup.md"))
    assert.equal("application/vnd.example.recipe.v1", stored.artifactType)
    assert.same({ { file = "soup.md", tag = "1" } }, oras.json.decode(run("list", place)))
    local kitchen = dir .. "/kitchen" .. #place
    local pulled = oras.json.decode(run("pull", place .. ":1", kitchen))
    assert.equal(kitchen .. "/soup.md", pulled[1].path)
    assert.equal("# Soup\n", helper.read(pulled[1].path))
    assert.equal("[]\n", run("pull", place .. ":1", kitchen)) -- it is there
  end

  it("stores, lists and brings back, in a layout and in a registry", function()
    check(("oci:%s/store"):format(dir))
    local host = services.get "registry"
    if not host then
      return pending(services.missing "registry")
    end
    check(("%s/own/recipes-%d"):format(host, os.time()))
  end)

  it("has the help that its comments say", function()
    local out = run "--help"
    assert.is_not_nil(out:find("Recipes in a registry: a text each.", 1, true))
    assert.is_not_nil(out:find("push NAME PATH\n      Store a recipe.", 1, true))
    assert.is_not_nil(run("pull", "--help"):find("Bring a recipe into a directory.", 1, true))
  end)

  it("refuses what it does not know, and what is no recipe, with one line", function()
    local status, _, err = process.run(program, "psh")
    assert.equal(2, status)
    assert.is_not_nil(err:find("has no method 'psh' (push?)", 1, true), err)
    status, _, err = process.run(program, "pull", "oci:examples/layout:1.0.0-0", dir)
    assert.equal(1, status)
    assert.equal("oras-lua: oci:examples/layout:1.0.0-0 is no recipe but something else\n", err)
    assert.equal(2, (process.run(program)))
  end)

  it("is found by the name of its file beside the script, and loads as a module", function()
    local status, out, err = process.shell(("cd %s && %s recipes.lua list oci:none 2>&1; %s -e %s"):format(
      process.quote(dir), process.quote(process.oras_lua), process.quote(process.oras_lua),
      process.quote [[print(dofile "recipes.lua".super ~= nil)]]))
    assert.equal(0, status, err)
    assert.is_not_nil(out:find("not_found", 1, true), out)
    assert.is_not_nil(out:find "true\n$", out)
  end)
end)
