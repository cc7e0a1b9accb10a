/* SPDX-License-Identifier: MIT
 * A source that is filled while it is read. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/queue.h"
#include "io/source_internal.h"

typedef struct stream_source {
    oras_source base;
    oras_queue *queue;
    oras_hasher *hasher; /* of what is put in; NULL: the sink of the pipe does that */
} stream_source;

static void unref(oras_queue **queue)
{
    oras_queue_unref(*queue);
}

static oras_source_step stream_read(oras_source *source, void *data, size_t capacity, size_t *size,
                                    oras_error *err)
{
    return oras_queue_read(((stream_source *)source)->queue, data, capacity, size, err);
}

static oras_code stream_seek(oras_source *source, int64_t offset, oras_error *err)
{
    return oras_queue_seek(((stream_source *)source)->queue, offset, err);
}

static bool stream_can_seek(const oras_source *source)
{
    return oras_queue_keeps_all(((const stream_source *)source)->queue);
}

static bool stream_digest(const oras_source *source, oras_digest *digest, int64_t *size)
{
    return oras_queue_digest(((const stream_source *)source)->queue, digest, size);
}

static void stream_set_notify(oras_source *source, oras_notify notify)
{
    oras_queue_set_reader(((stream_source *)source)->queue, notify);
}

static void stream_free(oras_source *source)
{
    stream_source *stream = (stream_source *)source;

    oras_queue_leave(stream->queue);
    oras_queue_unref(stream->queue);
    oras_hasher_free(stream->hasher);
    oras_dealloc(stream);
}

static const oras_source_ops stream_ops = {.read = stream_read,
                                           .seek = stream_seek,
                                           .can_seek = stream_can_seek,
                                           .digest = stream_digest,
                                           .set_notify = stream_set_notify,
                                           .free = stream_free};

oras_code oras_source_of_queue(oras_queue *queue, int64_t size, oras_source **out, oras_error *err)
{
    stream_source *stream = oras_alloc_zero(1, sizeof *stream);

    if (!stream)
        return oras_fail_memory(err);
    stream->base.ops = &stream_ops;
    stream->base.size = size;
    stream->queue = oras_queue_ref(queue);
    *out = &stream->base;
    return ORAS_OK;
}

oras_code oras_source_stream(size_t capacity, int64_t size, oras_algorithm algorithm,
                             oras_source **out, oras_error *err)
{
    _cleanup_(unref) oras_queue *queue = NULL;
    oras_source *source = NULL;
    oras_code code = oras_queue_new(capacity, size, &queue, err);

    if (!code)
        code = oras_source_of_queue(queue, size, &source, err);
    if (!code)
        code = oras_hasher_new(algorithm, &((stream_source *)source)->hasher, err);
    if (code)
        oras_source_free(source);
    else
        *out = source;
    return code;
}

bool oras_source_is_stream(const oras_source *source)
{
    return source->ops == &stream_ops;
}

oras_flow oras_source_put(oras_source *source, const void *data, size_t size, oras_error *err)
{
    stream_source *stream = (stream_source *)source;
    oras_flow flow = oras_queue_put(stream->queue, data, size, err);

    if (flow == ORAS_FLOW_OK && oras_hasher_update(stream->hasher, data, size, err))
        return ORAS_FLOW_FAILED;
    return flow;
}

oras_code oras_source_end(oras_source *source, oras_error *err)
{
    stream_source *stream = (stream_source *)source;
    oras_digest digest;
    int64_t size;
    oras_code code;

    if (oras_queue_digest(stream->queue, &digest, &size))
        return ORAS_OK;
    code = oras_hasher_final(stream->hasher, &digest, err);
    return code ? code : oras_queue_end(stream->queue, &digest, err);
}

void oras_source_break(oras_source *source, const oras_error *err)
{
    oras_queue_break(((stream_source *)source)->queue, err);
}

void oras_source_set_producer(oras_source *source, oras_notify notify)
{
    oras_queue_set_writer(((stream_source *)source)->queue, notify);
}
