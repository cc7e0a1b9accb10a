/* SPDX-License-Identifier: MIT
 * coroutine.resume, wrap and close of our own state: as Lua's, and besides they note which
 * coroutine runs, so that an interrupt reaches it and then everything that resumed it. */
#include "host/runtime.h"

#include <lualib.h>

static void enter(oras_runtime *rt, oras_frame *frame, lua_State *co)
{
    frame->L = co;
    frame->below = rt->running;
    rt->running = frame;
}

static void leave(oras_runtime *rt, oras_frame *frame, lua_State *L)
{
    rt->running = frame->below;
    if (rt->context->interrupted)
        oras_interrupt_arm(L);
}

/* Run co with the n_args values on top of L. Gives the number of results moved to L, or -1
 * with one value, what went wrong. */
static int run(lua_State *L, lua_State *co, int n_args)
{
    oras_runtime *rt = oras_runtime_of(L);
    oras_frame frame;
    int n_results, status;

    if (!lua_checkstack(co, n_args)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, n_args);
    enter(rt, &frame, co);
    status = lua_resume(co, L, n_args, &n_results);
    leave(rt, &frame, L);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, n_results + 1)) {
        lua_pop(co, n_results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, n_results);
    return n_results;
}

static int close_thread(lua_State *L, lua_State *co)
{
    oras_runtime *rt = oras_runtime_of(L);
    oras_frame frame;
    int status;

    enter(rt, &frame, co);
    status = lua_resetthread(co);
    leave(rt, &frame, L);
    return status;
}

static lua_State *check_coroutine(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);

    if (!co)
        luaL_typeerror(L, 1, "coroutine");
    return co;
}

static int resume(lua_State *L)
{
    lua_State *co = check_coroutine(L);
    int n = run(L, co, lua_gettop(L) - 1);

    lua_pushboolean(L, n >= 0);
    lua_insert(L, n >= 0 ? -(n + 1) : -2);
    return n >= 0 ? n + 1 : 2;
}

/* An error leaves the coroutine: its pending closes run, and a message gets the place where
 * the iterator was called. */
static int fail_wrapped(lua_State *L, lua_State *co)
{
    int status = lua_status(co);

    if (status != LUA_OK && status != LUA_YIELD) {
        status = close_thread(L, co);
        lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int call_wrapped(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int n = run(L, co, lua_gettop(L));

    return n >= 0 ? n : fail_wrapped(L, co);
}

static int wrap(lua_State *L)
{
    lua_State *co;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

/* suspended or dead: neither running nor waiting for one that it resumed */
static bool is_at_rest(lua_State *L, lua_State *co)
{
    lua_Debug frame;

    if (co == L)
        return false;
    return lua_status(co) != LUA_OK || lua_getstack(co, 0, &frame) == 0;
}

static int close(lua_State *L)
{
    lua_State *co = check_coroutine(L);

    if (!is_at_rest(L, co))
        return luaL_error(L, "cannot close a %s coroutine", co == L ? "running" : "normal");
    if (close_thread(L, co) == LUA_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
}

void oras_coroutines_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"resume", resume}, {"wrap", wrap}, {"close", close}, {NULL, NULL}};

    lua_getglobal(L, LUA_COLIBNAME);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
