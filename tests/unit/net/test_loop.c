/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cmocka_c11.h"
#include "net/curl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static oras_loop *loop;
static char order[16];

static int set_up(void **state)
{
    (void)state;
    order[0] = '\0';
    return oras_loop_new(&loop, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    oras_loop_free(loop);
    return 0;
}

static void note(void *ud)
{
    size_t n = strlen(order);

    order[n] = *(const char *)ud;
    order[n + 1] = '\0';
}

static void run_until(size_t n)
{
    while (strlen(order) < n)
        assert_int_equal(oras_loop_wait(loop, -1, NULL), ORAS_OK);
}

static void test_timers_fire_in_order_of_time(void **state)
{
    oras_timer a = {.fn = note, .ud = "a"}, b = {.fn = note, .ud = "b"},
               c = {.fn = note, .ud = "c"};

    (void)state;
    oras_loop_timer_start(loop, &c, 30);
    oras_loop_timer_start(loop, &a, 10);
    oras_loop_timer_start(loop, &b, 20);
    run_until(3);
    assert_string_equal(order, "abc");
}

static void test_stopped_timer_does_not_fire(void **state)
{
    oras_timer a = {.fn = note, .ud = "a"}, b = {.fn = note, .ud = "b"};

    (void)state;
    oras_loop_timer_start(loop, &a, 1);
    oras_loop_timer_start(loop, &b, 2);
    oras_loop_timer_stop(loop, &a);
    oras_loop_timer_stop(loop, &a);
    run_until(1);
    assert_string_equal(order, "b");
}

static bool is_readable(void)
{
    struct pollfd p = {.fd = oras_loop_fd(loop), .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

static void test_wake_makes_the_descriptor_readable_once(void **state)
{
    (void)state;
    assert_false(is_readable());
    oras_loop_wake(loop);
    oras_loop_wake(loop);
    assert_true(is_readable());
    assert_int_equal(oras_loop_step(loop, NULL), ORAS_OK);
    assert_false(is_readable());
}

static void test_posts_run_once_each(void **state)
{
    oras_post a = {.fn = note, .ud = "a"}, b = {.fn = note, .ud = "b"}, c = {.fn = note, .ud = "c"};

    (void)state;
    oras_loop_post(loop, &a);
    oras_loop_post(loop, &b);
    oras_loop_post(loop, &a);
    oras_loop_post(loop, &c);
    oras_loop_unpost(loop, &b);
    assert_int_equal(oras_loop_step(loop, NULL), ORAS_OK);
    assert_string_equal(order, "ac");
}

static void *post_from_elsewhere(void *ud)
{
    oras_loop_post(loop, ud);
    return NULL;
}

static void test_post_from_another_thread_ends_the_wait(void **state)
{
    oras_post a = {.fn = note, .ud = "a"};
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, post_from_elsewhere, &a), 0);
    run_until(1);
    pthread_join(thread, NULL);
    assert_string_equal(order, "a");
}

static void test_many_posts_are_not_forgotten(void **state)
{
    static oras_post posts[200];
    static int n;

    (void)state;
    n = 0;
    for (int i = 0; i < 200; i++) {
        posts[i] = (oras_post){.fn = note, .ud = ""};
        oras_loop_post(loop, &posts[i]);
    }
    for (int i = 0; i < 200; i++)
        n += posts[i].queued;
    assert_int_equal(n, 200);
    while (is_readable())
        assert_int_equal(oras_loop_step(loop, NULL), ORAS_OK);
    for (int i = 0; i < 200; i++)
        assert_false(posts[i].queued);
}

/* Whose time is over does one thing of each kind, and says that there is more. */
static void test_a_step_that_is_due_leaves_the_rest_for_the_next(void **state)
{
    oras_post a = {.fn = note, .ud = "a"}, b = {.fn = note, .ud = "b"}, c = {.fn = note, .ud = "c"};

    (void)state;
    order[0] = '\0';
    oras_loop_post(loop, &a);
    oras_loop_post(loop, &b);
    oras_loop_post(loop, &c);
    assert_int_equal(oras_loop_step_until(loop, 1, NULL), ORAS_OK);
    assert_string_equal(order, "a");
    assert_true(is_readable());
    assert_int_equal(oras_loop_step_until(loop, oras_loop_now() + 10000, NULL), ORAS_OK);
    assert_string_equal(order, "abc");
    assert_false(is_readable());
}

typedef struct ended {
    oras_curl_owner owner;
    int n;
} ended;

static void on_done(oras_curl_owner *owner, CURLcode result)
{
    ended *e = (ended *)owner;

    assert_int_equal(result, CURLE_OK);
    e->n++;
}

/* Transfers that end inside curl's first call were told only after the next event: with
 * nothing else to wake the loop, never. The alarm ends the test then. */
static void test_end_inside_the_first_call_is_told_at_once(void **state)
{
    ended e = {.owner.done = on_done};
    CURL *easy = curl_easy_init();

    (void)state;
    curl_easy_setopt(easy, CURLOPT_URL, "file:///dev/null");
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &e);
    assert_int_equal(oras_loop_add(loop, easy, NULL), ORAS_OK);
    alarm(20);
    while (e.n == 0)
        assert_int_equal(oras_loop_wait(loop, -1, NULL), ORAS_OK);
    alarm(0);
    oras_loop_remove(loop, easy);
    curl_easy_cleanup(easy);
}

