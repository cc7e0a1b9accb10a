/* SPDX-License-Identifier: MIT
 * oras.core.task: spawn, join; wait, cancel, status. */
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/tables.h"
#include "bind/task.h"

#include <string.h>

#define TASK "oras.task"
#define JOIN "oras.join"

static oras_task *check_task(lua_State *L, int idx)
{
    return luaL_checkudata(L, idx, TASK);
}

/* Only when nobody can resume it any more: a task that is alive stands in the registry. */
static int task_close(lua_State *L)
{
    oras_task *task = lua_touserdata(L, 1);

    if (!task->co)
        return 0;
    oras_task_forget(task);
    task->co = NULL;
    return 0;
}

static bool is_cancellation(lua_State *L, int idx)
{
    oras_error err = ORAS_ERROR_INIT;

    oras_lua_to_error(L, idx, &err);
    return strcmp(err.class_name, "cancelled") == 0;
}

/* The body runs protected inside its coroutine, so that its <close> variables are closed by
 * its own error and may still wait. */
static int body_ended(lua_State *L, int status, lua_KContext ctx)
{
    oras_task *task = (oras_task *)ctx;

    task->failed = status != LUA_OK && status != LUA_YIELD;
    task->gave_in = task->failed && task->was_asked && is_cancellation(L, -1);
    return lua_gettop(L);
}

static int body(lua_State *L)
{
    oras_task *task = oras_context_get(L)->task;
    int status = lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, (lua_KContext)task, body_ended);

    return body_ended(L, status, (lua_KContext)task);
}

oras_task *oras_task_spawn(lua_State *L, int n_args)
{
    int function = lua_gettop(L) - n_args;
    oras_task *task = oras_box_new(L, TASK, sizeof *task, 1);

    task->context = oras_context_get(L);
    task->co = lua_newthread(L);
    lua_setiuservalue(L, -2, 1);
    if (task->context->hook && !lua_gethook(task->co))
        lua_sethook(task->co, task->context->hook, LUA_MASKCOUNT, ORAS_HOOK_COUNT);
    task->n_args = n_args;
    if (!lua_checkstack(task->co, n_args + 2))
        luaL_error(L, "too many arguments for a task");
    lua_insert(L, function);
    lua_pushcfunction(task->co, body);
    lua_xmove(L, task->co, n_args + 1);
    oras_task_begin(L, task);
    return task;
}

/* spawn(fn, ...) -> task */
static int spawn(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TFUNCTION)
        oras_lua_misuse(L, "a task is made of a function, not of a %s", luaL_typename(L, 1));
    oras_task_spawn(L, lua_gettop(L) - 1);
    return 1;
}

static int join_close(lua_State *L)
{
    oras_join *join = lua_touserdata(L, 1);

    if (join->owner && join->owner->join == join)
        join->owner->join = NULL;
    join->owner = NULL;
    for (int i = 0; i < join->n_watches; i++) {
        oras_watch *watch = &join->watches[i];

        for (oras_watch **at = watch->task ? &watch->task->watches : NULL; at && *at;
             at = &(*at)->next) {
            if (*at == watch) {
                *at = watch->next;
                break;
            }
        }
        watch->task = NULL;
    }
    return 0;
}

/* Does `task` wait, directly or by others, for `wanted`? The chains end: no circle is made. */
static bool waits_for(const oras_task *task, const oras_task *wanted)
{
    const oras_join *join = task->join;

    for (int i = 0; join && i < join->n_watches; i++) {
        const oras_task *next = join->watches[i].task;

        if (next && (next == wanted || waits_for(next, wanted)))
            return true;
    }
    return false;
}

static void check_circle(lua_State *L, const oras_context *context, const oras_task *task)
{
    const oras_task *self = context->task;

    if (!self || oras_task_is_over(task))
        return;
    if (self == task)
        oras_lua_misuse(L, "a task cannot wait for itself");
    if (waits_for(task, self))
        oras_lua_misuse(L, "tasks cannot wait for each other in a circle");
}

static void watch_task(oras_join *join, int i, oras_task *task)
{
    oras_watch *watch = &join->watches[join->n_watches++];

    if (oras_task_is_over(task)) {
        if (task->state != ORAS_TASK_DONE && !join->failed)
            join->failed = i;
        return;
    }
    *watch = (oras_watch){.task = task, .join = join, .index = i, .next = task->watches};
    task->watches = watch;
    join->n_pending++;
}

