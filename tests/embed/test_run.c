/* SPDX-License-Identifier: MIT
 * oras_run_file and the life of a runtime, as a host sees them. */
#include "host.h"

#include <fcntl.h>

static oras_code run(const char *text, oras_error *err)
{
    oras_runtime *rt = new_runtime();
    oras_code code = oras_run_file(rt, write_script("script.lua", text), 0, NULL, err);

    oras_runtime_free(rt);
    return code;
}

static void fails(const char *text, oras_code code, const char *class_name, const char *message)
{
    oras_error err = ORAS_ERROR_INIT;

    assert_int_equal(run(text, &err), code);
    assert_int_equal(err.code, code);
    assert_string_equal(err.class_name, class_name);
    if (!strstr(err.message, message))
        fail_msg("'%s' is not in '%s'", message, err.message);
    assert_null(strchr(err.message, '\n'));
}

static void test_version_is_said(void **state)
{
    (void)state;
    assert_string_equal(oras_version(), "0.1.0");
}

static void test_script_gets_its_arguments(void **state)
{
    char *argv[] = {"one", "t\xc3\xbc", NULL};
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = new_runtime();
    const char *path = write_script(
        "script.lua", "assert(arg[1] == 'one' and arg[2] == 't\xc3\xbc' and #arg == 2)\n"
                      "assert(select('#', ...) == 2 and arg[0]:find 'script.lua$')\n"
                      "assert(require 'oras'.is_main())\n");

    (void)state;
    assert_int_equal(oras_run_file(rt, path, 2, argv, &err), ORAS_OK);
    assert_string_equal(err.message, "");
    oras_runtime_free(rt);
}

static void test_errors_carry_class_and_place(void **state)
{
    (void)state;
    fails("error 'plain'", ORAS_ESCRIPT, "script", "script.lua:1: plain");
    fails("\n\nx = = 1", ORAS_ESCRIPT, "script", "script.lua:3:");
    fails("error {}", ORAS_ESCRIPT, "script", "(error object is a table value)");
    fails("error()", ORAS_ESCRIPT, "script", "(error object is a nil value)");
    fails("error(setmetatable({}, {__tostring = function() return 'me\\nyou' end}))", ORAS_ESCRIPT,
          "script", "me?you");
    fails("error(setmetatable({}, {__tostring = error}))", ORAS_ESCRIPT, "script",
          "(error object is a table value)");
    fails("require 'oras'.Registry:new {hostnam = 'x'}", ORAS_EINVALID, "usage", "hostname?");
}

/* The table of codes: each class arrives with its code, status and OCI code. */
static void test_every_class_has_its_code(void **state)
{
    static const struct {
        const char *name;
        oras_code code;
    } classes[] = {
        {"usage", ORAS_EINVALID},       {"config", ORAS_EINVALID},
        {"path", ORAS_EINVALID},        {"exists", ORAS_EINVALID},
        {"content", ORAS_EINVALID},     {"limit", ORAS_EINVALID},
        {"unsupported", ORAS_EINVALID}, {"not_found", ORAS_ENOTFOUND},
        {"auth", ORAS_EAUTH},           {"denied", ORAS_EAUTH},
        {"helper", ORAS_EAUTH},         {"integrity", ORAS_EDIGEST},
        {"rate", ORAS_EHTTP},           {"server", ORAS_EHTTP},
        {"protocol", ORAS_EHTTP},       {"redirect", ORAS_EHTTP},
        {"network", ORAS_ENETWORK},     {"timeout", ORAS_ENETWORK},
        {"tls", ORAS_ENETWORK},         {"io", ORAS_EIO},
        {"script", ORAS_ESCRIPT},       {"sandbox", ORAS_ESCRIPT},
        {"cancelled", ORAS_ECANCELED},  {"memory", ORAS_ENOMEM},
    };

    (void)state;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        oras_error err = ORAS_ERROR_INIT;
        char text[256];

        snprintf(text, sizeof text,
                 "error(setmetatable({class = '%s', message = 'm', status = 418, code = "
                 "'TEAPOT'}, require 'oras.core'.error))",
                 classes[i].name);
        assert_int_equal(run(text, &err), classes[i].code);
        assert_string_equal(err.class_name, classes[i].name);
        assert_int_equal(err.http_status, 418);
        assert_string_equal(err.oci_code, "TEAPOT");
        assert_string_equal(err.message, "m");
    }
}

static void test_exit_ends_the_script_only(void **state)
{
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_int_equal(run("os.exit(0) error 'unreached'", &err), ORAS_OK);
    assert_int_equal(run("os.exit() error 'unreached'", &err), ORAS_OK);
    assert_string_equal(err.message, "");
    assert_int_equal(run("while true do pcall(os.exit, 7) end", &err), ORAS_ESCRIPT);
    assert_int_equal(err.exit_status, 7);
    assert_int_equal(run("local c = coroutine.wrap(function() while true do pcall(os.exit, false) "
                         "end end) while true do pcall(c) end",
                         &err),
                     ORAS_ESCRIPT);
    assert_int_equal(err.exit_status, 1);
}

