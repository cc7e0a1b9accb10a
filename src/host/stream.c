/* SPDX-License-Identifier: MIT
 * Streams between a call and callbacks of the host's: oras_stream_new, call, start, resume,
 * free. What a method does with one: stream_box.c. */
#include "host/stream.h"

#include "base/alloc.h"
#include "host/call.h"
#include "io/sink_taker.h"

#include <string.h>

/* On the loop's thread: whoever waits for the host asks again. */
static void on_resume(void *ud)
{
    oras_stream *stream = ud;

    if (stream->sink)
        oras_sink_taker_resume(stream->sink);
    if (stream->box)
        oras_signal_set(stream->box->context, &stream->box->ready);
}

static void enlist(oras_runtime *rt, oras_stream *stream)
{
    stream->rt = rt;
    stream->next = rt->streams;
    stream->at = &rt->streams;
    if (stream->next)
        stream->next->at = &stream->next;
    rt->streams = stream;
}

static void unlist(oras_stream *stream)
{
    *stream->at = stream->next;
    if (stream->next)
        stream->next->at = stream->at;
}

/* What a caller of an older version did not know is not there. */
static oras_stream_functions read_functions(const oras_stream_functions *given)
{
    oras_stream_functions host = ORAS_STREAM_INIT;
    size_t size = given->size < sizeof host ? given->size : sizeof host;

    memcpy(&host, given, size);
    return host;
}

oras_code oras_stream_new(oras_runtime *rt, const oras_stream_functions *functions,
                          oras_stream **out, oras_error *err)
{
    oras_stream *stream;

    if (!rt || !functions || !out)
        return oras_fail(err, ORAS_C_USAGE, "a runtime and functions are expected");
    stream = oras_alloc_zero(1, sizeof *stream);
    if (!stream)
        return oras_fail_memory(err);
    stream->host = read_functions(functions);
    stream->post = (oras_post){.fn = on_resume, .ud = stream};
    enlist(rt, stream);
    *out = stream;
    return ORAS_OK;
}

oras_code oras_stream_check(const oras_stream *stream, oras_error *err)
{
    if (!stream || !stream->rt)
        return oras_fail(err, ORAS_C_USAGE, "a stream of a runtime that is there is expected");
    if (stream->box || stream->n_busy > 0)
        return oras_fail(err, ORAS_C_USAGE, "the stream is used by another call");
    return ORAS_OK;
}

void oras_stream_let_go(oras_stream *stream)
{
    oras_stream_box *box;

    if (!stream)
        return;
    if (stream->call)
        stream->call->stream = NULL;
    stream->call = NULL;
    box = stream->box;
    if (!box)
        return;
    stream->box = NULL;
    box->stream = NULL;
    if (stream->sink)
        oras_sink_taker_leave(stream->sink);
    stream->sink = NULL;
    oras_signal_set(box->context, &box->ready); /* whoever waits finds it gone */
}

/* Nothing of the runtime's knows it any more. */
static void detach(oras_stream *stream)
{
    if (!stream->rt)
        return;
    oras_stream_let_go(stream);
    oras_loop_unpost(stream->rt->context->loop, &stream->post);
    unlist(stream);
    stream->rt = NULL;
}

void oras_streams_end(oras_runtime *rt)
{
    while (rt->streams)
        detach(rt->streams);
}

void oras_stream_enter(oras_stream *stream)
{
    stream->n_busy++;
    stream->rt->n_callbacks++;
}

void oras_stream_leave(oras_stream *stream)
{
    stream->rt->n_callbacks--;
    if (--stream->n_busy == 0 && stream->is_freed)
        oras_stream_free(stream);
}

void oras_stream_free(oras_stream *stream)
{
    if (!stream)
        return;
    if (stream->n_busy > 0) { /* from inside a callback of its own */
        stream->is_freed = true;
        oras_stream_let_go(stream);
        return;
    }
    detach(stream);
    oras_dealloc(stream);
}

void oras_stream_resume(oras_stream *stream)
{
    if (stream && stream->rt)
        oras_loop_post(stream->rt->context->loop, &stream->post);
}

oras_code oras_stream_call(oras_stream *stream, const char *provider, const char *method,
                           const char *args, char **result, oras_error *err)
{
    oras_call_spec spec = {provider, method, args, stream};
    oras_code code = oras_stream_check(stream, err);

    if (code)
        return code;
    code = oras_call_run(stream->rt, &spec, result, err);
    oras_stream_let_go(stream);
    return code;
}

oras_code oras_stream_start(oras_stream *stream, const char *provider, const char *method,
                            const char *args, oras_call **out, oras_error *err)
{
    oras_call_spec spec = {provider, method, args, stream};
    oras_code code = oras_stream_check(stream, err);

    if (code)
        return code;
    code = oras_call_spawn(stream->rt, &spec, out, err);
    if (code) {
        oras_stream_let_go(stream);
        return code;
    }
    stream->call = *out;
    (*out)->stream = stream;
    return ORAS_OK;
}
