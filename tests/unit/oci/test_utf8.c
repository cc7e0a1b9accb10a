/* SPDX-License-Identifier: MIT */
#include "oci/utf8.h"

#include "cmocka_c11.h"

#include <string.h>

static const char *const good[] = {
    "",
    "plain",
    "12345678",
    "1234567\xc3\xa9",
    "\xc2\x80",
    "\xdf\xbf",
    "\xe0\xa0\x80",
    "\xed\x9f\xbf",
    "\xee\x80\x80",
    "\xf0\x90\x80\x80",
    "\xf4\x8f\xbf\xbf",
};

static const char *const bad[] = {
    "\x80",
    "\xc0\xaf",
    "\xc1\xbf",
    "\xc3",
    "abcdefgh\xc3",
    "\xe0\x9f\xbf",
    "\xed\xa0\x80", /* a surrogate */
    "\xe2\x82",
    "\xe2\x82\x28",
    "\xf0\x8f\xbf\xbf",
    "\xf4\x90\x80\x80",
    "\xf5\x80\x80\x80",
    "\xf0\x90\x80",
    "\xfe",
    "\xff",
};

static void test_C09_only_valid_utf8_passes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(oras_utf8_is_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(oras_utf8_is_valid(bad[i], strlen(bad[i])));
    assert_true(oras_utf8_is_valid("a\0b", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_C09_only_valid_utf8_passes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
