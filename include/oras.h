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
#define ORAS_API                 __attribute__((visibility("default")))
#define ORAS_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define ORAS_API
#define ORAS_PRINTF(text, first)
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

/**
 * Who the host is at a registry: user name and password, or one of the tokens; all NULL: that
 * is not for the host to say, and the library looks where it always does (docs/credentials.md).
 */
typedef struct oras_credentials {
    const char *username, *password; /* both or none */
    const char *identity_token;      /* changed for others at the token server (OAuth2) */
    const char *registry_token;      /* a bearer token that the registry itself takes */
    int anonymous;                   /* non-zero: nobody; nothing else is asked either */
    /* NULL, or called once the texts were copied: for the host to wipe them */
    void (*release)(struct oras_credentials *credentials);
    void *owner; /* the host's, for release */
} oras_credentials;

/** How a runtime is made; start from ORAS_OPTIONS_INIT. Strings are copied. */
typedef struct oras_options {
    size_t size;               /* sizeof(oras_options), set by ORAS_OPTIONS_INIT */
    const char *provider_path; /* one directory of NAME.lua, looked at first; may be NULL */
    const char *ca_file;       /* PEM file that replaces the system's CAs; may be NULL */
    const char *user_agent;    /* put before ours; may be NULL */
    oras_level log_level;
    void (*log)(void *ud, oras_level level, const char *line); /* NULL: silent */
    void *ud;                                                  /* given to the functions here */
    /* Called on the runtime's thread when bytes have moved, and at least every 100 ms while a
     * call waits; non-zero cancels the call (ORAS_ECANCELED). NULL: nobody asks */
    int (*progress)(void *ud, const oras_progress *progress);
    /* Non-zero: the host drives the loop (oras_step), and whatever would wait in its thread
     * fails with ORAS_EBLOCK instead */
    int never_block;
    /* Asked on the runtime's thread when a registry wants credentials, before any file, helper
     * or variable; `out` is all zero. host is "ghcr.io" or "localhost:5000", repository "" where
     * there is none. With it, memory of the runtime's own interpreter is wiped when it is freed.
     * Anything but ORAS_OK fails the request, with that code. NULL: nobody asks */
    oras_code (*credentials)(void *ud, const char *host, const char *repository,
                             oras_credentials *out);
    /* Not NULL: oras_call_json() and oras_call_start() run providers in processes without files,
     * network and credentials (docs/providers.md), which may have what this JSON object allows:
     * "references", "hosts", "repositories" (prefixes), "allow" ("push", "delete", "write"),
     * "files", "wall" and "cpu" (seconds a call), "plain_http". "{}": a call reads the references
     * among its arguments, and nothing else. Class sandbox */
    const char *sandbox;
} oras_options;

#ifdef __cplusplus
#define ORAS_OPTIONS_INIT                                                                          \
    oras_options                                                                                   \
    {                                                                                              \
        sizeof(oras_options), NULL, NULL, NULL, ORAS_LOG_WARN, NULL, NULL, NULL, 0, NULL, NULL     \
    }
#else
#define ORAS_OPTIONS_INIT                                                                          \
    {                                                                                              \
        sizeof(oras_options), NULL, NULL, NULL, ORAS_LOG_WARN, NULL, NULL, NULL, 0, NULL, NULL     \
    }
#endif

typedef struct oras_runtime oras_runtime;
typedef struct oras_call oras_call;

/** The library's version, "0.1.0". */
ORAS_API const char *oras_version(void);

/**
 * Set the library up for the process; optional, the first runtime does it with NULL.
 *
 * @param alloc  used for all memory of the library: its C, its Lua, libcurl and jansson;
 *               borrowed for the process's life; NULL for malloc. Only the first successful
 *               call's counts. jansson's functions are the process's: a program that uses
 *               jansson, too, holds no JSON values of it at this call, or has set
 *               json_set_alloc_funcs() before, which is left as it is. What the libraries
 *               below take (libc, OpenSSL, those for compression and DNS) is theirs
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
 * Do what can be done now; begins nothing more after 5 ms, never waits.
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

/* Functions of the host's that providers call by name:
 *
 *     local functions = require "oras.functions"
 *     local price = functions.price("apple", 3)   -- nil where no function has that name
 */

/** What a function gives; lives until it returns. */
typedef struct oras_reply oras_reply;

/**
 * A function of the host's. It is called on the runtime's thread and must not use the runtime
 * but to wake, interrupt, cancel and resume.
 *
 * @param args   JSON array of what the provider gave; borrowed until it returns
 * @param reply  to be given to oras_reply_json(); without that the provider gets nil
 * @param err    see oras_error_set()
 * @return ORAS_OK, or any other code: the provider gets an error of that class
 */
typedef oras_code (*oras_function)(void *ud, const char *args, oras_reply *reply, oras_error *err);

