/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/ahead.h"

#include "base/alloc.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define BLOCK  ((size_t)256 * 1024)
#define WINDOW ((int64_t)8 * 1024 * 1024) /* how far the worker goes before the reader */
#define ENOUGH ((int64_t)1024 * 1024)     /* to wake the reader for */

struct oras_ahead {
    oras_job job; /* first */
    oras_pool *pool;
    int fd;
    int64_t size;
    atomic_bool stopped;
    pthread_mutex_t lock; /* of what follows */
    int64_t loaded;       /* the worker has read up to here, */
    int64_t position;     /* the reader is here */
    bool waits;
    oras_notify notify;
    char block[BLOCK];
};

static int64_t goal(const oras_ahead *ahead)
{
    int64_t most = ahead->size - ahead->position;

    return ahead->position + (most < WINDOW ? most : WINDOW);
}

static void tell(oras_ahead *ahead)
{
    if (ahead->waits && ahead->notify.fn)
        ahead->notify.fn(ahead->notify.ud);
    ahead->waits = false;
}

/* The next block; whatever goes wrong, the reader meets it, too, and has words for it. */
static int64_t load(oras_ahead *ahead, int64_t at)
{
    ssize_t n;

    do {
        n = pread(ahead->fd, ahead->block, BLOCK, (off_t)at);
    } while (n < 0 && errno == EINTR);
    return n > 0 ? at + n : ahead->size;
}

static void on_worker(oras_job *job)
{
    oras_ahead *ahead = (oras_ahead *)job;

    pthread_mutex_lock(&ahead->lock);
    while (!atomic_load(&ahead->stopped) && ahead->loaded < goal(ahead)) {
        int64_t at = ahead->loaded;

        pthread_mutex_unlock(&ahead->lock);
        at = load(ahead, at);
        pthread_mutex_lock(&ahead->lock);
        ahead->loaded = at;
        if (at - ahead->position >= ENOUGH)
            tell(ahead);
    }
    tell(ahead);
    pthread_mutex_unlock(&ahead->lock);
}

oras_code oras_ahead_new(oras_pool *pool, int fd, int64_t size, oras_ahead **out, oras_error *err)
{
    oras_ahead *ahead = oras_alloc_zero(1, sizeof *ahead);

    if (!ahead)
        return oras_fail_memory(err);
    ahead->job.run = on_worker;
    ahead->pool = pool;
    ahead->fd = fd;
    ahead->size = size;
    pthread_mutex_init(&ahead->lock, NULL);
    *out = ahead;
    return ORAS_OK;
}

static void halt(oras_ahead *ahead)
{
    atomic_store(&ahead->stopped, true);
    oras_pool_settle(ahead->pool, &ahead->job);
    atomic_store(&ahead->stopped, false);
}

void oras_ahead_free(oras_ahead *ahead)
{
    if (!ahead)
        return;
    halt(ahead);
    pthread_mutex_destroy(&ahead->lock);
    oras_dealloc(ahead);
}

int64_t oras_ahead_ready(oras_ahead *ahead, int64_t position)
{
    int64_t ready;
    bool more;

    pthread_mutex_lock(&ahead->lock);
    ahead->position = position;
    if (ahead->loaded < position)
        ahead->loaded = position;
    ready = ahead->loaded - position;
    more = goal(ahead) - ahead->loaded >= ENOUGH || (ready == 0 && goal(ahead) > position);
    ahead->waits = ready == 0;
    pthread_mutex_unlock(&ahead->lock);
    /* without a worker the reader does it itself */
    return more && oras_pool_submit(ahead->pool, &ahead->job, NULL) ? ahead->size - position
                                                                    : ready;
}

void oras_ahead_set_notify(oras_ahead *ahead, oras_notify notify)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->notify = notify;
    pthread_mutex_unlock(&ahead->lock);
}

void oras_ahead_restart(oras_ahead *ahead, int64_t position)
{
    halt(ahead);
    ahead->position = ahead->loaded = position;
    ahead->waits = false;
}
