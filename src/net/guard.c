/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "net/guard.h"

#include <pthread.h>
#include <time.h>

static const int guarded[] = {SIGPIPE, SIGXFSZ};
#define N_GUARDED (sizeof guarded / sizeof *guarded)

void oras_guard_begin(oras_guard *guard)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < N_GUARDED; i++)
        sigaddset(&set, guarded[i]);
    sigpending(&guard->pending);
    pthread_sigmask(SIG_BLOCK, &set, &guard->old);
}

static void drop(int signal)
{
    static const struct timespec no_time = {0, 0};
    sigset_t only;

    sigemptyset(&only);
    sigaddset(&only, signal);
    sigtimedwait(&only, NULL, &no_time);
}

void oras_guard_end(const oras_guard *guard)
{
    sigset_t pending;

    sigpending(&pending);
    for (size_t i = 0; i < N_GUARDED; i++) {
        if (sigismember(&pending, guarded[i]) && !sigismember(&guard->pending, guarded[i]))
            drop(guarded[i]);
    }
    pthread_sigmask(SIG_SETMASK, &guard->old, NULL);
}
