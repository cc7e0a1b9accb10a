--- The event "progress": one kind for everything that moves.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local MIB <const> = 1024 * 1024

-- Collect events; each is checked on its way: fields, and done that never falls.
local function watch(registry)
  local seen, last = {}, {}
  registry:on("progress", function(event)
    local key = ("%s %s"):format(event.phase, event.digest or event.title or "")
    assert.equal("string", type(event.phase))
    assert.equal("integer", math.type(event.done))
    assert.equal("integer", math.type(event.total))
    assert.is_true(event.total == -1 or event.done <= event.total)
    assert.is_true(event.done >= (last[key] or 0), key)
    last[key] = event.done
    if event.blobs then
      assert.is_true(event.blobs.done <= event.blobs.total)
    end
    seen[#seen + 1] = event
  end)
  return seen
end

local function of(seen, phase)
  local list = {}
  for _, event in ipairs(seen) do
    if event.phase == phase then
      list[#list + 1] = event
    end
  end
  return list
end

describe("progress", function()
  local registry, seen, ref

  before_each(function()
    faults.reset()
    registry = helper.registry()
    seen = watch(registry)
    ref = faults.host "http" .. "/progress/app:1"
  end)

  after_each(helper.clean)

  it("tells of a download as it comes, and of its end", function()
    local a = faults.seed { repo = "progress/app", tag = "1", layers = { { size = 3 * MIB } } }
    faults.on { path = "*/blobs/*", trickle = { bytes = 300000, every = 0.05 } }
    registry:get_blob(ref, a.layers[1])
    assert.is_true(#seen > 1)
    for _, event in ipairs(seen) do
      assert.same({ "download", a.layers[1].digest, 3 * MIB }, { event.phase, event.digest, event.total })
    end
    assert.equal(3 * MIB, seen[#seen].done)
  end)

  it("does not fall when a download begins anew", function()
    local a = faults.seed { repo = "progress/app", tag = "1", layers = { { size = 3 * MIB } } }
    faults.on { path = "*/blobs/*", trickle = { bytes = 300000, every = 0.05 }, cut = 2 * MIB, how = "rst" }
    faults.on { path = "*/blobs/*", trickle = { bytes = 300000, every = 0.05 } }
    registry:get_blob(ref, a.layers[1])
    assert.equal(3 * MIB, seen[#seen].done)
  end)

  -- Upload in a task until part of it is told; then let the server go on.
  local function upload_until_told(data)
    local told = 0
    registry:on("progress", function(event)
      if event.phase == "upload" and event.done > 0 and event.done < event.total then
        told = told + 1
        faults.release "put"
      end
    end)
    local d = registry:upload_blob(ref, { data = data })
    assert.is_true(told > 0)
    local events = of(seen, "upload")
    local last = events[#events]
    assert.same({ d.digest, #data, #data }, { last.digest, last.done, last.total })
  end

  it("tells of an upload as it is taken, and does not fall when it begins anew", function()
    faults.on { method = "PUT", early = true, read = 1000000, hold = "put", status = 503 }
    upload_until_told(("x"):rep(16 * MIB))
  end)

  it("counts chunks as parts of one whole", function()
    local directory = helper.directory()
    local path = helper.write(directory .. "/file", ("x"):rep(5 * MIB))
    registry:upload_blob(ref, path, nil, { chunked = true, chunk_size = MIB })
    local events = of(seen, "upload")
    assert.is_true(#events > 3)
    assert.same({ 5 * MIB, 5 * MIB }, { events[#events].done, events[#events].total })
  end)

  it("tells which blobs of a copy are done, and nothing of the two halves of their way", function()
    faults.seed { repo = "progress/src", tag = "1", layers = { { size = MIB }, { size = MIB, seed = 2 } } }
    faults.on { listener = "cdn", path = "*/blobs/*", trickle = { bytes = 200000, every = 0.05 }, times = 2 }
    registry:copy(faults.host "cdn" .. "/progress/src:1", ref)
    local events = of(seen, "copy")
    assert.equal(0, #of(seen, "upload"))
    for _, event in ipairs(of(seen, "download")) do
      assert.is_nil(event.digest) -- the manifest, asked for by its tag
    end
    local sums = {}
    for _, event in ipairs(events) do
      assert.equal(3, event.blobs.total)
      sums[event.digest] = event.done
    end
    local sum = 0
    for _, done in pairs(sums) do
      sum = sum + done
    end
    assert.is_true(#events > 6) -- some on the way, besides one end each and its count
    assert.equal(2 * MIB + 2, sum)
    local blobs = events[#events].blobs
    assert.same({ 3, 3 }, { blobs.done, blobs.total })
  end)

  it("tells of what need not be copied as done, once", function()
    faults.seed { repo = "progress/src", tag = "1", layers = { { size = MIB } } }
    registry:copy(faults.host "cdn" .. "/progress/src:1", ref)
    local before = #seen
    registry:copy(faults.host "cdn" .. "/progress/src:1", ref, { force = true })
    local events = table.move(seen, before + 1, #seen, 1, {})
    events = of(events, "copy")
    assert.equal(2, #events)
    assert.same({ done = 2, total = 2, size = MIB + 2 }, events[2].blobs)
  end)

  it("tells the end of each blob, and which operation it belongs to", function()
    faults.seed { repo = "progress/src", tag = "1", layers = { { size = MIB }, { size = MIB, seed = 2 } } }
    for _ = 1, 2 do
      registry:copy(faults.host "cdn" .. "/progress/src:1", ref, { force = true })
    end
    local ends, operations = {}, {}
    for _, event in ipairs(of(seen, "copy")) do
      if event.over then
        ends[#ends + 1] = event.digest
        operations[event.operation] = (operations[event.operation] or 0) + 1
      end
    end
    assert.equal(6, #ends)
    local _, first = next(operations)
    assert.equal(3, first)
  end)

  it("tells again of what stands still", function()
    local layer = faults.seed({ repo = "progress/app", tag = "1", layers = { { size = 2 * MIB } } }).layers[1]
    faults.on { method = "GET", path = "*/blobs/*", hold_body = "go", hold_at = MIB }
    local same = 0
    registry:on("progress", function(event)
      local before = seen[#seen - 1]
      same = before and before.done == event.done and same + 1 or 0
      if same == 3 then
        faults.release "go"
      end
    end)
    assert.equal(2 * MIB, #registry:get_blob(faults.host() .. "/progress/app", layer).content)
  end)

  it("tells of a failure nothing, least of all its end", function()
    faults.seed { repo = "progress/src", tag = "1", layers = { { size = MIB } } }
    faults.on { method = "PUT", status = 403, always = true }
    helper.fails(registry, "copy", faults.host "cdn" .. "/progress/src:1", ref)
    for _, event in ipairs(of(seen, "copy")) do
      assert.is_true(event.blobs.done < event.blobs.total)
    end
  end)

  it("is told to the object that copies, whichever others serve the two sides", function()
    faults.seed { repo = "progress/src", tag = "1", layers = { { size = MIB } } }
    local from, to = helper.registry(), helper.registry()
    local others = {}
    for i, one in ipairs { from, to } do
      others[i] = watch(one)
    end
    registry:copy(faults.host "cdn" .. "/progress/src:1", ref, { from = from, to = to })
    assert.is_true(#of(seen, "copy") >= 2)
    assert.equal(0, #of(others[1], "copy") + #of(others[2], "copy") + #of(others[2], "upload"))
  end)

  it("costs nothing where nobody listens", function()
    local quiet = helper.registry()
    assert.is_false(quiet:_progress { phase = "hash" })
    local a = faults.seed { repo = "progress/app", tag = "1", layers = { { size = 1000 } } }
    local requests = {}
    quiet:on("request", function(request)
      requests[#requests + 1] = request
    end)
    quiet:get_blob(ref, a.layers[1])
    assert.is_nil(requests[1].progress)
  end)
end)

describe("a reporter", function()
  it("never falls, knows its part and its end", function()
    local registry = helper.registry()
    local seen = {}
    registry:on("progress", function(event)
      seen[#seen + 1] = ("%s %d/%d"):format(event.phase, event.done, event.total)
    end)
    do
      local report <close> = registry:_progress { phase = "hash", title = "file", total = 100 }
      report(10)
      report(5)
      report(10)
      report.offset = 50
      report(10, 20)
      report(500)
    end
    assert.same({ "hash 10/100", "hash 60/100", "hash 100/100" }, seen)
    seen = {}
    local report = registry:_progress { phase = "download" }
    report(1)
    report(2, 4)
    report(3, -1)
    assert.same({ "download 1/-1", "download 2/4", "download 3/-1" }, seen)
    assert.equal(report, registry:_progress(report))
  end)

  it("does not tell an end that did not come", function()
    local registry = helper.registry()
    local seen = {}
    registry:on("progress", function(event)
      seen[#seen + 1] = event.done
    end)
    oras.try(function()
      local report <close> = registry:_progress { phase = "hash", total = 100 }
      report(10)
      require("oras.error").raise { class = "io", message = "no" }
    end)
    assert.same({ 10 }, seen)
  end)
end)