static void test_a_runtime_goes_on_after_an_error(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = new_runtime();

    (void)state;
    assert_int_equal(oras_run_file(rt, write_script("script.lua", "os.exit(3)"), 0, NULL, &err),
                     ORAS_ESCRIPT);
    assert_int_equal(oras_run_file(rt, write_script("script.lua", "x = 1"), 0, NULL, NULL),
                     ORAS_OK);
    assert_int_equal(oras_run_file(rt, write_script("script.lua", "assert(x == 1)"), 0, NULL, NULL),
                     ORAS_OK);
    oras_runtime_free(rt);
}

/* S11 */
static void test_s11_scripts_are_text_files(void **state)
{
    static const char bytecode[] = "\x1bLua\x54\x00\x19\x93";
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = new_runtime();

    (void)state;
    assert_int_equal(oras_run_file(rt, in_folder("absent.lua"), 0, NULL, &err), ORAS_ENOTFOUND);
    assert_non_null(strstr(err.message, "absent.lua"));
    assert_int_equal(oras_run_file(rt, "oras:absent", 0, NULL, &err), ORAS_ENOTFOUND);
    assert_int_not_equal(oras_run_file(rt, folder, 0, NULL, &err), ORAS_OK);
    assert_non_null(strstr(err.message, "directory"));
    assert_int_not_equal(
        oras_run_file(rt, write_bytes("script.lua", bytecode, sizeof bytecode - 1), 0, NULL, &err),
        ORAS_OK);
    assert_non_null(strstr(err.message, "bytecode"));
    assert_int_equal(oras_run_file(rt,
                                   write_script("script.lua", "\xEF\xBB\xBF#!/usr/bin/oras-lua\r\n"
                                                              "local x = 1\r\nassert(x == 1)\r\n"),
                                   0, NULL, &err),
                     ORAS_OK);
    oras_runtime_free(rt);
}

/* S12 */
static void test_s12_the_working_directory_gives_no_modules(void **state)
{
    char before[4096];
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    write_script("other.lua", "error 'loaded from the working directory'");
    assert_int_equal(setenv("LUA_PATH", "./?.lua", 1), 0);
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(run("assert(not pcall(require, 'other'))\n"
                         "assert(not package.path:find('./', 1, true) or "
                         "not package.path:find '^%./')",
                         &err),
                     ORAS_OK);
    assert_int_equal(chdir(before), 0);
    unsetenv("LUA_PATH");
}

static void test_an_older_host_gets_defaults(void **state)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_runtime *rt = NULL;

    (void)state;
    opts.size = offsetof(oras_options, user_agent);
    opts.user_agent = (const char *)(uintptr_t)1; /* must not be read */
    assert_int_equal(oras_runtime_new(&opts, &rt, NULL), ORAS_OK);
    oras_runtime_free(rt);
    oras_runtime_free(NULL);
    oras_free(NULL);
}

static int count_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void test_a_runtime_leaves_nothing_open(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    int before = count_descriptors();

    (void)state;
    assert_int_equal(run("local core = require 'oras.core'\n"
                         "core.clock.sleep(0.001)\n"
                         "require 'oras'.gather(function() core.clock.sleep(0) end)\n"
                         "leaked = {io.open('/dev/null'), core.client.new {}}",
                         &err),
                     ORAS_OK);
    assert_int_equal(count_descriptors(), before);
}

static char logged[256];

static void keep_line(void *ud, oras_level level, const char *line)
{
    assert_ptr_equal(ud, logged);
    assert_int_equal(level, ORAS_LOG_WARN);
    snprintf(logged, sizeof logged, "%s", line);
}

static void test_the_log_gets_warnings(void **state)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_runtime *rt = NULL;

    (void)state;
    opts.log = keep_line;
    opts.ud = logged;
    assert_int_equal(oras_runtime_new(&opts, &rt, NULL), ORAS_OK);
    write_script("script.lua", "warn 'lost' warn '@on' warn('a', 'b', ' https://u:p@h/?t=secret')");
    assert_int_equal(oras_run_file(rt, in_folder("script.lua"), 0, NULL, NULL), ORAS_OK);
    assert_string_equal(logged, "ab https://***@h/?t=***");
    oras_runtime_free(rt);
}

static void test_misuse_is_an_error(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = new_runtime();

    (void)state;
    assert_int_equal(oras_run_file(NULL, "x.lua", 0, NULL, &err), ORAS_EINVALID);
    assert_int_equal(oras_run_file(rt, NULL, 0, NULL, &err), ORAS_EINVALID);
    assert_int_equal(oras_run_file(rt, "x.lua", -1, NULL, NULL), ORAS_EINVALID);
    oras_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_is_said),
        cmocka_unit_test(test_script_gets_its_arguments),
        cmocka_unit_test(test_errors_carry_class_and_place),
        cmocka_unit_test(test_every_class_has_its_code),
        cmocka_unit_test(test_exit_ends_the_script_only),
        cmocka_unit_test(test_a_runtime_goes_on_after_an_error),
        cmocka_unit_test(test_s11_scripts_are_text_files),
        cmocka_unit_test(test_s12_the_working_directory_gives_no_modules),
        cmocka_unit_test(test_an_older_host_gets_defaults),
        cmocka_unit_test(test_a_runtime_leaves_nothing_open),
        cmocka_unit_test(test_the_log_gets_warnings),
        cmocka_unit_test(test_misuse_is_an_error),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
