/* SPDX-License-Identifier: MIT */
#include "io/pipe_hash.h"

#include "base/alloc.h"

#include <pthread.h>

#define STEP ((int64_t)256 * 1024)

struct oras_pipe_hash {
    oras_job job; /* first */
    oras_pool *pool;
    oras_queue *queue;
    oras_hasher *hasher;
    pthread_mutex_t lock;      /* of what follows */
    int64_t position, written; /* bytes between are the worker's */
    bool waits, stopped;
    oras_notify notify;
    oras_error failure;
};

/* The next bytes of the worker; 0: none. */
static size_t next_piece(const oras_pipe_hash *hash, const char **data)
{
    int64_t left = hash->written - hash->position;

    if (left == 0 || hash->stopped || hash->failure.code)
        return 0;
    return oras_queue_piece(hash->queue, hash->position, left < STEP ? left : STEP, data);
}

static void tell(oras_pipe_hash *hash)
{
    if (hash->waits && hash->notify.fn)
        hash->notify.fn(hash->notify.ud);
    hash->waits = false;
}

static void on_worker(oras_job *job)
{
    oras_pipe_hash *hash = (oras_pipe_hash *)job;
    oras_error err = ORAS_ERROR_INIT;
    const char *data;
    size_t size;

    pthread_mutex_lock(&hash->lock);
    while ((size = next_piece(hash, &data)) > 0) {
        pthread_mutex_unlock(&hash->lock);
        oras_hasher_update(hash->hasher, data, size, &err);
        pthread_mutex_lock(&hash->lock);
        hash->failure = err;
        hash->position += (int64_t)size;
    }
    tell(hash);
    pthread_mutex_unlock(&hash->lock);
}

oras_code oras_pipe_hash_new(oras_pool *pool, oras_queue *queue, oras_hasher *hasher,
                             oras_pipe_hash **out, oras_error *err)
{
    oras_pipe_hash *hash = oras_alloc_zero(1, sizeof *hash);

    if (!hash)
        return oras_fail_memory(err);
    hash->job.run = on_worker;
    hash->pool = pool;
    hash->queue = queue;
    hash->hasher = hasher;
    pthread_mutex_init(&hash->lock, NULL);
    *out = hash;
    return ORAS_OK;
}

void oras_pipe_hash_free(oras_pipe_hash *hash)
{
    if (!hash)
        return;
    pthread_mutex_lock(&hash->lock);
    hash->stopped = true;
    pthread_mutex_unlock(&hash->lock);
    oras_pool_settle(hash->pool, &hash->job);
    pthread_mutex_destroy(&hash->lock);
    oras_dealloc(hash);
}

oras_code oras_pipe_hash_go_on(oras_pipe_hash *hash, oras_error *err)
{
    bool idle;

    pthread_mutex_lock(&hash->lock);
    idle = hash->position == hash->written;
    hash->written = oras_queue_written(hash->queue);
    pthread_mutex_unlock(&hash->lock);
    return idle ? oras_pool_submit(hash->pool, &hash->job, err) : ORAS_OK;
}

int64_t oras_pipe_hash_position(oras_pipe_hash *hash, bool waits)
{
    int64_t position;

    pthread_mutex_lock(&hash->lock);
    position = hash->position;
    hash->waits = waits && position < hash->written;
    pthread_mutex_unlock(&hash->lock);
    return position;
}

oras_code oras_pipe_hash_result(oras_pipe_hash *hash, oras_error *err)
{
    oras_code code;

    pthread_mutex_lock(&hash->lock);
    code = hash->failure.code;
    if (code && err)
        *err = hash->failure;
    pthread_mutex_unlock(&hash->lock);
    return code;
}

void oras_pipe_hash_set_notify(oras_pipe_hash *hash, oras_notify notify)
{
    pthread_mutex_lock(&hash->lock);
    hash->notify = notify;
    pthread_mutex_unlock(&hash->lock);
}
