/* SPDX-License-Identifier: MIT */
#include "oci/fields.h"

#include "cmocka_c11.h"
#include "oci/date.h"

#include <string.h>

#define NOW INT64_C(1700000000) /* Tue, 14 Nov 2023 22:13:20 GMT */

static const struct {
    const char *value;
    int64_t first, last, total;
} ranges[] = {
    {"bytes 0-9/10", 0, 9, 10},
    {"bytes 500-999/1000", 500, 999, 1000},
    {"bytes 0-0/1", 0, 0, 1},
    {"bytes 5-9/*", 5, 9, -1},
    {"Bytes 0-9/10", 0, 9, 10},
    {" bytes  0-9/10 ", 0, 9, 10},
    {"bytes 0-9223372036854775806/9223372036854775807", 0, INT64_MAX - 1, INT64_MAX},
};

static const char *const bad_ranges[] = {
    "",
    "bytes",
    "bytes ",
    "bytes */10",
    "bytes 0-9",
    "bytes 0-9/",
    "bytes 0-9/9",
    "bytes 9-0/10",
    "bytes -5/10",
    "bytes 5-/10",
    "bytes 0-9/10,",
    "bytes 0-9/10, 20-29/30",
    "bytes=0-9/10",
    "0-9/10",
    "items 0-9/10",
    "bytes 0-9/-1",
    "bytes 0-9 /10",
    "bytes 0x0-9/10",
    "bytes 0-99999999999999999999/*",
    "bytes 1.0-9/10",
};

static void test_N39_content_range(void **state)
{
    oras_content_range range;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        assert_int_equal(oras_content_range_parse(ranges[i].value, &range, NULL), ORAS_OK);
        assert_true(range.first == ranges[i].first && range.last == ranges[i].last &&
                    range.total == ranges[i].total);
    }
    for (size_t i = 0; i < sizeof bad_ranges / sizeof bad_ranges[0]; i++) {
        if (!oras_content_range_parse(bad_ranges[i], &range, &err))
            fail_msg("'%s' was taken", bad_ranges[i]);
        assert_class(err.code, ORAS_C_PROTOCOL);
    }
}

static const struct {
    const char *value;
    int64_t seconds;
} waits[] = {
    {"0", 0},
    {"120", 120},
    {" 120 ", 120},
    {"1000000000", 1000000000},
    {"99999999999999999999", INT64_MAX},
    {"Tue, 14 Nov 2023 22:14:20 GMT", 60},
    {"Tuesday, 14-Nov-23 22:14:20 GMT", 60},
    {"Tue Nov 14 22:14:20 2023", 60},
    {"Tue Nov  7 22:14:20 2023", 0},
    {"Tue, 14 Nov 2023 22:13:20 GMT", 0},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
    {"Wed, 15 Nov 2023 22:13:20 GMT ", 86400},
};

static const char *const bad_waits[] = {
    "",
    "-1",
    "+1",
    "1.5",
    "1e9",
    "soon",
    "120 s",
    "120, 130",
    "Tue, 14 Nov 2023 22:14:20",
    "Tue, 14 Nov 2023 22:14:20 CET",
    "Tue, 14 Nov 2023 22:14:20 GMT+1",
    "tue, 14 Nov 2023 22:14:20 GMT",
    "Tue, 32 Nov 2023 22:14:20 GMT",
    "Tue, 31 Nov 2023 22:14:20 GMT",
    "Tue, 00 Nov 2023 22:14:20 GMT",
    "Wed, 29 Feb 2023 22:14:20 GMT",
    "Tue, 14 Nov 2023 24:14:20 GMT",
    "Tue, 14 Nov 2023 22:60:20 GMT",
    "Tue, 14 Nov 2023 22:14:61 GMT",
    "Tue, 14 Nov 23 22:14:20 GMT",
    "Tue, 4 Nov 2023 22:14:20 GMT",
    "Tue, 14 Brumaire 2023 22:14:20 GMT",
    "Tue, 14 Nov 2023 22:14:20 GMT                                                              x",
};

static void test_N37_retry_after(void **state)
{
    int64_t seconds;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        if (oras_retry_after_parse(waits[i].value, NOW, &seconds, &err))
            fail_msg("'%s': %s", waits[i].value, err.message);
        assert_true(seconds == waits[i].seconds);
    }
    for (size_t i = 0; i < sizeof bad_waits / sizeof bad_waits[0]; i++) {
        seconds = 7;
        if (!oras_retry_after_parse(bad_waits[i], NOW, &seconds, &err))
            fail_msg("'%s' was taken", bad_waits[i]);
        assert_class(err.code, ORAS_C_PROTOCOL);
        assert_true(seconds == 7);
    }
}

