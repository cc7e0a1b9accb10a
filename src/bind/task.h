/* SPDX-License-Identifier: MIT
 * Tasks: coroutines of ours that yield while they wait, and their scheduler. */
#ifndef ORAS_BIND_TASK_H
#define ORAS_BIND_TASK_H

#include "bind/wait.h"

/* instructions between two looks of a hook: some 50 us of computing */
#define ORAS_HOOK_COUNT 10000

typedef enum oras_task_state {
    ORAS_TASK_READY, /* in the queue of the context */
    ORAS_TASK_RUNNING,
    ORAS_TASK_WAITING, /* for a signal */
    ORAS_TASK_DONE,
    ORAS_TASK_FAILED,
    ORAS_TASK_CANCELLED
} oras_task_state;

/* One who waits for a task among others; part of a join. */
typedef struct oras_watch {
    oras_task *task;
    struct oras_join *join;
    int index; /* of the task in the join's list */
    struct oras_watch *next;
} oras_watch;

typedef struct oras_join {
    oras_context *context;
    oras_task *owner;   /* the task that waits, or is blocked, here; NULL: none */
    oras_signal signal; /* all are done, or one failed */
    int n_pending, failed;
    int n_watches;
    oras_watch watches[];
} oras_join;

struct oras_task {
    oras_context *context;
    lua_State *co; /* kept alive by the task's user value */
    oras_task_state state;
    bool started, failed;
    bool cancelled; /* to be raised where it waits */
    bool was_asked; /* to end, by cancel(), */
    bool gave_in;   /* and did */
    bool preempted; /* its time is over for now; nobody else runs before it */
    int n_args;
    uint64_t root;       /* of the call or script that began it, and those it spawns */
    oras_signal *signal; /* what it waits for */
    lua_KFunction k;     /* and how it goes on */
    lua_KContext ctx;
    oras_task *next;                   /* in the ready queue */
    oras_task *next_alive, **at_alive; /* in the list of the context; NULL: not in it */
    oras_watch *watches;               /* who waits for it */
    const oras_join *join;             /* those that it waits for */
};

/** A task of the function and its n_args arguments, which are on top; it stands in their place.
 * Raises when there is no memory. [-(n_args + 1), +1] */
oras_task *oras_task_spawn(lua_State *L, int n_args);

/** Ask it to end where it waits; gives whether it was still alive. [-0, +0] */
bool oras_task_cancel(lua_State *L, oras_task *task);

/** Push what its function gave and give how many; raises what it raised. It must be over. */
int oras_task_results(lua_State *L, const oras_task *task);

/** End all tasks of a root where they stand, and what they hold with them. Runs finalizers,
 * raises nothing. None of them may be running. [-0, +0] */
void oras_task_drop_root(lua_State *L, oras_context *context, uint64_t root);

/** Is the task at its end? */
bool oras_task_is_over(const oras_task *task);

/** Put into the queue of those to be resumed. */
void oras_task_make_ready(oras_task *task);

/** In a turn that has an end (context.slice_end_ms): is it over? */
bool oras_task_slice_is_over(const oras_context *context);

/** Take it out of the queue, if it is in it. */
void oras_task_unready(oras_task *task);

/** It is new: keep it from collection until it is over. The task is on top. [-0, +0] */
void oras_task_begin(lua_State *L, oras_task *task);

/** Take it out of every list; it is over, or collected. */
void oras_task_forget(oras_task *task);

/** Everything was stopped: end all tasks where they are, and what they held with them. Runs
 * finalizers, raises nothing. No task may be running. [-0, +0] */
void oras_task_drop_all(lua_State *L, oras_context *context);

/** It is over: let it be collected and tell who waits for it. [-0, +0] */
void oras_task_end(lua_State *L, oras_task *task, oras_task_state state);

/** Resume the tasks that are ready now, each once; `L` is who waits for them. */
void oras_task_run_ready(lua_State *L, oras_context *context);

#endif
