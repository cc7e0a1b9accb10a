/* SPDX-License-Identifier: MIT
 * oras.core.auth: challenges, and secrets that Lua can hand on but not read. */
#include "bind/body.h"
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/secret.h"
#include "bind/tables.h"
#include "net/url.h"
#include "oci/challenge.h"
#include "oci/hide.h"
#include "oci/token.h"

#define REDACTED_MAX ((size_t)1024 * 1024)

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static void push_lower(lua_State *L, oras_slice slice)
{
    luaL_Buffer buffer;
    char *out = luaL_buffinitsize(L, &buffer, slice.size);

    for (size_t i = 0; i < slice.size; i++)
        out[i] = lower(slice.data[i]);
    luaL_pushresultsize(&buffer, slice.size);
}

static void push_unescaped(lua_State *L, oras_slice slice)
{
    luaL_Buffer buffer;
    char *out = luaL_buffinitsize(L, &buffer, slice.size);

    luaL_pushresultsize(&buffer, oras_slice_unescape(slice, out));
}

/* Of a parameter that stands twice the first one counts. */
static void push_params(lua_State *L, oras_slice params)
{
    oras_challenge_pair pair;

    lua_newtable(L);
    while (oras_challenge_param(&params, &pair)) {
        push_lower(L, pair.name);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) != LUA_TNIL) {
            lua_pop(L, 2);
            continue;
        }
        lua_pop(L, 1);
        push_unescaped(L, pair.value);
        lua_rawset(L, -3);
    }
}

static void push_challenge(lua_State *L, const oras_challenge *challenge)
{
    lua_createtable(L, 0, 3);
    push_lower(L, challenge->scheme);
    lua_setfield(L, -2, "scheme");
    push_params(L, challenge->params);
    lua_setfield(L, -2, "params");
    if (challenge->token68.data) {
        lua_pushlstring(L, challenge->token68.data, challenge->token68.size);
        lua_setfield(L, -2, "token68");
    }
}

/* Append the challenges of the field value on top to the array at idx; false if they are
 * more than the budget of all lines. [-1, +0] */
static bool append_challenges(lua_State *L, int idx, size_t *budget)
{
    oras_challenge_cursor cursor;
    oras_challenge challenge;

    if (lua_type(L, -1) != LUA_TSTRING)
        oras_lua_misuse(L, "challenge is a %s, expected a string", luaL_typename(L, -1));
    cursor.data = lua_tolstring(L, -1, &cursor.size);
    if (cursor.size > *budget)
        return false;
    *budget -= cursor.size;
    while (oras_challenge_next(&cursor, &challenge)) {
        push_challenge(L, &challenge);
        lua_rawseti(L, idx, (lua_Integer)lua_rawlen(L, idx) + 1);
    }
    lua_pop(L, 1);
    return true;
}

static int too_large(lua_State *L)
{
    oras_error err = ORAS_ERROR_INIT;

    oras_fail(&err, ORAS_C_AUTH, "the server's challenges are larger than %zu bytes",
              ORAS_CHALLENGE_MAX);
    return oras_lua_fail(L, &err);
}

static int auth_challenges(lua_State *L)
{
    size_t budget = ORAS_CHALLENGE_MAX;

    lua_settop(L, 1);
    lua_newtable(L);
    if (lua_isnil(L, 1))
        return 1;
    if (!lua_istable(L, 1)) {
        lua_pushvalue(L, 1);
        return append_challenges(L, 2, &budget) ? 1 : too_large(L);
    }
    for (lua_Integer i = 1; lua_rawgeti(L, 1, i) != LUA_TNIL; i++) {
        if (!append_challenges(L, 2, &budget))
            return too_large(L);
    }
    lua_settop(L, 2);
    return 1;
}

/* Push the origin at idx as every origin is written, "https://host:port". [-0, +1] */
static const char *push_origin(lua_State *L, int idx)
{
    const char *text = oras_lua_check_text(L, idx, "origin");
    char printed[ORAS_ORIGIN_TEXT_MAX];
    oras_error err = ORAS_ERROR_INIT;
    oras_url url;

    if (oras_url_parse(text, ORAS_C_USAGE, &url, &err))
        oras_lua_raise(L, &err);
    oras_origin_print(&url.origin, printed);
    oras_url_dispose(&url);
    return lua_pushstring(L, printed);
}

static const char *check_bytes(lua_State *L, int idx, const char *what, size_t *size)
{
    if (lua_type(L, idx) != LUA_TSTRING)
        oras_lua_misuse(L, "%s is a %s, expected a string", what, luaL_typename(L, idx));
    return lua_tolstring(L, idx, size);
}

static int auth_basic(lua_State *L)
{
    size_t user_size, password_size;
    const char *user = check_bytes(L, 2, "user name", &user_size);
    const char *password = check_bytes(L, 3, "password", &password_size);
    const char *origin = push_origin(L, 1);
    oras_secret **slot = oras_lua_push_secret(L);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_basic_new(origin, user, user_size, password, password_size, slot, &err))
        return oras_lua_fail(L, &err);
    return 1;
}

