/* SPDX-License-Identifier: MIT
 * A client: TLS, proxy, identity and the limit of transfers per host. */
#ifndef ORAS_NET_CLIENT_H
#define ORAS_NET_CLIENT_H

#include "base/log.h"
#include "net/loop.h"

typedef struct oras_client oras_client;

typedef struct oras_client_options {
    const char *ca_file;        /* PEM; replaces the system's; NULL: the system's */
    bool insecure;              /* do not verify TLS */
    const char *cert, *key;     /* PEM files, shown to `cert_origin` only */
    const char *cert_origin;    /* "https://host:port" */
    const char *proxy;          /* URL; NULL: the environment's; "": none */
    const char *user_agent;     /* the whole field; NULL: ours */
    int per_host;               /* transfers at a time; 0: 16 */
    const char *const *resolve; /* "host:port:address[:port]", see connect_to.h */
    int n_resolve;
} oras_client_options;

/** Make a client on a loop, which must outlive it; strings are copied. */
oras_code oras_client_new(oras_loop *loop, const oras_client_options *options, oras_client **out,
                          oras_error *err);

/** Share and release; transfers hold their client. */
oras_client *oras_client_ref(oras_client *client);
void oras_client_unref(oras_client *client);

#endif
