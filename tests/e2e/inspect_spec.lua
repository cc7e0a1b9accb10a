--- The guide's job on everything we can put it on: layouts, an open registry, one behind TLS
--- with tokens and a CDN; from our interpreter, from plain lua5.4, and from a C program.
local oras = require "oras"
local services = require "tests.support.services"

local PROGRAM <const> = os.getenv "ORAS_TEST_LUA"
local PREFIX <const> = os.getenv "ORAS_TEST_PREFIX"
local BUILD <const> = os.getenv "ORAS_TEST_BUILD"
local EXAMPLE <const> = "oci:examples/layout:1.0.0-0"
local CONDA_TAG <const> = "2.0.0-py37_1000"

local EXPECTED <const> = [[
manifest sha256:06a44ca9c42ebd9cf692fbbd777771e7dd8540bd0a5123ab8f6bcb601b87dbf9
package  greeting-1.0.0-0.tar.bz2
         sha256:9b86c2333fa986af5e0d0f9c2f2f0dac2c41f61819bb26f8ce3f2ae9a880f14e
index
  arch           null
  build          0
  build_number   0
  depends        ["coreutils >=9"]
  license        MIT
  name           greeting
  noarch         generic
  platform       null
  subdir         noarch
  timestamp      1735689600000
  version        1.0.0
info archive
  file            79  LICENSE.txt
  file            73  about.json
  file            38  files
  file             0  git
  file             2  hash_input.json
  file           255  index.json
  file           425  paths.json
  directory        0  recipe
  file           151  recipe/meta.yaml
  directory        0  test
  file            28  test/run_test.sh
]]

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- Run a program; gives its stdout, its stderr and whether it ended well.
local function run(env, words)
  local errors = os.tmpname()
  local parts = { "env" }

  for name, value in pairs(env) do
    parts[#parts + 1] = name .. "=" .. quote(value)
  end
  for _, word in ipairs(words) do
    parts[#parts + 1] = quote(word)
  end
  local pipe = assert(io.popen(table.concat(parts, " ") .. " 2>" .. errors))
  local output = pipe:read "a"
  local good = pipe:close()
  local file <close> = assert(io.open(errors))
  local complaints = file:read "a"
  os.remove(errors)
  return output, complaints, good == true
end

local function plain_lua()
  local share, lib = PREFIX .. "/share/lua/5.4/", PREFIX .. "/lib/lua/5.4/"
  return {
    LUA_PATH = ("%s?.lua;%s?/init.lua;;"):format(share, share),
    LUA_CPATH = ("%s?.so;;"):format(lib),
  }
end

local function with(base, more)
  local all = {}
  for name, value in pairs(base) do
    all[name] = value
  end
  for name, value in pairs(more) do
    all[name] = value
  end
  return all
end

--- Our interpreter, lua5.4 and a C host print `expected` (nil: the same) for the script and a
--- reference.
local function check_script(reference, env, expected)
  local ours, complaints, good = run(env, { PROGRAM, "examples/inspect.lua", reference })
  assert.equal("", complaints)
  assert.is_true(good)
  if expected then
    assert.equal(expected, ours)
  end
  local hosts = {
    { with(plain_lua(), env), "lua5.4" },
    { env, BUILD .. "/examples/embed/example_script" },
  }
  for _, host in ipairs(hosts) do
    local theirs, their_complaints = run(host[1], { host[2], "examples/inspect.lua", reference })
    assert.equal("", their_complaints)
    assert.equal(ours, theirs)
  end
  return ours
end

local function artifact(name)
  local list, skipped = services.artifacts()
  for _, one in ipairs(list or {}) do
    if one.name == name then
      return one.reference
    end
  end
  for _, one in ipairs(type(skipped) == "table" and skipped or {}) do
    if one.name == name then
      return nil, one.reason
    end
  end
  return nil, type(skipped) == "string" and skipped or "not pushed"
end

local function secured()
  return {
    GITHUB_USER = services.get "user",
    GITHUB_TOKEN = services.get "password",
    ORAS_CA_FILE = services.get "ca",
  }
end

local function conda_layout()
  local data = services.get "data"
  return data and ("oci:%s/conda:%s"):format(data, CONDA_TAG)
end

describe("examples/inspect.lua", function()
  it("prints the layout beside it when nothing is named", function()
    assert.equal(EXPECTED, (run({}, { PROGRAM, "examples/inspect.lua" })))
  end)

  it("prints the same for a layout that is named", function()
    check_script(EXAMPLE, {}, EXPECTED)
  end)

  it("prints the same from an open registry", function()
    local reference, reason = artifact "example"
    if not reference then
      return pending(reason)
    end
    check_script(reference, {}, EXPECTED)
  end)

  it("prints the same from a registry with tokens, TLS and a CDN", function()
    local reference, reason = artifact "example-cdn"
    if not reference then
      return pending(reason)
    end
    check_script(reference, secured(), EXPECTED)
  end)

  it("does not get in with a wrong password, and does not show it", function()
    local reference, reason = artifact "example-cdn"
    if not reference then
      return pending(reason)
    end
    local env = with(secured(), { GITHUB_TOKEN = "canary-7c21" })
    local output, complaints, good = run(env, { PROGRAM, "examples/inspect.lua", reference })
    assert.is_false(good)
    assert.equal("", output)
    assert.truthy(complaints:find("^oras%-lua: examples/inspect.lua:%d+: [%w_]+: "), complaints)
    assert.is_nil(complaints:find("canary", 1, true))
  end)

  it("inspects what conda-oci-mirror stored: layout, open registry, tokens with TLS and CDN", function()
    local layout = conda_layout()
    if not layout then
      return pending(services.missing "data")
    end
    local expected = check_script(layout, {})
    assert.truthy(expected:find("name           mock", 1, true))
    assert.truthy(expected:find("file            37  test/run_test.py", 1, true))
    check_script(assert(artifact "conda"), {}, expected)
    check_script(assert(artifact "conda-cdn"), secured(), expected)
  end)
end)

describe("the conda provider", function()
  local function check_hosts(reference)
    local text, complaints, good = run({}, { PROGRAM, "conda", "inspect", reference })
    assert.equal("", complaints)
    assert.is_true(good)

    local host = BUILD .. "/examples/embed/example_call"
    local from_c, complaints_of_c = run({}, { host, reference })
    assert.equal("", complaints_of_c)
    assert.same(oras.json.decode(text), oras.json.decode(from_c))
    return oras.json.decode(text)
  end

  it("gives the same from the command line and from C, for a layout", function()
    local found = check_hosts(EXAMPLE)
    assert.equal("greeting", found.index.name)
    assert.equal(11, #found.info)
  end)

  it("gives the same from the command line and from C, for a registry", function()
    local reference, reason = artifact "example"
    if not reference then
      return pending(reason)
    end
    local found = check_hosts(reference)
    assert.equal(reference, found.reference)
    assert.equal("greeting-1.0.0-0.tar.bz2", found.package.title)
  end)

  it("has its comment as help", function()
    local text = run({}, { PROGRAM, "conda", "inspect", "--help" })
    assert.truthy(text:find("Show what a conda package in a registry says about itself.", 1, true))
  end)
end)
