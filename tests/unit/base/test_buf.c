/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "cmocka_c11.h"
#include "failing_alloc.h"

static failing_alloc counter = {-1, false, 0, NULL, false};
static const oras_allocator ours = {failing_resize, &counter};

static void test_an_empty_buffer_is_an_empty_string(void **state)
{
    oras_buf buf = ORAS_BUF_INIT(10);

    (void)state;
    assert_string_equal(oras_buf_text(&buf), "");
    assert_int_equal(oras_buf_check(&buf, "x", NULL), ORAS_OK);
    oras_buf_wipe(&buf);
    oras_buf_clear(&buf);
    oras_buf_dispose(&buf);
}

static void test_appends_grow_and_end_in_nul(void **state)
{
    oras_buf buf = ORAS_BUF_INIT(100000);
    char expected[10001];

    (void)state;
    for (int i = 0; i < 10000; i++) {
        expected[i] = (char)('a' + i % 26);
        assert_true(oras_buf_append(&buf, &expected[i], 1));
    }
    expected[10000] = '\0';
    assert_int_equal(buf.size, 10000);
    assert_string_equal(oras_buf_text(&buf), expected);
    oras_buf_dispose(&buf);
    assert_int_equal(counter.n_alive, 0);
}

static void test_growth_is_by_a_part_of_what_is_there(void **state)
{
    oras_buf buf = ORAS_BUF_INIT(1000000);
    size_t capacity = 0;
    int n_moves = 0;

    (void)state;
    while (oras_buf_append(&buf, "0123456789", 10)) {
        n_moves += buf.capacity != capacity;
        capacity = buf.capacity;
    }
    assert_int_equal(buf.size, 1000000);
    assert_int_equal(buf.capacity, 1000001);
    assert_true(n_moves < 30);
    oras_buf_dispose(&buf);
}

static void test_the_limit_is_exact_and_sticks(void **state)
{
    oras_buf buf = ORAS_BUF_INIT(5);
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_true(oras_buf_puts(&buf, "12345"));
    assert_false(oras_buf_puts(&buf, "6"));
    assert_false(oras_buf_append(&buf, "", 0));
    assert_string_equal(oras_buf_text(&buf), "12345");
    assert_class(oras_buf_check(&buf, "thing", &err), ORAS_C_LIMIT);
    assert_string_equal(err.message, "thing is larger than 5 bytes");
    oras_buf_clear(&buf);
    assert_true(oras_buf_puts(&buf, "abc"));
    oras_buf_dispose(&buf);
    assert_int_equal(buf.limit, 5);
}

static void test_a_size_that_overflows_is_over_the_limit(void **state)
{
    oras_buf buf = ORAS_BUF_INIT(SIZE_MAX);

    (void)state;
    assert_true(oras_buf_puts(&buf, "x"));
    assert_false(oras_buf_reserve(&buf, SIZE_MAX));
    assert_int_equal(buf.state, ORAS_BUF_LIMIT);
    oras_buf_clear(&buf);
    assert_false(oras_buf_reserve(&buf, SIZE_MAX));
    oras_buf_dispose(&buf);
}

static void test_L22_no_memory_sticks_and_keeps_the_bytes(void **state)
{
    oras_buf buf = ORAS_BUF_INIT(SIZE_MAX);
    oras_error err = ORAS_ERROR_INIT;
    char block[1000] = {0};

    (void)state;
    assert_true(oras_buf_puts(&buf, "abc"));
    counter.n_before_failure = 0;
    assert_false(oras_buf_append(&buf, block, sizeof block));
    counter.n_before_failure = -1;
    assert_false(oras_buf_puts(&buf, "d"));
    assert_string_equal(oras_buf_text(&buf), "abc");
    assert_class(oras_buf_check(&buf, "x", &err), ORAS_C_MEMORY);
    oras_buf_dispose(&buf);
    assert_int_equal(counter.n_alive, 0);
}

static void test_printf_fits_itself_in(void **state)
{
    oras_buf buf = ORAS_BUF_INIT(300);

    (void)state;
    assert_true(oras_buf_printf(&buf, "%s-%d", "a", 7));
    assert_true(oras_buf_printf(&buf, "%250s", "x"));
    assert_int_equal(buf.size, 253);
    assert_false(oras_buf_printf(&buf, "%50s", "x"));
    assert_int_equal(buf.size, 253);
    oras_buf_dispose(&buf);
}

static void test_a_wiped_buffer_leaves_nothing_in_freed_memory(void **state)
{
    oras_buf buf = ORAS_BUF_INIT(300);

    (void)state;
    counter.canary = "hunter2";
    counter.canary_seen = false;
    oras_buf_puts(&buf, "password hunter2");
    oras_buf_wipe(&buf);
    oras_buf_dispose(&buf);
    assert_false(counter.canary_seen);
    oras_buf_puts(&buf, "password hunter2");
    oras_buf_dispose(&buf);
    assert_true(counter.canary_seen);
    counter.canary = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_buffer_is_an_empty_string),
        cmocka_unit_test(test_appends_grow_and_end_in_nul),
        cmocka_unit_test(test_growth_is_by_a_part_of_what_is_there),
        cmocka_unit_test(test_the_limit_is_exact_and_sticks),
        cmocka_unit_test(test_a_size_that_overflows_is_over_the_limit),
        cmocka_unit_test(test_L22_no_memory_sticks_and_keeps_the_bytes),
        cmocka_unit_test(test_printf_fits_itself_in),
        cmocka_unit_test(test_a_wiped_buffer_leaves_nothing_in_freed_memory),
    };

    oras_alloc_set(&ours);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
