/* SPDX-License-Identifier: MIT
 * oras.core.base64 */
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/tables.h"
#include "oci/base64.h"

static const char *check_bytes(lua_State *L, size_t *size)
{
    if (lua_type(L, 1) != LUA_TSTRING)
        oras_lua_misuse(L, "argument is a %s, expected a string", luaL_typename(L, 1));
    return lua_tolstring(L, 1, size);
}

static int base64_encode(lua_State *L)
{
    size_t size;
    const char *data = check_bytes(L, &size);
    oras_buf *buf = oras_box_buffer(L, SIZE_MAX / 2);
    oras_error err = ORAS_ERROR_INIT;

    oras_base64_encode(data, size, buf);
    if (oras_buf_check(buf, "base64 text", &err))
        return oras_lua_fail(L, &err);
    lua_pushlstring(L, oras_buf_text(buf), buf->size);
    return 1;
}

static int base64_decode(lua_State *L)
{
    size_t size;
    const char *text = check_bytes(L, &size);
    oras_buf *buf = oras_box_buffer(L, SIZE_MAX / 2);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_base64_decode(text, size, buf, &err))
        return oras_lua_fail(L, &err);
    lua_pushlstring(L, oras_buf_text(buf), buf->size);
    return 1;
}

void oras_lua_open_base64(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"encode", base64_encode}, {"decode", base64_decode}, {NULL, NULL}};

    luaL_newlib(L, functions);
}
