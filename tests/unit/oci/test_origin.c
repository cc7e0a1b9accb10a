/* SPDX-License-Identifier: MIT */
#include "oci/origin.h"

#include "cmocka_c11.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define LOOP ORAS_REACH_LOOPBACK
#define PRIV ORAS_REACH_PRIVATE
#define PUBL ORAS_REACH_PUBLIC
#define FORB ORAS_REACH_FORBIDDEN
#define UNKN ORAS_REACH_UNKNOWN

static const struct {
    const char *text;
    oras_reach reach;
} addresses[] = {
    {"127.0.0.1", LOOP},
    {"127.255.255.254", LOOP},
    {"128.0.0.0", PUBL},
    {"0.0.0.0", FORB},
    {"0.1.2.3", FORB},
    {"1.0.0.0", PUBL},
    {"8.8.8.8", PUBL},
    {"9.255.255.255", PUBL},
    {"10.0.0.0", PRIV},
    {"10.255.255.255", PRIV},
    {"11.0.0.0", PUBL},
    {"100.63.255.255", PUBL},
    {"100.64.0.0", PRIV},
    {"100.127.255.255", PRIV},
    {"100.128.0.0", PUBL},
    {"169.253.255.255", PUBL},
    {"169.254.169.254", FORB},
    {"169.255.0.0", PUBL},
    {"172.15.255.255", PUBL},
    {"172.16.0.0", PRIV},
    {"172.31.255.255", PRIV},
    {"172.32.0.0", PUBL},
    {"192.0.0.8", PRIV},
    {"192.0.2.1", PRIV},
    {"192.0.3.0", PUBL},
    {"192.167.255.255", PUBL},
    {"192.168.0.0", PRIV},
    {"192.169.0.0", PUBL},
    {"198.17.255.255", PUBL},
    {"198.18.0.0", PRIV},
    {"198.19.255.255", PRIV},
    {"198.51.100.1", PRIV},
    {"203.0.113.1", PRIV},
    {"223.255.255.255", PUBL},
    {"224.0.0.1", FORB},
    {"239.255.255.250", FORB},
    {"240.0.0.1", FORB},
    {"255.255.255.255", FORB},
    {"::1", LOOP},
    {"::", FORB},
    {"::2", FORB},
    {"::127.0.0.1", LOOP},
    {"::8.8.8.8", PUBL},
    {"::ffff:127.0.0.1", LOOP},
    {"::ffff:10.0.0.1", PRIV},
    {"::ffff:169.254.169.254", FORB},
    {"::ffff:0.0.0.0", FORB},
    {"::ffff:8.8.8.8", PUBL},
    {"::ffff:0:127.0.0.1", LOOP},
    {"64:ff9b::127.0.0.1", LOOP},
    {"64:ff9b::8.8.8.8", PUBL},
    {"64:ff9b::169.254.169.254", FORB},
    {"64:ff9b:1::10.0.0.1", PRIV},
    {"2002:7f00:1::", LOOP},
    {"2002:a9fe:a9fe::1", FORB},
    {"2002:0808:0808::1", PUBL},
    {"2001:0:808:808::5601:5601", FORB}, /* Teredo of 169.254.169.254 */
    {"2001:0:808:808::f5ff:fffe", PRIV}, /* Teredo of 10.0.0.1 */
    {"2001:db8::1", PRIV},
    {"2001:4860:4860::8888", PUBL},
    {"2a00:1450::1", PUBL},
    {"3fff:ffff::1", PUBL},
    {"4000::1", FORB},
    {"fc00::1", PRIV},
    {"fd00:ec2::254", PRIV},
    {"fe80::1", FORB},
    {"febf::1", FORB},
    {"fec0::1", PRIV},
    {"ff02::1", FORB},
    {"100::1", FORB},
};

static oras_reach reach_of(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return oras_reach_of_address((struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return oras_reach_of_address((struct sockaddr *)&in6);
}

static void test_N25_reach_of_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        if (reach_of(addresses[i].text) != addresses[i].reach)
            fail_msg("%s reaches %d, expected %d", addresses[i].text, reach_of(addresses[i].text),
                     addresses[i].reach);
    }
}

static void test_N25_other_address_families_are_forbidden(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)state;
    assert_int_equal(oras_reach_of_address((struct sockaddr *)&address), FORB);
}

