/* SPDX-License-Identifier: MIT
 * A stream between a method of a provider and callbacks of the host's. */
#ifndef ORAS_HOST_STREAM_H
#define ORAS_HOST_STREAM_H

#include "bind/wait.h"
#include "host/runtime.h"
#include "io/sink.h"

/** As Lua holds it, for one call. */
typedef struct oras_stream_box {
    oras_stream *stream; /* NULL: the call is over, or the host has freed the stream */
    oras_context *context;
    oras_signal ready; /* the host gives bytes again */
    bool ended;        /* it gives no more */
} oras_stream_box;

struct oras_stream {
    oras_stream_functions host;
    oras_runtime *rt; /* NULL: freed before */
    oras_post post;   /* of oras_stream_resume() */
    oras_stream_box *box;
    oras_call *call;                /* that uses it, in the host's own loop */
    oras_sink *sink;                /* the last that was made, while it is there */
    bool is_open;                   /* bytes were given whose sink has not verified them */
    int n_busy;                     /* callbacks that run */
    bool is_freed;                  /* from inside one of them */
    struct oras_stream *next, **at; /* of the runtime's */
};

/** Push what a method gets of a stream that no call uses. Raises. [-0, +1] */
void oras_stream_push(lua_State *L, oras_stream *stream);

/** The call is over: nothing is asked of the host any more. NULL is fine. */
void oras_stream_let_go(oras_stream *stream);

/** The runtime ends. */
void oras_streams_end(oras_runtime *rt);

/** Around each callback; after `leave` the stream may be gone. */
void oras_stream_enter(oras_stream *stream);
void oras_stream_leave(oras_stream *stream);

/** Can a call use it? Class usage. */
oras_code oras_stream_check(const oras_stream *stream, oras_error *err);

#endif
