--- One blob behind a fault: what the specs of the transport share.
local oras = require "oras"

local assert = require "luassert"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local faulty = {}

--- Where requests for the blob go.
faulty.PATH = "/v2/t/app/blobs/*"

--- Plant the blob (5000 bytes unless `content` says otherwise); gives reference and layer.
function faulty.seed(content)
  local a = faults.seed { repo = "t/app", tag = "1", layers = { content or { size = 5000 } } }
  return faults.host "http" .. "/t/app", a.layers[1]
end

--- A Registry that tries once.
function faulty.once(opts)
  opts = opts or {}
  opts.retry = opts.retry or { tries = 1 }
  return helper.registry(opts)
end

--- The tests' CA under a name of its own: no connection of an earlier test fits, since all
--- clients of a process share one pool.
function faulty.ca()
  return helper.write(helper.directory() .. "/ca.pem", helper.read(faults.cert "ca"))
end

--- Add a rule for the blob, for always unless it has `times`.
function faulty.on(rule)
  rule.path = rule.path or faulty.PATH
  rule.always = rule.times == nil
  faults.on(rule)
end

--- Whatever happened: the same object gets the blob when the fault is gone.
function faulty.expect_usable(registry, ref, layer)
  faults.reset { content = false }
  assert.equal(layer.size, #registry:get_blob(ref, layer).content)
end

local function describe_rule(rule)
  local parts = {}
  for key, value in pairs(rule) do
    parts[#parts + 1] = ("%s = %q"):format(key, tostring(value):sub(1, 100))
  end
  return table.concat(parts, ", ")
end

--- Download the blob under a rule, which fails like that: nothing complete is on disk, and
--- all goes on when the fault is gone.
---@param class string
---@param retryable boolean
---@param rule table
---@param opts? { registry?: table, content?: table }
---@return oras.Error
function faulty.expect(class, retryable, rule, opts)
  opts = opts or {}
  faults.reset()
  local ref, layer = faulty.seed(opts.content)
  faulty.on(rule)
  local registry = faulty.once(opts.registry)
  local directory = helper.directory()
  local err = helper.fails(registry, "download_blob", ref, layer, directory .. "/file")
  local shown = ("%s: %s"):format(describe_rule(rule), tostring(err))
  assert.equal(class, err.class, shown)
  assert.equal(retryable, err.retryable == true, shown)
  assert.is_nil(helper.read(directory .. "/file"))
  assert.matches(faults.host "http", tostring(err), 1, true)
  err.requests = #faults.log { path = faulty.PATH }
  faulty.expect_usable(registry, ref, layer)
  helper.clean()
  return err
end

--- Get the blob under a rule that does no harm, and once more.
function faulty.succeeds(rule, content)
  faults.reset()
  local ref, layer = faulty.seed(content)
  local registry = faulty.once()
  faulty.on(rule)
  assert.equal(layer.digest, oras.digest.of(registry:get_blob(ref, layer).content))
  faulty.expect_usable(registry, ref, layer)
end

return faulty
