--- Providers that nobody trusts: what they can do, and what ends them.
local core = require "oras.core"
local oras = require "oras"
local sandbox = require "oras.sandbox"

local faults = require "tests.support.faults"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local LAYOUT <const> = "oci:examples/layout:1.0.0-0"

local PROVIDER <const> = [[
local oras = require "oras"
local P = oras.Registry:extend "P"
function P:run(...) %s end
return P
]]

-- Open a provider whose method `run` has that body.
local function open(body, opts)
  local given = { name = "@p.lua", text = PROVIDER:format(body), registry = helper.registry() }
  for name, value in pairs(opts or {}) do
    given[name] = value
  end
  return sandbox.open(given)
end

local function call(body, opts, ...)
  local box <close> = open(body, opts)
  return box:call("run", { ... })
end

local function fails(class, pattern, body, opts, ...)
  local result, err = oras.try(call, body, opts, ...)
  assert.is_nil(result)
  assert.equal(class, err and err.class, body)
  assert.matches(pattern, err.message)
  return err
end

-- Lines that oras-lua has logged while a provider with that body ran.
local function run_cli(body, ...)
  local path = helper.write(helper.directory() .. "/p.lua", PROVIDER:format(body))
  return process.run("--sandbox", path, "run", ...)
end

describe("a provider in the sandbox", function()
  before_each(helper.directory)
  after_each(helper.clean)

  it("may have a method that does not name self", function()
    local text = "local P = require 'oras'.Registry:extend 'P' function P.run() return 7 end return P"
    assert.equal(7, call("", { text = text }))
    assert.matches("takes 0 arguments, not 1", fails("usage", "run", "", { text = text }, 1).message)
  end)

  describe("as a program", function()
    it("gives what the same provider gives without the sandbox", function()
      local _, plain = process.run("conda", "inspect", LAYOUT)
      local status, out, err = process.run("--sandbox", "conda", "inspect", LAYOUT)
      assert.equal(0, status, err)
      assert.equal(plain, out)
      assert.matches("recipe/meta.yaml", out)
    end)

    it("shows its help without being run", function()
      local status, out = process.run("--sandbox", "conda", "--help")
      assert.equal(0, status)
      assert.matches("inspect NAME", out)
    end)

    it("says which words are wrong", function()
      assert.equal(2, (process.run "--sandbox"))
      assert.equal(2, (process.run("--sandbox", "conda")))
      local status, _, err = process.run("--sandbox", "conda", "inspect", LAYOUT, "--alow", "push")
      assert.equal(2, status)
      assert.matches("'%-%-alow' %(%-%-allow%?%)", err)
      status, _, err = process.run("--sandbox", "conda", "inspect", LAYOUT, "--allow", "everything")
      assert.equal(2, status)
      assert.matches("no operation \"everything\"", err)
    end)

    it("prints into the log, and nothing that commands a terminal", function()
      local status, out, err = run_cli('print("a\\27[31mb", 1)')
      assert.equal(0, status)
      assert.equal("", out)
      assert.equal("oras-lua: provider: a?[31mb?1\n", err)
    end)

    it("prints no more than a call may", function()
      local _, _, err = run_cli('for _ = 1, 1000 do print(("x"):rep(1000)) end')
      assert.is_true(#err > 60000 and #err < 100000)
    end)
  end)

  it("takes JSON and gives JSON", function()
    assert.same({ a = 1, b = { "x" } }, call("return { a = (...), b = { 'x' } }", nil, 1))
    assert.is_nil(call "")
    assert.equal(3, call("return select('#', ...)", nil, 1, core.json.null, 3))
  end)

  it("keeps its object from call to call", function()
    local box <close> = open "self.n = (self.n or 0) + 1 return self.n"
    assert.equal(1, box:call("run", {}))
    assert.equal(2, box:call("run", {}))
  end)

  it("reads what is named among the arguments: manifest, layers, config, tags, blobs and archives", function()
    local ref = LAYOUT
    assert.same({ "1.0.0-0" }, call("return self:get_tags(...)", { references = { ref } }, ref))
    local found = call([[
      local c = self:get_container(...)
      local manifest = self:get_manifest(c)
      local layer = manifest.layers[1]
      local whole, sum = self:get_blob(c, layer).content, {}
      for chunk in self:get_blob(c, layer, { stream = true }):chunks() do sum[#sum + 1] = chunk end
      return {
        digest = manifest:descriptor().digest, same = oras.digest.of(manifest:raw()) == manifest:descriptor().digest,
        resolved = self:resolve(c).digest, exists = self:blob_exists(c, layer),
        absent = self:blob_exists(c, "sha256:" .. ("0"):rep(64)),
        streamed = table.concat(sum) == whole, size = #whole == layer.size,
        first = self:get_blob(c, layer, { range = { 0, 1 } }).content == whole:sub(1, 2),
        members = #oras.archive.list { data = whole },
        base = oras.json.encode(oras.oci.NewManifest()) ~= "",
      }
    ]], { references = { ref } }, ref)
    assert.equal(found.digest, found.resolved)
    for _, name in ipairs { "same", "exists", "streamed", "size", "first", "base" } do
      assert.is_true(found[name], name)
    end
    assert.is_false(found.absent)
    assert.is_true(found.members > 0)
  end)

  it("reads a file that the user has named, and no other", function()
    local path = helper.write(helper.directory() .. "/a.txt", "hello")
    local packed = oras.archive.pack(path, helper.directory() .. "/a.tar.gz").path
    local body = "for e in oras.archive.entries((...)) do return e.path .. e:read() end"
    assert.equal("a.txthello", call(body, { files = { packed } }, packed))
    fails("sandbox", "refuses the file", body, { files = { path } }, packed)
  end)

  it("gets errors of the world as they are", function()
    local err = fails("not_found", "does not exist", "return self:get_manifest(...)",
      { references = { "oci:/nonexistent/x:1" } }, "oci:/nonexistent/x:1")
    assert.not_equal("sandbox", err.class)
    assert.equal("not_found", call([[
      local _, err = oras.try(self.get_manifest, self, (...))
      return err.class
    ]], { references = { LAYOUT } }, (LAYOUT:gsub("1.0.0", "9.9.9"))))
  end)

  it("is told that something of a server's is no text", function()
    fails("script", "boom", "error 'boom'")
    fails("usage", "takes 0 arguments", "", { text = [[
      local P = require("oras").Registry:extend "P"
      function P:run() end
      return P
    ]] }, 1)
    fails("content", "expected a class", "", { text = "return 1" })
    fails("script", "unexpected symbol", "", { text = "?" })
    fails("not_found", "no method", "", { text = 'return require("oras").Registry:extend "P"' })
  end)

  describe("from a registry", function()
    local host, ref, made

    before_each(function()
      faults.reset()
      host = faults.host "http"
      made = faults.seed { repo = "t/app", tag = "1", layers = { { data = "hello" } } }
      faults.seed { repo = "t/other", tag = "1", layers = { { data = "x" } } }
      faults.seed { repo = "t/apple", tag = "1", layers = { { data = "x" } } }
      ref = host .. "/t/app:1"
    end)

    local function count()
      return faults.count({}).total
    end

    it("reads what was named", function()
      local given = { references = { ref } }
      assert.equal(made.digest, call("return self:get_manifest(...):descriptor().digest", given, ref))
      assert.equal("hello", call([[
        local m = self:get_manifest(...)
        return self:get_blob((...), m.layers[1]).content
      ]], { references = { ref } }, ref))
      assert.same({}, call("return self:referrers(...)", { references = { ref } }, ref))
    end)

    it("S14 asks no other host and no other repository; each refusal is a line in the log", function()
      local before = count()
      for _, other in ipairs { host .. "/t/other:1", host .. "/t/apple:1", "other.test/t/app:1", "oci:/etc:1" } do
        fails("sandbox", "refuses", ("return self:get_manifest '%s'"):format(other), { references = { ref } }, ref)
        local status, _, err = run_cli(("return self:get_manifest '%s'"):format(other), ref)
        assert.equal(1, status)
        assert.matches("oras%-lua: sandbox: refused '" .. other:gsub(":1$", ""):gsub("%p", "%%%0"), err)
      end
      assert.equal(before, count())
    end)

    it("reads where hosts and prefixes of repositories allow it", function()
      local function get(name, opts)
        return oras.try(call, ("return self:get_manifest('%s/%s').schemaVersion"):format(host, name), opts)
      end
      assert.equal(2, get("t/other:1", { hosts = { host } }))
      assert.equal(2, get("t/app:1", { hosts = { host }, repositories = { "t/app" } }))
      assert.equal(2, get("t/app:1", { hosts = { host }, repositories = { "t/" } }))
      assert.is_nil(get("t/apple:1", { hosts = { host }, repositories = { "t/app" } }))
      assert.is_nil(get("t/app:1", { hosts = { "other.test" } }))
      assert.equal(2, get("t/other:1", { references = { ref }, repositories = { "t/other" } }))
    end)

    it("S14 cannot choose how registries are reached: plain http, proxies, requests of its own", function()
      local before = count()
      for _, body in ipairs {
        "P:new { plain_http = true }", "P:new { proxy = 'http://x' }", "P:new { tls_verify = false }",
        "P:new { config_path = '/etc/passwd' }", "P:new { headers = { a = 'b' } }",
        "P:new { cert = 'a', key = 'b' }", "P:new { resolve = { 'a:1:127.0.0.1' } }",
        "P:new { cache = '/tmp' }",
        ("self:do_request('GET', '%s/v2/')"):format(host), ("self:send { url = 'http://%s/v2/' }"):format(host),
        "self:repositories(...)", "self:pull(...)", "self:push(...)", "self:copy(..., ...)", "self:login 'x'",
        "oras.client.new()", "oras.layout.open '/'", "oras.cron.parse '* * * * *'",
      } do
        fails("sandbox", "refuses", body, { references = { ref } }, ref)
      end
      assert.equal(before, count())
    end)

    it("S15 goes through the validators of servers' data: CRLF, other origins, titles that lead out", function()
      local before = count()
      local given = { references = { ref }, allow = { "push", "delete", "write" } }
      for _, body in ipairs {
        "self:set_basic_auth('a\\r\\nb', 'c')", "self:set_header('X', 'a\\r\\nb')", "self:set_token_auth 'a\\r\\nb'",
        "self:download_blob(..., 'sha256:' .. ('0'):rep(64), '../../evil')",
        "self:download_blob(..., 'sha256:' .. ('0'):rep(64), '/tmp/evil')",
        "self:upload_blob(..., '/etc/passwd')",
      } do
        fails("sandbox", "refuses", body, given, ref)
      end
      for _, body in ipairs {
        "self:get_manifest(..., { accept = 'a/b\\r\\nX-Evil: 1' })", "self:get_manifest('x\\r\\ny/z:1')",
        "self:tag(..., 'a\\r\\nb')", "self:tag(..., '../../v2/evil')", "self:untag(..., 'a/../b')",
        "self:get_blob(..., '../../../evil')", "self:get_tags(..., { last = 'a\\r\\nb' })",
        "self:upload_manifest(..., '{}', { media_type = 'a/b\\r\\nX: 1' })",
      } do
        fails("usage", "", body, given, ref)
      end
      assert.equal(before, count())
    end)

    it("S16 is given no credentials, and what it raises has none", function()
      faults.config { auth = { { repo = "t/", mode = "basic" } } }
      local registry = helper.registry()
      registry:set_basic_auth("alice", "wonder:land")
      local body = [[
        local seen = {}
        local function walk(value, depth)
          if seen[value] or depth > 8 then return end
          if type(value) == "string" then
            seen[#seen + 1] = value
          elseif type(value) == "table" then
            seen[value] = true
            for k, v in next, value do walk(k, depth + 1) walk(v, depth + 1) end
            walk(getmetatable(value), depth + 1)
          end
        end
        local m = self:get_manifest(...)
        walk(self, 0) walk(m, 0) walk(oras, 0) walk(_G, 0)
        error(table.concat(seen, " "):sub(1, 300000):gsub("[^%w:]", "") .. "end")
      ]]
      local given = { references = { ref }, registry = registry }
      local _, err = oras.try(call, body, given, ref)
      assert.equal("script", err.class)
      assert.is_nil(err.message:find("wonder", 1, true))
      assert.is_nil(err.message:find(core.base64.encode "alice:wonder:land", 1, true))
      assert.equal(2, call("return self:get_manifest(...).schemaVersion", given, ref))
      fails("sandbox", "refuses", "return self:get_credentials 'x'", given, ref)
    end)

    it("S14 writes and deletes only what was allowed", function()
      local before = count()
      for body, operation in pairs {
        ["self:upload_blob(..., { data = 'x' })"] = "push", ["self:tag(..., 'x')"] = "push",
        ["self:upload_manifest(..., (self:pack_manifest {}))"] = "push",
        ["self:untag(...)"] = "delete", ["self:delete_tags(..., 'x')"] = "delete",
        ["self:delete_blob(..., 'sha256:' .. ('0'):rep(64))"] = "delete",
        ["self:download_blob(..., 'sha256:' .. ('0'):rep(64), 'x')"] = "write",
      } do
        fails("sandbox", "the operation '" .. operation, body, { references = { ref }, files = { "x" } }, ref)
      end
      assert.equal(before, count())
    end)

    it("pushes where that was allowed", function()
      local digest = call([[
        local c = self:get_container(...)
        local manifest = oras.oci.NewManifest()
        local layer, source = oras.oci.NewLayer({ data = "new" }, "text/plain", { title = "n.txt" })
        self:upload_blob(c, source, layer)
        manifest.layers[1] = layer
        local config, bytes = oras.oci.ManifestConfig()
        self:upload_blob(c, bytes, config)
        manifest.config = config
        return self:upload_manifest(c, manifest).digest
      ]], { references = { ref }, allow = { "push" } }, host .. "/t/app:2")
      local found = helper.registry():get_manifest(host .. "/t/app:2")
      assert.equal(digest, found:descriptor().digest)
      assert.equal("n.txt", found.layers[1].annotations["org.opencontainers.image.title"])
    end)

    it("downloads into a file that was named, where writing was allowed", function()
      local path = helper.directory() .. "/out"
      call("self:download_blob((...), self:get_manifest((...)).layers[1], select(2, ...))",
        { references = { ref }, allow = { "write" }, files = { path } }, ref, path)
      assert.equal("hello", helper.read(path))
    end)
  end)

  local ATTACKS <const> = {
    ["an endless loop"] = "while true do end",
    ["a loop of pcall"] = "while true do pcall(function() while true do end end) end",
    ["a loop of pcall in coroutines"] = "while true do coroutine.wrap(function() while true do end end)() end",
    ["a pattern that never ends"] = "return (('a'):rep(5000):find(('a*'):rep(40) .. 'b'))",
    ["a chain of <close>"] = [[
      local mt = { __close = function() while true do end end }
      local a <close> = setmetatable({}, mt)
      local b <close> = setmetatable({}, mt)
      error "x"
    ]],
    ["a sort that never ends"] = "table.sort({ 1, 2, 3 }, function() while true do end end)",
    ["a tostring that never ends"] = "tostring(setmetatable({}, { __tostring = function() while true do end end }))",
    ["an error's index that never ends"] = [[
      local function never() while true do end end
      error(setmetatable({}, { __index = never, __tostring = never, __name = "oras.Error" }))
    ]],
    ["an iterator that never ends"] = "return function() while true do end end",
  }

  -- What computes for ever is ended by the processor's time, wherever it does: an error's fields are not
  -- computed at all.
  for name, body in pairs(ATTACKS) do
    it("S13 is ended when it is " .. name, function()
      local _, err = oras.try(call, body, { cpu = 0.2 })
      local raised = name:find "error's index"
      assert.equal(raised and "script" or "sandbox", err.class)
      if not raised then
        assert.matches("processor time", err.message)
      end
      assert.equal(1, call "return 1")
    end)
  end

  it("S13 is ended when it takes more memory than it may have", function()
    for _, body in ipairs {
      "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end", "return #('x'):rep(1 << 30)",
      "local t = {} for i = 1, 1e9 do t[i] = coroutine.wrap(function() coroutine.yield() end) t[i]() end",
      "local function f(n) return 1 + f(n + 1) end return f(1)",
      "local function f(s) return s:gsub('.', f) end return f 'x'",
      "local t = {} for i = 1, 1e9 do t = { t } end",
      "local mt = { __len = function() return 1 << 30 end, __index = function() return 'xxxx' end } "
        .. "return table.concat(setmetatable({}, mt))",
    } do
      fails("sandbox", "", body)
    end
    assert.equal(1, call "return 1")
  end)

  it("S13 is ended when it answers with too much, too often or holds too much open", function()
    fails("sandbox", "more than 10000 times", "for _ = 1, 20000 do self:get_container('a.b/c:' .. _) end")
    fails("sandbox", "more than 64", [[
      local all = {}
      for i = 1, 100 do all[i] = self:get_blob((...), self:get_manifest((...)).layers[1], { stream = true }) end
    ]], { references = { LAYOUT } }, LAYOUT)
    local _, err = oras.try(call, "return ('x'):rep(5 << 20)")
    assert.is_not_nil(err)
  end)

  it("S13 is ended when it takes too long, though it computes nothing", function()
    local box <close> = open("while true do self:get_container('a.b/c:' .. math.random(1 << 40)) end", { wall = 0.2 })
    local _, err = oras.try(box.call, box, "run", {})
    assert.equal("sandbox", err.class)
    _, err = oras.try(box.call, box, "run", {})
    assert.equal("sandbox", err.class)
  end)

  it("S13 sets no finalizer: __gc is refused", function()
    fails("sandbox", "refuses a metatable with __gc", "setmetatable({}, { __gc = function() while true do end end })")
    local mt = "local mt = {} local t = setmetatable({}, mt) mt.__gc = function() while true do end end t = nil "
    assert.equal(1, call(mt .. "for _ = 1, 1e5 do local _ = {} end return 1"))
  end)

  it("S14 has no os, io, package, debug, ffi, and loads no compiled code", function()
    for body, what in pairs {
      ["return os.getenv 'HOME'"] = "the global 'os'", ["return io.open '/etc/passwd'"] = "the global 'io'",
      ["return package.path"] = "the global 'package'", ["return debug.getregistry()"] = "the global 'debug'",
      ["return require 'ffi'"] = "require of 'ffi'", ["return require 'oras.core'"] = "require of 'oras.core'",
      ["return dofile '/etc/passwd'"] = "the global 'dofile'",
      ["collectgarbage 'stop'"] = "the global 'collectgarbage'",
      ["return load '\\27Lua'"] = "compiled code", ["return load('return 1', 'x', 'b')"] = "compiled code",
      ["return loadfile '/etc/passwd'"] = "the global 'loadfile'", ["warn '@on'"] = "the global 'warn'",
    } do
      fails("sandbox", "refuses .*" .. what, body)
      local status, _, err = run_cli(body)
      assert.equal(1, status)
      assert.matches("sandbox: refused .*" .. what, err)
    end
    fails("sandbox", "compiled code", "", { text = string.dump(function() end) })
    assert.equal(3, call "return load('return 1 + 2')()")
    assert.is_true(call "return load('return os == nil', 'x', 't', {})()")
  end)

  it("S14 has no way to the metatable of strings, string.dump, coroutine.close, the library's globals", function()
    assert.is_false(call "return getmetatable('')")
    assert.is_true(call "return string.dump == nil and coroutine.close == nil")
    assert.is_false(call "return getmetatable(_G)")
    fails("script", "cannot change a protected metatable", "setmetatable(_G, {})")
  end)

  it("S14 has an environment of nothing, and no descriptor but its socket", function()
    local box <close> = open "return 1"
    assert.equal(1, box:call("run", {}))
    local own = helper.read("/proc/self/stat"):match "^%d+"
    local pid = helper.read(("/proc/%s/task/%s/children"):format(own, own)):match "%d+"
    local environ = helper.read(("/proc/%s/environ"):format(pid))
    assert.equal("", environ)
    assert.equal("0\n", process.sh("ls /proc/%s/fd", pid))
    local status = helper.read(("/proc/%s/status"):format(pid))
    assert.matches("NoNewPrivs:%s+1", status)
    assert.matches("Seccomp:%s+2", status)
    local limits = helper.read(("/proc/%s/limits"):format(pid))
    assert.matches("Max processes%s+0%s+0", limits)
    assert.matches("Max open files%s+1%s+1", limits)
    assert.matches("Max file size%s+0%s+0", limits)
    assert.matches("Max core file size%s+0%s+0", limits)
  end)

  it("leaves no process behind", function()
    local box = open "while true do end"
    box:close()
    box:close()
    local _, err = oras.try(box.call, box, "run", {})
    assert.equal("sandbox", err.class)
  end)

  it("runs beside other tasks, which go on", function()
    local ticks, done = 0, false
    oras.gather(function()
      oras.try(call, "while true do end", { cpu = 0.2 })
      done = true
    end, function()
      while not done do
        core.clock.sleep(0.01)
        ticks = ticks + 1
      end
    end)
    assert.is_true(ticks > 5)
  end)
end)
