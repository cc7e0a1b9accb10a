/* SPDX-License-Identifier: MIT */
#include "bind/context.h"

#include "bind/lua_error.h"
#include "net/global.h"

#include <string.h>

static const char context_key;

/* The context is older than every box that uses it, so lua_close finalizes it after them. */
static int context_close(lua_State *L)
{
    oras_context *context = lua_touserdata(L, 1);

    oras_pool_free(context->pool);
    oras_loop_free(context->loop);
    context->pool = NULL;
    context->loop = NULL;
    return 0;
}

static void set_up(lua_State *L, oras_context *context)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_code code = oras_net_init(&err);

    if (!code)
        code = oras_loop_new(&context->loop, &err);
    if (!code)
        code = oras_pool_new(0, &context->pool, &err);
    if (code)
        oras_lua_raise(L, &err);
}

oras_context *oras_context_get(lua_State *L)
{
    oras_context *context;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &context_key);
    context = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (context)
        return context;
    context = lua_newuserdatauv(L, sizeof *context, 0);
    memset(context, 0, sizeof *context);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, context_close);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    context->main = lua_tothread(L, -1);
    lua_pop(L, 1);
    set_up(L, context);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &context_key);
    return context;
}
