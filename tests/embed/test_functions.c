/* SPDX-License-Identifier: MIT
 * Functions of the host's that providers call, and credentials that the host gives. */
#include "host.h"

static const char provider[] =
    "local oras = require 'oras'\n"
    "local functions = require 'oras.functions'\n"
    "local Asks = oras.Registry:extend 'Asks'\n"
    "function Asks:call(name, ...) return functions[name](...) end\n"
    "function Asks:has(name) return functions[name] ~= nil end\n"
    "function Asks:none() return functions.echo(nil, nil) end\n"
    "function Asks:caught(name)\n"
    "  local ok, err = pcall(functions[name])\n"
    "  return { ok, tostring(err.class), err.message, err.status or 0, "
    "require('oras.error').is_error(err) }\n"
    "end\n"
    "function Asks:bad() return functions.echo(function() end) end\n"
    "function Asks:who(host, repository) return self:get_credentials(host, repository) end\n"
    "function Asks:set() self:set_basic_auth('me', 'mine', 'a.example') end\n"
    "return Asks\n";

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

static void gives(const char *method, const char *args, const char *expected)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    if (oras_call_json(rt, "echo", method, args, &json, &err))
        fail_msg("%s: %s", err.class_name, err.message);
    assert_string_equal(json, expected);
    oras_free(json);
}

static oras_error fails(const char *method, const char *args)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = "untouched";

    assert_int_not_equal(oras_call_json(rt, "echo", method, args, &json, &err), ORAS_OK);
    assert_string_equal(json, "untouched");
    return err;
}

static void add(const char *name, oras_function fn, void *ud)
{
    oras_error err = ORAS_ERROR_INIT;

    if (oras_register(rt, name, fn, ud, &err))
        fail_msg("%s", err.message);
}

static oras_code echo(void *ud, const char *args, oras_reply *reply, oras_error *err)
{
    if (ud)
        ++*(int *)ud;
    return oras_reply_json(reply, args, err);
}

static oras_code silent(void *ud, const char *args, oras_reply *reply, oras_error *err)
{
    (void)ud;
    (void)args;
    (void)reply;
    (void)err;
    return ORAS_OK;
}

/* What ud says: a JSON text */
static oras_code says(void *ud, const char *args, oras_reply *reply, oras_error *err)
{
    (void)args;
    oras_reply_json(reply, "1", err); /* the last one counts */
    return oras_reply_json(reply, ud, err);
}

static oras_code fails_so(void *ud, const char *args, oras_reply *reply, oras_error *err)
{
    (void)args;
    (void)reply;
    *err = *(const oras_error *)ud;
    return err->code;
}

static oras_code sets(void *ud, const char *args, oras_reply *reply, oras_error *err)
{
    (void)args;
    oras_reply_json(reply, "7", err); /* freed though it fails */
    return oras_error_set(err, ud, "no %s\nin %d", "cheese", 3);
}

static void test_values_go_to_and_fro(void **state)
{
    int n = 0;

    (void)state;
    add("echo", echo, &n);
    gives("call", "[\"echo\", 1, {\"a\": [1, [], {}]}, \"\\u00fc\\\"\", 9007199254740993, true]",
          "[1,{\"a\":[1,[],{}]},\"ü\\\"\",9007199254740993,true]");
    gives("call", "[\"echo\"]", "[]");
    gives("none", NULL, "[null,null]");
    assert_int_equal(n, 3);
    add("silent", silent, NULL);
    gives("call", "[\"silent\", 1]", "null");
    add("says", says, "false");
    gives("call", "[\"says\"]", "false");
    add("says", says, "null");
    gives("call", "[\"says\"]", "null");
}

static void test_a_name_can_be_taken_out(void **state)
{
    oras_error err;

    (void)state;
    gives("has", "[\"echo\"]", "false");
    add("echo", echo, NULL);
    gives("has", "[\"echo\"]", "true");
    add("echo", silent, NULL);
    gives("call", "[\"echo\", 1]", "null");
    add("echo", NULL, NULL);
    add("echo", NULL, NULL);
    gives("has", "[\"echo\"]", "false");
    err = fails("call", "[\"echo\"]");
    assert_int_equal(err.code, ORAS_ESCRIPT);
}

static void test_names_are_names(void **state)
{
    static const char *const bad[] = {
        "",    "1a",       "a b",
        "a-b", "\xc3\xbc", "a234567890123456789012345678901234567890123456789012345678901234"};
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(oras_register(rt, bad[i], echo, NULL, &err), ORAS_EINVALID);
    assert_int_equal(oras_register(rt, NULL, echo, NULL, &err), ORAS_EINVALID);
    assert_int_equal(oras_register(NULL, "echo", echo, NULL, NULL), ORAS_EINVALID);
    add("a23456789012345678901234567890123456789012345678901234567890123", echo, NULL);
}

