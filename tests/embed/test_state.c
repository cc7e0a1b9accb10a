/* SPDX-License-Identifier: MIT
 * A runtime in the host's own Lua state: attach, and what the host has stays as it was. */
#include "lua_host.h"

static void test_require_works_after_attach(void **state)
{
    (void)state;
    run_in(host, "local oras = require 'oras'\n"
                 "local client = oras.Registry:new()\n"
                 "assert(client:get_manifest '" LAYOUT ":1.0.0-0')\n"
                 "assert(#client:get_tags '" LAYOUT "' > 0)\n"
                 "assert(require 'cjson'.encode {1} == '[1]' and require 'cjson.safe')\n"
                 "assert(require 'oras.core'.digest.of '')");
}

static void test_attach_twice_is_one_runtime(void **state)
{
    lua_State *co = lua_newthread(host);

    (void)state;
    assert_ptr_equal(attach(host), rt);
    assert_ptr_equal(attach(co), rt);
    assert_ptr_equal(oras_lua_state(rt), host);
    assert_null(oras_lua_state(NULL));
    assert_int_equal(lua_gettop(host), 1);
    assert_int_equal(lua_gettop(co), 0);
}

static int attach_here(lua_State *L)
{
    oras_runtime *again = attach(L);

    lua_pushboolean(L, oras_lua_state(again) == host);
    return 1;
}

static void test_attach_from_a_coroutine_is_the_main_thread(void **state)
{
    (void)state;
    oras_runtime_free(rt);
    lua_register(host, "attach", attach_here);
    run_in(host, "assert(coroutine.wrap(attach)())\n"
                 "collectgarbage()\n"
                 "assert(require 'oras'.Registry:new():get_tags '" LAYOUT "')");
}

static const char snapshot[] =
    "local seen = {}\n"
    "local function walk(path, t)\n"
    "  for k, v in next, t do\n"
    "    local at = path .. '.' .. tostring(k)\n"
    "    seen[at] = v\n"
    "    if type(v) == 'table' and path:len() < 40 and v ~= seen and k ~= '_G' and k ~= 'seen'\n"
    "      and at ~= '_G.package.loaded' and at ~= '_G.package.preload' then walk(at, v) end\n"
    "  end\n"
    "end\n"
    "walk('_G', _G)\n"
    "walk('string', getmetatable('').__index)\n"
    "walk('file', getmetatable(io.stdout))\n"
    "seen.string, seen.out, seen.inp = getmetatable(''), io.output(), io.input()\n"
    "seen.hook = debug.gethook() or false\n"
    "local before = debug.getregistry().before\n"
    "debug.getregistry().before = seen\n"
    "if not before then return end\n"
    "for k, v in pairs(seen) do assert(before[k] == v, 'new or changed: ' .. k) end\n"
    "for k in pairs(before) do assert(seen[k] ~= nil, 'gone: ' .. k) end\n"
    "for _, list in ipairs { package.loaded, package.preload } do\n"
    "  for k in pairs(list) do\n"
    "    assert(k == 'oras' or k:find '^oras%.' or k:find '^cjson' or _G[k] or k == '_G', k)\n"
    "  end\n"
    "end\n";

static void warn_function(void *ud, const char *piece, int goes_on)
{
    (void)ud;
    (void)piece;
    (void)goes_on;
}

static int panic_function(lua_State *L)
{
    (void)L;
    return 0;
}

static void hook_function(lua_State *L, lua_Debug *event)
{
    (void)L;
    (void)event;
}

static const char work[] = "local oras = require 'oras'\n"
                           "assert(oras.Registry:new():get_tags '" LAYOUT "')\n"
                           "local t = oras.spawn(function() return 1 end)\n"
                           "assert(t:wait() == 1)\n";

