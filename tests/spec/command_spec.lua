--- What all commands of oras-lua share: words, flags, results, classes, layouts, questions.
local oras = require "oras"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local json_keys = require "tests.spec.json_keys"
local process = require "tests.spec.process"

local run = process.run

local dir

local function refuses(status, text, ...)
  local got, out, err = run(...)
  assert.same({ status, "" }, { got, out })
  assert.truthy(err:find(text, 1, true), err)
  assert.equal(1, select(2, err:gsub("\n", "")), err)
end

-- A command of a test's own, run by a script: what `body` makes of (registry, words, opts).
local function own(spec, body, ...)
  local path = helper.write(dir .. "/own.lua", ([[
    local command = require "oras.cli.command"
    local spec = { %s }
    spec.run = function(registry, words, opts) %s end
    command.new(spec)(...)]]):format(spec, body))
  return run(path, ...)
end

local SPEC <const> = [[name = "own", usage = "WORD...", about = "Test.", flags = {
  { "-a", "--annotation", value = "K=V", many = true, about = "" },
  { "-n", "--number", value = "N", kind = "integer", about = "" },
  { "-r", "--recursive", about = "" },
  { "-f", "--force", about = "" },
  { "--platform", value = "P", many = true, separator = ",", about = "" } }]]

local function parsed(...)
  local status, out, err = own(SPEC .. ", registry = false", [[
    local show = {}
    for _, key in ipairs { "annotation", "number", "recursive", "force", "platform" } do
      local value = opts[key]
      if type(value) == "table" then value = "{" .. table.concat(value, ";") .. "}" end
      if value ~= nil then show[#show + 1] = key .. "=" .. tostring(value) end
    end
    return { text = table.concat(show, " ") .. " | " .. table.concat(words, ",") .. "\n" }]], ...)
  assert.same({ 0, "" }, { status, err })
  return out:sub(1, -2)
end

describe("a command", function()
  before_each(function()
    faults.reset()
    dir = helper.directory()
  end)
  after_each(helper.clean)

  describe("reads its flags as oras does", function()
    it("in one word or two, long or short", function()
      for _, words in ipairs { { "-n5" }, { "-n=5" }, { "-n", "5" }, { "--number", "5" }, { "--number=5" } } do
        assert.equal("number=5 | ", parsed(table.unpack(words)))
      end
    end)

    it("switches together, the last one with its value", function()
      assert.equal("recursive=true force=true | x", parsed("-rf", "x"))
      assert.equal("annotation={a=b} recursive=true | x", parsed("-raa=b", "x"))
      assert.equal("annotation={b} recursive=true | x", parsed("-ra=b", "x"))
      assert.equal("annotation={a=b} recursive=true | x", parsed("-ra", "a=b", "x"))
      assert.equal("recursive=false | ", parsed "-r=false")
      assert.equal("force=true | ", parsed "--force=T")
    end)

    it("among the words, up to --", function()
      assert.equal("annotation={x=1;y=2} force=true | one,two,-r", parsed("one", "-a", "x=1", "two", "-f", "-a=y=2",
        "--", "-r"))
      assert.equal(" | -,-:text/plain", parsed("-", "-:text/plain"))
    end)

    it("the last value counts, lists grow and may have commas", function()
      assert.equal("number=2 | ", parsed("-n1", "-n2"))
      assert.equal("platform={a;b;c} | ", parsed("--platform", "a,b", "--platform=c"))
    end)

    it("and says what it does not know, with the nearest", function()
      local function bad(text, ...)
        local status, out, err = own(SPEC .. ", registry = false", "return { text = '' }", ...)
        assert.same({ 2, "" }, { status, out })
        assert.truthy(err:find(text, 1, true), err)
      end
      bad("unknown option '--recursiv' (--recursive?)", "--recursiv")
      bad("unknown option '-x' in '-rx'", "-rx")
      bad("option '--number' needs a value (N)", "--number")
      bad("option '-n' takes a whole number, not '1e3'", "-n1e3")
      bad("option '--force' takes no value ('maybe')", "--force=maybe")
    end)
  end)

  describe("prints", function()
    local BODY <const> = [[return { text = "text\n", line = "line\n", document = { a = 1 } }]]

    it("a line into a pipe, text and json when told to", function()
      assert.same({ 0, "line\n", "" }, { own(SPEC, BODY) })
      assert.same({ 0, "text\n", "" }, { own(SPEC, BODY, "--format", "text") })
      assert.same({ 0, '{\n  "a": 1\n}\n', "" }, { own(SPEC, BODY, "--format=json") })
      assert.same({ 0, "text\n", "" }, { own(SPEC, [[return { text = "text\n" }]]) })
    end)

    it("text on a terminal", function()
      local path = dir .. "/own.lua"
      own(SPEC, BODY)
      assert.equal("text\r\n", process.sh("script -qec %s /dev/null </dev/null | tr -d '\\004\\b^D'",
        process.quote(process.oras_lua) .. " " .. path))
    end)

    it("bytes as they are, and what a function writes", function()
      assert.same({ 0, "a\0b", "" }, { own(SPEC, [[return { bytes = "a\0b", document = {} }]]) })
      assert.same({ 0, "written", "" }, { own(SPEC, [[return { write = function(f) f:write "written" end }]]) })
      assert.same({ 0, "{}\n", "" }, { own(SPEC, [[return { bytes = "x", document = {} }]], "--format=json") })
    end)

    it("nothing when it fails", function()
      local status, out, err = own(SPEC, [[require "oras.error".raise { class = "io", message = "no" }]])
      assert.same({ 1, "" }, { status, out })
      assert.matches("no\n$", err)
      assert.equal(2, (own(SPEC, [[require "oras.error".usage "no"]])))
    end)

    it("in formats that are there; templates are not", function()
      local function bad(text, ...)
        local status, out, err = own(SPEC, "return { text = '' }", ...)
        assert.same({ 2, "" }, { status, out })
        assert.truthy(err:find(text, 1, true), err)
      end
      bad("is text or json, not 'yaml'", "--format", "yaml")
      bad("a program that reads json", "--format=go-template={{.digest}}")
      bad("there are no templates; '--format json'", "--template", "{{.digest}}")
      assert.equal(0, (own(SPEC .. ", formats = { tree = 'text' }", "return { text = '' }", "--format=tree")))
    end)
  end)

  it("L24 dies quietly of a broken pipe, and fails where standard output is closed or full", function()
    local much = "('x\\n'):rep(1000000)"
    for _, result in ipairs { "text = " .. much, ("write = function(f) f:write(%s) end"):format(much) } do
      own(SPEC, ("return { %s, document = {} }"):format(result))
      local program = process.quote(process.oras_lua) .. " " .. dir .. "/own.lua"
      local status, out, err = process.shell(("bash -c '%s | head -1; exit ${PIPESTATUS[0]}'"):format(program
        :gsub("'", "")))
      assert.same({ 141, "x\n", "" }, { status, out, err })
      for _, target in ipairs { ">&-", ">/dev/full" } do
        status, out, err = process.shell(program .. " " .. target)
        assert.same({ 1, "" }, { status, out })
        assert.truthy(err:find("cannot write to standard output", 1, true), err)
      end
    end
  end)

  it("tells a program what it is", function()
    local cmd = require "oras.cli.command".new { name = "x y", usage = "REF", about = "About.",
      example = "oras-lua x y", run = function() end, flags = { { "-q", "--quiet", about = "less" } } }
    assert.same({ "x y", "REF", "About.", "oras-lua x y", 0 },
      { cmd.name, cmd.usage, cmd.about, cmd.example, cmd.least })
    assert.equal("-q", cmd.all_flags[1][1])
    assert.is_true(#cmd.all_flags > 15)
    assert.is_true(#require "oras.cli.command".new { registry = false, run = print }.all_flags < 6)
  end)

  describe("works on the class of a provider", function()
    local function provider(text)
      return helper.write(dir .. "/mine.lua", ([[
        local oras = require "oras"
        local Mine = oras.Registry:extend "Mine"
        %s
        return Mine]]):format(text))
    end

    it("so that an overridden step changes what it does", function()
      local path = provider [[function Mine:pack_manifest(parts)
          parts.annotations = parts.annotations or {}
          parts.annotations.made = "by mine"
          return Mine.super.pack_manifest(self, parts)
        end]]
      helper.write(dir .. "/hi.txt", "hi\n")
      local ref = faults.host "http" .. "/p/app"
      local function push(...)
        local status, out, err = process.shell(("cd %s && %s push %s hi.txt --format json %s"):format(dir,
          process.quote(process.oras_lua), ref .. ":1", table.concat({ ... }, " ")))
        assert.same({ 0, "" }, { status, err })
        return oras.json.decode(out)
      end
      assert.is_nil(push().annotations)
      assert.equal("by mine", push("--provider", path).annotations.made)
    end)

    it("by its name, and says the nearest of one that is none", function()
      local status, out = run("tag", "--provider", "conda", "oci:examples/layout:none", "x")
      assert.same({ 1, "" }, { status, out })
      refuses(2, "no provider is called 'condo' (conda?)", "tag",
        "--provider=condo", "oci:examples/layout:1.0.0-0", "x")
    end)
  end)

  describe("takes a layout by flag", function()
    local function layout()
      process.sh("cp -r examples/layout %s", dir .. "/l")
      return dir .. "/l"
    end

    local function words(spec, ...)
      return select(2, own(spec, [[return { text = table.concat(words, " ") .. "\n" }]], ...))
    end

    it("as DIR:TAG or as a name in a directory", function()
      local digest = "sha256:" .. ("a"):rep(64)
      assert.equal("oci:d:v1 d:v2\n", words(SPEC, "--oci-layout", "d:v1", "d:v2"))
      assert.equal("oci:d/e:v1\n", words(SPEC, "--oci-layout-path", "d/e", "v1"))
      assert.equal("oci:d@" .. digest .. "\n", words(SPEC, "--oci-layout-path=d", digest))
      assert.equal("oci:d@" .. digest .. "\n", words(SPEC, "--oci-layout-path=d", "@" .. digest))
      assert.equal("oci:x:v1\n", words(SPEC, "--oci-layout", "oci:x:v1"))
      assert.equal("a oci:b\n", words(SPEC .. ", references = { 2 }", "--oci-layout", "a", "b"))
      assert.equal("oci:a oci:b\n", words(SPEC .. ", references = 'all'", "--oci-layout", "a", "b"))
    end)

    it("on each side", function()
      local sides = SPEC .. ", sides = { 'from', 'to' }"
      assert.equal("oci:a b\n", words(sides, "--from-oci-layout", "a", "b"))
      assert.equal("a oci:d:b\n", words(sides, "--to-oci-layout-path=d", "a", "b"))
    end)

    it("and does there what it does with oci:", function()
      local place = layout()
      assert.same({ 0, "a\n", "" }, { run("tag", "--oci-layout", place .. ":1.0.0-0", "a") })
      assert.same({ 0, "b\n", "" }, { run("tag", "--oci-layout-path", place, "a", "b") })
      local status, out, err = run("cp", "--from-oci-layout", "--to-oci-layout-path", dir .. "/m", place .. ":b", "c")
      assert.same({ 0, "" }, { status, err })
      assert.equal(oras.Registry:new():resolve("oci:" .. dir .. "/m:c").digest .. "\n", out)
    end)

    it("in which a name may be a whole reference", function()
      local place, name = layout(), "localhost:5000/team/app:v1"
      local _, digest = run("resolve", place:gsub("^", "oci:") .. ":1.0.0-0")
      assert.same({ 0, name .. "\n", "" }, { run("tag", "--oci-layout-path", place, "1.0.0-0", name) })
      assert.same({ 0, digest, "" }, { run("resolve", "--oci-layout-path=" .. place, name) })
      assert.same({ 0, digest, "" }, { run("cp", "--from-oci-layout-path", place, name, "oci:" .. dir .. "/m:c") })
      assert.equal(1, (run("resolve", "--oci-layout-path=" .. place, "localhost:5000/team/app:v2")))
    end)
  end)

  it("asks before it destroys; without an answer nothing is done", function()
    local body = [[require "oras.cli.command".confirm("destroy it?", opts) return { text = "done\n" }]]
    assert.same({ 0, "done\n", "" }, { own(SPEC, body, "-f") })
    local command = process.quote(process.oras_lua) .. " " .. dir .. "/own.lua"
    local status, out, err = process.shell("echo y | setsid -w " .. command) -- without a terminal
    assert.same({ 1, "" }, { status, out })
    assert.truthy(err:find("nobody is there to be asked, nothing was changed; --force", 1, true), err)
    local function answered(text, line)
      return process.shell(("printf '%s' | script -qec %s /dev/null"):format(text, process.quote(line or command)))
    end
    status, out = answered "y\\n"
    assert.truthy(status == 0 and out:find "destroy it%? %[y/N%] .-done", out)
    for _, text in ipairs { "yearn for it\\n", "\\n", "\\004" } do
      status, out = answered(text)
      assert.truthy(status == 1 and out:find "nothing was changed", out)
      assert.is_nil(out:find "done")
    end
    -- the terminal is asked, and what is on standard input is for others
    status, out = answered("y\\n", ("printf 'n\\nrest\\n' | (%s 2>/dev/null; cat)"):format(command))
    assert.truthy(status == 0 and out:find "%[y/N%] .-done\r?\nn\r?\nrest", out)
  end)

  it("checks distribution spec, secrets and headers before it begins", function()
    local ref = "oci:examples/layout:1.0.0-0"
    refuses(2, "is v1.1-referrers-api or v1.1-referrers-tag, not 'v2'", "tag", "--distribution-spec=v2", ref, "x")
    refuses(2, "'--identity-token' stands alone", "tag", "--identity-token=x", "-uy", ref, "x")
    refuses(2, "exclude each other", "tag", "--identity-token-stdin", "--password-stdin", ref, "x")
    refuses(2, "takes NAME:VALUE, not 'x'", "tag", "-Hx", ref, "x")
  end)
end)

describe("oras-lua", function()
  it("finds commands of several words, and says what it does not find", function()
    refuses(2, "no command, provider or file is called 'pusch' (push?)", "pusch")
    refuses(2, "no command, provider or file is called 'manifest.fetch'", "manifest.fetch")
    refuses(2, "which command of 'manifest index'? create, pack, update (--help", "manifest", "index")
    refuses(2, "there is no command 'manifest fetsh' (fetch?)", "manifest", "fetsh")
    refuses(2, "there is no command 'manifest index kreate' (create?)", "manifest", "index", "kreate")
    refuses(2, "unknown option '--debgu' (--debug?)", "--debgu", "push")
    refuses(2, "unknown option '--descripto' (--descriptor?)", "manifest", "fetch", "--descripto")
    refuses(2, "usage: oras-lua manifest fetch REF", "manifest", "fetch")
  end)

  it("knows oras's other words for a command", function()
    local commands = require "oras.cli.commands"
    for alias, name in pairs { ["repo ls"] = "repos", ["repo list"] = "repos", ["repo tags"] = "tags", cp = "copy",
      ["repo show-tags"] = "tags", ["manifest get"] = "manifest fetch", ["blob rm"] = "blob delete",
      ["manifest index pack"] = "manifest index create", digest = "resolve" } do
      local words = {}
      for word in alias:gmatch "%S+" do
        words[#words + 1] = word
      end
      local found, last, whole = commands.find(words, 1)
      assert.same({ #words, true, name }, { last, whole, commands.load(found).name }, alias)
    end
  end)
end)

describe("docs/json.md", function()
  it("has a section for every command, and no other", function()
    local names, known = require "oras.cli.summary".names(), {}
    for _, name in ipairs(names) do
      assert.is_truthy(json_keys.tree(name), name)
      known[name] = true
    end
    for line in io.lines "docs/json.md" do
      local title = line:match "^## (.+)$"
      assert.is_true(not title or known[title], title)
    end
  end)

  it("has the keys of a document, and no more", function()
    local document = { reference = "a", mediaType = "b", digest = "c", size = 1, artifactType = "d",
      referenceAsTags = oras.json.array {} }
    json_keys.check("push", document)
    document.size = "1"
    assert.error_matches(function() json_keys.check("push", document) end, "push.size: is no integer")
    document.size, document.extra = 1, true
    assert.error_matches(function() json_keys.check("push", document) end, 'the key "extra" is not in docs')
    document.extra, document.digest = nil, nil
    assert.error_matches(function() json_keys.check("push", document) end, 'the key "digest" is missing')
    assert.has_error(function() json_keys.check("pull", { reference = "a", files = { { path = "x" } } }) end)
    json_keys.check("tag", { "a", "b" })
    assert.has_error(function() json_keys.check("tag", { "a", 1 }) end)
    assert.error_matches(function() json_keys.check("nothing", {}) end, "no section")
  end)
end)
