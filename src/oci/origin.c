/* SPDX-License-Identifier: MIT */
#include "oci/origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void oras_origin_print(const oras_origin *origin, char *buf)
{
    snprintf(buf, ORAS_ORIGIN_TEXT_MAX, "%s://%s:%d", origin->https ? "https" : "http",
             origin->host, origin->port);
}

bool oras_origin_equal(const oras_origin *a, const oras_origin *b)
{
    return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

typedef struct block4 {
    uint32_t network;
    int n_bits;
    oras_reach reach;
} block4;

/* IANA IPv4 special-purpose registry; what is not global but no danger either is private. */
static const block4 blocks4[] = {
    {0x00000000, 8, ORAS_REACH_FORBIDDEN}, /* "this network" */
    {0x0a000000, 8, ORAS_REACH_PRIVATE},
    {0x64400000, 10, ORAS_REACH_PRIVATE}, /* 100.64/10, carrier NAT */
    {0x7f000000, 8, ORAS_REACH_LOOPBACK},
    {0xa9fe0000, 16, ORAS_REACH_FORBIDDEN}, /* 169.254/16, link-local */
    {0xac100000, 12, ORAS_REACH_PRIVATE},
    {0xc0000000, 24, ORAS_REACH_PRIVATE}, /* 192.0.0/24, protocol assignments */
    {0xc0000200, 24, ORAS_REACH_PRIVATE}, /* 192.0.2/24, documentation */
    {0xc0a80000, 16, ORAS_REACH_PRIVATE},
    {0xc6120000, 15, ORAS_REACH_PRIVATE}, /* 198.18/15, benchmarks */
    {0xc6336400, 24, ORAS_REACH_PRIVATE}, /* 198.51.100/24, documentation */
    {0xcb007100, 24, ORAS_REACH_PRIVATE}, /* 203.0.113/24, documentation */
    {0xe0000000, 3, ORAS_REACH_FORBIDDEN} /* multicast, reserved, broadcast */
};

static oras_reach reach_of_ipv4(uint32_t address)
{
    for (size_t i = 0; i < sizeof blocks4 / sizeof blocks4[0]; i++) {
        if ((address ^ blocks4[i].network) >> (32 - blocks4[i].n_bits) == 0)
            return blocks4[i].reach;
    }
    return ORAS_REACH_PUBLIC;
}

typedef struct block6 {
    unsigned char prefix[12];
    int n_bits;
    enum { PLAIN, LAST4, LAST4_INVERTED, BYTES2_5 } ipv4; /* where an IPv4 address hides */
    oras_reach reach;                                     /* of PLAIN ones */
} block6;

/* First match counts. Addresses that carry an IPv4 address reach as far as that. */
static const block6 blocks6[] = {
    {{0}, 96, LAST4, ORAS_REACH_UNKNOWN},                                        /* v4-compatible */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, LAST4, ORAS_REACH_UNKNOWN}, /* mapped */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, LAST4, ORAS_REACH_UNKNOWN},       /* translated */
    {{0, 0x64, 0xff, 0x9b}, 96, LAST4, ORAS_REACH_UNKNOWN},                      /* NAT64 */
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, LAST4, ORAS_REACH_UNKNOWN},                /* local NAT64 */
    {{0x20, 0x01, 0, 0}, 32, LAST4_INVERTED, ORAS_REACH_UNKNOWN},                /* Teredo */
    {{0x20, 0x02}, 16, BYTES2_5, ORAS_REACH_UNKNOWN},                            /* 6to4 */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, PLAIN, ORAS_REACH_PRIVATE},                   /* documentation */
    {{0x20}, 3, PLAIN, ORAS_REACH_PUBLIC},                                       /* 2000::/3 */
    {{0xfc}, 7, PLAIN, ORAS_REACH_PRIVATE},                                      /* unique local */
    {{0xfe, 0xc0}, 10, PLAIN, ORAS_REACH_PRIVATE}, /* old site-local */
};

static bool in_block(const unsigned char *address, const block6 *block)
{
    int n_bytes = block->n_bits / 8, rest = block->n_bits % 8;

    if (memcmp(address, block->prefix, (size_t)n_bytes) != 0)
        return false;
    return rest == 0 || (address[n_bytes] ^ block->prefix[n_bytes]) >> (8 - rest) == 0;
}

static uint32_t ipv4_at(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static oras_reach reach_in_block(const unsigned char *address, const block6 *block)
{
    switch (block->ipv4) {
    case LAST4:
        return reach_of_ipv4(ipv4_at(address + 12));
    case LAST4_INVERTED:
        return reach_of_ipv4(~ipv4_at(address + 12));
    case BYTES2_5:
        return reach_of_ipv4(ipv4_at(address + 2));
    case PLAIN:
        break;
    }
    return block->reach;
}

static oras_reach reach_of_ipv6(const unsigned char *address)
{
    static const unsigned char one[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

    if (memcmp(address, one, sizeof one) == 0)
        return ORAS_REACH_LOOPBACK;
    for (size_t i = 0; i < sizeof blocks6 / sizeof blocks6[0]; i++) {
        if (in_block(address, &blocks6[i]))
            return reach_in_block(address, &blocks6[i]);
    }
    return ORAS_REACH_FORBIDDEN; /* link-local, multicast, not assigned */
}

oras_reach oras_reach_of_address(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, address, sizeof in);
        return reach_of_ipv4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, address, sizeof in6);
        return reach_of_ipv6(in6.sin6_addr.s6_addr);
    }
    return ORAS_REACH_FORBIDDEN;
}

