/* SPDX-License-Identifier: MIT
 * Classes, protected calls and tasks of a host that speaks Lua; interrupts where it waits and
 * where its tasks compute. */
#include "lua_host.h"

#include <pthread.h>
#include <time.h>

static void test_load_pushes_the_class(void **state)
{
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_int_equal(oras_lua_load(rt, "conda", &err), ORAS_OK);
    assert_int_equal(lua_gettop(host), 1);
    lua_setglobal(host, "Conda");
    run_in(host, "assert(require 'oras'.Registry ~= Conda)\n"
                 "assert(Conda:new():inspect '" LAYOUT ":1.0.0-0')");
    assert_int_equal(oras_lua_load(rt, write_script("echo.lua", "return 7"), &err), ORAS_EINVALID);
    assert_int_equal(oras_lua_load(rt, "conga", &err), ORAS_ENOTFOUND);
    assert_string_equal(err.message, "no such provider: 'conga' (conda?)");
    assert_int_equal(oras_lua_load(rt, write_script("bad.lua", "\nreturn +"), NULL), ORAS_ESCRIPT);
    assert_int_equal(lua_gettop(host), 0);
}

static void test_pcall_is_as_luas(void **state)
{
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    lua_pushliteral(host, "below");
    push_function(host, "return ...");
    lua_pushinteger(host, 1);
    lua_pushinteger(host, 2);
    assert_int_equal(oras_lua_pcall(rt, 2, LUA_MULTRET, &err), ORAS_OK);
    assert_int_equal(lua_gettop(host), 3);
    assert_int_equal(lua_tointeger(host, -1), 2);
    lua_settop(host, 1);
    push_function(host, "return 1");
    assert_int_equal(oras_lua_pcall(rt, 0, 3, &err), ORAS_OK);
    assert_int_equal(lua_gettop(host), 4);
    lua_settop(host, 1);
    push_function(host, "error('plain words', 0)");
    lua_pushinteger(host, 1);
    assert_int_equal(oras_lua_pcall(rt, 1, LUA_MULTRET, &err), ORAS_ESCRIPT);
    assert_string_equal(err.message, "plain words");
    push_function(host, "require 'oras'.Registry:new():get_manifest '" LAYOUT ":absent'");
    assert_int_equal(oras_lua_pcall(rt, 0, 1, &err), ORAS_ENOTFOUND);
    assert_string_equal(err.class_name, "not_found");
    assert_int_equal(lua_gettop(host), 1);
    assert_string_equal(lua_tostring(host, 1), "below");
}

static oras_call *spawn(const char *text, int argument)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call = NULL;

    push_function(host, text);
    lua_pushinteger(host, argument);
    if (oras_lua_spawn(rt, 1, &call, &err))
        fail_msg("%s", err.message);
    return call;
}

static void test_spawned_functions_are_tasks(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    lua_State *co = lua_newthread(host);
    oras_call *slow = spawn("require 'oras.core'.clock.sleep(0.03) return ..., { a = 1 }, nil", 7);
    oras_call *quick = spawn("return require 'oras.core'.task.running(), ...", 8);
    oras_call *failed = spawn("error { code = 1 }", 9);
    char *json = NULL;

    (void)state;
    assert_int_equal(oras_call_done(quick), 0);
    assert_int_equal(oras_lua_results(quick, host), 0);
    assert_int_equal(oras_call_result(quick, NULL, &err), ORAS_EINVALID);
    finish(quick);
    assert_int_equal(oras_call_done(slow), 0);
    finish(slow);
    finish(failed);
    assert_int_equal(oras_lua_results(quick, co), 2);
    assert_true(lua_toboolean(co, 1));
    assert_int_equal(lua_tointeger(co, 2), 8);
    assert_int_equal(oras_lua_results(slow, host), 3);
    assert_int_equal(oras_lua_results(slow, host), 3);
    assert_true(lua_istable(host, -2));
    assert_int_equal(lua_gettop(host), 7);
    assert_int_equal(oras_call_result(slow, NULL, &err), ORAS_OK);
    assert_int_equal(oras_call_result(slow, &json, &err), ORAS_OK);
    assert_string_equal(json, "7");
    oras_free(json);
    assert_int_equal(oras_call_result(failed, NULL, &err), ORAS_ESCRIPT);
    assert_int_equal(oras_lua_results(failed, host), 0);
    oras_call_free(slow);
    oras_call_free(quick);
    oras_call_free(failed);
}

