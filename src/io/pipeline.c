/* SPDX-License-Identifier: MIT
 * A ring of blocks with one producer and two consumers. Each consumer has its own position;
 * a block is free again when both have passed it. */
#define _GNU_SOURCE
#include "io/pipeline.h"

#include "base/alloc.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_SIZE ((size_t)256 * 1024)
#define N_BLOCKS   8

typedef struct block {
    char *data;
    size_t size; /* of a block that was handed over */
} block;

typedef struct stage {
    oras_job job; /* first */
    oras_pipeline *pipeline;
    int at, n; /* next block, how many there are */
    oras_code (*work)(oras_pipeline *pipeline, const block *full, oras_error *err);
} stage;

struct oras_pipeline {
    oras_pool *pool;
    void (*news)(void *ud);
    void *ud;
    const oras_target *target;
    oras_hasher *hasher; /* the hash stage's while it works */
    int64_t written;     /* the write stage's */
    int filling;         /* the producer's: the block, and the bytes in it */
    size_t fill;
    block blocks[N_BLOCKS];

    pthread_mutex_t lock;
    pthread_cond_t idle; /* nothing is left to do, or something failed */
    stage hash, write;
    bool waiting; /* a write was refused */
    oras_pipeline_fn *then;
    bool then_runs, through;
    oras_error failure;
};

static oras_code hash_block(oras_pipeline *pipeline, const block *full, oras_error *err)
{
    if (!pipeline->hasher)
        return ORAS_OK;
    return oras_hasher_update(pipeline->hasher, full->data, full->size, err);
}

static oras_code write_block(oras_pipeline *pipeline, const block *full, oras_error *err)
{
    oras_code code =
        oras_target_write(pipeline->target, full->data, full->size, pipeline->written, err);

    if (!code)
        pipeline->written += (int64_t)full->size;
    return code;
}

/* --- under the lock -------------------------------------------------------------------- */

static int n_taken(const oras_pipeline *pipeline)
{
    return pipeline->hash.n > pipeline->write.n ? pipeline->hash.n : pipeline->write.n;
}

static void give_up(oras_pipeline *pipeline, const oras_error *err)
{
    if (!pipeline->failure.code)
        pipeline->failure = *err;
    pipeline->news(pipeline->ud);
}

static void pass_block(oras_pipeline *pipeline, stage *at)
{
    at->at = (at->at + 1) % N_BLOCKS;
    at->n--;
    if (pipeline->waiting && n_taken(pipeline) <= N_BLOCKS / 2) {
        pipeline->waiting = false;
        pipeline->news(pipeline->ud);
    }
}

static void work_on_block(oras_pipeline *pipeline, stage *at)
{
    const block *full = &pipeline->blocks[at->at];
    oras_error err = ORAS_ERROR_INIT;
    oras_code code;

    pthread_mutex_unlock(&pipeline->lock);
    code = at->work(pipeline, full, &err);
    pthread_mutex_lock(&pipeline->lock);
    if (code)
        give_up(pipeline, &err);
    else
        pass_block(pipeline, at);
}

static bool is_ready_for_then(const oras_pipeline *pipeline)
{
    return pipeline->then && !pipeline->then_runs && n_taken(pipeline) == 0 &&
           !pipeline->failure.code;
}

static void run_then(oras_pipeline *pipeline)
{
    oras_pipeline_fn *fn = pipeline->then;
    oras_error err = ORAS_ERROR_INIT;
    oras_code code;

    pipeline->then_runs = true;
    pthread_mutex_unlock(&pipeline->lock);
    code = fn(pipeline->ud, &err);
    pthread_mutex_lock(&pipeline->lock);
    pipeline->then_runs = false;
    pipeline->then = NULL;
    pipeline->through = true;
    if (code)
        give_up(pipeline, &err);
    else
        pipeline->news(pipeline->ud);
}

/* --- on a worker ------------------------------------------------------------------------ */

static void run(oras_job *job)
{
    stage *at = (stage *)job;
    oras_pipeline *pipeline = at->pipeline;

    pthread_mutex_lock(&pipeline->lock);
    while (at->n > 0 && !pipeline->failure.code)
        work_on_block(pipeline, at);
    if (is_ready_for_then(pipeline))
        run_then(pipeline);
    pthread_cond_broadcast(&pipeline->idle);
    pthread_mutex_unlock(&pipeline->lock);
}

/* --- on the loop's thread ---------------------------------------------------------------- */

static void set_up_stage(oras_pipeline *pipeline, stage *at,
                         oras_code (*work)(oras_pipeline *, const block *, oras_error *))
{
    *at = (stage){.job.run = run, .pipeline = pipeline, .work = work};
}

oras_code oras_pipeline_new(oras_pool *pool, void (*news)(void *ud), void *ud, oras_pipeline **out,
                            oras_error *err)
{
    oras_pipeline *pipeline = oras_alloc_zero(1, sizeof *pipeline);

    if (!pipeline)
        return oras_fail_memory(err);
    pipeline->pool = pool;
    pipeline->news = news;
    pipeline->ud = ud;
    set_up_stage(pipeline, &pipeline->hash, hash_block);
    set_up_stage(pipeline, &pipeline->write, write_block);
    pthread_mutex_init(&pipeline->lock, NULL);
    pthread_cond_init(&pipeline->idle, NULL);
    *out = pipeline;
    return ORAS_OK;
}

