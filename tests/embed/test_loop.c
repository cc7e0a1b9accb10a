/* SPDX-License-Identifier: MIT
 * The host's own loop: start, poll, step, result, cancel, free; wake; never_block. A call waits
 * for a clock, or computes. */
#include "host.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>

static const char provider[] =
    "local oras = require 'oras'\n"
    "local core = require 'oras.core'\n"
    "local Waits = oras.Registry:extend 'Waits'\n"
    "closed, late = 0, 0\n"
    "function Waits:echo(value) return value end\n"
    "function Waits:sleep(seconds, value) core.clock.sleep(seconds) return value end\n"
    "function Waits:compute(n) local x = 0 for i = 1, n do x = x + i end return x end\n"
    "function Waits:spin() while true do end end\n"
    "function Waits:stubborn() while true do pcall(core.clock.sleep, 3600) end end\n"
    "function Waits:holding()\n"
    "  local guard <close> = setmetatable({}, { __close = function() closed = closed + 1 end })\n"
    "  core.clock.sleep(3600)\n"
    "end\n"
    "function Waits:family()\n"
    "  oras.spawn(function() core.clock.sleep(0.3) late = late + 1 end)\n"
    "  while true do pcall(core.clock.sleep, 3600) end\n"
    "end\n"
    "function Waits:fails() oras.Registry.get_container(self, 'no good') end\n"
    "function Waits:raises() error('plain words', 0) end\n"
    "function Waits:sorted()\n"
    "  local t = { 2, 1 }\n"
    "  table.sort(t, function(a, b) core.clock.sleep(0.01) return a < b end)\n"
    "  return t\n"
    "end\n"
    "function Waits:counts() return { closed = closed, late = late } end\n"
    "return Waits\n";

static oras_runtime *rt;

static int make_runtime(void **state)
{
    (void)state;
    write_script("echo.lua", provider);
    rt = new_runtime();
    return 0;
}

static int free_runtime(void **state)
{
    (void)state;
    oras_runtime_free(rt);
    rt = NULL;
    return 0;
}

static oras_call *start(const char *method, const char *args)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call = NULL;

    if (oras_call_start(rt, "echo", method, args, &call, &err))
        fail_msg("%s: %s", method, err.message);
    assert_non_null(call);
    assert_false(oras_call_done(call));
    return call;
}

static int step(void)
{
    oras_error err = ORAS_ERROR_INIT;
    int pending = -1;

    if (oras_step(rt, &pending, &err))
        fail_msg("%s", err.message);
    return pending;
}

/* One turn of a host's loop. */
static int turn(void)
{
    struct pollfd p = {oras_pollfd(rt), POLLIN, 0};

    poll(&p, 1, oras_timeout_ms(rt));
    return step();
}

static void finish(const oras_call *call)
{
    while (!oras_call_done(call))
        turn();
}

static void gives(oras_call *call, const char *expected)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    finish(call);
    if (oras_call_result(call, &json, &err))
        fail_msg("%s", err.message);
    assert_string_equal(json, expected);
    oras_free(json);
    oras_call_free(call);
}

static void ends(oras_call *call, oras_code code, const char *class_name)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = "untouched";

    finish(call);
    assert_int_equal(oras_call_result(call, &json, &err), code);
    assert_int_equal(err.code, code);
    assert_string_equal(err.class_name, class_name);
    assert_string_equal(json, "untouched");
    oras_call_free(call);
}

static void test_a_call_goes_on_by_steps(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call = start("sleep", "[0.02, {\"a\": [1, []]}]");
    char *json = NULL;

    (void)state;
    assert_int_equal(oras_call_result(call, &json, &err), ORAS_EINVALID);
    assert_null(json);
    assert_int_equal(oras_timeout_ms(rt), 0);
    finish(call);
    assert_int_equal(oras_call_result(call, NULL, &err), ORAS_EINVALID);
    assert_non_null(strstr(err.message, "place for the result"));
    assert_int_equal(oras_call_result(call, &json, NULL), ORAS_OK);
    assert_string_equal(json, "{\"a\":[1,[]]}");
    oras_free(json);
    json = NULL;
    assert_int_equal(oras_call_result(call, &json, NULL), ORAS_EINVALID);
    oras_call_free(call);
    oras_call_free(NULL);
}

