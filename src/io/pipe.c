/* SPDX-License-Identifier: MIT
 * A sink and a source over one queue: a blob on its way from one server to another. The source
 * comes to its end only when what went into the sink was verified. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/pipe_hash.h"
#include "io/queue.h"
#include "io/sink_internal.h"

#define BIG   ((int64_t)1024 * 1024) /* from here on a worker hashes */
#define BATCH ((int64_t)256 * 1024)  /* handed to it at once */

typedef struct pipe_sink {
    oras_sink base;
    oras_queue *queue;
    oras_hasher *hasher;  /* where no digest is expected, so that there is one in the end */
    oras_pipe_hash *work; /* NULL: hashed on the loop's thread */
    int64_t handed;       /* bytes that `work` knows of */
    oras_error cause;     /* why the last transfer into it failed */
} pipe_sink;

static void unref(oras_queue **queue)
{
    oras_queue_unref(*queue);
}

/* A download that breaks off is taken up where it was: what was written is on its way. */
static oras_code pipe_offset(oras_sink *sink, int64_t *offset, bool *pending, oras_error *err)
{
    (void)pending;
    (void)err;
    *offset = sink->count;
    return ORAS_OK;
}

static oras_code pipe_begin(oras_sink *sink, int64_t offset, oras_error *err)
{
    (void)err;
    sink->skip = sink->count - offset;
    return ORAS_OK;
}

static oras_code hand_over(pipe_sink *pipe, oras_error *err)
{
    pipe->handed = oras_queue_written(pipe->queue);
    return oras_pipe_hash_go_on(pipe->work, err);
}

static oras_code account(pipe_sink *pipe, const void *data, size_t size, oras_error *err)
{
    oras_hasher *hasher = pipe->hasher ? pipe->hasher : pipe->base.hasher;

    pipe->base.count += (int64_t)size;
    if (!pipe->work)
        return oras_hasher_update(hasher, data, size, err);
    return pipe->base.count - pipe->handed >= BATCH ? hand_over(pipe, err) : ORAS_OK;
}

/* What is not hashed yet must not be written over. */
static oras_flow put(pipe_sink *pipe, const char *bytes, size_t size, oras_error *err)
{
    int64_t hashed, now;
    oras_flow flow;

    if (!pipe->work)
        return oras_queue_put(pipe->queue, bytes, size, err);
    hashed = oras_pipe_hash_position(pipe->work, false);
    oras_queue_hold(pipe->queue, hashed);
    flow = oras_queue_put(pipe->queue, bytes, size, err);
    if (flow != ORAS_FLOW_FULL)
        return flow;
    if (hand_over(pipe, err))
        return ORAS_FLOW_FAILED;
    now = oras_pipe_hash_position(pipe->work, true);
    if (now == hashed)
        return flow;
    oras_queue_hold(pipe->queue, now);
    return oras_queue_put(pipe->queue, bytes, size, err);
}

static oras_flow pipe_write(oras_sink *sink, const void *data, size_t size, oras_error *err)
{
    pipe_sink *pipe = (pipe_sink *)sink;
    size_t seen = sink->skip < (int64_t)size ? (size_t)sink->skip : size;
    const char *bytes = (const char *)data + seen;
    oras_flow flow = put(pipe, bytes, size - seen, err);

    if (flow != ORAS_FLOW_OK)
        return flow;
    sink->skip -= (int64_t)seen;
    return account(pipe, bytes, size - seen, err) ? ORAS_FLOW_FAILED : ORAS_FLOW_OK;
}

/* Is everything hashed? If not, the notification comes. */
static oras_code await_worker(pipe_sink *pipe, bool *pending, oras_error *err)
{
    oras_code code;

    if (!pipe->work)
        return ORAS_OK;
    code = hand_over(pipe, err);
    if (!code)
        code = oras_pipe_hash_result(pipe->work, err);
    *pending = !code && oras_pipe_hash_position(pipe->work, true) < pipe->handed;
    return code;
}