static void test_a_failure_is_an_error_of_its_class(void **state)
{
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    err.code = ORAS_ENOTFOUND;
    add("f", fails_so, &err);
    gives("caught", "[\"f\"]", "[false,\"not_found\",\"the host's function failed\",0,true]");
    snprintf(err.message, sizeof err.message, "%s", "no\x1b[31m shelf");
    err.class_name = "rate";
    err.http_status = 429;
    gives("caught", "[\"f\"]", "[false,\"rate\",\"no?[31m shelf\",429,true]");
    err.class_name = "no class of ours";
    err.code = (oras_code)99;
    gives("caught", "[\"f\"]", "[false,\"script\",\"no?[31m shelf\",429,true]");
    err.class_name = NULL;
    memset(err.message, 'x', sizeof err.message); /* no NUL */
    assert_int_equal(fails("call", "[\"f\"]").code, ORAS_ESCRIPT);
    add("f", sets, "exists");
    gives("caught", "[\"f\"]", "[false,\"exists\",\"no cheese?in 3\",0,true]");
    assert_int_equal(fails("call", "[\"f\"]").code, ORAS_EINVALID);
    add("f", sets, NULL);
    assert_int_equal(fails("call", "[\"f\"]").code, ORAS_ESCRIPT);
}

static void test_what_is_no_json_is_refused(void **state)
{
    static const char *const bad[] = {"", "{", "[1] 2", "\"\xff\"", "nope"};
    oras_error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        add("says", says, (void *)(uintptr_t)bad[i]);
        err = fails("call", "[\"says\"]");
        assert_string_equal(err.class_name, "content");
        assert_non_null(strstr(err.message, "'says'"));
    }
    add("echo", echo, NULL);
    assert_int_equal(fails("bad", NULL).code, ORAS_EINVALID);
}

static oras_code meddles(void *ud, const char *args, oras_reply *reply, oras_error *err)
{
    oras_call *call = NULL;

    (void)args;
    (void)err;
    assert_int_equal(oras_register(rt, "other", echo, NULL, NULL), ORAS_EINVALID);
    assert_int_equal(oras_register(rt, "f", NULL, NULL, NULL), ORAS_EINVALID);
    assert_int_equal(oras_step(rt, NULL, NULL), ORAS_EINVALID);
    assert_int_equal(oras_call_start(rt, "echo", "none", NULL, &call, NULL), ORAS_EINVALID);
    assert_int_equal(oras_reply_json(NULL, "1", NULL), ORAS_EINVALID);
    assert_int_equal(oras_reply_json(reply, NULL, NULL), ORAS_EINVALID);
    oras_wake(rt);
    ++*(int *)ud;
    return ORAS_OK;
}

static void test_a_function_cannot_take_the_ground_away(void **state)
{
    int n = 0;

    (void)state;
    add("f", meddles, &n);
    gives("call", "[\"f\"]", "null");
    assert_int_equal(n, 1);
}

static void test_in_the_hosts_own_loop(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call = NULL;
    char *json = NULL;
    int n = 0;

    (void)state;
    add("echo", echo, &n);
    assert_int_equal(oras_call_start(rt, "echo", "call", "[\"echo\", 5]", &call, &err), ORAS_OK);
    assert_int_equal(n, 0);
    while (!oras_call_done(call))
        assert_int_equal(oras_step(rt, NULL, &err), ORAS_OK);
    assert_int_equal(oras_call_result(call, &json, &err), ORAS_OK);
    assert_string_equal(json, "[5]");
    oras_free(json);
    oras_call_free(call);
}

/* --- credentials -------------------------------------------------------------------------- */

typedef struct keeper {
    oras_credentials given;
    oras_code code;
    int n_asked, n_released;
    char host[64], repository[64];
} keeper;

static void release(oras_credentials *credentials)
{
    keeper *k = credentials->owner;

    k->n_released++;
}

static oras_code ask(void *ud, const char *host, const char *repository, oras_credentials *out)
{
    keeper *k = ud;

    k->n_asked++;
    snprintf(k->host, sizeof k->host, "%s", host);
    snprintf(k->repository, sizeof k->repository, "%s", repository);
    assert_null(out->username);
    assert_int_equal(out->anonymous, 0);
    *out = k->given;
    out->release = release;
    out->owner = k;
    return k->code;
}

