/* SPDX-License-Identifier: MIT
 * A task yields if it is the running coroutine and may yield; a user's own coroutine inside a
 * task must not, since its yield would go to the user. See docs/architecture.md, "Waiting". */
#include "bind/wait.h"

#include "bind/lua_error.h"
#include "bind/progress.h"
#include "bind/task.h"

#define MAX_DEPTH 16 /* of waits that resume tasks; each takes C stack */

void oras_signal_set(oras_context *context, oras_signal *signal)
{
    oras_task *waiter = signal->waiter;

    signal->set = true;
    if (context && context->loop)
        oras_loop_tell(context->loop);
    if (!waiter)
        return;
    signal->waiter = NULL;
    waiter->signal = NULL;
    oras_task_make_ready(waiter);
}

static void raise_cancelled(lua_State *L, const char *why)
{
    oras_error err = ORAS_ERROR_INIT;

    oras_fail(&err, ORAS_C_CANCELLED, "%s", why);
    oras_lua_raise(L, &err);
}

/* A task that is blocked, or waits in the next moment, is told where it waits. */
static void check_cancelled(lua_State *L, oras_task *task)
{
    if (!task || !task->cancelled)
        return;
    task->cancelled = false;
    raise_cancelled(L, "task was cancelled");
}

/* The task goes on: what it waited for has happened, or it is to end. */
static int resumed(lua_State *L, int status, lua_KContext ctx)
{
    oras_task *task = (oras_task *)ctx;

    (void)status;
    check_cancelled(L, task);
    return task->k(L, LUA_OK, task->ctx);
}

static int yield(lua_State *L, oras_task *task, oras_signal *signal)
{
    if (signal->waiter)
        oras_lua_misuse(L, "another task waits for this already");
    task->signal = signal;
    signal->waiter = task;
    task->state = ORAS_TASK_WAITING;
    return lua_yieldk(L, 0, (lua_KContext)task, resumed);
}

/* Without a call of the runtime around it, the outermost wait is what an interrupt stops. */
static bool is_outermost(const oras_context *context)
{
    return !context->unwinds && context->n_blocked == 0;
}

static void check_interrupted(lua_State *L, oras_context *context)
{
    if (!context->interrupted)
        return;
    if (is_outermost(context))
        context->interrupted = 0;
    raise_cancelled(L, "interrupted");
}

/* Only tasks that run inside this wait could cancel it: see block_with_tasks. */
static void block(lua_State *L, oras_context *context, const oras_signal *signal)
{
    oras_error err = ORAS_ERROR_INIT;

    while (!signal->set) {
        oras_code code;

        check_interrupted(L, context);
        context->n_blocked++;
        code = oras_reports_wait(context, &err);
        context->n_blocked--;
        if (code)
            oras_lua_raise(L, &err);
    }
}

/* One that came too late for the wait before must not stop this one. */
static void forget_interrupt(oras_context *context)
{
    if (is_outermost(context))
        context->interrupted = 0;
}

/* A host that drives the loop itself has said that nothing waits in its thread. */
static void check_may_block(lua_State *L, const oras_context *context, const oras_signal *signal)
{
    oras_error err = ORAS_ERROR_INIT;

    if (signal->set || !context->never_block)
        return;
    oras_fail(&err, ORAS_C_BLOCK, "this would wait where waiting is forbidden (never_block)");
    oras_lua_raise(L, &err);
}

static bool is_cancelled(const oras_context *context)
{
    return context->interrupted || (context->task && context->task->cancelled);
}

static void block_with_tasks(lua_State *L, oras_context *context, const oras_signal *signal)
{
    if (context->depth >= MAX_DEPTH)
        oras_lua_misuse(L, "tasks wait for tasks more than %d levels deep where they cannot yield",
                        MAX_DEPTH);
    /* nothing in here raises, so that the count stays right; what happened is said below */
    context->depth++;
    context->n_blocked++;
    while (!signal->set && !is_cancelled(context)) {
        if (context->ready_first)
            oras_task_run_ready(L, context);
        else if (oras_reports_wait(context, NULL))
            break;
        if (context->ready_first && oras_loop_step(context->loop, NULL))
            break;
    }
    context->n_blocked--;
    context->depth--;
    check_cancelled(L, context->task);
}

static bool can_yield(lua_State *L, const oras_context *context)
{
    return context->running == L && lua_isyieldable(L);
}

static int wait_for(lua_State *L, oras_signal *signal, lua_KContext ctx, lua_KFunction k,
                    bool with_tasks)
{
    oras_context *context = oras_context_get(L);

    check_cancelled(L, context->task);
    if (!signal->set && can_yield(L, context)) {
        context->task->k = k;
        context->task->ctx = ctx;
        return yield(L, context->task, signal);
    }
    check_may_block(L, context, signal);
    forget_interrupt(context);
    if (!signal->set && with_tasks)
        block_with_tasks(L, context, signal);
    block(L, context, signal);
    return k(L, LUA_OK, ctx);
}

bool oras_lua_block(lua_State *L, const oras_signal *signal)
{
    oras_context *context = oras_context_get(L);

    if (can_yield(L, context))
        return false;
    check_cancelled(L, context->task);
    check_may_block(L, context, signal);
    forget_interrupt(context);
    block(L, context, signal);
    return true;
}

int oras_lua_wait(lua_State *L, oras_signal *signal, lua_KContext ctx, lua_KFunction k)
{
    return wait_for(L, signal, ctx, k, false);
}

int oras_lua_wait_for_tasks(lua_State *L, oras_signal *signal, lua_KContext ctx, lua_KFunction k)
{
    return wait_for(L, signal, ctx, k, true);
}
