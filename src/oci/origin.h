/* SPDX-License-Identifier: MIT
 * Who may send us where: origins, classes of addresses and the policy between them. */
#ifndef ORAS_OCI_ORIGIN_H
#define ORAS_OCI_ORIGIN_H

#include "base/error.h"

#include <sys/socket.h>

#define ORAS_HOST_MAX 255

typedef struct oras_origin {
    bool https;                   /* else http */
    char host[ORAS_HOST_MAX + 1]; /* lower case, no trailing dot; IPv6 in brackets */
    int port;                     /* effective */
} oras_origin;

/** Print "https://host:port" (the port always) into buf of at least ORAS_ORIGIN_TEXT_MAX. */
#define ORAS_ORIGIN_TEXT_MAX (ORAS_HOST_MAX + 16)
void oras_origin_print(const oras_origin *origin, char *buf);
bool oras_origin_equal(const oras_origin *a, const oras_origin *b);

/** How far an address reaches, narrowest first: ORDER MATTERS. FORBIDDEN is link-local,
 * unspecified, multicast, broadcast: no server sends us there. */
typedef enum oras_reach {
    ORAS_REACH_LOOPBACK,
    ORAS_REACH_PRIVATE, /* RFC 1918, 100.64/10, fc00::/7, ... */
    ORAS_REACH_PUBLIC,
    ORAS_REACH_FORBIDDEN,
    ORAS_REACH_UNKNOWN /* a name not resolved yet */
} oras_reach;

/** Reach of a socket address (IPv4 in IPv6, NAT64, 6to4 are looked through). */
oras_reach oras_reach_of_address(const struct sockaddr *address);

/** Reach of a host as written in an URL that curl has normalised: an IP literal's, LOOPBACK
 * for "localhost" and "*.localhost", else UNKNOWN. */
oras_reach oras_reach_of_host(const char *host);

/** May an answer from `from` (whose server stands at `reach`) send us to `to`?
 * Never https to http; literals are judged here, names when they are resolved
 * (oras_reach_allowed). Class redirect. The same origin is always allowed. */
oras_code oras_origin_check(const oras_origin *from, oras_reach reach, const oras_origin *to,
                            oras_error *err);

/** Is an address of reach `to` at least as public as `from`, or `from` loopback? */
bool oras_reach_allowed(oras_reach from, oras_reach to);

#endif
