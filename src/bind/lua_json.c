/* SPDX-License-Identifier: MIT
 * oras.core.json */
#include "bind/json.h"
#include "bind/lua_error.h"
#include "bind/tables.h"

/* Their addresses are keys of the registry. */
static const char array_key, orders_key;

void oras_json_push_array_mark(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "oras.json.array");
    lua_setfield(L, -2, "__name");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &array_key);
}

bool oras_json_is_array(lua_State *L, int idx)
{
    bool marked;

    if (!lua_istable(L, idx) || !lua_getmetatable(L, idx))
        return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
    marked = lua_istable(L, -1) && lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return marked;
}

void oras_json_push_orders(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &orders_key) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &orders_key);
}

static int json_array(lua_State *L)
{
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    if (!lua_istable(L, 1))
        return oras_lua_misuse(L, "array is made of a %s, expected a table", luaL_typename(L, 1));
    if (!oras_json_is_array(L, 1) && lua_getmetatable(L, 1))
        return oras_lua_misuse(
            L, "array is made of an object with a metatable, expected a plain table");
    oras_json_push_array_mark(L);
    lua_setmetatable(L, 1);
    lua_settop(L, 1);
    return 1;
}

static int json_is_array(lua_State *L)
{
    lua_pushboolean(L, oras_json_is_array(L, 1));
    return 1;
}

void oras_lua_open_json(lua_State *L)
{
    static const luaL_Reg functions[] = {{"decode", oras_lua_json_decode},
                                         {"encode", oras_lua_json_encode},
                                         {"array", json_array},
                                         {"is_array", json_is_array},
                                         {NULL, NULL}};

    luaL_newlib(L, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
}
