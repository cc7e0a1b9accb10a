/* SPDX-License-Identifier: MIT
 * Memory that runs out, allocation by allocation: a code and no more; trying again works. */
#include "host.h"

static size_t left, live;

static void *resize(void *ud, void *ptr, size_t size)
{
    (void)ud;
    if (size == 0) {
        free(ptr);
        live--;
        return NULL;
    }
    if (left == 0)
        return NULL;
    left--;
    if (!ptr)
        live++;
    return realloc(ptr, size);
}

/* One way through the library; gives the first failure. */
static oras_code inspect(oras_error *err)
{
    oras_runtime *rt = NULL;
    char *json = NULL;
    oras_code code = oras_runtime_new(NULL, &rt, err);

    if (!code)
        code =
            oras_call_json(rt, "conda", "inspect", "[\"oci:examples/layout:1.0.0-0\"]", &json, err);
    if (code)
        assert_null(json);
    oras_free(json);
    oras_runtime_free(rt);
    return code;
}

static void test_S07_every_allocation_may_fail(void **state)
{
    const oras_allocator allocator = {resize, NULL};
    oras_error err = ORAS_ERROR_INIT;
    size_t before, step = 1;
    int failures = 0;

    (void)state;
    left = SIZE_MAX;
    assert_int_equal(oras_global_init(&allocator, &err), ORAS_OK);
    assert_int_equal(inspect(&err), ORAS_OK);
    before = live;
    for (size_t n = 0;; n += step) {
        left = n;
        if (inspect(&err) == ORAS_OK)
            break;
        if (err.code != ORAS_ENOMEM)
            fail_msg("allocation %zu: %s: %s", n, err.class_name, err.message);
        assert_int_equal(live, before);
        failures++;
        step = n < 2000 ? 1 : 37; /* making the runtime in full, the rest in samples */
    }
    assert_true(failures > 500);
    left = SIZE_MAX;
    assert_int_equal(inspect(&err), ORAS_OK);
    assert_int_equal(live, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_S07_every_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
