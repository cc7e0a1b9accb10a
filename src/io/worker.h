/* SPDX-License-Identifier: MIT
 * A small pool of threads for hashing, file writing and archive work. */
#ifndef ORAS_IO_WORKER_H
#define ORAS_IO_WORKER_H

#include "base/error.h"

#include <sys/stat.h>

typedef struct oras_pool oras_pool;

/** A piece of work; embedded in the owner's struct, which must live until it ran. */
typedef struct oras_job {
    void (*run)(struct oras_job *job);  /* on a worker thread */
    void (*over)(struct oras_job *job); /* NULL, or called last: the job may be freed then */
    struct oras_job *next;              /* the pool's, like the rest */
    enum { ORAS_JOB_IDLE, ORAS_JOB_QUEUED, ORAS_JOB_RUNNING, ORAS_JOB_AGAIN } state;
} oras_job;

/** Threads start with the first job. `n_threads` 0: as many as processors, at most 4. */
oras_code oras_pool_new(int n_threads, oras_pool **out, oras_error *err);

/** The most jobs that run at a time. */
int oras_pool_size(oras_pool *pool);

/** Waits for the jobs that run or wait, then ends the threads. NULL is fine. */
void oras_pool_free(oras_pool *pool);

/** Have job->run called on a worker. A job never runs twice at a time: one that runs and is
 * submitted runs once more afterwards; one that is queued stays queued once. */
oras_code oras_pool_submit(oras_pool *pool, oras_job *job, oras_error *err);

/** Have fn(ud) called on a worker some time, at the latest when the pool ends. */
oras_code oras_pool_leave(oras_pool *pool, void (*fn)(void *ud), void *ud, oras_error *err);

/** Take the job back if it only waits, else wait until it has run; then it may be freed. */
void oras_pool_settle(oras_pool *pool, oras_job *job);

/** The process's umask, looked up once per pool without changing it. */
mode_t oras_pool_umask(oras_pool *pool);

#endif
