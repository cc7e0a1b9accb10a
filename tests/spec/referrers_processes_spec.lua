--- The tag that lists referrers, changed by several processes at once: none is lost.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local referring = require "tests.spec.referring"
local services = require "tests.support.services"

local COUNT <const> = 6

-- Arguments: reference, name.
local ATTACH <const> = [[
local oras = require "oras"
oras.Registry:new { config_path = "/nonexistent/config.json" }:attach(arg[1], {}, {
  artifact_type = "application/x.race", annotations = { name = arg[2] },
})
]]

-- Argument: reference by digest.
local DELETE <const> = [[
local oras = require "oras"
local registry = oras.Registry:new { config_path = "/nonexistent/config.json" }
registry:delete_manifest(arg[1], { find_tags = false })
]]

local dir, script, registry

before_each(function()
  dir = helper.directory()
  script = helper.write(dir .. "/attach.lua", ATTACH)
  registry = helper.registry()
end)
after_each(helper.clean)

-- Commands side by side, each with its own environment; all of them succeed.
local function together(commands)
  local lines = {}
  for i, one in ipairs(commands) do
    lines[#lines + 1] = ("%s & p%d=$!"):format(one, i)
  end
  lines[#lines + 1] = "failed=0"
  for i = 1, #commands do
    lines[#lines + 1] = ("wait $p%d || failed=1"):format(i)
  end
  lines[#lines + 1] = "[ $failed = 0 ]"
  local status, _, err = process.shell(table.concat(lines, "\n"))
  assert.equal(0, status, err)
end

-- `shared`: they see each other's lock.
local function command(i, shared, file, ...)
  local runtime = shared and dir .. "/run" or ("%s/run%d"):format(dir, i)
  local words = {
    ("mkdir -p %s; XDG_RUNTIME_DIR=%s"):format(process.quote(runtime), process.quote(runtime)),
    process.quote(process.oras_lua), process.quote(file),
  }
  for _, word in ipairs { ... } do
    words[#words + 1] = process.quote(word)
  end
  return "{ " .. table.concat(words, " ") .. "; }"
end

local function attaches(ref, shared)
  local commands = {}
  for i = 1, COUNT do
    commands[i] = command(i, shared, script, ref, tostring(i))
  end
  return commands
end

local function names_of(list)
  local names = {}
  for i, one in ipairs(list) do
    names[i] = one.annotations.name
  end
  table.sort(names)
  return table.concat(names, " ")
end

for _, place in ipairs { "faults", "registry" } do
  describe("referrers of six processes on " .. place, function()
    local ref

    -- A new repository with a subject; skipped where there is no such server.
    local function begin()
      local host = place == "faults" and faults.host "http" or services.get "registry"
        or pending(services.missing "registry")
      if place == "faults" then
        faults.reset()
        referring.without_api()
      end
      ref = ("%s/race/app%d:v1"):format(host, math.random(1 << 40))
      registry:push(ref, { { data = "x" } })
    end

    for _, shared in ipairs { true, false } do
      it(("are all listed %s a lock between them"):format(shared and "with" or "without"), function()
        begin()
        together(attaches(ref, shared))
        assert.equal("1 2 3 4 5 6", names_of(registry:referrers(ref)))
      end)
    end

    it("come and go at once", function()
      begin()
      local gone = {}
      for i = 1, 3 do
        gone[i] = registry:attach(ref, {}, { artifact_type = "application/x.old", annotations = { name = "old" .. i } })
      end
      local delete = helper.write(dir .. "/delete.lua", DELETE)
      local container, commands = registry:get_container(ref), {}
      for i, d in ipairs(gone) do
        commands[i] = command(i, true, delete, container:with_digest(d.digest).uri)
      end
      for i = 1, 3 do
        commands[#commands + 1] = command(i, true, script, ref, tostring(i))
      end
      together(commands)
      assert.equal("1 2 3", names_of(registry:referrers(ref)))
    end)
  end)
end

describe("a list of referrers that another writes meanwhile", function()
  local ref, subject, list

  before_each(function()
    faults.reset()
    ref = faults.host "http" .. "/race/app"
    subject = referring.seed("race/app", { tag = "v1" })
    list = (subject.digest:gsub(":", "-"))
    referring.without_api()
  end)

  local function attach(name)
    return registry:attach(ref .. ":v1", {}, { artifact_type = "application/x.race", annotations = { name = name } })
  end

  -- What somebody else stores who has not seen what was written since.
  local function overwrite(...)
    faults.seed { repo = "race/app", tag = list, media_type = referring.INDEX, manifest = referring.list(...) }
  end

  -- Call a function when the list is read again behind our first write.
  local function after_first_write(fn)
    local puts = 0
    registry:on("request", function(request)
      local is_list = request.url:find(list, 1, true)
      if is_list and request.method == "PUT" then
        puts = puts + 1
      elseif is_list and request.method == "GET" and puts == 1 then
        puts = 2
        fn()
      end
    end)
  end

  it("gets our entry again when a write that came later takes it away", function()
    local other = referring.refer("race/app", subject, "other")
    after_first_write(function()
      overwrite(referring.entry(other))
    end)
    local d = attach "mine"
    assert.same({ other.digest, d.digest }, referring.digests(registry:referrers(ref .. ":v1")))
  end)

  it("gets the entry of another again who has seen it listed and gone", function()
    local other = referring.refer("race/app", subject, "other")
    overwrite(referring.entry(other))
    after_first_write(function()
      local now = oras.json.decode(helper.registry():get_manifest(ref .. ":" .. list):raw())
      overwrite(now.manifests[2]) -- ours alone: the write of a third that had not read the other's
    end)
    local mine = attach "mine"
    local found = referring.digests(registry:referrers(ref .. ":v1"))
    table.sort(found)
    local expected = { mine.digest, other.digest }
    table.sort(expected)
    assert.same(expected, found)
  end)

  it("does not get back what was deleted", function()
    local other = referring.refer("race/app", subject, "other")
    overwrite(referring.entry(other))
    after_first_write(function()
      local delete = helper.write(dir .. "/delete.lua", DELETE)
      together { command(1, false, delete, ref .. "@" .. other.digest) }
    end)
    local mine = attach "mine"
    assert.same({ mine.digest }, referring.digests(registry:referrers(ref .. ":v1")))
  end)
end)
