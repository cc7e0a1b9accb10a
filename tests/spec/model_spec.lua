--- The model provider: a directory of big files there and back, also when it breaks off.
local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local oras = require "oras"
local process = require "tests.spec.process"
local services = require "tests.support.services"

local Models = dofile "providers/model.lua"

local BIG <const> = 3000000

local function new(opts)
  opts = opts or {}
  opts.config_path, opts.retry = "/nonexistent", opts.retry or { wait = 0 }
  return Models:new(opts)
end

-- A model as people have them, with what is not part of it.
local function make(dir)
  process.sh("mkdir -p %s %s", dir .. "/m/tokenizer", dir .. "/m/.cache")
  helper.write(dir .. "/m/model-00001.safetensors", ("weights1"):rep(BIG // 8))
  helper.write(dir .. "/m/model-00002.safetensors", ("weights2"):rep(BIG // 8))
  helper.write(dir .. "/m/config.json", "{}")
  helper.write(dir .. "/m/tokenizer/vocab.txt", "a b c")
  helper.write(dir .. "/m/README.md", "# m")
  helper.write(dir .. "/m/run.py", "print()")
  helper.write(dir .. "/m/LICENSE", "MIT")
  helper.write(dir .. "/m/.cache/x", "not part of it")
  return dir .. "/m"
end

describe("the model provider", function()
  local dir, models, name

  before_each(function()
    faults.reset()
    dir, models = helper.directory(), new()
    name = faults.host "http" .. "/models/m:1"
  end)

  after_each(helper.clean)

  it("stores each file as a layer, by ModelPack's types, and brings all back", function()
    local model = make(dir)
    local stored, manifest = models:push(name, model)
    assert.equal(stored.digest, models:resolve(name).digest)
    assert.equal("application/vnd.cncf.model.manifest.v1+json", manifest.artifactType)
    local kinds = {}
    for _, file in ipairs(models:list(name)) do
      kinds[#kinds + 1] = file.path .. "=" .. file.kind
    end
    assert.same({
      "LICENSE=doc", "README.md=doc", "config.json=weight.config", "model-00001.safetensors=weight",
      "model-00002.safetensors=weight", "run.py=code", "tokenizer/vocab.txt=weight.config",
    }, kinds)
    local config = models:get_config(name)
    assert.equal(7, #config.modelfs.diffIds)
    assert.equal(manifest.layers[1].digest, config.modelfs.diffIds[1])

    assert.equal(7, #models:pull(name, dir .. "/out"))
    process.sh("rm -r %s && diff -r %s %s", model .. "/.cache", model, dir .. "/out")
    assert.is_true(models:verify(name, dir .. "/out").ok)
  end)

  it("has the same digest each time, and sends nothing twice", function()
    local model = make(dir)
    local first = models:push(name, model)
    assert.equal(first.digest, new():push(name, model).digest)
    -- seven files and the config, once
    assert.equal(8, #faults.log { method = "PUT", path = "/v2/models/m/blobs/*" })
  end)

  it("goes on with a push that broke off", function()
    local model = make(dir)
    faults.on { method = "PUT", path = "/v2/models/m/blobs/*", nth = 4, drop = "rst", always = true }
    local err = helper.fails(new { retry = { wait = 0, tries = 1 } }, "push", name, model, { concurrency = 1 })
    assert.equal("network", err.class)
    local there = 0
    for _ in pairs(faults.content("models/m").blobs) do
      there = there + 1
    end
    assert.equal(3, there)
    faults.reset { content = false }
    models:push(name, model)
    assert.equal(5, #faults.log { method = "PUT", path = "/v2/models/m/blobs/*" })
  end)

  it("goes on with a pull that broke off, in another process, where it was", function()
    local model = make(dir)
    models:push(name, model)
    local weights = models:list(name)[4]
    faults.on { method = "GET", path = "/v2/models/m/blobs/" .. weights.digest, cut = 1000000, how = "rst" }
    local script = helper.write(dir .. "/pull.lua", [[
      local Models = dofile "providers/model.lua"
      Models:new { retry = { tries = 1 } }:pull(arg[1], arg[2])
    ]])
    assert.equal(1, (process.run(script, name, dir .. "/out")))
    assert.is_nil(helper.read(dir .. "/out/" .. weights.path))
    assert.equal(0, (process.run(script, name, dir .. "/out")))
    local gets = faults.log { method = "GET", path = "/v2/models/m/blobs/" .. weights.digest }
    local range = faults.header(gets[#gets], "range")
    assert.is_not_nil(range and range:find "^bytes=%d%d%d+%-", tostring(range))
    assert.equal(helper.read(model .. "/" .. weights.path), helper.read(dir .. "/out/" .. weights.path))
  end)

  it("never shows a file whose bytes are wrong", function()
    models:push(name, make(dir))
    local weights = models:list(name)[4]
    faults.on { method = "GET", path = "/v2/models/m/blobs/" .. weights.digest, corrupt = 5000, always = true }
    assert.equal("integrity", helper.fails(models, "pull", name, dir .. "/out").class)
    assert.is_nil(helper.read(dir .. "/out/" .. weights.path))
  end)

  it("says what differs on disk", function()
    local model = make(dir)
    models:push(name, model)
    helper.write(model .. "/config.json", "[]")
    os.remove(model .. "/README.md")
    local states = {}
    for _, one in ipairs(models:verify(name, model)) do
      states[one.title] = one.status
    end
    assert.same({ "changed", "missing", "same" }, { states["config.json"], states["README.md"], states["run.py"] })
  end)

  it("takes the path of ModelPack's annotation where there is no title, and no path that leads out", function()
    local function seed(repo, path)
      faults.seed { repo = repo, tag = "1", layers = { {
        data = "x", media_type = "application/vnd.cncf.model.weight.v1.raw",
        annotations = { ["org.cncf.model.filepath"] = path },
      } } }
      return ("%s/%s:1"):format(faults.host "http", repo)
    end
    assert.equal(dir .. "/out/a/b.bin", models:pull(seed("models/one", "a/b.bin"), dir .. "/out")[1].path)
    assert.equal("path", helper.fails(models, "pull", seed("models/two", "../b.bin"), dir .. "/out").class)
    assert.equal("path", helper.fails(models, "verify", seed("models/three", "../x"), dir).class)
  end)

  it("refuses links and what is empty", function()
    local model = make(dir)
    process.sh("ln -s /etc/passwd %s", model .. "/link.txt")
    local err = helper.fails(models, "push", name, model)
    assert.equal("path", err.class)
    assert.is_not_nil(err.message:find('"link.txt" is a symlink', 1, true), err.message)
    process.sh("mkdir %s", dir .. "/none")
    assert.equal("path", helper.fails(models, "push", name, dir .. "/none").class)
    assert.equal("not_found", helper.fails(models, "push", name, dir .. "/nowhere").class)
  end)

  it("is a command line of its own, whose results are JSON", function()
    models:push(name, make(dir))
    local status, out, err = process.run("model", "pull", name, dir .. "/out")
    assert.same({ 0, "" }, { status, err })
    local pulled = oras.json.decode(out)
    assert.equal(7, #pulled)
    assert.equal(dir .. "/out/LICENSE", pulled[1].path)
    out = select(2, process.run("model", "verify", name, dir .. "/out"))
    assert.equal("same", oras.json.decode(out)[7].status)
  end)

  it("gives what oras pulls file by file", function()
    local oras_cli, why = services.peer "oras"
    if not oras_cli then
      return pending(why)
    end
    local model = make(dir)
    models:push(name, model)
    process.sh("%s pull --plain-http -o %s %s", oras_cli, dir .. "/theirs", name)
    process.sh("rm -r %s && diff -r %s %s", model .. "/.cache", model, dir .. "/theirs")
    assert.is_string(oras.json.encode(models:list(name)))
  end)
end)
