/* SPDX-License-Identifier: MIT
 * oras.h - an OCI registry client that is extended in Lua, for C programs.
 *
 * Threads: a runtime belongs to one thread at a time; several runtimes in several
 * threads are fine. Only oras_wake() and oras_interrupt() may be called from elsewhere.
 * Memory: what a function hands out is freed with the function its comment names.
 * Errors: every function that can fail returns an oras_code and fills the caller's
 * oras_error, which owns nothing; on success it is not touched, on failure no output is.
 * The library never prints, exits, installs signal handlers or changes the process. */
#ifndef ORAS_H
#define ORAS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ORAS_API __attribute__((visibility("default")))
#else
#define ORAS_API
#endif

/** What happened, coarsely; oras_error.class_name says it finely. */
typedef enum oras_code {
    ORAS_OK = 0,
    ORAS_ENOMEM,    /* out of memory */
    ORAS_EINVALID,  /* usage, config, path, exists, content, limit, unsupported */
    ORAS_ENOTFOUND, /* not_found; no such file, provider or method */
    ORAS_EAUTH,     /* auth, denied, helper */
    ORAS_EDIGEST,   /* integrity */
    ORAS_EHTTP,     /* rate, server, protocol, redirect */
    ORAS_ENETWORK,  /* network, timeout, tls */
    ORAS_EIO,       /* io */
    ORAS_ESCRIPT,   /* script, sandbox, anything else that Lua raised */
    ORAS_ECANCELED, /* cancelled */
    ORAS_EBLOCK     /* would have to wait where waiting is forbidden */
} oras_code;

/** One failure; lives on the caller's stack and never owns memory. */
typedef struct oras_error {
    oras_code code;
    int http_status;        /* 0 if no response had one */
    int native;             /* errno or CURLcode, by code; 0 if none */
    int exit_status;        /* what a script gave to os.exit, else 0 */
    const char *class_name; /* "integrity", "not_found", ...: a string that lives for ever */
    char oci_code[32];      /* the registry's own code, "MANIFEST_UNKNOWN"; else "" */
    char message[512];      /* one line, no newline, no secrets */
} oras_error;

#ifdef __cplusplus /* so that (oras_error)ORAS_ERROR_INIT is an expression there, too */
#define ORAS_ERROR_INIT                                                                            \
    oras_error                                                                                     \
    {                                                                                              \
        ORAS_OK, 0, 0, 0, "", "", ""                                                               \
    }
#else
#define ORAS_ERROR_INIT                                                                            \
    {                                                                                              \
        ORAS_OK, 0, 0, 0, "", "", ""                                                               \
    }
#endif

typedef enum oras_level { ORAS_LOG_ERROR, ORAS_LOG_WARN, ORAS_LOG_INFO, ORAS_LOG_DEBUG } oras_level;

/** Memory: resize(ud, NULL, n) allocates, resize(ud, p, 0) frees; must be thread-safe. */
typedef struct oras_allocator {
    void *(*resize)(void *ud, void *ptr, size_t size);
    void *ud;
} oras_allocator;

/**
 * How far a call is. More fields may follow; texts live until the function returns and are
 * never NULL.
 */
typedef struct oras_progress {
    const char *digest; /* of the blob that moves; "" where there is none yet */
    int64_t done;       /* bytes that moved in this call, all blobs together; never falls */
    int64_t total;      /* of those that are known so far; -1: not known */
    int upload;         /* 1: towards a registry or layout */
    const char *phase;  /* "download", "upload", "copy", "hash", "pack", "extract"; "" before */
    const char *title;  /* name of the file; "" where there is none */
    int64_t blob_done, blob_total;   /* of the blob that moves; total -1: not known */
    int64_t blobs_done, blobs_total; /* of an operation on several blobs; total -1: not one */
} oras_progress;

/** How a runtime is made; start from ORAS_OPTIONS_INIT. Strings are copied. */
typedef struct oras_options {
    size_t size;               /* sizeof(oras_options), set by ORAS_OPTIONS_INIT */
    const char *provider_path; /* one directory of NAME.lua, looked at first; may be NULL */
    const char *ca_file;       /* PEM file that replaces the system's CAs; may be NULL */
    const char *user_agent;    /* put before ours; may be NULL */
    oras_level log_level;
    void (*log)(void *ud, oras_level level, const char *line); /* NULL: silent */
    void *ud;                                                  /* given to log and progress */
    /* Called on the runtime's thread when bytes have moved, and at least every 100 ms while a
     * call waits; non-zero cancels the call (ORAS_ECANCELED). NULL: nobody asks */
    int (*progress)(void *ud, const oras_progress *progress);
    /* Non-zero: the host drives the loop (oras_step), and whatever would wait in its thread
     * fails with ORAS_EBLOCK instead */
    int never_block;
} oras_options;

#ifdef __cplusplus
#define ORAS_OPTIONS_INIT                                                                          \
    oras_options                                                                                   \
    {                                                                                              \
        sizeof(oras_options), NULL, NULL, NULL, ORAS_LOG_WARN, NULL, NULL, NULL, 0                 \
    }
#else
#define ORAS_OPTIONS_INIT                                                                          \
    {                                                                                              \
        sizeof(oras_options), NULL, NULL, NULL, ORAS_LOG_WARN, NULL, NULL, NULL, 0                 \
    }
#endif

typedef struct oras_runtime oras_runtime;
typedef struct oras_call oras_call;

/** The library's version, "0.1.0". */
ORAS_API const char *oras_version(void);

