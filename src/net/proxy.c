/* SPDX-License-Identifier: MIT */
#include "net/proxy.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SEPARATORS ", \t"

/* The first of the variables that says something. */
static bool read_first(const char *const *names, char **out)
{
    const char *value = NULL;

    for (; *names && !(value && *value); names++)
        value = getenv(*names);
    if (!value || !*value)
        return true;
    *out = oras_strdup(value);
    return *out != NULL;
}

bool oras_proxy_env_read(oras_proxy_env *env)
{
    static const char *const http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                        NULL};
    static const char *const exempt[] = {"no_proxy", "NO_PROXY", NULL};

    *env = (oras_proxy_env){NULL, NULL, NULL};
    return read_first(http, &env->http) && read_first(https, &env->https) &&
           read_first(exempt, &env->exempt);
}

void oras_proxy_env_dispose(oras_proxy_env *env)
{
    oras_dealloc(env->http);
    oras_dealloc(env->https);
    oras_dealloc(env->exempt);
    *env = (oras_proxy_env){NULL, NULL, NULL};
}

/* An address in binary: its family, or AF_UNSPEC for a name. */
static int parse_address(const char *text, unsigned char *out)
{
    if (inet_pton(AF_INET, text, out) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, text, out) == 1 ? AF_INET6 : AF_UNSPEC;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned long n_bits)
{
    unsigned mask = 0xff00U >> (n_bits % 8);

    if (memcmp(a, b, n_bits / 8) != 0)
        return false;
    return n_bits % 8 == 0 || ((a[n_bits / 8] ^ b[n_bits / 8]) & mask & 0xff) == 0;
}

/* "10.1.2.3" or "10.0.0.0/8" against an address. */
static bool is_in_network(char *entry, int family, const unsigned char *address)
{
    unsigned long most = family == AF_INET ? 32 : 128, n_bits = most;
    char *slash = strchr(entry, '/'), *end = NULL;
    unsigned char network[16];

    if (slash) {
        *slash = '\0';
        n_bits = strtoul(slash + 1, &end, 10);
        if (end == slash + 1 || *end != '\0')
            return false;
    }
    return n_bits <= most && parse_address(entry, network) == family &&
           same_bits(network, address, n_bits);
}

/* "example.org" and ".example.org" are the domain and all below it. */
static bool is_in_domain(const char *entry, const char *host)
{
    size_t host_size = strlen(host), size;

    while (*entry == '.')
        entry++;
    size = strlen(entry);
    if (size > 0 && entry[size - 1] == '.')
        size--;
    if (size == 0 || size > host_size || strncasecmp(entry, host + host_size - size, size) != 0)
        return false;
    return size == host_size || host[host_size - size - 1] == '.';
}

/* Of "[::1]" what is inside, in place. */
static char *without_brackets(char *text)
{
    size_t size = strlen(text);

    if (size < 2 || *text != '[' || text[size - 1] != ']')
        return text;
    text[size - 1] = '\0';
    return text + 1;
}

static bool names(char *entry, const char *host, int family, const unsigned char *address)
{
    if (strcmp(entry, "*") == 0)
        return true;
    if (family != AF_UNSPEC)
        return is_in_network(without_brackets(entry), family, address);
    return is_in_domain(entry, host);
}

bool oras_proxy_is_exempt(const char *list, const char *host)
{
    char entry[ORAS_HOST_MAX + 1], bare[ORAS_HOST_MAX + 1];
    unsigned char address[16];
    int family;
    size_t size;

    snprintf(bare, sizeof bare, "%s", host);
    family = parse_address(without_brackets(bare), address);
    for (list += strspn(list, SEPARATORS); *list; list += strspn(list, SEPARATORS)) {
        size = strcspn(list, SEPARATORS);
        if (size < sizeof entry) {
            memcpy(entry, list, size);
            entry[size] = '\0';
            if (names(entry, host, family, address))
                return true;
        }
        list += size;
    }
    return false;
}

const char *oras_proxy_of_env(const oras_proxy_env *env, const oras_origin *origin)
{
    const char *proxy = origin->https ? env->https : env->http;

    if (!proxy || (env->exempt && oras_proxy_is_exempt(env->exempt, origin->host)))
        return NULL;
    return proxy;
}

void oras_proxy_print(const char *proxy, char *buf, size_t size)
{
    const char *start = strstr(proxy, "://"), *end, *at;

    start = start ? start + 3 : proxy;
    end = start + strcspn(start, "/?#");
    for (at = start; at < end; at++) {
        if (*at == '@')
            start = at + 1;
    }
    snprintf(buf, size, "%.*s", (int)(end - start), start);
}
