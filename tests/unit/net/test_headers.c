/* SPDX-License-Identifier: MIT */
#include "cmocka_c11.h"
#include "net/headers.h"

#include <string.h>

static oras_code add(oras_headers *headers, const char *line, oras_error *err)
{
    return oras_headers_add_line(headers, line, strlen(line), err);
}

static void test_kept_in_order_and_found_in_any_case(void **state)
{
    oras_headers headers;
    const char *name, *value;
    size_t at = 0;

    (void)state;
    oras_headers_init(&headers);
    assert_int_equal(add(&headers, "Content-Type: text/plain \r\n", NULL), ORAS_OK);
    assert_int_equal(add(&headers, "LINK:<a>\r\n", NULL), ORAS_OK);
    assert_int_equal(add(&headers, "link: <b>\n", NULL), ORAS_OK);
    assert_int_equal(add(&headers, "Empty:\r\n", NULL), ORAS_OK);
    assert_string_equal(oras_headers_get(&headers, "content-type"), "text/plain");
    assert_string_equal(oras_headers_get(&headers, "Link"), "<a>");
    assert_string_equal(oras_headers_get(&headers, "empty"), "");
    assert_null(oras_headers_get(&headers, "Absent"));
    assert_true(oras_headers_next(&headers, &at, &name, &value));
    assert_true(oras_headers_next(&headers, &at, &name, &value));
    assert_true(oras_headers_next(&headers, &at, &name, &value));
    assert_string_equal(name, "link");
    assert_string_equal(value, "<b>");
    oras_headers_dispose(&headers);
}

static void test_N16_folded_line_joins(void **state)
{
    oras_headers headers;

    (void)state;
    oras_headers_init(&headers);
    assert_int_equal(add(&headers, " folded first\r\n", NULL), ORAS_OK);
    assert_int_equal(add(&headers, "X: one\r\n", NULL), ORAS_OK);
    assert_int_equal(add(&headers, "  two \r\n", NULL), ORAS_OK);
    assert_string_equal(oras_headers_get(&headers, "X"), "one two");
    oras_headers_dispose(&headers);
}

static void test_N16_control_characters(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_headers headers;

    (void)state;
    oras_headers_init(&headers);
    assert_class(oras_headers_add_line(&headers, "X: a\0b\r\n", 8, &err), ORAS_C_PROTOCOL);
    assert_class(add(&headers, "X: a\rb\r\n", &err), ORAS_C_PROTOCOL);
    assert_class(add(&headers, "X: a\x1b[31m\r\n", &err), ORAS_C_PROTOCOL);
    assert_class(add(&headers, ": nameless\r\n", &err), ORAS_C_PROTOCOL);
    assert_class(add(&headers, "no colon\r\n", &err), ORAS_C_PROTOCOL);
    assert_int_equal(add(&headers, "X: 8-bit \xe4\r\n", NULL), ORAS_OK);
    oras_headers_dispose(&headers);
}

static void test_N11_limit(void **state)
{
    static char line[40000];
    oras_error err = ORAS_ERROR_INIT;
    oras_headers headers;
    oras_code code = ORAS_OK;

    (void)state;
    memset(line, 'x', sizeof line - 1);
    line[1] = ':';
    oras_headers_init(&headers);
    for (int i = 0; !code && i < 10; i++)
        code = add(&headers, line, &err);
    assert_class(code, ORAS_C_LIMIT);
    oras_headers_dispose(&headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_in_order_and_found_in_any_case),
        cmocka_unit_test(test_N16_folded_line_joins),
        cmocka_unit_test(test_N16_control_characters),
        cmocka_unit_test(test_N11_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
