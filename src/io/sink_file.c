/* SPDX-License-Identifier: MIT
 * A file sink. Small blobs are written and hashed where they arrive. Large ones go through a
 * ring of blocks to a worker that hashes and writes beside the receive loop; a full ring
 * refuses bytes, which pauses the transfer. */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "io/sink_internal.h"
#include "io/target.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_SIZE ((size_t)256 * 1024)
#define N_BLOCKS   8
#define BIG        ((int64_t)BLOCK_SIZE) /* from here on, and where the size is unknown */

typedef struct block {
    char *data;
    size_t size;
} block;

typedef struct file_sink {
    oras_sink base;
    oras_target target;
    oras_pool *pool;
    oras_job job;
    bool open, big, drop;
    int filling; /* the block that is being filled: not the worker's */

    /* shared with the worker, under the lock */
    pthread_mutex_t lock;
    pthread_cond_t idle; /* the ring is empty, or the worker gave up */
    block blocks[N_BLOCKS];
    int first, n_full; /* blocks for the worker */
    bool waiting;      /* a write was refused */
    bool looking;      /* the worker hashes what lay in the temporary */
    bool closing, closed;
    int64_t written;
    oras_error failure;
} file_sink;

static oras_code write_all(int fd, const char *data, size_t size, int64_t offset, oras_error *err)
{
    while (size > 0) {
        ssize_t n = pwrite(fd, data, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return oras_fail_errno(err, n < 0 ? errno : EIO, "cannot write the temporary file");
        data += n;
        size -= (size_t)n;
        offset += n;
    }
    return ORAS_OK;
}

static oras_code hash_found(file_sink *file, oras_error *err)
{
    char *data = oras_alloc(BLOCK_SIZE);
    int64_t at = 0;
    oras_code code = data ? ORAS_OK : oras_fail_memory(err);

    while (!code && at < file->target.found) {
        ssize_t n = pread(file->target.fd, data, BLOCK_SIZE, (off_t)at);

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

/* Under the lock. */
static void give_up(file_sink *file, const oras_error *err)
{
    if (!file->failure.code)
        file->failure = *err;
}

static oras_code publish(file_sink *file, oras_error *err)
{
    oras_code code = oras_sink_verify(&file->base, err);

    if (!code)
        code = oras_target_publish(&file->target, oras_pool_umask(file->pool), err);
    if (code)
        oras_target_close(&file->target, false);
    return code;
}

static void work_on_block(file_sink *file)
{
    block *full = &file->blocks[file->first];
    oras_error err = ORAS_ERROR_INIT;
    oras_code code = ORAS_OK;

    pthread_mutex_unlock(&file->lock);
    if (file->base.hasher)
        code = oras_hasher_update(file->base.hasher, full->data, full->size, &err);
    if (!code)
        code = write_all(file->target.fd, full->data, full->size, file->written, &err);
    pthread_mutex_lock(&file->lock);
    if (code) {
        give_up(file, &err);
        return;
    }
    file->written += (int64_t)full->size;
    full->size = 0;
    file->first = (file->first + 1) % N_BLOCKS;
    file->n_full--;
    if (file->waiting && file->n_full <= N_BLOCKS / 2) {
        file->waiting = false;
        oras_sink_tell(&file->base);
    }
}

static void work_on_end(file_sink *file)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_code code;

    pthread_mutex_unlock(&file->lock);
    code = publish(file, &err);
    pthread_mutex_lock(&file->lock);
    if (code)
        give_up(file, &err);
    file->closed = true;
}

static void work_on_found(file_sink *file)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_code code;

    pthread_mutex_unlock(&file->lock);
    code = hash_found(file, &err);
    pthread_mutex_lock(&file->lock);
    if (code)
        give_up(file, &err);
    file->looking = false;
}

static void run(oras_job *job)
{
    file_sink *file = (file_sink *)((char *)job - offsetof(file_sink, job));
    bool news = false;

    pthread_mutex_lock(&file->lock);
    if (file->looking) {
        work_on_found(file);
        news = true;
    }
    while (file->n_full > 0 && !file->failure.code)
        work_on_block(file);
    if (file->closing && !file->closed && !file->failure.code) {
        work_on_end(file);
        news = true;
    }
    if (news || file->failure.code)
        oras_sink_tell(&file->base);
    pthread_cond_broadcast(&file->idle);
    pthread_mutex_unlock(&file->lock);
}

static oras_code failure_of(file_sink *file, oras_error *err)
{
    oras_code code;

    pthread_mutex_lock(&file->lock);
    code = file->failure.code;
    if (code && err)
        *err = file->failure;
    pthread_mutex_unlock(&file->lock);
    return code;
}

static oras_code submit(file_sink *file, oras_error *err)
{
    return oras_pool_submit(file->pool, &file->job, err);
}

/* --- the sink, on the loop's thread ---------------------------------------------------- */

static oras_code start_over(file_sink *file, oras_error *err)
{
    file->written = 0;
    if (file->open && ftruncate(file->target.fd, 0) != 0)
        return oras_fail_errno(err, errno, "cannot cut the temporary file");
    return oras_sink_restart(&file->base, err);
}

static oras_code take_up(file_sink *file, bool *pending, oras_error *err)
{
    if (file->base.expect.size >= 0 && file->target.found > file->base.expect.size)
        file->target.found = 0;
    if (file->target.found == 0)
        return start_over(file, err);
    file->base.count = file->written = file->target.found;
    if (file->target.found < BIG)
        return hash_found(file, err);
    file->looking = *pending = true;
    return submit(file, err);
}

static oras_code open_target(file_sink *file, bool *pending, oras_error *err)
{
    const oras_expect *expect = &file->base.expect;
    oras_code code =
        oras_target_open(&file->target, expect->has_digest ? &expect->digest : NULL, err);

    if (code)
        return code;
    file->open = true;
    if (file->target.found == 0)
        return ORAS_OK;
    return take_up(file, pending, err);
}

static oras_code file_offset(oras_sink *sink, int64_t *offset, bool *pending, oras_error *err)
{
    file_sink *file = (file_sink *)sink;
    oras_code code = file->open ? failure_of(file, err) : open_target(file, pending, err);

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
    return code;
}

static block *filling(file_sink *file, oras_error *err)
{
    block *at = &file->blocks[file->filling];

    if (!at->data && !(at->data = oras_alloc(BLOCK_SIZE)))
        oras_fail_memory(err);
    return at;
}

/* Hand the block that is being filled to the worker. Under the lock. */
static void hand_over(file_sink *file)
{
    file->n_full++;
    file->filling = (file->filling + 1) % N_BLOCKS;
}

/* Bytes are taken whole or not at all, since curl gives a refused piece again. */
static oras_flow big_write(file_sink *file, const char *data, size_t size, oras_error *err)
{
    bool handed = false;
    size_t room;

    pthread_mutex_lock(&file->lock);
    room = (size_t)(N_BLOCKS - file->n_full) * BLOCK_SIZE;
    if (room > 0)
        room -= file->blocks[file->filling].size;
    file->waiting = size > room && !file->failure.code;
    pthread_mutex_unlock(&file->lock);
    if (failure_of(file, err))
        return ORAS_FLOW_FAILED;
    if (size > room)
        return ORAS_FLOW_FULL;
    file->base.count += (int64_t)size;
    while (size > 0) {
        block *at = filling(file, err);
        size_t part = BLOCK_SIZE - at->size < size ? BLOCK_SIZE - at->size : size;

        if (!at->data)
            return ORAS_FLOW_FAILED;
        memcpy(at->data + at->size, data, part);
        at->size += part;
        data += part;
        size -= part;
        if (at->size == BLOCK_SIZE) {
            pthread_mutex_lock(&file->lock);
            hand_over(file);
            pthread_mutex_unlock(&file->lock);
            handed = true;
        }
    }
    return handed && submit(file, err) ? ORAS_FLOW_FAILED : ORAS_FLOW_OK;
}

static oras_flow file_write(oras_sink *sink, const void *data, size_t size, oras_error *err)
{
    file_sink *file = (file_sink *)sink;

    if (file->big)
        return big_write(file, data, size, err);
    if (write_all(file->target.fd, data, size, sink->count, err))
        return ORAS_FLOW_FAILED;
    return oras_sink_account(sink, data, size, err) ? ORAS_FLOW_FAILED : ORAS_FLOW_OK;
}

/* Everything that was taken goes to the worker; the caller submits. */
static void flush(file_sink *file)
{
    pthread_mutex_lock(&file->lock);
    if (file->n_full < N_BLOCKS && file->blocks[file->filling].size > 0)
        hand_over(file);
    pthread_mutex_unlock(&file->lock);
}

/* After a failed finish nothing of the temporary is left: the next begin opens a new one. */
static void forget(file_sink *file)
{
    file->open = file->closing = file->closed = false;
    file->first = file->filling = file->n_full = 0;
    for (int i = 0; i < N_BLOCKS; i++)
        file->blocks[i].size = 0;
    file->written = 0;
    file->failure.code = ORAS_OK;
    file->target.found = 0;
    oras_sink_restart(&file->base, NULL);
}

/* Descriptors and blocks go at once: the sink itself may wait for the collector. */
static void free_blocks(file_sink *file)
{
    for (int i = 0; i < N_BLOCKS; i++) {
        oras_dealloc(file->blocks[i].data);
        file->blocks[i] = (block){NULL, 0};
    }
}

static oras_code small_finish(file_sink *file, oras_error *err)
{
    oras_code code = publish(file, err);

    if (code)
        forget(file);
    else
        file->open = false;
    return code;
}

static oras_code file_finish(oras_sink *sink, bool *pending, oras_error *err)
{
    file_sink *file = (file_sink *)sink;
    bool closed;
    oras_code code;

    if (!file->big)
        return small_finish(file, err);
    if (!file->closing) {
        flush(file);
        pthread_mutex_lock(&file->lock);
        file->closing = true;
        pthread_mutex_unlock(&file->lock);
        *pending = true;
        return submit(file, err);
    }
    pthread_mutex_lock(&file->lock);
    closed = file->closed;
    pthread_mutex_unlock(&file->lock);
    code = failure_of(file, err);
    *pending = !closed && !code;
    if (*pending)
        return ORAS_OK;
    oras_pool_settle(file->pool, &file->job);
    if (code) {
        oras_target_close(&file->target, false);
        forget(file);
    } else {
        file->open = false;
        free_blocks(file);
    }
    return code;
}

/* Wait until the worker has written what was taken: a later begin goes on behind it. */
static void drain(file_sink *file)
{
    flush(file);
    if (submit(file, NULL))
        return;
    pthread_mutex_lock(&file->lock);
    while ((file->n_full > 0 || file->looking) && !file->failure.code)
        pthread_cond_wait(&file->idle, &file->lock);
    pthread_mutex_unlock(&file->lock);
    oras_pool_settle(file->pool, &file->job);
}

static void file_abort(oras_sink *sink)
{
    file_sink *file = (file_sink *)sink;

    if (file->open && file->big)
        drain(file);
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

    pthread_mutex_lock(&file->lock);
    sink->notify = notify;
    pthread_mutex_unlock(&file->lock);
}

static void file_free(oras_sink *sink)
{
    file_sink *file = (file_sink *)sink;

    file_set_notify(sink, (oras_notify){NULL, NULL});
    file_abort(sink);
    oras_pool_settle(file->pool, &file->job);
    oras_target_close(&file->target,
                      file->target.keyed && !file->drop && sink->count > 0 && !file->failure.code);
    free_blocks(file);
    pthread_cond_destroy(&file->idle);
    pthread_mutex_destroy(&file->lock);
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
                                       .set_notify = file_set_notify,
                                       .free = file_free};

oras_code oras_sink_file(oras_pool *pool, const oras_file_target *target, const oras_expect *expect,
                         oras_sink **out, oras_error *err)
{
    file_sink *file = oras_alloc_zero(1, sizeof *file);
    oras_code code;

    if (!file)
        return oras_fail_memory(err);
    code = oras_target_init(&file->target, target, err);
    if (!code)
        code = oras_sink_init(&file->base, &file_ops, expect, err);
    if (code) {
        oras_target_dispose(&file->target);
        oras_dealloc(file);
        return code;
    }
    pthread_mutex_init(&file->lock, NULL);
    pthread_cond_init(&file->idle, NULL);
    file->pool = pool;
    file->job.run = run;
    file->big = file->base.expect.size < 0 || file->base.expect.size >= BIG;
    *out = &file->base;
    return ORAS_OK;
}
