/* SPDX-License-Identifier: MIT
 * The policy: allowed means the same origin, or no way down; every spelling of an address
 * reaches as far as the address. */
#include "fuzz.h"
#include "oci/origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static oras_reach reach4(const uint8_t *bytes)
{
    struct sockaddr_in in = {.sin_family = AF_INET};

    memcpy(&in.sin_addr, bytes, 4);
    return oras_reach_of_address((struct sockaddr *)&in);
}

static oras_reach reach6(const uint8_t *bytes)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    memcpy(&in6.sin6_addr, bytes, 16);
    return oras_reach_of_address((struct sockaddr *)&in6);
}

static void check_ipv4(const uint8_t *b)
{
    static const char *const spellings[] = {"%u.%u.%u.%u", "0x%x.0x%x.0x%x.0x%x", "0%o.0%o.0%o.0%o",
                                            "%u.%u.%u.%u."};
    uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};
    unsigned number = (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
    char host[64];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        snprintf(host, sizeof host, spellings[i], b[0], b[1], b[2], b[3]);
        REQUIRE(oras_reach_of_host(host) == reach4(b));
    }
#pragma GCC diagnostic pop
    snprintf(host, sizeof host, "%u", number);
    REQUIRE(oras_reach_of_host(host) == reach4(b));
    snprintf(host, sizeof host, "0x%x", number);
    REQUIRE(oras_reach_of_host(host) == reach4(b));
    snprintf(host, sizeof host, "%u.%u", number >> 24, number & 0xffffff);
    REQUIRE(oras_reach_of_host(host) == reach4(b));
    memcpy(mapped + 12, b, 4);
    REQUIRE(reach6(mapped) == reach4(b));
}

static void check_ipv6(const uint8_t *bytes)
{
    char host[80] = "[";

    inet_ntop(AF_INET6, bytes, host + 1, sizeof host - 20);
    strcat(host, "]");
    REQUIRE(oras_reach_of_host(host) == reach6(bytes));
    host[strlen(host) - 1] = '\0';
    strcat(host, "%25eth0]");
    REQUIRE(oras_reach_of_host(host) == reach6(bytes));
}

static void check_policy(const oras_origin *from, oras_reach reach, const oras_origin *to)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_reach target = oras_reach_of_host(to->host);

    if (oras_origin_check(from, reach, to, &err)) {
        REQUIRE_ERROR(err, "redirect");
        REQUIRE(!oras_origin_equal(from, to));
        return;
    }
    if (oras_origin_equal(from, to))
        return;
    REQUIRE(to->https || !from->https);
    REQUIRE(target != ORAS_REACH_FORBIDDEN);
    if (target != ORAS_REACH_UNKNOWN && reach != ORAS_REACH_LOOPBACK)
        REQUIRE(target == ORAS_REACH_PUBLIC ||
                (target == ORAS_REACH_PRIVATE && reach == ORAS_REACH_PRIVATE));
}

/* Bytes: schemes and reach, then two hosts with a blank between. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    oras_origin from = {false, "", 80}, to = {false, "", 80};
    char *text, *second;
    char printed[ORAS_ORIGIN_TEXT_MAX];

    if (size >= 4)
        check_ipv4(data);
    if (size >= 16)
        check_ipv6(data);
    if (size < 2)
        return 0;
    from.https = data[0] & 1;
    to.https = data[0] & 2;
    to.port = 80 + (data[0] >> 2 & 1);
    text = fuzz_text(data + 2, size - 2);
    second = strchr(text, ' ');
    if (second)
        *second++ = '\0';
    snprintf(from.host, sizeof from.host, "%s", text);
    snprintf(to.host, sizeof to.host, "%s", second ? second : text);
    check_policy(&from, (oras_reach)(data[1] % 5), &to);
    oras_origin_print(&to, printed);
    REQUIRE(strlen(printed) == strlen(to.host) + strlen(to.https ? "https://:80" : "http://:80"));
    free(text);
    return 0;
}
