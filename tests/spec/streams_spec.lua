--- Streams and the places at a host: whoever waits for a reader lets others run.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local BIG <const> = ("0123456789abcdef"):rep(64 * 1024) -- 1 MiB, more than a stream holds
local SMALL <const> = "small"

describe("a stream that waits for its reader", function()
  local ref, big, small

  local function layer(text)
    return { mediaType = "application/octet-stream", digest = oras.digest.of(text), size = #text }
  end

  before_each(function()
    faults.reset()
    big, small = layer(BIG), layer(SMALL)
    faults.seed { repo = "streams/app", blobs = { { data = BIG }, { data = SMALL } } }
    ref = faults.host "http" .. "/streams/app"
  end)
  after_each(helper.clean)

  it("gives its place to the request that its reader makes", function()
    local registry = oras.Registry:new { concurrency = 1 }
    local size, other = 0, nil
    for chunk in registry:get_blob(ref, big, { stream = true }):chunks() do
      size = size + #chunk
      other = other or registry:get_blob(ref, small).content
    end
    assert.equal(#BIG, size)
    assert.equal(SMALL, other)
  end)

  it("does so for more tasks than there are places", function()
    local registry = oras.Registry:new { concurrency = 2 }
    local sizes = oras.map({ 1, 2, 3, 4, 5, 6 }, function()
      local size = 0
      for chunk in registry:get_blob(ref, big, { stream = true }):chunks() do
        size = size + #chunk
        assert(registry:get_blob(ref, small).content == SMALL)
      end
      return size
    end, { concurrency = 6 })
    assert.same({ #BIG, #BIG, #BIG, #BIG, #BIG, #BIG }, sizes)
  end)

  it("keeps nobody waiting when it is dropped, however many there are", function()
    local registry = oras.Registry:new { concurrency = 2 }
    for _ = 1, 150 do
      registry:get_blob(ref, big, { stream = true })
    end
    assert.equal(SMALL, registry:get_blob(ref, small).content)
  end)
end)
