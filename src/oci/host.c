/* SPDX-License-Identifier: MIT */
#include "oci/host.h"

#include "oci/grammar.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 255

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool has_upper(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (is_upper(text[i]))
            return true;
    }
    return false;
}

static bool is_named(const char *text, size_t size, const char *name)
{
    return strlen(name) == size && memcmp(text, name, size) == 0;
}

bool oras_looks_like_host(const char *text, size_t size)
{
    return memchr(text, '.', size) || memchr(text, ':', size) || has_upper(text, size) ||
           is_named(text, size, "localhost");
}

static oras_code check_port(const char *text, size_t size, oras_error *err)
{
    long port = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || i == 5 || port > 65535)
            port = 65536;
        else
            port = port * 10 + (text[i] - '0');
    }
    if (size == 0 || port == 0 || port > 65535 || text[0] == '0')
        return oras_fail(err, ORAS_C_USAGE, "port '%.*s', expected a number from 1 to 65535",
                         (int)(size < 20 ? size : 20), text);
    return ORAS_OK;
}

/* "[address]" in its canonical spelling, so that equal hosts are equal texts. */
static oras_code normalise_ipv6(const char *text, size_t size, char *out, oras_error *err)
{
    char address[INET6_ADDRSTRLEN] = "";
    unsigned char bytes[16];

    if (size > 2 && size - 2 < sizeof address && text[size - 1] == ']')
        memcpy(address, text + 1, size - 2);
    if (inet_pton(AF_INET6, address, bytes) != 1 ||
        !inet_ntop(AF_INET6, bytes, address, sizeof address))
        return oras_fail(err, ORAS_C_USAGE,
                         "host '%.*s', expected an IPv6 address without zone in brackets",
                         (int)(size < 60 ? size : 60), text);
    snprintf(out, ORAS_AUTHORITY_MAX + 1, "[%s]", address);
    return ORAS_OK;
}

static bool is_ascii(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] >= 0x80)
            return false;
    }
    return true;
}

static oras_code normalise_name(const char *text, size_t size, bool keep_case, char *out,
                                oras_error *err)
{
    if (!is_ascii(text, size))
        return oras_fail(err, ORAS_C_USAGE,
                         "host '%.*s' is not ASCII, expected its 'xn--' spelling",
                         (int)(size < 80 ? size : 80), text);
    if (size > NAME_MAX_BYTES || !oras_is_host_name(text, size))
        return oras_fail(err, ORAS_C_USAGE,
                         "host '%.*s', expected letters, digits, '-' and '.' in labels, at most "
                         "%d bytes",
                         (int)(size < 80 ? size : 80), text, NAME_MAX_BYTES);
    for (size_t i = 0; i < size; i++)
        out[i] = (char)(is_upper(text[i]) && !keep_case ? text[i] + ('a' - 'A') : text[i]);
    out[size] = '\0';
    if (strcmp(out, "index.docker.io") == 0)
        memcpy(out, "docker.io", sizeof "docker.io");
    return ORAS_OK;
}

/* Where the port's colon stands; size if there is none. */
static size_t find_port(const char *text, size_t size)
{
    size_t at = 0;

    if (size && text[0] == '[') {
        while (at < size && text[at] != ']')
            at++;
    }
    while (at < size && text[at] != ':')
        at++;
    return at;
}

/* A word like "Registry" is a host by its upper case alone and would not be one without. */
static bool is_host_by_case(const char *text, size_t size)
{
    return has_upper(text, size) && !memchr(text, '.', size) && !memchr(text, ':', size) &&
           !(size == 9 && strncasecmp(text, "localhost", 9) == 0);
}

oras_code oras_host_normalise(const char *text, size_t size, char *out, oras_error *err)
{
    char host[ORAS_AUTHORITY_MAX + 1];
    size_t name_size = find_port(text, size);
    oras_code code;

    if (memchr(text, '@', size))
        return oras_fail(err, ORAS_C_USAGE, "a host must not hold user name or password");
    if (memchr(text, '/', size))
        return oras_fail(err, ORAS_C_USAGE,
                         "host '%.*s', expected 'host[:port]' without scheme and path",
                         (int)(size < 80 ? size : 80), text);
    if (size && text[0] == '[')
        code = normalise_ipv6(text, name_size, host, err);
    else
        code = normalise_name(text, name_size, is_host_by_case(text, size), host, err);
    if (!code && name_size < size)
        code = check_port(text + name_size + 1, size - name_size - 1, err);
    if (code)
        return code;
    memcpy(out, host, strlen(host) + 1);
    strncat(out, text + name_size, size - name_size); /* the port: six bytes at most */
    return ORAS_OK;
}