/* Push a join over the tasks of the list at `idx` (kept in its user value). */
static oras_join *new_join(lua_State *L, int idx)
{
    int n = (int)luaL_len(L, idx);
    oras_join *join = oras_box_new(L, JOIN, sizeof(oras_join) + (size_t)n * sizeof(oras_watch), 1);

    join->context = oras_context_get(L);
    lua_pushvalue(L, idx);
    lua_setiuservalue(L, -2, 1);
    for (int i = 1; i <= n; i++) {
        oras_task *task;

        lua_geti(L, idx, i);
        task = luaL_testudata(L, -1, TASK);
        if (!task)
            oras_lua_misuse(L, "element %d of the list is a %s, expected a task", i,
                            luaL_typename(L, -1));
        check_circle(L, join->context, task);
        lua_pop(L, 1);
        watch_task(join, i, task);
    }
    join->signal.set = join->n_pending == 0 || join->failed;
    join->owner = join->context->task;
    if (join->owner)
        join->owner->join = join;
    return join;
}

static int joined(lua_State *L, int status, lua_KContext ctx)
{
    const oras_join *join = (const oras_join *)ctx;

    (void)status;
    if (join->failed)
        lua_pushinteger(L, join->failed);
    else
        lua_pushnil(L);
    return 1;
}

/* join(list) -> nil, or the index of the first that failed */
static int join(lua_State *L)
{
    oras_join *box;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    box = new_join(L, 1);
    lua_toclose(L, 2);
    return oras_lua_wait_for_tasks(L, &box->signal, (lua_KContext)box, joined);
}

static int give_cancelled(lua_State *L)
{
    oras_error err = ORAS_ERROR_INIT;

    oras_fail(&err, ORAS_C_CANCELLED, "task was cancelled");
    return oras_lua_raise(L, &err);
}

int oras_task_results(lua_State *L, const oras_task *task)
{
    int n;

    if (task->state == ORAS_TASK_CANCELLED && !task->started)
        return give_cancelled(L);
    if (!task->co)
        return oras_lua_misuse(L, "the runtime is closed");
    n = lua_gettop(task->co);
    if (task->failed) {
        if (!lua_checkstack(task->co, 1))
            return luaL_error(L, "not enough memory");
        lua_pushvalue(task->co, -1);
        lua_xmove(task->co, L, 1);
        return lua_error(L);
    }
    luaL_checkstack(L, n, "too many results of a task");
    if (!lua_checkstack(task->co, n))
        return luaL_error(L, "too many results of a task");
    for (int i = 1; i <= n; i++)
        lua_pushvalue(task->co, i);
    lua_xmove(task->co, L, n);
    return n;
}

static int give_results(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    return oras_task_results(L, (const oras_task *)ctx);
}

/* task:wait() -> what its function gave; raises what it raised */
static int task_wait(lua_State *L)
{
    oras_task *task = check_task(L, 1);
    oras_join *box;

    lua_settop(L, 1);
    if (oras_task_is_over(task))
        return give_results(L, LUA_OK, (lua_KContext)task);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, 2, 1);
    box = new_join(L, 2);
    lua_toclose(L, 3);
    return oras_lua_wait_for_tasks(L, &box->signal, (lua_KContext)task, give_results);
}

static void cancel_unstarted(lua_State *L, oras_task *task)
{
    oras_task_unready(task);
    lua_settop(task->co, 0);
    oras_task_end(L, task, ORAS_TASK_CANCELLED);
}

static void cancel_waiting(oras_task *task)
{
    if (task->signal)
        task->signal->waiter = NULL;
    task->signal = NULL;
    oras_task_make_ready(task);
}

bool oras_task_cancel(lua_State *L, oras_task *task)
{
    if (oras_task_is_over(task))
        return false;
    if (task->state == ORAS_TASK_READY && !task->started) {
        cancel_unstarted(L, task);
        return true;
    }
    task->cancelled = task->was_asked = true;
    if (task->state == ORAS_TASK_WAITING)
        cancel_waiting(task);
    return true;
}

/* task:cancel() -> was it still alive? */
static int task_cancel(lua_State *L)
{
    lua_pushboolean(L, oras_task_cancel(L, check_task(L, 1)));
    return 1;
}

/* task:status() */
static int task_status(lua_State *L)
{
    static const char *const names[] = {"ready", "running", "waiting",
                                        "done",  "failed",  "cancelled"};

    lua_pushstring(L, names[check_task(L, 1)->state]);
    return 1;
}

/* running() -> is this a task that yields while it waits? */
static int running(lua_State *L)
{
    lua_pushboolean(L, oras_context_get(L)->running == L);
    return 1;
}

void oras_lua_open_task(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"wait", task_wait}, {"cancel", task_cancel}, {"status", task_status}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"spawn", spawn}, {"join", join}, {"running", running}, {NULL, NULL}};

    oras_box_type(L, TASK, methods, task_close);
    oras_box_type(L, JOIN, NULL, join_close);
    luaL_newlib(L, functions);
}