static void test_an_idle_runtime_asks_for_nothing(void **state)
{
    struct pollfd p = {oras_pollfd(rt), POLLIN, 0};

    (void)state;
    gives(start("sleep", "[0.001, 1]"), "1");
    step();
    assert_int_equal(step(), 0);
    assert_int_equal(oras_timeout_ms(rt), -1);
    assert_int_equal(poll(&p, 1, 20), 0);
    assert_int_equal(oras_pollfd(rt), p.fd);
}

static void test_a_waiting_runtime_does_not_spin(void **state)
{
    oras_call *call = start("sleep", "[0.2, 1]");
    int turns = 0;

    (void)state;
    for (; !oras_call_done(call); turns++)
        turn();
    assert_in_range(turns, 1, 20);
    gives(call, "1");
}

static void test_many_at_once(void **state)
{
    oras_call *calls[100];
    char args[32], expected[16];
    struct timespec before, after;
    int pending = 100;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 100; i++) {
        snprintf(args, sizeof args, "[0.1, %d]", i);
        calls[i] = start("sleep", args);
    }
    while (pending > 0) {
        int left = turn();

        assert_true(left <= pending);
        pending = left;
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec < 5); /* one after the other it would be 10 s */
    for (int i = 0; i < 100; i++) {
        assert_true(oras_call_done(calls[i]));
        snprintf(expected, sizeof expected, "%d", i);
        gives(calls[i], expected);
    }
}

static void test_failures_are_the_calls_own(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call = NULL;

    (void)state;
    ends(start("fails", NULL), ORAS_EINVALID, "usage");
    ends(start("raises", NULL), ORAS_ESCRIPT, "script");
    ends(start("absent", NULL), ORAS_ENOTFOUND, "not_found");
    ends(start("echo", "{"), ORAS_EINVALID, "usage");
    assert_int_equal(oras_call_start(rt, NULL, "echo", NULL, &call, &err), ORAS_EINVALID);
    assert_null(call);
    assert_int_equal(oras_call_start(rt, "nobody", "echo", NULL, &call, &err), ORAS_OK);
    ends(call, ORAS_ENOTFOUND, "not_found");
    gives(start("echo", "[\"still there\"]"), "\"still there\"");
}

/* Each runs between two waits as if it were alone, however long that takes. */
static void test_computing_gives_the_turn_back(void **state)
{
    oras_call *call = start("compute", "[20000000]");
    int turns = 0;

    (void)state;
    for (; !oras_call_done(call); turns++)
        turn();
    assert_true(turns > 3);
    gives(call, "200000010000000");
}

static void cancelled(const char *method)
{
    oras_call *call = start(method, NULL);

    for (int i = 0; i < 3; i++)
        step();
    oras_call_cancel(call);
    oras_call_cancel(call);
    assert_false(oras_call_done(call));
    ends(call, ORAS_ECANCELED, "cancelled");
    gives(start("echo", "[1]"), "1");
}

static void test_cancel(void **state)
{
    oras_call *call = start("echo", "[2]");

    (void)state;
    cancelled("holding");
    cancelled("spin");
    cancelled("stubborn");
    cancelled("family");
    gives(start("sleep", "[0.4, 1]"), "1");
    gives(start("counts", NULL), "{\"closed\":1,\"late\":0}");
    oras_call_cancel(call); /* done: nothing to cancel */
    gives(call, "2");
    call = start("echo", "[3]");
    oras_call_cancel(call); /* before its first step */
    ends(call, ORAS_ECANCELED, "cancelled");
}

static void test_free_cancels(void **state)
{
    oras_call *call = start("family", NULL);

    (void)state;
    oras_call_free(start("holding", NULL)); /* never begun */
    turn();
    oras_call_free(call);
    assert_int_equal(step(), 0);
    gives(start("sleep", "[0.4, 1]"), "1");
    gives(start("counts", NULL), "{\"closed\":0,\"late\":0}");
}

static void test_runtime_free_ends_calls(void **state)
{
    oras_call *done = start("echo", "[1]");
    char *json = NULL;

    (void)state;
    finish(done);
    start("stubborn", NULL);
    start("sleep", "[3600]");
    turn();
    oras_runtime_free(rt);
    rt = NULL;
    assert_true(oras_call_done(done));
    assert_int_equal(oras_call_result(done, &json, NULL), ORAS_OK);
    oras_free(json);
    oras_call_free(done);
}

static void *wake(void *unused)
{
    (void)unused;
    oras_wake(rt);
    return NULL;
}

