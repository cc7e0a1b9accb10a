--- oras-lua push and pull: words, what is printed, exit codes.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local quote = process.quote

local dir, ref

-- oras-lua in the test's directory.
local function run(...)
  local words = { ("cd %s && DOCKER_CONFIG=/nonexistent %s"):format(quote(dir), quote(process.oras_lua)) }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  return process.shell(table.concat(words, " "))
end

local function succeeds(...)
  local status, out, err = run(...)
  assert.same({ 0, "" }, { status, err })
  return out
end

local function fails(expected, pattern, ...)
  local status, out, err = run(...)
  assert.equal(expected, status, err)
  assert.equal("", out)
  assert.matches(pattern, err)
  assert.equal(1, select(2, err:gsub("\n", "\n")), err)
end

describe("oras-lua push", function()
  before_each(function()
    faults.reset()
    dir = helper.directory()
    ref = faults.host "http" .. "/k/app"
    helper.write(dir .. "/hi.txt", "hi\n")
    assert(os.execute(("mkdir -p '%s/tree/deep' && echo b >'%s/tree/deep/b'"):format(dir, dir)))
  end)
  after_each(helper.clean)

  it("prints the digest, and one JSON document when asked", function()
    local out = succeeds("push", ref .. ":v1", "hi.txt:text/plain", "tree", "--format", "text")
    local digest = faults.content "k/app".tags.v1
    assert.equal(digest .. "\n", succeeds("push", ref .. ":v1", "hi.txt:text/plain", "tree"))
    assert.equal(("Pushed %s:v1\nArtifactType: application/vnd.unknown.artifact.v1\nDigest: %s\n"):format(
      ref, digest), out)
    local document = oras.json.decode(succeeds("push", "--format", "json", ref .. ":v1,b,a", "hi.txt:text/plain",
      "tree", "--artifact-type=application/vnd.x", "-a", "k=v=w"))
    assert.same({
      reference = ref .. "@" .. document.digest,
      mediaType = "application/vnd.oci.image.manifest.v1+json",
      digest = faults.content "k/app".tags.b,
      size = document.size,
      artifactType = "application/vnd.x",
      annotations = { k = "v=w" },
      referenceAsTags = { ref .. ":a", ref .. ":b", ref .. ":v1" },
    }, document)
  end)

  it("stores by digest alone without a tag", function()
    local out = succeeds("push", ref, "hi.txt")
    local digest = out:match "^(%S+)\n$"
    assert.same({}, faults.content "k/app".tags)
    assert.truthy(faults.content "k/app".manifests[digest])
    local document = oras.json.decode(succeeds("push", ref, "hi.txt", "--format=json"))
    assert.equal(digest, document.digest)
    assert.same({}, document.referenceAsTags)
  end)

  it("stores an artifact without files, as oras does", function()
    local digest = succeeds("push", ref .. ":none"):gsub("\n", "")
    local registry = helper.registry()
    local manifest = registry:get_manifest(ref .. ":none")
    assert.equal(digest, manifest:descriptor().digest)
    assert.equal("application/vnd.unknown.artifact.v1", manifest.artifactType)
    assert.same({ "application/vnd.oci.empty.v1+json" }, { manifest.layers[1].mediaType, manifest.layers[2] })
    succeeds("push", ref .. ":old", "--image-spec", "v1.0")
    assert.equal("application/vnd.unknown.config.v1+json", registry:get_manifest(ref .. ":old").config.mediaType)
  end)

  it("takes config, platform, annotation file and standard input, and exports the manifest", function()
    helper.write(dir .. "/c.json", "{}")
    helper.write(dir .. "/ann.json", '{"$manifest":{"a":"b"},"hi.txt":{"c":"d"}}')
    succeeds("push", ref .. ":1", "hi.txt", "--config", "c.json:application/vnd.c+json",
      "--annotation-file", "ann.json", "--export-manifest", "m.json")
    local registry = helper.registry()
    local manifest = registry:get_manifest(ref .. ":1")
    assert.equal(manifest:raw(), helper.read(dir .. "/m.json"))
    assert.equal(manifest:raw(), succeeds("push", ref .. ":1", "hi.txt", "--config", "c.json:application/vnd.c+json",
      "--annotation-file", "ann.json", "--export-manifest", "-"))
    assert.equal("application/vnd.c+json", manifest.config.mediaType)
    assert.equal("b", manifest.annotations.a)
    assert.equal("d", manifest.layers[1].annotations.c)
    succeeds("push", ref .. ":2", "hi.txt", "--artifact-platform", "linux/arm64")
    assert.equal("arm64", registry:get_config(ref .. ":2").architecture)
    local status = process.shell(("cd %s && printf piped | %s push %s:3 -:text/x"):format(
      quote(dir), quote(process.oras_lua), ref))
    assert.equal(0, status)
    manifest = registry:get_manifest(ref .. ":3")
    assert.equal("text/x", manifest.layers[1].mediaType)
    assert.equal("piped", registry:get_blob(ref, manifest.layers[1]).content)
  end)

  it("says what is wrong in one line, with nothing on standard output", function()
    fails(2, "usage: oras%-lua push", "push")
    fails(2, "unknown option '%-%-artifact%-typ' %(%-%-artifact%-type%?%)", "push", ref, "--artifact-typ", "x")
    fails(2, "option '%-%-config' needs a value", "push", ref, "hi.txt", "--config")
    fails(2, "takes KEY=VALUE", "push", ref, "hi.txt", "-a", "novalue")
    fails(2, "'%-%-format' is text or json", "push", ref, "hi.txt", "--format", "go-template={{.digest}}")
    fails(2, "two files have the title", "push", ref .. ":1", "hi.txt", "./hi.txt")
    fails(1, 'missing', "push", ref .. ":1", "missing")
    fails(1, "outside of the working directory", "push", ref .. ":1", "/etc/passwd")
    fails(1, "outside of the working directory", "push", ref .. ":1", dir .. "/../x")
    faults.on { method = "POST", status = 403, always = true }
    fails(1, "denied", "push", ref .. ":1", "hi.txt")
    assert.same({}, faults.content "k/app".manifests)
  end)

  it("sends nothing when the manifest could not be written where it shall go", function()
    assert(os.execute(("mkdir '%s/sub'"):format(dir)))
    fails(1, '"nonexist/m%.json" cannot be written: No such file', "push", ref .. ":1", "hi.txt", "--export-manifest",
      "nonexist/m.json")
    fails(1, '"sub" cannot be written: Is a directory', "push", ref .. ":1", "hi.txt", "--export-manifest", "sub")
    fails(1, '"hi.txt/m" cannot be written: Not a directory', "push", ref .. ":1", "hi.txt",
      "--export-manifest=hi.txt/m")
    fails(1, '"" cannot be written: No such file', "push", ref .. ":1", "hi.txt", "--export-manifest=")
    assert.equal(0, #faults.log())
  end)

  it("exports to what is no file, too, and says when that is full", function()
    succeeds("push", ref .. ":1", "hi.txt", "--export-manifest", "/dev/null")
    fails(1, '"/dev/full" cannot be written: No space left', "push", ref .. ":1", "hi.txt",
      "--export-manifest=/dev/full")
  end)

  it("leaves the manifest's file alone when the push fails", function()
    helper.write(dir .. "/m.json", "old")
    fails(1, "missing", "push", ref .. ":1", "missing", "--export-manifest", "m.json")
    fails(1, "missing", "push", ref .. ":1", "missing", "--export-manifest", "new.json")
    assert.equal("old", helper.read(dir .. "/m.json"))
    assert.is_nil(io.open(dir .. "/new.json"))
  end)

  it("shows its flags", function()
    local out = succeeds("push", "--help")
    for _, flag in ipairs { "--annotation", "--artifact-type", "--config", "--plain-http", "--password-stdin" } do
      assert.matches(flag, out, 1, true)
    end
  end)

  it("logs in with the user and password that it is given, which are not shown", function()
    local place = faults.host "http" .. "/basic/app:1"
    fails(1, "auth", "push", place, "hi.txt")
    local command = "cd %s && printf 'wonder:land\\n' | DOCKER_CONFIG=/nonexistent %s push %s hi.txt --debug -u alice "
    command = command:format(quote(dir), quote(process.oras_lua), place)
    local status, _, err = process.shell(command .. "--password-stdin")
    assert.equal(0, status, err)
    assert.is_nil(err:find("wonder:land", 1, true))
    local out
    status, out, err = process.shell(command .. "-p wonder:land")
    assert.equal(0, status, err)
    assert.matches("%-%-password%-stdin is safer", err)
    assert.is_nil((out .. err):find("wonder:land", 1, true))
    fails(2, "a user goes with", "push", place, "hi.txt", "-u", "alice")
  end)

  it("sends headers to the registry", function()
    succeeds("push", ref .. ":1", "hi.txt", "-H", "X-One: 1", "--header=X-Two:2")
    local entry = faults.log { method = "POST" }[1]
    assert.equal("1", faults.header(entry, "X-One"))
    assert.equal("2", faults.header(entry, "X-Two"))
  end)
end)

-- Run with standard error on a terminal; gives what came there.
local ON_TERMINAL <const> = [[
import os, pty, subprocess, sys
ours, theirs = pty.openpty()
child = subprocess.Popen(sys.argv[2:], cwd=sys.argv[1], stdin=subprocess.DEVNULL,
    stdout=subprocess.DEVNULL, stderr=theirs)
os.close(theirs)
try:
    while piece := os.read(ours, 4096):
        sys.stdout.buffer.write(piece)
except OSError:
    pass
sys.exit(child.wait())
]]

local function on_terminal(...)
  local words = {
    "TERM=xterm DOCKER_CONFIG=/nonexistent python3 -c", quote(ON_TERMINAL), quote(dir), quote(process.oras_lua),
  }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  local status, out = process.shell(table.concat(words, " "))
  assert.equal(0, status, out)
  return out
end

describe("progress", function()
  before_each(function()
    faults.reset()
    dir = helper.directory()
    ref = faults.host "http" .. "/k/app:1"
    helper.write(dir .. "/big", ("x"):rep(3000000))
  end)
  after_each(helper.clean)

  it("is there on a terminal", function()
    faults.on { method = "PUT", path = "/v2/k/app/blobs/*", delay = 0.3, always = true } -- longer than a line stands
    faults.on { method = "GET", path = "/v2/k/app/blobs/*", delay = 0.3, always = true }
    local shown = on_terminal("push", ref, "big")
    assert.matches("2%.9 MiB / 2%.9 MiB", shown)
    assert.matches("%d of 2 blobs", shown)
    assert.matches("2%.9 MiB", on_terminal("pull", ref, "-o", "out"))
  end)

  it("is not shown when it is not wanted, nor beside the log", function()
    assert.equal("", on_terminal("push", ref, "big", "--no-tty"))
    assert.is_nil(on_terminal("push", ref, "big", "--debug"):find("\27[K", 1, true))
  end)
end)

describe("oras-lua pull", function()
  before_each(function()
    faults.reset()
    dir = helper.directory()
    ref = faults.host "http" .. "/k/app:1"
    helper.write(dir .. "/hi.txt", "hi\n")
    succeeds("push", ref, "hi.txt:text/plain")
  end)
  after_each(helper.clean)

  it("prints digest and files, or one JSON document", function()
    local digest = faults.content "k/app".tags["1"]
    assert.equal(("Pulled %s\nDigest: %s\nout/hi.txt\n"):format(ref, digest),
      succeeds("pull", ref, "-o", "out", "--format=text"))
    assert.equal(digest .. "\nout/hi.txt\n", succeeds("pull", ref, "-o", "out"))
    assert.equal("hi\n", helper.read(dir .. "/out/hi.txt"))
    local document = oras.json.decode(succeeds("pull", ref, "-o", "out", "--format", "json"))
    local blob = oras.digest.of "hi\n"
    local place = ref:match "^(.*):"
    assert.same({
      reference = place .. "@" .. digest,
      files = { {
        path = dir .. "/out/hi.txt", reference = place .. "@" .. blob, mediaType = "text/plain", digest = blob,
        size = 3, annotations = { ["org.opencontainers.image.title"] = "hi.txt" },
      } },
    }, document)
  end)

  it("refuses to replace files when told to, and says what it left out", function()
    fails(1, "exists", "pull", ref, "-k")
    faults.seed { repo = "k/app", tag = "2", layers = { { data = "x" }, { data = "y", title = "hi.txt" } } }
    local status, out, err = run("pull", (ref:gsub("1$", "2")))
    assert.equal(0, status)
    assert.matches("^sha256:%x+\nhi.txt\n$", out)
    assert.matches('skipped "sha256:%x+" %(.-%): no title', err)
  end)

  it("names what cannot be written as the user would", function()
    assert(os.execute(("cd '%s' && mkdir tree && head -c 900000 /dev/urandom | tee big >tree/big"):format(dir)))
    local function without_room(name)
      local status, out, err = process.shell(("cd %s && ulimit -f 200 && %s pull %s -o out/./dir"):format(
        quote(dir), quote(process.oras_lua), (ref:gsub("1$", name))))
      assert.same({ 1, "" }, { status, out })
      return err
    end
    succeeds("push", (ref:gsub("1$", "big")), "big")
    assert.matches("cannot write 'out/./dir/big': File too large", without_room "big", 1, true)
    succeeds("push", (ref:gsub("1$", "tree")), "tree")
    assert.matches([[directory "out/./dir/tree": cannot write 'tree/big': File too large]], without_room "tree",
      1, true)
  end)

  it("says what is wrong in one line, with nothing on standard output", function()
    fails(2, "usage: oras%-lua pull", "pull")
    fails(2, "usage: oras%-lua pull", "pull", ref, "more")
    fails(1, "no manifest", "pull", (ref:gsub("1$", "none")))
    fails(2, "platform", "pull", ref, "--platform", "linux/")
  end)
end)
