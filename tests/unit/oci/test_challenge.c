/* SPDX-License-Identifier: MIT */
#include "oci/challenge.h"

#include "cmocka_c11.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was understood, as text: "scheme(token68){name=value;...}" for each challenge. */
static const char *describe(const char *value, size_t size)
{
    static char text[4096];
    oras_challenge_cursor cursor = {value, size};
    oras_challenge challenge;
    size_t used = 0;

    text[0] = '\0';
    while (oras_challenge_next(&cursor, &challenge)) {
        oras_challenge_pair pair;

        used += (size_t)snprintf(text + used, sizeof text - used, "%.*s",
                                 (int)challenge.scheme.size, challenge.scheme.data);
        if (challenge.token68.data)
            used += (size_t)snprintf(text + used, sizeof text - used, "(%.*s)",
                                     (int)challenge.token68.size, challenge.token68.data);
        used += (size_t)snprintf(text + used, sizeof text - used, "{");
        while (oras_challenge_param(&challenge.params, &pair)) {
            char plain[1024];
            size_t length = oras_slice_unescape(pair.value, plain);

            used += (size_t)snprintf(text + used, sizeof text - used, "%.*s=%.*s;",
                                     (int)pair.name.size, pair.name.data, (int)length, plain);
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "}");
    }
    return text;
}

static const struct {
    const char *value, *expected;
} rows[] = {
    {"", ""},
    {" , ,\t,", ""},
    {"Basic", "Basic{}"},
    {"Basic realm=\"x\"", "Basic{realm=x;}"},
    {"BASIC Realm=\"x\"", "BASIC{Realm=x;}"},
    {"Basic realm=\"basic, \\\"realm\\\"\"", "Basic{realm=basic, \"realm\";}"},
    {"Bearer realm=\"https://a/t?x=1\",service=\"My Registry, "
     "v2\",scope=\"repository:a:pull,push\"",
     "Bearer{realm=https://a/t?x=1;service=My Registry, v2;scope=repository:a:pull,push;}"},
    {"Bearer realm = \"x\" , service\t=\ty", "Bearer{realm=x;service=y;}"},
    {"Basic realm=\"x\", Bearer realm=\"y\",scope=\"\"", "Basic{realm=x;}Bearer{realm=y;scope=;}"},
    {"Negotiate, NTLM, Basic realm=x", "Negotiate{}NTLM{}Basic{realm=x;}"},
    {"Negotiate oYG2MIGz/+==, Basic realm=\"x\"", "Negotiate(oYG2MIGz/+==){}Basic{realm=x;}"},
    {"Negotiate abc", "Negotiate(abc){}"},
    {"Basic realm=\"x\",, ,Bearer realm=\"y\"", "Basic{realm=x;}Bearer{realm=y;}"},
    {", Basic realm=\"x\" ,", "Basic{realm=x;}"},
    {"Bearer realm=https://a/t,service=b", "Bearer{realm=https://a/t;service=b;}"},
    {"Bearer   realm=\"x\"", "Bearer{realm=x;}"},
    {"Basic a=b", "Basic{a=b;}"},
    {"Basic a=", "Basic(a=){}"},
    {"Basic charset=\"UTF-8\", realm=\"caf\xc3\xa9\"", "Basic{charset=UTF-8;realm=caf\xc3\xa9;}"},
    /* broken ones are passed over, what follows counts */
    {"Basic realm=\"never closed", ""},
    {"Basic realm=\"x\"y, Bearer realm=\"z\"", "Bearer{realm=z;}"},
    {"Basic realm=\"x\" y=z, Bearer realm=\"z\"", "Bearer{realm=z;}"},
    {"=x, Basic realm=\"y\"", "Basic{realm=y;}"},
    {"\"Basic\" realm=\"x\", Bearer realm=\"y\"", "Bearer{realm=y;}"},
    {"Basic realm=\"a\x01\", service=\"b\", Bearer realm=\"y\"", "Bearer{realm=y;}"},
    {"Basic \"Bearer realm=x\", Digest realm=y", "Digest{realm=y;}"},
    {"Basic realm=\"x\", =, Bearer realm=\"y\"", "Basic{realm=x;}Bearer{realm=y;}"},
    {"Basic realm=\"x\\", ""},
    {"Basic/realm=\"x\"", ""},
    {"{}", ""},
};

static void test_N30_challenges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(describe(rows[i].value, strlen(rows[i].value)), rows[i].expected) != 0)
            fail_msg("'%s' gave '%s', expected '%s'", rows[i].value,
                     describe(rows[i].value, strlen(rows[i].value)), rows[i].expected);
    }
}

static void test_N30_a_repeated_parameter_is_given_as_often(void **state)
{
    (void)state;
    assert_string_equal(describe("Basic realm=a, realm=b", 22), "Basic{realm=a;realm=b;}");
}

static void test_N30_nul_breaks_a_challenge_only(void **state)
{
    (void)state;
    assert_string_equal(describe("Basic realm=\"a\0b\", Bearer realm=c", 33), "Bearer{realm=c;}");
}

/* Time must not grow with the square of the size: one pass each over 64 KiB of every shape. */
static void test_N30_64_KiB_of_anything_end(void **state)
{
    static const char *const units[] = {",",  "a ",   "a=",         "a=b,", "\"",
                                        "\\", "a \"", "x y=\"\", ", "A,"};
    char *text = malloc(ORAS_CHALLENGE_MAX);

    (void)state;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        oras_challenge_cursor cursor = {text, ORAS_CHALLENGE_MAX};
        oras_challenge challenge;
        size_t n = 0;

        for (size_t at = 0; at < ORAS_CHALLENGE_MAX; at++)
            text[at] = units[i][at % strlen(units[i])];
        while (oras_challenge_next(&cursor, &challenge))
            n++;
        assert_true(n <= ORAS_CHALLENGE_MAX / 2);
        assert_int_equal(cursor.size, 0);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_N30_challenges),
        cmocka_unit_test(test_N30_a_repeated_parameter_is_given_as_often),
        cmocka_unit_test(test_N30_nul_breaks_a_challenge_only),
        cmocka_unit_test(test_N30_64_KiB_of_anything_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
