/* SPDX-License-Identifier: MIT
 * What a token server answers, and the values of Authorization fields. */
#ifndef ORAS_OCI_TOKEN_H
#define ORAS_OCI_TOKEN_H

#include "base/buf.h"
#include "base/secret.h"

/** Life of a token whose server does not say (distribution's token specification). */
#define ORAS_TOKEN_LIFE     60
#define ORAS_TOKEN_LIFE_MAX (7 * 24 * 3600)

/**
 * Parse `{"token" or "access_token", "expires_in", "scope"}`.
 *
 * @param origin      where the token may be sent
 * @param secret      "Bearer ...", the caller's
 * @param expires_in  seconds from now; ORAS_TOKEN_LIFE if absent or no sensible number
 * @param scope       what the server says it granted is appended, if it says so
 * @return class content (no JSON), auth (no token, or one that does not fit a header field)
 */
oras_code oras_token_parse(const char *text, size_t size, const char *origin, oras_secret **secret,
                           int64_t *expires_in, oras_buf *scope, oras_error *err);

/** "Bearer <token>"; class usage unless the token is visible ASCII. */
oras_code oras_bearer_new(const char *origin, const char *token, size_t size, oras_secret **out,
                          oras_error *err);

/** "Basic <base64>" (RFC 7617); class usage for ':' in the user or control characters. */
oras_code oras_basic_new(const char *origin, const char *user, size_t user_size,
                         const char *password, size_t password_size, oras_secret **out,
                         oras_error *err);

#endif
