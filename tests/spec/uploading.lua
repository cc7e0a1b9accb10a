--- What specs of uploads share: a registry and a repository on the fault server, and what is there afterwards.
local assert = require "luassert"
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local up = {
  BIG = ("0123456789abcdef"):rep(10000), -- more than is sent unasked
  UPLOADS = "/v2/up/app/blobs/uploads/*",
  CHUNKED = { chunked = true, chunk_size = 40000 },
}

--- Begin a test: an empty server, a fresh registry.
function up.begin()
  faults.reset()
  up.registry = helper.registry()
  up.ref = faults.host "http" .. "/up/app"
end

--- What is in the repository has these bytes; gives their digest.
function up.stored(bytes, repo)
  local digest = oras.digest.of(bytes)
  assert.equal(#bytes, faults.content(repo or "up/app").blobs[digest])
  return digest
end

function up.absent(bytes)
  assert.is_nil(faults.content("up/app").blobs[oras.digest.of(bytes)])
end

--- No session is left open: what ends one may still be on its way.
function up.settled(repo)
  local left = faults.content(repo or "up/app").uploads
  if left > 0 then
    local ended = #faults.log { method = "DELETE", finished = true }
    faults.wait { method = "DELETE", count = ended + left, finished = true }
  end
  assert.equal(0, faults.content(repo or "up/app").uploads)
end

--- An upload that fails, by the registry's fault; gives the error.
function up.fails(source, blob, opts)
  local err = helper.fails(up.registry, "upload_blob", up.ref, source, blob, opts)
  assert.matches(faults.host "http", tostring(err), 1, true)
  return err
end

--- An upload of what was not there.
function up.uploads(source, opts)
  local _, done = up.registry:upload_blob(up.ref, source, nil, opts)
  assert.equal("uploaded", done)
end

function up.file(bytes)
  return helper.write(helper.directory() .. "/file", bytes or up.BIG)
end

--- The methods of the requests that are tried again, by a new registry.
function up.count_retries()
  local retries = {}
  up.registry = helper.registry()
  up.registry:on("retry", function(failure)
    retries[#retries + 1] = failure.method
  end)
  return retries
end

--- A new registry that tries everything once.
function up.once()
  up.registry = helper.registry { retry = { tries = 1 } }
end

return up
