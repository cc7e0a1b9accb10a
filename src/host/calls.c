/* SPDX-License-Identifier: MIT
 * Calls that go on in the host's own loop: each is a task, and oras_step gives them their
 * turns. */
#include "base/alloc.h"
#include "bind/lua_error.h"
#include "bind/progress.h"
#include "bind/task.h"
#include "host/call.h"
#include "host/modules.h"
#include "host/stream.h"

#include <limits.h>

#define SLICE_MS 5   /* of one step */
#define DROP_MS  150 /* from being told to end until it is ended */

static void enlist(oras_call **list, oras_call *call)
{
    call->next = *list;
    call->at = list;
    if (call->next)
        call->next->at = &call->next;
    *list = call;
}

static void unlist(oras_call *call)
{
    *call->at = call->next;
    if (call->next)
        call->next->at = call->at;
}

static void forget_task(lua_State *L, oras_call *call)
{
    call->task = NULL;
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, call);
}

/* It is done: what it has is its own from here on, whatever becomes of the runtime; but for
 * values of Lua. */
static void settle(oras_call *call)
{
    oras_runtime *rt = call->rt;

    unlist(call);
    call->rt = NULL;
    oras_stream_let_go(call->stream);
    if (call->keeps && !call->err.code && oras_task_is_over(call->task)) {
        call->home = rt;
        enlist(&rt->kept, call);
    } else {
        forget_task(rt->L, call);
    }
}

void oras_call_let_go(oras_call *call)
{
    if (!call->home)
        return;
    unlist(call);
    forget_task(call->home->L, call);
    call->home = NULL;
}

/* Lua: make the task of the call at 1, of the function at 2 and what follows; and keep it. */
static int begin(lua_State *L)
{
    oras_call *call = lua_touserdata(L, 1);

    call->task = oras_task_spawn(L, lua_gettop(L) - 2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, call);
    return 0;
}

/* The call below the function on the stack, `begin` below that. */
static oras_code run_begin(oras_runtime *rt, int n_args, oras_call *call, oras_error *err)
{
    int function = lua_gettop(rt->L) - n_args;
    oras_code code;

    lua_pushcfunction(rt->L, begin);
    lua_insert(rt->L, function);
    lua_pushlightuserdata(rt->L, call);
    lua_insert(rt->L, function + 1);
    code = oras_runtime_pcall(rt, n_args + 2, 0, err);
    if (code && call->task)
        oras_task_drop_root(rt->L, rt->context, call->task->root);
    return code;
}

oras_code oras_call_begin(oras_runtime *rt, int n_args, bool keeps, oras_call **out,
                          oras_error *err)
{
    oras_call *call = oras_alloc_zero(1, sizeof *call);
    oras_code code;

    if (!call || !lua_checkstack(rt->L, 4)) {
        oras_dealloc(call);
        lua_settop(rt->L, -(n_args + 2));
        return oras_fail_memory(err);
    }
    call->err = (oras_error)ORAS_ERROR_INIT;
    call->keeps = keeps;
    code = run_begin(rt, n_args, call, err);
    if (code) {
        oras_dealloc(call);
        return code;
    }
    call->rt = rt;
    enlist(&rt->calls, call);
    *out = call;
    return ORAS_OK;
}

/* Lua: the function of a call and its arguments */
static int give_call(lua_State *L)
{
    oras_call_push(L, lua_touserdata(L, 1));
    return 1 + ORAS_CALL_ARGS;
}

oras_code oras_call_spawn(oras_runtime *rt, const oras_call_spec *spec, oras_call **out,
                          oras_error *err)
{
    oras_code code;

    if (!rt || !spec->provider || !spec->method || !out)
        return oras_fail(err, ORAS_C_USAGE, "a runtime, a provider and a method are expected");
    if (rt->depth > 0)
        return oras_fail(err, ORAS_C_USAGE, "no call can be started from inside a callback");
    if (!lua_checkstack(rt->L, 8))
        return oras_fail_memory(err);
    lua_pushcfunction(rt->L, give_call);
    lua_pushlightuserdata(rt->L, (void *)(uintptr_t)spec);
    code = oras_runtime_pcall(rt, 1, 1 + ORAS_CALL_ARGS, err);
    return code ? code : oras_call_begin(rt, ORAS_CALL_ARGS, false, out, err);
}