/* "[::1]" or "[fe80::1%25eth0]": the zone does not change the reach. */
static oras_reach reach_of_bracketed(const char *host)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[16];
    size_t size = strcspn(host + 1, "]%");

    if (size >= sizeof text)
        return ORAS_REACH_FORBIDDEN;
    memcpy(text, host + 1, size);
    text[size] = '\0';
    return inet_pton(AF_INET6, text, address) == 1 ? reach_of_ipv6(address) : ORAS_REACH_FORBIDDEN;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* A part of an address as inet_aton() takes it: decimal, 0octal, 0xhex. */
static bool parse_part(const char *at, size_t size, uint64_t *out)
{
    int base = 10;

    if (size > 1 && at[0] == '0') {
        base = (at[1] == 'x' || at[1] == 'X') ? 16 : 8;
        at += base == 16 ? 2 : 1;
        size -= base == 16 ? 2 : 1;
    }
    if (size == 0 && base == 10)
        return false;
    for (*out = 0; size > 0; size--, at++) {
        if (digit_of(*at) >= base)
            return false;
        *out = *out * (unsigned)base + (unsigned)digit_of(*at);
        if (*out > UINT32_MAX)
            *out = (uint64_t)UINT32_MAX + 1;
    }
    return true;
}

/* Does the last label look like a number? Then the host is an address or nothing. */
static bool ends_in_number(const char *host, size_t size)
{
    uint64_t ignored;
    size_t start = size;

    while (start > 0 && host[start - 1] != '.')
        start--;
    return parse_part(host + start, size - start, &ignored) ||
           (size > start && strspn(host + start, "0123456789") >= size - start);
}

/* One to four parts, of which the last fills what the others leave. */
static bool parse_ipv4(const char *host, size_t size, uint32_t *out)
{
    uint64_t address = 0, part = 0;
    int n_parts = 0;

    for (size_t at = 0; at <= size; n_parts++) {
        size_t end = at;

        while (end < size && host[end] != '.')
            end++;
        if (n_parts == 4 || !parse_part(host + at, end - at, &part))
            return false;
        if (end < size && part > 255)
            return false;
        if (end < size)
            address |= part << (24 - 8 * n_parts);
        at = end + 1;
    }
    if (part >> (8 * (5 - n_parts)))
        return false;
    *out = (uint32_t)(address | part);
    return true;
}

static bool is_localhost(const char *host, size_t size)
{
    static const char name[] = "localhost";
    size_t name_size = sizeof name - 1;

    if (size < name_size || strncasecmp(host + size - name_size, name, name_size) != 0)
        return false;
    return size == name_size || host[size - name_size - 1] == '.';
}

oras_reach oras_reach_of_host(const char *host)
{
    size_t size = strlen(host);
    uint32_t address;

    if (*host == '[')
        return reach_of_bracketed(host);
    if (size && host[size - 1] == '.')
        size--;
    if (is_localhost(host, size))
        return ORAS_REACH_LOOPBACK;
    if (!ends_in_number(host, size))
        return ORAS_REACH_UNKNOWN;
    return parse_ipv4(host, size, &address) ? reach_of_ipv4(address) : ORAS_REACH_FORBIDDEN;
}

bool oras_reach_allowed(oras_reach from, oras_reach to)
{
    if (to == ORAS_REACH_FORBIDDEN || to == ORAS_REACH_UNKNOWN)
        return false;
    if (from == ORAS_REACH_LOOPBACK)
        return true;
    if (from == ORAS_REACH_PRIVATE)
        return to != ORAS_REACH_LOOPBACK;
    return to == ORAS_REACH_PUBLIC; /* whoever is not known to be near counts as public */
}

static const char *reach_name(oras_reach reach)
{
    static const char *const names[] = {"a loopback address", "a private address",
                                        "a public address", "an address no server may name",
                                        "a name"};
    return names[reach];
}

static oras_code refuse(const oras_origin *from, const oras_origin *to, const char *why,
                        oras_error *err)
{
    char a[ORAS_ORIGIN_TEXT_MAX], b[ORAS_ORIGIN_TEXT_MAX];

    oras_origin_print(from, a);
    oras_origin_print(to, b);
    return oras_fail(err, ORAS_C_REDIRECT, "'%.150s' sends us to '%.150s', %s", a, b, why);
}

oras_code oras_origin_check(const oras_origin *from, oras_reach reach, const oras_origin *to,
                            oras_error *err)
{
    oras_reach target;

    if (oras_origin_equal(from, to))
        return ORAS_OK;
    if (from->https && !to->https)
        return refuse(from, to, "from https to http", err);
    target = oras_reach_of_host(to->host);
    if (target != ORAS_REACH_UNKNOWN && !oras_reach_allowed(reach, target))
        return refuse(from, to, reach_name(target), err);
    return ORAS_OK;
}
