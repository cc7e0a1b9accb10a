/* SPDX-License-Identifier: MIT
 * A runtime in a state of the host's: oras_lua_attach, luaopen_oras. It is a userdata in the
 * registry, so that lua_close ends it. */
#include "bind/lua_error.h"
#include "bind/task.h"
#include "host/environment.h"
#include "host/modules.h"
#include "host/runtime.h"
#include "host/stream.h"

#include <oras_lua.h>

static const char box_key;

typedef struct runtime_box {
    oras_runtime *rt; /* owned; NULL once it was freed */
} runtime_box;

/* [-0, +0] */
static runtime_box *find_box(lua_State *L)
{
    runtime_box *box;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &box_key);
    box = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return box;
}

/* Lua must not be taken from what stands on the C stack above this. */
static bool is_busy(const oras_runtime *rt)
{
    return rt->depth > 0 || rt->n_callbacks > 0 || rt->context->n_blocked > 0 ||
           rt->context->running;
}

/* What Lua holds of it becomes inert; the struct is still there. */
static void end(oras_runtime *rt)
{
    rt->log.fn = NULL; /* nothing is said to a host that may be half gone */
    rt->progress = NULL;
    oras_task_drop_all(rt->L, rt->context);
    oras_calls_free(rt);
    oras_streams_end(rt);
    oras_context_close(rt->L, rt->context);
    oras_call_forget_function(rt->L);
    oras_runtime_set(rt->L, NULL);
}

/* lua_close: the state's memory goes with all that is in it */
static int box_gc(lua_State *L)
{
    runtime_box *box = lua_touserdata(L, 1);
    oras_runtime *rt = box->rt;

    box->rt = NULL;
    if (rt) {
        end(rt);
        oras_runtime_dispose(rt);
    }
    return 0;
}

static void remove_modules(lua_State *L)
{
    lua_pushcfunction(L, oras_environment_close);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK)
        lua_pop(L, 1);
}

void oras_lua_detach(oras_runtime *rt)
{
    runtime_box *box = find_box(rt->L);

    if (is_busy(rt)) {
        rt->doomed = rt->context->closed = true;
        oras_interrupt(rt);
        return;
    }
    box->rt = NULL;
    end(rt);
    remove_modules(rt->L);
    oras_runtime_dispose(rt);
}

/* --- attach --------------------------------------------------------------------------------- */

/* Push the box, empty, or the one that is there already. [-0, +1] */
static runtime_box *push_box(lua_State *L)
{
    runtime_box *box;

    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &box_key) == LUA_TUSERDATA)
        return lua_touserdata(L, -1);
    lua_pop(L, 1);
    box = lua_newuserdatauv(L, sizeof *box, 0);
    box->rt = NULL;
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, box_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &box_key);
    return box;
}

/* Lua: the context first, so that it outlives the box; nothing raises once the runtime is known. */
static int attach(lua_State *L)
{
    oras_runtime *rt = lua_touserdata(L, 1);
    oras_context *context;
    runtime_box *box;

    luaL_checkversion(L);
    rt->context = context = oras_context_open(L);
    box = push_box(L);
    oras_environment_open(L);
    oras_runtime_set(L, rt);
    oras_runtime_set_context(rt, context);
    context->hook = oras_interrupt_hook();
    box->rt = rt;
    return 0;
}

static oras_code make(lua_State *L, const oras_options *opts, oras_runtime **out, oras_error *err)
{
    oras_runtime *rt = oras_runtime_alloc(opts, err);
    bool was_open; /* by luaopen_oras */
    int status;

    if (!rt)
        return err->code;
    oras_environment_push(L);
    was_open = !lua_isnil(L, -1);
    lua_pop(L, 1);
    rt->L = L;
    rt->attached = rt->watched = true;
    lua_pushcfunction(L, attach);
    lua_pushlightuserdata(L, rt);
    status = lua_pcall(L, 1, 0, 0);
    if (status == LUA_OK) {
        *out = rt;
        return ORAS_OK;
    }
    oras_runtime_take_error(L, status, err);
    if (!was_open)
        remove_modules(L);
    oras_runtime_dispose(rt);
    return err->code;
}

/* The state's own thread: a coroutine may end before the runtime does. */
static lua_State *main_thread(lua_State *L)
{
    lua_State *main;

    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    main = lua_tothread(L, -1);
    lua_pop(L, 1);
    return main;
}

oras_code oras_lua_attach(lua_State *L, const oras_options *opts, oras_runtime **out,
                          oras_error *err)
{
    oras_error unseen = ORAS_ERROR_INIT;
    oras_runtime *rt;

    err = err ? err : &unseen;
    if (!L || !out)
        return oras_fail(err, ORAS_C_USAGE, "a Lua state is expected");
    if (!lua_checkstack(L, 2) || !lua_checkstack(L = main_thread(L), 8))
        return oras_fail_memory(err);
    rt = oras_runtime_of(L);
    if (rt && rt->doomed) {
        if (is_busy(rt))
            return oras_fail(err, ORAS_C_USAGE, "the runtime of this state is being freed");
        oras_lua_detach(rt);
        rt = NULL;
    }
    if (!rt)
        return make(L, opts, out, err);
    *out = rt;
    return ORAS_OK;
}

lua_State *oras_lua_state(oras_runtime *rt)
{
    return rt ? rt->L : NULL;
}

int luaopen_oras(lua_State *L)
{
    oras_runtime *rt = oras_runtime_of(L);

    luaL_checkversion(L);
    if (!rt || rt->attached) {
        oras_context_open(L);
        oras_environment_open(L);
    }
    oras_modules_push(L, "oras");
    return 1;
}
