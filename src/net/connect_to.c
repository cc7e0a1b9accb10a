/* SPDX-License-Identifier: MIT
 * "host:port:address[:port]" as libcurl takes it, checked before: it takes anything. */
#include "net/connect_to.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "net/curl.h"

#include <arpa/inet.h>
#include <string.h>

#define MAX_TEXT 512 /* a host of 253 bytes, an address, two ports */
#define NAME                                                                                       \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"                                         \
    "0123456789.-_"
#define V6 "0123456789abcdefABCDEF:."

typedef struct piece {
    const char *text;
    size_t size;
} piece;

/* "[v6]", or what is made of the characters of a name; false when neither begins here. */
static bool take_host(const char **at, piece *out)
{
    bool bracket = **at == '[';
    size_t size = bracket ? strspn(*at + 1, V6) : strspn(*at, NAME);

    if (size == 0 || (bracket && (*at)[size + 1] != ']'))
        return false;
    *out = (piece){*at, bracket ? size + 2 : size};
    *at += out->size;
    return true;
}

static bool take_colon(const char **at)
{
    if (**at != ':')
        return false;
    ++*at;
    return true;
}

static bool take_port(const char **at, piece *out)
{
    size_t size = strspn(*at, "0123456789");
    long value = 0;

    if (size == 0 || size > 5)
        return false;
    for (size_t i = 0; i < size; i++)
        value = value * 10 + ((*at)[i] - '0');
    *out = (piece){*at, size};
    *at += size;
    return value >= 1 && value <= 65535;
}

static bool is_address(const piece *host)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    bool v6 = *host->text == '[';
    size_t size = v6 ? host->size - 2 : host->size;

    if (size >= sizeof text)
        return false;
    memcpy(text, host->text + (v6 ? 1 : 0), size);
    text[size] = '\0';
    return inet_pton(v6 ? AF_INET6 : AF_INET, text, address) == 1;
}

static bool parse(const char *at, piece *host, piece *port, piece *address, piece *its_port)
{
    if (!take_host(&at, host) || !take_colon(&at) || !take_port(&at, port) || !take_colon(&at) ||
        !take_host(&at, address) || !is_address(address))
        return false;
    *its_port = *port;
    if (*at == '\0')
        return true;
    return take_colon(&at) && take_port(&at, its_port) && *at == '\0';
}

oras_code oras_connect_to_add(const char *text, struct curl_slist **list, oras_error *err)
{
    _cleanup_(oras_buf_dispose) oras_buf buf = ORAS_BUF_INIT(MAX_TEXT);
    piece host, port, address, its_port;
    struct curl_slist *longer;
    oras_code code;

    if (strlen(text) > MAX_TEXT || !parse(text, &host, &port, &address, &its_port))
        return oras_fail(err, ORAS_C_USAGE,
                         "'%.80s' does not say where a host is, expected "
                         "'host:port:address[:port]' (an IPv6 address in brackets)",
                         text);
    oras_buf_printf(&buf, "%.*s:%.*s:%.*s:%.*s", (int)host.size, host.text, (int)port.size,
                    port.text, (int)address.size, address.text, (int)its_port.size, its_port.text);
    code = oras_buf_check(&buf, "the place of a host", err);
    if (code)
        return code;
    longer = curl_slist_append(*list, oras_buf_text(&buf));
    if (!longer)
        return oras_fail_memory(err);
    *list = longer;
    return ORAS_OK;
}