/**
 * Register a function under a name, in place of one that has it; at any time, but not from
 * inside a callback.
 *
 * @param name  copied; a Lua name of at most 63 bytes
 * @param fn    NULL takes the name out
 * @return ORAS_OK, ORAS_EINVALID, ORAS_ENOMEM
 */
ORAS_API oras_code oras_register(oras_runtime *rt, const char *name, oras_function fn, void *ud,
                                 oras_error *err);

/** Answer with a JSON value, which is copied. ORAS_OK, ORAS_ENOMEM. */
ORAS_API oras_code oras_reply_json(oras_reply *reply, const char *json, oras_error *err);

/**
 * Fill an error: for functions of the host's that fail.
 *
 * @param class_name  "not_found", "io", ...: a class of docs/errors.md; anything else is "script"
 * @param format      of printf; becomes one line
 * @return the class's code
 */
ORAS_API oras_code oras_error_set(oras_error *err, const char *class_name, const char *format, ...)
    ORAS_PRINTF(3, 4);

/* Bytes between a call and the host, with backpressure: of a blob on its way to the host, or of
 * what the host gives for an upload. The provider's method gets the stream as its last argument
 * (docs/embedding.md, "Streams"):
 *
 *     function Gateway:fetch(reference, digest, stream)
 *       stream:begin { type = "application/gzip" }
 *       self:get_blob(reference, digest, { sink = stream:sink(digest) })
 *     end
 *
 *     function Gateway:store(reference, stream)
 *       return self:upload_blob(reference, { reader = stream, size = stream.size })
 *     end
 */

#define ORAS_FAILED (-1) /* of write and read: *err may say why */
#define ORAS_END    (-2) /* of read: no more comes */

/**
 * What a stream asks of the host; start from ORAS_STREAM_INIT. Any function may be NULL. All
 * are called on the runtime's thread, inside oras_step() or oras_stream_call(), and never after
 * the call is done; they must not use the runtime but to wake, interrupt, cancel, free calls
 * and streams, and resume. Non-zero from begin and end fails the call, as ORAS_FAILED does; *err
 * may say why (oras_error_set), else it is ORAS_ECANCELED.
 */
typedef struct oras_stream_functions {
    size_t size; /* sizeof(oras_stream_functions), set by ORAS_STREAM_INIT */
    void *ud;
    /* What is to come, in words of the provider's: JSON */
    int (*begin)(void *ud, const char *head, oras_error *err);
    /* Take bytes and give how many; with fewer than `size` nothing more comes until
     * oras_stream_resume(), and about 100 KiB lie waiting meanwhile. A last byte of a blob of
     * known size comes only when all of it was verified */
    int64_t (*write)(void *ud, const void *data, size_t size, oras_error *err);
    /* The method has returned, and all that was written was verified */
    int (*end)(void *ud, oras_error *err);
    /* Give at most `capacity` bytes: how many, ORAS_END, or 0 for none now: it is asked again
     * after oras_stream_resume() */
    int64_t (*read)(void *ud, void *data, size_t capacity, oras_error *err);
    int64_t read_size; /* of all bytes that read gives; -1: not known */
} oras_stream_functions;

#ifdef __cplusplus
#define ORAS_STREAM_INIT                                                                           \
    oras_stream_functions                                                                          \
    {                                                                                              \
        sizeof(oras_stream_functions), NULL, NULL, NULL, NULL, NULL, -1                            \
    }
#else
#define ORAS_STREAM_INIT                                                                           \
    {                                                                                              \
        sizeof(oras_stream_functions), NULL, NULL, NULL, NULL, NULL, -1                            \
    }
#endif

typedef struct oras_stream oras_stream;

/**
 * Make a stream, for one call at a time.
 *
 * @param functions  copied
 * @param out        the stream, owned by the caller: oras_stream_free()
 * @return ORAS_OK, ORAS_EINVALID, ORAS_ENOMEM
 */
ORAS_API oras_code oras_stream_new(oras_runtime *rt, const oras_stream_functions *functions,
                                   oras_stream **out, oras_error *err);

/** As oras_call_json(), with the stream behind the arguments. While it waits for the host, some
 * other thread resumes. */
ORAS_API oras_code oras_stream_call(oras_stream *stream, const char *provider, const char *method,
                                    const char *args, char **result, oras_error *err);

/** As oras_call_start(), with the stream behind the arguments. */
ORAS_API oras_code oras_stream_start(oras_stream *stream, const char *provider, const char *method,
                                     const char *args, oras_call **out, oras_error *err);

/** The host takes bytes again, or has some: it is asked in the next step. Callable from any
 * thread, while the runtime and the stream are there. */
ORAS_API void oras_stream_resume(oras_stream *stream);

/** Free a stream; a call that uses it finds nobody there (ORAS_ECANCELED). NULL is fine, and so
 * is a runtime that was freed before. */
ORAS_API void oras_stream_free(oras_stream *stream);

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
