/* SPDX-License-Identifier: MIT
 * What the credentials callback gives does not stay in memory: an allocator looks into
 * everything that is freed. */
#define _GNU_SOURCE
#include "host.h"

#include <malloc.h>

#define SECRET "canary-7c21-wonderland"

static const char provider[] =
    "local oras = require 'oras'\n"
    "local core = require 'oras.core'\n"
    "local Asks = oras.Registry:extend 'Asks'\n"
    "local function use(password)\n"
    "  local secret = assert(core.auth.basic('https://a.example', 'alice', password))\n"
    "  local form = table.concat({ 'password', password, ('x'):rep(2000) }, '=')\n"
    "  return #form + #tostring(secret)\n"
    "end\n"
    "function Asks:given() return use(self:get_credentials('a.example').password) end\n"
    "function Asks:own() return use(('7c21-wonderland'):gsub('^', 'canary-')) end\n"
    "return Asks\n";

static int n_left;

static void look(const void *ptr)
{
    if (ptr && memmem(ptr, malloc_usable_size((void *)(uintptr_t)ptr), SECRET, sizeof SECRET - 1))
        __atomic_add_fetch(&n_left, 1, __ATOMIC_RELAXED);
}

/* Never in place, so that each move leaves a block to be looked into; new ones are clean. */
static void *resize(void *ud, void *ptr, size_t size)
{
    size_t old = ptr ? malloc_usable_size(ptr) : 0;
    void *made = size > 0 ? calloc(1, size) : NULL;

    (void)ud;
    if (size > 0 && !made)
        return NULL;
    if (made && ptr)
        memcpy(made, ptr, old < size ? old : size);
    look(ptr);
    free(ptr);
    return made;
}

static int released;

static void release(oras_credentials *credentials)
{
    assert_string_equal(credentials->password, SECRET);
    released++;
}

static oras_code ask(void *ud, const char *host, const char *repository, oras_credentials *out)
{
    (void)ud;
    (void)host;
    (void)repository;
    out->username = "alice";
    out->password = SECRET;
    out->release = release;
    return ORAS_OK;
}

static void run(int with_callback, const char *method)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;
    char *json = NULL;

    opts.provider_path = folder;
    opts.credentials = with_callback ? ask : NULL;
    if (oras_runtime_new(&opts, &rt, &err) || oras_call_json(rt, "echo", method, NULL, &json, &err))
        fail_msg("%s", err.message);
    oras_free(json);
    oras_runtime_free(rt);
}

static void test_nothing_is_left(void **state)
{
    (void)state;
    write_script("echo.lua", provider);
    n_left = 0;
    run(1, "given");
    assert_int_equal(n_left, 0);
    assert_int_equal(released, 1);
}

/* Else the test above would not see it either. */
static void test_elsewhere_it_would_be(void **state)
{
    (void)state;
    n_left = 0;
    run(0, "own");
    assert_true(n_left > 0);
}

int main(void)
{
    static const oras_allocator allocator = {resize, NULL};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_left),
        cmocka_unit_test(test_elsewhere_it_would_be),
    };

    if (oras_global_init(&allocator, NULL))
        return 1;
    return cmocka_run_group_tests_name("secrets", tests, make_folder, remove_folder);
}
