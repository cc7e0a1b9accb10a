/* SPDX-License-Identifier: MIT */
#include "bind/context.h"

#include "bind/lua_error.h"
#include "bind/task.h"
#include "net/global.h"

#include <string.h>

static const char context_key, boxes_key;

static void stop(oras_context *context)
{
    oras_pool_free(context->pool);
    oras_loop_free(context->loop);
    context->pool = NULL;
    context->loop = NULL;
    context->closed = true;
}

/* The context is older than every box that uses it, so lua_close finalizes it after them. Its
 * memory stays until then: a box may still point to it. */
static int context_close(lua_State *L)
{
    stop(lua_touserdata(L, 1));
    return 0;
}

static void set_up(lua_State *L, oras_context *context)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_code code = oras_net_init(&err);

    if (!code && !context->loop)
        code = oras_loop_new(&context->loop, &err);
    if (!code && !context->pool)
        code = oras_pool_new(0, &context->pool, &err);
    if (code)
        oras_lua_raise(L, &err);
    context->closed = false;
}

/* NULL if there is none yet. [-0, +0] */
static oras_context *find(lua_State *L)
{
    oras_context *context;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &context_key);
    context = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return context;
}

static void check_open(lua_State *L, const oras_context *context)
{
    if (context->closed)
        oras_lua_misuse(L, "the runtime is closed");
}

static oras_context *make(lua_State *L)
{
    oras_context *context = lua_newuserdatauv(L, sizeof *context, 0);

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

oras_context *oras_context_get(lua_State *L)
{
    oras_context *context = find(L);

    if (!context)
        return make(L);
    check_open(L, context);
    return context;
}

/* --- closing before lua_close ------------------------------------------------------------- */

/* Numbered, and weak: the table keeps no box alive. */
static void note_boxes(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &boxes_key) == LUA_TNIL) {
        lua_newtable(L);
        lua_createtable(L, 0, 1);
        lua_pushliteral(L, "v");
        lua_setfield(L, -2, "__mode");
        lua_setmetatable(L, -2);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &boxes_key);
    }
    lua_pop(L, 1);
}

oras_context *oras_context_open(lua_State *L)
{
    oras_context *context = find(L);

    luaL_checkstack(L, 8, "no room for the context");
    if (!context)
        context = make(L);
    else if (context->closed)
        set_up(L, context);
    note_boxes(L);
    return context;
}

void oras_context_note(lua_State *L)
{
    oras_context *context = find(L);

    if (!context)
        return;
    check_open(L, context);
    luaL_checkstack(L, 2, "no room for a box");
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &boxes_key) != LUA_TNIL) {
        lua_pushvalue(L, -2);
        lua_rawseti(L, -2, ++context->n_boxes);
    }
    lua_pop(L, 1);
}

/* Lua: close boxes, newest first. The methods are called as they are: no frame, no memory. */
static int close_boxes(lua_State *L)
{
    oras_context *context = lua_touserdata(L, 1);

    while (context->n_boxes > 0) {
        lua_CFunction close = NULL;

        lua_settop(L, 0);
        lua_rawgetp(L, LUA_REGISTRYINDEX, &boxes_key);
        lua_rawgeti(L, 1, context->n_boxes--);
        lua_remove(L, 1);
        if (luaL_getmetafield(L, 1, "__gc") != LUA_TNIL) {
            close = lua_tocfunction(L, -1);
            lua_pop(L, 1);
        }
        if (close)
            close(L);
    }
    return 0;
}

void oras_context_close(lua_State *L, oras_context *context)
{
    lua_Integer left;
    int status;

    if (!context->loop)
        return;
    oras_task_drop_all(L, context);
    lua_gc(L, LUA_GCCOLLECT); /* what waits for its finalizer is not in the table any more */
    do { /* one that is in use raises; who uses it is newer, and closed by then */
        left = context->n_boxes;
        lua_pushcfunction(L, close_boxes);
        lua_pushlightuserdata(L, context);
        status = lua_pcall(L, 1, 0, 0);
        if (status != LUA_OK)
            lua_pop(L, 1);
    } while (status != LUA_OK && context->n_boxes < left);
    stop(context);
    context->log = NULL;
    context->ca_file = context->user_agent = NULL;
    context->reports = NULL;
    context->hook = NULL;
    context->never_block = context->unwinds = false;
    context->interrupted = 0;
}