static void test_wake_from_another_thread(void **state)
{
    struct pollfd p = {oras_pollfd(rt), POLLIN, 0};
    pthread_t thread;

    (void)state;
    assert_int_equal(poll(&p, 1, 0), 0);
    assert_int_equal(pthread_create(&thread, NULL, wake, NULL), 0);
    assert_int_equal(poll(&p, 1, 10000), 1);
    pthread_join(thread, NULL);
    assert_int_equal(oras_step(rt, NULL, NULL), ORAS_OK);
    assert_int_equal(poll(&p, 1, 0), 0);
}

static void test_blocking_calls_beside_started_ones(void **state)
{
    oras_call *call = start("sleep", "[0.05, \"a\"]");
    char *json = NULL;

    (void)state;
    turn();
    assert_int_equal(oras_call_json(rt, "echo", "sleep", "[0.01, \"b\"]", &json, NULL), ORAS_OK);
    assert_string_equal(json, "\"b\"");
    oras_free(json);
    gives(call, "\"a\"");
}

static void test_never_block(void **state)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    (void)state;
    oras_runtime_free(rt);
    opts.provider_path = folder;
    opts.never_block = 1;
    assert_int_equal(oras_runtime_new(&opts, &rt, NULL), ORAS_OK);
    assert_int_equal(oras_call_json(rt, "echo", "echo", "[1]", &json, &err), ORAS_OK);
    oras_free(json);
    json = NULL;
    assert_int_equal(oras_call_json(rt, "echo", "sleep", "[0.01]", &json, &err), ORAS_EBLOCK);
    assert_string_equal(err.class_name, "block");
    assert_null(json);
    ends(start("sorted", NULL), ORAS_EBLOCK, "block");
    gives(start("sleep", "[0.01, 5]"), "5");
}

typedef struct inside {
    oras_call *call;
    oras_code step, start;
    int calls, enough;
} inside;

static int from_a_callback(void *ud, const oras_progress *progress)
{
    inside *in = ud;
    oras_call *call = NULL;

    (void)progress;
    in->calls++;
    in->step = oras_step(rt, NULL, NULL);
    in->start = oras_call_start(rt, "echo", "echo", NULL, &call, NULL);
    oras_call_free(in->call);
    in->call = NULL;
    return in->enough;
}

static void test_callbacks_cannot_step_and_may_free(void **state)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    inside in = {.step = ORAS_OK};
    int pending = 1;

    (void)state;
    oras_runtime_free(rt);
    opts.provider_path = folder;
    opts.progress = from_a_callback;
    opts.ud = &in;
    assert_int_equal(oras_runtime_new(&opts, &rt, NULL), ORAS_OK);
    in.call = start("sleep", "[3600]");
    while (pending > 0)
        pending = turn();
    assert_true(in.calls > 0);
    assert_int_equal(in.step, ORAS_EINVALID);
    assert_int_equal(in.start, ORAS_EINVALID);
    gives(start("echo", "[1]"), "1");
}

static void test_progress_ends_all_calls(void **state)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    inside in = {.enough = 1};
    oras_call *one, *other;

    (void)state;
    oras_runtime_free(rt);
    opts.provider_path = folder;
    opts.progress = from_a_callback;
    opts.ud = &in;
    assert_int_equal(oras_runtime_new(&opts, &rt, NULL), ORAS_OK);
    one = start("sleep", "[3600]");
    other = start("stubborn", NULL);
    ends(one, ORAS_ECANCELED, "cancelled");
    ends(other, ORAS_ECANCELED, "cancelled");
    in.enough = 0;
    gives(start("sleep", "[0.15, 1]"), "1");
}

#define IN_RUNTIME(test) cmocka_unit_test_setup_teardown(test, make_runtime, free_runtime)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_RUNTIME(test_a_call_goes_on_by_steps),
        IN_RUNTIME(test_an_idle_runtime_asks_for_nothing),
        IN_RUNTIME(test_a_waiting_runtime_does_not_spin),
        IN_RUNTIME(test_many_at_once),
        IN_RUNTIME(test_failures_are_the_calls_own),
        IN_RUNTIME(test_computing_gives_the_turn_back),
        IN_RUNTIME(test_cancel),
        IN_RUNTIME(test_free_cancels),
        IN_RUNTIME(test_runtime_free_ends_calls),
        IN_RUNTIME(test_wake_from_another_thread),
        IN_RUNTIME(test_blocking_calls_beside_started_ones),
        IN_RUNTIME(test_never_block),
        IN_RUNTIME(test_callbacks_cannot_step_and_may_free),
        IN_RUNTIME(test_progress_ends_all_calls),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