static void test_what_is_no_json_stays_luas(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call = spawn("return print", 0);
    char *json = NULL;

    (void)state;
    finish(call);
    assert_int_equal(oras_call_result(call, NULL, &err), ORAS_OK);
    assert_int_not_equal(oras_call_result(call, &json, &err), ORAS_OK);
    assert_null(json);
    assert_int_equal(oras_lua_results(call, host), 1);
    assert_true(lua_isfunction(host, -1));
    oras_call_free(call);
}

static void test_tasks_beside_each_other_in_steps(void **state)
{
    oras_call *calls[8];

    (void)state;
    run_in(host, "order = {}");
    for (int i = 0; i < 8; i++)
        calls[i] = spawn("local n = ... require 'oras.core'.clock.sleep(0.01 * (8 - n))\n"
                         "order[#order + 1] = n",
                         i);
    for (int i = 0; i < 8; i++) {
        finish(calls[i]);
        oras_call_free(calls[i]);
    }
    run_in(host, "assert(order[1] == 7 and order[8] == 0 and #order == 8)");
}

/* --- interrupts ----------------------------------------------------------------------------- */

static void test_cancel_stops_a_task_that_computes(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call = spawn("while true do end", 0);

    (void)state;
    assert_int_equal(oras_step(rt, NULL, &err), ORAS_OK);
    assert_null(lua_gethook(host));
    oras_call_cancel(call);
    finish(call);
    assert_int_equal(oras_call_result(call, NULL, &err), ORAS_ECANCELED);
    oras_call_free(call);
}

static int enough(void *ud, const oras_progress *progress)
{
    (void)progress;
    return ++*(int *)ud >= 2;
}

static void test_progress_stops_what_the_host_runs_itself(void **state)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;
    int n = 0;

    (void)state;
    oras_runtime_free(rt);
    opts.progress = enough;
    opts.ud = &n;
    assert_int_equal(oras_lua_attach(host, &opts, &rt, &err), ORAS_OK);
    run_in(host, "local core = require 'oras.core'\n"
                 "local ok, err = pcall(core.clock.sleep, 3600)\n"
                 "assert(not ok and err.class == 'cancelled')\n"
                 "core.clock.sleep(0.001)"); /* the next one is not stopped */
    n = 0;
    push_function(host, "pcall(require 'oras.core'.clock.sleep, 3600)\n"
                        "require 'oras.core'.clock.sleep(3600)");
    assert_int_equal(oras_lua_pcall(rt, 0, 0, &err), ORAS_ECANCELED);
    n = -1000;
    run_in(host, "require 'oras.core'.clock.sleep(0.001)");
}

static void *interrupt(void *ud)
{
    const struct timespec pause = {0, 2000000};

    for (int *stop = ud; !__atomic_load_n(stop, __ATOMIC_ACQUIRE);) {
        oras_interrupt(rt);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void test_other_threads_interrupt(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    pthread_t thread;
    int stop = 0;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, interrupt, &stop), 0);
    run_in(host, "local ok, err = pcall(require 'oras.core'.clock.sleep, 3600)\n"
                 "assert(not ok and err.class == 'cancelled')");
    push_function(host, "require 'oras.core'.clock.sleep(3600)");
    assert_int_equal(oras_lua_pcall(rt, 0, 0, &err), ORAS_ECANCELED);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    run_in(host, "require 'oras.core'.clock.sleep(0.001)");
}

static void test_never_block(void **state)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call;

    (void)state;
    oras_runtime_free(rt);
    opts.never_block = 1;
    assert_int_equal(oras_lua_attach(host, &opts, &rt, &err), ORAS_OK);
    push_function(host, "require 'oras.core'.clock.sleep(3600)");
    assert_int_equal(oras_lua_pcall(rt, 0, 0, &err), ORAS_EBLOCK);
    call = spawn("require 'oras.core'.clock.sleep(0.01) return ...", 3);
    finish(call);
    assert_int_equal(oras_lua_results(call, host), 1);
    oras_call_free(call);
}

int main(void)
{
#define HOST(test) cmocka_unit_test_setup_teardown(test, open_host, close_host)
    const struct CMUnitTest tests[] = {
        HOST(test_load_pushes_the_class),
        HOST(test_pcall_is_as_luas),
        HOST(test_spawned_functions_are_tasks),
        HOST(test_what_is_no_json_stays_luas),
        HOST(test_tasks_beside_each_other_in_steps),
        HOST(test_cancel_stops_a_task_that_computes),
        HOST(test_progress_stops_what_the_host_runs_itself),
        HOST(test_other_threads_interrupt),
        HOST(test_never_block),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