/**
 * Set the library up for the process; optional, the first runtime does it with NULL.
 *
 * @param alloc  used for all memory of the library; borrowed for the process's life;
 *               NULL for malloc. Only the first successful call's counts
 * @param err    may be NULL
 * @return ORAS_OK, ORAS_ENOMEM (calling again may succeed)
 */
ORAS_API oras_code oras_global_init(const oras_allocator *alloc, oras_error *err);

/**
 * Make a runtime: an interpreter with `oras` in it, a client, a loop.
 *
 * @param opts  borrowed; NULL for the defaults
 * @param out   the runtime, owned by the caller: oras_runtime_free()
 * @return ORAS_OK, ORAS_ENOMEM, ORAS_EINVALID
 */
ORAS_API oras_code oras_runtime_new(const oras_options *opts, oras_runtime **out, oras_error *err);

/** End a runtime and whatever still runs in it; handles of calls that are not done are freed
 * with it, the others are still the caller's. NULL is fine. */
ORAS_API void oras_runtime_free(oras_runtime *rt);

/**
 * Run a Lua script (text, never bytecode) to its end; oras.is_main() is true in it.
 *
 * @param path  a file; "-" is standard input; "oras:NAME" a main program of the library's
 *              own ("oras:cli" is the command line of oras-lua)
 * @param argc  number of strings in argv
 * @param argv  the script's arg[1], arg[2], ...; borrowed; may be NULL if argc is 0
 * @return ORAS_OK; ORAS_ENOTFOUND (no such file); ORAS_ESCRIPT and others by what it raised.
 *         os.exit(n) in the script ends it: ORAS_OK for 0, else ORAS_ESCRIPT with exit_status
 */
ORAS_API oras_code oras_run_file(oras_runtime *rt, const char *path, int argc, char *const argv[],
                                 oras_error *err);

/**
 * Call a method of a provider and wait for its result.
 *
 * @param provider  "conda" (a file of that name), a path (has a '/'), or a name that a
 *                  loaded file gave to extend; the class is made with no options, once
 * @param method    name of the method
 * @param args      JSON array of arguments, NULL for none; borrowed
 * @param result    its first result as JSON ("null" for none), owned by the caller: oras_free()
 * @return ORAS_OK; ORAS_ENOTFOUND (no such provider or method); ORAS_EINVALID (args); others
 *         by what the method raised
 */
ORAS_API oras_code oras_call_json(oras_runtime *rt, const char *provider, const char *method,
                                  const char *args, char **result, oras_error *err);

/** Free what oras_call_json() or oras_call_result() gave. NULL is fine. */
ORAS_API void oras_free(void *ptr);

/* The host's own loop: watch one descriptor for reading, wait at most the timeout, step.
 *
 *     while (!oras_call_done(call)) {
 *         struct pollfd p = {oras_pollfd(rt), POLLIN, 0};
 *
 *         poll(&p, 1, oras_timeout_ms(rt));
 *         if (oras_step(rt, NULL, &err))
 *             break;
 *     }
 */

/**
 * Start a call as oras_call_json() makes it; it goes on in oras_step(). Never waits, and
 * nothing goes out before the first step. Many may run at once.
 *
 * @param args  borrowed until the function returns
 * @param out   the call, owned by the caller: oras_call_free()
 * @return ORAS_OK, ORAS_EINVALID, ORAS_ENOMEM; how the call itself ends, oras_call_result() says
 */
ORAS_API oras_code oras_call_start(oras_runtime *rt, const char *provider, const char *method,
                                   const char *args, oras_call **out, oras_error *err);

/** One descriptor for the runtime's life, owned by it: readable (level-triggered) when there is
 * something to do. */
ORAS_API int oras_pollfd(const oras_runtime *rt);

/** Milliseconds after which to step though nothing is readable: 0 now, -1 never. */
ORAS_API int oras_timeout_ms(const oras_runtime *rt);

/**
 * Do what can be done now, for some 5 ms at most; never waits.
 *
 * @param pending  how many calls are not done after it; may be NULL
 * @return ORAS_OK however calls end; ORAS_EINVALID from inside a callback; ORAS_ENOMEM, ORAS_EIO
 */
ORAS_API oras_code oras_step(oras_runtime *rt, int *pending, oras_error *err);

/** 1 when the call has ended, well or not, else 0. */
ORAS_API int oras_call_done(const oras_call *call);

/**
 * What the call came to.
 *
 * @param result  as that of oras_call_json(), owned by the caller: oras_free(); once only
 * @return ORAS_OK; ORAS_EINVALID before it is done, or when the result was taken already;
 *         ORAS_ECANCELED; others by what the method raised
 */
ORAS_API oras_code oras_call_result(oras_call *call, char **result, oras_error *err);

/** Ask the call to end; it becomes done by stepping, within 200 ms, with ORAS_ECANCELED, unless
 * it has ended. The runtime's thread only. */
ORAS_API void oras_call_cancel(oras_call *call);

/** Free a call; one that runs is cancelled. NULL is fine. */
ORAS_API void oras_call_free(oras_call *call);

/** Make oras_pollfd() readable until the next step. Callable from any thread. */
ORAS_API void oras_wake(oras_runtime *rt);

/**
 * Stop what the runtime is doing, soon (aim: 200 ms), with ORAS_ECANCELED; waiting and
 * pure computing alike. Callable from any thread and from a signal handler.
 */
ORAS_API void oras_interrupt(oras_runtime *rt);

#ifdef __cplusplus
}
#endif
#endif