oras_code oras_call_start(oras_runtime *rt, const char *provider, const char *method,
                          const char *args, oras_call **out, oras_error *err)
{
    const oras_call_spec spec = {provider, method, args, NULL};

    return oras_call_spawn(rt, &spec, out, err);
}

int oras_pollfd(const oras_runtime *rt)
{
    return rt ? oras_loop_fd(rt->context->loop) : -1;
}

static int sooner(int timeout_ms, int64_t due_ms)
{
    int64_t left = due_ms - oras_loop_now();

    if (left < 0)
        left = 0;
    return timeout_ms < 0 || left < timeout_ms ? (int)left : timeout_ms;
}

int oras_timeout_ms(const oras_runtime *rt)
{
    int timeout_ms;

    if (!rt)
        return -1;
    if (rt->context->ready_first)
        return 0;
    timeout_ms = oras_loop_timeout(rt->context->loop);
    for (const oras_call *call = rt->calls; call; call = call->next) {
        if (call->cancelled)
            timeout_ms = call->drop_due_ms ? sooner(timeout_ms, call->drop_due_ms) : 0;
    }
    if (rt->calls && rt->progress)
        timeout_ms = sooner(timeout_ms, rt->reports.due_ms);
    return timeout_ms;
}

/* Those that were asked to end are told where they wait, and ended if that does not help. */
static void pass_cancels(oras_runtime *rt)
{
    for (oras_call *call = rt->calls; call; call = call->next) {
        if (!call->cancelled || oras_task_is_over(call->task))
            continue;
        if (!call->drop_due_ms) {
            call->drop_due_ms = oras_loop_now() + DROP_MS;
            oras_task_cancel(rt->L, call->task);
        } else if (oras_loop_now() >= call->drop_due_ms) {
            oras_task_drop_root(rt->L, rt->context, call->task->root);
        }
    }
}

/* The host may have had enough: that ends all calls. */
static void report(oras_runtime *rt)
{
    if (rt->calls && rt->progress && oras_loop_now() >= rt->reports.due_ms)
        oras_reports_tell(&rt->reports);
}

/* Lua: the loop, then the tasks, as long as there is something to do and time is left. */
static int turn(lua_State *L)
{
    oras_runtime *rt = lua_touserdata(L, 1);
    oras_context *context = rt->context;
    oras_error err = ORAS_ERROR_INIT;

    report(rt);
    do {
        if (oras_loop_step_until(context->loop, context->slice_end_ms, &err))
            return oras_lua_raise(L, &err);
        oras_task_run_ready(L, context);
    } while (context->ready_first && !context->interrupted && !oras_task_slice_is_over(context));
    /* what tasks have begun shows in the descriptor and the timeout only after another step */
    if (oras_task_slice_is_over(context))
        oras_loop_tell(context->loop);
    else if (oras_loop_step_until(context->loop, context->slice_end_ms, &err))
        return oras_lua_raise(L, &err);
    return 0;
}

/* Lua: the text that a task has come to. */
static int take_result(lua_State *L)
{
    oras_call *call = lua_touserdata(L, 1);
    oras_error err = ORAS_ERROR_INIT;
    const char *text;
    size_t size;

    lua_settop(L, 1);
    if (oras_task_results(L, call->task) < 1 && !call->keeps)
        return luaL_error(L, "a provider's method gave no text");
    if (call->keeps)
        return 0;
    text = luaL_checklstring(L, 2, &size);
    call->result = oras_strndup(text, size);
    if (call->result)
        return 0;
    oras_fail_memory(&err);
    return oras_lua_raise(L, &err);
}

static void finish(oras_call *call)
{
    lua_State *L = call->rt->L;
    int status;

    if (call->cancelled || call->task->state == ORAS_TASK_CANCELLED) {
        oras_fail(&call->err, ORAS_C_CANCELLED, "the call was cancelled");
    } else {
        lua_pushcfunction(L, take_result);
        lua_pushlightuserdata(L, call);
        status = lua_pcall(L, 1, 0, 0);
        if (status != LUA_OK)
            oras_runtime_take_error(L, status, &call->err);
    }
    settle(call);
    if (call->orphan)
        oras_call_free(call);
}

