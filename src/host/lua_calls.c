/* SPDX-License-Identifier: MIT
 * For hosts that speak Lua: classes, protected calls and tasks on the stack of the main thread. */
#include "bind/lua_error.h"
#include "bind/task.h"
#include "host/modules.h"
#include "host/runtime.h"

#include <oras_lua.h>

/* Lua: the class of a provider */
static int find_class(lua_State *L)
{
    const char *provider = lua_touserdata(L, 1);

    oras_modules_push(L, "oras.providers");
    lua_getfield(L, -1, "class");
    lua_pushstring(L, provider);
    lua_call(L, 1, 1);
    return 1;
}

static oras_code exited(oras_error *err)
{
    return oras_fail(err, ORAS_C_SCRIPT, "the function called os.exit");
}

oras_code oras_lua_load(oras_runtime *rt, const char *provider, oras_error *err)
{
    oras_code code;

    if (!rt || !provider)
        return oras_fail(err, ORAS_C_USAGE, "a runtime and a provider are expected");
    if (!lua_checkstack(rt->L, 4))
        return oras_fail_memory(err);
    lua_pushcfunction(rt->L, find_class);
    lua_pushlightuserdata(rt->L, (void *)(uintptr_t)provider);
    code = oras_runtime_pcall(rt, 1, 1, err);
    return !code && rt->exiting ? exited(err) : code;
}

/* Are there a function and its arguments? */
static bool has_call(const oras_runtime *rt, int nargs)
{
    return rt && nargs >= 0 && lua_gettop(rt->L) > nargs;
}

oras_code oras_lua_pcall(oras_runtime *rt, int nargs, int nresults, oras_error *err)
{
    oras_code code;

    if (!has_call(rt, nargs) || nresults < LUA_MULTRET)
        return oras_fail(err, ORAS_C_USAGE, "a function and its arguments are expected");
    code = oras_runtime_pcall(rt, nargs, nresults, err);
    return !code && rt->exiting ? exited(err) : code;
}

oras_code oras_lua_spawn(oras_runtime *rt, int nargs, oras_call **out, oras_error *err)
{
    if (!has_call(rt, nargs))
        return oras_fail(err, ORAS_C_USAGE, "a function and its arguments are expected");
    if (out && rt->depth == 0)
        return oras_call_begin(rt, nargs, true, out, err);
    lua_settop(rt->L, -(nargs + 2));
    return oras_fail(err, ORAS_C_USAGE,
                     out ? "no call can be started from inside a callback"
                         : "a place for the call is expected");
}

int oras_lua_results(oras_call *call, lua_State *to)
{
    lua_State *from;
    int n;

    if (!call || !to || !call->home)
        return 0;
    from = call->task->co;
    n = lua_gettop(from);
    if (!lua_checkstack(to, n) || !lua_checkstack(from, n))
        return -1;
    for (int i = 1; i <= n; i++)
        lua_pushvalue(from, i);
    lua_xmove(from, to, n);
    return n;
}