static const struct {
    const char *text;
    int64_t time;
} dates[] = {
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Tue, 29 Feb 2000 12:00:00 GMT", 951825600},
    {"Mon, 18 Jan 2038 03:14:08 GMT", 2147397248},
    {"Tue, 19 Jan 2038 03:14:08 GMT", INT64_C(2147483648)},
    {"Mon, 01 Mar 2100 00:00:00 GMT", INT64_C(4107542400)},
    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
    /* two digits: more than 50 years ahead of 2023 is the past */
    {"Saturday, 01-Jan-73 00:00:00 GMT", INT64_C(3250454400)},
    {"Tuesday, 01-Jan-74 00:00:00 GMT", 126230400},
};

static void test_L21_dates_need_no_locale_and_no_time_zone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        int64_t time = 0;

        assert_true(oras_date_parse(dates[i].text, NOW, &time));
        assert_true(time == dates[i].time);
    }
}

static const struct {
    const char *value, *target; /* NULL: none */
} links[] = {
    {"</v2/_catalog?last=dst%2Fa&n=2>; rel=\"next\"", "/v2/_catalog?last=dst%2Fa&n=2"},
    {"<a>;rel=next", "a"},
    {"<a>; REL=Next", "a"},
    {" , <a> ; rel = next", "a"},
    {"<a>; rel=\"prev next\"", "a"},
    {"<a>; rel=\"nextish\", <b>; rel=\"next\"", "b"},
    {"<a,b;c>; rel=\"next\"", "a,b;c"},
    {"<a>; title=\"x, <z>; rel=next\"; rel=prev, <b>; rel=next", "b"},
    {"<a>; title=\"q\\\"; rel=next\", <b>; rel=next", "b"},
    {"<a>; rel=prev; rel=next, <b>; rel=next", "b"},
    {"<a>; rel=next; title=x", "a"},
    {"<a>; foo; rel=next", "a"},
    {"<a>; rel=next; anchor=\"/other\", <b>; rel=next", "b"},
    {"<https://[::1]:5000/x>; rel=next", "https://[::1]:5000/x"},
    {"<a>", NULL},
    {"", NULL},
    {"<>; rel=next", NULL},
    {"<a b>; rel=next", NULL},
    {"<a\x01>; rel=next", NULL},
    {"<a; rel=next", NULL},
    {"a; rel=next", NULL},
    {"<a>; rel=\"next", "a"},
    {"<a> rel=next", NULL},
    {"<a>; rel", NULL},
    {"<a>; rel=", NULL},
    {"<a>; xrel=next", NULL},
    {"<a>; rel*=next", NULL},
    {"junk, <a>; rel=next", NULL},
};

static void test_N52_links(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        oras_buf out = ORAS_BUF_INIT(1000);
        bool found = oras_link_find(links[i].value, "next", &out);

        if (found != (links[i].target != NULL))
            fail_msg("'%s' gave '%s'", links[i].value, oras_buf_text(&out));
        assert_string_equal(oras_buf_text(&out), links[i].target ? links[i].target : "");
        oras_buf_dispose(&out);
    }
}

static const struct {
    const char *value, *text; /* NULL: none */
} warnings[] = {
    {"299 - \"a\"", "a"},
    {" 299 - \"going away\" ", "going away"},
    {"299 - \"say \\\"x\\\" \\\\\"", "say \"x\" \\"},
    {"299 - \"esc\x1b[31m\x07\"", "esc[31m"},
    {"299 - \"\"", NULL},
    {"199 - \"a\"", NULL},
    {"299 registry \"a\"", NULL},
    {"299 - a", NULL},
    {"299 - \"a", NULL},
    {"299 - \"a\\\"", NULL},
    {"299 - \"a\" \"Tue, 14 Nov 2023 22:14:20 GMT\"", NULL},
    {"299  - \"a\"", NULL},
    {"", NULL},
};

static void test_warnings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof warnings / sizeof warnings[0]; i++) {
        oras_buf out = ORAS_BUF_INIT(1000);

        assert_int_equal(oras_warning_parse(warnings[i].value, &out), warnings[i].text != NULL);
        assert_string_equal(oras_buf_text(&out), warnings[i].text ? warnings[i].text : "");
        oras_buf_dispose(&out);
    }
}

static void test_a_warning_has_4096_bytes_at_most(void **state)
{
    char value[6000];
    oras_buf out = ORAS_BUF_INIT(10000);

    (void)state;
    memset(value, 'x', sizeof value);
    memcpy(value, "299 - \"", 7);
    memcpy(value + 4095, "\"", 2);
    assert_true(oras_warning_parse(value, &out));
    memcpy(value + 4095, "x\"", 3);
    assert_false(oras_warning_parse(value, &out));
    oras_buf_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_N39_content_range),
        cmocka_unit_test(test_N37_retry_after),
        cmocka_unit_test(test_L21_dates_need_no_locale_and_no_time_zone),
        cmocka_unit_test(test_N52_links),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_a_warning_has_4096_bytes_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
