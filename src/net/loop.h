/* SPDX-License-Identifier: MIT
 * curl's sockets and timer behind one epoll descriptor; step, wait, wake. */
#ifndef ORAS_NET_LOOP_H
#define ORAS_NET_LOOP_H

#include "base/error.h"

typedef struct oras_loop oras_loop;

oras_code oras_loop_new(oras_loop **out, oras_error *err);
void oras_loop_free(oras_loop *loop);

/** Do what can be done now; never waits. */
oras_code oras_loop_step(oras_loop *loop, oras_error *err);

/** The same, but what is left at `due_ms` (oras_loop_now) is left for the next step; a call into
 * curl that has begun is not cut short. 0: no such time. */
oras_code oras_loop_step_until(oras_loop *loop, int64_t due_ms, oras_error *err);

/** Wait at most timeout_ms (-1: for ever) for something to do, then step. */
oras_code oras_loop_wait(oras_loop *loop, int timeout_ms, oras_error *err);

/** Readable when there is something to do; level-triggered, the same for the loop's life. */
int oras_loop_fd(const oras_loop *loop);

/** Milliseconds until it should be stepped though nothing is readable; -1: no such time. */
int oras_loop_timeout(const oras_loop *loop);

/** What somebody waits for has happened: the turn that runs now returns without waiting. Loop's
 * thread only. */
void oras_loop_tell(oras_loop *loop);

/** Make a waiting loop return; any thread, signal handlers too. */
void oras_loop_wake(oras_loop *loop);

/** Call fn(ud) once on the loop's thread after `ms`; until then it can be taken back. The
 * struct belongs to the caller and must live until then. */
typedef struct oras_timer {
    void (*fn)(void *ud);
    void *ud;
    int64_t due_ms;
    struct oras_timer *next;
} oras_timer;
void oras_loop_timer_start(oras_loop *loop, oras_timer *timer, int64_t ms);
void oras_loop_timer_stop(oras_loop *loop, oras_timer *timer);

/** Run fn(ud) on the loop's thread in the next step; from any thread. The struct belongs to
 * the caller and must live until it ran. */
typedef struct oras_post {
    void (*fn)(void *ud);
    void *ud;
    struct oras_post *next;
    bool queued;
} oras_post;
void oras_loop_post(oras_loop *loop, oras_post *post);

/** Take back a post that has not run. Loop's thread only. */
void oras_loop_unpost(oras_loop *loop, oras_post *post);

/** Call fn(ud) on the loop's thread whenever `fd` is readable, until it is unwatched; fn may do
 * that itself. The struct belongs to the caller. Class io. */
typedef struct oras_fd_watch {
    void (*fn)(void *ud);
    void *ud;
    int fd;
    struct oras_fd_watch *next;
} oras_fd_watch;
oras_code oras_loop_watch(oras_loop *loop, oras_fd_watch *watch, oras_error *err);
void oras_loop_unwatch(oras_loop *loop, oras_fd_watch *watch);

/** Milliseconds of the monotonic clock. */
int64_t oras_loop_now(void);

#endif
