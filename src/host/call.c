/* SPDX-License-Identifier: MIT
 * Calling a provider's method with JSON in and out: oras_call_json. The work is done by
 * lua/oras/providers.lua. */
#include "base/alloc.h"
#include "bind/lua_error.h"
#include "host/modules.h"
#include "host/runtime.h"

#include <string.h>

static const char call_key;

typedef struct request {
    const char *provider, *method, *args;
    char *result; /* owned once set */
} request;

void oras_call_push_function(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &call_key) == LUA_TFUNCTION)
        return;
    lua_pop(L, 1);
    oras_modules_push(L, "oras.providers");
    lua_getfield(L, -1, "call");
    lua_remove(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &call_key);
}

void oras_call_forget_function(lua_State *L)
{
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &call_key);
}

static int call_method(lua_State *L)
{
    request *r = lua_touserdata(L, 1);
    oras_error err = ORAS_ERROR_INIT;
    const char *text;
    size_t size;

    oras_call_push_function(L);
    lua_pushstring(L, r->provider);
    lua_pushstring(L, r->method);
    lua_pushstring(L, r->args);
    lua_call(L, 3, 1);
    text = luaL_checklstring(L, -1, &size);
    r->result = oras_strndup(text, size);
    if (!r->result) {
        oras_fail_memory(&err);
        return oras_lua_raise(L, &err);
    }
    return 0;
}

oras_code oras_call_json(oras_runtime *rt, const char *provider, const char *method,
                         const char *args, char **result, oras_error *err)
{
    request r = {provider, method, args, NULL};
    oras_code code;

    if (!rt || !provider || !method || !result)
        return oras_fail(err, ORAS_C_USAGE, "a runtime, a provider and a method are expected");
    if (!lua_checkstack(rt->L, 4))
        return oras_fail_memory(err);
    lua_pushcfunction(rt->L, call_method);
    lua_pushlightuserdata(rt->L, &r);
    code = oras_runtime_pcall(rt, 1, 0, err);
    if (code)
        return code;
    if (!r.result)
        return oras_fail(err, ORAS_C_SCRIPT, "the method called os.exit");
    *result = r.result;
    return ORAS_OK;
}
