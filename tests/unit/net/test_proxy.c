/* SPDX-License-Identifier: MIT */
#include "cmocka_c11.h"
#include "net/proxy.h"

#include <stdlib.h>
#include <string.h>

static void n53_no_proxy_names_domains_addresses_and_networks(void **state)
{
    static const struct {
        const char *list, *host;
        bool expected;
    } cases[] = {
        {"", "a.test", false},
        {",, ,", "a.test", false},
        {"*", "a.test", true},
        {"a.test", "a.test", true},
        {"A.Test", "a.test", true},
        {"a.test.", "a.test", true},
        {".test", "a.test", true},
        {".", "a.test", false},
        {"test", "a.test", true},
        {"est", "a.test", false},
        {"x.a.test", "a.test", false},
        {"b.test, a.test", "a.test", true},
        {"b.test a.test", "a.test", true},
        {"b.test,c.test", "a.test", false},
        {"a*", "a.test", false},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.30", false},
        {"2.3", "10.1.2.3", false},
        {"10.0.0.0/8", "10.1.2.3", true},
        {"10.0.0.0/8", "11.1.2.3", false},
        {"10.128.0.0/9", "10.1.2.3", false},
        {"10.0.0.0/9", "10.1.2.3", true},
        {"10.1.2.3/32", "10.1.2.3", true},
        {"0.0.0.0/0", "10.1.2.3", true},
        {"10.0.0.0/33", "10.1.2.3", false},
        {"10.0.0.0/x", "10.1.2.3", false},
        {"10.0.0.0/", "10.1.2.3", false},
        {"::1", "[::1]", true},
        {"[::1]", "[::1]", true},
        {"fc00::/7", "[fd12::1]", true},
        {"fc00::/7", "[fe12::1]", false},
        {"::/0", "10.1.2.3", false},
        {"10.0.0.0/8", "10.0.0.0.test", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (oras_proxy_is_exempt(cases[i].list, cases[i].host) != cases[i].expected)
            fail_msg("'%s' and '%s'", cases[i].list, cases[i].host);
    }
}

static void n53_no_proxy_with_a_huge_entry_goes_on_behind_it(void **state)
{
    char list[4000];

    (void)state;
    memset(list, 'a', sizeof list);
    memcpy(list + sizeof list - 8, ",a.test", 8);
    assert_true(oras_proxy_is_exempt(list, "a.test"));
}

static void clear(void)
{
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
}

static void expect(bool https, const char *host, const char *expected)
{
    oras_origin origin = {.https = https, .port = 1};
    oras_proxy_env env;
    const char *got;

    memcpy(origin.host, host, strlen(host) + 1);
    assert_true(oras_proxy_env_read(&env));
    got = oras_proxy_of_env(&env, &origin);
    if (expected)
        assert_string_equal(expected, got);
    else
        assert_null(got);
    oras_proxy_env_dispose(&env);
}

static void n53_the_environment_names_a_proxy_for_each_scheme(void **state)
{
    (void)state;
    clear();
    expect(true, "a.test", NULL);
    setenv("HTTP_PROXY", "http://cgi", 1);
    expect(false, "a.test", NULL);
    setenv("ALL_PROXY", "http://all", 1);
    expect(false, "a.test", "http://all");
    expect(true, "a.test", "http://all");
    setenv("http_proxy", "http://plain", 1);
    setenv("HTTPS_PROXY", "http://SECURE", 1);
    expect(false, "a.test", "http://plain");
    expect(true, "a.test", "http://SECURE");
    setenv("https_proxy", "http://secure", 1);
    expect(true, "a.test", "http://secure");
    setenv("NO_PROXY", "a.test", 1);
    expect(true, "a.test", NULL);
    expect(true, "b.test", "http://secure");
    setenv("https_proxy", "", 1);
    expect(true, "b.test", "http://SECURE");
    clear();
}

static void n53_a_proxy_is_named_without_its_password(void **state)
{
    static const char *const cases[][2] = {
        {"http://user:p@ss@proxy.test:3128/x@y", "proxy.test:3128"},
        {"proxy.test", "proxy.test"},
        {"user:password@proxy.test:1", "proxy.test:1"},
        {"http://[::1]:3128", "[::1]:3128"},
        {"", ""},
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        oras_proxy_print(cases[i][0], text, sizeof text);
        assert_string_equal(cases[i][1], text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(n53_no_proxy_names_domains_addresses_and_networks),
        cmocka_unit_test(n53_no_proxy_with_a_huge_entry_goes_on_behind_it),
        cmocka_unit_test(n53_the_environment_names_a_proxy_for_each_scheme),
        cmocka_unit_test(n53_a_proxy_is_named_without_its_password),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
