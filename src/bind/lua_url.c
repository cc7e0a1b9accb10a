/* SPDX-License-Identifier: MIT
 * oras.core.url: URLs as they will be sent. */
#include "base/log.h"
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/tables.h"
#include "net/url.h"

#define URL "oras.url"

static int url_close(lua_State *L)
{
    oras_url_dispose(lua_touserdata(L, 1));
    return 0;
}

/* Push an empty URL that is disposed of when the calling function ends. [-0, +1] */
static oras_url *push_url(lua_State *L)
{
    oras_url *url = oras_box_new(L, URL, sizeof *url, 0);

    lua_toclose(L, -1);
    return url;
}

static void push_origin(lua_State *L, const oras_url *url)
{
    char text[ORAS_ORIGIN_TEXT_MAX];

    oras_origin_print(&url->origin, text);
    lua_pushstring(L, text);
}

/* parse(u) -> {scheme, host, port, path, query, origin} */
static int parse(lua_State *L)
{
    const char *text = oras_lua_check_text(L, 1, "URL");
    oras_url *url = push_url(L);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_url_parse(text, ORAS_C_USAGE, url, &err))
        return oras_lua_fail(L, &err);
    lua_createtable(L, 0, 6);
    lua_pushstring(L, url->origin.https ? "https" : "http");
    lua_setfield(L, -2, "scheme");
    lua_pushstring(L, url->origin.host);
    lua_setfield(L, -2, "host");
    lua_pushinteger(L, url->origin.port);
    lua_setfield(L, -2, "port");
    lua_pushstring(L, url->path);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, url->query);
    lua_setfield(L, -2, "query");
    push_origin(L, url);
    lua_setfield(L, -2, "origin");
    return 1;
}

/* resolve(base, ref) -> absolute URL */
static int resolve(lua_State *L)
{
    const char *base = oras_lua_check_text(L, 1, "URL");
    const char *reference = oras_lua_check_text(L, 2, "relative URL");
    oras_url *url = push_url(L);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_url_resolve(base, reference, url, &err))
        return oras_lua_fail(L, &err);
    lua_pushstring(L, url->text);
    return 1;
}

/* origin(u) -> "https://host:port" */
static int origin(lua_State *L)
{
    const char *text = oras_lua_check_text(L, 1, "URL");
    oras_url *url = push_url(L);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_url_parse(text, ORAS_C_USAGE, url, &err))
        return oras_lua_fail(L, &err);
    push_origin(L, url);
    return 1;
}

/* is_loopback(u) -> does it mean this machine? */
static int is_loopback(lua_State *L)
{
    const char *text = oras_lua_check_text(L, 1, "URL");
    oras_url *url = push_url(L);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_url_parse(text, ORAS_C_USAGE, url, &err))
        return oras_lua_fail(L, &err);
    lua_pushboolean(L, oras_url_is_loopback(url));
    return 1;
}

static int push_buffer(lua_State *L, const oras_buf *buf)
{
    lua_pushlstring(L, oras_buf_text(buf), buf->size);
    return 1;
}

/* append_query(u, key, value) -> URL */
static int append_query(lua_State *L)
{
    const char *url = oras_lua_check_text(L, 1, "URL");
    const char *key = oras_lua_check_text(L, 2, "key");
    const char *value = oras_lua_check_text(L, 3, "value");
    oras_buf *buf = oras_box_buffer(L, 4 * (size_t)ORAS_URL_MAX);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_url_append_query(url, key, value, buf, &err))
        return oras_lua_fail(L, &err);
    return push_buffer(L, buf);
}

/* redact(text) -> the text without user information and query values of URLs in it */
static int redact(lua_State *L)
{
    const char *text = oras_lua_check_text(L, 1, "text");
    oras_buf *buf = oras_box_buffer(L, (size_t)1024 * 1024);
    oras_error err = ORAS_ERROR_INIT;

    oras_redact(text, buf);
    if (oras_buf_check(buf, "text", &err))
        return oras_lua_fail(L, &err);
    return push_buffer(L, buf);
}

void oras_lua_open_url(lua_State *L)
{
    static const luaL_Reg functions[] = {{"parse", parse},
                                         {"resolve", resolve},
                                         {"origin", origin},
                                         {"is_loopback", is_loopback},
                                         {"append_query", append_query},
                                         {"redact", redact},
                                         {NULL, NULL}};

    oras_box_type(L, URL, NULL, url_close);
    luaL_newlib(L, functions);
}