static void test_what_the_host_has_stays(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    (void)state;
    close_host(state);
    host = luaL_newstate();
    luaL_openlibs(host);
    lua_atpanic(host, panic_function);
    lua_setwarnf(host, warn_function, NULL);
    lua_sethook(host, hook_function, LUA_MASKCOUNT, 1000);
    lua_gc(host, LUA_GCGEN, 0, 0);
    run_in(host, "io.output(io.tmpfile())\npackage.path = 'x/?.lua'\nos.exit = print\n"
                 "string.rep, load, require_was = print, print, require\n");
    run_in(host, snapshot);
    rt = attach(host);
    run_in(host, snapshot);
    run_in(host, work);
    assert_int_equal(
        oras_call_json(rt, "conda", "inspect", "[\"" LAYOUT ":1.0.0-0\"]", &json, &err), ORAS_OK);
    oras_free(json);
    run_in(host, snapshot);
    assert_ptr_equal(lua_gethook(host), hook_function);
    assert_int_equal(lua_gethookcount(host), 1000);
    assert_ptr_equal(lua_atpanic(host, NULL), panic_function);
    assert_int_equal(lua_gc(host, LUA_GCGEN, 0, 0), LUA_GCGEN);
    oras_runtime_free(rt);
    run_in(host, snapshot);
    run_in(host, "for k in pairs(package.loaded) do assert(not k:find '^oras', k) end\n"
                 "for k in pairs(package.preload) do assert(not k:find '^oras', k) end\n");
}

static void test_a_hosts_own_cjson_wins(void **state)
{
    (void)state;
    oras_runtime_free(rt);
    run_in(host, "package.loaded.cjson = nil\n"
                 "package.preload.cjson = nil\n"
                 "table.insert(package.searchers, function(name)\n"
                 "  return name == 'cjson' and function() return { mine = true } end or 'no'\n"
                 "end)\n");
    run_in(host, "package.cpath = ''\n");
    rt = attach(host);
    run_in(host, "assert(require 'cjson'.mine)\n");
}

static void open_library(lua_State *L, const char *name, lua_CFunction open)
{
    luaL_requiref(L, name, open, 1);
    lua_pop(L, 1);
}

static void test_without_io_os_and_debug(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    (void)state;
    close_host(state);
    host = luaL_newstate();
    open_library(host, "_G", luaopen_base);
    open_library(host, "package", luaopen_package);
    open_library(host, "string", luaopen_string);
    open_library(host, "table", luaopen_table);
    write_script("echo.lua", "local E = require 'oras'.Registry:extend 'E'\n"
                             "function E:echo(v) return v end\nreturn E");
    rt = attach(host);
    run_in(host, "assert(not io and not os and not debug and not math and not coroutine)");
    run_in(host, work);
    run_in(host, "local ok, err = pcall(require 'oras'.Registry.new, nil, 1)\n"
                 "assert(not ok)\n");
    assert_int_equal(oras_call_json(rt, "echo", "echo", "[[1]]", &json, &err), ORAS_OK);
    assert_string_equal(json, "[1]");
    oras_free(json);
    run_in(host, "assert(not io and not os and not debug and not math and not coroutine)");
}

static void test_libraries_may_be_opened_after_attach(void **state)
{
    (void)state;
    close_host(state);
    host = luaL_newstate();
    rt = attach(host);
    assert_int_equal(oras_lua_load(rt, "conda", NULL), ORAS_ESCRIPT); /* it has no require */
    luaL_openlibs(host);
    run_in(host, work);
}

static void test_luaopen_alone_is_the_module(void **state)
{
    (void)state;
    close_host(state);
    host = luaL_newstate();
    luaL_openlibs(host);
    luaL_requiref(host, "oras", luaopen_oras, 0);
    assert_true(lua_istable(host, -1));
    lua_settop(host, 0);
    run_in(host, "assert(not oras)");
    run_in(host, work);
    run_in(host, "kept = require 'oras'.Registry:new()\n"
                 "assert(kept:get_tags '" LAYOUT "')");
    rt = attach(host); /* later */
    run_in(host, work);
    run_in(host, "assert(kept:get_tags '" LAYOUT "')");
    oras_runtime_free(rt);
    run_in(host, "assert(not pcall(kept.get_tags, kept, '" LAYOUT "'))");
    luaL_requiref(host, "oras", luaopen_oras, 0);
    lua_settop(host, 0);
    run_in(host, work);
}

