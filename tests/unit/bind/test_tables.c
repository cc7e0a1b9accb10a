/* SPDX-License-Identifier: MIT
 * The tables of the OCI room when memory runs out: Lua's and ours fail from the n-th
 * allocation on, for every n, and nothing is left behind. */
#include "bind/lua_error.h"
#include "bind/tables.h"

#include "cmocka_c11.h"
#include "failing_alloc.h"

#include <lualib.h>

static failing_alloc counter = {-1, false, 0, NULL, false};
static const oras_allocator ours = {failing_resize, &counter};

static void open_tables(lua_State *L)
{
    static const struct {
        const char *name;
        void (*open)(lua_State *L);
    } tables[] = {
        {"auth", oras_lua_open_auth},     {"base64", oras_lua_open_base64},
        {"digest", oras_lua_open_digest}, {"headers", oras_lua_open_headers},
        {"json", oras_lua_open_json},     {"reference", oras_lua_open_reference},
    };

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        tables[i].open(L);
        lua_setglobal(L, tables[i].name);
    }
}

static int run_chunk(lua_State *L)
{
    open_tables(L);
    if (luaL_loadstring(L, lua_touserdata(L, 1)))
        return lua_error(L);
    lua_call(L, 0, 1);
    return 1;
}

static void *lua_resize(void *ud, void *ptr, size_t old_size, size_t size)
{
    (void)old_size;
    return failing_resize(ud, ptr, size);
}

/* Lua must be able to shrink a block: only what grows may fail. */
static void *lua_resize_growing(void *ud, void *ptr, size_t old_size, size_t size)
{
    failing_alloc *state = ud;
    long n = state->n_before_failure;
    void *block;

    if (ptr && size <= old_size)
        state->n_before_failure = -1;
    block = lua_resize(ud, ptr, old_size, size);
    if (ptr && size <= old_size)
        state->n_before_failure = n;
    return block;
}

/* Run with the n-th and all later allocations failing; true if it got through. */
static bool run_until(const char *chunk, long n)
{
    lua_State *L;
    bool through = false;

    counter.n_before_failure = n;
    L = lua_newstate(lua_resize_growing, &counter);
    if (L && lua_checkstack(L, 3)) {
        lua_pushcfunction(L, run_chunk);
        lua_pushlightuserdata(L, (void *)chunk);
        through = lua_pcall(L, 1, 1, 0) == LUA_OK && lua_toboolean(L, -1);
    }
    counter.n_before_failure = -1;
    if (L)
        lua_close(L);
    assert_int_equal(counter.n_alive, 0);
    return through;
}

static void fail_each(const char *chunk)
{
    for (long n = 0; n < 20000; n++) {
        if (run_until(chunk, n)) {
            assert_true(n > 10);
            return;
        }
    }
    fail_msg("'%s' never got through", chunk);
}

static void test_S07_references(void **state)
{
    (void)state;
    fail_each("local r = reference.parse('ghcr.io/a/b/c:v')\n"
              "return r and reference.print(r) and reference.url(r, 'tags')");
    fail_each("local r, err = reference.parse('http://x') return err.class == 'usage'");
}

static void test_S07_digests(void **state)
{
    (void)state;
    fail_each("return digest.of('x') == digest.new():update('x'):final()");
    fail_each("return digest.parse(digest.of('x', 'sha512'))");
}

static void test_S07_json(void **state)
{
    (void)state;
    fail_each("local v = json.decode('{\"b\":[1,2.5,null,{\"a\":\"x\"}],\"a\":{},\"c\":true}')\n"
              "return json.encode(v) and json.encode({b = 1, a = {2}}, {indent = 2})");
    fail_each("local _, err = json.encode({a = {function() end}}) return err.class == 'usage'");
    fail_each("local _, err = json.decode('[') return err.class == 'content'");
}

static void test_S07_the_rest(void **state)
{
    (void)state;
    fail_each("return base64.decode(base64.encode('some bytes'))");
    fail_each("return headers.link('<a>; rel=next', 'next') and headers.retry_after('5')");
    fail_each("return #auth.challenges('Basic realm=\"a\\\\b\", Bearer realm=b,scope=c') == 2");
    fail_each("return auth.basic('http://localhost:1', 'u', 'p') and\n"
              "  auth.bearer('http://localhost:1', 't')");
}

static void test_secrets_leave_nothing_in_freed_memory(void **state)
{
    (void)state;
    counter.canary = "dTpodW50ZXIy"; /* base64 of "u:hunter2" */
    counter.canary_seen = false;
    assert_true(run_until("return auth.basic('http://localhost:1', 'u', 'hunter2')", -1));
    assert_false(counter.canary_seen);
    counter.canary = NULL;
}

static void test_anything_raised_becomes_an_error(void **state)
{
    static const struct {
        const char *chunk, *class, *message;
    } rows[] = {
        {"error('text', 0)", "script", "text"},
        {"error({})", "script", "(error object is a table value)"},
        {"error(nil)", "script", "(error object is a nil value)"},
        {"error('not enough memory', 0)", "memory", "out of memory"},
        {"local _, err = digest.parse('x') error(err)", "content",
         "digest 'x', expected 'algorithm:hex'"},
        {"local _, err = digest.parse('x') err.class = 'odd' err.message = nil error(err)",
         "script", "no message"},
        {"local _, err = digest.parse('x') err.status = 1 << 40 err.message = 'a\\nb' error(err)",
         "content", "a?b"},
    };
    lua_State *L = luaL_newstate();

    (void)state;
    luaL_requiref(L, "_G", luaopen_base, 1);
    open_tables(L);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        oras_error err = ORAS_ERROR_INIT;

        assert_int_equal(luaL_loadstring(L, rows[i].chunk), LUA_OK);
        assert_int_not_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
        oras_lua_to_error(L, -1, &err);
        assert_string_equal(err.class_name, rows[i].class);
        assert_string_equal(err.message, rows[i].message);
        assert_int_equal(err.http_status, 0);
    }
    lua_close(L);
}

static void test_errors_cross_the_border_whole(void **state)
{
    lua_State *L = luaL_newstate();
    oras_error err = ORAS_ERROR_INIT, back = ORAS_ERROR_INIT;

    (void)state;
    oras_fail(&err, ORAS_C_NOT_FOUND, "no such manifest");
    err.http_status = 404;
    err.native = 7;
    memcpy(err.oci_code, "MANIFEST_UNKNOWN", sizeof "MANIFEST_UNKNOWN");
    oras_lua_push_error(L, &err);
    oras_lua_to_error(L, -1, &back);
    assert_memory_equal(&err, &back, sizeof err);
    lua_getfield(L, -1, "retryable");
    assert_false(lua_toboolean(L, -1));
    oras_fail(&err, ORAS_C_TIMEOUT, "too slow");
    oras_lua_push_error(L, &err);
    lua_getfield(L, -1, "retryable");
    assert_true(lua_toboolean(L, -1));
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S07_references),
        cmocka_unit_test(test_S07_digests),
        cmocka_unit_test(test_S07_json),
        cmocka_unit_test(test_S07_the_rest),
        cmocka_unit_test(test_secrets_leave_nothing_in_freed_memory),
        cmocka_unit_test(test_anything_raised_becomes_an_error),
        cmocka_unit_test(test_errors_cross_the_border_whole),
    };

    oras_alloc_set(&ours);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
