/* SPDX-License-Identifier: MIT
 * What all tables of oras.core share in one Lua state: loop, workers, tasks, the running
 * coroutine. A userdata in the registry, so that lua_close ends it. */
#ifndef ORAS_BIND_CONTEXT_H
#define ORAS_BIND_CONTEXT_H

#include "base/log.h"
#include "io/worker.h"
#include "net/loop.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdatomic.h>

typedef struct oras_task oras_task;
typedef struct oras_reports oras_reports; /* bind/progress.h */

typedef struct oras_context {
    lua_State *main;    /* main thread of the state */
    lua_State *running; /* the coroutine of the task that runs; NULL outside tasks */
    oras_task *task;    /* that task */
    oras_loop *loop;
    oras_pool *pool;
    oras_task *alive;                    /* all tasks that are not over */
    oras_task *ready_first, *ready_last; /* tasks to resume, in order */
    uint64_t n_roots;                    /* of tasks that no task has begun */
    int n_streams;                       /* made since the last full collection */
    int depth;                           /* of waits that resume tasks */
    bool is_asking;                      /* a prompt is on the terminal */
    bool never_block;                    /* the host drives the loop: what would wait fails */
    int64_t slice_end_ms;                /* until then tasks run in this turn; 0: no end */
    atomic_int interrupted;              /* oras_interrupt() or os.exit: unwind everything */
    atomic_int n_blocked;                /* waits that block now, one in another */
    bool unwinds;                        /* a call of the runtime takes the interrupt */
    bool closed;                         /* the runtime was freed: everything raises */
    lua_Integer n_kept;                  /* parts of downloads left for the next time */
    lua_Integer n_boxes;                 /* noted so far, see oras_context_note */

    /* set by a runtime of ours after the context was made; borrowed from it, NULL elsewhere */
    const oras_log *log;    /* NULL: silent */
    const char *ca_file;    /* defaults of client.new */
    const char *user_agent; /* put before ours */
    oras_reports *reports;  /* NULL: nobody asks how far we are */
    lua_Hook hook;          /* of tasks whose maker has none; NULL: they have none */
} oras_context;

/** The state's context, made on first use; raises when there is no memory, and when it was
 * closed. [-0, +0] */
oras_context *oras_context_get(lua_State *L);

/** The same in a state that outlives what is in it: boxes are noted from here on. A closed
 * context is opened again. [-0, +0] */
oras_context *oras_context_open(lua_State *L);

/** End all tasks, close all noted boxes, newest first, then loop and workers. What Lua still
 * holds raises when it is used. Raises nothing; no task may be running. [-0, +0] */
void oras_context_close(lua_State *L, oras_context *context);

/** There is a new box on top; raises when the context was closed. [-0, +0] */
void oras_context_note(lua_State *L);

#endif
