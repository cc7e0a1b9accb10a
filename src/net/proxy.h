/* SPDX-License-Identifier: MIT
 * Which proxy a request goes through, as the environment says. libcurl could read it too, but
 * would not tell whether it went there, and the policy on addresses must know. */
#ifndef ORAS_NET_PROXY_H
#define ORAS_NET_PROXY_H

#include "oci/origin.h"

typedef struct oras_proxy_env {
    char *http, *https; /* URLs; NULL: none */
    char *exempt;       /* NO_PROXY */
} oras_proxy_env;

/** Read http_proxy, https_proxy, all_proxy, no_proxy (upper case too, but not HTTP_PROXY, which
 * a CGI's client may set). False when memory is out; dispose in any case. */
bool oras_proxy_env_read(oras_proxy_env *env);
void oras_proxy_env_dispose(oras_proxy_env *env);

/** Proxy for an origin; NULL: none. Borrowed from `env`. */
const char *oras_proxy_of_env(const oras_proxy_env *env, const oras_origin *origin);

/** Does a list as in NO_PROXY name the host: a domain that it is or lies in, an address, a
 * network ("10.0.0.0/8"), or "*"? Hosts are written as in oras_origin. */
bool oras_proxy_is_exempt(const char *list, const char *host);

/** "host:port" of a proxy's URL into buf, without its user and password. */
void oras_proxy_print(const char *proxy, char *buf, size_t size);

#endif
