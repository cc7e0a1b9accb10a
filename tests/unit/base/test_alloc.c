/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"

#include "cmocka_c11.h"
#include "failing_alloc.h"

static failing_alloc counter = {-1, false, 0, NULL, false};
static const oras_allocator ours = {failing_resize, &counter};

static void test_the_allocator_counts_only_before_the_first_use(void **state)
{
    const oras_allocator other = {failing_resize, NULL};
    void *block;

    (void)state;
    assert_true(oras_alloc_set(NULL));
    assert_true(oras_alloc_set(&ours));
    block = oras_alloc(1);
    assert_int_equal(counter.n_alive, 1);
    assert_false(oras_alloc_set(&other));
    assert_true(oras_alloc_set(&ours));
    oras_dealloc(block);
    assert_int_equal(counter.n_alive, 0);
}

static void test_size_zero_never_reaches_the_host(void **state)
{
    void *block = oras_alloc(0);

    (void)state;
    assert_non_null(block);
    block = oras_realloc(block, 0);
    assert_non_null(block);
    oras_dealloc(block);
    oras_dealloc(NULL);
    assert_int_equal(counter.n_alive, 0);
}

static void test_zeroed_memory_is_zero_and_cannot_overflow(void **state)
{
    unsigned char *block = oras_alloc_zero(7, 3);

    (void)state;
    for (int i = 0; i < 21; i++)
        assert_int_equal(block[i], 0);
    oras_dealloc(block);
    assert_null(oras_alloc_zero(SIZE_MAX / 2, 3));
    assert_int_equal(counter.n_alive, 0);
}

static void test_copies_of_strings(void **state)
{
    char *whole = oras_strdup("abc"), *part = oras_strndup("abc", 2);

    (void)state;
    assert_string_equal(whole, "abc");
    assert_string_equal(part, "ab");
    oras_dealloc(whole);
    oras_dealloc(part);
    assert_null(oras_strndup("abc", SIZE_MAX));
    assert_int_equal(counter.n_alive, 0);
}

static void test_L22_no_memory_gives_null(void **state)
{
    (void)state;
    counter.n_before_failure = 0;
    assert_null(oras_alloc(10));
    assert_null(oras_alloc_zero(1, 10));
    assert_null(oras_strdup("abc"));
    counter.n_before_failure = -1;
    assert_int_equal(counter.n_alive, 0);
}

static void test_sums_and_products_that_do_not_fit(void **state)
{
    size_t out = 0;

    (void)state;
    assert_true(oras_size_add(2, 3, &out));
    assert_int_equal(out, 5);
    assert_true(oras_size_mul(2, 3, &out));
    assert_int_equal(out, 6);
    assert_false(oras_size_add(SIZE_MAX, 1, &out));
    assert_false(oras_size_mul(SIZE_MAX / 2, 3, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_allocator_counts_only_before_the_first_use),
        cmocka_unit_test(test_size_zero_never_reaches_the_host),
        cmocka_unit_test(test_zeroed_memory_is_zero_and_cannot_overflow),
        cmocka_unit_test(test_copies_of_strings),
        cmocka_unit_test(test_L22_no_memory_gives_null),
        cmocka_unit_test(test_sums_and_products_that_do_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
