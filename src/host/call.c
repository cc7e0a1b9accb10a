/* SPDX-License-Identifier: MIT
 * Calling a provider's method with JSON in and out: oras_call_json. The work is done by
 * lua/oras/providers.lua. */
#include "host/call.h"
#include "base/alloc.h"
#include "bind/lua_error.h"
#include "host/modules.h"
#include "host/stream.h"

#include <string.h>

static const char call_key;

typedef struct request {
    const oras_call_spec *spec;
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

void oras_call_push(lua_State *L, const oras_call_spec *spec)
{
    oras_call_push_function(L);
    lua_pushstring(L, spec->provider);
    lua_pushstring(L, spec->method);
    lua_pushstring(L, spec->args);
    if (spec->stream)
        oras_stream_push(L, spec->stream);
    else
        lua_pushnil(L);
}

static int call_method(lua_State *L)
{
    request *r = lua_touserdata(L, 1);
    oras_error err = ORAS_ERROR_INIT;
    const char *text;
    size_t size;

    oras_call_push(L, r->spec);
    lua_call(L, ORAS_CALL_ARGS, 1);
    text = luaL_checklstring(L, -1, &size);
    r->result = oras_strndup(text, size);
    if (!r->result) {
        oras_fail_memory(&err);
        return oras_lua_raise(L, &err);
    }
    return 0;
}

oras_code oras_call_run(oras_runtime *rt, const oras_call_spec *spec, char **result,
                        oras_error *err)
{
    request r = {spec, NULL};
    oras_code code;

    if (!rt || !spec->provider || !spec->method || !result)
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

oras_code oras_call_json(oras_runtime *rt, const char *provider, const char *method,
                         const char *args, char **result, oras_error *err)
{
    const oras_call_spec spec = {provider, method, args, NULL};

    return oras_call_run(rt, &spec, result, err);
}
