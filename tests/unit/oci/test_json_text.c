/* SPDX-License-Identifier: MIT */
#include "oci/json_text.h"

#include "cmocka_c11.h"

#include <locale.h>
#include <math.h>
#include <string.h>

static void check_float(double value, const char *expected)
{
    oras_buf out = ORAS_BUF_INIT(100);

    assert_true(oras_json_append_float(value, &out));
    assert_string_equal(oras_buf_text(&out), expected);
    oras_buf_dispose(&out);
}

static void check_floats(void)
{
    check_float(0.0, "0.0");
    check_float(-0.0, "-0.0");
    check_float(1.0, "1.0");
    check_float(-1.5, "-1.5");
    check_float(0.1, "0.1");
    check_float(1.0 / 3, "0.3333333333333333");
    check_float(0.1 + 0.2, "0.30000000000000004");
    check_float(1e15, "1e+15");
    check_float(123456789012345680.0, "1.2345678901234568e+17");
    check_float(5e-324, "4.94065645841247e-324");
    check_float(1.7976931348623157e308, "1.7976931348623157e+308");
}

static void test_floats_are_short_and_stay_floats(void **state)
{
    (void)state;
    check_floats();
}

static void test_L21_a_decimal_comma_does_not_matter(void **state)
{
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8",
                                          "ps_AF.UTF-8"};
    int n = 0;

    (void)state;
    for (size_t i = 0; i < sizeof locales / sizeof locales[0]; i++) {
        if (!setlocale(LC_ALL, locales[i]))
            continue;
        n++;
        check_floats();
    }
    setlocale(LC_ALL, "C");
    if (n == 0)
        skip(); /* no such locale on this machine */
}

static void test_C08_what_is_not_finite_is_refused(void **state)
{
    oras_buf out = ORAS_BUF_INIT(100);

    (void)state;
    assert_false(oras_json_append_float((double)NAN, &out));
    assert_false(oras_json_append_float((double)INFINITY, &out));
    assert_false(oras_json_append_float(-(double)INFINITY, &out));
    assert_int_equal(out.size, 0);
}

static void test_strings_escape_only_what_they_must(void **state)
{
    oras_buf out = ORAS_BUF_INIT(100);

    (void)state;
    assert_true(oras_json_append_string("a\"\\/\b\t\n\v\f\r\x1f\x7f\0\xc3\xa9", 15, &out));
    assert_string_equal(oras_buf_text(&out),
                        "\"a\\\"\\\\/\\b\\t\\n\\u000b\\f\\r\\u001f\x7f\\u0000\xc3\xa9\"");
    oras_buf_clear(&out);
    assert_true(oras_json_append_string("", 0, &out));
    assert_string_equal(oras_buf_text(&out), "\"\"");
    oras_buf_clear(&out);
    assert_false(oras_json_append_string("a\xff", 2, &out));
    oras_buf_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floats_are_short_and_stay_floats),
        cmocka_unit_test(test_L21_a_decimal_comma_does_not_matter),
        cmocka_unit_test(test_C08_what_is_not_finite_is_refused),
        cmocka_unit_test(test_strings_escape_only_what_they_must),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
