/* SPDX-License-Identifier: MIT
 * Hosts whose providers nobody trusts (oras_options.sandbox): they live through all of them. */
#include "host.h"

#include <poll.h>

static const char provider[] =
    "local oras = require 'oras'\n"
    "local P = oras.Registry:extend 'P'\n"
    "function P:echo(...) return { n = select('#', ...), first = (...) } end\n"
    "function P:loop() while true do end end\n"
    "function P:memory() local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end end\n"
    "function P:environment() return os.getenv 'HOME' end\n"
    "function P:tag(ref) return self:get_manifest(ref).schemaVersion end\n"
    "function P:other() return self:get_manifest 'oci:/etc:1' end\n"
    "function P:boom() error 'boom' end\n"
    "return P\n";

static char last_line[512];

static void keep_line(void *ud, oras_level level, const char *line)
{
    (void)ud;
    (void)level;
    snprintf(last_line, sizeof last_line, "%s", line);
}

static oras_runtime *new_sandboxed(const char *policy, int never_block)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_runtime *rt = NULL;

    opts.provider_path = folder;
    opts.sandbox = policy;
    opts.never_block = never_block;
    opts.log = keep_line;
    opts.log_level = ORAS_LOG_INFO;
    assert_int_equal(oras_runtime_new(&opts, &rt, NULL), ORAS_OK);
    write_script("echo.lua", provider);
    return rt;
}

static void gives(oras_runtime *rt, const char *method, const char *args, const char *expected)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    if (oras_call_json(rt, "echo", method, args, &json, &err))
        fail_msg("%s: %s", err.class_name, err.message);
    assert_string_equal(json, expected);
    oras_free(json);
}

static void fails(oras_runtime *rt, const char *method, const char *args, const char *class_name)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    assert_int_not_equal(oras_call_json(rt, "echo", method, args, &json, &err), ORAS_OK);
    if (strcmp(err.class_name, class_name) != 0)
        fail_msg("%s: %s", err.class_name, err.message);
    assert_null(json);
}

static void s13_lives_through_it(void **state)
{
    oras_runtime *rt = new_sandboxed("{\"cpu\":0.2}", 0);

    (void)state;
    gives(rt, "echo", "[null,2]", "{\"n\":2}");
    gives(rt, "echo", "[1]", "{\"first\":1,\"n\":1}");
    fails(rt, "loop", NULL, "sandbox");
    fails(rt, "memory", NULL, "sandbox");
    fails(rt, "boom", NULL, "script");
    fails(rt, "nothing", NULL, "not_found");
    gives(rt, "echo", "[]", "{\"n\":0}");
    oras_runtime_free(rt);
}

static void s14_reads_what_is_named(void **state)
{
    oras_runtime *rt = new_sandboxed("{}", 0);

    (void)state;
    gives(rt, "tag", "[\"oci:examples/layout:1.0.0-0\"]", "2");
    fails(rt, "environment", NULL, "sandbox");
    assert_string_equal(last_line, "sandbox: refused the global 'os'");
    fails(rt, "other", "[\"oci:examples/layout:1.0.0-0\"]", "usage"); /* it takes none */
    fails(rt, "other", NULL, "sandbox");
    assert_string_equal(last_line,
                        "sandbox: refused 'oci:/etc', which is not among what was allowed");
    oras_runtime_free(rt);
}

static void policy_is_checked(void **state)
{
    static const char *const policies[] = {"", "[]", "1", "{\"host\":[]}", "{\"allow\":[\"all\"]}"};

    (void)state;
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        oras_runtime *rt = new_sandboxed(policies[i], 0);

        fails(rt, "echo", NULL, "usage");
        oras_runtime_free(rt);
    }
}

/* Several at once, and one that computes for ever, in a loop that nothing holds up. */
static void s13_in_a_loop(void **state)
{
    oras_runtime *rt = new_sandboxed("{\"cpu\":0.2}", 1);
    oras_call *calls[4] = {NULL};
    oras_error err = ORAS_ERROR_INIT;
    int pending = 4;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(oras_call_start(rt, "echo", i ? "echo" : "loop", NULL, &calls[i], NULL),
                         ORAS_OK);
    while (pending) {
        struct pollfd p = {oras_pollfd(rt), POLLIN, 0};

        poll(&p, 1, oras_timeout_ms(rt));
        assert_int_equal(oras_step(rt, &pending, NULL), ORAS_OK);
    }
    for (int i = 0; i < 4; i++) {
        char *json = NULL;

        assert_int_equal(oras_call_result(calls[i], &json, &err), i ? ORAS_OK : ORAS_ESCRIPT);
        oras_free(json);
        oras_call_free(calls[i]);
    }
    assert_string_equal(err.class_name, "sandbox");
    oras_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s13_lives_through_it),
        cmocka_unit_test(s14_reads_what_is_named),
        cmocka_unit_test(policy_is_checked),
        cmocka_unit_test(s13_in_a_loop),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
