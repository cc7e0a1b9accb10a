/* SPDX-License-Identifier: MIT
 * oras_call_json: values that survive, codes, names of providers. */
#include "host.h"

static const char echo[] = "local oras = require 'oras'\n"
                           "local Echo = oras.Registry:extend 'Echoes'\n"
                           "function Echo:echo(v) return v end\n"
                           "function Echo:count(...) return select('#', ...) end\n"
                           "function Echo:nothing() end\n"
                           "function Echo:_hidden() return 1 end\n"
                           "function Echo:raise(v) error(v, 0) end\n"
                           "function Echo:missing() error(setmetatable({class = 'not_found', "
                           "message = 'gone', status = 404, code = 'MANIFEST_UNKNOWN'}, "
                           "oras.Error)) end\n"
                           "function Echo:same() self.n = (self.n or 0) + 1 return self.n end\n"
                           "function Echo:exit() os.exit(0) end\n"
                           "function Echo:fn() return print end\n"
                           "return Echo\n";

static int start(void **state)
{
    write_script("echo.lua", echo);
    *state = new_runtime();
    return 0;
}

static int stop(void **state)
{
    oras_runtime_free(*state);
    return 0;
}

static void gives(oras_runtime *rt, const char *provider, const char *method, const char *args,
                  const char *expected)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    if (oras_call_json(rt, provider, method, args, &json, &err))
        fail_msg("%s(%s): %s", method, args ? args : "", err.message);
    assert_string_equal(json, expected);
    assert_int_equal(err.code, ORAS_OK);
    oras_free(json);
}

static void fails(oras_runtime *rt, const char *provider, const char *method, const char *args,
                  oras_code code, const char *message)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = (char *)"untouched";

    assert_int_equal(oras_call_json(rt, provider, method, args, &json, &err), code);
    assert_int_equal(err.code, code);
    assert_string_equal(json, "untouched");
    if (!strstr(err.message, message))
        fail_msg("'%s' is not in '%s'", message, err.message);
    assert_int_equal(oras_call_json(rt, provider, method, args, &json, NULL), code);
}

static void test_values_survive(void **state)
{
    static const char *const values[] = {
        "9223372036854775807",
        "-9223372036854775808",
        "9007199254740993",
        "0.5",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "\"\"",
        "\"t\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "[null,[],{},[{}],{\"a\":[]}]",
        "{\"z\":1,\"a\":{\"b\":null}}",
        "\"\\n\\\"\"",
    };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char args[256];

        snprintf(args, sizeof args, "[%s]", values[i]);
        gives(*state, "echo", "echo", args, values[i]);
    }
}

static void test_arguments_are_an_array(void **state)
{
    gives(*state, "echo", "count", NULL, "0");
    gives(*state, "echo", "count", "[]", "0");
    gives(*state, "echo", "count", "[1,null,null]", "3");
    gives(*state, "echo", "nothing", NULL, "null");
    fails(*state, "echo", "echo", "", ORAS_EINVALID, "JSON");
    fails(*state, "echo", "echo", "[1", ORAS_EINVALID, "JSON");
    fails(*state, "echo", "echo", "{}", ORAS_EINVALID, "array");
    fails(*state, "echo", "echo", "1", ORAS_EINVALID, "array");
    fails(*state, "echo", "echo", "[{\"a\":1,\"a\":2}]", ORAS_EINVALID, "JSON");
}

static void test_names_find_classes(void **state)
{
    char path[300];

    snprintf(path, sizeof path, "%s/echo.lua", folder);
    gives(*state, path, "echo", "[1]", "1");
    gives(*state, "Echoes", "echo", "[2]", "2");
    gives(*state, "echo", "same", NULL, "1");
    gives(*state, "echo", "same", NULL, "2");
    fails(*state, "absent", "echo", NULL, ORAS_ENOTFOUND, "absent");
    fails(*state, "./absent.lua", "echo", NULL, ORAS_ENOTFOUND, "absent");
    fails(*state, "../echo", "echo", NULL, ORAS_ENOTFOUND, "echo");
    fails(*state, "", "echo", NULL, ORAS_ENOTFOUND, "provider");
    fails(*state, "echo", "ecko", NULL, ORAS_ENOTFOUND, "echo?");
    fails(*state, "echo", "_hidden", NULL, ORAS_ENOTFOUND, "_hidden");
    fails(*state, "echo", "media_types", NULL, ORAS_ENOTFOUND, "media_types");
}

static void test_a_script_names_classes_too(void **state)
{
    write_script("script.lua", "local C = require 'oras'.Registry:extend 'FromScript'\n"
                               "function C:hello() return {greeting = 'hello'} end\n");
    assert_int_equal(oras_run_file(*state, in_folder("script.lua"), 0, NULL, NULL), ORAS_OK);
    gives(*state, "FromScript", "hello", NULL, "{\"greeting\":\"hello\"}");
}

static void test_bad_files_are_named(void **state)
{
    write_script("bad.lua", "\n\nx = = 1");
    write_script("none.lua", "return 1");
    fails(*state, "bad", "echo", NULL, ORAS_ESCRIPT, "bad.lua:3:");
    fails(*state, "none", "echo", NULL, ORAS_EINVALID, "none");
    fails(*state, "echo", "fn", NULL, ORAS_EINVALID, "function");
}

static void test_errors_keep_what_they_say(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    fails(*state, "echo", "raise", "[\"as is\"]", ORAS_ESCRIPT, "as is");
    fails(*state, "echo", "raise", "[{}]", ORAS_ESCRIPT, "table");
    fails(*state, "echo", "exit", NULL, ORAS_ESCRIPT, "os.exit");
    assert_int_equal(oras_call_json(*state, "echo", "missing", NULL, &json, &err), ORAS_ENOTFOUND);
    assert_int_equal(err.http_status, 404);
    assert_string_equal(err.oci_code, "MANIFEST_UNKNOWN");
    assert_string_equal(err.message, "gone");
    gives(*state, "echo", "echo", "[1]", "1");
}

static void test_conda_reads_the_example(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL, *again = NULL;
    const char *args = "[\"oci:examples/layout:1.0.0-0\"]";

    if (oras_call_json(*state, "conda", "inspect", args, &json, &err))
        fail_msg("%s", err.message);
    assert_non_null(strstr(json, "\"digest\":\"sha256:"));
    assert_int_equal(oras_call_json(*state, "conda", "inspect", args, &again, &err), ORAS_OK);
    assert_string_equal(json, again);
    oras_free(json);
    oras_free(again);
    fails(*state, "conda", "inspect", "[\"oci:examples/layout:absent\"]", ORAS_ENOTFOUND, "absent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values_survive, start, stop),
        cmocka_unit_test_setup_teardown(test_arguments_are_an_array, start, stop),
        cmocka_unit_test_setup_teardown(test_names_find_classes, start, stop),
        cmocka_unit_test_setup_teardown(test_a_script_names_classes_too, start, stop),
        cmocka_unit_test_setup_teardown(test_bad_files_are_named, start, stop),
        cmocka_unit_test_setup_teardown(test_errors_keep_what_they_say, start, stop),
        cmocka_unit_test_setup_teardown(test_conda_reads_the_example, start, stop),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
