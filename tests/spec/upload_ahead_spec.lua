--- A large file that is probably new goes up while it is hashed.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"

local SIZE <const> = 128 * 1024 * 1024 + 5

local registry, ref, path, digest

local function make_file()
  path = os.tmpname()
  local file <close> = assert(io.open(path, "wb"))
  local block = ("oras"):rep(256 * 1024)
  for _ = 1, 128 do
    file:write(block)
  end
  file:write "12345"
  file:close()
  digest = oras.digest.of_file(path)
end

local function upload()
  return registry:upload_blob(ref, path, nil, { expect = "absent" })
end

describe("a large file that is probably new", function()
  setup(make_file)
  teardown(function()
    os.remove(path)
  end)
  before_each(function()
    faults.reset()
    registry = helper.registry()
    ref = faults.host "http" .. "/up/ahead"
  end)
  after_each(helper.clean)

  it("is sent before its digest is known, and named at the end", function()
    local d, done = upload()
    assert.equal("uploaded", done)
    assert.equal(digest, d.digest)
    assert.equal(SIZE, d.size)
    local trace = faults.trace()
    table.sort(trace) -- whether the hash or the body is through first is not ours to say
    assert.same({ "HEAD blob 404", "PATCH upload 202", "POST uploads 202", "PUT upload 201" }, trace)
    assert.equal(SIZE, faults.content("up/ahead").blobs[digest])
  end)

  it("is not sent to its end where it is there already", function()
    upload()
    faults.reset { content = false }
    faults.on { method = "PATCH", hold = "later" }
    local d, done = upload()
    assert.equal("exists", done)
    assert.equal(digest, d.digest)
    local trace = table.concat(faults.trace(), ", ")
    assert.truthy(trace:find "HEAD blob 200", trace)
    assert.truthy(trace:find "DELETE upload 204", trace)
    assert.equal(0, faults.content("up/ahead").uploads)
  end)

  it("goes up as any other where the registry takes no such body", function()
    faults.on { method = "PATCH", status = 416, early = true, always = true }
    local _, done = upload()
    assert.equal("uploaded", done)
    assert.equal(SIZE, faults.content("up/ahead").blobs[digest])
    assert.equal(0, faults.content("up/ahead").uploads)
  end)

  it("is refused as it is, not sent once more, where it is denied", function()
    faults.on { method = "PATCH", status = 403, always = true }
    local err = helper.fails(registry, "upload_blob", ref, path, nil, { expect = "absent" })
    assert.equal("denied", err.class)
    assert.equal(403, err.status)
    assert.equal(1, faults.count().PATCH)
    assert.equal(0, faults.count().PUT or 0)
    faults.reset()
    faults.on { method = "POST", status = 403, always = true }
    assert.equal("denied", helper.fails(registry, "upload_blob", ref, path, nil, { expect = "absent" }).class)
    assert.same({ "POST uploads 403" }, faults.trace())
  end)

  it("fails with what the end of the upload was refused with", function()
    faults.on { method = "PUT", status = 403, always = true }
    assert.equal("denied", helper.fails(registry, "upload_blob", ref, path, nil, { expect = "absent" }).class)
    assert.equal(1, faults.count().PUT)
  end)

  it("does not follow an upload to another origin", function()
    faults.on { method = "POST", set = { Location = "http://elsewhere.invalid/upload" }, always = true }
    assert.equal("redirect", helper.fails(registry, "upload_blob", ref, path, nil, { expect = "absent" }).class)
    assert.equal(1, faults.count().POST)
  end)

  it("is tried again within the policy, and says so", function()
    for _, fault in ipairs { { status = 503, early = true }, { early = true, drop = "rst" } } do
      faults.reset()
      local attempts = {}
      registry = helper.registry()
      registry:on("retry", function(failure)
        attempts[#attempts + 1] = failure.attempt
      end)
      fault.method = "PATCH"
      faults.on(fault)
      local _, done = upload()
      assert.equal("uploaded", done)
      assert.same({ 1 }, attempts)
      assert.equal(SIZE, faults.content("up/ahead").blobs[digest])
      faults.reset()
      fault.always = true
      faults.on(fault)
      registry = helper.registry { retry = { tries = 1 } }
      local err = helper.fails(registry, "upload_blob", ref, path, nil, { expect = "absent" })
      assert.equal(fault.status and "server" or "network", err.class)
      assert.equal(1, faults.count().PATCH)
      assert.equal(0, faults.count().PUT or 0)
    end
  end)

  it("is not sent again where only the answer was lost", function()
    faults.on { method = "PUT", process = true, drop = "rst" }
    local _, done = upload()
    assert.equal("uploaded", done)
    assert.equal(1, faults.count().PATCH)
    assert.equal(1, faults.count().PUT)
  end)

  it("L06 is content when it changes meanwhile", function()
    local start = registry.start_upload
    function registry:start_upload(container, opts)
      local file <close> = assert(io.open(path, "ab"))
      file:write "more"
      file:close()
      return start(self, container, opts)
    end
    local _, err = oras.try(upload)
    os.remove(path)
    make_file()
    assert.equal("content", err and err.class)
    assert.equal(0, faults.content("up/ahead").uploads)
    assert.is_nil(next(faults.content("up/ahead").blobs))
  end)

  it("is hashed first where things are probably there", function()
    registry:upload_blob(ref, path, nil, { expect = "present" })
    assert.equal("HEAD blob 404", faults.trace()[1])
  end)
end)