static oras_code pipe_finish(oras_sink *sink, bool *pending, oras_error *err)
{
    pipe_sink *pipe = (pipe_sink *)sink;
    oras_digest digest = sink->expect.digest;
    oras_error failure = ORAS_ERROR_INIT;
    oras_code code = await_worker(pipe, pending, &failure);

    if (*pending)
        return ORAS_OK;
    if (!code)
        code = oras_sink_verify(sink, &failure);
    if (!code && pipe->hasher)
        code = oras_hasher_final(pipe->hasher, &digest, &failure);
    if (!code)
        return oras_queue_end(pipe->queue, &digest, err);
    oras_queue_break(pipe->queue, &failure);
    if (err)
        *err = failure;
    return code;
}

static void pipe_set_cause(oras_sink *sink, const oras_error *cause)
{
    ((pipe_sink *)sink)->cause = *cause;
}

static void pipe_set_notify(oras_sink *sink, oras_notify notify)
{
    pipe_sink *pipe = (pipe_sink *)sink;

    oras_queue_set_writer(pipe->queue, notify);
    if (pipe->work)
        oras_pipe_hash_set_notify(pipe->work, notify);
}

/* Whoever reads learns why no more comes, if it is not complete. */
static void pipe_free(oras_sink *sink)
{
    pipe_sink *pipe = (pipe_sink *)sink;

    oras_queue_set_writer(pipe->queue, (oras_notify){NULL, NULL});
    if (!pipe->cause.code)
        oras_fail(&pipe->cause, ORAS_C_CANCELLED, "what was to be passed on did not come");
    oras_queue_break(pipe->queue, &pipe->cause);
    oras_pipe_hash_free(pipe->work);
    oras_queue_unref(pipe->queue);
    oras_hasher_free(pipe->hasher);
    oras_sink_dispose(sink);
    oras_dealloc(pipe);
}

static const oras_sink_ops pipe_ops = {.offset = pipe_offset,
                                       .begin = pipe_begin,
                                       .write = pipe_write,
                                       .finish = pipe_finish,
                                       .set_cause = pipe_set_cause,
                                       .set_notify = pipe_set_notify,
                                       .free = pipe_free,
                                       .rests = true};

static oras_code set_up(pipe_sink *pipe, oras_pool *pool, bool big, oras_error *err)
{
    oras_code code = ORAS_OK;

    if (!pipe->base.expect.has_digest)
        code = oras_hasher_new(ORAS_SHA256, &pipe->hasher, err);
    if (!code && pool && big)
        code = oras_pipe_hash_new(
            pool, pipe->queue, pipe->hasher ? pipe->hasher : pipe->base.hasher, &pipe->work, err);
    return code;
}

static oras_code new_sink(oras_queue *queue, const oras_expect *expect, oras_sink **out,
                          oras_error *err)
{
    pipe_sink *pipe = oras_alloc_zero(1, sizeof *pipe);
    oras_code code;

    if (!pipe)
        return oras_fail_memory(err);
    code = oras_sink_init(&pipe->base, &pipe_ops, expect, err);
    if (code) {
        oras_dealloc(pipe);
        return code;
    }
    pipe->queue = oras_queue_ref(queue);
    *out = &pipe->base;
    return ORAS_OK;
}

oras_code oras_pipe_new(oras_pool *pool, size_t capacity, const oras_expect *expect,
                        oras_sink **sink, oras_source **source, oras_error *err)
{
    _cleanup_(unref) oras_queue *queue = NULL;
    bool big = (int64_t)capacity >= BIG && (expect->size < 0 || expect->size >= BIG);
    oras_sink *made = NULL;
    oras_code code = oras_queue_new(capacity, expect->size, &queue, err);

    if (!code)
        code = new_sink(queue, expect, &made, err);
    if (!code)
        code = set_up((pipe_sink *)made, pool, big, err);
    if (!code)
        code = oras_source_of_queue(queue, expect->size, source, err);
    if (code)
        oras_sink_free(made);
    else
        *sink = made;
    return code;
}
