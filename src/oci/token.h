/* SPDX-License-Identifier: MIT
 * What a token server answers, and the values of Authorization fields. */
#ifndef ORAS_OCI_TOKEN_H
#define ORAS_OCI_TOKEN_H

#include "base/buf.h"
#include "base/secret.h"

/** Life of a token whose server does not say (distribution's token specification). */
#define ORAS_TOKEN_LIFE     60
#define ORAS_TOKEN_LIFE_MAX (7 * 24 * 3600)

/** What else an answer says; the buffers are the caller's, and are appended to. */
typedef struct oras_token_info {
    int64_t expires_in;      /* seconds from now; ORAS_TOKEN_LIFE if absent or no sensible number */
    oras_buf *scope;         /* what the server says it granted, if it says so */
    oras_buf *refresh_token; /* what to ask with from now on, if it gives one */
} oras_token_info;

/**
 * Parse `{"token" or "access_token", "expires_in", "scope", "refresh_token"}`.
 *
 * @param origin  where the token may be sent
 * @param secret  "Bearer ...", the caller's
 * @return class content (no JSON), auth (no token, or one that does not fit a header field)
 */
oras_code oras_token_parse(const char *text, size_t size, const char *origin, oras_secret **secret,
                           oras_token_info *info, oras_error *err);

/** "Bearer <token>"; class usage unless the token is visible ASCII. */
oras_code oras_bearer_new(const char *origin, const char *token, size_t size, oras_secret **out,
                          oras_error *err);

/** "Basic <base64>" (RFC 7617); class usage for ':' in the user or control characters. */
oras_code oras_basic_new(const char *origin, const char *user, size_t user_size,
                         const char *password, size_t password_size, oras_secret **out,
                         oras_error *err);

/** What AWS_SIGV4 of libcurl signs with; session_token may be NULL. Class usage for a region or
 * service that is no such name, and for keys that no header field could carry. */
oras_code oras_aws_new(const char *origin, const oras_signing *keys, const char *region,
                       const char *service, oras_secret **out, oras_error *err);

#endif
