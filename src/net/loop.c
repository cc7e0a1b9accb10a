/* SPDX-License-Identifier: MIT
 * The loop: curl's multi handle, its sockets in one epoll set, its timer as a due time.
 *
 * curl asks for a timeout of 0 once a transfer; that is a flag here and not a timer of the
 * kernel. What is finished is collected before every wait, since a transfer can finish inside
 * any call into curl. */
#define _GNU_SOURCE
#include "net/loop.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "net/curl.h"
#include "net/guard.h"
#include "net/posts.h"
#include "net/timers.h"
#include "net/watches.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#define N_EVENTS   64
#define N_AT_ONCE  2  /* events between two looks at the clock, where a step has an end */
#define MAX_ROUNDS 16 /* of curl's own "act now", in one step */

struct oras_loop {
    CURLM *multi;
    int epoll_fd, wake_fd;
    int64_t curl_due; /* ms; -1: no timer */
    int64_t step_due; /* ms; the step that runs ends then; 0: when all is done */
    bool news;        /* a transfer was reported in this turn: whoever waits wants to know first */
    oras_timer *timers; /* soonest first */
    oras_fd_watch *watches;
    oras_posts posts;
};

int64_t oras_loop_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Called by curl: note when it wants to be called, no more. */
static int on_timer(CURLM *multi, long timeout_ms, void *ud)
{
    oras_loop *loop = ud;

    (void)multi;
    if (timeout_ms < 0)
        loop->curl_due = -1;
    else
        loop->curl_due = timeout_ms == 0 ? 0 : oras_loop_now() + timeout_ms;
    return 0;
}

static int watch(const oras_loop *loop, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
        return 0;
    if (errno != ENOENT)
        return -1;
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* libcurl tells nobody which socket a running transfer has. */
static void note_socket(CURL *easy, curl_socket_t fd)
{
    oras_curl_owner *owner = NULL;

    if (easy && curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner) == CURLE_OK && owner)
        owner->fd = fd;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ud, void *socket_ud)
{
    const oras_loop *loop = ud;
    unsigned events = 0;

    (void)socket_ud;
    note_socket(easy, what == CURL_POLL_REMOVE ? CURL_SOCKET_BAD : fd);
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN)
        events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        events |= EPOLLOUT;
    return watch(loop, fd, events);
}

static bool open_descriptors(oras_loop *loop)
{
    struct epoll_event event = {.events = EPOLLIN};

    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0)
        return false;
    event.data.fd = loop->wake_fd;
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) == 0;
}

static bool set_up_multi(oras_loop *loop)
{
    loop->multi = curl_multi_init();
    if (!loop->multi)
        return false;
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    return true;
}

oras_code oras_loop_new(oras_loop **out, oras_error *err)
{
    oras_loop *loop = oras_alloc_zero(1, sizeof *loop);
    int number;

    if (!loop)
        return oras_fail_memory(err);
    loop->epoll_fd = loop->wake_fd = -1;
    loop->curl_due = -1;
    oras_posts_init(&loop->posts);
    if (!open_descriptors(loop)) {
        number = errno;
        oras_loop_free(loop);
        return oras_fail_errno(err, number, "cannot make an event loop");
    }
    if (!set_up_multi(loop)) {
        oras_loop_free(loop);
        return oras_fail_memory(err);
    }
    *out = loop;
    return ORAS_OK;
}

void oras_loop_free(oras_loop *loop)
{
    if (!loop)
        return;
    if (loop->multi)
        curl_multi_cleanup(loop->multi);
    oras_close_fd(&loop->epoll_fd);
    oras_close_fd(&loop->wake_fd);
    oras_posts_dispose(&loop->posts);
    oras_dealloc(loop);
}

oras_code oras_loop_add(oras_loop *loop, CURL *easy, oras_error *err)
{
    CURLMcode rc = curl_multi_add_handle(loop->multi, easy);

    if (rc == CURLM_OK)
        return ORAS_OK;
    if (rc == CURLM_OUT_OF_MEMORY)
        return oras_fail_memory(err);
    return oras_fail(err, ORAS_C_NETWORK, "cannot start a transfer: %s", curl_multi_strerror(rc));
}

void oras_loop_remove(oras_loop *loop, CURL *easy)
{
    curl_multi_remove_handle(loop->multi, easy);
}

int oras_loop_fd(const oras_loop *loop)
{
    return loop->epoll_fd;
}

void oras_loop_tell(oras_loop *loop)
{
    loop->news = true;
}

void oras_loop_wake(oras_loop *loop)
{
    uint64_t one = 1;
    int saved = errno;

    while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    errno = saved;
}

void oras_loop_post(oras_loop *loop, oras_post *post)
{
    if (oras_posts_add(&loop->posts, post))
        oras_loop_wake(loop);
}

void oras_loop_unpost(oras_loop *loop, oras_post *post)
{
    oras_posts_remove(&loop->posts, post);
}

oras_code oras_loop_watch(oras_loop *loop, oras_fd_watch *added, oras_error *err)
{
    if (watch(loop, added->fd, EPOLLIN) != 0)
        return oras_fail_errno(err, errno, "cannot watch a descriptor");
    oras_watches_add(&loop->watches, added);
    return ORAS_OK;
}

void oras_loop_unwatch(oras_loop *loop, oras_fd_watch *gone)
{
    oras_watches_remove(&loop->watches, gone);
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, gone->fd, NULL);
}