typedef struct written {
    int fd, number;
} written;

static void write_byte(void *ud)
{
    written *w = ud;

    w->number = write(w->fd, "x", 1) < 0 ? errno : 0;
}

static int write_in_a_turn(int fd)
{
    written w = {.fd = fd};
    oras_post post = {.fn = write_byte, .ud = &w};

    oras_loop_post(loop, &post);
    assert_int_equal(oras_loop_step(loop, NULL), ORAS_OK);
    return w.number;
}

/* With their default, as here, these signals end the process. */
static void test_a_write_in_a_turn_sends_the_host_no_signal(void **state)
{
    struct rlimit old, none;
    int ends[2], file = memfd_create("limited", MFD_CLOEXEC), limited, broken;
    sigset_t pending;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    limited = write_in_a_turn(file);
    broken = write_in_a_turn(ends[1]);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(limited, EFBIG);
    assert_int_equal(broken, EPIPE);
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGXFSZ));
    assert_false(sigismember(&pending, SIGPIPE));
    close(ends[1]);
    close(file);
}

static void test_a_signal_that_waited_before_a_turn_still_waits(void **state)
{
    sigset_t only, old, pending;

    (void)state;
    sigemptyset(&only);
    sigaddset(&only, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &only, &old);
    pthread_kill(pthread_self(), SIGXFSZ);
    assert_int_equal(oras_loop_step(loop, NULL), ORAS_OK);
    sigpending(&pending);
    assert_true(sigismember(&pending, SIGXFSZ));
    sigwaitinfo(&only, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

/* --- descriptors beside curl's --------------------------------------------------------------- */

typedef struct watched {
    oras_fd_watch watch;
    int fds[2];
    int n_calls;
} watched;

static void on_readable(void *ud)
{
    watched *w = ud;
    char byte;

    assert_int_equal(read(w->fds[0], &byte, 1), 1);
    w->n_calls++;
    if (byte == 'l') /* the last one */
        oras_loop_unwatch(loop, &w->watch);
}

static void watch_pipe(watched *w)
{
    *w = (watched){.n_calls = 0};
    assert_int_equal(pipe2(w->fds, O_CLOEXEC), 0);
    w->watch = (oras_fd_watch){.fn = on_readable, .ud = w, .fd = w->fds[0]};
    assert_int_equal(oras_loop_watch(loop, &w->watch, NULL), ORAS_OK);
}

static void close_pipe(const watched *w)
{
    close(w->fds[0]);
    close(w->fds[1]);
}

static void test_what_is_watched_is_told_until_it_is_not_any_more(void **state)
{
    watched one, other;

    (void)state;
    watch_pipe(&one);
    watch_pipe(&other);
    assert_int_equal(write(one.fds[1], "xl", 2), 2);
    assert_int_equal(write(other.fds[1], "xx", 2), 2);
    while (one.n_calls < 2 || other.n_calls < 2)
        assert_int_equal(oras_loop_wait(loop, -1, NULL), ORAS_OK);
    assert_int_equal(write(one.fds[1], "x", 1), 1);
    assert_int_equal(oras_loop_step(loop, NULL), ORAS_OK);
    assert_int_equal(one.n_calls, 2);
    oras_loop_unwatch(loop, &other.watch);
    assert_int_equal(write(other.fds[1], "x", 1), 1);
    assert_int_equal(oras_loop_step(loop, NULL), ORAS_OK);
    assert_int_equal(other.n_calls, 2);
    close_pipe(&one);
    close_pipe(&other);
}

static void test_what_cannot_be_watched_is_said(void **state)
{
    oras_fd_watch none = {.fn = note, .ud = "x", .fd = -1};
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_class(oras_loop_watch(loop, &none, &err), ORAS_C_IO);
    assert_int_equal(oras_loop_step(loop, NULL), ORAS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_timers_fire_in_order_of_time),
        T(test_stopped_timer_does_not_fire),
        T(test_wake_makes_the_descriptor_readable_once),
        T(test_posts_run_once_each),
        T(test_post_from_another_thread_ends_the_wait),
        T(test_many_posts_are_not_forgotten),
        T(test_a_step_that_is_due_leaves_the_rest_for_the_next),
        T(test_end_inside_the_first_call_is_told_at_once),
        T(test_a_write_in_a_turn_sends_the_host_no_signal),
        T(test_a_signal_that_waited_before_a_turn_still_waits),
        T(test_what_is_watched_is_told_until_it_is_not_any_more),
        T(test_what_cannot_be_watched_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
