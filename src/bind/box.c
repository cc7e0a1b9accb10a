/* SPDX-License-Identifier: MIT */
#include "bind/box.h"

#include "bind/context.h"
#include "bind/lua_error.h"

#include <string.h>

void *oras_box_new(lua_State *L, const char *name, size_t size, int n_values)
{
    void *box = lua_newuserdatauv(L, size, n_values);

    memset(box, 0, size);
    luaL_setmetatable(L, name);
    oras_context_note(L);
    return box;
}

/* The name alone: an address in a log helps nobody and tells an attacker something. */
static int box_name(lua_State *L)
{
    lua_settop(L, 1);
    if (luaL_getmetafield(L, 1, "__name") == LUA_TNIL)
        lua_pushliteral(L, "userdata");
    return 1;
}

/* Push the metatable. [-0, +1] */
static void push_type(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction close)
{
    lua_createtable(L, 0, 8);
    lua_newtable(L);
    if (methods)
        luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__close");
    lua_pushcfunction(L, box_name);
    lua_setfield(L, -2, "__tostring");
}

void oras_box_type_with(lua_State *L, const char *name, const luaL_Reg *methods,
                        lua_CFunction close, const luaL_Reg *metamethods)
{
    bool is_there = luaL_getmetatable(L, name) != LUA_TNIL;

    lua_pop(L, 1);
    if (is_there)
        return;
    push_type(L, name, methods, close);
    if (metamethods)
        luaL_setfuncs(L, metamethods, 0);
    lua_setfield(L, LUA_REGISTRYINDEX, name); /* last: see box.h */
}

void oras_box_type(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction close)
{
    oras_box_type_with(L, name, methods, close, NULL);
}

#define BUFFER "oras.buffer"

static int buffer_close(lua_State *L)
{
    oras_buf *buf = lua_touserdata(L, 1);

    oras_buf_wipe(buf);
    oras_buf_dispose(buf);
    return 0;
}

oras_buf *oras_box_buffer(lua_State *L, size_t limit)
{
    oras_buf *buf;

    oras_box_type(L, BUFFER, NULL, buffer_close);
    buf = oras_box_new(L, BUFFER, sizeof *buf, 0);
    oras_buf_init(buf, limit);
    lua_toclose(L, -1);
    return buf;
}

/* Push the field of the options at idx (a table or nothing at all); gives its type. */
static int get_field(lua_State *L, int idx, const char *field)
{
    idx = lua_absindex(L, idx);
    if (lua_isnoneornil(L, idx)) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    if (!lua_istable(L, idx))
        oras_lua_misuse(L, "options are a %s, expected a table", luaL_typename(L, idx));
    lua_pushstring(L, field);
    return lua_rawget(L, idx);
}

static void mistyped(lua_State *L, const char *field, const char *expected)
{
    oras_lua_misuse(L, "option '%s' is a %s, expected %s", field, luaL_typename(L, -1), expected);
}

const char *oras_opt_string(lua_State *L, int idx, const char *field, const char *fallback)
{
    int type = get_field(L, idx, field);
    const char *value = fallback;

    if (type == LUA_TSTRING)
        value = lua_tostring(L, -1);
    else if (type != LUA_TNIL)
        mistyped(L, field, "a string");
    if (type == LUA_TSTRING && strlen(value) != lua_rawlen(L, -1))
        oras_lua_misuse(L, "option '%s' holds a NUL byte", field);
    lua_pop(L, 1);
    return value;
}

lua_Integer oras_opt_integer(lua_State *L, int idx, const char *field, lua_Integer fallback)
{
    int type = get_field(L, idx, field), exact = 0;
    lua_Integer value = fallback;

    if (type == LUA_TNUMBER)
        value = lua_tointegerx(L, -1, &exact);
    if (type != LUA_TNIL && !exact)
        mistyped(L, field, "a whole number");
    lua_pop(L, 1);
    return value;
}

lua_Number oras_opt_number(lua_State *L, int idx, const char *field, lua_Number fallback)
{
    int type = get_field(L, idx, field);
    lua_Number value = fallback;

    if (type == LUA_TNUMBER)
        value = lua_tonumber(L, -1);
    else if (type != LUA_TNIL)
        mistyped(L, field, "a number");
    lua_pop(L, 1);
    return value;
}

int oras_opt_boolean(lua_State *L, int idx, const char *field, int fallback)
{
    int type = get_field(L, idx, field);
    int value = fallback;

    if (type == LUA_TBOOLEAN)
        value = lua_toboolean(L, -1);
    else if (type != LUA_TNIL)
        mistyped(L, field, "a boolean");
    lua_pop(L, 1);
    return value;
}