static void with_keeper(keeper *k)
{
    oras_options opts = ORAS_OPTIONS_INIT;

    oras_runtime_free(rt);
    rt = NULL;
    opts.provider_path = folder;
    opts.credentials = ask;
    opts.ud = k;
    assert_int_equal(oras_runtime_new(&opts, &rt, NULL), ORAS_OK);
}

static void test_credentials_of_the_host(void **state)
{
    keeper k = {.given = {.username = "alice", .password = "wonder:land"}};

    (void)state;
    with_keeper(&k);
    gives("who", "[\"a.example\", \"team/app\"]",
          "{\"password\":\"wonder:land\",\"username\":\"alice\"}");
    assert_string_equal(k.host, "a.example");
    assert_string_equal(k.repository, "team/app");
    k.given = (oras_credentials){.identity_token = "it"};
    gives("who", "[\"b.example:5000\"]", "{\"identity_token\":\"it\"}");
    assert_string_equal(k.host, "b.example:5000");
    assert_string_equal(k.repository, "");
    k.given = (oras_credentials){.registry_token = "rt"};
    gives("who", "[\"a.example\"]", "{\"registry_token\":\"rt\"}");
    assert_int_equal(k.n_asked, 3);
    assert_int_equal(k.n_released, 3);
    gives("set", NULL, "null"); /* what the provider sets comes first, for its host */
    gives("who", "[\"a.example\"]", "{\"password\":\"mine\",\"username\":\"me\"}");
    assert_int_equal(k.n_asked, 3);
    gives("who", "[\"b.example\"]", "{\"registry_token\":\"rt\"}");
}

static void test_credentials_come_before_files(void **state)
{
    keeper k = {.given = {.username = NULL}};
    const char *dir = folder;

    (void)state;
    write_script("config.json", "{\"auths\":{\"a.example\":{\"auth\":\"Ym9iOmZpbGU=\"}}}");
    setenv("DOCKER_CONFIG", dir, 1);
    with_keeper(&k);
    gives("who", "[\"a.example\"]", "{\"password\":\"file\",\"username\":\"bob\"}");
    k.given.anonymous = 1;
    gives("who", "[\"a.example\"]", "false");
    k.given = (oras_credentials){.username = "alice", .password = ""};
    gives("who", "[\"a.example\"]", "{\"password\":\"\",\"username\":\"alice\"}");
    assert_int_equal(k.n_asked, 3);
    unsetenv("DOCKER_CONFIG");
    unlink(in_folder("config.json"));
}

static void test_credentials_that_the_host_refuses(void **state)
{
    keeper k = {.code = ORAS_EAUTH, .given = {.username = "alice", .password = "wonder:land"}};
    oras_error err;

    (void)state;
    with_keeper(&k);
    err = fails("who", "[\"a.example\"]");
    assert_int_equal(err.code, ORAS_EAUTH);
    assert_string_equal(err.message, "the host gives no credentials for 'a.example'");
    k.code = ORAS_ECANCELED;
    assert_int_equal(fails("who", "[\"a.example\"]").code, ORAS_ECANCELED);
    k = (keeper){.given = {.username = "alice"}};
    err = fails("who", "[\"a.example\"]");
    assert_int_equal(err.code, ORAS_EINVALID);
    assert_null(strstr(err.message, "alice"));
    assert_int_equal(k.n_released, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values_go_to_and_fro, make_runtime, free_runtime),
        cmocka_unit_test_setup_teardown(test_a_name_can_be_taken_out, make_runtime, free_runtime),
        cmocka_unit_test_setup_teardown(test_names_are_names, make_runtime, free_runtime),
        cmocka_unit_test_setup_teardown(test_a_failure_is_an_error_of_its_class, make_runtime,
                                        free_runtime),
        cmocka_unit_test_setup_teardown(test_what_is_no_json_is_refused, make_runtime,
                                        free_runtime),
        cmocka_unit_test_setup_teardown(test_a_function_cannot_take_the_ground_away, make_runtime,
                                        free_runtime),
        cmocka_unit_test_setup_teardown(test_in_the_hosts_own_loop, make_runtime, free_runtime),
        cmocka_unit_test_setup_teardown(test_credentials_of_the_host, make_runtime, free_runtime),
        cmocka_unit_test_setup_teardown(test_credentials_come_before_files, make_runtime,
                                        free_runtime),
        cmocka_unit_test_setup_teardown(test_credentials_that_the_host_refuses, make_runtime,
                                        free_runtime),
    };

    return cmocka_run_group_tests_name("functions", tests, make_folder, remove_folder);
}
