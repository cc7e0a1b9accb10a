/* SPDX-License-Identifier: MIT
 * A runtime: a Lua state of our own with `oras` in it. */
#ifndef ORAS_HOST_RUNTIME_H
#define ORAS_HOST_RUNTIME_H

#include "base/log.h"
#include "bind/context.h"
#include "bind/progress.h"

#include <pthread.h>

/** A coroutine of the script's own that runs, and what it was resumed by. */
typedef struct oras_frame {
    lua_State *L;
    struct oras_frame *below;
} oras_frame;

/** A call that was started and goes on by oras_step. Its task is kept in the registry under the
 * call's address. */
struct oras_call {
    oras_runtime *rt;    /* NULL once it is done */
    oras_task *task;     /* NULL once it is done, unless it is kept */
    oras_runtime *home;  /* of one that is kept; NULL: not kept */
    bool keeps;          /* it gives values of Lua: the task is kept when it is done */
    bool cancelled;      /* asked to end */
    bool orphan;         /* nobody has a handle any more */
    int64_t drop_due_ms; /* 0: not told yet; then it is ended where it stands */
    char *result;        /* owned until it is given out */
    oras_error err;
    struct oras_stream *stream;   /* that it uses; NULL: none */
    struct oras_call *next, **at; /* in the list of those that run */
};

struct oras_runtime {
    lua_State *L;
    oras_context *context;
    oras_frame *volatile running; /* innermost; lives on the C stack of its resume */
    oras_log log;                 /* tells the host by log_line */
    void (*log_line)(void *ud, oras_level level, const char *line); /* the host's; NULL: none */
    int (*progress)(void *ud, const oras_progress *progress);       /* the host's; NULL: none */
    oras_code (*credentials)(void *ud, const char *host, const char *repository,
                             oras_credentials *out); /* the host's; NULL: none */
    void *ud;                                        /* of these three */
    struct oras_registered *functions;               /* of the host's, by name */
    oras_reports reports;
    char *provider_path, *ca_file, *user_agent, *sandbox;
    bool never_block;     /* the host drives the loop */
    bool warnings;        /* warn("@on") */
    bool warning_goes_on; /* the last piece was not the end */
    size_t warning_size;
    char warning[512];
    bool exiting; /* os.exit was called: everything unwinds */
    int exit_status;
    bool watched;            /* a hook looks for interrupts from other threads */
    int depth;               /* of calls into Lua */
    bool attached;           /* the state is the host's: it outlives us, and we change nothing */
    bool doomed;             /* freed while in use */
    int n_callbacks;         /* of the host's that run now, one in another */
    struct oras_call *calls; /* those that run */
    struct oras_stream *streams; /* all that the host has */
    struct oras_call *kept;      /* those that are done, whose results are still Lua's */
    pthread_t owner;             /* the thread that made the outermost of them */
};

/** The runtime of the state; NULL: none. [-0, +0] */
oras_runtime *oras_runtime_of(lua_State *L);

/** Make it the state's. Raises. [-0, +0] */
void oras_runtime_set(lua_State *L, oras_runtime *rt);

/** A runtime without a state, of options that may be NULL. */
oras_runtime *oras_runtime_alloc(const oras_options *given, oras_error *err);

/** Free what is not Lua's. */
void oras_runtime_dispose(oras_runtime *rt);

/** Let the state's context know what the options say. */
void oras_runtime_set_context(oras_runtime *rt, oras_context *context);

/** The end of one that is attached, or will be. */
void oras_lua_detach(oras_runtime *rt);

/** Call what lies on the stack (function, n_args arguments) and fill err by how it ended. On
 * failure, and when the script called os.exit(0) (then rt->exiting), nothing is left on the
 * stack. Everything of ours that runs Lua goes through it. */
oras_code oras_runtime_pcall(oras_runtime *rt, int n_args, int n_results, oras_error *err);

/** Fill *err from what a protected call of that status left on top of the stack, and pop it.
 * Raises nothing. [-1, +0] */
void oras_runtime_take_error(lua_State *L, int status, oras_error *err);

/** Begin a new sum of what is told to the host, if it wants to know. */
void oras_runtime_begin_progress(oras_runtime *rt);

/** Push the function that calls a provider's method, JSON in and out. Raises. [-0, +1] */
void oras_call_push_function(lua_State *L);

/** Forget it, with the modules that it is of. [-0, +0] */
void oras_call_forget_function(lua_State *L);

/** Make the task of a call with what lies on the main thread's stack: a function and what it is
 * given. All of it is popped. */
oras_code oras_call_begin(oras_runtime *rt, int n_args, bool keeps, oras_call **out,
                          oras_error *err);

/** Its results go: it is freed, or the runtime ends. */
void oras_call_let_go(oras_call *call);

/** The runtime ends: so do the calls that still run; their handles go. */
void oras_calls_free(oras_runtime *rt);

/** The hook that looks for interrupts, and for the end of a turn. */
lua_Hook oras_interrupt_hook(void);

/** Make the hook that unwinds everything fire on this coroutine. */
void oras_interrupt_arm(lua_State *L);

/** Whether a hook looks for interrupts now and then, in coroutines made from here on too.
 * oras-lua does without: its signal handler runs on the state's thread. */
void oras_interrupt_watch(lua_State *L, bool watched);

/** Have done what Lua left for the end (lua/oras/parting.lua), within its time. [-0, +0] */
void oras_interrupt_part(oras_runtime *rt);

/** Replace load, loadfile, dofile and the searcher of Lua files: they take text only. [-0, +0] */
void oras_loading_open(lua_State *L);

/** Push the function that a script's text makes, or nil and a message; path NULL or "-" is
 * standard input. Raises only for want of memory. [-0, +1 or +2] */
int oras_loading_file(lua_State *L, const char *path);

/** The Lua side of the host: standard libraries without bytecode, embedded modules, cjson,
 * os.exit that unwinds. Raises. */
void oras_modules_open(oras_runtime *rt);

/** Lua: os.exit of our own state; unwinds, never ends the process. */
int oras_interrupt_exit(lua_State *L);

/** Replace the functions of the library `coroutine` that run others. [-0, +0] */
void oras_coroutines_open(lua_State *L);

#endif
