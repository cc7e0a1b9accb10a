/* SPDX-License-Identifier: MIT
 * oras.core.headers: values of header fields that registries send. */
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/tables.h"
#include "oci/fields.h"

#include <time.h>

#define FIELD_MAX ((size_t)512 * 1024) /* a header block has less */

/* An absent field has no value: nothing is what every function here makes of it. */
static const char *opt_value(lua_State *L)
{
    return lua_isnoneornil(L, 1) ? NULL : oras_lua_check_text(L, 1, "field value");
}

static int push_found(lua_State *L, bool found, const oras_buf *buf)
{
    if (found)
        lua_pushlstring(L, oras_buf_text(buf), buf->size);
    else
        lua_pushnil(L);
    return 1;
}

static int headers_link(lua_State *L)
{
    const char *value = opt_value(L);
    const char *rel = oras_lua_check_text(L, 2, "rel");
    oras_buf *buf = oras_box_buffer(L, FIELD_MAX);

    return push_found(L, value && oras_link_find(value, rel, buf), buf);
}

static int headers_warning(lua_State *L)
{
    const char *value = opt_value(L);
    oras_buf *buf = oras_box_buffer(L, FIELD_MAX);

    return push_found(L, value && oras_warning_parse(value, buf), buf);
}

static int headers_retry_after(lua_State *L)
{
    const char *value = opt_value(L);
    int64_t now = lua_isnoneornil(L, 2) ? (int64_t)time(NULL) : (int64_t)luaL_checknumber(L, 2);
    oras_error err = ORAS_ERROR_INIT;
    int64_t seconds;

    if (!value)
        return 0;
    if (oras_retry_after_parse(value, now, &seconds, &err))
        return oras_lua_fail(L, &err);
    lua_pushinteger(L, seconds);
    return 1;
}

static int headers_content_range(lua_State *L)
{
    const char *value = opt_value(L);
    oras_content_range range;
    oras_error err = ORAS_ERROR_INIT;

    if (oras_content_range_parse(value ? value : "", &range, &err))
        return oras_lua_fail(L, &err);
    lua_pushinteger(L, range.first);
    lua_pushinteger(L, range.last);
    lua_pushinteger(L, range.total);
    return 3;
}

void oras_lua_open_headers(lua_State *L)
{
    static const luaL_Reg functions[] = {{"link", headers_link},
                                         {"warning", headers_warning},
                                         {"retry_after", headers_retry_after},
                                         {"content_range", headers_content_range},
                                         {NULL, NULL}};

    luaL_newlib(L, functions);
}
