/* SPDX-License-Identifier: MIT */
#include "base/secret.h"

#include "cmocka_c11.h"
#include "failing_alloc.h"

static failing_alloc counter = {-1, false, 0, NULL, false};
static const oras_allocator ours = {failing_resize, &counter};

static void test_a_secret_knows_its_origin(void **state)
{
    oras_secret *secret;

    (void)state;
    assert_int_equal(oras_secret_new("https://h:443", "Bearer abc!", 10, &secret, NULL), ORAS_OK);
    assert_string_equal(oras_secret_reveal(secret), "Bearer abc");
    assert_string_equal(oras_secret_origin(secret), "https://h:443");
    oras_secret_unref(secret);
    assert_int_equal(counter.n_alive, 0);
}

static void test_the_last_release_frees_and_wipes(void **state)
{
    oras_secret *secret;

    (void)state;
    counter.canary = "hunter2";
    counter.canary_seen = false;
    assert_int_equal(oras_secret_new("https://h:443", "hunter2", 7, &secret, NULL), ORAS_OK);
    assert_ptr_equal(oras_secret_ref(secret), secret);
    oras_secret_unref(secret);
    assert_string_equal(oras_secret_reveal(secret), "hunter2");
    oras_secret_unref(secret);
    assert_int_equal(counter.n_alive, 0);
    assert_false(counter.canary_seen);
    counter.canary = NULL;
}

static void test_nothing_may_be_released(void **state)
{
    (void)state;
    oras_secret_unref(NULL);
    assert_null(oras_secret_ref(NULL));
}

static void test_L22_each_failing_allocation_is_an_error_and_no_leak(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        oras_secret *secret = NULL;
        oras_error err = ORAS_ERROR_INIT;
        oras_code code;

        counter.n_before_failure = n;
        code = oras_secret_new("https://h:443", "x", 1, &secret, &err);
        counter.n_before_failure = -1;
        if (!code) {
            oras_secret_unref(secret);
            assert_int_equal(n, 2);
            break;
        }
        assert_int_equal(code, ORAS_ENOMEM);
        assert_null(secret);
        assert_int_equal(counter.n_alive, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_secret_knows_its_origin),
        cmocka_unit_test(test_the_last_release_frees_and_wipes),
        cmocka_unit_test(test_nothing_may_be_released),
        cmocka_unit_test(test_L22_each_failing_allocation_is_an_error_and_no_leak),
    };

    oras_alloc_set(&ours);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
