/* SPDX-License-Identifier: MIT
 * A value that must not be seen: bound to the origin it is for, wiped when it goes. */
#ifndef ORAS_BASE_SECRET_H
#define ORAS_BASE_SECRET_H

#include "base/error.h"

typedef struct oras_secret oras_secret;

/** Copy `value`; `origin` ("https://host:port") is the only place it may be sent to. */
oras_code oras_secret_new(const char *origin, const char *value, size_t size, oras_secret **out,
                          oras_error *err);

/** What signs a request and is never sent itself: AWS Signature Version 4. */
typedef struct oras_signing {
    const char *scope; /* "aws:amz:REGION:SERVICE" */
    const char *key_id, *key;
    const char *session_token; /* NULL: none. Sent in a field of its own */
} oras_signing;

/** Copy them; requests to `origin` alone are signed. */
oras_code oras_secret_new_signing(const char *origin, const oras_signing *signing,
                                  oras_secret **out, oras_error *err);

/** Share and release; the last release wipes. Not for use across threads. NULL is fine. */
oras_secret *oras_secret_ref(oras_secret *secret);
void oras_secret_unref(oras_secret *secret);

/** Borrowed; for the line that sends it and for no other. */
const char *oras_secret_reveal(const oras_secret *secret);

/** What it signs with, borrowed; NULL for one that is sent. reveal() gives the key then. */
const oras_signing *oras_secret_signing(const oras_secret *secret);
const char *oras_secret_origin(const oras_secret *secret);

#endif