static const struct {
    const char *host;
    oras_reach reach;
} hosts[] = {
    {"ghcr.io", UNKN},
    {"localhost", LOOP},
    {"LOCALHOST", LOOP},
    {"localhost.", LOOP},
    {"a.localhost", LOOP},
    {"a.b.localhost.", LOOP},
    {"notlocalhost", UNKN},
    {"localhost.example.com", UNKN},
    {"127.0.0.1", LOOP},
    {"127.1", LOOP},
    {"127.0.1", LOOP},
    {"2130706433", LOOP},
    {"0x7f000001", LOOP},
    {"0x7f.1", LOOP},
    {"0177.0.0.1", LOOP},
    {"017700000001", LOOP},
    {"0X7F.0X0.0X0.0X1", LOOP},
    {"127.0.0.1.", LOOP},
    {"0", FORB},
    {"0x", FORB},
    {"0.0.0.0", FORB},
    {"169.254.169.254", FORB},
    {"0xa9fea9fe", FORB},
    {"2852039166", FORB},
    {"0251.0376.0251.0376", FORB},
    {"10.1", PRIV},
    {"8.8.8.8", PUBL},
    {"134744072", PUBL},
    {"256.0.0.1", FORB},
    {"1.2.3.4.5", FORB},
    {"1.2.3.256", FORB},
    {"4294967296", FORB},
    {"99999999999999999999", FORB},
    {"1..2", FORB},
    {"08.8.8.8", FORB},
    {"example.123", FORB},
    {"1.2.3.4x", UNKN},
    {"[::1]", LOOP},
    {"[::]", FORB},
    {"[::ffff:7f00:1]", LOOP},
    {"[::ffff:a9fe:a9fe]", FORB},
    {"[fe80::1%25eth0]", FORB},
    {"[fe80::1%eth0]", FORB},
    {"[2606:4700::1111]", PUBL},
    {"[fd00::1]", PRIV},
    {"[nonsense]", FORB},
    {"[", FORB},
    {"", UNKN},
};

static void test_N25_reach_of_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        if (oras_reach_of_host(hosts[i].host) != hosts[i].reach)
            fail_msg("'%s' reaches %d, expected %d", hosts[i].host,
                     oras_reach_of_host(hosts[i].host), hosts[i].reach);
    }
}

/* What each kind of registry may send us to, by the reach of the resolved address. */
static void test_N25_policy_table(void **state)
{
    static const bool allowed[5][5] = {
        /* to:  loop   private public forbidden unknown */
        {true, true, true, false, false},   /* from loopback */
        {false, true, true, false, false},  /* private */
        {false, false, true, false, false}, /* public */
        {false, false, true, false, false}, /* forbidden: an odd registry is treated as public */
        {false, false, true, false, false}, /* unknown */
    };

    (void)state;
    for (int from = 0; from < 5; from++) {
        for (int to = 0; to < 5; to++)
            assert_int_equal(oras_reach_allowed((oras_reach)from, (oras_reach)to),
                             allowed[from][to]);
    }
}

static oras_origin origin(const char *text)
{
    oras_origin o = {strncmp(text, "https://", 8) == 0, "", 0};
    const char *host = text + (o.https ? 8 : 7), *colon = strrchr(host, ':');

    memcpy(o.host, host, (size_t)(colon - host));
    sscanf(colon + 1, "%d", &o.port);
    return o;
}

