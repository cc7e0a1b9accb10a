/* SPDX-License-Identifier: MIT
 * A bounded queue of bytes between the loop and a reader on the same thread. It may go
 * through several transfers: what was queued stays, the next one goes on at `count`. */
#include "base/alloc.h"
#include "io/sink_internal.h"

#include <string.h>

typedef struct stream_sink {
    oras_sink base;
    char *ring;
    size_t capacity, start, used; /* bytes [start, start + used), wrapped */
    size_t lent;                  /* of them, handed to the reader by the last read */
    bool waiting;                 /* a write was refused */
    bool ended;                   /* finish came */
    oras_error failure;           /* of the final check */
} stream_sink;

static oras_code stream_offset(oras_sink *sink, int64_t *offset, bool *pending, oras_error *err)
{
    (void)pending;
    (void)err;
    *offset = sink->count;
    return ORAS_OK;
}

static oras_code stream_begin(oras_sink *sink, int64_t offset, oras_error *err)
{
    stream_sink *stream = (stream_sink *)sink;

    if (!stream->ring && !(stream->ring = oras_alloc(stream->capacity)))
        return oras_fail_memory(err);
    sink->skip = sink->count - offset;
    return ORAS_OK;
}

static void append(stream_sink *stream, const char *data, size_t size)
{
    size_t end = (stream->start + stream->used) % stream->capacity;
    size_t first = stream->capacity - end < size ? stream->capacity - end : size;

    memcpy(stream->ring + end, data, first);
    memcpy(stream->ring, data + first, size - first);
    stream->used += size;
}

static oras_flow stream_write(oras_sink *sink, const void *data, size_t size, oras_error *err)
{
    stream_sink *stream = (stream_sink *)sink;
    size_t seen = sink->skip < (int64_t)size ? (size_t)sink->skip : size;
    const char *bytes = (const char *)data + seen;

    size -= seen;
    if (size > stream->capacity - stream->used) {
        stream->waiting = true;
        return ORAS_FLOW_FULL;
    }
    sink->skip -= (int64_t)seen;
    append(stream, bytes, size);
    return oras_sink_account(sink, bytes, size, err) ? ORAS_FLOW_FAILED : ORAS_FLOW_OK;
}

static oras_code stream_finish(oras_sink *sink, bool *pending, oras_error *err)
{
    stream_sink *stream = (stream_sink *)sink;
    oras_error failure = ORAS_ERROR_INIT;

    (void)pending;
    if (oras_sink_verify(sink, &failure)) {
        stream->failure = failure;
        if (err)
            *err = failure;
    }
    stream->ended = true;
    return failure.code;
}

static void stream_free(oras_sink *sink)
{
    stream_sink *stream = (stream_sink *)sink;

    oras_dealloc(stream->ring);
    oras_sink_dispose(sink);
    oras_dealloc(stream);
}

static const oras_sink_ops stream_ops = {.offset = stream_offset,
                                         .begin = stream_begin,
                                         .write = stream_write,
                                         .finish = stream_finish,
                                         .free = stream_free,
                                         .rests = true};

oras_code oras_sink_stream(size_t capacity, const oras_expect *expect, oras_sink **out,
                           oras_error *err)
{
    stream_sink *stream = oras_alloc_zero(1, sizeof *stream);
    oras_code code;

    if (!stream)
        return oras_fail_memory(err);
    stream->capacity = capacity;
    code = oras_sink_init(&stream->base, &stream_ops, expect, err);
    if (code) {
        oras_dealloc(stream);
        return code;
    }
    *out = &stream->base;
    return ORAS_OK;
}

bool oras_sink_is_stream(const oras_sink *sink)
{
    return sink->ops == &stream_ops;
}

/* The reader is done with what it was lent; a writer that was refused may have room again. */
static void take_back(stream_sink *stream)
{
    stream->start = (stream->start + stream->lent) % stream->capacity;
    stream->used -= stream->lent;
    stream->lent = 0;
    if (stream->waiting && stream->used <= stream->capacity / 2) {
        stream->waiting = false;
        oras_sink_tell(&stream->base);
    }
}

oras_code oras_sink_read(oras_sink *sink, const void **data, size_t *size, bool *ended,
                         oras_error *err)
{
    stream_sink *stream = (stream_sink *)sink;

    *size = 0;
    *ended = false;
    if (!oras_sink_is_stream(sink))
        return oras_fail(err, ORAS_C_USAGE, "only a stream can be read from");
    take_back(stream);
    if (stream->used == 0) {
        *ended = stream->ended;
        if (stream->failure.code && err)
            *err = stream->failure;
        return stream->failure.code;
    }
    stream->lent = stream->capacity - stream->start < stream->used
                       ? stream->capacity - stream->start
                       : stream->used;
    *data = stream->ring + stream->start;
    *size = stream->lent;
    return ORAS_OK;
}