static void settle(oras_pipeline *pipeline)
{
    oras_pool_settle(pipeline->pool, &pipeline->hash.job);
    oras_pool_settle(pipeline->pool, &pipeline->write.job);
}

void oras_pipeline_free(oras_pipeline *pipeline)
{
    if (!pipeline)
        return;
    settle(pipeline);
    for (int i = 0; i < N_BLOCKS; i++)
        oras_dealloc(pipeline->blocks[i].data);
    pthread_cond_destroy(&pipeline->idle);
    pthread_mutex_destroy(&pipeline->lock);
    oras_dealloc(pipeline);
}

void oras_pipeline_aim(oras_pipeline *pipeline, const oras_target *target, oras_hasher *hasher,
                       int64_t position)
{
    settle(pipeline);
    pipeline->target = target;
    pipeline->hasher = hasher;
    pipeline->written = position;
    pipeline->hash.at = pipeline->write.at = pipeline->filling = 0;
    pipeline->hash.n = pipeline->write.n = 0;
    pipeline->fill = 0;
    pipeline->waiting = pipeline->through = false;
    pipeline->then = NULL;
    pipeline->failure.code = ORAS_OK;
}

static oras_code submit(oras_pipeline *pipeline, oras_error *err)
{
    oras_code code = oras_pool_submit(pipeline->pool, &pipeline->write.job, err);

    return code ? code : oras_pool_submit(pipeline->pool, &pipeline->hash.job, err);
}

static oras_code failure_of(oras_pipeline *pipeline, oras_error *err)
{
    oras_code code;

    pthread_mutex_lock(&pipeline->lock);
    code = pipeline->failure.code;
    if (code && err)
        *err = pipeline->failure;
    pthread_mutex_unlock(&pipeline->lock);
    return code;
}

/* Is there room for all of it? If not, the workers say when there is. */
static bool has_room(oras_pipeline *pipeline, size_t size)
{
    size_t room;

    pthread_mutex_lock(&pipeline->lock);
    room = (size_t)(N_BLOCKS - n_taken(pipeline)) * BLOCK_SIZE;
    if (room > 0)
        room -= pipeline->fill;
    pipeline->waiting = size > room && !pipeline->failure.code;
    pthread_mutex_unlock(&pipeline->lock);
    return size <= room;
}

static void hand_over(oras_pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    pipeline->blocks[pipeline->filling].size = pipeline->fill;
    pipeline->hash.n++;
    pipeline->write.n++;
    pthread_mutex_unlock(&pipeline->lock);
    pipeline->filling = (pipeline->filling + 1) % N_BLOCKS;
    pipeline->fill = 0;
}

static char *to_fill(oras_pipeline *pipeline, oras_error *err)
{
    block *at = &pipeline->blocks[pipeline->filling];

    if (!at->data && !(at->data = oras_alloc(BLOCK_SIZE)))
        oras_fail_memory(err);
    return at->data;
}

oras_flow oras_pipeline_write(oras_pipeline *pipeline, const char *data, size_t size,
                              oras_error *err)
{
    bool handed = false;

    if (failure_of(pipeline, err))
        return ORAS_FLOW_FAILED;
    if (!has_room(pipeline, size))
        return ORAS_FLOW_FULL;
    while (size > 0) {
        char *to = to_fill(pipeline, err);
        size_t part = BLOCK_SIZE - pipeline->fill < size ? BLOCK_SIZE - pipeline->fill : size;

        if (!to)
            return ORAS_FLOW_FAILED;
        memcpy(to + pipeline->fill, data, part);
        pipeline->fill += part;
        data += part;
        size -= part;
        if (pipeline->fill == BLOCK_SIZE) {
            hand_over(pipeline);
            handed = true;
        }
    }
    return handed && submit(pipeline, err) ? ORAS_FLOW_FAILED : ORAS_FLOW_OK;
}

oras_code oras_pipeline_then(oras_pipeline *pipeline, oras_pipeline_fn *fn, oras_error *err)
{
    bool failed;

    if (pipeline->fill > 0)
        hand_over(pipeline);
    pthread_mutex_lock(&pipeline->lock);
    failed = pipeline->failure.code != ORAS_OK; /* that news was told already */
    pipeline->then = failed ? NULL : fn;
    pipeline->through = false;
    pthread_mutex_unlock(&pipeline->lock);
    return failed ? failure_of(pipeline, err) : submit(pipeline, err);
}

oras_code oras_pipeline_is_through(oras_pipeline *pipeline, bool *through, oras_error *err)
{
    pthread_mutex_lock(&pipeline->lock);
    *through = pipeline->through;
    pthread_mutex_unlock(&pipeline->lock);
    return failure_of(pipeline, err);
}

void oras_pipeline_drain(oras_pipeline *pipeline)
{
    if (pipeline->fill > 0)
        hand_over(pipeline);
    if (!submit(pipeline, NULL)) {
        pthread_mutex_lock(&pipeline->lock);
        while ((n_taken(pipeline) > 0 || pipeline->then) && !pipeline->failure.code)
            pthread_cond_wait(&pipeline->idle, &pipeline->lock);
        pthread_mutex_unlock(&pipeline->lock);
    }
    settle(pipeline);
}

bool oras_pipeline_has_failed(oras_pipeline *pipeline)
{
    return failure_of(pipeline, NULL) != ORAS_OK;
}

void oras_pipeline_lock(oras_pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
}

void oras_pipeline_unlock(oras_pipeline *pipeline)
{
    pthread_mutex_unlock(&pipeline->lock);
}
