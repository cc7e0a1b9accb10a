/* SPDX-License-Identifier: MIT */
#include "io/worker.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define MAX_THREADS   4
#define DEFAULT_UMASK 022

struct oras_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;    /* a job was queued, or the end came */
    pthread_cond_t settled; /* a job has run */
    oras_job *first, *last;
    int n_threads, wanted;
    bool ending, umask_known;
    mode_t umask;
    pthread_t threads[MAX_THREADS];
};

static int thread_count(int wanted)
{
    long n = wanted > 0 ? wanted : sysconf(_SC_NPROCESSORS_ONLN);

    if (n < 1)
        return 1;
    return n > MAX_THREADS ? MAX_THREADS : (int)n;
}

oras_code oras_pool_new(int n_threads, oras_pool **out, oras_error *err)
{
    oras_pool *pool = oras_alloc_zero(1, sizeof *pool);

    if (!pool)
        return oras_fail_memory(err);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->settled, NULL);
    pool->wanted = n_threads;
    *out = pool;
    return ORAS_OK;
}

int oras_pool_size(oras_pool *pool)
{
    int n;

    pthread_mutex_lock(&pool->lock);
    if (pool->n_threads == 0)
        pool->wanted = thread_count(pool->wanted);
    n = pool->wanted;
    pthread_mutex_unlock(&pool->lock);
    return n;
}

static void enqueue(oras_pool *pool, oras_job *job)
{
    job->state = ORAS_JOB_QUEUED;
    job->next = NULL;
    if (pool->last)
        pool->last->next = job;
    else
        pool->first = job;
    pool->last = job;
    pthread_cond_signal(&pool->work);
}

static oras_job *take_first(oras_pool *pool)
{
    oras_job *job = pool->first;

    pool->first = job->next;
    if (!pool->first)
        pool->last = NULL;
    job->next = NULL;
    job->state = ORAS_JOB_RUNNING;
    return job;
}

static void run_locked(oras_pool *pool, oras_job *job)
{
    pthread_mutex_unlock(&pool->lock);
    job->run(job);
    pthread_mutex_lock(&pool->lock);
    if (job->state == ORAS_JOB_AGAIN)
        enqueue(pool, job);
    else
        job->state = ORAS_JOB_IDLE;
    pthread_cond_broadcast(&pool->settled);
    if (job->over)
        job->over(job);
}

static void *serve(void *ud)
{
    oras_pool *pool = ud;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->first && !pool->ending)
            pthread_cond_wait(&pool->work, &pool->lock);
        if (!pool->first)
            break;
        run_locked(pool, take_first(pool));
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Signals are the host's: none is delivered to a thread of ours. */
static int start_thread(oras_pool *pool)
{
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&pool->threads[pool->n_threads], NULL, serve, pool);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc == 0)
        pool->n_threads++;
    return rc;
}

oras_code oras_pool_submit(oras_pool *pool, oras_job *job, oras_error *err)
{
    int rc = 0;

    pthread_mutex_lock(&pool->lock);
    if (pool->n_threads == 0) /* asking for the number of processors reads a file */
        pool->wanted = thread_count(pool->wanted);
    if (pool->n_threads < pool->wanted && (pool->first || pool->n_threads == 0))
        rc = start_thread(pool);
    if (pool->n_threads > 0 && job->state == ORAS_JOB_IDLE)
        enqueue(pool, job);
    else if (job->state == ORAS_JOB_RUNNING)
        job->state = ORAS_JOB_AGAIN;
    rc = pool->n_threads > 0 ? 0 : rc;
    pthread_mutex_unlock(&pool->lock);
    return rc ? oras_fail_errno(err, rc, "cannot start a worker thread") : ORAS_OK;
}

typedef struct left_job {
    oras_job job; /* first */
    void (*fn)(void *ud);
    void *ud;
} left_job;

static void run_left(oras_job *job)
{
    left_job *left = (left_job *)job;

    left->fn(left->ud);
}

static void free_left(oras_job *job)
{
    oras_dealloc(job);
}

oras_code oras_pool_leave(oras_pool *pool, void (*fn)(void *ud), void *ud, oras_error *err)
{
    left_job *left = oras_alloc_zero(1, sizeof *left);
    oras_code code;

    if (!left)
        return oras_fail_memory(err);
    left->job.run = run_left;
    left->job.over = free_left;
    left->fn = fn;
    left->ud = ud;
    code = oras_pool_submit(pool, &left->job, err);
    if (code)
        oras_dealloc(left);
    return code;
}

static void unlink_job(oras_pool *pool, const oras_job *job)
{
    oras_job *before = NULL;

    for (oras_job *at = pool->first; at; before = at, at = at->next) {
        if (at != job)
            continue;
        if (before)
            before->next = at->next;
        else
            pool->first = at->next;
        if (pool->last == at)
            pool->last = before;
        return;
    }
}

void oras_pool_settle(oras_pool *pool, oras_job *job)
{
    pthread_mutex_lock(&pool->lock);
    if (job->state == ORAS_JOB_QUEUED) {
        unlink_job(pool, job);
        job->state = ORAS_JOB_IDLE;
    } else if (job->state == ORAS_JOB_AGAIN) {
        job->state = ORAS_JOB_RUNNING;
    }
    while (job->state != ORAS_JOB_IDLE)
        pthread_cond_wait(&pool->settled, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void oras_pool_free(oras_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n_threads; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->settled);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    oras_dealloc(pool);
}

/* umask(2) can only be read by changing it for a moment, which other threads would see. */
static mode_t read_umask(void)
{
    _cleanup_(oras_close_fd) int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    char text[512];
    const char *line;
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (n <= 0)
        return DEFAULT_UMASK;
    text[n] = '\0';
    line = strstr(text, "\nUmask:");
    return line ? (mode_t)strtoul(line + strlen("\nUmask:"), NULL, 8) : DEFAULT_UMASK;
}

mode_t oras_pool_umask(oras_pool *pool)
{
    mode_t mask;

    pthread_mutex_lock(&pool->lock);
    if (!pool->umask_known) {
        pool->umask = read_umask();
        pool->umask_known = true;
    }
    mask = pool->umask;
    pthread_mutex_unlock(&pool->lock);
    return mask;
}