static const struct {
    const char *from;
    oras_reach reach;
    const char *to;
    bool allowed;
} realms[] = {
    /* a public registry */
    {"https://ghcr.io:443", PUBL, "https://ghcr.io:443", true},
    {"https://ghcr.io:443", PUBL, "https://auth.example:443", true},
    {"https://ghcr.io:443", PUBL, "https://ghcr.io:8443", true},
    {"https://ghcr.io:443", PUBL, "https://8.8.8.8:443", true},
    {"https://ghcr.io:443", PUBL, "http://ghcr.io:80", false},
    {"https://ghcr.io:443", PUBL, "http://auth.example:80", false},
    {"https://ghcr.io:443", PUBL, "http://ghcr.io:443", false},
    {"https://ghcr.io:443", PUBL, "https://localhost:443", false},
    {"https://ghcr.io:443", PUBL, "https://x.localhost:443", false},
    {"https://ghcr.io:443", PUBL, "https://127.0.0.1:443", false},
    {"https://ghcr.io:443", PUBL, "https://127.1:443", false},
    {"https://ghcr.io:443", PUBL, "https://2130706433:443", false},
    {"https://ghcr.io:443", PUBL, "https://0x7f000001:443", false},
    {"https://ghcr.io:443", PUBL, "https://0177.0.0.1:443", false},
    {"https://ghcr.io:443", PUBL, "https://0.0.0.0:443", false},
    {"https://ghcr.io:443", PUBL, "https://10.0.0.1:443", false},
    {"https://ghcr.io:443", PUBL, "https://192.168.1.1:443", false},
    {"https://ghcr.io:443", PUBL, "https://100.64.0.1:443", false},
    {"https://ghcr.io:443", PUBL, "https://169.254.169.254:443", false},
    {"https://ghcr.io:443", PUBL, "https://[::1]:443", false},
    {"https://ghcr.io:443", PUBL, "https://[::]:443", false},
    {"https://ghcr.io:443", PUBL, "https://[::ffff:7f00:1]:443", false},
    {"https://ghcr.io:443", PUBL, "https://[::ffff:a9fe:a9fe]:443", false},
    {"https://ghcr.io:443", PUBL, "https://[fe80::1%25eth0]:443", false},
    {"https://ghcr.io:443", PUBL, "https://[fd00::1]:443", false},
    {"https://ghcr.io:443", PUBL, "https://[64:ff9b::a9fe:a9fe]:443", false},
    {"https://ghcr.io:443", PUBL, "https://255.255.255.255:443", false},
    {"https://ghcr.io:443", PUBL, "https://[ff02::1]:443", false},
    {"http://mirror.example:80", PUBL, "https://auth.example:443", true},
    {"http://mirror.example:80", PUBL, "http://auth.example:80", true},
    {"http://mirror.example:80", PUBL, "http://127.0.0.1:80", false},
    /* one that was not resolved counts as public */
    {"https://ghcr.io:443", UNKN, "https://10.0.0.1:443", false},
    /* a private registry */
    {"https://registry.corp:443", PRIV, "https://10.0.0.1:443", true},
    {"https://registry.corp:443", PRIV, "https://8.8.8.8:443", true},
    {"https://registry.corp:443", PRIV, "https://127.0.0.1:443", false},
    {"https://registry.corp:443", PRIV, "https://169.254.169.254:443", false},
    {"http://10.0.0.5:5000", PRIV, "http://10.0.0.5:5001", true},
    /* one on this machine */
    {"http://127.0.0.1:5000", LOOP, "http://127.0.0.1:5001", true},
    {"http://127.0.0.1:5000", LOOP, "http://10.0.0.1:80", true},
    {"http://127.0.0.1:5000", LOOP, "https://ghcr.io:443", true},
    {"http://127.0.0.1:5000", LOOP, "http://169.254.169.254:80", false},
    {"http://127.0.0.1:5000", LOOP, "http://0.0.0.0:5000", false},
    {"https://127.0.0.1:5000", LOOP, "http://127.0.0.1:5001", false},
    /* the same origin, wherever it is */
    {"http://169.254.1.1:5000", FORB, "http://169.254.1.1:5000", true},
    {"http://169.254.1.1:5000", FORB, "http://169.254.1.1:5001", false},
    {"https://127.0.0.1:5000", LOOP, "https://127.0.0.1:5000", true},
};

static void test_CVE_2026_48978_N24_N25_where_a_server_may_send_us(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof realms / sizeof realms[0]; i++) {
        oras_origin from = origin(realms[i].from), to = origin(realms[i].to);
        oras_error err = ORAS_ERROR_INIT;
        oras_code code = oras_origin_check(&from, realms[i].reach, &to, &err);

        if ((code == ORAS_OK) != realms[i].allowed)
            fail_msg("%s -> %s: %s", realms[i].from, realms[i].to, code ? err.message : "allowed");
        if (code)
            assert_class(code, ORAS_C_REDIRECT);
    }
}

static void test_N24_a_refusal_names_both_ends(void **state)
{
    oras_origin from = origin("https://ghcr.io:443"), to = origin("http://a.example:80");
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    oras_origin_check(&from, PUBL, &to, &err);
    assert_string_equal(
        err.message, "'https://ghcr.io:443' sends us to 'http://a.example:80', from https to http");
}

static void test_origins_differ_by_scheme_host_or_port(void **state)
{
    oras_origin a = origin("https://h:443"), b;

    (void)state;
    b = origin("https://h:443");
    assert_true(oras_origin_equal(&a, &b));
    b = origin("http://h:443");
    assert_false(oras_origin_equal(&a, &b));
    b = origin("https://h:444");
    assert_false(oras_origin_equal(&a, &b));
    b = origin("https://i:443");
    assert_false(oras_origin_equal(&a, &b));
}

static void test_the_longest_origin_can_be_printed(void **state)
{
    oras_origin o = {true, "", 65535};
    char text[ORAS_ORIGIN_TEXT_MAX];

    (void)state;
    memset(o.host, 'a', ORAS_HOST_MAX);
    oras_origin_print(&o, text);
    assert_int_equal(strlen(text), 8 + ORAS_HOST_MAX + 6);
    assert_string_equal(text + 8 + ORAS_HOST_MAX, ":65535");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_N25_reach_of_addresses),
        cmocka_unit_test(test_N25_other_address_families_are_forbidden),
        cmocka_unit_test(test_N25_reach_of_hosts),
        cmocka_unit_test(test_N25_policy_table),
        cmocka_unit_test(test_CVE_2026_48978_N24_N25_where_a_server_may_send_us),
        cmocka_unit_test(test_N24_a_refusal_names_both_ends),
        cmocka_unit_test(test_origins_differ_by_scheme_host_or_port),
        cmocka_unit_test(test_the_longest_origin_can_be_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
