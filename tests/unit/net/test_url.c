/* SPDX-License-Identifier: MIT */
#include "cmocka_c11.h"
#include "net/url.h"

#include <stdio.h>
#include <string.h>

static void test_takes_apart(void **state)
{
    static const struct {
        const char *url, *origin, *path, *query;
    } rows[] = {
        {"http://127.0.0.1:5000/v2/", "http://127.0.0.1:5000", "/v2/", NULL},
        {"HTTPS://GHCR.io/v2/a?x=1&y=", "https://ghcr.io:443", "/v2/a", "x=1&y="},
        {"https://[::1]:8443/x", "https://[::1]:8443", "/x", NULL},
        {"https://host./x", "https://host:443", "/x", NULL},
        {"http://0x7f.1/", "http://127.0.0.1:80", "/", NULL},
        {"https://h/a/./b/%2e%2E/%zz?~%2f#frag", "https://h:443", "/a/./b/%2e%2E/%zz", "~%2f"},
        {"https://h", "https://h:443", "/", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        oras_error err = ORAS_ERROR_INIT;
        char origin[ORAS_ORIGIN_TEXT_MAX];
        oras_url url;

        if (oras_url_parse(rows[i].url, ORAS_C_USAGE, &url, &err))
            fail_msg("%s: %s", rows[i].url, err.message);
        oras_origin_print(&url.origin, origin);
        assert_string_equal(origin, rows[i].origin);
        assert_string_equal(url.path, rows[i].path);
        assert_true((url.query == NULL) == (rows[i].query == NULL));
        if (url.query)
            assert_string_equal(url.query, rows[i].query);
        oras_url_dispose(&url);
    }
}

static void test_N24_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "h",
        "/path",
        "http:/x/y",
        "http:///x",
        "http://",
        "http://?q",
        "http://evil\\@h/",
        "http://h\\evil/",
        "http://user@h/",
        "http://user:secret@h/",
        "http://h/ x",
        "http://h/\r\nX: y",
        "http://h:99999/",
        "http://h:0/",
        "http://h:port/",
        "ftp://h/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "gopher://h/",
        "javascript:alert(1)",
        "http://a@b@c/",
        "http://[fe80::1%25eth0]/",
        "http://b\xc3\xbc"
        "cher.example/",
        "http://a..b/",
        "http://host../",
        "http://127.1./",
        "http://169./",
        "http://127.0.0.1./",
        "http://ho_st!/",
        "httpss://h/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        oras_error err = ORAS_ERROR_INIT;
        oras_url url;

        if (!oras_url_parse(rows[i], ORAS_C_REDIRECT, &url, &err))
            fail_msg("'%s' was accepted as %s", rows[i], url.text);
        assert_string_equal(err.class_name, "redirect");
        assert_null(strstr(err.message, "secret"));
    }
}

static void test_huge_is_refused(void **state)
{
    static char text[ORAS_URL_MAX + 100];
    oras_error err = ORAS_ERROR_INIT;
    oras_url url;

    (void)state;
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "http://h/", 9);
    assert_class(oras_url_parse(text, ORAS_C_REDIRECT, &url, &err), ORAS_C_REDIRECT);
}

static void test_N21_resolves(void **state)
{
    static const char base[] = "https://h:8443/v2/a/list?n=2";
    static const struct {
        const char *reference, *url;
    } rows[] = {
        {"https://other/x", "https://other/x"}, {"//other/x?y", "https://other/x?y"},
        {"/v2/b", "https://h:8443/v2/b"},       {"next", "https://h:8443/v2/a/next"},
        {"../c", "https://h:8443/v2/c"},        {"?last=z", "https://h:8443/v2/a/list?last=z"},
        {"", "https://h:8443/v2/a/list?n=2"},   {"#f", "https://h:8443/v2/a/list?n=2"},
        {"/x#f", "https://h:8443/x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        oras_error err = ORAS_ERROR_INIT;
        oras_url url;

        if (oras_url_resolve(base, rows[i].reference, &url, &err))
            fail_msg("%s: %s", rows[i].reference, err.message);
        assert_string_equal(url.text, rows[i].url);
        oras_url_dispose(&url);
    }
}

static void test_N24_relative_refused(void **state)
{
    static const char *const rows[] = {"//",      "///x",  "//user:pw@h/",     "/a b",   "\\evil",
                                       "/\\evil", "/a\rb", "file:/etc/passwd", "http:/x"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        oras_error err = ORAS_ERROR_INIT;
        oras_url url;

        if (!oras_url_resolve("https://h/", rows[i], &url, &err))
            fail_msg("'%s' was accepted as %s", rows[i], url.text);
        assert_string_equal(err.class_name, "redirect");
    }
}

static void test_query_is_appended(void **state)
{
    oras_buf out = ORAS_BUF_INIT(4096);

    (void)state;
    assert_int_equal(
        oras_url_append_query("https://h/x?_state=a%3D", "digest", "sha256:ab", &out, NULL),
        ORAS_OK);
    assert_string_equal(out.data, "https://h/x?_state=a%3D&digest=sha256:ab");
    oras_buf_clear(&out);
    oras_url_append_query("https://h/x#f", "t", "a+b c&d=\"", &out, NULL);
    assert_string_equal(out.data, "https://h/x?t=a%2Bb%20c%26d%3D%22");
    oras_buf_dispose(&out);
}

static void test_loopback(void **state)
{
    static const struct {
        const char *url;
        bool loopback;
    } rows[] = {{"http://127.0.0.1/", true},   {"http://127.8.9.1:5000/", true},
                {"http://localhost/", true},   {"http://[::1]/", true},
                {"http://2130706433/", true},  {"http://localhost.evil.com/", false},
                {"http://10.0.0.1/", false},   {"http://128.0.0.1/", false},
                {"http://127.0.0.1.x/", false}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        oras_url url;

        assert_int_equal(oras_url_parse(rows[i].url, ORAS_C_USAGE, &url, NULL), ORAS_OK);
        if (oras_url_is_loopback(&url) != rows[i].loopback)
            fail_msg("%s", rows[i].url);
        oras_url_dispose(&url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_apart),
        cmocka_unit_test(test_N24_refused),
        cmocka_unit_test(test_huge_is_refused),
        cmocka_unit_test(test_N21_resolves),
        cmocka_unit_test(test_N24_relative_refused),
        cmocka_unit_test(test_query_is_appended),
        cmocka_unit_test(test_loopback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