static int auth_bearer(lua_State *L)
{
    size_t size;
    const char *token = check_bytes(L, 2, "token", &size);
    const char *origin = push_origin(L, 1);
    oras_secret **slot = oras_lua_push_secret(L);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_bearer_new(origin, token, size, slot, &err))
        return oras_lua_fail(L, &err);
    return 1;
}

static oras_buf *check_answer(lua_State *L)
{
    oras_buf *bytes = oras_body_bytes(oras_lua_check_body(L, 1));

    if (!bytes)
        oras_lua_misuse(L, "body is a stream, expected one in memory");
    return bytes;
}

static void set_text(lua_State *L, const char *field, const oras_buf *text)
{
    if (text->size == 0)
        return;
    lua_pushlstring(L, text->data, text->size);
    lua_setfield(L, -2, field);
}

static int push_token(lua_State *L, const oras_token_info *info)
{
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, info->expires_in);
    lua_setfield(L, -2, "expires_in");
    set_text(L, "scope", info->scope);
    set_text(L, "refresh_token", info->refresh_token);
    return 2;
}

/* The token never becomes a Lua string, and the answer's bytes are gone afterwards. */
static int auth_token(lua_State *L)
{
    oras_buf *answer = check_answer(L);
    const char *origin = push_origin(L, 2);
    oras_token_info info = {.scope = oras_box_buffer(L, ORAS_CHALLENGE_MAX),
                            .refresh_token = oras_box_buffer(L, REDACTED_MAX)};
    oras_secret **slot = oras_lua_push_secret(L);
    oras_error err = ORAS_ERROR_INIT;
    oras_code code =
        oras_token_parse(oras_buf_text(answer), answer->size, origin, slot, &info, &err);

    oras_buf_wipe(answer);
    oras_buf_clear(answer);
    return code ? oras_lua_fail(L, &err) : push_token(L, &info);
}

/* A field of the options, as oras_opt_string, that must be there. */
static const char *need_string(lua_State *L, int idx, const char *field)
{
    const char *text = oras_opt_string(L, idx, field, NULL);

    if (!text)
        oras_lua_misuse(L, "option '%s' is missing", field);
    return text;
}

/* aws(origin, access_key, secret_key, {region, service, session_token}) -> secret that signs */
static int auth_aws(lua_State *L)
{
    oras_signing keys = {.key_id = oras_lua_check_text(L, 2, "access key"),
                         .key = oras_lua_check_text(L, 3, "secret key")};
    const char *region = need_string(L, 4, "region"), *service = need_string(L, 4, "service");
    const char *origin = push_origin(L, 1);
    oras_secret **slot = oras_lua_push_secret(L);
    oras_error err = ORAS_ERROR_INIT;

    keys.session_token = oras_opt_string(L, 4, "session_token", NULL);
    if (oras_aws_new(origin, &keys, region, service, slot, &err))
        return oras_lua_fail(L, &err);
    return 1;
}

/* Replace the text at 1 by one without copies of the secret. Class limit, memory. */
static oras_code hide(lua_State *L, const char *secret, oras_error *err)
{
    oras_buf *out = oras_box_buffer(L, REDACTED_MAX);
    size_t size;
    const char *text = lua_tolstring(L, 1, &size);
    oras_code code;

    oras_hide(text, size, secret, out);
    code = oras_buf_check(out, "text", err);
    if (code)
        return code;
    lua_pushlstring(L, oras_buf_text(out), out->size);
    lua_replace(L, 1);
    return ORAS_OK;
}

static oras_code hide_value(lua_State *L, int idx, oras_error *err)
{
    const oras_signing *signing;
    const oras_secret *secret;
    oras_code code;

    if (lua_type(L, idx) == LUA_TSTRING)
        return hide(L, lua_tostring(L, idx), err);
    secret = oras_lua_check_secret(L, idx);
    signing = oras_secret_signing(secret);
    code = hide(L, oras_secret_reveal(secret), err);
    if (!code && signing && signing->session_token)
        code = hide(L, signing->session_token, err);
    return code;
}

/* redact(text, ...) -> the text without copies of the secrets, which are boxes or strings */
static int auth_redact(lua_State *L)
{
    int n = lua_gettop(L);
    oras_error err = ORAS_ERROR_INIT;

    check_bytes(L, 1, "text", &(size_t){0});
    for (int i = 2; i <= n; i++) {
        if (hide_value(L, i, &err))
            return oras_lua_fail(L, &err);
        lua_settop(L, n);
    }
    lua_settop(L, 1);
    return 1;
}

void oras_lua_open_auth(lua_State *L)
{
    static const luaL_Reg functions[] = {{"aws", auth_aws},
                                         {"basic", auth_basic},
                                         {"bearer", auth_bearer},
                                         {"challenges", auth_challenges},
                                         {"redact", auth_redact},
                                         {"token", auth_token},
                                         {NULL, NULL}};

    luaL_newlib(L, functions);
}