static int finish_ended(oras_runtime *rt)
{
    int n_pending = 0;

    for (oras_call *call = rt->calls, *next; call; call = next) {
        next = call->next;
        if (oras_task_is_over(call->task))
            finish(call);
        else if (!call->orphan)
            n_pending++;
    }
    return n_pending;
}

oras_code oras_step(oras_runtime *rt, int *pending, oras_error *err)
{
    oras_error failed = ORAS_ERROR_INIT;
    oras_code code;
    int n_pending;

    if (!rt || rt->depth > 0)
        return oras_fail(err, ORAS_C_USAGE, "oras_step takes a runtime in which nothing runs");
    if (!lua_checkstack(rt->L, 4))
        return oras_fail_memory(err);
    pass_cancels(rt);
    rt->context->slice_end_ms = oras_loop_now() + SLICE_MS;
    lua_pushcfunction(rt->L, turn);
    lua_pushlightuserdata(rt->L, rt);
    code = oras_runtime_pcall(rt, 1, 0, &failed);
    rt->context->slice_end_ms = 0;
    n_pending = finish_ended(rt);
    if (code && code != ORAS_ECANCELED) {
        if (err)
            *err = failed;
        return code;
    }
    if (pending)
        *pending = n_pending;
    return ORAS_OK;
}

int oras_call_done(const oras_call *call)
{
    return call && !call->rt;
}

/* Lua: the first result of the task as JSON */
static int encode_result(lua_State *L)
{
    oras_call *call = lua_touserdata(L, 1);
    const char *text;
    size_t size;

    oras_modules_push(L, "oras.providers");
    lua_getfield(L, -1, "encode");
    lua_replace(L, 1);
    lua_settop(L, 1);
    oras_task_results(L, call->task);
    lua_settop(L, 2);
    lua_call(L, 1, 1);
    text = luaL_checklstring(L, -1, &size);
    call->result = oras_strndup(text, size);
    return call->result ? 0 : luaL_error(L, "not enough memory");
}

static oras_code encode(oras_call *call, oras_error *err)
{
    oras_runtime *rt = call->home;

    if (!rt)
        return oras_fail(err, ORAS_C_USAGE, "the runtime is closed");
    if (!lua_checkstack(rt->L, 4))
        return oras_fail_memory(err);
    lua_pushcfunction(rt->L, encode_result);
    lua_pushlightuserdata(rt->L, call);
    return oras_runtime_pcall(rt, 1, 0, err);
}

oras_code oras_call_result(oras_call *call, char **result, oras_error *err)
{
    if (!call || call->rt)
        return oras_fail(err, ORAS_C_USAGE, "a call that is done is expected");
    if (!result && !call->keeps)
        return oras_fail(err, ORAS_C_USAGE, "a place for the result is expected");
    if (call->err.code) {
        if (err)
            *err = call->err;
        return call->err.code;
    }
    if (!result)
        return ORAS_OK;
    if (call->keeps && !call->result) {
        oras_code code = encode(call, err);

        if (code)
            return code;
    }
    if (!call->result)
        return oras_fail(err, ORAS_C_USAGE, "the call's result was taken already");
    *result = call->result;
    call->result = NULL;
    return ORAS_OK;
}

void oras_call_cancel(oras_call *call)
{
    if (call && call->rt)
        call->cancelled = true;
}

/* End it now, wherever it is. */
static void stop(oras_call *call)
{
    oras_runtime *rt = call->rt;
    uint64_t root = call->task->root;

    settle(call);
    oras_task_drop_root(rt->L, rt->context, root);
}

void oras_call_free(oras_call *call)
{
    if (!call)
        return;
    if (call->rt && call->rt->depth > 0) { /* from a callback: it may be what runs */
        call->cancelled = call->orphan = true;
        return;
    }
    if (call->rt)
        stop(call);
    oras_call_let_go(call);
    oras_dealloc(call->result);
    oras_dealloc(call);
}

void oras_calls_free(oras_runtime *rt)
{
    while (rt->calls)
        oras_call_free(rt->calls);
    while (rt->kept)
        oras_call_let_go(rt->kept);
}

void oras_wake(oras_runtime *rt)
{
    if (rt)
        oras_loop_wake(rt->context->loop);
}
