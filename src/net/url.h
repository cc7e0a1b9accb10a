/* SPDX-License-Identifier: MIT
 * URLs as curl will send them: http and https only, no user, nothing ambiguous. */
#ifndef ORAS_NET_URL_H
#define ORAS_NET_URL_H

#include "base/buf.h"
#include "oci/origin.h"

#define ORAS_URL_MAX 16384

/** An URL taken apart; dispose when done. */
typedef struct oras_url {
    oras_origin origin;
    char *text;         /* what goes over the wire, without fragment; owned */
    char *path, *query; /* owned; query NULL if there is none */
} oras_url;

/** Parse an absolute URL. Class usage unless `class` says otherwise (redirect for what a
 * server sent). Message names no user information and no query. */
oras_code oras_url_parse(const char *text, oras_class class, oras_url *out, oras_error *err);

/** Resolve what a server sent against the URL it was sent from (RFC 3986, 5.2). Class redirect. */
oras_code oras_url_resolve(const char *base, const char *reference, oras_url *out, oras_error *err);

void oras_url_dispose(oras_url *url);

/** Append `key=value` (value percent-encoded) with '?' or '&'. */
oras_code oras_url_append_query(const char *url, const char *key, const char *value, oras_buf *out,
                                oras_error *err);

/** Does the URL's host mean this machine: 127.0.0.0/8, ::1, localhost? */
bool oras_url_is_loopback(const oras_url *url);

#endif
