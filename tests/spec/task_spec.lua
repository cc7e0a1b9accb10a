local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

describe("gather", function()
  it("gives the first result of each, in order, nils too", function()
    local a, b, c = oras.gather(function() return 1, 2 end, function() end, function() return 3 end)
    assert.same({ 1, nil, 3 }, { a, b, c })
    assert.equal(0, select("#", oras.gather()))
  end)

  it("raises the first failure as it is", function()
    local mark = {}
    local _, err = pcall(oras.gather, function() error(mark) end)
    assert.equal(mark, err)
    assert.equal("usage", helper.fails(oras, "gather", 5).class)
  end)
end)

describe("map", function()
  it("keeps the order of the list and passes the index", function()
    local got = oras.map({ "a", "b", "c" }, function(item, i) return item .. i end, { concurrency = 2 })
    assert.same({ "a1", "b2", "c3" }, got)
    assert.same({}, oras.map({}, error))
  end)

  it("checks its options", function()
    local _, err = oras.try(oras.map, {}, print, { concurency = 2 })
    assert.matches("concurrency%?", err.message)
    assert.equal("usage", select(2, oras.try(oras.map, {}, print, { concurrency = 0 })).class)
  end)
end)

describe("tasks that request", function()
  before_each(faults.reset)

  local function seed()
    local a = faults.seed { repo = "k/app", tag = "1", layers = { { data = "one" }, { data = "two" } } }
    return faults.host "http" .. "/k/app", a.layers
  end

  it("run side by side", function()
    local ref, layers = seed()
    local registry = helper.registry()
    faults.on { path = "/v2/k/app/blobs/" .. layers[1].digest, hold = "first" }
    local order = {}
    local function note(layer)
      local content = registry:get_blob(ref, layer).content
      order[#order + 1] = content
    end
    oras.gather(function()
      note(layers[1])
    end, function()
      note(layers[2])
      faults.release "first"
    end)
    assert.same({ "two", "one" }, order)
  end)

  it("N56 are cancelled by the first failure, which is raised", function()
    local ref, layers = seed()
    local registry = helper.registry()
    faults.on { path = "/v2/k/app/blobs/" .. layers[1].digest, hold = "ever" }
    local closed = false
    local _, err = oras.try(oras.gather, function()
      local guard <close> = setmetatable({}, { __close = function() closed = true end })
      registry:get_blob(ref, layers[1])
      return guard
    end, function()
      registry:get_blob(ref, oras.digest.of "missing")
    end)
    assert.equal("not_found", err.class)
    assert.is_true(closed)
    assert.equal("two", registry:get_blob(ref, layers[2]).content)
  end)

  it("give the same in tasks, in a user's coroutine and in table.sort", function()
    local ref, layers = seed()
    local registry = helper.registry()
    local function contents()
      local list = {}
      local co = coroutine.wrap(function()
        coroutine.yield(registry:get_blob(ref, layers[1]).content)
        coroutine.yield(registry:get_blob(ref, layers[2]).content)
      end)
      list[1], list[2] = co(), co()
      local sorted = { layers[1], layers[2] }
      table.sort(sorted, function(a, b)
        return registry:get_blob(ref, a).content > registry:get_blob(ref, b).content
      end)
      list[3] = registry:get_blob(ref, sorted[1]).content
      return table.concat(list, " ")
    end
    assert.equal("one two two", contents())
    assert.equal("one two two", (oras.gather(contents)))
  end)

  it("can be cancelled and waited for by hand", function()
    local ref, layers = seed()
    local registry = helper.registry()
    faults.on { path = "/v2/k/app/blobs/" .. layers[1].digest, hold = "ever" }
    local stuck = oras.spawn(function() return registry:get_blob(ref, layers[1]) end)
    local quick = oras.spawn(function(layer) return registry:get_blob(ref, layer).content end, layers[2])
    assert.equal("two", quick:wait())
    stuck:cancel()
    assert.equal("cancelled", helper.fails(stuck, "wait").class)
  end)
end)
