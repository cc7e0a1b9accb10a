/* SPDX-License-Identifier: MIT */
#include "cmocka_c11.h"
#include "net/curl.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
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

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_timers_fire_in_order_of_time),
        T(test_stopped_timer_does_not_fire),
        T(test_wake_makes_the_descriptor_readable_once),
        T(test_posts_run_once_each),
        T(test_post_from_another_thread_ends_the_wait),
        T(test_many_posts_are_not_forgotten),
        T(test_end_inside_the_first_call_is_told_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
