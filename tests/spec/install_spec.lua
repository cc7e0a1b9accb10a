--- What `cmake --install` put into a prefix, used as a newcomer would: from anywhere, by plain
--- Lua, by C programs with pkg-config.
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local quote, shell = process.quote, process.shell
local LAYOUT <const> = "oci:examples/layout:1.0.0-0"

describe("an installed prefix", function()
  local prefix, dir

  -- The prefix is moved, too: nothing in it may know where it was built.
  setup(function()
    local made = os.getenv "ORAS_TEST_PREFIX"
    if made and helper.read(made .. "/bin/oras-lua") then
      dir = os.tmpname()
      os.remove(dir)
      prefix = dir .. "/moved"
      assert(os.execute(("mkdir -p '%s' && cp -a '%s' '%s'"):format(dir, made, prefix)))
    end
  end)

  teardown(function()
    if dir then
      os.execute(("rm -rf '%s'"):format(dir))
    end
  end)

  local function lua54(words)
    local env = ("LUA_PATH='P/share/lua/5.4/?.lua;P/share/lua/5.4/?/init.lua' LUA_CPATH='P/lib/lua/5.4/?.so' ")
      :gsub("P/", prefix .. "/")
    return shell(env .. "lua5.4 " .. words)
  end

  local function installed(name, test)
    it(name, function()
      if not prefix then
        return pending "no installed prefix (scripts/test makes it)"
      end
      test()
    end)
  end

  installed("runs a script from oras-lua and from plain lua5.4 with the same output", function()
    local status, out, err = shell(quote(prefix .. "/bin/oras-lua") .. " examples/inspect.lua")
    assert.same({ 0, "" }, { status, err })
    assert.truthy(out:find("greeting", 1, true))
    assert.same({ 0, out, "" }, { lua54 "examples/inspect.lua" })
  end)

  installed("knows the started script under plain lua5.4, too", function()
    local loaded = helper.write(dir .. "/loaded.lua", "return require 'oras'.is_main()")
    local main = helper.write(dir .. "/main.lua",
      ("print(require 'oras'.is_main(), dofile(%q))"):format(loaded))

    assert.same({ 0, "true\tfalse\n", "" }, { lua54(quote(main)) })
    assert.same({ 0, "true\n", "" }, { lua54 "-e \"print(require 'oras'.is_main())\"" })
  end)

  installed("has manual pages and completions", function()
    for _, path in ipairs {
      "man/man1/oras-lua.1", "man/man1/oras-lua-manifest-fetch.1", "bash-completion/completions/oras-lua",
      "zsh/site-functions/_oras-lua", "fish/vendor_completions.d/oras-lua.fish",
    } do
      assert.is_true(#(helper.read(prefix .. "/share/" .. path) or "") > 500, path)
    end
  end)

  installed("ends plain lua5.4 with 1 and the error's line", function()
    local status, out, err = lua54 "-e \"require 'oras'.Registry:new():get_manifest 'oci:absent:tag'\""

    assert.same({ 1, "" }, { status, out })
    assert.truthy(err:find("not_found: ", 1, true))
  end)

  installed("finds providers that were added to it", function()
    helper.write(prefix .. "/share/oras/providers/added.lua", [[
      local Added = require "oras".Registry:extend "Added"
      function Added:twice(text) return { text, text } end
      return Added]])
    local status, out = shell(quote(prefix .. "/bin/oras-lua") .. " added twice x")

    assert.equal(0, status)
    assert.equal("[\n  \"x\",\n  \"x\"\n]\n", out)
  end)

  installed("builds a C host with pkg-config alone, shared and static", function()
    local config = ("PKG_CONFIG_PATH='%s/lib/pkgconfig' pkg-config"):format(prefix)
    local cc = "cc -Wall -Wextra -pedantic -Werror -o '%s/%s' examples/embed/call.c $(%s --cflags oras) %s"
    local all = ("'%s/lib/liboras.a' $(%s --static --libs oras | sed 's/-loras //')"):format(prefix, config)

    assert.same({ 0, "", "" }, { shell(cc:format(dir, "shared", config, ("$(%s --libs oras)"):format(config))) })
    assert.same({ 0, "", "" }, { shell(cc:format(dir, "static", config, all)) })
    local with_lua = cc:gsub("call%.c", "state.c"):gsub("cflags oras", "cflags oras lua5.4")
    assert.same({ 0, "", "" },
      { shell(with_lua:format(dir, "state", config, ("$(%s --libs oras lua5.4)"):format(config))) })
    local _, expected = shell(("%s -e %s"):format(quote(prefix .. "/bin/oras-lua"), quote(
      "print((require 'oras'.json.encode(dofile 'providers/conda.lua':new():inspect '" .. LAYOUT .. "')))")))
    assert.same({ 0, expected, "" },
      { shell(("LD_LIBRARY_PATH='%s/lib' '%s/shared' %s"):format(prefix, dir, LAYOUT)) })
    assert.same({ 0, expected, "" }, { shell(("'%s/static' %s"):format(dir, LAYOUT)) })
  end)

  installed("builds hosts with functions and streams with pkg-config alone", function()
    local flags = ("$(PKG_CONFIG_PATH='%s/lib/pkgconfig' pkg-config --cflags --libs oras)"):format(prefix)
    for _, name in ipairs { "functions", "stream" } do
      local cc = "cc -Wall -Wextra -pedantic -Werror -o '%s/%s' examples/embed/%s.c %s"
      assert.same({ 0, "", "" }, { shell(cc:format(dir, name, name, flags)) })
    end
    local run = ("LD_LIBRARY_PATH='%s/lib' PATH=/usr/bin:/bin '%s/%%s' "):format(prefix, dir)

    local layer = helper.registry():get_manifest(LAYOUT).layers[1]
    local get = run:format "stream" .. ("examples/embed/stream.lua get oci:examples/layout %s | sha256sum")
      :format(layer.digest)
    assert.same({ 0, layer.digest:sub(8) .. "  -\n", "" }, { shell(get) })

    local status, out, err = shell(run:format "functions" .. "examples/embed/functions.lua oci:examples/layout")
    assert.same({ 0, "" }, { status, err })
    assert.truthy(out:find('"1.0.0-0"', 1, true))
    assert.truthy(out:find(('"path":%d'):format(#"/usr/bin:/bin"), 1, true), out)
  end)

  installed("is found by CMake, shared and static", function()
    local project = dir .. "/project"
    assert(os.execute(("mkdir -p '%s'"):format(project)))
    helper.write(project .. "/CMakeLists.txt", [[
      cmake_minimum_required(VERSION 3.25)
      project(host LANGUAGES C)
      find_package(oras 0.1 CONFIG REQUIRED)
      foreach(kind oras oras_static)
        add_executable(with_${kind} ${SOURCE})
        target_link_libraries(with_${kind} PRIVATE oras::${kind})
      endforeach()]])
    local status, out, err = shell(("cmake -S %s -B %s -DCMAKE_PREFIX_PATH=%s -DSOURCE=$PWD/examples/embed/call.c && "
      .. "cmake --build %s"):format(quote(project), quote(project .. "/b"), quote(prefix), quote(project .. "/b")))
    assert.equal(0, status, out .. err)
    for _, kind in ipairs { "oras", "oras_static" } do
      local ok, text = shell(("%s %s"):format(quote(project .. "/b/with_" .. kind), LAYOUT))
      assert.equal(0, ok)
      assert.truthy(text:find("greeting", 1, true))
    end
  end)

  installed("exports what its headers declare and no more", function()
    local _, out = shell(("nm -D --defined-only '%s/lib/liboras.so.0' | awk '{print $3}' | sort"):format(prefix))

    assert.equal("luaopen_oras luaopen_oras_core oras_call_cancel oras_call_done oras_call_free oras_call_json "
      .. "oras_call_result oras_call_start oras_error_set oras_free oras_global_init oras_interrupt oras_lua_attach "
      .. "oras_lua_load oras_lua_pcall oras_lua_results oras_lua_spawn oras_lua_state oras_pollfd oras_register "
      .. "oras_reply_json oras_run_file oras_runtime_free oras_runtime_new oras_step "
      .. "oras_stream_call oras_stream_free oras_stream_new oras_stream_resume oras_stream_start oras_timeout_ms "
      .. "oras_version oras_wake", (out:gsub("\n", " "):gsub(" $", "")))
  end)

  installed("has one library, which is the Lua module, too", function()
    local status, out = shell(("readlink -f '%s/lib/lua/5.4/oras/core.so'"):format(prefix))

    assert.equal(0, status)
    assert.truthy(out:find("/moved/lib/liboras.so.0.1.0\n", 1, true))
    assert.truthy(select(2, shell(("objdump -p '%s/lib/liboras.so' | grep SONAME"):format(prefix)))
      :find("liboras.so.0", 1, true))
  end)
end)
