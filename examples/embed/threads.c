/* SPDX-License-Identifier: MIT
 * A worker thread calls a registry, the main thread ends it after a while: a runtime belongs to
 * one thread at a time, and only oras_wake() and oras_interrupt() may come from another.
 * ./threads SECONDS REFERENCE...
 * cc -pthread threads.c $(pkg-config --cflags --libs oras) */
#include <oras.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct worker {
    oras_runtime *rt;
    char **references;
    int n_references, n_failed;
    pthread_mutex_t mutex;
    pthread_cond_t over;
    int is_over;
} worker;

static void inspect(worker *w, const char *reference)
{
    oras_error err = ORAS_ERROR_INIT;
    char args[1024], *json = NULL;

    snprintf(args, sizeof args, "[\"%s\"]", reference);
    if (oras_call_json(w->rt, "conda", "inspect", args, &json, &err)) {
        fprintf(stderr, "%s: %s\n", err.class_name, err.message);
        w->n_failed++;
    } else {
        puts(json);
    }
    oras_free(json);
}

static void *work(void *ud)
{
    worker *w = ud;

    for (int i = 0; i < w->n_references; i++)
        inspect(w, w->references[i]);
    pthread_mutex_lock(&w->mutex);
    w->is_over = 1;
    pthread_cond_signal(&w->over);
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* Calls that are under way after the time are interrupted, one after the other. */
static void wait_for(worker *w, int seconds)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&w->mutex);
    while (!w->is_over) {
        if (pthread_cond_timedwait(&w->over, &w->mutex, &until) && !w->is_over) {
            oras_interrupt(w->rt);
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_sec++;
        }
    }
    pthread_mutex_unlock(&w->mutex);
}

int main(int argc, char **argv)
{
    worker w = {.mutex = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER};
    oras_error err = ORAS_ERROR_INIT;
    pthread_t thread;

    if (argc < 3)
        return fprintf(stderr, "usage: %s SECONDS REFERENCE...\n", argv[0]), 2;
    w.references = argv + 2;
    w.n_references = argc - 2;
    if (oras_runtime_new(NULL, &w.rt, &err))
        return fprintf(stderr, "%s\n", err.message), 1;
    if (pthread_create(&thread, NULL, work, &w) == 0) {
        wait_for(&w, atoi(argv[1]));
        pthread_join(thread, NULL);
    } else {
        w.n_failed++;
    }
    oras_runtime_free(w.rt);
    return w.n_failed > 0;
}
