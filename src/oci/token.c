/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "oci/token.h"

#include "base/cleanup.h"
#include "oci/base64.h"
#include "oci/json.h"

#include <stdio.h>
#include <string.h>

#define CREDENTIAL_MAX ((size_t)1024 * 1024)
#define AWS_SCOPE_MAX  128

static void wipe(oras_buf *buf)
{
    oras_buf_wipe(buf);
    oras_buf_dispose(buf);
}

/* Blanks, line ends and NUL must never reach a header line. */
static bool is_visible(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] <= 0x20 || text[i] >= 0x7f)
            return false;
    }
    return size > 0;
}

static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    }
    return true;
}

oras_code oras_bearer_new(const char *origin, const char *token, size_t size, oras_secret **out,
                          oras_error *err)
{
    _cleanup_(wipe) oras_buf value = ORAS_BUF_INIT(CREDENTIAL_MAX);
    oras_code code;

    if (!is_visible(token, size))
        return oras_fail(err, ORAS_C_USAGE,
                         "the token is empty or has blanks, control or foreign "
                         "characters, expected visible ASCII");
    oras_buf_reserve(&value, size + sizeof "Bearer ");
    oras_buf_puts(&value, "Bearer ");
    oras_buf_append(&value, token, size);
    code = oras_buf_check(&value, "token", err);
    return code ? code : oras_secret_new(origin, value.data, value.size, out, err);
}

/* Room is made first: a buffer that grows leaves copies behind. */
static oras_code join_user(const char *user, size_t user_size, const char *password,
                           size_t password_size, oras_buf *out, oras_error *err)
{
    if (oras_buf_reserve(out, user_size + password_size + 1)) {
        oras_buf_append(out, user, user_size);
        oras_buf_puts(out, ":");
        oras_buf_append(out, password, password_size);
    }
    return oras_buf_check(out, "credential", err);
}

oras_code oras_basic_new(const char *origin, const char *user, size_t user_size,
                         const char *password, size_t password_size, oras_secret **out,
                         oras_error *err)
{
    _cleanup_(wipe) oras_buf pair = ORAS_BUF_INIT(CREDENTIAL_MAX);
    _cleanup_(wipe) oras_buf value = ORAS_BUF_INIT(2 * CREDENTIAL_MAX);
    oras_code code;

    if (memchr(user, ':', user_size))
        return oras_fail(err, ORAS_C_USAGE, "the user name has a ':', expected one without");
    if (!is_plain(user, user_size) || !is_plain(password, password_size))
        return oras_fail(err, ORAS_C_USAGE, "the user name or password has control characters");
    code = join_user(user, user_size, password, password_size, &pair, err);
    if (code)
        return code;
    oras_buf_reserve(&value, sizeof "Basic " + pair.size / 3 * 4 + 4);
    oras_buf_puts(&value, "Basic ");
    oras_base64_encode(pair.data, pair.size, &value);
    code = oras_buf_check(&value, "credential", err);
    return code ? code : oras_secret_new(origin, value.data, value.size, out, err);
}

/* As they stand in the names of hosts: "us-east-1", "ecr-public". */
static bool is_aws_name(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return size > 0 && name[size] == '\0';
}

/* libcurl takes user and password as they are; the token goes into a field. */
static bool are_keys(const oras_signing *keys)
{
    const char *token = keys->session_token;

    return is_visible(keys->key_id, strlen(keys->key_id)) &&
           is_visible(keys->key, strlen(keys->key)) && (!token || is_visible(token, strlen(token)));
}

oras_code oras_aws_new(const char *origin, const oras_signing *keys, const char *region,
                       const char *service, oras_secret **out, oras_error *err)
{
    char scope[AWS_SCOPE_MAX];
    oras_signing signing = *keys;
    int size = snprintf(scope, sizeof scope, "aws:amz:%s:%s", region, service);

    if (!is_aws_name(region) || !is_aws_name(service) || size < 0 || size >= (int)sizeof scope)
        return oras_fail(err, ORAS_C_USAGE, "the AWS region or service is no such name");
    if (!are_keys(keys))
        return oras_fail(err, ORAS_C_USAGE,
                         "an AWS key is empty or has blanks, control or foreign characters, "
                         "expected visible ASCII");
    signing.scope = scope;
    return oras_secret_new_signing(origin, &signing, out, err);
}

static void wipe_string(json_t *value)
{
    if (json_is_string(value))
        explicit_bzero((char *)json_string_value(value), json_string_length(value));
}

static void drop(json_t **reply)
{
    wipe_string(json_object_get(*reply, "token"));
    wipe_string(json_object_get(*reply, "access_token"));
    wipe_string(json_object_get(*reply, "refresh_token"));
    json_decref(*reply);
}

/* Either name will do; where both stand they are equal (token specification). */
static const json_t *find_token(const json_t *reply)
{
    const json_t *token = json_object_get(reply, "token");

    return json_string_length(token) ? token : json_object_get(reply, "access_token");
}

static int64_t life(const json_t *value)
{
    double seconds = json_number_value(value);

    if (!(seconds >= 1))
        return ORAS_TOKEN_LIFE;
    return seconds < ORAS_TOKEN_LIFE_MAX ? (int64_t)seconds : ORAS_TOKEN_LIFE_MAX;
}

static oras_code take_token(const json_t *reply, const char *origin, oras_secret **out,
                            oras_error *err)
{
    const json_t *token = find_token(reply);

    if (json_string_length(token) == 0)
        return oras_fail(err, ORAS_C_AUTH, "the token server's answer has no token");
    if (!is_visible(json_string_value(token), json_string_length(token)))
        return oras_fail(err, ORAS_C_AUTH,
                         "the token server's token has blanks, control or foreign characters");
    return oras_bearer_new(origin, json_string_value(token), json_string_length(token), out, err);
}

/* A refresh token with control characters is none. */
static oras_code read_info(const json_t *reply, oras_token_info *info, oras_error *err)
{
    const json_t *scope = json_object_get(reply, "scope");
    const json_t *refresh = json_object_get(reply, "refresh_token");

    info->expires_in = life(json_object_get(reply, "expires_in"));
    if (json_is_string(scope))
        oras_buf_append(info->scope, json_string_value(scope), json_string_length(scope));
    if (json_is_string(refresh) &&
        is_plain(json_string_value(refresh), json_string_length(refresh)))
        oras_buf_append(info->refresh_token, json_string_value(refresh),
                        json_string_length(refresh));
    return oras_buf_check(info->refresh_token, "refresh token", err);
}

oras_code oras_token_parse(const char *text, size_t size, const char *origin, oras_secret **secret,
                           oras_token_info *info, oras_error *err)
{
    _cleanup_(drop) json_t *reply = NULL;
    oras_secret *token;
    oras_code code = oras_json_decode(text, size, 0, &reply, err);

    if (code)
        return oras_error_wrap(err, code, "the token server's answer");
    code = read_info(reply, info, err);
    if (!code)
        code = take_token(reply, origin, &token, err);
    if (!code)
        *secret = token;
    return code;
}
