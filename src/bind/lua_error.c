/* SPDX-License-Identifier: MIT */
#include "bind/lua_error.h"

#include <stdio.h>
#include <string.h>

#define NAME "oras.Error"

/* Its address is the metatable's key in the registry. */
static const char metatable_key;

/* The class and the message, as long as nothing of the Lua side is loaded that says more. */
static int to_text(lua_State *L)
{
    lua_settop(L, 1);
    if (!lua_istable(L, 1) || lua_getfield(L, 1, "class") != LUA_TSTRING ||
        lua_getfield(L, 1, "message") != LUA_TSTRING)
        lua_pushliteral(L, NAME);
    else
        lua_pushfstring(L, "%s: %s", lua_tostring(L, 2), lua_tostring(L, 3));
    return 1;
}

void oras_lua_push_error_metatable(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 8);
    lua_pushliteral(L, NAME);
    lua_setfield(L, -2, "__name");
    lua_pushcfunction(L, to_text);
    lua_setfield(L, -2, "__tostring");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
}

/* Worth another try, as far as the class tells; the policy is Lua's. */
static bool is_retryable(const char *class_name)
{
    static const oras_class classes[] = {ORAS_C_NETWORK, ORAS_C_TIMEOUT, ORAS_C_RATE,
                                         ORAS_C_SERVER};
    oras_class class;

    if (!oras_class_find(class_name, &class))
        return false;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (classes[i] == class)
            return true;
    }
    return false;
}

static void set_string(lua_State *L, const char *field, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, field);
}

static void set_integer(lua_State *L, const char *field, lua_Integer value)
{
    if (value) {
        lua_pushinteger(L, value);
        lua_setfield(L, -2, field);
    }
}

void oras_lua_push_error(lua_State *L, const oras_error *err)
{
    luaL_checkstack(L, 4, "no room for an error");
    lua_createtable(L, 0, 8);
    set_string(L, "class", err->class_name);
    set_string(L, "message", err->message);
    if (*err->oci_code)
        set_string(L, "code", err->oci_code);
    set_integer(L, "status", err->http_status);
    set_integer(L, "native", err->native);
    lua_pushboolean(L, is_retryable(err->class_name));
    lua_setfield(L, -2, "retryable");
    oras_lua_push_error_metatable(L);
    lua_setmetatable(L, -2);
}

int oras_lua_fail(lua_State *L, const oras_error *err)
{
    lua_pushnil(L);
    oras_lua_push_error(L, err);
    return 2;
}

/* Note in the error on top where the caller stands, which the Lua side knows to find out. */
static void note_position(lua_State *L)
{
    oras_lua_push_error_metatable(L);
    lua_pushliteral(L, "__position");
    if (lua_rawget(L, -2) == LUA_TFUNCTION && lua_pcall(L, 0, 1, 0) == LUA_OK &&
        lua_isstring(L, -1)) {
        lua_pushliteral(L, "where");
        lua_insert(L, -2);
        lua_rawset(L, -4);
        lua_pop(L, 1);
    } else {
        lua_pop(L, 2);
    }
}

int oras_lua_raise(lua_State *L, const oras_error *err)
{
    oras_lua_push_error(L, err);
    luaL_checkstack(L, 8, "error");
    note_position(L);
    return lua_error(L);
}

int oras_lua_misuse(lua_State *L, const char *format, ...)
{
    oras_error err = ORAS_ERROR_INIT;
    char message[sizeof err.message];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    oras_fail(&err, ORAS_C_USAGE, "%s", message);
    return oras_lua_raise(L, &err);
}

const char *oras_lua_check_text(lua_State *L, int idx, const char *what)
{
    if (lua_type(L, idx) != LUA_TSTRING)
        oras_lua_misuse(L, "%s is a %s, expected a string", what, luaL_typename(L, idx));
    if (strlen(lua_tostring(L, idx)) != lua_rawlen(L, idx))
        oras_lua_misuse(L, "%s holds a NUL byte", what);
    return lua_tostring(L, idx);
}

static bool is_error(lua_State *L, int idx)
{
    bool same;

    if (!lua_istable(L, idx) || !lua_getmetatable(L, idx))
        return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
    same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

/* Push a field without metamethods: whoever raised it may have made them raise, too. */
static int raw_field(lua_State *L, int idx, const char *field)
{
    lua_pushstring(L, field);
    return lua_rawget(L, idx);
}

static int integer_field(lua_State *L, int idx, const char *field)
{
    lua_Integer value = raw_field(L, idx, field) == LUA_TNUMBER ? lua_tointeger(L, -1) : 0;

    lua_pop(L, 1);
    return value >= INT32_MIN && value <= INT32_MAX ? (int)value : 0;
}

static oras_class class_field(lua_State *L, int idx)
{
    oras_class class = ORAS_C_SCRIPT;

    if (raw_field(L, idx, "class") == LUA_TSTRING)
        oras_class_find(lua_tostring(L, -1), &class);
    lua_pop(L, 1);
    return class;
}

static void fill_from_object(lua_State *L, int idx, oras_error *err)
{
    oras_class class = class_field(L, idx);

    raw_field(L, idx, "message");
    oras_fail(err, class, "%s",
              lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no message");
    lua_pop(L, 1);
    if (raw_field(L, idx, "code") == LUA_TSTRING)
        snprintf(err->oci_code, sizeof err->oci_code, "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
    err->http_status = integer_field(L, idx, "status");
    err->native = integer_field(L, idx, "native");
}

void oras_lua_to_error(lua_State *L, int idx, oras_error *err)
{
    const char *text;

    idx = lua_absindex(L, idx);
    luaL_checkstack(L, 4, "no room for an error");
    if (is_error(L, idx)) {
        fill_from_object(L, idx, err);
        return;
    }
    text = lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : NULL;
    if (text && strcmp(text, "not enough memory") == 0) /* Lua's own, for a failed allocation */
        oras_fail_memory(err);
    else if (text)
        oras_fail(err, ORAS_C_SCRIPT, "%s", text);
    else
        oras_fail(err, ORAS_C_SCRIPT, "(error object is a %s value)", luaL_typename(L, idx));
}
