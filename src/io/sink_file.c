/* SPDX-License-Identifier: MIT
 * A file sink. Small blobs are written and hashed where they arrive; large ones go through a
 * pipeline to the workers, and a full pipeline refuses bytes, which pauses the transfer. */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "io/pipeline.h"
#include "io/sink_internal.h"
#include "io/target.h"

#include <errno.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 * 1024)
#define BIG       ((int64_t)READ_SIZE) /* from here on, and where the size is unknown */

typedef struct file_sink {
    oras_sink base;
    oras_target target;
    oras_pool *pool;
    oras_pipeline *pipeline; /* NULL: a small blob */
    bool open;               /* the temporary is */
    bool looking;            /* a worker hashes what lay in it */
    bool closing;            /* a worker publishes it */
    bool drop;               /* it must not be left behind */
    bool by_digest;          /* that is its name */
} file_sink;

/* --- on a worker, or where a small blob arrives ------------------------------------------- */

static oras_code hash_found(void *ud, oras_error *err)
{
    file_sink *file = ud;
    char *data = oras_alloc(READ_SIZE);
    int64_t at = 0;
    oras_code code = data ? ORAS_OK : oras_fail_memory(err);

    while (!code && at < file->target.found) {
        ssize_t n = pread(file->target.fd, data, READ_SIZE, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            code = oras_fail_errno(err, n < 0 ? errno : EIO, "cannot read the temporary file");
        else
            code = oras_hasher_update(file->base.hasher, data, (size_t)n, err);
        at += n > 0 ? n : 0;
    }
    oras_dealloc(data);
    return code;
}

static oras_code name_by_digest(file_sink *file, oras_error *err)
{
    oras_digest *digest = &file->base.expect.digest;
    oras_code code = oras_hasher_final(file->base.hasher, digest, err);
    char *name = code ? NULL : oras_strdup(oras_digest_encoded(digest));

    if (!name)
        return code ? code : oras_fail_memory(err);
    oras_dealloc(file->target.name);
    file->target.name = name;
    return ORAS_OK;
}

static oras_code publish(void *ud, oras_error *err)
{
    file_sink *file = ud;
    oras_code code = oras_sink_verify(&file->base, err);

    if (!code && file->by_digest)
        code = name_by_digest(file, err);
    if (!code)
        code = oras_target_publish(&file->target, oras_pool_umask(file->pool), err);
    if (code)
        oras_target_close(&file->target, false);
    return code;
}

static void on_news(void *ud)
{
    file_sink *file = ud;

    oras_sink_tell(&file->base);
}

/* --- the sink, on the loop's thread ---------------------------------------------------- */

static void aim(file_sink *file, int64_t position)
{
    if (file->pipeline)
        oras_pipeline_aim(file->pipeline, &file->target, file->base.hasher, position);
}

static oras_code start_over(file_sink *file, oras_error *err)
{
    if (file->open && ftruncate(file->target.fd, 0) != 0)
        return oras_fail_errno(err, errno, "cannot cut the temporary file");
    aim(file, 0);
    return oras_sink_restart(&file->base, err);
}

static oras_code take_up(file_sink *file, bool *pending, oras_error *err)
{
    file->base.count = file->target.found;
    aim(file, file->target.found);
    if (file->target.found < BIG)
        return hash_found(file, err);
    file->looking = *pending = true;
    return oras_pipeline_then(file->pipeline, hash_found, err);
}

static oras_code open_target(file_sink *file, bool *pending, oras_error *err)
{
    const oras_expect *expect = &file->base.expect;
    oras_code code =
        oras_target_open(&file->target, expect->has_digest ? &expect->digest : NULL, err);

    if (code)
        return code;
    file->open = true;
    if (expect->size >= 0 && file->target.found > expect->size)
        return start_over(file, err);
    if (file->target.found > 0)
        return take_up(file, pending, err);
    aim(file, 0);
    return ORAS_OK;
}

static oras_code check_looking(file_sink *file, bool *pending, oras_error *err)
{
    bool through = true;
    oras_code code = ORAS_OK;

    if (file->looking)
        code = oras_pipeline_is_through(file->pipeline, &through, err);
    file->looking = !through && !code;
    *pending = file->looking;
    return code;
}

static oras_code file_offset(oras_sink *sink, int64_t *offset, bool *pending, oras_error *err)
{
    file_sink *file = (file_sink *)sink;
    oras_code code =
        file->open ? check_looking(file, pending, err) : open_target(file, pending, err);

    if (!code && !*pending)
        *offset = sink->count;
    return code;
}

static oras_code file_begin(oras_sink *sink, int64_t offset, oras_error *err)
{
    file_sink *file = (file_sink *)sink;
    bool pending = false;
    oras_code code = ORAS_OK;

    if (!file->open)
        code = open_target(file, &pending, err);
    if (!code && offset != sink->count)
        code = start_over(file, err);
    file->drop = false;
    return code;
}

static oras_flow file_write(oras_sink *sink, const void *data, size_t size, oras_error *err)
{
    file_sink *file = (file_sink *)sink;

    if (file->pipeline) {
        oras_flow flow = oras_pipeline_write(file->pipeline, data, size, err);

        if (flow == ORAS_FLOW_OK)
            sink->count += (int64_t)size;
        return flow;
    }
    file->drop = oras_target_write(&file->target, data, size, sink->count, err) != ORAS_OK;
    if (file->drop)
        return ORAS_FLOW_FAILED;
    return oras_sink_account(sink, data, size, err) ? ORAS_FLOW_FAILED : ORAS_FLOW_OK;
}

/* The end: published, or nothing of the temporary is left and the next begin opens a new one. */
static oras_code end(file_sink *file, oras_code code)
{
    file->open = file->closing = false;
    if (!code) { /* what was not expected is known now */
        file->base.expect.has_digest = file->base.expect.has_digest || file->by_digest;
        file->base.expect.size = file->base.count;
    }
    if (!code) { /* the sink itself may wait for the collector: its blocks need not */
        oras_pipeline_free(file->pipeline);
        file->pipeline = NULL;
        return ORAS_OK;
    }
    if (file->pipeline)
        oras_pipeline_drain(file->pipeline);
    oras_target_close(&file->target, false);
    oras_sink_restart(&file->base, NULL);
    return code;
}

static oras_code file_finish(oras_sink *sink, bool *pending, oras_error *err)
{
    file_sink *file = (file_sink *)sink;
    bool through;
    oras_code code;

    if (!file->pipeline)
        return end(file, publish(file, err));
    if (!file->closing) {
        code = oras_pipeline_then(file->pipeline, publish, err);
        file->closing = *pending = !code;
        return code ? end(file, code) : ORAS_OK;
    }
    code = oras_pipeline_is_through(file->pipeline, &through, err);
    *pending = !through && !code;
    return *pending ? ORAS_OK : end(file, code);
}

/* A later begin goes on behind what was taken: the workers must be through with it. */
static void file_abort(oras_sink *sink)
{
    file_sink *file = (file_sink *)sink;

    if (file->open && file->pipeline)
        oras_pipeline_drain(file->pipeline);
    file->looking = false;
}

static void file_remove_partial(oras_sink *sink)
{
    file_sink *file = (file_sink *)sink;

    file_abort(sink);
    file->drop = true;
    if (file->open)
        start_over(file, NULL);
}

static void file_set_notify(oras_sink *sink, oras_notify notify)
{
    file_sink *file = (file_sink *)sink;

    if (file->pipeline)
        oras_pipeline_lock(file->pipeline);
    sink->notify = notify;
    if (file->pipeline)
        oras_pipeline_unlock(file->pipeline);
}

static bool is_worth_keeping(const file_sink *file)
{
    return file->target.keyed && !file->drop && file->base.count > 0 &&
           !(file->pipeline && oras_pipeline_has_failed(file->pipeline));
}

static bool file_settle(oras_sink *sink)
{
    const file_sink *file = (file_sink *)sink;

    file_set_notify(sink, (oras_notify){NULL, NULL});
    file_abort(sink);
    return file->open && is_worth_keeping(file);
}

static void file_free(oras_sink *sink)
{
    file_sink *file = (file_sink *)sink;

    oras_target_close(&file->target, file_settle(sink));
    oras_pipeline_free(file->pipeline);
    oras_target_dispose(&file->target);
    oras_sink_dispose(sink);
    oras_dealloc(file);
}

static const oras_sink_ops file_ops = {.offset = file_offset,
                                       .begin = file_begin,
                                       .write = file_write,
                                       .finish = file_finish,
                                       .abort = file_abort,
                                       .remove_partial = file_remove_partial,
                                       .settle = file_settle,
                                       .set_notify = file_set_notify,
                                       .free = file_free};

static oras_code set_up(file_sink *file, const oras_file_target *target, const oras_expect *expect,
                        oras_error *err)
{
    oras_code code = oras_target_init(&file->target, target, err);

    if (!code)
        code = oras_sink_init(&file->base, &file_ops, expect, err);
    file->by_digest = target->by_digest;
    if (!code && file->by_digest && !file->base.hasher)
        code = oras_hasher_new(file->base.expect.digest.algorithm, &file->base.hasher, err);
    if (!code && (file->base.expect.size < 0 || file->base.expect.size >= BIG))
        code = oras_pipeline_new(file->pool, on_news, file, &file->pipeline, err);
    return code;
}

oras_code oras_sink_file(oras_pool *pool, const oras_file_target *target, const oras_expect *expect,
                         oras_sink **out, oras_error *err)
{
    file_sink *file = oras_alloc_zero(1, sizeof *file);
    oras_code code;

    if (!file)
        return oras_fail_memory(err);
    file->pool = pool;
    code = set_up(file, target, expect, err);
    if (code) {
        oras_target_dispose(&file->target);
        oras_sink_dispose(&file->base);
        oras_dealloc(file);
        return code;
    }
    *out = &file->base;
    return ORAS_OK;
}