static void test_hosts_may_be_strict(void **state)
{
    (void)state;
    run_in(host, "setmetatable(_G, { __index = function(_, k) error('no ' .. k, 2) end,\n"
                 "  __newindex = function(_, k) error('no new ' .. k, 2) end })\n");
    run_in(host, work);
    run_in(host, "for _, n in ipairs { 'table', 'math', 'utf8', 'string', 'type', 'next' } do\n"
                 "  rawset(_G, n, nil) end\n");
    run_in(host, "local Registry = require 'oras'.Registry\n"
                 "assert(Registry:new():get_manifest '" LAYOUT ":1.0.0-0')");
}

static void test_json_calls_and_scripts_work(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    char one[] = "one";
    char *argv[] = {one};
    char *json = NULL;
    const char *path =
        write_script("script.lua", "local oras = require 'oras'\n"
                                   "assert(oras.is_main() and arg[1] == 'one' and ... == 'one')\n"
                                   "assert(rawget(_G, 'arg') == nil)\n"
                                   "oras.Registry:extend 'Named'.twice = function(_, x)\n"
                                   "  return x + x end\n"
                                   "made = 1\n");

    (void)state;
    if (oras_run_file(rt, path, 1, argv, &err))
        fail_msg("%s", err.message);
    run_in(host, "assert(made == 1 and not arg)");
    assert_int_equal(oras_call_json(rt, "Named", "twice", "[21]", &json, &err), ORAS_OK);
    assert_string_equal(json, "42");
    oras_free(json);
    assert_int_equal(oras_run_file(rt, "oras:cli", 0, NULL, &err), ORAS_EINVALID);
    assert_string_equal(err.message, "'oras:cli' needs a runtime of oras_runtime_new");
    assert_int_equal(oras_run_file(rt, "/absent.lua", 0, NULL, &err), ORAS_ENOTFOUND);
    assert_int_equal(lua_gettop(host), 0);
}

static void test_runtimes_of_our_own_have_no_foreign_state(void **state)
{
    oras_runtime *own = new_runtime();
    lua_State *L = oras_lua_state(own);
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    push_function(L, "return require 'oras'.version, os.exit");
    assert_int_equal(oras_lua_pcall(own, 0, 1, &err), ORAS_OK);
    assert_string_equal(lua_tostring(L, -1), oras_version());
    lua_settop(L, 0);
    push_function(L, "os.exit(0)");
    assert_int_equal(oras_lua_pcall(own, 0, 1, &err), ORAS_ESCRIPT);
    assert_int_equal(lua_gettop(L), 0);
    oras_runtime_free(own);
}

static void test_nonsense_is_refused(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *none = NULL;
    oras_call *call = NULL;

    (void)state;
    assert_int_equal(oras_lua_attach(NULL, NULL, &none, &err), ORAS_EINVALID);
    assert_int_equal(oras_lua_attach(host, NULL, NULL, NULL), ORAS_EINVALID);
    assert_int_equal(oras_lua_load(rt, NULL, &err), ORAS_EINVALID);
    assert_int_equal(oras_lua_load(NULL, "conda", &err), ORAS_EINVALID);
    assert_int_equal(oras_lua_pcall(rt, 0, 0, &err), ORAS_EINVALID);
    assert_int_equal(oras_lua_spawn(rt, 0, &call, &err), ORAS_EINVALID);
    lua_pushnil(host);
    assert_int_equal(oras_lua_spawn(rt, 0, NULL, &err), ORAS_EINVALID);
    assert_int_equal(lua_gettop(host), 0);
    assert_int_equal(oras_lua_results(NULL, host), 0);
    assert_null(call);
    assert_null(none);
}

int main(void)
{
#define HOST(test) cmocka_unit_test_setup_teardown(test, open_host, close_host)
    const struct CMUnitTest tests[] = {
        HOST(test_require_works_after_attach),
        HOST(test_attach_twice_is_one_runtime),
        HOST(test_attach_from_a_coroutine_is_the_main_thread),
        HOST(test_what_the_host_has_stays),
        HOST(test_a_hosts_own_cjson_wins),
        HOST(test_without_io_os_and_debug),
        HOST(test_libraries_may_be_opened_after_attach),
        HOST(test_luaopen_alone_is_the_module),
        HOST(test_hosts_may_be_strict),
        HOST(test_json_calls_and_scripts_work),
        HOST(test_runtimes_of_our_own_have_no_foreign_state),
        HOST(test_nonsense_is_refused),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
