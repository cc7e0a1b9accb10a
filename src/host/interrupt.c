/* SPDX-License-Identifier: MIT
 * Stopping a state from outside, and os.exit: both unwind everything through one hook that
 * fires again after every pcall, so that no loop around one survives. */
#include "bind/lua_error.h"
#include "bind/task.h"
#include "host/runtime.h"

static void raise_stop(lua_State *L)
{
    oras_error err = ORAS_ERROR_INIT;

    if (oras_runtime_of(L)->exiting)
        oras_fail(&err, ORAS_C_CANCELLED, "the script called os.exit");
    else
        oras_fail(&err, ORAS_C_CANCELLED, "interrupted");
    oras_lua_raise(L, &err);
}

/* The host's turn has taken long enough: the task that computes goes on in the next one. */
static void preempt(lua_State *L, const oras_context *context)
{
    if (context->running != L || !oras_task_slice_is_over(context) || !lua_isyieldable(L))
        return;
    context->task->preempted = true;
    lua_yield(L, 0);
}

static void stop(lua_State *L, lua_Debug *event);

static void set_watch(lua_State *L, bool watched)
{
    lua_sethook(L, watched ? stop : NULL, watched ? LUA_MASKCOUNT : 0, ORAS_HOOK_COUNT);
}

static void stop(lua_State *L, lua_Debug *event)
{
    const oras_runtime *rt = oras_runtime_of(L);

    (void)event;
    if (!rt) { /* a coroutine of the host's that a task made, and the runtime is gone */
        lua_sethook(L, NULL, 0, 0);
    } else if (rt->context->interrupted) {
        oras_interrupt_arm(L);
        raise_stop(L);
    } else if (lua_gethookcount(L) == 1) {
        set_watch(L, rt->watched);
    } else {
        preempt(L, rt->context);
    }
}

lua_Hook oras_interrupt_hook(void)
{
    return stop;
}

void oras_interrupt_arm(lua_State *L)
{
    lua_sethook(L, stop, LUA_MASKCOUNT, 1);
}

void oras_interrupt_watch(lua_State *L, bool watched)
{
    oras_runtime_of(L)->watched = watched;
    set_watch(L, watched);
}

/* lua_sethook writes plain fields, so a signal handler may call it on the state's own thread,
 * as lua.c does. A coroutine that runs hides those that resumed it: they are armed when it
 * ends. Other threads must not touch the state; for them the watch is there. */
static void arm_all(oras_runtime *rt)
{
    const oras_frame *frame = rt->running;
    lua_State *task = rt->context->running;

    if (!rt->attached) /* the hooks of a host are the host's */
        oras_interrupt_arm(rt->L);
    if (task && (!rt->attached || lua_gethook(task) == stop))
        oras_interrupt_arm(task);
    if (frame)
        oras_interrupt_arm(frame->L);
}

void oras_interrupt(oras_runtime *rt)
{
    bool is_in_call = rt && __atomic_load_n(&rt->depth, __ATOMIC_ACQUIRE) > 0;

    /* a host's own call of Lua may wait, too */
    if (!rt || (!is_in_call && !rt->context->n_blocked))
        return;
    rt->context->interrupted = 1;
    if (is_in_call && pthread_equal(pthread_self(), rt->owner))
        arm_all(rt);
    if (rt->context->loop)
        oras_loop_wake(rt->context->loop);
}

static int part(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, "oras.parting") != LUA_TTABLE)
        return 0;
    lua_getfield(L, -1, "run");
    lua_call(L, 0, 0);
    return 0;
}

void oras_interrupt_part(oras_runtime *rt)
{
    oras_reports *reports = rt->context->reports;

    if (!lua_checkstack(rt->L, 2))
        return;
    rt->context->reports = NULL; /* whoever had enough is not asked again */
    lua_pushcfunction(rt->L, part);
    if (lua_pcall(rt->L, 0, 0, 0) != LUA_OK)
        lua_pop(rt->L, 1);
    rt->context->reports = reports;
}

int oras_interrupt_exit(lua_State *L)
{
    oras_runtime *rt = oras_runtime_of(L);
    int status = 0;

    if (lua_isboolean(L, 1))
        status = lua_toboolean(L, 1) ? 0 : 1;
    else
        status = (int)luaL_optinteger(L, 1, 0);
    if (rt->depth) {
        rt->exiting = true;
        rt->exit_status = status;
        rt->context->interrupted = 1;
        oras_interrupt_arm(L);
        arm_all(rt);
    }
    raise_stop(L);
    return 0;
}
