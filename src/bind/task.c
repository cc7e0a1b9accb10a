/* SPDX-License-Identifier: MIT
 * The queue of tasks that are ready, and what happens when one is resumed or ends. */
#include "bind/task.h"

bool oras_task_is_over(const oras_task *task)
{
    return task->state >= ORAS_TASK_DONE;
}

void oras_task_make_ready(oras_task *task)
{
    oras_context *context = task->context;

    task->state = ORAS_TASK_READY;
    task->next = NULL;
    if (context->ready_last)
        context->ready_last->next = task;
    else
        context->ready_first = task;
    context->ready_last = task;
}

/* Tasks rely on running alone between two waits, wherever the turn's time was over. */
static void make_ready_first(oras_task *task)
{
    oras_context *context = task->context;

    task->state = ORAS_TASK_READY;
    task->preempted = false;
    task->next = context->ready_first;
    context->ready_first = task;
    if (!context->ready_last)
        context->ready_last = task;
}

bool oras_task_slice_is_over(const oras_context *context)
{
    return context->slice_end_ms && oras_loop_now() >= context->slice_end_ms;
}

void oras_task_unready(oras_task *task)
{
    oras_context *context = task->context;
    oras_task *before = NULL;

    for (oras_task *at = context->ready_first; at; before = at, at = at->next) {
        if (at != task)
            continue;
        if (before)
            before->next = at->next;
        else
            context->ready_first = at->next;
        if (context->ready_last == at)
            context->ready_last = before;
        return;
    }
}

static void tell_watchers(oras_task *task)
{
    while (task->watches) {
        oras_watch *watch = task->watches;
        oras_join *join = watch->join;

        task->watches = watch->next;
        watch->task = NULL;
        join->n_pending--;
        if (task->state != ORAS_TASK_DONE && !join->failed)
            join->failed = watch->index;
        if (join->n_pending == 0 || join->failed)
            oras_signal_set(join->context, &join->signal);
    }
}

void oras_task_begin(lua_State *L, oras_task *task)
{
    oras_context *context = task->context;

    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, task);
    task->root = context->task ? context->task->root : ++context->n_roots;
    task->next_alive = context->alive;
    task->at_alive = &context->alive;
    if (task->next_alive)
        task->next_alive->at_alive = &task->next_alive;
    context->alive = task;
    oras_task_make_ready(task);
}

static void leave_alive(oras_task *task)
{
    if (!task->at_alive)
        return;
    *task->at_alive = task->next_alive;
    if (task->next_alive)
        task->next_alive->at_alive = task->at_alive;
    task->at_alive = NULL;
}

void oras_task_forget(oras_task *task)
{
    leave_alive(task);
    if (task->signal)
        task->signal->waiter = NULL;
    task->signal = NULL;
    if (task->state == ORAS_TASK_READY)
        oras_task_unready(task);
}

/* The coroutine goes, with all that stands on its stack, though somebody keeps the task. */
static void drop(lua_State *L, oras_task *task)
{
    oras_task_forget(task);
    task->co = NULL;
    task->started = false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, task);
    lua_pushnil(L);
    lua_setiuservalue(L, -2, 1);
    oras_task_end(L, task, ORAS_TASK_CANCELLED);
    lua_pop(L, 1);
}

void oras_task_drop_all(lua_State *L, oras_context *context)
{
    if (!context->alive || !lua_checkstack(L, 4))
        return;
    while (context->alive)
        drop(L, context->alive);
    lua_gc(L, LUA_GCCOLLECT);
}

static oras_task *first_of(const oras_context *context, uint64_t root)
{
    oras_task *task = context->alive;

    while (task && task->root != root)
        task = task->next_alive;
    return task;
}

void oras_task_drop_root(lua_State *L, oras_context *context, uint64_t root)
{
    oras_task *task = first_of(context, root);

    if (!task || !lua_checkstack(L, 4))
        return;
    for (; task; task = first_of(context, root))
        drop(L, task);
    lua_gc(L, LUA_GCCOLLECT);
}

/* It no longer needs to be kept from collection: whoever wants its results holds it. */
void oras_task_end(lua_State *L, oras_task *task, oras_task_state state)
{
    task->state = state;
    leave_alive(task);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, task);
    tell_watchers(task);
}

static oras_task_state state_after(const oras_task *task)
{
    if (!task->failed)
        return ORAS_TASK_DONE;
    return task->gave_in ? ORAS_TASK_CANCELLED : ORAS_TASK_FAILED;
}

static void resume(lua_State *L, oras_task *task)
{
    oras_context *context = task->context;
    lua_State *above = context->running;
    oras_task *task_above = context->task;
    int n_results, rc;

    context->running = task->co;
    context->task = task;
    task->state = ORAS_TASK_RUNNING;
    rc = lua_resume(task->co, L, task->started ? 0 : task->n_args + 1, &n_results);
    task->started = true;
    context->running = above;
    context->task = task_above;
    if (rc == LUA_YIELD && task->state == ORAS_TASK_WAITING)
        return;
    if (rc == LUA_YIELD && task->preempted) {
        make_ready_first(task);
        return;
    }
    if (rc == LUA_YIELD) { /* coroutine.yield by hand: let the others run */
        lua_pop(task->co, n_results);
        oras_task_make_ready(task);
        return;
    }
    if (rc != LUA_OK)
        task->failed = true;
    oras_task_end(L, task, state_after(task));
}

void oras_task_run_ready(lua_State *L, oras_context *context)
{
    int n_ready = 0;

    for (const oras_task *task = context->ready_first; task; task = task->next)
        n_ready++;
    /* counted: a task that yields by hand stands in the queue again */
    for (; n_ready > 0 && context->ready_first && !context->interrupted; n_ready--) {
        oras_task *task = context->ready_first;

        oras_task_unready(task);
        resume(L, task);
        if (oras_task_slice_is_over(context))
            return;
    }
}
