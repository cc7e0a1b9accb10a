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

    /* set by a runtime of ours after the context was made; borrowed from it, NULL elsewhere */
    const oras_log *log;    /* NULL: silent */
    const char *ca_file;    /* defaults of client.new */
    const char *user_agent; /* put before ours */
    oras_reports *reports;  /* NULL: nobody asks how far we are */
} oras_context;

/** The state's context, made on first use; raises when there is no memory. [-0, +0] */
oras_context *oras_context_get(lua_State *L);

#endif