static bool is_over(const oras_loop *loop)
{
    return loop->step_due && oras_loop_now() >= loop->step_due;
}

static void run_posts(oras_loop *loop)
{
    oras_post *post;
    int n = 0;

    for (; n < N_EVENTS && !(n && is_over(loop)) && (post = oras_posts_next(&loop->posts)); n++)
        post->fn(post->ud);
    if (n == N_EVENTS || (n && is_over(loop))) /* there may be more */
        oras_loop_wake(loop);
}

void oras_loop_timer_start(oras_loop *loop, oras_timer *timer, int64_t ms)
{
    timer->due_ms = oras_loop_now() + ms;
    oras_timers_add(&loop->timers, timer);
}

void oras_loop_timer_stop(oras_loop *loop, oras_timer *timer)
{
    oras_timers_remove(&loop->timers, timer);
}

static void collect_finished(oras_loop *loop)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(loop->multi, &left))) {
        CURLcode result = message->data.result;
        oras_curl_owner *owner = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
        if (owner) {
            loop->news = true;
            owner->done(owner, result);
        }
    }
}

/* curl calls on_timer only when its next time changes: a timer that fired a moment too early
 * for curl's own clock would never come again. */
static void ask_for_timer(oras_loop *loop)
{
    long left;

    if (loop->curl_due < 0 && curl_multi_timeout(loop->multi, &left) == CURLM_OK && left >= 0)
        loop->curl_due = oras_loop_now() + (left > 0 ? left : 1);
}

/* curl's timer, for as long as it says "now". */
static void run_curl_timer(oras_loop *loop)
{
    int running;

    for (int i = 0; i < MAX_ROUNDS && loop->curl_due >= 0 && !(i && is_over(loop)); i++) {
        if (loop->curl_due > 0 && loop->curl_due > oras_loop_now())
            return;
        loop->curl_due = -1;
        curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        collect_finished(loop);
        ask_for_timer(loop);
    }
}

static void drain_wake(const oras_loop *loop)
{
    uint64_t count;

    while (read(loop->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
}

static void run_event(oras_loop *loop, const struct epoll_event *event)
{
    int running, flags = 0;

    if (event->data.fd == loop->wake_fd) {
        drain_wake(loop);
        return;
    }
    if (oras_watches_run(loop->watches, event->data.fd))
        return;
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP))
        flags |= CURL_CSELECT_IN;
    if (event->events & EPOLLOUT)
        flags |= CURL_CSELECT_OUT;
    if (event->events & EPOLLERR)
        flags |= CURL_CSELECT_ERR;
    curl_multi_socket_action(loop->multi, event->data.fd, flags, &running);
}

static int time_left(const oras_loop *loop, int timeout_ms)
{
    int64_t due = loop->curl_due, left;

    if (loop->timers && (due < 0 || loop->timers->due_ms < due))
        due = loop->timers->due_ms;
    if (due < 0)
        return timeout_ms;
    left = due == 0 ? 0 : due - oras_loop_now();
    if (left < 0)
        left = 0;
    if (left > INT_MAX)
        left = INT_MAX;
    return timeout_ms >= 0 && timeout_ms < left ? timeout_ms : (int)left;
}

int oras_loop_timeout(const oras_loop *loop)
{
    return loop->news ? 0 : time_left(loop, -1);
}

/* What was reported stands last in epoll's queue: with few at a time all have their turn. */
static oras_code run_events(oras_loop *loop, int timeout_ms, oras_error *err)
{
    struct epoll_event events[N_EVENTS];
    int most = loop->step_due ? N_AT_ONCE : N_EVENTS;
    int n, left = N_EVENTS;

    do {
        n = epoll_wait(loop->epoll_fd, events, most, timeout_ms);
        if (n < 0 && errno != EINTR)
            return oras_fail_errno(err, errno, "cannot wait for events");
        for (int i = 0; i < n; i++)
            run_event(loop, &events[i]);
        timeout_ms = 0;
        left -= most;
    } while (n == most && left > 0 && !is_over(loop));
    return ORAS_OK;
}

static oras_code turn(oras_loop *loop, int timeout_ms, oras_error *err)
{
    oras_code code;

    loop->news = false;
    run_curl_timer(loop);
    collect_finished(loop);
    if (loop->news)
        timeout_ms = 0;
    code = run_events(loop, time_left(loop, timeout_ms), err);
    if (code)
        return code;
    if (!is_over(loop))
        run_curl_timer(loop);
    run_posts(loop);
    oras_timers_run(&loop->timers);
    collect_finished(loop);
    return ORAS_OK;
}

/* curl's guard against SIGPIPE is off with NOSIGNAL, and callbacks write files. */
static oras_code guarded_turn(oras_loop *loop, int timeout_ms, oras_error *err)
{
    oras_guard guard;
    oras_code code;

    oras_guard_begin(&guard);
    code = turn(loop, timeout_ms, err);
    oras_guard_end(&guard);
    return code;
}

oras_code oras_loop_step(oras_loop *loop, oras_error *err)
{
    return guarded_turn(loop, 0, err);
}

oras_code oras_loop_step_until(oras_loop *loop, int64_t due_ms, oras_error *err)
{
    oras_code code;

    loop->step_due = due_ms;
    code = guarded_turn(loop, 0, err);
    loop->step_due = 0;
    return code;
}

oras_code oras_loop_wait(oras_loop *loop, int timeout_ms, oras_error *err)
{
    return guarded_turn(loop, timeout_ms, err);
}
